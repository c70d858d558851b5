// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Files: openings, and changes of the name space. */

#define AT_REMOVEDIR 0x200

/* What the process called a file. */
struct naming {
	const void *path; /* NULL: it was opened before we watched */
	int directory_fd;
	__u32 flags;
};

/* Tells an opening; `file` is NULL for one that failed, and then the path is as the process gave it. */
static __noinline int tell_file_open(const struct subject *who, long result, struct file *file, __u64 file_id,
				     const struct naming *naming)
{
	struct scratch *scratch = get_scratch();
	struct file_open_event *event;
	__u64 end = sizeof(*event);

	if (!scratch)
		return 0;
	event = (void *)scratch->record;
	event->file_id = file_id;
	event->fd = result;
	event->flags = naming->flags;
	event->mode = 0;
	event->error = error_of(result);
	event->origin = naming->path ? ORIGIN_CALL : ORIGIN_INHERITED;
	event->base_bytes = 0;
	event->created = 0;
	if (file) {
		event->mode = BPF_CORE_READ(file, f_inode, i_mode);
		event->created = naming->path && BPF_CORE_READ(file, f_mode) & FMODE_CREATED;
		event->path_bytes = append_path(end, &file->f_path);
	} else {
		event->base_bytes = append_base(end, naming->directory_fd, naming->path);
		end += event->base_bytes;
		event->path_bytes = append_user_string(end, naming->path);
	}
	end += event->path_bytes;
	fill_header(&event->header, EVENT_FILE_OPEN, who);
	if (end <= RECORD_BYTES)
		output_record(event, end);
	return 0;
}

static __always_inline int opened(const struct call *call, int directory_fd, const void *path, __u32 flags)
{
	struct naming naming = { .path = path, .directory_fd = directory_fd, .flags = flags };
	struct account *account;
	struct file *file = NULL;
	__u64 file_id = 0;

	if (is_restarted(call->result))
		return 0;
	if (call->result >= 0)
		file = file_of(call->result);
	if (file) {
		account = put_account(&call->who, call->result, file, ACCOUNT_FILE, NULL);
		file_id = account ? account->id : new_id();
	}
	return tell_file_open(&call->who, call->result, file, file_id, &naming);
}

SEC("raw_tp")
int handle_open(struct bpf_raw_tracepoint_args *ctx)
{
	struct call call;

	if (!begin_call(&call, ctx))
		return 0;
	return opened(&call, AT_FDCWD, (void *)SYSCALL_ARGUMENT_0(call.regs), SYSCALL_ARGUMENT_1(call.regs));
}

SEC("raw_tp")
int handle_creat(struct bpf_raw_tracepoint_args *ctx)
{
	struct call call;

	if (!begin_call(&call, ctx))
		return 0;
	return opened(&call, AT_FDCWD, (void *)SYSCALL_ARGUMENT_0(call.regs), O_CREAT_WRONLY_TRUNC);
}

SEC("raw_tp")
int handle_openat(struct bpf_raw_tracepoint_args *ctx)
{
	struct call call;

	if (!begin_call(&call, ctx))
		return 0;
	return opened(&call, SYSCALL_ARGUMENT_0(call.regs), (void *)SYSCALL_ARGUMENT_1(call.regs),
		      SYSCALL_ARGUMENT_2(call.regs));
}

SEC("raw_tp")
int handle_openat2(struct bpf_raw_tracepoint_args *ctx)
{
	struct call call;
	__u64 flags = 0; /* the first field of struct open_how */

	if (!begin_call(&call, ctx))
		return 0;
	bpf_probe_read_user(&flags, sizeof(flags), (void *)SYSCALL_ARGUMENT_2(call.regs));
	return opened(&call, SYSCALL_ARGUMENT_0(call.regs), (void *)SYSCALL_ARGUMENT_1(call.regs), flags);
}

struct change {
	struct call call;
	const void *path;
	const void *new_path;
	enum file_operation operation;
	int directory_fd;
	int new_directory_fd;
	__u32 padding;
};

static __noinline int tell_change(const struct change *change)
{
	struct scratch *scratch = get_scratch();
	struct file_change_event *event;
	struct file *file;
	__u64 end = sizeof(*event);

	if (!scratch || is_restarted(change->call.result))
		return 0;
	event = (void *)scratch->record;
	event->operation = change->operation;
	event->error = error_of(change->call.result);
	event->base_bytes = event->path_bytes = event->new_base_bytes = event->new_path_bytes = 0;
	if (change->path) {
		/* The text of a symbolic link is relative to nothing yet. */
		if (change->operation != FILE_SYMLINK)
			event->base_bytes = append_base(end, change->directory_fd, change->path);
		end += event->base_bytes;
		event->path_bytes = append_user_string(end, change->path);
	} else {
		file = file_of(change->directory_fd);
		if (!file)
			return 0;
		event->path_bytes = append_path(end, &file->f_path);
	}
	end += event->path_bytes;
	if (change->new_path) {
		event->new_base_bytes = append_base(end, change->new_directory_fd, change->new_path);
		end += event->new_base_bytes;
		event->new_path_bytes = append_user_string(end, change->new_path);
		end += event->new_path_bytes;
	}
	fill_header(&event->header, EVENT_FILE_CHANGE, &change->call.who);
	if (end <= RECORD_BYTES)
		output_record(event, end);
	return 0;
}

