/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Bytes that are told as they moved, unencrypted: of sockets that speak HTTP, and of pipes that carry JSON-RPC. Which those
 * are is decided once for each descriptor, by the first bytes that move through it.
 */
#ifndef UNDERSIGHT_PLAIN_BPF_H
#define UNDERSIGHT_PLAIN_BPF_H

/* Of one call, which cannot be preempted meanwhile. */
#define MAX_PLAIN_BYTES (32ull << 20)
/* A step is a piece of CHUNK_BYTES at most, or the next buffer; there are up to 1024 buffers (IOV_MAX), and each may end in a piece. */
#define MAX_PLAIN_STEPS (MAX_PLAIN_BYTES / CHUNK_BYTES + 2 * 1024)
#define RPC_LOOK_BYTES 256   /* at the beginning of a message, and at its end */

/* A call's buffers on their way into records. */
struct plain_walk {
	struct subject who;
	const struct iovec *vector;
	__u64 vectors_left;
	const void *at;
	__u64 here; /* bytes left in this buffer */
	__u64 left; /* and in all */
	__u64 may_tell;
	__u64 stream_id;
	__u64 offset_bytes;
	__u32 channel;
	__u32 direction;
	__u64 crowded; /* the rest is left out: who reads it counts and marks that */
	__u64 looked_at[RPC_LOOK_BYTES / 8 + 2];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct plain_walk);
} plain_walks SEC(".maps");

static __always_inline struct plain_walk *get_plain_walk(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&plain_walks, &zero);
}

/* The next bytes of a walk: `bytes` of them from memory, then `lost` that are left out. */
static __always_inline void send_plain_piece(struct plain_walk *walk, struct scratch *scratch, __u64 bytes, __u64 lost)
{
	struct plain_data_event *event = (void *)scratch->record;

	if (bytes > CHUNK_BYTES)
		return;
	walk->left -= bytes + lost;
	event->offset_bytes = walk->offset_bytes;
	walk->offset_bytes += bytes + lost;
	if (bytes && bpf_probe_read_user(event->data, bytes, walk->at)) {
		count_loss(LOSS_MEMORY_FAULT);
		lost += bytes;
		bytes = 0;
	}
	event->stream_id = walk->stream_id;
	event->channel = walk->channel;
	event->direction = walk->direction;
	event->data_bytes = bytes;
	event->lost_bytes = lost;
	fill_header(&event->header, EVENT_PLAIN_DATA, &walk->who);
	output_record(event, sizeof(*event) + bytes);
}

/* Half of the ring is kept for everything else: a fast download of no concern to us must not push that out. */
static __always_inline bool is_ring_crowded(void)
{
	return bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > bpf_ringbuf_query(&events, BPF_RB_RING_SIZE) / 2;
}

static long plain_step(__u32 index, void *unused)
{
	struct plain_walk *walk = get_plain_walk();
	struct scratch *scratch = get_scratch();
	struct iovec next;
	__u64 bytes;

	if (!walk || !scratch || !walk->left || !walk->may_tell)
		return 1;
	if (!walk->here) {
		if (!walk->vectors_left || bpf_probe_read_user(&next, sizeof(next), walk->vector))
			return 1;
		walk->vector++;
		walk->vectors_left--;
		walk->at = (void *)next.base;
		walk->here = next.bytes < walk->left ? next.bytes : walk->left;
		return 0;
	}
	if (is_ring_crowded()) {
		walk->crowded = 1;
		return 1;
	}
	bytes = walk->here < CHUNK_BYTES ? walk->here : CHUNK_BYTES;
	if (bytes > walk->may_tell)
		bytes = walk->may_tell;
	walk->may_tell -= bytes;
	send_plain_piece(walk, scratch, bytes, 0);
	walk->at += bytes;
	walk->here -= bytes;
	return 0;
}

static __noinline int tell_plain(const struct transfer *transfer, enum plain_channel channel, __u64 stream_id, __u64 offset_bytes)
{
	struct plain_walk *walk = get_plain_walk();
	struct scratch *scratch = get_scratch();

	if (!walk || !scratch)
		return 0;
	walk->who = transfer->who;
	walk->vector = transfer->vector;
	walk->vectors_left = transfer->vector ? transfer->vector_count : 0;
	walk->at = transfer->data;
	walk->here = transfer->vector ? 0 : transfer->data_bytes;
	if (walk->here > transfer->bytes)
		walk->here = transfer->bytes;
	walk->left = transfer->bytes;
	walk->may_tell = MAX_PLAIN_BYTES;
	walk->stream_id = stream_id;
	walk->offset_bytes = offset_bytes;
	walk->crowded = 0;
	walk->channel = channel;
	walk->direction = transfer->out ? PLAIN_WRITE : PLAIN_READ;
	bpf_loop(MAX_PLAIN_STEPS, plain_step, NULL, 0);
	if (!walk->left)
		return 0;
	/* What went from one descriptor to another is in no memory: a gap, too. */
	if (transfer->data && !walk->crowded)
		count_loss(LOSS_CALL_TOO_LONG);
	send_plain_piece(walk, scratch, 0, walk->left);
	return 0;
}

#endif
