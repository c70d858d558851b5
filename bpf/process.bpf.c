// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Processes: fork, exec, exit; who is followed; a snapshot of all that run. */

#define FIRST_ARGS_BYTES 8192
#define ARGS_BYTES 16384
#define MAX_ARGS_RECORDS 512 /* 8 MiB; the kernel's own limit is 6 MiB */

SEC("raw_tp/sched_process_fork")
int handle_fork(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *parent = (void *)ctx->args[0], *child = (void *)ctx->args[1];
	struct target child_target = {}, *target;
	struct subject who = {};
	struct process_fork_event *event;
	__u32 parent_pid = BPF_CORE_READ(parent, tgid);

	who.pid = BPF_CORE_READ(child, tgid);
	who.tid = BPF_CORE_READ(child, pid);
	if (who.pid == parent_pid)
		return 0;
	target = find_target(parent_pid);
	if (!target) {
		/* An entry for a process that is only now being born belongs to one that had its pid before. */
		if (bpf_map_lookup_elem(&targets, &who.pid))
			bpf_map_delete_elem(&targets, &who.pid);
		return 0;
	}
	target->start_ns = start_of(parent);
	who.start_ns = child_target.start_ns = BPF_CORE_READ(child, start_time);
	if (bpf_map_update_elem(&targets, &who.pid, &child_target, BPF_ANY))
		count_loss(LOSS_TABLE_FULL);
	event = reserve_event(struct process_fork_event, EVENT_PROCESS_FORK, &who);
	if (!event)
		return 0;
	event->parent_start_ns = target->start_ns;
	event->parent_pid = parent_pid;
	event->parent_tid = BPF_CORE_READ(parent, pid);
	BPF_CORE_READ_INTO(&event->comm, child, comm);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

struct args_walk {
	__u64 start;
	__u64 bytes;
	__u64 first_bytes; /* in the exec record */
	struct subject who;
};

static long send_args(__u32 index, void *context)
{
	struct args_walk *walk = context;
	struct scratch *scratch = get_scratch();
	struct process_args_event *event;
	__u64 done = walk->first_bytes + (__u64)index * ARGS_BYTES, bytes = walk->bytes - done;

	if (!scratch || done >= walk->bytes)
		return 1;
	if (bytes > ARGS_BYTES)
		bytes = ARGS_BYTES;
	event = (void *)scratch->record;
	if (bpf_probe_read_user(event->data, bytes, (void *)(walk->start + done))) {
		count_loss(LOSS_MEMORY_FAULT);
	} else {
		fill_header(&event->header, EVENT_PROCESS_ARGS, &walk->who);
		event->offset_bytes = done;
		event->data_bytes = bytes;
		output_record(event, sizeof(*event) + bytes);
	}
	return 0;
}

static __always_inline __u32 innermost_pid(const struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, group_leader, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);
	struct upid *number = (void *)pid + bpf_core_field_offset(struct pid, numbers) + level * bpf_core_type_size(struct upid);

	return BPF_CORE_READ(number, nr);
}

