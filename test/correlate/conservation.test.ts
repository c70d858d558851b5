import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Activity } from '../../src/model/activity.ts';
import type { LlmCall, Message } from '../../src/model/llm-call.ts';
import type { Activities, Actor } from './activities.ts';
import { result, Scene, user } from './scene.ts';

/** One thing that happens; `who` and `what` choose among what there is. */
interface Step {
  readonly does: (typeof DEEDS)[number];
  readonly who: number;
  readonly what: number;
}

const DEEDS = [
  ...['fork', 'spawn', 'exec', 'exit', 'read', 'open', 'close', 'connect', 'send', 'hang_up'],
  ...['ask', 'ask', 'go_on', 'answer', 'call_tools', 'fail', 'lose', 'wait', 'wait_long'],
] as const;
const PATHS = [
  '/work/app/a.ts',
  '/work/app/b.ts',
  '/home/ann/.ssh/id_rsa',
  '/usr/lib/libc.so.6',
  '/tmp/x',
  '/srv/data',
];
const ADDRESSES = ['127.0.0.1', '10.0.0.7', '93.184.216.34', '2606:2800::1'];
const COMMANDS = [['ls', 'src'], ['/bin/sh', '-c', 'npm test'], ['node', 'server.js'], ['id']];

/** What was done, to compare what is told with. */
interface Deeds {
  readonly all: Activities;
  readonly processes: ReadonlyMap<Actor, 'runs' | 'exited'>;
  readonly opened: ReadonlySet<string>;
  readonly bytes: { read: number; sent: number };
  readonly call_ids: ReadonlySet<string>;
  readonly tool_ids: ReadonlySet<string>;
}

function play(steps: readonly Step[]): Deeds {
  const scene = new Scene();
  const processes = new Map<Actor, 'runs' | 'exited'>([[scene.root, 'runs']]);
  const opened = new Set<string>();
  const bytes = { read: 0, sent: 0 };
  const files: { actor: Actor; id: bigint; path: string }[] = [];
  const sockets: { actor: Actor; id: bigint }[] = [];
  const asked: { call: LlmCall; actor: Actor; messages: readonly Message[] }[] = [];
  const answered: { actor: Actor; messages: readonly Message[]; tools: readonly string[] }[] = [];
  const call_ids = new Set<string>();
  const tool_ids = new Set<string>();
  const pick = <T>(from: readonly T[], choice: number): T | undefined => from[choice % from.length];
  const take = <T>(from: T[], choice: number): T | undefined => from.splice(choice % (from.length || 1), 1)[0];
  const running = () => [...processes].flatMap(([actor, state]) => (state === 'runs' ? actor : []));
  const ask = (actor: Actor, messages: readonly Message[]) => {
    const call = scene.ask(actor, { messages });
    call_ids.add(call.call_id);
    asked.push({ call, actor, messages });
  };

  for (const { does, who, what } of steps) {
    const actor = pick(running(), who);
    const command = pick(COMMANDS, what) as string[];
    switch (does) {
      case 'fork':
        if (actor) processes.set(scene.fork(actor), 'runs');
        break;
      case 'spawn':
        if (actor) processes.set(scene.spawn(actor, ...command), 'runs');
        break;
      case 'exec':
        if (actor) scene.exec(actor, ...command);
        break;
      case 'exit': {
        // The root lives longer than most, or nothing would be seen of the rest.
        const one = what % 3 === 0 ? actor : pick(running().slice(1), who);
        if (one === undefined) break;
        for (const { call } of takeAll(asked, (call) => call.actor === one)) scene.fail(call);
        takeAll(files, (file) => file.actor === one);
        takeAll(sockets, (socket) => socket.actor === one);
        processes.set(one, 'exited');
        scene.exit(one, what % 2);
        break;
      }
      case 'read':
      case 'open': {
        const path = pick(PATHS, what) as string;
        if (actor === undefined) break;
        const file = { actor, id: scene.open(actor, path), path };
        opened.add(path);
        if (does === 'open') files.push(file);
        else {
          scene.io(actor, file.id, { read: 10 });
          if (!path.includes('.so')) bytes.read += 10;
        }
        break;
      }
      case 'close': {
        const file = take(files, what);
        if (file === undefined) break;
        scene.io(file.actor, file.id, { read: 7 });
        if (!file.path.includes('.so')) bytes.read += 7;
        break;
      }
      case 'connect':
        if (actor) sockets.push({ actor, id: scene.connect(actor, pick(ADDRESSES, what) as string) });
        break;
      case 'send':
      case 'hang_up': {
        const socket = does === 'send' ? pick(sockets, what) : take(sockets, what);
        if (socket === undefined) break;
        scene.traffic(socket.actor, socket.id, 100, 0, does === 'hang_up');
        bytes.sent += 100;
        break;
      }
      case 'ask':
        if (actor) ask(actor, [user(`prompt ${what}`)]);
        break;
      case 'go_on': {
        const before = take(answered, what);
        if (before === undefined || processes.get(before.actor) !== 'runs') break;
        const more = before.tools.length > 0 ? before.tools.map((id) => result(id)) : [user(`more ${what}`)];
        ask(before.actor, [...before.messages, ...more]);
        break;
      }
      case 'answer':
      case 'call_tools': {
        const one = take(asked, what);
        if (one === undefined) break;
        const tools = does === 'answer' ? [] : [`${one.call.call_id}/a`, `${one.call.call_id}/b`].slice(what % 2);
        for (const id of tools) tool_ids.add(id);
        const command_line = command.join(' ');
        const said = scene.answer(
          one.call,
          'said',
          tools.map((id) => [id, 'shell', { command: command_line }]),
        );
        answered.push({ actor: one.actor, messages: [...one.messages, said], tools });
        break;
      }
      case 'fail': {
        const one = take(asked, what);
        if (one) scene.fail(one.call);
        break;
      }
      case 'lose':
        scene.push({ ...scene.base(scene.root), kind: 'loss', reason: 'ring_full', count: 1 });
        break;
      case 'wait':
        scene.wait(700);
        break;
      case 'wait_long':
        scene.wait(40_000);
    }
  }
  for (const { call } of asked) scene.fail(call);
  return { all: scene.end(), processes, opened, bytes, call_ids, tool_ids };
}

