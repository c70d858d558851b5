import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { type Elf, readAt, readBuildId, readFrom } from '../elf.ts';
import { type KnownBuild, knownBuilds } from './known-builds.ts';
import type { TlsFamily } from './tls-family.ts';

const CHUNK_BYTES = 4 * 1024 * 1024;
const OPCODE_RET = 0xc3;

/** A file that a list of builds names. Its instructions have to be those of the list: a wrong place would kill the process. */
export const knownBuild: TlsFamily = {
  name: 'known-build',
  readsCode: false,
  locate(elf) {
    const build = findBuild(elf, knownBuilds());
    if (build === undefined) return { missing: '' };
    for (const { name, file_offset, begins, return_offsets = [] } of build.functions) {
      const there = readFrom(elf, Number(file_offset), begins.length / 2).toString('hex');
      const elsewhere = return_offsets.find((offset) => readFrom(elf, Number(offset), 1)[0] !== OPCODE_RET);
      if (elsewhere !== undefined)
        return { missing: `${build.listed_in} names it, but at 0x${elsewhere.toString(16)} ${name} does not return` };
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
