/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Calls of TLS functions: whether one counts, which of them are going on in a thread, and how much they moved. */
#ifndef UNDERSIGHT_TLS_CALL_BPF_H
#define UNDERSIGHT_TLS_CALL_BPF_H

static __always_inline enum tls_direction direction_of(enum tls_function function)
{
	return function >= TLS_FUNCTION_WRITE ? TLS_WRITE : TLS_READ;
}

/* The frozen beginnings of NSPR's PRFileDesc and PRIOMethods (prio.h). */
#define PR_DESC_LAYERED 4
#define PR_MSG_PEEK 2

/* Whether a PRFileDesc is a stack of layers, as one with TLS is: files and bare sockets go through the same functions. */
static __always_inline bool is_layered(__u64 descriptor)
{
	__u64 methods = 0;
	__u32 type = 0;

	return !bpf_probe_read_user(&methods, sizeof(methods), (void *)descriptor) &&
	       !bpf_probe_read_user(&type, sizeof(type), (void *)methods) && type == PR_DESC_LAYERED;
}

/* Whether a function that is called for other things, too, is called for TLS: `flags` is its fourth argument. */
static __always_inline bool is_tls(__u64 cookie, __u64 address, __u64 flags)
{
	if (cookie & TLS_COOKIE_NSPR_FLAGS && flags & PR_MSG_PEEK)
		return false;
	return !(cookie & TLS_COOKIE_NSPR) || is_layered(address);
}

/* Room for a call that begins. Those whose frames are gone, or are this very one (a jump), have ended. */
static __always_inline struct tls_call *begin_tls_call(struct tls_thread *thread, __u64 stack)
{
	for (int i = 0; i < MAX_NESTED && thread->depth; i++) {
		if (thread->calls[(thread->depth - 1) & (MAX_NESTED - 1)].stack > stack)
			break;
		thread->depth--;
	}
	if (thread->depth >= MAX_NESTED) {
		count_loss(LOSS_CALL_NESTED);
		return NULL;
	}
	return &thread->calls[thread->depth++ & (MAX_NESTED - 1)];
}

/* The call that returns; false when its beginning was not seen, or a call around it tells of the same bytes. */
static __always_inline bool end_tls_call(struct tls_thread *thread, __u64 stack, struct tls_call *ended)
{
	const struct tls_call *call;
	bool found = false;

	for (int i = 0; i < MAX_NESTED && thread->depth && !found; i++) {
		call = &thread->calls[(thread->depth - 1) & (MAX_NESTED - 1)];
		if (call->stack > stack)
			return false;
		found = call->stack == stack;
		thread->depth--;
	}
	if (!found)
		return false;
	*ended = thread->calls[thread->depth & (MAX_NESTED - 1)];
	for (__u32 i = 0; i < MAX_NESTED && i < thread->depth; i++) {
		call = &thread->calls[i];
		if (call->address == ended->address && direction_of(call->cookie & TLS_COOKIE_FUNCTION) == direction_of(ended->cookie & TLS_COOKIE_FUNCTION))
			return false;
	}
	return true;
}

/*
 * Puts right what cannot be: a call that claims to have moved more than it was asked to is told as a byte that is lost. What
 * has no `data` is lost as a whole.
 */
static __always_inline __u64 moved_bytes(struct tls_call *call, int result)
{
	__u32 function = call->cookie & TLS_COOKIE_FUNCTION;
	__u64 bytes = 0;

	if (result <= 0 || call->cookie & TLS_COOKIE_NO_DATA)
		return 0;
	if (function == TLS_FUNCTION_READ || function == TLS_FUNCTION_WRITE) {
		bytes = result;
		call->asked_bytes &= 0xffffffff;
	} else if (result == 1 && bpf_probe_read_user(&bytes, sizeof(bytes), (void *)call->length)) {
		count_loss(LOSS_MEMORY_FAULT);
	}
	/* GnuTLS then sends what an earlier call, which returned an error, left in its queue. */
	if (function == TLS_FUNCTION_WRITE && !call->data && !call->asked_bytes)
		return bytes;
	if (bytes <= call->asked_bytes)
		return bytes;
	call->data = 0;
	return 1;
}

#endif
