/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Pipes, and pairs of unix sockets without names, that carry JSON-RPC. */
#ifndef UNDERSIGHT_PLAIN_PIPE_BPF_H
#define UNDERSIGHT_PLAIN_PIPE_BPF_H

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
