// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Plaintext at the boundary of TLS libraries. These programs can be preempted: nothing per CPU. */

#define MAX_CHUNKS 4096

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} no_programs SEC(".maps");

/* The kernel keeps programs of different attach types apart. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} no_session_programs SEC(".maps");

/*
 * Never tail-calls: no cookie has such a function. But a program that can gets no private stack, which preemption would
 * corrupt (Linux >= 6.13).
 */
#define avoid_private_stack(ctx, cookie, no_programs)                         \
	do {                                                                  \
		if (((cookie) & TLS_COOKIE_FUNCTION) > TLS_FUNCTION_GO_CLOSE) \
			bpf_tail_call(ctx, no_programs, 0);                   \
	} while (0)

static __always_inline void free_connection(const struct subject *who, __u64 address)
{
	struct tls_connection_key key = tls_connection_key(who->pid, address);
	__u64 id = bpf_get_current_pid_tgid();
	struct tls_thread *thread = bpf_map_lookup_elem(&tls_threads, &id);
	struct tls_close_event *event;

	/* What this thread sends next belongs to another connection. */
	if (thread && thread->last_address == address)
		thread->last_address = 0;
	if (bpf_map_delete_elem(&tls_connections, &key))
		return;
	event = reserve_event(struct tls_close_event, EVENT_TLS_CLOSE, who);
	if (!event)
		return;
	event->connection = address;
	bpf_ringbuf_submit(event, 0);
}

/* Returns whether it matters what the call returns. */
static __always_inline bool enter_tls(struct pt_regs *ctx, __u64 cookie)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u64 address = FUNCTION_ARGUMENT_0(ctx), data = FUNCTION_ARGUMENT_1(ctx), asked_bytes = FUNCTION_ARGUMENT_2(ctx);
	__u64 fourth = FUNCTION_ARGUMENT_3(ctx), fifth = FUNCTION_ARGUMENT_4(ctx), stack = FUNCTION_STACK(ctx);
	__u32 function = cookie & TLS_COOKIE_FUNCTION, direction = direction_of(function);
	struct tls_connection *connection;
	struct tls_thread *thread;
	struct tls_call *call;
	struct subject who = {};
	bool watched = watched_subject(&who);

	if (!watched && (!tunables.discover_by_traffic || direction != TLS_WRITE || function == TLS_FUNCTION_FREE || cookie & TLS_COOKIE_NO_DATA))
		return false;
	if (function == TLS_FUNCTION_WRITE)
		asked_bytes &= 0xffffffff;
	if (!is_tls(cookie, address, fourth) || (!watched && !reveals(&who, data, asked_bytes)))
		return false;
	if (function == TLS_FUNCTION_FREE) {
		free_connection(&who, address);
		return false;
	}
	thread = thread_of(id);
	if (!thread)
		return false;
	call = begin_tls_call(thread, stack);
	if (!call)
		return false;
	call->address = address;
	call->data = data;
	call->asked_bytes = asked_bytes;
	call->length = cookie & TLS_COOKIE_LENGTH_FIFTH ? fifth : fourth;
	call->start_ns = bpf_ktime_get_ns();
	call->stack = stack;
	call->cookie = cookie;
	thread->last_address = address;
	if (direction == TLS_READ && thread->last_received_id) {
		connection = tls_connection_of(who.pid, address);
		if (connection && !connection->socket_id)
			connection->socket_id = thread->last_received_id;
		thread->last_received_id = 0;
	}
	return true;
}

SEC("uprobe")
int handle_tls_enter(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);

	avoid_private_stack(ctx, cookie, &no_programs);
	enter_tls(ctx, cookie);
	return 0;
}

/* One call's data on its way into records. */
struct tls_output {
	struct subject who;
	struct tls_call call;
	struct tls_slot *slot;
	__u64 socket_id;
	__u64 offset_bytes;
	__u64 bytes;
	__u64 ktime_ns; /* of the records; 0: now */
	__u32 direction;
	__u32 is_placed; /* socket_id and offset_bytes are known from before */
};