function takeAll<T>(from: T[], isWanted: (one: T) => boolean): T[] {
  const taken = from.filter(isWanted);
  from.splice(0, from.length, ...from.filter((one) => !isWanted(one)));
  return taken;
}

function sum(all: Activities, count: (one: Activity) => number): number {
  return all.all.reduce((total, one) => total + count(one), 0);
}

const steps = fc.array(
  fc.record({ does: fc.constantFrom(...DEEDS), who: fc.nat({ max: 20 }), what: fc.nat({ max: 20 }) }),
  { maxLength: 60, size: 'max' },
);

/** `end()` checks that ids are unique and that parents are in the same turn. */
describe('whatever an agent does', () => {
  const holds = (name: string, check: (deeds: Deeds) => void) =>
    it(name, () =>
      fc.assert(
        fc.property(steps, (story) => check(play(story))),
        { numRuns: 200 },
      ),
    );

  holds('each program of each process but the root has one activity that ends, or runs on', ({ all, processes }) => {
    for (const [actor, state] of [...processes].slice(1)) {
      const own = all.kind('process').filter((one) => one.process === actor.key);
      assert.ok(own.length > 0, `${actor.key} is told`);
      const programs = [...Map.groupBy(own, ({ id }) => id.split('/process/')[1]).values()];
      for (const [number, pieces] of programs.entries()) {
        const runs = state === 'runs' && number === programs.length - 1;
        assert.deepEqual(
          pieces.map((one) => one.open),
          pieces.map((_, index) => index < pieces.length - 1 || runs),
          `${actor.key} ${state}`,
        );
        for (const [index, one] of pieces.entries()) {
          assert.equal(one.continues, pieces[index - 1]?.id, 'pieces are in a row');
        }
      }
    }
  });

  holds('each path is told, or counted', ({ all, opened }) => {
    const told = new Set(all.kind('file').map((one) => one.path));
    const folded = sum(all, (one) => ('noise_file_count' in one ? one.noise_file_count : 0));
    for (const path of opened) assert.ok(told.has(path) || folded > 0, path);
  });

  holds('each byte is told once', ({ all, bytes }) => {
    assert.equal(
      sum(all, (one) => (one.kind === 'file' ? Number(one.bytes_read) : 0)),
      bytes.read,
    );
    assert.equal(
      sum(all, (one) => (one.kind === 'network' ? Number(one.bytes_sent) : 0)),
      bytes.sent,
    );
  });

  holds('each call and each tool call is told once', ({ all, call_ids, tool_ids }) => {
    const ended = all.kind('chat').filter((one) => !one.open);
    assert.deepEqual(ended.map((one) => one.call.call_id).sort(), [...call_ids].sort());
    assert.deepEqual(
      all
        .kind('execute_tool')
        .map((one) => one.tool.id)
        .sort(),
      [...tool_ids].sort(),
    );
  });

  it('the same events give the same activities', () =>
    fc.assert(
      fc.property(steps, (story) => assert.deepEqual(play(story).all.all, play(story).all.all)),
      { numRuns: 30 },
    ));
});
