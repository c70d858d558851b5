/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What a handler of one system call starts from. */
#ifndef UNDERSIGHT_SYSCALL_BPF_H
#define UNDERSIGHT_SYSCALL_BPF_H

struct call {
	struct subject who;
	const struct pt_regs *regs;
	long result;
};

/* Bytes that a call moved through a descriptor. */
struct transfer {
	struct subject who;
	const void *data; /* the first buffer that is not empty */
	__u64 data_bytes;
	__u64 bytes; /* moved in all */
	const struct iovec *vector; /* all buffers; NULL: `data` is the only one */
	__u64 vector_count;
	const void *peer;
	__s32 fd;
	bool out;
	bool to_peer; /* `peer` was given by the process */
	__u16 padding;
};

static __always_inline bool begin_call(struct call *call, const struct bpf_raw_tracepoint_args *ctx)
{
	call->regs = (void *)ctx->args[0];
	call->result = ctx->args[1];
	return watched_subject(&call->who);
}

/* The call will be made again after a signal: it has not happened yet. */
static __always_inline bool is_restarted(long result)
{
	return result <= -ERESTARTSYS && result >= -ERESTARTSYS - 4;
}

static __always_inline __u32 error_of(long result)
{
	return result < 0 ? -result : 0;
}

#endif
