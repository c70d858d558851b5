import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openPrivateFile } from '../../src/kernel/private-file.ts';
import { SetupError } from '../../src/model/setup-error.ts';

const directory = fs.mkdtempSync(join(tmpdir(), 'undersight-private-'));
after(() => fs.rmSync(directory, { recursive: true }));

function write(path: string, text: string): void {
  const file = openPrivateFile(path);
  fs.writeFileSync(file.fd, text);
  file.close();
}

for (const mode of [undefined, 0o644, 0o666]) {
  test(`a file that ${mode === undefined ? 'is new' : `had mode ${mode.toString(8)}`} is readable by its owner alone`, () => {
    const path = join(directory, `mode-${mode}`);
    if (mode !== undefined) {
      fs.writeFileSync(path, 'what was there before');
      fs.chmodSync(path, mode);
    }
    write(path, 'new');
    assert.equal(fs.readFileSync(path, 'utf8'), 'new');
    assert.equal((fs.statSync(path).mode & 0o777).toString(8), '600');
  });
}

test('a symbolic link is not followed: what it names stays as it was', () => {
  const target = join(directory, 'target');
  const link = join(directory, 'link');
  fs.writeFileSync(target, 'precious');
  fs.symlinkSync(target, link);
  assert.throws(
    () => openPrivateFile(link),
    (error) => error instanceof SetupError && /symbolic link/.test(error.message),
  );
  assert.equal(fs.readFileSync(target, 'utf8'), 'precious');
});

test('a device is taken as it is', () => {
  const { mode } = fs.statSync('/dev/null');
  write('/dev/null', 'gone');
  assert.equal(fs.statSync('/dev/null').mode, mode);
});

test('a pipe with a name is taken as it is', async () => {
  const path = join(directory, 'pipe');
  execFileSync('mkfifo', ['-m', '644', path]);
  const reader = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'inherit'] });
  write(path, 'through');
  assert.equal((await reader.stdout.toArray()).join(''), 'through');
  assert.equal((fs.statSync(path).mode & 0o777).toString(8), '644');
});

for (const name of ['/dev/stdout', '/dev/fd/1', '/proc/self/fd/1']) {
  test(`${name} adds to where standard output is, and leaves it open`, () => {
    const path = join(directory, `out${name.replaceAll('/', '-')}`);
    const out = fs.openSync(path, 'w', 0o644);
    const script = `
      const { openPrivateFile } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/kernel/private-file.ts'))});
      fs.writeSync(1, 'before ');
      const file = openPrivateFile('${name}');
      fs.writeSync(file.fd, 'trace ');
      file.close();
      fs.writeSync(1, 'after');`;
    execFileSync(process.execPath, ['--input-type=module', '-e', `import fs from 'node:fs';${script}`], {
      stdio: ['ignore', out, 'inherit'],
    });
    fs.closeSync(out);
    assert.equal(fs.readFileSync(path, 'utf8'), 'before trace after');
    assert.equal((fs.statSync(path).mode & 0o777).toString(8), '644');
  });
}

test('a descriptor that is not open is refused at the start', () => {
  assert.throws(() => openPrivateFile('/dev/fd/987'), SetupError);
});
