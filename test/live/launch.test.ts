import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const directory = mkdtempSync(join(tmpdir(), 'undersight-launch-'));
after(() => rmSync(directory, { recursive: true }));
const root = join(import.meta.dirname, '../..');

/** The launcher, with a main module that only holds and releases. */
const launcher = join(directory, 'undersight');
mkdirSync(join(directory, 'src/cli'), { recursive: true });
copyFileSync(join(root, 'undersight'), launcher);
writeFileSync(
  join(directory, 'src/cli/main.ts'),
  `await import(${JSON.stringify(join(root, 'test/live/hold.ts'))});\n`,
);

function environmentSeen(env: NodeJS.ProcessEnv): string[] {
  const seen = execFileSync(process.execPath, [join(root, 'test/live/hold.ts'), '/usr/bin/env', '-0'], { env });
  return seen.toString().split('\0').filter(Boolean).sort();
}

const plain = { PATH: process.env.PATH };
const environments: [what: string, env: NodeJS.ProcessEnv][] = [
  ['nothing but PATH', plain],
  [
    'what a shell would set to something else',
    { ...plain, PWD: '/some/where', OLDPWD: "/it's", SHLVL: '7', _: '/bin/x y' },
  ],
];
for (const [what, env] of environments) {
  test(`a command's environment is the caller's: ${what}`, () => {
    assert.deepEqual(
      environmentSeen(env),
      Object.entries(env)
        .map(([name, value]) => `${name}=${value}`)
        .sort(),
    );
  });
}

const descriptors: [what: string, setUp: string, use: string][] = [
  ['3, where a command would be held', 'exec 3>f', 'echo three >&3'],
  ['5', 'exec 5>f', 'echo three >&5'],
  ['above 9', 'exec 25>f', 'bash -c "echo three >&25"'],
  ['to a pipe', 'exec 7> >(cat >f)', 'echo three >&7'],
];
for (const [what, setUp, use] of descriptors) {
  test(`a command has the caller's descriptor ${what}, and no other`, () => {
    const listing = join(directory, 'listing');
    const file = join(directory, 'f');
    rmSync(file, { force: true });
    const script = `${setUp}; ls /proc/self/fd > wanted
      ${launcher} sh -c '${use.replaceAll("'", "'\\''")}; exec ls /proc/self/fd > ${listing}'`;
    const { status, stderr } = spawnSync('bash', ['-c', script], {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...plain, UNDERSIGHT_NODE: process.execPath },
    });
    assert.deepEqual([status, stderr.toString()], [0, '']);
    assert.equal(readFileSync(listing, 'utf8'), readFileSync(join(directory, 'wanted'), 'utf8'));
    for (let wait = 0; wait < 100 && readFileSync(file, 'utf8') === ''; wait++) execFileSync('sleep', ['0.02']);
    assert.equal(readFileSync(file, 'utf8'), 'three\n');
  });
}

test('with no descriptor left to hold a command, that is told', () => {
  const all = [3, 4, 5, 6, 7, 8, 9].map((fd) => `exec ${fd}>/dev/null`).join('; ');
  const { status, stderr } = spawnSync('bash', ['-c', `${all}; ${launcher} true`], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...plain, UNDERSIGHT_NODE: process.execPath },
  });
  assert.notEqual(status, 0);
  assert.match(stderr.toString(), /All descriptors from 3 to 9 are in use/);
});
