import path from 'node:path';

/** The compiled kernel programs: `bpf/` beside `src/`, in a checkout and in the package alike. */
export const OBJECT_PATH = path.join(import.meta.dirname, '../../bpf/undersight.bpf.o');