/* A call that names one file: by path from the working directory, or by directory descriptor and path. */
static __always_inline int changed(struct bpf_raw_tracepoint_args *ctx, enum file_operation operation)
{
	struct change change = { .operation = operation, .directory_fd = AT_FDCWD };

	if (!begin_call(&change.call, ctx))
		return 0;
	change.path = (void *)SYSCALL_ARGUMENT_0(change.call.regs);
	return tell_change(&change);
}

static __always_inline int changed_at(struct bpf_raw_tracepoint_args *ctx, enum file_operation operation)
{
	struct change change = { .operation = operation };

	if (!begin_call(&change.call, ctx))
		return 0;
	change.directory_fd = SYSCALL_ARGUMENT_0(change.call.regs);
	change.path = (void *)SYSCALL_ARGUMENT_1(change.call.regs);
	if (operation == FILE_UNLINK && SYSCALL_ARGUMENT_2(change.call.regs) & AT_REMOVEDIR)
		change.operation = FILE_RMDIR;
	return tell_change(&change);
}

/* A call that names two files. */
static __always_inline int changed_pair(struct bpf_raw_tracepoint_args *ctx, enum file_operation operation)
{
	struct change change = { .operation = operation, .directory_fd = AT_FDCWD, .new_directory_fd = AT_FDCWD };

	if (!begin_call(&change.call, ctx))
		return 0;
	change.path = (void *)SYSCALL_ARGUMENT_0(change.call.regs);
	change.new_path = (void *)SYSCALL_ARGUMENT_1(change.call.regs);
	return tell_change(&change);
}

static __always_inline int changed_pair_at(struct bpf_raw_tracepoint_args *ctx, enum file_operation operation)
{
	struct change change = { .operation = operation };

	if (!begin_call(&change.call, ctx))
		return 0;
	change.directory_fd = SYSCALL_ARGUMENT_0(change.call.regs);
	change.path = (void *)SYSCALL_ARGUMENT_1(change.call.regs);
	change.new_directory_fd = SYSCALL_ARGUMENT_2(change.call.regs);
	change.new_path = (void *)SYSCALL_ARGUMENT_3(change.call.regs);
	return tell_change(&change);
}

SEC("raw_tp")
int handle_unlink(struct bpf_raw_tracepoint_args *ctx)
{
	return changed(ctx, FILE_UNLINK);
}

SEC("raw_tp")
int handle_unlinkat(struct bpf_raw_tracepoint_args *ctx)
{
	return changed_at(ctx, FILE_UNLINK);
}

SEC("raw_tp")
int handle_rmdir(struct bpf_raw_tracepoint_args *ctx)
{
	return changed(ctx, FILE_RMDIR);
}

SEC("raw_tp")
int handle_mkdir(struct bpf_raw_tracepoint_args *ctx)
{
	return changed(ctx, FILE_MKDIR);
}

SEC("raw_tp")
int handle_mkdirat(struct bpf_raw_tracepoint_args *ctx)
{
	return changed_at(ctx, FILE_MKDIR);
}

SEC("raw_tp")
int handle_truncate(struct bpf_raw_tracepoint_args *ctx)
{
	return changed(ctx, FILE_TRUNCATE);
}

SEC("raw_tp")
int handle_ftruncate(struct bpf_raw_tracepoint_args *ctx)
{
	struct change change = { .operation = FILE_TRUNCATE };

	if (!begin_call(&change.call, ctx))
		return 0;
	change.directory_fd = SYSCALL_ARGUMENT_0(change.call.regs);
	return tell_change(&change);
}

SEC("raw_tp")
int handle_rename(struct bpf_raw_tracepoint_args *ctx)
{
	return changed_pair(ctx, FILE_RENAME);
}

SEC("raw_tp")
int handle_renameat(struct bpf_raw_tracepoint_args *ctx)
{
	return changed_pair_at(ctx, FILE_RENAME);
}

SEC("raw_tp")
int handle_link(struct bpf_raw_tracepoint_args *ctx)
{
	return changed_pair(ctx, FILE_LINK);
}

SEC("raw_tp")
int handle_linkat(struct bpf_raw_tracepoint_args *ctx)
{
	return changed_pair_at(ctx, FILE_LINK);
}

SEC("raw_tp")
int handle_symlink(struct bpf_raw_tracepoint_args *ctx)
{
	return changed_pair(ctx, FILE_SYMLINK);
}

SEC("raw_tp")
int handle_symlinkat(struct bpf_raw_tracepoint_args *ctx)
{
	struct change change = { .operation = FILE_SYMLINK };

	if (!begin_call(&change.call, ctx))
		return 0;
	change.path = (void *)SYSCALL_ARGUMENT_0(change.call.regs);
	change.new_directory_fd = SYSCALL_ARGUMENT_1(change.call.regs);
	change.new_path = (void *)SYSCALL_ARGUMENT_2(change.call.regs);
	return tell_change(&change);
}
