import koffi from 'koffi';
import { SetupError } from '../model/setup-error.ts';
import { libc } from './libc.ts';

/** A pointer of libbpf's; null where it failed, with errno set. */
export type Pointer = unknown;

const PRINT = koffi.proto('int undersight_libbpf_print(int level, void *format, void *args)');
export const UPROBE_OPTIONS = koffi.struct('undersight_uprobe_opts', {
  sz: 'size_t',
  ref_ctr_offset: 'size_t',
  bpf_cookie: 'uint64_t',
  retprobe: 'bool',
  func_name: 'const char *',
});

function bind() {
  const library = load();
  const f = (signature: string) => library.func(signature);
  return {
    version: f('const char *libbpf_version_string()'),
    set_print: library.func('libbpf_set_print', 'void *', [koffi.pointer(PRINT)]),
    num_possible_cpus: f('int libbpf_num_possible_cpus()'),
    object_open: f('void *bpf_object__open_file(const char *path, void *opts)'),
    object_load: f('int bpf_object__load(void *object)'),
    object_close: f('void bpf_object__close(void *object)'),
    object_next_program: f('void *bpf_object__next_program(void *object, void *program)'),
    object_find_map: f('void *bpf_object__find_map_by_name(void *object, const char *name)'),
    object_find_program: f('void *bpf_object__find_program_by_name(void *object, const char *name)'),
    program_name: f('const char *bpf_program__name(void *program)'),
    program_section: f('const char *bpf_program__section_name(void *program)'),
    program_autoload: f('bool bpf_program__autoload(void *program)'),
    program_fd: f('int bpf_program__fd(void *program)'),
    program_set_autoload: f('int bpf_program__set_autoload(void *program, bool autoload)'),
    program_set_attach_type: f('int bpf_program__set_expected_attach_type(void *program, int type)'),
    program_attach: f('void *bpf_program__attach(void *program)'),
    program_attach_iter: f('void *bpf_program__attach_iter(void *program, void *opts)'),
    program_attach_uprobe: f(
      'void *bpf_program__attach_uprobe_opts(void *program, int pid, const char *path, size_t offset, const undersight_uprobe_opts *opts)',
    ),
    iter_create: f('int bpf_iter_create(int link_fd)'),
    link_fd: f('int bpf_link__fd(void *link)'),
    link_destroy: f('int bpf_link__destroy(void *link)'),
    map_fd: f('int bpf_map__fd(void *map)'),
    map_initial_value: f('void *bpf_map__initial_value(void *map, _Out_ size_t *size)'),
    map_set_max_entries: f('int bpf_map__set_max_entries(void *map, uint32_t entries)'),
    map_lookup: f('int bpf_map_lookup_elem(int fd, const void *key, _Out_ void *value)'),
    map_update: f('int bpf_map_update_elem(int fd, const void *key, const void *value, uint64_t flags)'),
  };
}

export type Libbpf = ReturnType<typeof bind>;

let bound: Libbpf | undefined;

/** The bound library, loaded at the first call. Throws SetupError when it is not installed. */
export function libbpf(): Libbpf {
  bound ??= bind();
  return bound;
}

function load() {
  try {
    return koffi.load('libbpf.so.1');
  } catch (cause) {
    throw new SetupError('libbpf is not installed', 'Install it: apt-get install libbpf1 (or libbpf, version 1).', {
      cause,
    });
  }
}

/** Runs `action` and gives what libbpf logged meanwhile, verifier logs included; nothing reaches standard error. */
export function captureLog<T>(action: () => T): { readonly result: T; readonly log: string } {
  const parts: string[] = [];
  const callback = koffi.register((level: number, format: Pointer, args: Pointer) => {
    if (level === 0) parts.push(formatText(format, args));
    return 0;
  }, koffi.pointer(PRINT));
  const previous = libbpf().set_print(callback);
  try {
    return { result: action(), log: parts.join('') };
  } finally {
    libbpf().set_print(previous);
    koffi.unregister(callback);
  }
}

function formatText(format: Pointer, args: Pointer): string {
  const out: [Pointer] = [null];
  const length: number = libc.vasprintf(out, format, args);
  if (length < 0) return '';
  const text = Buffer.from(koffi.view(out[0], length)).toString('latin1');
  libc.free(out[0]);
  return text;
}
