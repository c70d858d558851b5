/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Calls of Go's crypto/tls that are under way, by goroutine and how far their frame is from the stack's end. */
#ifndef UNDERSIGHT_GO_CALL_BPF_H
#define UNDERSIGHT_GO_CALL_BPF_H

struct go_process {
	__u32 pid;
	__u32 exec_id;
};

struct go_call_key {
	__u64 goroutine;
	__u64 depth; /* of the caller's frame, from the stack's end: calls may nest (TLS within TLS) */
	__u32 pid;
	__u32 exec_id;
};

struct go_call {
	struct tls_call call; /* `data` is a distance from the stack's end where `is_on_stack` */
	__u64 offset_bytes;   /* of what a write is asked to write; of the connection, when a read began */
	__u64 socket_id;      /* of the connection, when the call began */
	__u32 is_on_stack;
	__u32 is_placed; /* these two are known */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct go_call_key);
	__type(value, struct go_call);
} go_calls SEC(".maps");

/* Reads of processes that nobody watches: apart, so that they push out none that is watched. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct go_call_key);
	__type(value, struct go_call);
} stranger_go_calls SEC(".maps");

/* When a process was revealed, by which goroutine's write: that one was in no other call. */
struct go_revelation {
	__u64 goroutine;
	__u64 ktime_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct go_process);
	__type(value, struct go_revelation);
} go_revelations SEC(".maps");

/* Of which files, by number, the returns are probed: user space says so once they are. Of others a write is told when it begins. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 2048);
	__type(key, __u32);
	__type(value, __u32);
} go_returns SEC(".maps");

/* Its first fields say where the goroutine's stack begins and ends: runtime.g in Go's src/runtime/runtime2.go. */
struct go_stack {
	__u64 low;
	__u64 high;
};

static __always_inline bool find_go_call(struct pt_regs *ctx, __u32 pid, bool watched, struct go_call_key *key, struct go_stack *stack)
{
	key->goroutine = GO_GOROUTINE(ctx);
	key->pid = pid;
	key->exec_id = current_task()->self_exec_id;
	if (bpf_probe_read_user(stack, sizeof(*stack), (void *)key->goroutine)) {
		if (watched)
			count_loss(LOSS_MEMORY_FAULT);
		return false;
	}
	key->depth = stack->high - GO_STACK_POINTER(ctx);
	return true;
}

/* Of a process that is watched by now, it may have begun before. */
static __always_inline struct go_call *go_call_of(const struct go_call_key *key)
{
	struct go_call *call = bpf_map_lookup_elem(&go_calls, key);

	return call ? call : bpf_map_lookup_elem(&stranger_go_calls, key);
}

static __always_inline void forget_go_call(const struct go_call_key *key)
{
	if (bpf_map_delete_elem(&go_calls, key))
		bpf_map_delete_elem(&stranger_go_calls, key);
}

/* Whether another link on the same instruction has told of this call: a file may be attached under two device numbers (overlayfs). */
static __always_inline bool is_known_go_call(const struct go_call_key *key, const struct tls_call *call, __u64 cookie)
{
	const struct go_call *known = go_call_of(key);

	return known && known->call.cookie != cookie && known->call.address == call->address && known->call.data == call->data &&
	       known->call.asked_bytes == call->asked_bytes;
}

#endif
