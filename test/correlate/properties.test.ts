import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { LlmCall, Message } from '../../src/model/llm-call.ts';
import type { McpCall } from '../../src/model/mcp-call.ts';
import type { Actor } from './activities.ts';
import { answerMcp, sendMcp } from './mcp-scene.ts';
import { result, Scene, type Tool, user } from './scene.ts';

const STEPS = [
  'spawn',
  'fork',
  'exec',
  'exit',
  'file',
  'traffic',
  'connect',
  'ask',
  'answer',
  'fail',
  'mcp',
  'mcp_answer',
  'wait',
  'idle',
  'dns',
  'loss',
] as const;
const steps = fc.array(fc.tuple(fc.constantFrom(...STEPS), fc.nat(40), fc.nat(9)), { maxLength: 120 });
type Step = readonly [what: (typeof STEPS)[number], who: number, how: number];

/** Lets random processes do random things; gives what came out, and who has run. */
function play(story: readonly Step[]) {
  const scene = new Scene({ max_files_per_process: 4, max_files_per_turn: 8 });
  const alive: Actor[] = [scene.root];
  const started = new Set<string>();
  const sockets = new Map<Actor, bigint>();
  const files = new Map<Actor, bigint>();
  const pending: LlmCall[] = [];
  const mcp_pending: McpCall[] = [];
  const mcp_sent = new Set<string>();
  let tools = 0;
  let histories: (readonly Message[])[] = [];
  for (const [what, who, how] of story) {
    const actor = alive[who % alive.length];
    if (actor === undefined) break;
    switch (what) {
      case 'spawn':
      case 'fork': {
        const child = scene.fork(actor);
        started.add(child.key);
        if (what === 'spawn') scene.exec(child, 'tool', `x${how}.js`);
        alive.push(child);
        break;
      }
      case 'exec':
        scene.exec(actor, 'other', `x${how}.js`);
        break;
      case 'exit':
        if (actor === scene.root && how < 8) break;
        scene.exit(actor, how);
        alive.splice(alive.indexOf(actor), 1);
        break;
      case 'file':
        files.set(actor, scene.open(actor, `/work/app/x${how}.js`));
        break;
      case 'traffic':
        scene.traffic(actor, sockets.get(actor) ?? 0n, how, how, how === 9);
        scene.io(actor, files.get(actor) ?? 0n, { read: how, closed: how > 6 });
        break;
      case 'connect':
        sockets.set(actor, scene.connect(actor, `10.0.0.${how}`));
        break;
      case 'ask': {
        const history = how < 3 ? [] : (histories[who % Math.max(1, histories.length)] ?? []);
        const open = history.at(-1)?.parts.flatMap((part) => (part.type === 'tool_call' ? (part.id ?? []) : [])) ?? [];
        const messages = [...history, ...(open.length > 0 ? open.map((id) => result(id)) : [user(`say ${how}`)])];
        pending.push(scene.ask(actor, { messages, socket_id: sockets.get(actor) ?? 0n }));
        break;
      }
      case 'answer': {
        const call = pending.shift();
        if (call === undefined) break;
        const asked = Array.from(
          { length: how % 3 },
          (): Tool => [`t${++tools}`, 'shell', { command: `tool x${how}.js` }],
        );
        histories = [...histories, [...call.request.messages, scene.answer(call, 'so', asked)]].slice(-8);
        break;
      }
      case 'fail': {
        const call = pending.shift();
        if (call !== undefined) scene.fail(call);
        break;
      }
      case 'mcp': {
        const server = alive[how % alive.length];
        const method = ['tools/call', 'tools/call', 'resources/read', 'tools/list', 'initialize'][how % 5] as string;
        const sender = how === 7 ? 'server' : 'client';
        const sent = {
          tool_name: 'shell',
          arguments: { command: `tool x${how}.js` },
          socket_id: sockets.get(actor) ?? 0n,
        };
        const transport = how % 2 === 0 ? 'pipe' : 'tcp';
        const call = sendMcp(scene, actor, server, { method, sender, transport, dialogue_id: `d${how % 3}`, ...sent });
        mcp_pending.push(call);
        mcp_sent.add(call.call_id);
        break;
      }
      case 'mcp_answer': {
        const call = mcp_pending.splice(who % Math.max(1, mcp_pending.length), 1)[0];
        if (call !== undefined) answerMcp(scene, call);
        break;
      }
      case 'wait':
        scene.wait(how * 200);
        break;
      case 'idle':
        scene.wait(40_000);
        break;
      case 'dns':
        scene.push({
          ...scene.base(actor),
          kind: 'net_name',
          socket_id: sockets.get(actor) ?? 0n,
          source: how > 5 ? 'sni' : 'dns',
          name: `host${how}.example`,
          addresses: [`10.0.0.${how}`],
          error_type: undefined,
        });
        break;
      case 'loss':
        scene.push({ ...scene.base(actor), kind: 'loss', reason: 'ring_full', count: 1 });
        break;
    }
  }
  return { activities: scene.end().all, started, mcp_sent, counters: scene.counters };
}

describe('whatever happens', () => {
  it('gives whole traces, in which every process is, once per turn', () => {
    fc.assert(
      fc.property(steps, (story) => {
        const { activities, started, mcp_sent, counters } = play(story);
        const told = new Set(activities.flatMap((one) => (one.kind === 'process' ? one.process : [])));
        for (const key of started) assert.ok(told.has(key as `${number}:${bigint}`), `${key} is told`);
        // The programs of one process are apart by their ids, which name the turn that they began in.
        const open = activities.flatMap(({ kind, turn_id, id }) =>
          kind === 'process' ? `${turn_id} ${id.split('/process/')[1] ?? id}` : [],
        );
        assert.equal(new Set(open).size, open.length);
        const calls = activities.flatMap((one) =>
          one.kind === 'mcp' ? one.call.call_id : one.kind === 'execute_tool' ? (one.mcp?.call_id ?? []) : [],
        );
        assert.equal(new Set(calls).size, calls.length, 'a call of an MCP server is told once');
        const untold = mcp_sent.size - calls.length;
        assert.ok(untold <= counters.get('correlate.mcp_call_of_nobody'), 'none is left out that is not counted');
      }),
      { numRuns: 400 },
    );
  });

  it('tells the same of the same', () => {
    fc.assert(
      fc.property(steps, (story) => {
        assert.deepEqual(play(story).activities, play(story).activities);
      }),
      { numRuns: 50 },
    );
  });
});
