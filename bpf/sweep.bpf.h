/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The end of descriptors: accounts of what is closed are told for the last time, and go. */
#ifndef UNDERSIGHT_SWEEP_BPF_H
#define UNDERSIGHT_SWEEP_BPF_H

#define MAX_SWEPT_DESCRIPTORS 4096 /* one by one; where there may be more, all accounts are gone through */

struct sweep {
	struct subject who;
	__u32 first_fd;
	__u32 last_fd;
	bool all;    /* also what is still open */
	bool silent; /* nobody is to be told */
	__u16 padding;
	__u32 padding2;
};

static __noinline int sweep_one(const struct sweep *sweep, int fd)
{
	struct descriptor key = { .pid = sweep->who.pid, .fd = fd };
	struct account *account = bpf_map_lookup_elem(&accounts, &key);

	if (!account || (!sweep->all && (__u64)file_of(fd) == account->file))
		return 0;
	if (!sweep->silent)
		settle(account, fd, &sweep->who, true);
	bpf_map_delete_elem(&accounts, &key);
	return 0;
}

static long sweep_step(__u32 index, void *context)
{
	const struct sweep *sweep = context;
	__u32 fd = sweep->first_fd + index;

	if (fd > sweep->last_fd)
		return 1;
	return sweep_one(sweep, fd);
}

static long sweep_if_covered(const void *map, const struct descriptor *key, const void *account, void *context)
{
	const struct sweep *sweep = context;
	__u32 fd = key->fd;

	if (key->pid == sweep->who.pid && fd >= sweep->first_fd && fd <= sweep->last_fd)
		sweep_one(sweep, fd);
	return 0;
}

static __noinline int sweep_accounts(struct sweep *sweep)
{
	struct process *process = bpf_map_lookup_elem(&processes, &sweep->who.pid);

	if (!process || process->highest_fd < 0)
		return 0;
	if (sweep->last_fd > (__u32)process->highest_fd)
		sweep->last_fd = process->highest_fd;
	if (sweep->last_fd < sweep->first_fd)
		return 0;
	if (sweep->last_fd - sweep->first_fd < MAX_SWEPT_DESCRIPTORS)
		bpf_loop(MAX_SWEPT_DESCRIPTORS, sweep_step, sweep, 0);
	else
		bpf_for_each_map_elem(&accounts, sweep_if_covered, sweep, 0);
	return 0;
}

/* Settles accounts whose descriptors, from `first_fd` to `last_fd`, are not what they were. */
static __always_inline void close_stale_accounts(const struct subject *who, __u32 first_fd, __u32 last_fd)
{
	struct sweep sweep = { .who = *who, .first_fd = first_fd, .last_fd = last_fd };

	if (first_fd == last_fd)
		sweep_one(&sweep, first_fd);
	else
		sweep_accounts(&sweep);
}

static __always_inline void close_all_accounts(const struct subject *who)
{
	struct sweep sweep = { .who = *who, .last_fd = ~0u, .all = true };

	sweep_accounts(&sweep);
	bpf_map_delete_elem(&processes, &sweep.who.pid);
}

/* Of a process that was watched and is not any more. */
static __always_inline void forget_accounts(__u32 pid)
{
	struct sweep sweep = { .who.pid = pid, .last_fd = ~0u, .all = true, .silent = true };

	if (!bpf_map_lookup_elem(&processes, &pid))
		return;
	sweep_accounts(&sweep);
	bpf_map_delete_elem(&processes, &pid);
}

#endif
