// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * Plaintext at the boundary of OpenSSL, and which socket carries it. These programs can be preempted: nothing per CPU.
 * Which socket: no field of OpenSSL's structs is read. A thread that moves TLS records on a socket does so for the
 * connection object of its TLS call: within the call for sure, after it (memory BIOs) most likely.
 */

#define CHUNK_BYTES 16384
#define MAX_CHUNKS 4096
#define SLOTS 64
#define MAX_SLOT_TRIES 16
#define REQUEST_LINE_BYTES 160

enum tls_function {
	TLS_FUNCTION_READ = 1,
	TLS_FUNCTION_READ_EX = 2,
	TLS_FUNCTION_WRITE = 3,
	TLS_FUNCTION_WRITE_EX = 4,
	TLS_FUNCTION_FREE = 5,
};

struct tls_connection_key {
	__u64 address; /* of the library's connection object */
	__u32 pid;
	__u32 padding;
};

struct tls_connection {
	__u64 offset_bytes[2]; /* by direction - 1 */
	__u64 socket_id;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct tls_connection_key);
	__type(value, struct tls_connection);
} tls_connections SEC(".maps");

struct tls_call {
	__u64 address;
	__u64 data;
	__u64 length; /* where the function puts how much it moved, or 0 */
	__u64 start_ns;
};

/* Reads and writes may nest in one another. */
struct tls_thread {
	struct tls_call calls[2]; /* by direction - 1 */
	__u64 last_address;
	__u64 last_received_id; /* the socket that TLS records were received from since the last read call */
	__u32 inner;            /* direction of the innermost call that is going on, or 0 */
	__u32 padding;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct tls_thread);
} tls_threads SEC(".maps");

struct tls_slot {
	__u32 busy;
	__u32 padding;
	char record[sizeof(struct tls_data_event) + CHUNK_BYTES] __attribute__((aligned(8)));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SLOTS);
	__type(key, __u32);
	__type(value, struct tls_slot);
} tls_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} no_programs SEC(".maps");

static __always_inline struct tls_thread *thread_of(__u64 id)
{
	struct tls_thread fresh = {};
	struct tls_thread *thread = bpf_map_lookup_elem(&tls_threads, &id);

	if (thread)
		return thread;
	bpf_map_update_elem(&tls_threads, &id, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&tls_threads, &id);
}

static __always_inline struct tls_connection *tls_connection_of(__u32 pid, __u64 address)
{
	struct tls_connection_key key = { .pid = pid, .address = address };
	struct tls_connection fresh = {};
	struct tls_connection *connection = bpf_map_lookup_elem(&tls_connections, &key);

	if (connection)
		return connection;
	bpf_map_update_elem(&tls_connections, &key, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&tls_connections, &key);
}

/* TLS records moved on a socket: binds it to the connection object this thread is busy with. */
static __noinline int bind_tls(const struct subject *who, __u64 socket_id, bool out)
{
	__u64 id = (__u64)who->pid << 32 | who->tid;
	struct tls_thread *thread = bpf_map_lookup_elem(&tls_threads, &id);
	struct tls_connection *connection;
	__u64 address;

	if (thread && thread->inner) {
		address = thread->calls[(thread->inner - 1) & 1].address;
		connection = tls_connection_of(who->pid, address);
		if (connection)
			connection->socket_id = socket_id;
		return 0;
	}
	if (!out) {
		thread = thread_of(id);
		if (thread)
			thread->last_received_id = socket_id;
		return 0;
	}
	if (!thread || !thread->last_address)
		return 0;
	connection = tls_connection_of(who->pid, thread->last_address);
	if (connection && !connection->socket_id)
		connection->socket_id = socket_id;
	return 0;
}

static __always_inline enum tls_direction direction_of(enum tls_function function)
{
	return function >= TLS_FUNCTION_WRITE ? TLS_WRITE : TLS_READ;
}

