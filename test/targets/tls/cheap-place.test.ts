import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cheapPlace, isCheap } from '../../../src/targets/tls/cheap-place.ts';

const code = (hex: string) => Buffer.from(hex.replaceAll(' ', '').padEnd(80, 'c'), 'hex');

test('a function that begins with an instruction the kernel carries out itself is probed there', () => {
  for (const hex of ['55', '4157', '90', 'e9 00000000', '7402', '0f84 00000000']) {
    assert.ok(isCheap(code(hex)), hex);
    assert.equal(cheapPlace(code(hex)), 0, hex);
  }
});

test('comparisons and loads into spare registers are stepped over, to the push or jump behind them', () => {
  const places: Readonly<Record<string, number>> = {
    'f30f1efa 4157': 4, // endbr64; push r15
    '4885ff 0f84 40000000': 3, // test rdi, rdi; je
    '488b87a0140000 4885c0 7416': 10, // mov rax, [rdi + 0x14a0]; test rax, rax; je
    '80bfb806000000 7440': 7, // cmp byte [rdi + 0x6b8], 0; je
    '4883bf9800000000 55': 8, // cmp qword [rdi + 0x98], 0; push rbp
    'f6876811000001 7417': 7, // test byte [rdi + 0x1168], 1; je
    '31c0 85d2 782f': 4, // xor eax, eax; test edx, edx; js
    '4989fb 53': 3, // mov r11, rdi; push rbx
  };
  for (const [hex, skip] of Object.entries(places)) assert.equal(cheapPlace(code(hex)), skip, hex);
});

test('nothing is stepped over that moves the stack, writes memory, changes an argument or is not known', () => {
  for (const hex of [
    '4883ec18 7800', // sub rsp, 24
    '4889542408 55', // mov [rsp + 8], rdx
    '4889ce 55', // mov rsi, rcx
    '31c9 e900000000', // xor ecx, ecx
    '4531c0 55', // xor r8d, r8d: the fifth argument
    '488b3f 55', // mov rdi, [rdi]
    '31c8 55', // xor eax, ecx: depends on what eax held
    '4c8b0424 55', // mov r8, [rsp]
    '8b0424 55', // mov eax, [rsp]: how that is addressed is not told apart
    '8327 00 55', // add dword [rdi], 0
    'f617 55', // not byte [rdi]
    '488d7c24f0 55', // lea rdi, [rsp - 16]
    '4889dc 55', // mov rsp, rbx
    'c3',
    '',
  ])
    assert.equal(cheapPlace(code(hex)), 0, hex);
});

test('a wrong place is never chosen because the code ends or is not code at all', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const buffer = Buffer.from(bytes);
      const at = cheapPlace(buffer);
      assert.ok(at === 0 || (at < 32 && isCheap(buffer, at)));
    }),
  );
});
