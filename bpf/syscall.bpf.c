// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* The one hook on system calls: finds out whether the process is watched, and goes on to the call's handler. */

#if defined(__TARGET_ARCH_x86)
#include <asm/unistd.h>
#else
/* As arm64's own header says; the building machine's would say its own. */
#undef __BITS_PER_LONG
#define __BITS_PER_LONG 64
#define __ARCH_WANT_RENAMEAT
#include <asm-generic/unistd.h>
#endif

#define TS_COMPAT 2
#define TIF_32BIT 22
#define MAX_SYSCALLS 512

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, MAX_SYSCALLS);
	__type(key, __u32);
	__array(values, int(struct bpf_raw_tracepoint_args *));
} syscalls SEC(".maps") = {
	.values = {
#if defined(__TARGET_ARCH_x86)
		[__NR_open] = &handle_open,
		[__NR_creat] = &handle_creat,
		[__NR_unlink] = &handle_unlink,
		[__NR_rmdir] = &handle_rmdir,
		[__NR_mkdir] = &handle_mkdir,
		[__NR_rename] = &handle_rename,
		[__NR_link] = &handle_link,
		[__NR_symlink] = &handle_symlink,
		[__NR_dup2] = &handle_dup2,
#endif
		[__NR_openat] = &handle_openat,
		[__NR_openat2] = &handle_openat2,
		[__NR_unlinkat] = &handle_unlinkat,
		[__NR_mkdirat] = &handle_mkdirat,
		[__NR_truncate] = &handle_truncate,
		[__NR_ftruncate] = &handle_ftruncate,
		[__NR_renameat] = &handle_renameat,
		[__NR_renameat2] = &handle_renameat,
		[__NR_linkat] = &handle_linkat,
		[__NR_symlinkat] = &handle_symlinkat,
		[__NR_read] = &handle_read,
		[__NR_pread64] = &handle_read,
		[__NR_readv] = &handle_readv,
		[__NR_preadv] = &handle_readv,
		[__NR_preadv2] = &handle_readv,
		[__NR_write] = &handle_write,
		[__NR_pwrite64] = &handle_write,
		[__NR_writev] = &handle_writev,
		[__NR_pwritev] = &handle_writev,
		[__NR_pwritev2] = &handle_writev,
		[__NR_recvfrom] = &handle_recvfrom,
		[__NR_sendto] = &handle_sendto,
		[__NR_recvmsg] = &handle_recvmsg,
		[__NR_sendmsg] = &handle_sendmsg,
		[__NR_recvmmsg] = &handle_recvmmsg,
		[__NR_sendmmsg] = &handle_sendmmsg,
		[__NR_sendfile] = &handle_sendfile,
		[__NR_splice] = &handle_splice,
		[__NR_copy_file_range] = &handle_splice,
		[__NR_close] = &handle_close,
		[__NR_close_range] = &handle_close_range,
		[__NR_dup3] = &handle_dup2,
		[__NR_connect] = &handle_connect,
		[__NR_accept] = &handle_accept,
		[__NR_accept4] = &handle_accept,
		[__NR_listen] = &handle_listen,
		[__NR_io_uring_setup] = &handle_io_uring_setup,
	},
};

static __always_inline bool is_compat(void)
{
#if defined(__TARGET_ARCH_x86)
	return current_task()->thread_info.status & TS_COMPAT;
#else
	return current_task()->thread_info.flags & (1ul << TIF_32BIT);
#endif
}

SEC("raw_tp/sys_exit")
int handle_sys_exit(struct bpf_raw_tracepoint_args *ctx)
{
	const struct pt_regs *regs = (void *)ctx->args[0];
	struct subject who;
	long number;

	if (!watched_subject(&who))
		return 0;
	number = SYSCALL_NUMBER(regs);
	/* x32 calls carry bit 30. */
	if (is_compat() || (number > 0 && number & 0x40000000)) {
		tell_blind_spot(&who, BLIND_COMPAT_SYSCALLS);
		return 0;
	}
	bpf_tail_call(ctx, &syscalls, number);
	return 0;
}
