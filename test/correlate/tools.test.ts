import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { result, Scene, user } from './scene.ts';

describe('what tool calls ask for', () => {
  it('tells two parallel calls of one executable apart, and marks what nobody asked for', () => {
    const scene = new Scene();
    const prompt = user('check both');
    const first = scene.ask(scene.root, { messages: [prompt] });
    const said = scene.answer(first, 'both', [
      ['a', 'shell', { command: 'exec node check.mjs orders.json' }],
      ['b', 'shell', { command: 'exec node check.mjs users.json' }],
    ]);
    const children = ['users.json', 'orders.json'].map((name) => {
      const child = scene.spawn(scene.root, '/bin/sh', '-c', `exec node check.mjs ${name}`);
      scene.exec(child, 'node', 'check.mjs', name);
      return { name, child };
    });
    const id = scene.spawn(scene.root, 'id', '-un');
    for (const { name, child } of children) {
      scene.read(child, `/work/app/${name}`);
      scene.connect(child, name === 'users.json' ? '10.0.0.1' : '10.0.0.2');
      scene.exit(child, name === 'users.json' ? 1 : 0);
    }
    scene.exit(id);
    const second = scene.ask(scene.root, { messages: [prompt, said, result('a', 'A'), result('b', 'B')] });
    scene.answer(second, 'fine');
    scene.exit(scene.root);
    const all = scene.end();

    const agent = all.agent();
    assert.deepEqual([agent.llm_call_count, agent.tool_call_count], [2, 2]);
    assert.deepEqual(agent.usage, { input_tokens: 20, output_tokens: 10 });
    const [chat, last_chat] = all.kind('chat');
    assert.equal(chat?.parent_id, agent.id);
    assert.equal(last_chat?.parent_id, agent.id);
    const tools = all.kind('execute_tool');
    assert.deepEqual(
      tools.map(({ tool, result, executable }) => [tool.id, result, executable?.name, executable?.exit_code]),
      [
        ['a', 'A', 'node', 0],
        ['b', 'B', 'node', 1],
      ],
    );
    for (const tool of tools) assert.equal(tool.parent_id, chat?.id);
    for (const [name, tool_id, address] of [
      ['orders.json', 'a', '10.0.0.2'],
      ['users.json', 'b', '10.0.0.1'],
    ] as const) {
      const process = all.process(`node check.mjs ${name}`);
      assert.equal(process.parent_id, tools.find(({ tool }) => tool.id === tool_id)?.id);
      assert.equal(process.correlation.requested, true);
      assert.ok(process.correlation.signals.includes('argument'));
      assert.equal(process.correlation.matched, `exec node check.mjs ${name}`);
      assert.equal(all.file(`/work/app/${name}`).parent_id, process.id);
      assert.equal(all.file(`/work/app/${name}`).operation, 'read');
      assert.equal(all.network(address).parent_id, process.id);
    }
    const unasked = all.process(id);
    assert.equal(unasked.parent_id, chat?.id);
    assert.equal(unasked.correlation.requested, false);
  });

  it('gives identical commands to one call each, in order', () => {
    const scene = new Scene();
    const call = scene.ask(scene.root, { messages: [user('twice')] });
    scene.answer(call, '', [
      ['a', 'shell', { command: 'npm test' }],
      ['b', 'shell', { command: 'npm test' }],
    ]);
    const first = scene.spawn(scene.root, 'sh', '-c', 'npm test');
    const second = scene.spawn(scene.root, 'sh', '-c', 'npm test');
    const all = scene.end();
    const [a, b] = all.kind('execute_tool');
    assert.deepEqual([all.process(first).parent_id, all.process(second).parent_id], [a?.id, b?.id]);
  });

  it('puts a file that the agent reads itself under the call that names it', () => {
    const scene = new Scene();
    const call = scene.ask(scene.root, { messages: [user('read')] });
    scene.answer(call, '', [
      ['a', 'read_file', { path: 'src/a.ts' }],
      ['b', 'read_file', { path: 'src/b.ts' }],
    ]);
    scene.read(scene.root, '/work/app/src/b.ts');
    scene.read(scene.root, '/work/app/agent.log');
    const all = scene.end();
    const [, b] = all.kind('execute_tool');
    assert.equal(all.file('/work/app/src/b.ts').parent_id, b?.id);
    assert.equal(all.file('/work/app/agent.log').parent_id, all.kind('chat')[0]?.id);
  });

  it('lets a single call that names no command explain what happens while it is open', () => {
    const scene = new Scene();
    const prompt = user('weather');
    const said = scene.answer(scene.ask(scene.root, { messages: [prompt] }), '', [['a', 'weather', { city: 'Paris' }]]);
    const during = scene.spawn(scene.root, 'weather-cli', '--now');
    scene.answer(scene.ask(scene.root, { messages: [prompt, said, result('a')] }), 'rain');
    scene.wait(600);
    const after = scene.spawn(scene.root, 'weather-cli', '--later');
    const all = scene.end();
    assert.deepEqual(all.process(during).correlation.signals, ['lineage', 'window']);
    assert.equal(all.process(during).parent_id, all.kind('execute_tool')[0]?.id);
    assert.equal(all.process(after).correlation.requested, false);
  });

  it('closes the window of a call without an id after a while', () => {
    const scene = new Scene();
    scene.answer(scene.ask(scene.root, { messages: [user('x')] }), '', [['', 'shell', { command: 'true' }]]);
    scene.wait(1000);
    const [tool] = scene.end().kind('execute_tool');
    assert.equal(tool?.open, false);
    assert.equal((tool?.end_ns ?? 0n) - (tool?.start_ns ?? 0n), 500_000_000n);
  });

  it('puts a wrapper under the call whose command it starts', () => {
    const scene = new Scene();
    scene.answer(scene.ask(scene.root, { messages: [user('x')] }), '', [
      ['a', 'shell', { command: 'pytest -q tests' }],
    ]);
    const sandbox = scene.spawn(scene.root, '/opt/agent/sandbox', '--policy', 'strict');
    const pytest = scene.spawn(sandbox, 'pytest', '-q', 'tests');
    const all = scene.end();
    const [tool] = all.kind('execute_tool');
    assert.equal(all.process(sandbox).parent_id, tool?.id);
    assert.equal(all.process(pytest).parent_id, all.process(sandbox).id);
    assert.equal(all.process(pytest).correlation.requested, true);
    assert.equal(tool?.executable?.name, 'pytest');
  });

  it('puts what a helper runs for a call under that call, though the helper is older', () => {
    const scene = new Scene();
    const shell = scene.spawn(scene.root, 'bash', '--noediting');
    const prompt = user('x');
    const said = scene.answer(scene.ask(scene.root, { messages: [prompt] }), '', [
      ['a', 'shell', { command: 'make build' }],
    ]);
    const make = scene.spawn(shell, 'make', 'build');
    scene.exit(make);
    const more = [prompt, said, result('a')];
    scene.answer(scene.ask(scene.root, { messages: more }), '', [['b', 'shell', { command: 'make check' }]]);
    const check = scene.spawn(shell, 'make', 'check');
    const all = scene.end();
    const [first, second] = all.kind('execute_tool');
    assert.deepEqual([all.process(make).parent_id, all.process(check).parent_id], [first?.id, second?.id]);
    assert.deepEqual(all.process(check).correlation.signals, ['window', 'argument']);
    assert.equal(all.process(shell).parent_id, all.agent().id);
  });

  it('names a tool after the command that its shell starts, and of several after the shell', () => {
    for (const [script, name] of [
      ['make "a; b" 2>&1 > log', 'make'],
      ['make a; make b', 'bash'],
      ['make a\nmake b', 'bash'],
      ['make | tee log', 'bash'],
      ['echo "$(make)"', 'bash'],
    ] as const) {
      const scene = new Scene();
      const call = scene.ask(scene.root, { messages: [user('x')] });
      scene.answer(call, '', [['a', 'bash', { command: script }]]);
      scene.spawn(scene.spawn(scene.root, 'bash', '-c', script), 'make');
      assert.equal(scene.end().kind('execute_tool')[0]?.executable?.name, name, script);
    }
  });

  it('shows the last command of a script, which the shell becomes, under the shell', () => {
    const scene = new Scene();
    const script = 'id -u; cat notes.txt';
    const call = scene.ask(scene.root, { messages: [user('x')] });
    scene.answer(call, '', [['a', 'bash', { command: script }]]);
    const shell = scene.spawn(scene.root, 'bash', '-c', script);
    const out = scene.open(shell, '/work/app/out.txt', { created: true });
    scene.exit(scene.spawn(shell, 'id', '-u'));
    scene.exec(shell, 'cat', 'notes.txt');
    const replaced_ns = scene.now_ns;
    scene.read(shell, '/work/app/notes.txt');
    scene.io(shell, out, { written: 5 });
    const below = scene.spawn(shell, 'less');
    scene.exit(below);
    scene.wait(1000);
    scene.exit(shell, 3);
    const all = scene.end();
    const bash = all.process(`bash -c ${script}`);
    const cat = all.process('cat notes.txt');
    const [tool] = all.kind('execute_tool');
    assert.equal(bash.parent_id, tool?.id);
    assert.deepEqual([bash.end_ns, bash.open, bash.exit_code], [replaced_ns, false, undefined]);
    assert.equal(all.process('id -u').parent_id, bash.id);
    assert.equal(cat.parent_id, bash.id);
    assert.deepEqual([cat.pid, cat.start_ns, cat.exit_code], [bash.pid, replaced_ns, 3]);
    assert.equal(cat.correlation.requested, true);
    assert.equal(all.file('/work/app/notes.txt').parent_id, cat.id);
    assert.equal(all.process(below).parent_id, cat.id);
    assert.equal(tool?.executable?.exit_code, 3);
    const outputs = all.kind('file').filter(({ path }) => path === '/work/app/out.txt');
    assert.deepEqual(
      outputs.map(({ parent_id, bytes_written }) => [parent_id, bytes_written]),
      [
        [bash.id, 0n],
        [cat.id, 5n],
      ],
    );
  });

  it('keeps what a shell starts under that shell when another answer ends', () => {
    const scene = new Scene();
    const prompt = user('x');
    const call = scene.ask(scene.root, { messages: [prompt] });
    const complete_ns = scene.step();
    const script = 'echo a | tee note.txt; cat note.txt';
    const shell = scene.spawn(scene.root, 'bash', '-c', script);
    const parts = [scene.spawn(shell, 'tee', 'note.txt'), scene.spawn(shell, 'cat', 'note.txt')];
    const said = scene.answer(call, '', [['a', 'bash', { command: script }]], { complete_ns });
    for (const part of parts) scene.exit(part);
    scene.exit(shell);
    const second = scene.ask(scene.root, { messages: [prompt, said, result('a')] });
    scene.wait(100);
    scene.answer(second, 'done');
    const all = scene.end();
    assert.equal(all.process(shell).parent_id, all.kind('execute_tool')[0]?.id);
    for (const part of parts) assert.equal(all.process(part).parent_id, all.process(shell).id);
  });

  it('puts what no call explains under the answer that came before it', () => {
    const scene = new Scene();
    const prompt = user('x');
    const said = scene.answer(scene.ask(scene.root, { messages: [prompt] }), '', [['a', 'shell', { command: 'true' }]]);
    const second = scene.ask(scene.root, { messages: [prompt, said, result('a')] });
    scene.wait(600);
    const during = scene.spawn(scene.root, 'notify', 'busy');
    scene.read(scene.root, '/work/app/state.json');
    scene.answer(second, 'done');
    scene.read(scene.root, '/work/app/history.json');
    const all = scene.end();
    const [first_chat, last_chat] = all.kind('chat');
    assert.equal(all.process(during).parent_id, first_chat?.id);
    assert.equal(all.file('/work/app/state.json').parent_id, all.agent().id);
    assert.equal(all.file('/work/app/history.json').parent_id, last_chat?.id);
  });

  it('explains what an agent ran before the answer that asked for it had ended', () => {
    const scene = new Scene();
    const call = scene.ask(scene.root, { messages: [user('x')] });
    const complete_ns = scene.step();
    const shell = scene.spawn(scene.root, '/bin/sh', '-c', 'make lint');
    const make = scene.spawn(shell, 'make', 'lint');
    scene.exit(make);
    scene.exit(shell);
    scene.wait(5000);
    scene.answer(call, 'and more', [['a', 'shell', { command: 'make lint' }]], { complete_ns });
    scene.wait(5000);
    const all = scene.end();
    const [tool] = all.kind('execute_tool');
    assert.equal(all.process(shell).parent_id, tool?.id);
    assert.deepEqual(
      [shell, make].map((one) => all.process(one).correlation.requested),
      [true, true],
    );
  });
});
