/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Plaintext at the boundary of rustls: `MessageEncrypter::encrypt` and `MessageDecrypter::decrypt`, one TLS record a call. These
 * programs can be preempted: nothing per CPU.
 */
#ifndef UNDERSIGHT_RUSTLS_BPF_H
#define UNDERSIGHT_RUSTLS_BPF_H

#define MAX_OUTBOUND_CHUNKS 1024

/* Before its payload is decrypted in place. */
static __always_inline void bind_received(const struct subject *who, const struct rustls_inbound *inbound, struct tls_half *half)
{
	struct tls_token_key key = { .pid = who->pid, .direction = TLS_READ };
	struct tls_token *known;

	if (inbound->bytes < TOKEN_OFFSET + 8 || bpf_probe_read_user(&key.token, 8, (void *)(inbound->payload + TOKEN_OFFSET)))
		return;
	known = bpf_map_lookup_elem(&tls_tokens, &key);
	if (!known)
		return;
	half->socket_id = known->socket_id;
	bpf_map_delete_elem(&tls_tokens, &key);
}

static __always_inline struct rustls_slice encrypted_of(const struct rustls_outbound *outbound)
{
	struct rustls_slice slice = { .data = outbound->first, .bytes = outbound->start };

	if (outbound->chunks && bpf_probe_read_user(&slice, sizeof(slice), (void *)outbound->chunks))
		slice.bytes = 0;
	return slice;
}

static __always_inline __u64 length_of(const struct rustls_outbound *outbound)
{
	return outbound->chunks ? outbound->end - outbound->start : outbound->start;
}

/* Whether what a process that nobody watched is about to encrypt shows that somebody should. */
static __always_inline bool reveals_rustls(struct subject *who, const void *message)
{
	struct rustls_outbound outbound = {};
	struct rustls_slice slice;

	if (bpf_probe_read_user(&outbound, sizeof(outbound), message))
		return false;
	slice = encrypted_of(&outbound);
	return reveals(who, slice.data, slice.bytes);
}

/* Whether another link on the same instruction has told of this call: a file may be attached under two device numbers (overlayfs). */
static __always_inline bool is_known_rustls_call(__u64 thread_id, const struct rustls_call *call)
{
	const struct rustls_call *known = bpf_map_lookup_elem(&rustls_calls, &thread_id);

	return known && known->cookie != call->cookie && known->self == call->self && known->sequence == call->sequence &&
	       known->result == call->result;
}

/* Returns whether it matters what the call returns. */
static __always_inline bool enter_rustls(struct pt_regs *ctx, __u64 cookie)
{
	__u64 id = bpf_get_current_pid_tgid();
	void *message = (void *)RUST_ARGUMENT_1(ctx);
	struct rustls_call call = {};
	struct tls_half *half;
	struct subject who = {};
	bool watched = watched_subject(&who);

	call.direction = (cookie & TLS_COOKIE_FUNCTION) == TLS_FUNCTION_RUSTLS_ENCRYPT ? TLS_WRITE : TLS_READ;
	if (!watched && (!tunables.discover_by_traffic || call.direction != TLS_WRITE || !reveals_rustls(&who, message)))
		return false;
	rustls_seen = 1;
	call.self = RUST_ARGUMENT_0(ctx);
	call.sequence = RUST_ARGUMENT_2(ctx);
	call.result = RUST_RESULT_PLACE(ctx);
	call.start_ns = bpf_ktime_get_ns();
	call.cookie = cookie;
	if (is_known_rustls_call(id, &call))
		return true;
	half = half_of(who.pid, call.self, call.direction, !call.sequence);
	if (half && half->doubted) {
		/* After an error the number stays, or nothing more comes: what was returned was none. */
		if (half->doubted == call.sequence)
			count_loss(LOSS_TLS_LAYOUT);
		half->doubted = 0;
	}
	if (call.direction == TLS_WRITE ? bpf_probe_read_user(&call.outbound, sizeof(call.outbound), message) :
					  bpf_probe_read_user(&call.inbound, sizeof(call.inbound), message)) {
		count_loss(LOSS_MEMORY_FAULT);
		return false;
	}
	if (half && call.direction == TLS_READ)
		bind_received(&who, &call.inbound, half);
	if (!bpf_map_update_elem(&rustls_calls, &id, &call, BPF_ANY))
		return true;
	count_loss(LOSS_TABLE_FULL);
	return false;
}

/* One record's plaintext on its way to user space. */
struct rustls_output {
	struct subject who;
	struct tls_slot *slot;
	struct tls_half half;
	__u64 start_ns;
	__u64 chunks;
	__u64 chunk_count;
	__u64 from; /* what of the chunks is meant */
	__u64 to;
	__u64 position;
	__u32 direction;
	__u32 library;
};

static __noinline int tell_piece(struct rustls_output *output, __u64 data, __u64 bytes)
{
	struct tls_slot *slot = output->slot;
	struct tls_data_event *event;
	__u64 size = bytes;

	if (!bytes)
		return 0;
	event = (void *)slot->record;
	if (size > CHUNK_BYTES) {
		size = CHUNK_BYTES;
		count_loss(LOSS_CALL_TOO_LONG);
	}
	event->connection = output->half.id;
	event->socket_id = output->half.socket_id;
	event->offset_bytes = output->half.offset_bytes;
	event->call_start_ns = output->start_ns;
	event->direction = output->direction;
	event->lost_bytes = bytes - size;
	event->is_half = 1;
	event->library = output->library;
	if (bpf_probe_read_user(event->data, size, (void *)data)) {
		event->lost_bytes = bytes;
		size = 0;
		count_loss(LOSS_MEMORY_FAULT);
	}
	event->data_bytes = size;
	fill_header(&event->header, EVENT_TLS_DATA, &output->who);
	output_record(event, sizeof(*event) + size);
	output->half.offset_bytes += bytes;
	return 0;
}

