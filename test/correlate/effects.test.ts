import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { result, Scene, user } from './scene.ts';

describe('files', () => {
  it('folds all that a process does with a path into one, with what was strongest', () => {
    const scene = new Scene();
    const child = scene.spawn(scene.root, 'cc');
    scene.io(child, scene.open(child, '/work/app/a.o', { created: true }), { written: 30 });
    scene.io(child, scene.open(child, '/work/app/a.o'), { read: 30 });
    scene.exit(child);
    const file = scene.end().file('/work/app/a.o');
    assert.deepEqual(
      [file.operation, file.count, file.bytes_read, file.bytes_written, file.class, file.open],
      ['create', 2, 30n, 30n, 'workspace', false],
    );
  });

  it('says how an opening failed when none succeeded', () => {
    const scene = new Scene();
    const child = scene.spawn(scene.root, 'cat');
    scene.open(child, '/work/app/no', { errno: 13 });
    const file = scene.end().file('/work/app/no');
    assert.deepEqual([file.operation, file.error_type], ['open', 'EACCES']);
  });

  it('shows what changes a place that is noise to read', () => {
    const scene = new Scene();
    const child = scene.spawn(scene.root, 'python3', 'run.py');
    scene.io(child, scene.open(child, '/etc/ld.so.preload', { flags: 0o1101 }), { written: 9 });
    scene.read(child, '/usr/lib/python3/os.py');
    const all = scene.end();
    assert.equal(all.file('/etc/ld.so.preload').operation, 'write');
    assert.equal(all.process(child).noise_file_count, 1);
  });

  it('names a link by where it is, and takes what becomes a secret for one', () => {
    const scene = new Scene();
    const child = scene.spawn(scene.root, 'install.sh');
    scene.change(child, 'symlink', '../target', '/work/app/link');
    scene.change(child, 'rename', '/tmp/x', '/home/ann/.ssh/config');
    const all = scene.end();
    assert.deepEqual([all.file('/work/app/link').operation, all.file('/work/app/link').class], ['create', 'workspace']);
    const renamed = all.file('/tmp/x');
    assert.deepEqual(
      [renamed.operation, renamed.class, renamed.new_path],
      ['rename', 'secret', '/home/ann/.ssh/config'],
    );
  });

  it('shows noise that a command line names', () => {
    const scene = new Scene();
    const child = scene.spawn(scene.root, 'cat', '/etc/passwd');
    scene.read(child, '/etc/passwd');
    scene.read(child, '/etc/ld.so.cache');
    const all = scene.end();
    assert.equal(all.file('/etc/passwd').class, 'system');
    assert.equal(all.process(child).noise_file_count, 1);
  });

  it('takes what comes after an exit for what it is', () => {
    const scene = new Scene();
    const child = scene.spawn(scene.root, 'cat');
    const file_id = scene.open(child, '/work/app/a');
    scene.exit(child);
    scene.io(child, file_id, { read: 5 });
    scene.wait(2000);
    scene.io(child, file_id, { read: 5 });
    const all = scene.end();
    assert.equal(all.file('/work/app/a').bytes_read, 5n);
    assert.equal(scene.counters.get('correlate.late'), 1);
  });

  it('knows a descriptor by one id after it was found by another', () => {
    const scene = new Scene();
    scene.open(scene.root, '/work/app/log', { inherited: true, fd: 7 });
    const file_id = scene.open(scene.root, '/work/app/log', { inherited: true, fd: 7 });
    scene.open(scene.root, '/work/app/unused', { inherited: true, fd: 8 });
    scene.io(scene.root, file_id, { written: 9, closed: false });
    const all = scene.end();
    assert.deepEqual([all.file('/work/app/log').bytes_written, all.kind('file').length], [9n, 1]);
  });

  it("takes what an agent says on a standard output that leads to a file for nobody's request", () => {
    const scene = new Scene();
    scene.answer(scene.ask(scene.root, { messages: [user('x')] }), 'Done.');
    const file_id = scene.open(scene.root, '/tmp/out', { inherited: true, fd: 1 });
    scene.io(scene.root, file_id, { written: 6 });
    const all = scene.end();
    const [root] = all.kind('invoke_agent');
    const { parent_id, correlation } = all.file('/tmp/out');
    assert.deepEqual([parent_id, correlation.requested], [root?.id, true]);
  });

  it('keeps secrets when there are more files than may be told', () => {
    const scene = new Scene({ max_files_per_process: 10, max_files_per_turn: 15 });
    for (const name of ['a', 'b']) {
      const child = scene.spawn(scene.root, name);
      for (let i = 0; i < 20; i++) scene.read(child, `/work/app/${name}${i}`);
      scene.read(child, '/etc/shadow');
      scene.exit(child);
    }
    const all = scene.end();
    assert.equal(all.kind('file').filter(({ path }) => path === '/etc/shadow').length, 2);
    const left_out = all.process('a').left_out_count + all.process('b').left_out_count;
    assert.equal(all.kind('file').length + left_out, 42);
  });
});

