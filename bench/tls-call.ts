/**
 * What a TLS write and read of 1 KiB costs a process: without probes, with them while nobody watches it, and while it is
 * watched; and the same with probes put plainly on SSL_read and SSL_write. Needs root, clang and a shared OpenSSL 3.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs, { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadProbes, type Probes } from '../src/kernel/loader.ts';
import { createRing } from '../src/kernel/ring.ts';
import type { TlsLibrary } from '../src/model/tls-library.ts';
import { readElf } from '../src/targets/elf.ts';
import { findFunctions } from '../src/targets/elf-symbols.ts';
import { locateTls } from '../src/targets/locate-tls.ts';
import { createCertificate } from '../test/mock-llm/certificate.ts';
import { describe, median } from './figures.ts';

const ROUNDS = 15;
const CALLS = 2000;
/** A probe's coming and going is not over when the call that asks for it is. */
const SETTLE_MS = 150;

const folder = mkdtempSync(join(tmpdir(), 'undersight-bench-'));
const program = join(folder, 'tls-call');
const certificate = createCertificate(folder);
writeFileSync(join(folder, 'cert.pem'), certificate.cert);
writeFileSync(join(folder, 'key.pem'), certificate.key);
const source = join(import.meta.dirname, 'tls-call.c');
execFileSync('clang', ['-O2', '-o', program, source, '-l:libssl.so.3', '-l:libcrypto.so.3']);

const watched = await startClient();
const stranger = await startClient();
const file = await libraryOf(stranger.pid);
const chosen = locateTls(file);
assert.ok(chosen, `${file} has no functions to probe`);
const plain = plainly(chosen);

const ours = load(true);
const naive = load(false);
const states: Record<string, number[]> = {};
for (let round = 0; round < ROUNDS; round++) {
  await measure('bare', stranger);
  for (const [name, probes, library] of [
    ['', ours, chosen],
    ['plain ', naive, plain],
  ] as const) {
    assert.equal(probes.attachTls(library), 'attached');
    await sleep(SETTLE_MS);
    await measure(`${name}unwatched`, stranger);
    await measure(`${name}watched`, watched);
    probes.detachTls(library);
    await sleep(SETTLE_MS);
  }
}
for (const one of [watched, stranger]) one.end();
await Promise.all([ours.close(), naive.close()]);
rmSync(folder, { recursive: true });

const bare = median(states.bare ?? []);
console.log(`SSL_write and SSL_read of 1 KiB (${ROUNDS} rounds of ${CALLS}, medians):`);
for (const [name, values] of Object.entries(states)) {
  const added = (median(values) - bare) / 2;
  console.log(`  ${name.padEnd(16)} ${describe(values)} ns a pair, ${Math.round(added)} ns added a call`);
}
console.log(
  JSON.stringify({
    bench: 'tls-call',
    rounds: ROUNDS,
    pair_ns: Object.fromEntries(Object.entries(states).map(([name, values]) => [name, Math.round(median(values))])),
    ratio: Object.fromEntries(
      Object.entries(states).map(([name, values]) => [name, Number((median(values) / bare).toFixed(2))]),
    ),
  }),
);

function load(uprobe_session: boolean): Probes & { drain(): void } {
  const probes = loadProbes({
    object_path: join(import.meta.dirname, '../bpf/undersight.bpf.o'),
    ring_bytes: 1 << 26,
    watch_all_execs: false,
    discover_by_traffic: true,
    ...(uprobe_session ? {} : { uprobe_session }),
  });
  const ring = createRing(probes.ring_fd, probes.ring_bytes, () => {});
  probes.watch(watched.pid, 0n);
  return {
    ...probes,
    drain: () => ring.drain(),
    close: () => {
      ring.close();
      return probes.close();
    },
  };
}

interface Client {
  readonly pid: number;
  run(calls: number): Promise<number>;
  end(): void;
}

async function startClient(): Promise<Client> {
  const child = spawn(program, [join(folder, 'cert.pem'), join(folder, 'key.pem')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const run = async (calls: number) => {
    child.stdin.write(`${calls}\n`);
    const { value, done } = await lines.next();
    assert.ok(!done, 'the client ended early');
    return Number(value);
  };
  await run(CALLS);
  return { pid: child.pid ?? 0, run, end: () => child.stdin.end() };
}

async function measure(name: string, client: Client): Promise<void> {
  const ns = await client.run(CALLS);
  const values = states[name] ?? [];
  values.push(ns / CALLS);
  states[name] = values;
  ours.drain();
  naive.drain();
}

async function libraryOf(pid: number): Promise<string> {
  const maps = fs.readFileSync(`/proc/${pid}/maps`, 'utf8');
  const [found] = maps.match(/\S*\/libssl\S*/) ?? [];
  assert.ok(found, 'no libssl is mapped');
  return found;
}

/** Probes on SSL_read and SSL_write themselves, where they begin. */
function plainly(library: TlsLibrary): TlsLibrary {
  const fd = fs.openSync(library.path, 'r');
  try {
    const elf = readElf(fd);
    assert.ok(elf);
    const found = findFunctions(elf, ['SSL_read', 'SSL_write'] as const);
    return { ...library, functions: [...found].map(([name, file_offset]) => ({ name, file_offset })) };
  } finally {
    fs.closeSync(fd);
  }
}
