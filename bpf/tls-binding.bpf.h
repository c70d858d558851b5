/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Connections of TLS libraries, and which socket carries each. No field of their structs is read: a thread that moves TLS
 * records on a socket does so for the connection object of its TLS call, within the call for sure, after it (memory BIOs)
 * most likely.
 */
#ifndef UNDERSIGHT_TLS_BINDING_BPF_H
#define UNDERSIGHT_TLS_BINDING_BPF_H

struct tls_connection_key {
	__u64 address; /* of the library's connection object */
	__u32 pid;
	__u32 exec_id; /* another program of the same process may have its own object there */
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
	__u64 asked_bytes;
	__u64 length; /* where the function puts how much it moved, or 0 */
	__u64 start_ns;
	__u64 stack; /* the stack pointer when it began */
	__u64 cookie;
};

#define MAX_NESTED 4

/* Calls nest: of another direction, of the connection that carries this one, of functions that are built on one another. */
struct tls_thread {
	struct tls_call calls[MAX_NESTED];
	__u64 last_address;
	__u64 last_received_id; /* the socket that TLS records were received from since the last read call */
	__u32 depth;            /* how many calls are going on */
	__u32 padding;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct tls_thread);
} tls_threads SEC(".maps");

static __always_inline struct tls_connection_key tls_connection_key(__u32 pid, __u64 address)
{
	return (struct tls_connection_key){ .address = address, .pid = pid, .exec_id = current_task()->self_exec_id };
}

/* When the current thread ends, or becomes another program: nothing it was busy with goes on. */
static __always_inline void forget_tls_thread(void)
{
	__u64 id = bpf_get_current_pid_tgid();

	if (bpf_map_lookup_elem(&tls_threads, &id))
		bpf_map_delete_elem(&tls_threads, &id);
}

/* All zero: too big for the stack of programs that call one another. */
struct tls_thread fresh_tls_thread;

static __always_inline struct tls_thread *thread_of(__u64 id)
{
	struct tls_thread *thread = bpf_map_lookup_elem(&tls_threads, &id);

	if (thread)
		return thread;
	bpf_map_update_elem(&tls_threads, &id, &fresh_tls_thread, BPF_NOEXIST);
	return bpf_map_lookup_elem(&tls_threads, &id);
}

/* Apart: each copy of it within another function would take more of the stack. */
static __noinline struct tls_connection *tls_connection_of(__u32 pid, __u64 address)
{
	struct tls_connection_key key = tls_connection_key(pid, address);
	struct tls_connection fresh = {};
	struct tls_connection *connection = bpf_map_lookup_elem(&tls_connections, &key);

	if (connection)
		return connection;
	bpf_map_update_elem(&tls_connections, &key, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&tls_connections, &key);
}

/* Which connection object a goroutine is busy with. Its thread cannot tell: while it waits, others run there. */
struct goroutine_key {
	__u64 address;
	__u32 pid;
	__u32 exec_id;
};

struct goroutine {
	__u64 address;   /* of the connection object */
	__u64 socket_id; /* that TLS records moved on since the call began, or 0 */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct goroutine_key);
	__type(value, struct goroutine);
} goroutines SEC(".maps");

static __always_inline struct goroutine_key goroutine_key(__u32 pid, __u64 address)
{
	return (struct goroutine_key){ .address = address, .pid = pid, .exec_id = current_task()->self_exec_id };
}

/* Binds a socket to the connection object that the goroutine in this system call is busy with; false where there is none. */
static __always_inline bool bind_goroutine(const struct subject *who, __u64 socket_id)
{
	const struct pt_regs *regs = (void *)bpf_task_pt_regs((void *)bpf_get_current_task_btf());
	struct goroutine_key key = goroutine_key(who->pid, GO_SYSCALL_GOROUTINE(regs));
	struct goroutine *goroutine = bpf_map_lookup_elem(&goroutines, &key);
	struct tls_connection *connection;

	if (!goroutine)
		return false;
	goroutine->socket_id = socket_id;
	connection = tls_connection_of(who->pid, goroutine->address);
	if (connection)
		connection->socket_id = socket_id;
	return true;
}

/* TLS records moved on a socket: binds it to the connection object this thread is busy with. */
static __noinline int bind_tls(const struct subject *who, __u64 socket_id, bool out)
{
	__u64 id = (__u64)who->pid << 32 | who->tid;
	struct tls_thread *thread = bpf_map_lookup_elem(&tls_threads, &id);
	struct tls_connection *connection;

	if (bind_goroutine(who, socket_id))
		return 0;
	if (thread && thread->depth) {
		for (__u32 i = 0; i < MAX_NESTED && i < thread->depth; i++) {
			connection = tls_connection_of(who->pid, thread->calls[i].address);
			/* The innermost sent this; those around it are carried by it. */
			if (connection && (i + 1 == thread->depth || !connection->socket_id))
				connection->socket_id = socket_id;
		}
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

#endif