describe('connections', () => {
  it('hangs the connection to the model under the turn', () => {
    const scene = new Scene();
    const socket_id = scene.connect(scene.root, '203.0.113.5');
    const prompt = user('x');
    const said = scene.answer(scene.ask(scene.root, { messages: [prompt], socket_id }), '', [
      ['a', 'shell', { command: 'ls' }],
    ]);
    scene.traffic(scene.root, socket_id);
    const done = scene.answer(scene.ask(scene.root, { messages: [prompt, said, result('a')], socket_id }), 'ok');
    scene.ask(scene.root, { messages: [prompt, said, result('a'), done, user('more')], socket_id });
    scene.traffic(scene.root, socket_id, 7, 8);
    const all = scene.end();
    const [first, second] = all.kind('network');
    const roots = all.kind('invoke_agent').map(({ id }) => id);
    assert.deepEqual([first?.parent_id, second?.parent_id], roots);
    assert.deepEqual([first?.open, second?.continues, second?.bytes_sent], [true, first?.id, 7n]);
    assert.deepEqual(
      [first?.server_name, first?.scope, first?.retransmits, second?.retransmits],
      ['api.example.com', 'external', 1, 0],
    );
  });

  it('names peers by what DNS said, and the look-up itself', () => {
    const scene = new Scene();
    const child = scene.spawn(scene.root, 'curl', 'https://example.org');
    const base = scene.base(child);
    const dns = scene.connect(child, '127.0.0.53', 53);
    const answer = {
      ...base,
      kind: 'net_name',
      socket_id: dns,
      source: 'dns',
      name: 'example.org',
      error_type: undefined,
    } as const;
    scene.push({ ...answer, addresses: ['203.0.113.7'] });
    scene.push({ ...answer, addresses: [] });
    scene.traffic(child, dns, 30, 60, true);
    scene.traffic(child, scene.connect(child, '203.0.113.7'), 10, 20, true);
    scene.traffic(child, scene.connect(child, '203.0.113.7'), 10, 20, true);
    const all = scene.end();
    const lookup = all.network('127.0.0.53');
    assert.deepEqual([lookup.operation, lookup.server_name, lookup.bytes_received], ['resolve', 'example.org', 60n]);
    const peers = all.kind('network').filter((one) => one.peer.address === '203.0.113.7');
    assert.deepEqual(
      peers.map((one) => [one.server_name, one.count, one.bytes_sent]),
      [
        ['example.org', 1, 10n],
        ['example.org', 1, 10n],
      ],
    );
  });

  it('folds connections to one peer only when there are many', () => {
    const scene = new Scene();
    const child = scene.spawn(scene.root, 'crawler');
    for (let i = 0; i < 100; i++) scene.traffic(child, scene.connect(child, '203.0.113.7'), 10, 20, true);
    const all = scene.end().kind('network');
    assert.deepEqual(
      all.map((one) => one.count).sort((a, b) => a - b),
      [1, 1, 1, 1, 1, 1, 1, 1, 92],
    );
    assert.equal(
      all.reduce((sum, one) => sum + Number(one.bytes_sent), 0),
      1000,
    );
  });

  it("puts an agent's own connection under the tool call that names the host", () => {
    const scene = new Scene();
    const call = scene.ask(scene.root, { messages: [user('x')] });
    scene.answer(call, '', [
      ['a', 'fetch', { url: 'https://docs.example.org/x' }],
      ['b', 'fetch', { url: 'https://b.example' }],
    ]);
    const socket_id = scene.connect(scene.root, '203.0.113.9');
    const base = scene.base(scene.root);
    const name = 'docs.example.org';
    scene.push({ ...base, kind: 'net_name', socket_id, source: 'sni', name, addresses: [], error_type: undefined });
    const all = scene.end();
    assert.equal(all.network('203.0.113.9').parent_id, all.kind('execute_tool')[0]?.id);
  });

  it('replaces a connection that was found by the one that is used', () => {
    const scene = new Scene();
    scene.connect(scene.root, '10.0.0.1', 80, { inherited: true, fd: 9 });
    scene.connect(scene.root, '10.0.0.2', 80, { inherited: true, fd: 10 });
    scene.traffic(scene.root, scene.connect(scene.root, '10.0.0.1', 80, { inherited: true, fd: 9 }));
    const all = scene.end();
    assert.deepEqual([all.kind('network').length, all.network('10.0.0.1').count], [1, 1]);
  });

  it('says how a connection failed', () => {
    const scene = new Scene();
    scene.connect(scene.spawn(scene.root, 'curl'), '10.0.0.9', 80, { errno: 111 });
    assert.equal(scene.end().network('10.0.0.9').error_type, 'ECONNREFUSED');
  });

  it('tells a connection that fails after it was asked for once, as failed', () => {
    const scene = new Scene();
    const socket_id = scene.connect(scene.root, '10.0.0.9', 80);
    scene.connect(scene.root, '10.0.0.9', 80, { errno: 125, socket_id });
    assert.equal(scene.end().network('10.0.0.9').error_type, 'ECANCELED');
  });
});

