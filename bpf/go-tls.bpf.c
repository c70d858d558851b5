// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/*
 * Plaintext at the boundary of Go's crypto/tls: methods of a connection that take a slice, and return how much of it they
 * moved. A goroutine may go on in another thread before it returns, and its stack may have moved to another place by then:
 * what stays is how far a frame is from the stack's end. These programs can be preempted: nothing per CPU.
 */

/*
 * A write is told as of its beginning: its answer may be read before it returns. But not as of a time that user space has
 * already put in order (`reorder_window` is 50 ms by default).
 */
#define MAX_WRITE_AGE_NS 40000000ull

/*
 * Returns are probed only once somebody watched runs the file: a read that returned between the request that revealed its
 * process and that moment has left its entry behind, which the next read of the same goroutine finds.
 */
static __always_inline void tell_missed_read(const struct subject *who, const struct go_call_key *key, const struct go_call *next)
{
	const struct go_call *missed = go_call_of(key);
	struct go_process process = { .pid = key->pid, .exec_id = key->exec_id };
	const struct go_revelation *revelation;
	struct tls_connection *connection;
	struct tls_data_event *event;

	if (!missed || missed->call.cookie != next->call.cookie || missed->call.address != next->call.address)
		return;
	revelation = bpf_map_lookup_elem(&go_revelations, &process);
	if (!revelation || (missed->call.start_ns < revelation->ktime_ns && revelation->goroutine == key->goroutine))
		return;
	connection = tls_connection_of(who->pid, next->call.address);
	if (!connection)
		return;
	event = reserve_event(struct tls_data_event, EVENT_TLS_DATA, who);
	if (!event)
		return;
	event->connection = next->call.address;
	event->socket_id = connection->socket_id;
	event->offset_bytes = __sync_fetch_and_add(&connection->offset_bytes[TLS_READ - 1], 1);
	event->call_start_ns = next->call.start_ns;
	event->direction = TLS_READ;
	event->data_bytes = 0;
	event->lost_bytes = 1; /* or more */
	event->is_half = 0;
	event->library = next->call.cookie >> 32;
	bpf_ringbuf_submit(event, 0);
}

static __always_inline void remember_revelation(const struct go_call_key *key, __u64 ktime_ns)
{
	struct go_process process = { .pid = key->pid, .exec_id = key->exec_id };
	struct go_revelation revelation = { .goroutine = key->goroutine, .ktime_ns = ktime_ns };

	bpf_map_update_elem(&go_revelations, &process, &revelation, BPF_ANY);
}

static __always_inline bool is_return_probed(__u64 cookie)
{
	__u32 number = cookie >> 32;

	return bpf_map_lookup_elem(&go_returns, &number);
}

/* A write that fails is the last one of its connection: it may well be told as done. */
static __noinline int tell_whole_write(const struct subject *who, const struct tls_call *call)
{
	struct tls_output output = { .who = *who, .call = *call, .direction = TLS_WRITE };

	return call->asked_bytes ? tell_tls_call(&output, call->asked_bytes) : 0;
}

