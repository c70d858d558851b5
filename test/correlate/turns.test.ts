import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { result, Scene, user } from './scene.ts';

describe('turns', () => {
  it('begins another turn with the next prompt of a conversation', () => {
    const scene = new Scene();
    const messages = [user('one')];
    const said = scene.answer(scene.ask(scene.root, { messages }), 'first');
    scene.answer(scene.ask(scene.root, { messages: [...messages, said, user('two')] }), 'second');
    const agents = scene.end().kind('invoke_agent');
    assert.equal(agents.length, 2);
    assert.notEqual(agents[0]?.turn_id, agents[1]?.turn_id);
  });

  it('goes on with a turn when its session asked something aside before', () => {
    const scene = new Scene();
    const session = { conversation_id: 's', conversation_is_session: true };
    scene.answer(scene.ask(scene.root, { messages: [user('a title for it?')], request: session }), 'a title');
    scene.answer(scene.ask(scene.root, { messages: [user('do it')], request: session }), 'done');
    const [agent, ...others] = scene.end().kind('invoke_agent');
    assert.deepEqual(others, []);
    assert.equal(agent?.conversation_id, 's');
  });

  it('begins another turn with the next prompt of a conversation that the server keeps', () => {
    const scene = new Scene();
    const request = { conversation_id: 'c' };
    scene.answer(scene.ask(scene.root, { messages: [user('one')], request }), 'first');
    scene.answer(scene.ask(scene.root, { messages: [user('two')], request }), 'second');
    assert.equal(scene.end().kind('invoke_agent').length, 2);
  });

  it('ends a turn that is idle', () => {
    const scene = new Scene();
    scene.answer(scene.ask(scene.root, { messages: [user('one')] }), 'first');
    scene.wait(29_000);
    assert.equal(
      scene.activities.some(({ kind }) => kind === 'invoke_agent'),
      false,
    );
    scene.wait(2_000);
    assert.equal(
      scene.activities.some(({ kind }) => kind === 'invoke_agent'),
      true,
    );
    scene.end();
  });

  it('takes a job that outlives its turn on into the next one', () => {
    const scene = new Scene();
    const messages = [user('serve')];
    const said = scene.answer(scene.ask(scene.root, { messages }), '', [['a', 'shell', { command: 'node server.js' }]]);
    const job = scene.spawn(scene.root, 'node', 'server.js');
    const more = [...messages, said, result('a')];
    const done = scene.answer(scene.ask(scene.root, { messages: more }), 'runs');
    scene.ask(scene.root, { messages: [...more, done, user('next')] });
    scene.read(job, '/work/app/data.json');
    scene.exit(job);
    const all = scene.end();
    const [first, second] = all.kind('process');
    assert.equal(first?.open, true);
    assert.equal(second?.continues, first?.id);
    assert.equal(second?.open, false);
    assert.notEqual(first?.turn_id, second?.turn_id);
    assert.equal(all.file('/work/app/data.json').parent_id, second?.id);
  });

  it('makes the launched process the root of a run without any call', () => {
    const scene = new Scene();
    const child = scene.spawn(scene.root, 'ls');
    scene.read(scene.root, '/work/app/x');
    scene.exit(child);
    scene.exit(scene.root, 3);
    const all = scene.end();
    assert.equal(all.kind('invoke_agent').length, 0);
    const root = all.process(scene.root);
    assert.equal(root.parent_id, undefined);
    assert.equal(root.exit_code, 3);
    assert.equal(all.process(child).parent_id, root.id);
    assert.equal(all.file('/work/app/x').parent_id, root.id);
  });

  it('ends a turn with an error when its agent is killed mid-stream', () => {
    const scene = new Scene();
    const call = scene.ask(scene.root, { messages: [user('x')] });
    scene.fail(call);
    scene.exit(scene.root, 0, 9);
    const all = scene.end();
    assert.equal(all.agent().error_type, 'disconnected');
    assert.equal(all.kind('chat')[0]?.call.error?.type, 'disconnected');
  });

  it('shows wrappers and the caller under the turn, and what was before the first call, too', () => {
    const scene = new Scene({}, ['bash', '-c', 'python agent.py']);
    const python = scene.spawn(scene.root, 'python', 'agent.py');
    const early = scene.spawn(python, 'uname', '-p');
    scene.exit(early);
    scene.wait(1000);
    scene.read(python, '/work/app/config.toml');
    const prompt = user('x');
    const said = scene.answer(scene.ask(python, { messages: [prompt] }), '', [['a', 'shell', { command: 'ls src' }]]);
    const tool = scene.spawn(python, 'ls', 'src');
    scene.exit(tool);
    scene.answer(scene.ask(python, { messages: [prompt, said, result('a')] }), 'done');
    scene.exit(python);
    scene.exit(scene.root);
    const all = scene.end();
    const agent = all.agent();
    assert.equal(all.process(python).parent_id, agent.id);
    assert.equal(all.process(early).parent_id, agent.id);
    assert.equal(all.file('/work/app/config.toml').parent_id, agent.id);
    assert.equal(all.process(tool).parent_id, all.kind('execute_tool')[0]?.id);
    assert.ok(agent.start_ns <= all.process(early).start_ns);
  });

  it('nests the turn of an agent that an agent started', () => {
    const scene = new Scene();
    const call = scene.ask(scene.root, { messages: [user('x')] });
    scene.answer(call, '', [['a', 'shell', { command: 'python sub.py' }]]);
    const sub = scene.spawn(scene.root, 'python', 'sub.py');
    scene.answer(scene.ask(sub, { messages: [user('y')] }), '', [['b', 'shell', { command: 'make all' }]]);
    const make = scene.spawn(sub, 'make', 'all');
    scene.exit(make);
    scene.exit(sub);
    const all = scene.end();
    const [inner] = all.kind('invoke_agent').filter(({ parent_id }) => parent_id !== undefined);
    assert.equal(inner?.parent_id, all.process(sub).id);
    assert.equal(inner?.turn_id, all.agent().turn_id);
    assert.deepEqual([all.agent().agent.name, inner?.agent.name, inner?.agent.process], ['agent', 'sub', sub.key]);
    assert.equal(all.parentOf(all.process(make)).kind, 'execute_tool');
    assert.equal(all.parentOf(all.parentOf(all.process(make))).parent_id, inner?.id);
  });

  it('gives callers beside each other a turn each', () => {
    const scene = new Scene({}, ['bash', 'script.sh']);
    for (const name of ['one', 'two']) {
      const curl = scene.spawn(scene.root, 'curl', name);
      scene.answer(scene.ask(curl, { messages: [user(name)] }), 'yes');
      scene.exit(curl);
    }
    scene.exit(scene.root);
    const all = scene.end();
    assert.equal(all.kind('invoke_agent').length, 2);
    assert.notEqual(all.process('curl one').turn_id, all.process('curl two').turn_id);
  });

  it('keeps calls at the same time in one turn', () => {
    const scene = new Scene();
    const calls = ['a', 'b', 'c', 'd'].map((text) => scene.ask(scene.root, { messages: [user(text)] }));
    for (const call of calls) scene.answer(call, 'ok');
    assert.equal(scene.end().agent().llm_call_count, 4);
  });

  it('stays in a turn when a result comes with more words, whatever else was asked on the side', () => {
    const scene = new Scene();
    const prompt = user('do it');
    const title = scene.ask(scene.root, { messages: [prompt], request: { tools: [] } });
    const main = scene.ask(scene.root, { messages: [prompt] });
    scene.answer(title, 'A title');
    const said = scene.answer(main, '', [['a', 'shell', { command: 'ls' }]]);
    const topic = { messages: [user('is this a topic?')], request: { tools: [] } };
    scene.answer(scene.ask(scene.root, topic), 'yes');
    scene.answer(scene.ask(scene.root, { messages: [prompt, said, result('a'), user('a reminder')] }), 'done');
    const agent = scene.end().agent();
    assert.equal(agent.llm_call_count, 4);
    assert.equal(agent.input?.call_id, main.call_id);
    assert.deepEqual(agent.output?.response?.messages[0]?.parts, [{ type: 'text', content: 'done' }]);
  });

  it('follows a turn from one process to the next that goes on with its tool calls', () => {
    const scene = new Scene({}, ['bash', 'agent.sh']);
    const prompt = user('x');
    const first = scene.spawn(scene.root, 'curl', 'one');
    const said = scene.answer(scene.ask(first, { messages: [prompt] }), '', [['a', 'shell', { command: 'make all' }]]);
    scene.exit(first);
    const make = scene.spawn(scene.root, 'make', 'all');
    scene.exit(make);
    const second = scene.spawn(scene.root, 'curl', 'two');
    scene.answer(scene.ask(second, { messages: [prompt, said, result('a')] }), 'done');
    scene.exit(second);
    const all = scene.end();
    assert.equal(all.agent().llm_call_count, 2);
    assert.equal(all.process(make).parent_id, all.kind('execute_tool')[0]?.id);
  });

  it('joins the trace that the first request names', () => {
    const scene = new Scene();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const other = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203332-01';
    const early = scene.spawn(scene.root, 'ls');
    scene.exit(early);
    scene.wait(1000);
    scene.answer(scene.ask(scene.root, { messages: [user('x')], traceparent }), 'ok');
    scene.answer(scene.ask(scene.root, { messages: [user('y')], traceparent: other }), 'ok');
    const all = scene.end();
    for (const one of all.all) assert.equal(one.traceparent, traceparent);
    assert.deepEqual(
      all.kind('chat').map((chat) => chat.linked_traceparent),
      [undefined, other],
    );
  });

  it('marks what was open when records were lost', () => {
    const scene = new Scene();
    const before = scene.spawn(scene.root, 'ls');
    scene.exit(before);
    scene.wait(1000);
    const during = scene.spawn(scene.root, 'sleep', '9');
    scene.push({ ...scene.base(scene.root), kind: 'loss', reason: 'ring_full', count: 7 });
    const after = scene.spawn(scene.root, 'pwd');
    const all = scene.end();
    assert.deepEqual(
      [before, during, after].map((one) => all.process(one).lost_events),
      [0, 7, 0],
    );
  });

  it('tells callers apart that say the same', () => {
    const scene = new Scene({}, ['bash', 'script.sh']);
    for (const name of ['one', 'two']) {
      const curl = scene.spawn(scene.root, 'curl', name);
      scene.answer(scene.ask(curl, { messages: [user('same')] }), 'yes');
      scene.exit(curl);
    }
    const all = scene.end();
    assert.notEqual(all.process('curl one').turn_id, all.process('curl two').turn_id);
  });

  it('does not end the turn of an agent when what launched it exits', () => {
    const scene = new Scene({}, ['sh', '-c', 'agent &']);
    const agent = scene.spawn(scene.root, 'agent');
    const prompt = user('x');
    const said = scene.answer(scene.ask(agent, { messages: [prompt] }), '', [['a', 'shell', { command: 'ls src' }]]);
    scene.exit(scene.root);
    scene.wait(2000);
    scene.exit(scene.spawn(agent, 'ls', 'src'));
    scene.answer(scene.ask(agent, { messages: [prompt, said, result('a')] }), 'done');
    scene.exit(agent);
    scene.wait(2000);
    assert.ok(scene.activities.some(({ kind }) => kind === 'invoke_agent'));
    const all = scene.end();
    assert.equal(all.agent().llm_call_count, 2);
    assert.equal(all.process('ls src').parent_id, all.kind('execute_tool')[0]?.id);
  });

  it('does not let a turn begin with what happened long before it', () => {
    const scene = new Scene();
    const messages = [user('one')];
    const said = scene.answer(scene.ask(scene.root, { messages }), 'first');
    scene.wait(31_000);
    scene.read(scene.root, '/work/app/polled.json');
    scene.wait(31_000);
    scene.answer(scene.ask(scene.root, { messages: [...messages, said, user('two')] }), 'second');
    const all = scene.end();
    const between = all.parentOf(all.file('/work/app/polled.json'));
    assert.deepEqual([between.kind, between.parent_id, between.open], ['process', undefined, true]);
    const [, second] = all.kind('invoke_agent');
    assert.ok((second?.start_ns ?? 0n) > between.end_ns);
  });

  it('gives each request a turn of its own where one follows the other and nothing ties them, as in a service', () => {
    const scene = new Scene();
    for (let i = 0; i < 5; i++) scene.answer(scene.ask(scene.root, { messages: [user(`question ${i}`)] }), 'answer');
    const [first, ...others] = scene.end().kind('invoke_agent');
    assert.equal(others.length, 4);
    assert.equal(first?.llm_call_count, 1);
  });

  it('ends a turn in which one request follows the other for ever', () => {
    const scene = new Scene();
    for (let i = 0; i < 40; i++) {
      const request = { operation: 'embeddings' } as const;
      scene.answer(scene.ask(scene.root, { messages: [user(`text ${i}`)], request }), '');
      scene.wait(10_000);
    }
    const counts = scene
      .end()
      .kind('invoke_agent')
      .map((agent) => agent.llm_call_count);
    assert.deepEqual(counts, [30, 10]);
  });

  it('gives up a tool call that is never answered, but not while something runs for it', () => {
    const scene = new Scene();
    const call = scene.ask(scene.root, { messages: [user('x')] });
    scene.answer(call, '', [['a', 'shell', { command: 'make world' }]]);
    const make = scene.spawn(scene.root, 'make', 'world');
    scene.wait(3_700_000);
    assert.ok(!scene.activities.some(({ kind }) => kind === 'execute_tool'));
    scene.exit(make);
    scene.wait(1000);
    scene.wait(31_000);
    assert.ok(scene.activities.some(({ kind }) => kind === 'invoke_agent'));
    assert.equal(scene.end().kind('execute_tool')[0]?.open, true);
  });
});
