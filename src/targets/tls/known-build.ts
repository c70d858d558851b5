import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { type Elf, readAt, readBuildId, readFrom } from '../elf.ts';
import { OPCODE_RET, readInstructions } from './go.ts';
import { type KnownBuild, knownBuilds } from './known-builds.ts';
import type { TlsFamily } from './tls-family.ts';

type ListedFunction = KnownBuild['functions'][number];

const CHUNK_BYTES = 4 * 1024 * 1024;
/** Between the beginning of a function and its last return. */
const MAX_FUNCTION_BYTES = 1024 * 1024;

/** A file that a list of builds names. Its instructions have to be those of the list: a wrong place would kill the process. */
export const knownBuild: TlsFamily = {
  name: 'known-build',
  readsCode: false,
  locate(elf) {
    const build = findBuild(elf, knownBuilds());
    if (build === undefined) return { missing: '' };
    for (const listed of build.functions) {
      const { name, file_offset, begins } = listed;
      const there = readFrom(elf, Number(file_offset), begins.length / 2).toString('hex');
      const wrong = there === begins ? checkPoints(elf, listed) : undefined;
      if (wrong !== undefined) return { missing: `${build.listed_in} names it, but ${wrong}` };
      if (there === begins) continue;
      const at = `0x${file_offset.toString(16)}`;
      return {
        missing: `${build.listed_in} names it, but at ${at} ${name} should begin ${begins}, and there is ${there}`,
      };
    }
    return {
      functions: build.functions.map(({ name, file_offset, probe_skip_bytes, return_offsets }) => ({
        name,
        file_offset,
        ...(probe_skip_bytes !== undefined && { probe_skip_bytes }),
        ...(return_offsets !== undefined && { return_offsets }),
      })),
      evidence: build.functions.map(
        ({ name, begins }) => `${name}: listed in ${build.listed_in}; begins ${begins}, as listed`,
      ),
    };
  },
};

/** What is wrong with where probes of Go go: into the middle of an instruction, they would end the process. */
function checkPoints(elf: Elf, { name, file_offset, probe_skip_bytes, return_offsets = [] }: ListedFunction) {
  if (probe_skip_bytes === undefined) return undefined;
  const returns = return_offsets.map((offset) => Number(offset - file_offset));
  const bytes = Math.max(probe_skip_bytes, ...returns.map((at) => at + 1));
  const at = (offset: number) => `0x${(file_offset + BigInt(offset)).toString(16)}`;
  const outside = returns.find((offset) => offset < probe_skip_bytes);
  if (outside !== undefined || bytes > MAX_FUNCTION_BYTES) return `${name} does not return at ${at(outside ?? bytes)}`;
  const instructions = readInstructions(readFrom(elf, Number(file_offset), bytes));
  if (instructions === undefined) return `the code of ${name} cannot be told apart into instructions`;
  const elsewhere = returns.find((offset) => instructions.get(offset)?.opcode !== OPCODE_RET);
  if (elsewhere !== undefined) return `at ${at(elsewhere)} ${name} does not return`;
  const begins = probe_skip_bytes === bytes || instructions.has(probe_skip_bytes);
  return begins ? undefined : `at ${at(probe_skip_bytes)} no instruction of ${name} begins`;
}

function findBuild(elf: Elf, builds: readonly KnownBuild[]): KnownBuild | undefined {
  if (builds.length === 0) return undefined;
  const build_id = readBuildId(elf);
  const bytes = fs.fstatSync(elf.fd).size;
  let digest: string | undefined;
  return builds.find((one) => {
    if (one.build_id !== undefined && one.build_id !== build_id) return false;
    if (one.sha256 === undefined) return true;
    if (one.file_bytes !== bytes) return false;
    if (digest === undefined) elf.budget.charge(bytes);
    digest ??= sha256Of(elf.fd, bytes);
    return one.sha256 === digest;
  });
}

/** Of a whole file. Throws what `fs.readSync` throws. */
export function sha256Of(fd: number, bytes: number): string {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes; at += CHUNK_BYTES) hash.update(readAt(fd, at, Math.min(CHUNK_BYTES, bytes - at)));
  return hash.digest('hex');
}