static __always_inline void free_connection(const struct subject *who, __u64 address)
{
	struct tls_connection_key key = { .pid = who->pid, .address = address };
	struct tls_close_event *event;

	if (bpf_map_delete_elem(&tls_connections, &key))
		return;
	event = reserve_event(struct tls_close_event, EVENT_TLS_CLOSE, who);
	if (!event)
		return;
	event->connection = address;
	bpf_ringbuf_submit(event, 0);
}

SEC("uprobe")
int handle_tls_enter(struct pt_regs *ctx)
{
	__u32 function = bpf_get_attach_cookie(ctx), direction;
	__u64 id = bpf_get_current_pid_tgid(), address = FUNCTION_ARGUMENT_0(ctx);
	struct tls_connection *connection;
	struct tls_thread *thread;
	struct tls_call *call;
	struct subject who;
	bool watched = watched_subject(&who);

	if (function == TLS_FUNCTION_FREE) {
		if (watched)
			free_connection(&who, address);
		return 0;
	}
	/* Never taken. A program that can tail-call gets no private stack, which preemption would corrupt (Linux >= 6.13). */
	if (function > TLS_FUNCTION_FREE)
		bpf_tail_call(ctx, &no_programs, 0);
	direction = direction_of(function);
	if (!watched && (!tunables.discover_by_traffic || direction != TLS_WRITE || who.pid == tunables.own_pid))
		return 0;
	thread = thread_of(id);
	if (!thread)
		return 0;
	call = &thread->calls[(direction - 1) & 1];
	call->address = address;
	call->data = FUNCTION_ARGUMENT_1(ctx);
	call->length = function == TLS_FUNCTION_READ_EX || function == TLS_FUNCTION_WRITE_EX ? FUNCTION_ARGUMENT_3(ctx) : 0;
	call->start_ns = bpf_ktime_get_ns();
	thread->inner = direction;
	thread->last_address = address;
	if (direction == TLS_READ && thread->last_received_id) {
		connection = tls_connection_of(who.pid, address);
		if (connection && !connection->socket_id)
			connection->socket_id = thread->last_received_id;
		thread->last_received_id = 0;
	}
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
	__u32 direction;
	__u32 padding;
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
	event->padding = 0;
	if (index == MAX_CHUNKS - 1 && left > bytes) {
		event->lost_bytes = left - bytes;
		count_loss(LOSS_CALL_TOO_LONG);
	}
	if (bpf_probe_read_user(event->data, bytes, (void *)(output->call.data + done))) {
		event->lost_bytes += bytes;
		event->data_bytes = 0;
		bytes = 0;
		count_loss(LOSS_MEMORY_FAULT);
	}
	fill_header(&event->header, EVENT_TLS_DATA, &output->who);
	output_record(event, sizeof(*event) + bytes);
	return 0;
}

static __always_inline struct tls_slot *claim_slot(void)
{
	__u32 first = bpf_get_prandom_u32();
	struct tls_slot *slot;

	for (int attempt = 0; attempt < MAX_SLOT_TRIES; attempt++) {
		__u32 index = (first + attempt) & (SLOTS - 1);

		slot = bpf_map_lookup_elem(&tls_slots, &index);
		if (slot && __sync_val_compare_and_swap(&slot->busy, 0, 1) == 0)
			return slot;
	}
	count_loss(LOSS_SCRATCH_BUSY);
	return NULL;
}

struct request_search {
	const char *line;
	__u32 found;
	__u32 padding;
};

/* Whether the first bytes of a little-endian word are those of `text`. */
static __always_inline bool begins(__u64 word, const char *text, int bytes)
{
	__u64 wanted = 0;

	for (int index = 0; index < bytes; index++)
		wanted |= (__u64)(__u8)text[index] << (8 * index);
	return (word ^ wanted) << (64 - 8 * bytes) == 0;
}

/* Whether the path of an LLM API begins at byte `index` of a request line. */
static long search_step(__u32 index, void *context)
{
	struct request_search *search = context;
	const char *at;
	__u64 first, second;

	if (index >= REQUEST_LINE_BYTES)
		return 1;
	at = search->line + index;
	if (*at == '\r' || *at == '\n')
		return 1;
	__builtin_memcpy(&first, at, 8);
	__builtin_memcpy(&second, at + 8, 8);
	if ((begins(first, "/message", 8) && begins(second, "s", 1)) ||
	    (begins(first, "/respons", 8) && begins(second, "es", 2)) ||
	    (begins(first, "/chat/co", 8) && begins(second, "mpletion", 8)) ||
	    (begins(first, "generate", 8) && begins(second, "Content", 7))) {
		search->found = 1;
		return 1;
	}
	return 0;
}

