/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Bytes that are told as they moved, unencrypted: of sockets that speak HTTP, and of pipes that carry JSON-RPC. Which those
 * are is decided once for each descriptor, by the first bytes that move through it.
 */
#ifndef UNDERSIGHT_PLAIN_BPF_H
#define UNDERSIGHT_PLAIN_BPF_H

#define MAX_PLAIN_STEPS 8192 /* of one call: a step is a piece of CHUNK_BYTES at most, or the next buffer */
#define RPC_LOOK_BYTES 256   /* at the beginning of a message, and at its end */

/* One direction of a pipe that carries JSON-RPC, by its id; all descriptors of it share this. */
struct pipe_stream {
	__u64 bytes[2];  /* told so far, by who reads and by who writes */
	__u64 by_writer; /* who writes tells, others do not */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct pipe_stream);
} pipe_streams SEC(".maps");

/* A call's buffers on their way into records. */
struct plain_walk {
	struct subject who;
	const struct iovec *vector;
	__u64 vectors_left;
	const void *at;
	__u64 here; /* bytes left in this buffer */
	__u64 left; /* and in all */
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

	if (!walk || !scratch || !walk->left)
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

/* What CONNECT begins is a tunnel, of TLS as a rule. */
static __always_inline bool looks_like_http(__u64 head)
{
	return begins(head, "GET ", 4) || begins(head, "POST ", 5) || begins(head, "HTTP/1.", 7) || begins(head, "PUT ", 4) ||
	       begins(head, "DELETE ", 7) || begins(head, "PATCH ", 6) || begins(head, "HEAD ", 5) ||
	       begins(head, "OPTIONS ", 8) || begins(head, "PRI * HT", 8);
}

static __always_inline bool looks_encrypted(__u64 head)
{
	__u8 type = head, major = head >> 8;

	return (type >= 0x14 && type <= 0x17 && major == 3) || begins(head, "CONNECT ", 8);
}

static __noinline int decide_socket(const struct transfer *transfer, struct plain_account *plain)
{
	__u64 head = 0, bytes = transfer->data_bytes < transfer->bytes ? transfer->data_bytes : transfer->bytes;

	if (!bytes)
		return 0;
	if (bytes > sizeof(head))
		bytes = sizeof(head);
	bpf_probe_read_user(&head, bytes, transfer->data);
	if (looks_like_http(head))
		plain->states[0] = PLAIN_TOLD;
	else if (plain->tries_left[0] <= 1 || looks_encrypted(head))
		plain->states[0] = PLAIN_NO;
	else
		plain->tries_left[0]--;
	return 0;
}

static __noinline int inspect_plain_socket(const struct transfer *transfer, struct account *account)
{
	struct plain_account *plain = &account->plain;
	__u64 offset_bytes;

	if (plain->states[0] == PLAIN_UNKNOWN)
		decide_socket(transfer, plain);
	if (plain->states[0] != PLAIN_TOLD)
		return 0;
	offset_bytes = __sync_fetch_and_add(&plain->at[plain_index(transfer->out)], transfer->bytes);
	return tell_plain(transfer, PLAIN_SOCKET, account->id, offset_bytes);
}

struct rpc_search {
	const char *text;
	__u32 found;
	__u32 padding;
};

static long rpc_step(__u32 index, void *context)
{
	struct rpc_search *search = context;
	const char *at;
	__u64 word;

	if (index >= RPC_LOOK_BYTES)
		return 1;
	at = search->text + index;
	if (*at != '"')
		return 0;
	__builtin_memcpy(&word, at, sizeof(word));
	search->found = begins(word, "\"jsonrpc", 8) && at[8] == '"';
	return search->found;
}

static __noinline bool holds_rpc(const char *user, __u64 bytes)
{
	struct plain_walk *walk = get_plain_walk();
	struct rpc_search search = {};

	if (!walk || bytes > RPC_LOOK_BYTES)
		return false;
	__builtin_memset(walk->looked_at, 0, sizeof(walk->looked_at));
	if (bpf_probe_read_user(walk->looked_at, bytes, user))
		return false;
	search.text = (void *)walk->looked_at;
	bpf_loop(RPC_LOOK_BYTES, rpc_step, &search, 0);
	return search.found;
}

/* Whether what moved begins like a message, one line of JSON or one with a Content-Length before it. */
static __noinline bool looks_like_rpc(const struct transfer *transfer)
{
	__u64 head = 0, bytes = transfer->data_bytes < transfer->bytes ? transfer->data_bytes : transfer->bytes;

	if (bytes < 16 || bpf_probe_read_user(&head, sizeof(head), transfer->data))
		return false;
	if (begins(head, "Content-", 8)) {
		bpf_probe_read_user(&head, sizeof(head), transfer->data + 8);
		return begins(head, "Length:", 7);
	}
	if ((__u8)head != '{' && (__u8)head != '[')
		return false;
	if (holds_rpc(transfer->data, bytes < RPC_LOOK_BYTES ? bytes : RPC_LOOK_BYTES))
		return true;
	/* Some put it last. */
	return bytes > RPC_LOOK_BYTES && holds_rpc(transfer->data + bytes - RPC_LOOK_BYTES, RPC_LOOK_BYTES);
}

/* The inode that names a direction of a pipe; 0: it is none, or what it was connected to is gone. */
static __always_inline __u64 pipe_of(const struct file *file, const struct sock *sock, bool out)
{
	const struct sock *peer;

	if (!sock)
		return is_filesystem(file, PIPEFS_MAGIC) ? BPF_CORE_READ(file, f_inode, i_ino) : 0;
	if (BPF_CORE_READ(sock, __sk_common.skc_family) != AF_UNIX)
		return 0;
	if (!out)
		return BPF_CORE_READ(file, f_inode, i_ino);
	peer = BPF_CORE_READ((const struct unix_sock *)sock, peer);
	return peer ? BPF_CORE_READ(peer, sk_socket, file, f_inode, i_ino) : 0;
}

static __always_inline struct pipe_stream *pipe_stream_of(__u64 id)
{
	struct pipe_stream fresh = {}, *stream = bpf_map_lookup_elem(&pipe_streams, &id);

	if (stream)
		return stream;
	bpf_map_update_elem(&pipe_streams, &id, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&pipe_streams, &id);
}

/* Of a pipe, or a pair of unix sockets without names. */
static __noinline int inspect_pipe(const struct transfer *transfer, struct account *account, const struct file *file)
{
	struct plain_account *plain = &account->plain;
	__u32 out = plain_index(transfer->out);
	struct pipe_stream *stream;
	__u64 offset_bytes;

	if (!plain->at[out]) {
		plain->tries_left[out] = PLAIN_TRIES_PIPE;
		plain->at[out] = tunables.mcp_stdio ? pipe_of(file, (void *)account->sock, out) : 0;
		if (!plain->at[out]) {
			plain->states[out] = PLAIN_NO;
			return 0;
		}
	}
	stream = bpf_map_lookup_elem(&pipe_streams, &plain->at[out]);
	if (!out && stream && stream->by_writer) {
		plain->states[0] = PLAIN_ANNOUNCED;
		return tell_pipe_end(&transfer->who, plain->at[0], PIPE_END_READER);
	}
	if (plain->states[out] == PLAIN_UNKNOWN && !stream && !looks_like_rpc(transfer)) {
		if (--plain->tries_left[out] == 0)
			plain->states[out] = PLAIN_NO;
		return 0;
	}
	plain->states[out] = PLAIN_TOLD;
	if (!stream)
		stream = pipe_stream_of(plain->at[out]);
	if (!stream)
		return 0;
	if (out)
		stream->by_writer = 1;
	offset_bytes = __sync_fetch_and_add(&stream->bytes[out], transfer->bytes);
	return tell_plain(transfer, PLAIN_PIPE, plain->at[out], offset_bytes);
}

#endif
