/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Names of files: walked from the dentry up to the root of the mount namespace, or as the process gave them. */
#ifndef UNDERSIGHT_PATH_BPF_H
#define UNDERSIGHT_PATH_BPF_H

#define MAX_COMPONENTS 1024

/* Puts one component before what is already in scratch->path; ends the loop at the root, or when there is no room. */
static long walk_step(__u32 index, void *unused)
{
	struct scratch *scratch = get_scratch();
	const struct dentry *dentry, *parent;
	const struct mount *mount, *above;
	const unsigned char *name;
	__u64 at;
	__u32 bytes;

	if (!scratch)
		return 1;
	dentry = scratch->dentry;
	mount = scratch->mount;
	if (dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
		above = BPF_CORE_READ(mount, mnt_parent);
		if (above == mount)
			return 1;
		scratch->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		scratch->mount = above;
		return 0;
	}
	parent = BPF_CORE_READ(dentry, d_parent);
	if (parent == dentry)
		return 1;
	bytes = BPF_CORE_READ(dentry, d_name.len) & (NAME_BYTES - 1);
	name = BPF_CORE_READ(dentry, d_name.name);
	at = scratch->at;
	if (at < bytes + 4 || at >= PATH_BYTES || index == MAX_COMPONENTS - 1) {
		count_loss(LOSS_PATH_TOO_DEEP);
		scratch->dentry = NULL;
		return 1;
	}
	at -= bytes;
	bpf_probe_read_kernel(&scratch->path[at & (PATH_BYTES - 1)], bytes, name);
	at--;
	scratch->path[at & (PATH_BYTES - 1)] = '/';
	scratch->at = at;
	scratch->dentry = parent;
	return 0;
}

/* What a walk that found no component gives: the name of a file that is its own root, `memfd:NAME`; or `/`. */
static __always_inline __u64 name_root(struct scratch *scratch)
{
	const struct dentry *dentry = scratch->dentry;
	__u64 at = PATH_BYTES - 1;
	__u32 bytes = 0;

	if (dentry && BPF_CORE_READ(dentry, d_parent) == dentry)
		bytes = BPF_CORE_READ(dentry, d_name.len) & (NAME_BYTES - 1);
	if (!bytes) {
		scratch->path[--at] = '/';
		return at;
	}
	at -= bytes;
	bpf_probe_read_kernel(&scratch->path[at & (PATH_BYTES - 1)], bytes, BPF_CORE_READ(dentry, d_name.name));
	return at;
}

/* Appends the absolute path of `path` to the record at byte `end`, gives its length. Too deep: dots, and its last part. */
static __noinline __u32 append_path(__u32 end, const struct path *path)
{
	struct scratch *scratch = get_scratch();
	const struct vfsmount *mounted = BPF_CORE_READ(path, mnt);
	__u64 at;
	__u32 bytes;

	if (!scratch || end > RECORD_BYTES - PATH_BYTES || !mounted)
		return 0;
	scratch->dentry = BPF_CORE_READ(path, dentry);
	scratch->mount = (void *)mounted - bpf_core_field_offset(struct mount, mnt);
	scratch->at = PATH_BYTES - 1;
	bpf_loop(MAX_COMPONENTS, walk_step, NULL, 0);
	at = scratch->at & (PATH_BYTES - 1);
	if (at == PATH_BYTES - 1)
		at = name_root(scratch);
	if (!scratch->dentry && at >= 3) {
		at -= 3;
		__builtin_memset(&scratch->path[at], '.', 3);
	}
	bytes = (PATH_BYTES - 1 - at) & (PATH_BYTES - 1);
	bpf_probe_read_kernel(&scratch->record[end], bytes, &scratch->path[at]);
	return bytes;
}

/* Appends a NUL-terminated string of the process, without its NUL. */
static __noinline __u32 append_user_string(__u32 end, const void *user)
{
	struct scratch *scratch = get_scratch();
	long bytes;

	if (!scratch || end > RECORD_BYTES - PATH_BYTES)
		return 0;
	bytes = bpf_probe_read_user_str(&scratch->record[end], PATH_BYTES, user);
	if (bytes < 0) {
		count_loss(LOSS_MEMORY_FAULT);
		return 0;
	}
	return bytes > 0 && bytes <= PATH_BYTES ? bytes - 1 : 0;
}

static __always_inline struct file *file_of(int fd)
{
	struct files_struct *files = current_task()->files;
	struct fdtable *table;
	struct file *file = NULL;

	if (!files)
		return NULL;
	table = files->fdt;
	if (fd < 0 || (__u32)fd >= table->max_fds)
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), &table->fd[fd]);
	return file;
}

/* Appends the directory that the process's string `user` is relative to, nothing when that is absolute. */
static __noinline __u32 append_base(__u32 end, int directory_fd, const void *user)
{
	struct fs_struct *fs;
	struct file *file;
	char first = 0;

	bpf_probe_read_user(&first, 1, user);
	if (first == '/')
		return 0;
	if (directory_fd == AT_FDCWD) {
		fs = current_task()->fs;
		return fs ? append_path(end, &fs->pwd) : 0;
	}
	file = file_of(directory_fd);
	return file ? append_path(end, &file->f_path) : 0;
}

#endif
