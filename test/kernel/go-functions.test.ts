import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { readInstruction } from '../../src/targets/tls/x86-instruction.ts';
import { buildGo, hasGo, NO_GO } from '../go-program.ts';
import { locateIn } from '../targets/tls/locate-in.ts';

test('instructions of a real Go program begin and end where Go’s disassembler says', {
  skip: hasGo ? false : NO_GO,
}, () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'undersight-go-'));
  try {
    const source =
      'package main\nimport ("crypto/tls"; "io")\nfunc main() { var c io.ReadWriteCloser; c, _ = tls.Dial("", "", nil); c.Close(); io.Copy(c, c) }\n';
    const program = buildGo(folder, 'program', source);
    const { found } = locateIn(fs.readFileSync(program));
    const lines = disassemble(program);
    let checked = 0;
    for (const { hex, text } of lines) {
      const code = Buffer.concat([Buffer.from(hex, 'hex'), Buffer.alloc(16, 0x90)]);
      assert.equal(readInstruction(code, 0)?.bytes, hex.length / 2, `${hex} ${text}`);
      checked += 1;
    }
    assert.ok(checked > 10_000);
    const returns = lines.filter(({ text }) => text === 'RET');
    for (const [method, name] of [
      ['Read', 'go_conn_read'],
      ['Write', 'go_conn_write'],
    ] as const) {
      const expected = returns.filter((one) => one.name === `crypto/tls.(*Conn).${method}`);
      const offsets = found?.functions.find((one) => one.name === name)?.return_offsets;
      // Go's linker maps the file from 0x400000 on.
      assert.deepEqual(
        offsets,
        expected.map(({ address }) => BigInt(address) - 0x400000n),
      );
    }
    const stripped = buildGo(folder, 'stripped', source, '-ldflags=-s -w');
    assert.deepEqual(locateIn(fs.readFileSync(stripped)).found?.functions, found?.functions);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

interface Line {
  /** Of the function. */
  readonly name: string;
  readonly address: string;
  readonly hex: string;
  readonly text: string;
}

/** All instructions of crypto/tls. */
function disassemble(program: string): Line[] {
  const lines: Line[] = [];
  const output = execFileSync('go', ['tool', 'objdump', '-s', '^crypto/tls', program], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, GOTOOLCHAIN: 'local' },
  });
  let name = '';
  for (const line of output.split('\n')) {
    name = /^TEXT (\S+)\(SB\)/.exec(line)?.[1] ?? name;
    const [, address, hex, text] = /^ +\S+\t+(0x[0-9a-f]+)\t+([0-9a-f]+)\t+(.*?)\s*$/.exec(line) ?? [];
    if (address === undefined || hex === undefined || text === undefined || text === '?') continue;
    lines.push({ name, address, hex, text });
  }
  return lines;
}
