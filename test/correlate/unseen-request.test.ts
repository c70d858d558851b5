import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { result, Scene, user } from './scene.ts';

const UNSEEN = { messages: [], request: { tools: [], model: undefined } };

describe('a call whose request was not seen', () => {
  it('has the tools that it asked for below it, and the request that answers them belongs to its turn', () => {
    const scene = new Scene();
    const first = scene.ask(scene.root, UNSEEN);
    const said = scene.answer(first, '', [['a', 'shell', { command: 'cat notes.txt' }]]);
    const child = scene.spawn(scene.root, 'cat', 'notes.txt');
    scene.exit(child);
    const messages = [user('go'), said, result('a', 'remember')];
    scene.answer(scene.ask(scene.root, { messages }), 'done');
    scene.exit(scene.root);
    const all = scene.end();
    assert.equal(all.agent().llm_call_count, 2);
    const [tool] = all.kind('execute_tool');
    assert.equal(tool?.result, 'remember');
    assert.equal(tool.parent_id, all.kind('chat')[0]?.id);
    assert.deepEqual(all.agent().input?.request.messages, messages, 'what is known of it');
  });

  it('that is answered without tools ends its turn, as any other', () => {
    const scene = new Scene();
    const said = scene.answer(scene.ask(scene.root, UNSEEN), 'hello');
    const messages = [user('hi'), said, user('and now?')];
    scene.answer(scene.ask(scene.root, { messages }), 'bye');
    scene.exit(scene.root);
    assert.deepEqual(
      scene
        .end()
        .kind('invoke_agent')
        .map(({ llm_call_count }) => llm_call_count),
      [1, 1],
    );
  });
});