static long send_tls_chunk(__u32 index, void *context)
{
	struct tls_output *output = context;
	struct tls_data_event *event;
	struct tls_slot *slot = output->slot;
	__u64 done = (__u64)index * CHUNK_BYTES, left = output->bytes - done, bytes = left;

	if (done >= output->bytes)
		return 1;
	if (bytes > CHUNK_BYTES)
		bytes = CHUNK_BYTES;
	event = (void *)slot->record;
	event->connection = output->call.address;
	event->socket_id = output->socket_id;
	event->offset_bytes = output->offset_bytes + done;
	event->call_start_ns = output->call.start_ns;
	event->direction = output->direction;
	event->data_bytes = bytes;
	event->lost_bytes = 0;
	event->is_half = 0;
	event->library = output->call.cookie >> 32;
	if (index == MAX_CHUNKS - 1 && left > bytes) {
		event->lost_bytes = left - bytes;
		count_loss(LOSS_CALL_TOO_LONG);
	}
	if (!output->call.data) {
		event->lost_bytes = output->bytes;
		event->data_bytes = 0;
		bytes = 0;
		output->bytes = 0;
		count_loss(LOSS_MEMORY_FAULT);
	} else if (bpf_probe_read_user(event->data, bytes, (void *)(output->call.data + done))) {
		event->lost_bytes += bytes;
		event->data_bytes = 0;
		bytes = 0;
		count_loss(LOSS_MEMORY_FAULT);
	}
	fill_header(&event->header, EVENT_TLS_DATA, &output->who);
	if (output->ktime_ns)
		event->header.ktime_ns = output->ktime_ns;
	output_record(event, sizeof(*event) + bytes);
	return 0;
}

/* Tells what a call moved. */
static __noinline int tell_tls_call(struct tls_output *output, __u64 bytes)
{
	__u32 index = (output->direction - 1) & 1;
	struct tls_connection *connection;
	struct tls_slot *slot;

	slot = claim_slot(true);
	output->bytes = bytes;
	connection = output->is_placed ? NULL : tls_connection_of(output->who.pid, output->call.address);
	if (connection) {
		output->offset_bytes = __sync_fetch_and_add(&connection->offset_bytes[index], bytes);
		output->socket_id = connection->socket_id;
	} else if (!output->is_placed) {
		count_loss(LOSS_TABLE_FULL);
	}
	if (!slot)
		return 0;
	output->slot = slot;
	bpf_loop(MAX_CHUNKS, send_tls_chunk, output, 0);
	slot->busy = 0;
	return 0;
}

/* `begun`: that the call began was seen for sure. */
static __always_inline int return_from_tls(struct pt_regs *ctx, bool begun)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct tls_output output = {};
	struct tls_thread *thread;
	__u64 bytes;
	bool watched = watched_subject(&output.who);

	thread = bpf_map_lookup_elem(&tls_threads, &id);
	if (!watched)
		return 0;
	if (!thread && begun)
		count_loss(LOSS_TABLE_FULL);
	if (!thread || !end_tls_call(thread, FUNCTION_STACK(ctx) - RETURN_ADDRESS_BYTES, &output.call))
		return 0;
	output.direction = direction_of(output.call.cookie & TLS_COOKIE_FUNCTION);
	bytes = moved_bytes(&output.call, FUNCTION_RESULT(ctx));
	if (bytes)
		tell_tls_call(&output, bytes);
	return 0;
}

SEC("uretprobe")
int handle_tls_return(struct pt_regs *ctx)
{
	avoid_private_stack(ctx, bpf_get_attach_cookie(ctx), &no_programs);
	return return_from_tls(ctx, false);
}

/* Both ends of a call, where the kernel has that (Linux 6.13): whoever is not watched does not pay for the return. */
SEC("uprobe")
int handle_tls_session(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);

	avoid_private_stack(ctx, cookie, &no_session_programs);
	if (bpf_get_func_ip(ctx) != FUNCTION_PLACE(ctx))
		return return_from_tls(ctx, true);
	return !enter_tls(ctx, cookie);
}