static long tell_chunk(__u32 index, void *context)
{
	struct rustls_output *output = context;
	struct rustls_slice slice;
	__u64 from = output->position, skip = 0;

	if (index >= output->chunk_count || from >= output->to)
		return 1;
	if (bpf_probe_read_user(&slice, sizeof(slice), (void *)(output->chunks + index * sizeof(slice)))) {
		count_loss(LOSS_MEMORY_FAULT);
		return 1;
	}
	output->position += slice.bytes;
	if (output->position <= output->from)
		return 0;
	if (from < output->from)
		skip = output->from - from;
	if (output->position > output->to)
		slice.bytes -= output->position - output->to;
	tell_piece(output, slice.data + skip, slice.bytes - skip);
	return 0;
}

/* Remembers what was encrypted: what is sent with these bytes tells the socket. */
static __always_inline bool expect_sent(const struct subject *who, const struct rustls_call *call, const struct tls_half *half)
{
	__u64 bytes = length_of(&call->outbound) + RECORD_HEAD_BYTES;
	struct tls_token_key key = { .pid = who->pid, .direction = TLS_WRITE };
	struct tls_token token = { .address = call->self, .half_id = half->id };
	struct rustls_encrypted result;

	if (bpf_probe_read_user(&result, sizeof(result), (void *)call->result)) {
		count_loss(LOSS_MEMORY_FAULT);
		return false;
	}
	if (!is_rustls_version(&call->outbound.kind) || result.bytes > result.capacity ||
	    result.bytes < bytes + RUSTLS_MIN_OVERHEAD || result.bytes > bytes + RUSTLS_MAX_OVERHEAD ||
	    bpf_probe_read_user(&key.token, 8, (void *)(result.payload + RECORD_HEAD_BYTES + TOKEN_OFFSET))) {
		count_loss(LOSS_TLS_LAYOUT);
		return false;
	}
	bpf_map_update_elem(&tls_tokens, &key, &token, BPF_ANY);
	return true;
}

static __always_inline void tell_encrypted(struct rustls_output *output, const struct rustls_outbound *outbound)
{
	if (!outbound->chunks) {
		tell_piece(output, outbound->first, outbound->start);
		return;
	}
	output->chunks = outbound->chunks;
	output->chunk_count = outbound->first;
	output->from = outbound->start;
	output->to = outbound->end;
	bpf_loop(MAX_OUTBOUND_CHUNKS, tell_chunk, output, 0);
}

/* Its plaintext, which lies within what was decrypted; 0 bytes when there is none to tell. */
static __always_inline struct rustls_slice decrypted_of(const struct rustls_call *call)
{
	const struct rustls_inbound *inbound = &call->inbound;
	struct rustls_slice slice = {};
	struct rustls_decrypted result;

	if (bpf_probe_read_user(&result, sizeof(result), (void *)call->result)) {
		count_loss(LOSS_MEMORY_FAULT);
		return slice;
	}
	if (!is_rustls_version(&result.kind) || result.bytes > inbound->bytes || result.payload < inbound->payload ||
	    result.payload - inbound->payload > inbound->bytes - result.bytes) {
		count_loss(LOSS_TLS_LAYOUT);
		return slice;
	}
	if (result.kind.type != RUSTLS_APPLICATION_DATA)
		return slice;
	slice.data = result.payload;
	slice.bytes = result.bytes;
	return slice;
}

/* `begun`: that the call began was seen for sure. */
static __always_inline int leave_rustls(__u64 cookie, bool begun)
{
	__u64 id = bpf_get_current_pid_tgid(), bytes;
	struct rustls_call *call = bpf_map_lookup_elem(&rustls_calls, &id);
	struct rustls_output output = {};
	struct tls_connection_key key;
	struct rustls_slice slice = {};
	struct tls_half *half;
	__u8 tag = 0;
	bool watched = watched_subject(&output.who);

	if (!call && begun && watched)
		count_loss(LOSS_TABLE_FULL);
	if (!call || !watched)
		return 0;
	key = half_key(output.who.pid, call->self, call->direction);
	half = bpf_map_lookup_elem(&tls_halves, &key);
	if (!half) {
		count_loss(LOSS_TABLE_FULL);
		goto done;
	}
	bpf_probe_read_user(&tag, sizeof(tag), (void *)call->result);
	if (!is_rustls_ok(tag)) {
		half->doubted = call->sequence + 1;
		goto done;
	}
	if (call->direction == TLS_WRITE) {
		if (!expect_sent(&output.who, call, half) || call->outbound.kind.type != RUSTLS_APPLICATION_DATA)
			goto done;
		bytes = length_of(&call->outbound);
	} else {
		slice = decrypted_of(call);
		bytes = slice.bytes;
	}
	if (!bytes)
		goto done;
	output.direction = call->direction;
	output.library = cookie >> 32;
	output.start_ns = call->start_ns;
	output.half = *half;
	output.slot = claim_slot(true);
	if (output.slot) {
		if (call->direction == TLS_WRITE)
			tell_encrypted(&output, &call->outbound);
		else
			tell_piece(&output, slice.data, slice.bytes);
		output.slot->busy = 0;
	}
	half->offset_bytes += bytes;
done:
	bpf_map_delete_elem(&rustls_calls, &id);
	return 0;
}

#endif
