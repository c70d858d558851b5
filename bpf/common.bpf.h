/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What all parts share: the ring, sequence numbers, loss counters, who is watched, and scratch memory. */
#ifndef UNDERSIGHT_COMMON_BPF_H
#define UNDERSIGHT_COMMON_BPF_H

const volatile struct tunables tunables = {};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 << 20);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LOSS_REASONS);
	__type(key, __u32);
	__type(value, __u64);
} losses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} sequences SEC(".maps");

/* By thread group: the processes that are watched. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct target);
} targets SEC(".maps");

/* Users whose processes are left alone, unless they descend from a watched one: real uids, initial namespace. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u8);
} excluded_users SEC(".maps");

/* What only the kernel side keeps about a watched process. */
struct process {
	__s32 highest_fd; /* that has an account */
	__u32 blind_spots_told;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct process);
} processes SEC(".maps");

#define PATH_BYTES 4096
#define NAME_BYTES 256
#define RECORD_BYTES (128 + 4 * PATH_BYTES)

/* Where programs that cannot be preempted build a record. */
struct scratch {
	const struct dentry *dentry; /* walk_step's position */
	const struct mount *mount;
	__u64 at;
	char path[PATH_BYTES + NAME_BYTES];
	char record[RECORD_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/* On whose behalf something happens. */
struct subject {
	__u64 start_ns;
	__u32 pid;
	__u32 tid;
};

static __always_inline struct scratch *get_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratches, &zero);
}

static __always_inline void count_loss(enum loss reason)
{
	__u32 index = reason;
	__u64 *count = bpf_map_lookup_elem(&losses, &index);

	if (count)
		__sync_fetch_and_add(count, 1);
}

static __always_inline __u64 next_sequence(void)
{
	__u32 zero = 0;
	__u64 *sequence = bpf_map_lookup_elem(&sequences, &zero);

	return sequence ? __sync_fetch_and_add(sequence, 1) : 0;
}

static __always_inline void fill_header(struct event_header *header, enum event_kind kind, const struct subject *who)
{
	header->ktime_ns = bpf_ktime_get_ns();
	header->sequence = next_sequence();
	header->start_ns = who->start_ns;
	header->kind = kind;
	header->cpu = bpf_get_smp_processor_id();
	header->pid = who->pid;
	header->tid = who->tid;
}

/* Room in the ring for a record of fixed size, its header filled in; NULL when there is none. */
#define reserve_event(type, kind, who)                                         \
	({                                                                     \
		type *event_ = bpf_ringbuf_reserve(&events, sizeof(type), 0);  \
		if (event_) {                                                  \
			fill_header(&event_->header, kind, who);               \
		} else {                                                       \
			next_sequence();                                       \
			count_loss(LOSS_RING_FULL);                            \
		}                                                              \
		event_;                                                        \
	})

/* Sends the first `bytes` of a record whose header is filled in. */
static __always_inline void output_record(void *record, __u64 bytes)
{
	if (bpf_ringbuf_output(&events, record, bytes, 0))
		count_loss(LOSS_RING_FULL);
}

/* Its fields, and theirs, can be read without a helper. */
static __always_inline struct task_struct *current_task(void)
{
	return (void *)bpf_get_current_task_btf();
}

static __always_inline __u64 start_of(const struct task_struct *task)
{
	return BPF_CORE_READ(task, group_leader, start_time);
}

/* Never ourselves: what we tell would give us more to tell. */
static __always_inline struct target *find_target(__u32 pid)
{
	return pid == tunables.own_pid ? NULL : bpf_map_lookup_elem(&targets, &pid);
}

/* Whether the current process is of a user who is left alone. */
static __always_inline bool is_excluded_user(void)
{
	__u32 uid = bpf_get_current_uid_gid();

	return bpf_map_lookup_elem(&excluded_users, &uid);
}

/* The current process, when it is watched. */
static __always_inline bool watched_subject(struct subject *who)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct target *target;

	who->pid = id >> 32;
	who->tid = id;
	target = find_target(who->pid);
	if (!target)
		return false;
	if (!target->start_ns)
		target->start_ns = current_task()->group_leader->start_time;
	who->start_ns = target->start_ns;
	return true;
}

static __always_inline struct process *process_of(__u32 pid)
{
	struct process fresh = { .highest_fd = -1 };
	struct process *process = bpf_map_lookup_elem(&processes, &pid);

	if (process)
		return process;
	if (bpf_map_update_elem(&processes, &pid, &fresh, BPF_NOEXIST) == -7 /* E2BIG */)
		count_loss(LOSS_TABLE_FULL);
	return bpf_map_lookup_elem(&processes, &pid);
}

static __always_inline void tell_blind_spot(const struct subject *who, enum blind_spot reason)
{
	struct process *process = process_of(who->pid);
	struct blind_spot_event *event;

	if (!process || process->blind_spots_told & (1u << reason))
		return;
	event = reserve_event(struct blind_spot_event, EVENT_BLIND_SPOT, who);
	if (!event)
		return;
	process->blind_spots_told |= 1u << reason;
	event->reason = reason;
	event->padding = 0;
	bpf_ringbuf_submit(event, 0);
}

#endif