SEC("raw_tp/sched_process_exec")
int handle_exec(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[0], *parent;
	struct scratch *scratch = get_scratch();
	struct args_walk walk = {};
	struct process_exec_event *event;
	struct fs_struct *fs;
	struct file *executable;
	__u64 end = sizeof(*event), bytes;
	__u32 watched = watched_subject(&walk.who);

	forget_tls_thread();
	if (!scratch)
		return 0;
	if (!watched && (!tunables.watch_all_execs || walk.who.pid == tunables.own_pid || is_excluded_user()))
		return 0;
	walk.who.start_ns = start_of(task);
	event = (void *)scratch->record;
	fill_header(&event->header, EVENT_PROCESS_EXEC, &walk.who);
	parent = BPF_CORE_READ(task, real_parent);
	event->parent_start_ns = start_of(parent);
	event->parent_pid = BPF_CORE_READ(parent, tgid);
	event->cgroup_id = bpf_get_current_cgroup_id();
	event->namespace_pid = innermost_pid(task);
	event->uid = BPF_CORE_READ(task, cred, uid.val);
	event->gid = BPF_CORE_READ(task, cred, gid.val);
	BPF_CORE_READ_INTO(&event->comm, task, comm);
	event->watched = watched;
	event->padding = 0;

	executable = BPF_CORE_READ(task, mm, exe_file);
	event->executable_bytes = executable ? append_path(end, &executable->f_path) : 0;
	end += event->executable_bytes;
	fs = BPF_CORE_READ(task, fs);
	event->cwd_bytes = fs ? append_path(end, &fs->pwd) : 0;
	end += event->cwd_bytes;

	walk.start = BPF_CORE_READ(task, mm, arg_start);
	walk.bytes = BPF_CORE_READ(task, mm, arg_end) - walk.start;
	event->args_total_bytes = walk.bytes;
	bytes = walk.bytes < FIRST_ARGS_BYTES ? walk.bytes : FIRST_ARGS_BYTES - 1;
	bytes &= FIRST_ARGS_BYTES - 1;
	if (end > RECORD_BYTES - FIRST_ARGS_BYTES)
		return 0;
	if (bpf_probe_read_user(&scratch->record[end], bytes, (void *)walk.start)) {
		count_loss(LOSS_MEMORY_FAULT);
		event->args_bytes = 0;
	} else {
		event->args_bytes = bytes;
	}
	end += event->args_bytes & (FIRST_ARGS_BYTES - 1);
	if (end <= RECORD_BYTES)
		output_record(event, end);
	walk.first_bytes = bytes;
	if (bytes < walk.bytes && bpf_loop(MAX_ARGS_RECORDS, send_args, &walk, 0) == MAX_ARGS_RECORDS)
		count_loss(LOSS_ARGS_TOO_LONG);
	if (watched)
		close_stale_accounts(&walk.who, 0, ~0u);
	return 0;
}

/* Processes that are being ended: threads may all have seen `live` at zero, and the one that has the entry tells. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u8);
} endings SEC(".maps");

static __always_inline int end_process(const struct subject *who, const struct task_struct *task,
				       const struct signal_struct *signal)
{
	struct process_exit_event *event;
	__u32 code;

	close_all_accounts(who);
	if (bpf_map_delete_elem(&targets, &who->pid))
		return 0;
	if (BPF_CORE_READ(signal, flags) & SIGNAL_GROUP_EXIT)
		code = BPF_CORE_READ(signal, group_exit_code);
	else
		code = BPF_CORE_READ(task, group_leader, exit_code);
	event = reserve_event(struct process_exit_event, EVENT_PROCESS_EXIT, who);
	if (!event)
		return 0;
	event->exit_code = (code >> 8) & 0xff;
	event->signal = code & 0x7f;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int handle_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	struct signal_struct *signal = BPF_CORE_READ(task, signal);
	struct subject who;
	__u8 ending = 1;
	bool watched;

	forget_tls_thread();
	if (BPF_CORE_READ(signal, live.counter) > 0)
		return 0;
	watched = watched_subject(&who);
	if (!watched && !bpf_map_lookup_elem(&processes, &who.pid))
		return 0;
	if (bpf_map_update_elem(&endings, &who.pid, &ending, BPF_NOEXIST))
		return 0;
	if (watched)
		end_process(&who, task, signal);
	else
		forget_accounts(who.pid);
	bpf_map_delete_elem(&endings, &who.pid);
	return 0;
}

SEC("iter/task")
int snapshot_processes(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task, *parent;
	struct process_snapshot snapshot = {};

	if (!task || BPF_CORE_READ(task, pid) != BPF_CORE_READ(task, tgid) || !BPF_CORE_READ(task, mm))
		return 0;
	parent = BPF_CORE_READ(task, real_parent);
	snapshot.start_ns = BPF_CORE_READ(task, start_time);
	snapshot.parent_start_ns = start_of(parent);
	snapshot.cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	snapshot.pid = BPF_CORE_READ(task, tgid);
	snapshot.parent_pid = BPF_CORE_READ(parent, tgid);
	snapshot.namespace_pid = innermost_pid(task);
	snapshot.uid = BPF_CORE_READ(task, cred, uid.val);
	snapshot.gid = BPF_CORE_READ(task, cred, gid.val);
	BPF_CORE_READ_INTO(&snapshot.comm, task, comm);
	bpf_seq_write(ctx->meta->seq, &snapshot, sizeof(snapshot));
	return 0;
}
