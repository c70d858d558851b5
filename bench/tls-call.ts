/**
 * What a TLS write and read costs a process: without probes, with them while nobody watches it, and while it is watched; and
 * the same with probes put plainly on SSL_read and SSL_write. What is written matters to whoever is not watched: a GET of 1 KiB
 * is no request to a model at first sight, a POST and an HTTP/2 HEADERS frame are looked at more closely. Needs root, clang and
 * a shared OpenSSL 3.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs, { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

const KINDS = ['get', 'post', 'http2'] as const;
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
// A file of our own: probes that others have put on the system's do not count.
copyFileSync(libraryOf(execFileSync('ldd', [program], { encoding: 'utf8' })), join(folder, 'libssl.so.3'));

const watched = await startClient();
const stranger = await startClient();
const file = libraryOf(mapsOf(stranger.pid));
const chosen = locateTls(file);
assert.ok(chosen, `${file} has no functions to probe`);
const plain = plainly(chosen);

const ours = load(true);
const naive = load(false);
/** Nanoseconds of a pair, by kind, then by state. */
const states = Object.fromEntries(KINDS.map((kind) => [kind, {} as Record<string, number[]>]));
for (let round = 0; round < ROUNDS; round++) {
  assertUntouched(stranger.pid, chosen, plain);
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

console.log(`SSL_write and SSL_read (${ROUNDS} rounds of ${CALLS}, medians):`);
for (const kind of KINDS) {
  const bare = median(states[kind]?.bare ?? []);
  for (const [name, values] of Object.entries(states[kind] ?? {})) {
    const added = Math.round((median(values) - bare) / 2);
    console.log(`  ${kind.padEnd(6)} ${name.padEnd(16)} ${describe(values)} ns a pair, ${added} ns added a call`);
  }
}
const figures = (figure: (values: readonly number[], bare: number) => number) =>
  Object.fromEntries(
    KINDS.map((kind) => {
      const bare = median(states[kind]?.bare ?? []);
      return [
        kind,
        Object.fromEntries(Object.entries(states[kind] ?? {}).map(([name, values]) => [name, figure(values, bare)])),
      ];
    }),
  );
console.log(
  JSON.stringify({
    bench: 'tls-call',
    rounds: ROUNDS,
    pair_ns: figures((values) => Math.round(median(values))),
    added_ns: figures((values, bare) => Math.round((median(values) - bare) / 2)),
    ratio: figures((values, bare) => Number((median(values) / bare).toFixed(2))),
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
  /** Nanoseconds that so many pairs took. */
  run(kind: (typeof KINDS)[number], calls: number): Promise<number>;
  end(): void;
}

async function startClient(): Promise<Client> {
  const child = spawn(program, [join(folder, 'cert.pem'), join(folder, 'key.pem')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, LD_LIBRARY_PATH: folder },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const run: Client['run'] = async (kind, calls) => {
    child.stdin.write(`${KINDS.indexOf(kind)} ${calls}\n`);
    const { value, done } = await lines.next();
    assert.ok(!done, 'the client ended early');
    return Number(value);
  };
  await run('get', CALLS);
  return { pid: child.pid ?? 0, run, end: () => child.stdin.end() };
}

async function measure(name: string, client: Client): Promise<void> {
  for (const kind of KINDS) {
    const ns = await client.run(kind, CALLS);
    const of = states[kind] ?? {};
    states[kind] = of;
    of[name] = [...(of[name] ?? []), ns / CALLS];
    ours.drain();
    naive.drain();
  }
}

function mapsOf(pid: number): string {
  return fs.readFileSync(`/proc/${pid}/maps`, 'utf8');
}

function libraryOf(text: string): string {
  const [found] = text.match(/\/\S*\/libssl\S*/) ?? [];
  assert.ok(found, 'no libssl is mapped');
  return found;
}

/** Throws when somebody else's probes sit where ours will: bare would not be bare. A probe is an instruction of another kind. */
function assertUntouched(pid: number, ...libraries: readonly TlsLibrary[]): void {
  const [memory, code] = [Buffer.alloc(1), Buffer.alloc(1)];
  for (const { path, functions } of libraries) {
    const [start = 0, from = 0] =
      mapsOf(pid)
        .split('\n')
        .find((line) => line.includes(' r-xp ') && line.endsWith(path))
        ?.match(/^(\w+)-\w+ \S+ (\w+)/)
        ?.slice(1)
        .map((hex) => Number.parseInt(hex, 16)) ?? [];
    const [process_fd, file_fd] = [fs.openSync(`/proc/${pid}/mem`, 'r'), fs.openSync(path, 'r')];
    for (const { name, file_offset } of functions) {
      fs.readSync(process_fd, memory, 0, 1, start + Number(file_offset) - from);
      fs.readSync(file_fd, code, 0, 1, Number(file_offset));
      assert.deepEqual(memory, code, `others have probes on ${name} of ${path}: end what watches this machine`);
    }
    for (const fd of [process_fd, file_fd]) fs.closeSync(fd);
  }
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
