import koffi from 'koffi';

/** Node's own process, which has the C library in it, whatever that is called here. */
const library = koffi.load(null);

/** The few calls of the C library that Node does not offer. They set errno: see `lastErrno`. */
export const libc = {
  mmap: library.func('void *mmap(void *addr, size_t length, int prot, int flags, int fd, int64_t offset)'),
  munmap: library.func('int munmap(void *addr, size_t length)'),
  getpagesize: library.func('int getpagesize()'),
  clock_gettime: library.func('int clock_gettime(int clock, void *time)'),
  close: library.func('int close(int fd)'),
  vasprintf: library.func('int vasprintf(_Out_ void **text, void *format, void *args)'),
  free: library.func('void free(void *memory)'),
  getpwnam: library.func('void *getpwnam(const char *name)'),
  syscall_bpf: library.func('long syscall(long number, int command, void *attributes, uint32_t size)'),
};

/** errno of the last call made through koffi. */
export function lastErrno(): number {
  return koffi.errno();
}
