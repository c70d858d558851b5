/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What is remembered of a descriptor about its bytes: whether they are told. */
#ifndef UNDERSIGHT_PLAIN_STATE_BPF_H
#define UNDERSIGHT_PLAIN_STATE_BPF_H

enum plain_state {
	PLAIN_UNKNOWN,   /* nothing came yet by which to decide */
	PLAIN_NO,
	PLAIN_TOLD,
	PLAIN_ANNOUNCED, /* a pipe's writer tells; that this end reads is told */
};

/* How many times it is looked whether there is something to tell, when the first does not show it. */
#define PLAIN_TRIES_FRESH 1   /* we saw the connection's first bytes */
#define PLAIN_TRIES_LATE 1024 /* it may be in the middle of a message */
#define PLAIN_TRIES_PIPE 8    /* programs say other things first */

/* By direction, 0: in, 1: out. A socket has one state, at 0. */
struct plain_account {
	__u64 at[2]; /* a socket's bytes so far; a pipe's id, 0 when it was not looked up yet */
	__u16 tries_left[2];
	__u8 states[2];
	__u16 padding;
};

/* The compiler trusts a bool to be 0 or 1; the verifier does not. */
static __always_inline __u32 plain_index(bool out)
{
	__u32 index = out;

	barrier_var(index);
	return index & 1;
}

static __always_inline bool is_plain_over(__u8 state)
{
	return state == PLAIN_NO || state == PLAIN_ANNOUNCED;
}

static __noinline int tell_pipe_end(const struct subject *who, __u64 stream_id, enum pipe_end state)
{
	struct pipe_end_event *event = reserve_event(struct pipe_end_event, EVENT_PIPE_END, who);

	if (!event)
		return 0;
	event->stream_id = stream_id;
	event->state = state;
	event->padding = 0;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

static __always_inline void tell_pipe_closed(const struct subject *who, const struct plain_account *plain)
{
	for (int out = 0; out < 2; out++)
		if (plain->states[out] >= PLAIN_TOLD)
			tell_pipe_end(who, plain->at[out], PIPE_END_CLOSED);
}

#endif
