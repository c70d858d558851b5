/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * rustls encrypts and decrypts by two objects that know nothing of one another, nor of a socket, and that are replaced when
 * keys change. What ties each to a socket is the bytes of the TLS records themselves, whichever thread moves them: a record
 * that was encrypted is sent, and one that was received is decrypted.
 */
#ifndef UNDERSIGHT_RUSTLS_BINDING_BPF_H
#define UNDERSIGHT_RUSTLS_BINDING_BPF_H

#define RECORD_HEAD_BYTES 5
/*
 * Bytes 8 to 15 of what a record holds tell it from all others: those before may be a counter (RFC 5288 section 3), those
 * after may be missing.
 */
#define TOKEN_OFFSET 8
#define MAX_TRACED_RECORDS 32

/* An object of one direction, for as long as its keys are the same. */
struct tls_half {
	__u64 id;
	__u64 offset_bytes;
	__u64 socket_id;
	__u64 doubted; /* the number of the record after one whose result looked like an error, or 0 */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct tls_connection_key); /* see half_key */
	__type(value, struct tls_half);
} tls_halves SEC(".maps");

struct tls_token_key {
	__u64 token;
	__u32 pid;
	__u32 direction;
};

/* A record that was encrypted and is yet to be sent (`address`, `half_id`), or received and to be decrypted (`socket_id`). */
struct tls_token {
	__u64 address;
	__u64 half_id;
	__u64 socket_id;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct tls_token_key);
	__type(value, struct tls_token);
} tls_tokens SEC(".maps");

/* Whether any process called rustls: until then nobody's records are looked at. */
__u32 rustls_seen;

/* The objects are aligned to 8 bytes: one bit keeps the directions apart where one is freed and another made in its place. */
static __always_inline struct tls_connection_key half_key(__u32 pid, __u64 address, enum tls_direction direction)
{
	return tls_connection_key(pid, address | (direction == TLS_READ));
}

/* The first record under new keys has the number 0: another object then, whatever was at its address before. */
static __noinline struct tls_half *half_of(__u32 pid, __u64 address, enum tls_direction direction, bool is_new)
{
	struct tls_connection_key key = half_key(pid, address, direction);
	struct tls_half *half = bpf_map_lookup_elem(&tls_halves, &key);
	struct tls_half fresh = {};

	if (half && !is_new)
		return half;
	fresh.id = new_id();
	bpf_map_update_elem(&tls_halves, &key, &fresh, BPF_ANY);
	return bpf_map_lookup_elem(&tls_halves, &key);
}

static __noinline int bind_sent(const struct subject *who, const struct tls_token *token, __u64 socket_id)
{
	struct tls_connection_key key = half_key(who->pid, token->address, TLS_WRITE);
	struct tls_half *half = bpf_map_lookup_elem(&tls_halves, &key);
	struct tls_binding_event *event;

	if (!half || half->id != token->half_id || half->socket_id == socket_id)
		return 0;
	half->socket_id = socket_id;
	event = reserve_event(struct tls_binding_event, EVENT_TLS_BINDING, who);
	if (!event)
		return 0;
	event->connection = half->id;
	event->socket_id = socket_id;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

/* Bytes of a process that may be TLS records, on their way through a socket. */
struct record_walk {
	struct subject who;
	__u64 data;
	__u64 bytes;
	__u64 socket_id;
	__u32 direction;
	__u32 padding;
};

static long trace_record(__u32 index, void *context)
{
	struct record_walk *walk = context;
	struct {
		__u8 head[RECORD_HEAD_BYTES];
		__u8 payload[TOKEN_OFFSET + 8];
		__u8 padding[3];
	} record;
	struct tls_token_key key = { .pid = walk->who.pid, .direction = walk->direction };
	struct tls_token fresh = { .socket_id = walk->socket_id }, *known;
	__u64 size;

	if (walk->bytes < RECORD_HEAD_BYTES + TOKEN_OFFSET + 8 || bpf_probe_read_user(&record, sizeof(record.head) + sizeof(record.payload), (void *)walk->data))
		return 1;
	if (record.head[0] < 0x14 || record.head[0] > 0x17 || record.head[1] != 3)
		return 1;
	__builtin_memcpy(&key.token, record.payload + TOKEN_OFFSET, 8);
	size = RECORD_HEAD_BYTES + (record.head[3] << 8 | record.head[4]);
	if (walk->direction == TLS_READ) {
		bpf_map_update_elem(&tls_tokens, &key, &fresh, BPF_ANY);
	} else {
		known = bpf_map_lookup_elem(&tls_tokens, &key);
		if (known) {
			bind_sent(&walk->who, known, walk->socket_id);
			bpf_map_delete_elem(&tls_tokens, &key);
		}
	}
	if (size >= walk->bytes)
		return 1;
	walk->data += size;
	walk->bytes -= size;
	return 0;
}

#endif
