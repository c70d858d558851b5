// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Work handed to io_uring goes around system calls. Event loops have one to wait with (libuv adds descriptors to epoll
 * through it), which hides nothing; a request that moves files, sockets or bytes is a blind spot.
 */

#define REQUEST(opcode) (1ull << (opcode))

/* By their numbers in the kernel's interface, which never change (include/uapi/linux/io_uring.h). */
static const __u64 harmless_requests = REQUEST(0) /* NOP */ | REQUEST(6) /* POLL_ADD */ | REQUEST(7) /* POLL_REMOVE */ |
				       REQUEST(11) /* TIMEOUT */ | REQUEST(12) /* TIMEOUT_REMOVE */ |
				       REQUEST(14) /* ASYNC_CANCEL */ | REQUEST(15) /* LINK_TIMEOUT */ |
				       REQUEST(20) /* FILES_UPDATE */ | REQUEST(29) /* EPOLL_CTL */ | REQUEST(40) /* MSG_RING */ |
				       REQUEST(51) /* FUTEX_WAIT */ | REQUEST(52) /* FUTEX_WAKE */ | REQUEST(53) /* FUTEX_WAITV */;

SEC("raw_tp/io_uring_submit_req")
int handle_io_uring_submit(struct bpf_raw_tracepoint_args *ctx)
{
	const struct io_kiocb *request = (void *)ctx->args[0];
	struct subject who;
	__u8 opcode;

	if (!watched_subject(&who))
		return 0;
	opcode = BPF_CORE_READ(request, opcode);
	if (opcode >= 64 || !(harmless_requests & REQUEST(opcode)))
		tell_blind_spot(&who, BLIND_IO_URING);
	return 0;
}

/* Kernels before 6.3 do not tell what is submitted: there the ring itself counts. */
SEC("raw_tp")
int handle_io_uring_setup(struct bpf_raw_tracepoint_args *ctx)
{
	struct call call;

	if (bpf_core_type_exists(btf_trace_io_uring_submit_req))
		return 0;
	if (begin_call(&call, ctx) && call.result >= 0)
		tell_blind_spot(&call.who, BLIND_IO_URING);
	return 0;
}