describe('processes', () => {
  it('hangs what a command starts under the command', () => {
    const scene = new Scene();
    scene.answer(scene.ask(scene.root, { messages: [user('x')] }), '', [['a', 'shell', { command: 'make all' }]]);
    const shell = scene.spawn(scene.root, 'sh', '-c', 'make all');
    const make = scene.spawn(shell, 'make', 'all');
    const clone = scene.fork(make);
    const cc = scene.spawn(clone, 'cc', 'a.c');
    for (const one of [cc, clone, make, shell]) scene.exit(one);
    scene.wait(1000);
    const all = scene.end();
    assert.deepEqual(
      [cc, clone, make].map((one) => all.process(one).parent_id),
      [clone, make, shell].map((one) => all.process(one).id),
    );
    assert.equal(all.kind('execute_tool')[0]?.executable?.name, 'make');
  });

  it('shows what a shell ran apart from the program that it becomes', () => {
    const scene = new Scene();
    const shell = scene.spawn(scene.root, 'bash', '-c', 'make; exec /bin/ls -l src');
    scene.exit(scene.spawn(shell, 'make'));
    scene.exec(shell, 'ls', '-l', 'src');
    const entry = scene.spawn(scene.root, 'bash', '-c', 'setup; exec "$@"', 'bash', 'server');
    scene.exit(scene.spawn(entry, 'setup'));
    scene.exec(entry, 'server');
    const all = scene.end();
    for (const [{ key }, first, then] of [
      [shell, 'make', 'ls'],
      [entry, 'setup', 'server'],
    ] as const) {
      const [bash, program] = all.kind('process').filter(({ process }) => process === key);
      assert.deepEqual([bash?.args[0], program?.args[0], program?.parent_id], ['bash', then, bash?.id]);
      assert.equal(all.process(first).parent_id, bash?.id);
    }
  });

  it('keeps what goes to the model itself out of tool calls that name the same host', () => {
    const scene = new Scene();
    const first = scene.connect(scene.root, '127.0.0.1', 8443);
    const call = scene.ask(scene.root, { messages: [user('x')], socket_id: first });
    scene.answer(call, '', [['a', 'shell', { command: 'curl https://localhost:8443/ https://localhost:9000/' }]]);
    const second = scene.connect(scene.root, '127.0.0.1', 8443);
    scene.connect(scene.root, '127.0.0.1', 9000);
    scene.traffic(scene.root, second);
    const all = scene.end();
    const parents = all.kind('network').map(({ peer, parent_id }) => [peer.port, parent_id]);
    const [tool] = all.kind('execute_tool');
    assert.deepEqual(
      parents.filter(([port]) => port === 8443).map(([, parent_id]) => parent_id),
      [all.agent().id, all.agent().id],
    );
    assert.deepEqual(
      parents.filter(([port]) => port === 9000).map(([, parent_id]) => parent_id),
      [tool?.id],
    );
  });

  it('ignores what nobody watches', () => {
    const scene = new Scene();
    const stranger = { key: '7:1', pid: 7 } as const;
    scene.exec(stranger, 'vi');
    scene.read(stranger, '/work/app/a');
    scene.answer(scene.ask(stranger, { messages: [user('x')] }), 'ok');
    const all = scene.end();
    assert.deepEqual(
      all.all.map(({ kind }) => kind),
      ['process'],
    );
    assert.equal(scene.counters.get('correlate.call_of_nobody'), 2);
  });

  it('knows a command that runs before the response that asks for it has ended', () => {
    const scene = new Scene();
    const call = scene.ask(scene.root, { messages: [user('x')] });
    const complete_ns = scene.step();
    const early = scene.spawn(scene.root, 'npm', 'test');
    const tool = { id: 'a', name: 'shell', arguments: { command: 'npm test' }, complete_ns };
    scene.answer(call, '', [], { tool_calls: [tool] });
    const all = scene.end();
    assert.equal(all.process(early).parent_id, all.kind('execute_tool')[0]?.id);
  });
});