/* Watches a process that sends a request to an LLM API, from this call on. */
static __always_inline bool discover(struct subject *who, const struct tls_call *call, struct tls_slot *slot, __u64 bytes)
{
	struct request_search search = { .line = slot->record };
	struct agent_seen_event *event;
	struct target target = {};

	if (bytes < 16)
		return false;
	if (bytes > REQUEST_LINE_BYTES + 16)
		bytes = REQUEST_LINE_BYTES + 16;
	__builtin_memset(slot->record, 0, REQUEST_LINE_BYTES + 16);
	if (bpf_probe_read_user(slot->record, bytes, (void *)call->data))
		return false;
	if (slot->record[0] != 'P' || slot->record[1] != 'O' || slot->record[2] != 'S' || slot->record[3] != 'T' || slot->record[4] != ' ')
		return false;
	bpf_loop(REQUEST_LINE_BYTES, search_step, &search, 0);
	if (!search.found)
		return false;
	who->start_ns = target.start_ns = start_of(current_task());
	if (bpf_map_update_elem(&targets, &who->pid, &target, BPF_NOEXIST))
		return true; /* another thread was first, or there is no room */
	event = reserve_event(struct agent_seen_event, EVENT_AGENT_SEEN, who);
	if (!event)
		return true;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	bpf_ringbuf_submit(event, 0);
	return true;
}

static __always_inline __u64 moved_bytes(__u32 function, const struct tls_call *call, int result)
{
	__u64 bytes = 0;

	if (result <= 0)
		return 0;
	if (function == TLS_FUNCTION_READ || function == TLS_FUNCTION_WRITE)
		return result;
	if (result == 1)
		bpf_probe_read_user(&bytes, sizeof(bytes), (void *)call->length);
	return bytes;
}

SEC("uretprobe")
int handle_tls_return(struct pt_regs *ctx)
{
	__u32 function = bpf_get_attach_cookie(ctx), index;
	__u64 id = bpf_get_current_pid_tgid();
	struct tls_output output = {};
	struct tls_connection *connection;
	struct tls_thread *thread;
	struct tls_slot *slot;
	bool watched = watched_subject(&output.who);

	/* Never taken: keeps the private stack away, see handle_tls_enter. */
	if (function > TLS_FUNCTION_FREE)
		bpf_tail_call(ctx, &no_programs, 0);
	thread = bpf_map_lookup_elem(&tls_threads, &id);
	if (!thread)
		return 0;
	output.direction = direction_of(function);
	index = (output.direction - 1) & 1;
	output.call = thread->calls[index];
	thread->calls[index].address = 0;
	thread->inner = thread->calls[index ^ 1].address ? 3 - output.direction : 0;
	if (!output.call.address)
		return 0;
	output.bytes = moved_bytes(function, &output.call, FUNCTION_RESULT(ctx));
	if (!output.bytes)
		return 0;
	if (!watched && output.direction != TLS_WRITE)
		return 0;
	slot = claim_slot();
	if (slot && !watched && !discover(&output.who, &output.call, slot, output.bytes)) {
		slot->busy = 0;
		return 0;
	}
	if (!watched && !slot)
		return 0;
	connection = tls_connection_of(output.who.pid, output.call.address);
	if (connection) {
		output.offset_bytes = __sync_fetch_and_add(&connection->offset_bytes[index], output.bytes);
		output.socket_id = connection->socket_id;
	} else {
		count_loss(LOSS_TABLE_FULL);
	}
	if (!slot)
		return 0;
	output.slot = slot;
	bpf_loop(MAX_CHUNKS, send_tls_chunk, &output, 0);
	slot->busy = 0;
	return 0;
}
