import assert from 'node:assert/strict';
import type {
  Activity,
  AgentActivity,
  FileActivity,
  NetworkActivity,
  ProcessActivity,
} from '../../src/model/activity.ts';
import type { ProcessKey } from '../../src/model/event.ts';

/** A process of a scene. */
export interface Actor {
  readonly key: ProcessKey;
  readonly pid: number;
}

/** What came out of a scene, for asking about it. */
export class Activities {
  readonly all: readonly Activity[];

  constructor(all: readonly Activity[]) {
    this.all = all;
  }

  kind<K extends Activity['kind']>(kind: K): Extract<Activity, { kind: K }>[] {
    return this.all.filter((one) => one.kind === kind) as Extract<Activity, { kind: K }>[];
  }

  agent(): AgentActivity {
    const [agent, ...more] = this.kind('invoke_agent').filter(({ parent_id }) => parent_id === undefined);
    assert.ok(agent, 'there is a turn');
    assert.equal(more.length, 0, 'there is one turn');
    return agent;
  }

  process(of: Actor | string): ProcessActivity {
    const found = this.kind('process').filter((one) =>
      typeof of === 'string' ? one.args.join(' ') === of : one.process === of.key,
    );
    assert.equal(found.length, 1, `one activity of ${typeof of === 'string' ? of : of.key}`);
    return found[0] as ProcessActivity;
  }

  file(path: string): FileActivity {
    const found = this.kind('file').filter((one) => one.path === path);
    assert.equal(found.length, 1, `one activity of ${path}`);
    return found[0] as FileActivity;
  }

  network(address: string): NetworkActivity {
    const found = this.kind('network').filter((one) => one.peer.address === address);
    assert.equal(found.length, 1, `one activity with ${address}`);
    return found[0] as NetworkActivity;
  }

  byId(id: string | undefined): Activity {
    const found = this.all.find((one) => one.id === id);
    assert.ok(found, `there is ${id}`);
    return found;
  }

  parentOf(one: Activity): Activity {
    return this.byId(one.parent_id);
  }
}

/** Ids name one activity each, parents are in the same turn, each turn has one root, nothing ends before it starts. */
export function assertWhole(all: readonly Activity[]): void {
  const by_id = new Map(all.map((one) => [one.id, one]));
  assert.equal(by_id.size, all.length, 'ids are unique');
  const roots = new Map<string, string>();
  const running = new Map<string, number>();
  for (const one of all) {
    assert.ok(one.end_ns >= one.start_ns, `${one.id} ends after it starts`);
    if (one.parent_id === undefined) {
      assert.ok(!roots.has(one.turn_id), `${one.turn_id} has one root`);
      roots.set(one.turn_id, one.id);
    } else assert.equal(by_id.get(one.parent_id)?.turn_id, one.turn_id, `the parent of ${one.id}, ${one.parent_id}`);
    if (one.continues !== undefined)
      assert.equal(by_id.get(one.continues)?.open, true, `${one.id} continues an open one`);
    if (one.kind === 'process' && !one.open && (one.exit_code ?? one.signal) !== undefined)
      running.set(one.process, (running.get(one.process) ?? 0) + 1);
  }
  for (const one of all) assert.ok(roots.has(one.turn_id), `${one.turn_id} has a root`);
  for (const [key, count] of running) assert.equal(count, 1, `${key} ends once`);
}