SEC("uprobe")
int handle_go_enter(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	enum tls_function function = cookie & TLS_COOKIE_FUNCTION;
	__u64 address = GO_ARGUMENT_0(ctx), data = GO_ARGUMENT_1(ctx);
	struct goroutine goroutine = { .address = address };
	struct goroutine_key goroutine_id;
	struct tls_connection *connection;
	struct go_call call = {};
	struct go_call_key key;
	struct go_stack stack;
	struct subject who;
	bool watched = watched_subject(&who), is_revealing = false;

	if (function == TLS_FUNCTION_GO_CLOSE) {
		if (watched)
			free_connection(&who, address);
		return 0;
	}
	avoid_private_stack(ctx, cookie, &no_programs);
	if (!watched && (!tunables.discover_by_traffic || who.pid == tunables.own_pid || is_excluded_user()))
		return 0;
	call.call.address = address;
	call.call.data = data;
	call.call.asked_bytes = GO_ARGUMENT_2(ctx);
	call.call.cookie = cookie;
	/* That an answer is awaited must be known before the request is seen that reveals the process. */
	if (!watched && function == TLS_FUNCTION_GO_WRITE) {
		if (!reveals(&who, data, call.call.asked_bytes))
			return 0;
		watched = is_revealing = true;
	}
	if (!find_go_call(ctx, who.pid, watched, &key, &stack))
		return 0;
	call.is_on_stack = data >= stack.low && data < stack.high;
	if (call.is_on_stack)
		call.call.data = stack.high - data;
	if (is_known_go_call(&key, &call.call, cookie))
		return 0;
	call.call.start_ns = bpf_ktime_get_ns();
	if (is_revealing)
		remember_revelation(&key, call.call.start_ns);
	if (watched && function == TLS_FUNCTION_GO_READ)
		tell_missed_read(&who, &key, &call);
	if (watched && function == TLS_FUNCTION_GO_WRITE && !is_return_probed(cookie)) {
		call.call.data = data;
		goroutine_id = goroutine_key(who.pid, key.goroutine);
		bpf_map_update_elem(&goroutines, &goroutine_id, &goroutine, BPF_ANY);
		tell_whole_write(&who, &call.call);
		return 0;
	}
	connection = watched ? tls_connection_of(who.pid, address) : NULL;
	if (connection) {
		call.is_placed = 1;
		call.socket_id = connection->socket_id;
		if (function == TLS_FUNCTION_GO_READ)
			call.offset_bytes = connection->offset_bytes[TLS_READ - 1];
		else /* Now: the next one may return first. */
			call.offset_bytes = __sync_fetch_and_add(&connection->offset_bytes[TLS_WRITE - 1], call.call.asked_bytes);
	}
	if (!watched) {
		/* Nobody may come to see the end of it. */
		bpf_map_update_elem(&stranger_go_calls, &key, &call, BPF_ANY);
		return 0;
	}
	bpf_map_delete_elem(&stranger_go_calls, &key);
	bpf_map_update_elem(&go_calls, &key, &call, BPF_ANY);
	goroutine_id = goroutine_key(who.pid, key.goroutine);
	bpf_map_update_elem(&goroutines, &goroutine_id, &goroutine, BPF_ANY);
	return 0;
}

/* What the goroutine's call used, if that is still known: the socket, or 0. */
static __always_inline __u64 end_goroutine(__u32 pid, __u64 goroutine, __u64 address)
{
	struct goroutine_key key = goroutine_key(pid, goroutine);
	struct goroutine *known = bpf_map_lookup_elem(&goroutines, &key);
	__u64 socket_id;

	if (!known || known->address != address)
		return 0;
	socket_id = known->socket_id;
	bpf_map_delete_elem(&goroutines, &key);
	return socket_id;
}

SEC("uprobe")
int handle_go_return(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	enum tls_function function = cookie & TLS_COOKIE_FUNCTION;
	struct tls_output output = {};
	struct tls_connection_key connection_id;
	struct tls_connection *connection;
	struct go_call_key key;
	struct go_stack stack;
	struct go_call *call;
	bool watched = watched_subject(&output.who);
	bool is_placed;
	__s64 moved = GO_RESULT_0(ctx);
	__u64 socket_id;

	avoid_private_stack(ctx, cookie, &no_programs);
	if (!watched && !tunables.discover_by_traffic)
		return 0;
	if (!find_go_call(ctx, output.who.pid, watched, &key, &stack))
		return 0;
	call = go_call_of(&key);
	/* What is left of a call whose end nobody saw is none of this one. */
	if (!call || (call->call.cookie & TLS_COOKIE_FUNCTION) != function)
		return 0;
	output.direction = function == TLS_FUNCTION_GO_WRITE ? TLS_WRITE : TLS_READ;
	output.call = call->call;
	if (call->is_on_stack)
		output.call.data = stack.high - output.call.data;
	output.offset_bytes = call->offset_bytes;
	output.socket_id = call->socket_id;
	is_placed = call->is_placed;
	forget_go_call(&key);
	socket_id = end_goroutine(output.who.pid, key.goroutine, output.call.address);
	if (socket_id)
		output.socket_id = socket_id;
	connection_id = tls_connection_key(output.who.pid, output.call.address);
	connection = bpf_map_lookup_elem(&tls_connections, &connection_id);
	/* Other goroutines may have read the answer, written more, and closed, before this one got to return. */
	output.is_placed = is_placed && (!connection || output.direction == TLS_WRITE);
	if (output.direction == TLS_WRITE) {
		output.ktime_ns = bpf_ktime_get_ns() - MAX_WRITE_AGE_NS;
		if (output.ktime_ns < output.call.start_ns)
			output.ktime_ns = output.call.start_ns;
		/* A write that fails is the last one of its connection. */
		if (is_placed && connection && moved < (__s64)output.call.asked_bytes)
			__sync_fetch_and_sub(&connection->offset_bytes[TLS_WRITE - 1], output.call.asked_bytes - (moved > 0 ? moved : 0));
	}
	if (moved > 0 && watched)
		tell_tls_call(&output, moved);
	return 0;
}
