import type { TlsFunction } from '../../model/tls-library.ts';
import { type Elf, readFrom } from '../elf.ts';
import { cheapPlace } from './cheap-place.ts';

const MACHINE_X86_64 = 62;
const LOOKED_AT_BYTES = 64;

/** Says of each function where a probe costs least, unless its family says where it has to be. */
export function placeProbes(elf: Elf, functions: readonly TlsFunction[]): readonly TlsFunction[] {
  if (elf.machine !== MACHINE_X86_64) return functions;
  return functions.map((one) => {
    if (one.probe_skip_bytes !== undefined || one.return_offsets !== undefined) return one;
    const skip = cheapPlace(readFrom(elf, Number(one.file_offset), LOOKED_AT_BYTES));
    return skip === 0 ? one : { ...one, probe_skip_bytes: skip };
  });
}
