import assert from 'node:assert/strict';

const GROWTH = 8;
/** Between 8, which is linear, and 64, which is quadratic. */
const ALLOWED_GROWTH = 40;
/** What is less cannot be told from the noise of a machine. */
const FLOOR_US = 5000;
const ATTEMPTS = 3;

function cpuOf(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** Fails where eight times the input takes much more than eight times the work. `run` is given how many units to read. */
export function assertLinear(units: number, run: (units: number) => void): void {
  const ratios: number[] = [];
  run(units);
  while (ratios.length < ATTEMPTS && !ratios.some((ratio) => ratio < ALLOWED_GROWTH)) {
    const once = Math.max(
      FLOOR_US,
      cpuOf(() => run(units)),
    );
    ratios.push(cpuOf(() => run(units * GROWTH)) / once);
  }
  assert.ok(Math.min(...ratios) < ALLOWED_GROWTH, `${GROWTH} times as much takes ${ratios.join(', ')} times as long`);
}
