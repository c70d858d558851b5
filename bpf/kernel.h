/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The kernel's types as far as we read them (CO-RE finds the fields where the running kernel has them), and its numbers. */
#ifndef UNDERSIGHT_KERNEL_H
#define UNDERSIGHT_KERNEL_H

#define AT_FDCWD (-100)

#define EALREADY 114
#define EINPROGRESS 115
#define EINTR 4
#define EISCONN 106
#define ECANCELED 125
#define ERESTARTSYS 512

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_CLOSE 7
#define TCP_LISTEN 10
#define MSG_PEEK 2
#define MSG_ERRQUEUE 0x2000

#define O_CREAT_WRONLY_TRUNC 01101
#define FMODE_CREATED 0x100000
#define CLOSE_RANGE_CLOEXEC 4

#define PIPEFS_MAGIC 0x50495045
#define SOCKFS_MAGIC 0x534f434b
#define ANON_INODE_FS_MAGIC 0x09041934
#define PIDFS_MAGIC 0x50494446

#define SIGNAL_GROUP_EXIT 4

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct super_block {
	unsigned long s_magic;
};

struct inode {
	unsigned short i_mode;
	unsigned long i_ino;
	struct super_block *i_sb;
};

struct qstr {
	__u32 len;
	const unsigned char *name;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	unsigned int f_mode;
	unsigned int f_flags;
	struct path f_path;
	struct inode *f_inode;
	void *private_data;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct fs_struct {
	struct path pwd;
};

struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
	struct file *exe_file;
};

typedef struct {
	int counter;
} atomic_t;

struct signal_struct {
	atomic_t live;
	unsigned int flags;
	int group_exit_code;
};

typedef struct {
	__u32 val;
} kuid_t;

typedef struct {
	__u32 val;
} kgid_t;

struct cred {
	kuid_t uid;
	kgid_t gid;
};

struct upid {
	int nr;
	void *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct kernfs_node {
	__u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct thread_info {
	unsigned long flags;
	__u32 status; /* x86 only */
};

struct task_struct {
	struct thread_info thread_info;
	int pid;
	int tgid;
	int exit_code;
	__u64 start_time;
	__u32 self_exec_id;
	char comm[16];
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct mm_struct *mm;
	struct fs_struct *fs;
	struct files_struct *files;
	struct signal_struct *signal;
	const struct cred *cred;
	struct css_set *cgroups;
};

struct in6_addr {
	__u8 bytes[16];
};

struct sock_common {
	__u32 skc_daddr;
	__u32 skc_rcv_saddr;
	__u16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	unsigned char skc_state;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct socket;

struct sock {
	struct sock_common __sk_common;
	__u16 sk_protocol;
	int sk_err;
	struct socket *sk_socket;
};

struct socket {
	struct sock *sk;
	struct file *file;
};

struct tcp_sock {
	__u32 total_retrans;
	__u32 srtt_us;
};

struct sockaddr_un {
	unsigned short sun_family;
	char sun_path[108];
};

struct unix_address {
	int len;
	struct sockaddr_un name[];
};

struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct io_kiocb {
	__u8 opcode;
};

typedef void (*btf_trace_io_uring_submit_req)(void *, struct io_kiocb *); /* since 6.3 */

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r14, bx, r10, r9, r8, ax, cx, dx, si, di, orig_ax, sp, ip;
};
#else
struct pt_regs {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
	__u64 orig_x0;
	int syscallno;
};
#endif

#pragma clang attribute pop

#include "user-memory.h"

/* A system call's number and arguments, still in the registers when it returns, and those of a user function. */
#define SYSCALL_REGISTER(context, name)                \
	({                                             \
		const struct pt_regs *regs_ = context; \
		BPF_CORE_READ(regs_, name);            \
	})
#if defined(__TARGET_ARCH_x86)
#define SYSCALL_NUMBER(context) ((long)SYSCALL_REGISTER(context, orig_ax))
#define SYSCALL_ARGUMENT_0(context) SYSCALL_REGISTER(context, di)
#define SYSCALL_ARGUMENT_1(context) SYSCALL_REGISTER(context, si)
#define SYSCALL_ARGUMENT_2(context) SYSCALL_REGISTER(context, dx)
#define SYSCALL_ARGUMENT_3(context) SYSCALL_REGISTER(context, r10)
#define SYSCALL_ARGUMENT_4(context) SYSCALL_REGISTER(context, r8)
#else
#define SYSCALL_NUMBER(context) ((long)SYSCALL_REGISTER(context, syscallno))
#define SYSCALL_ARGUMENT_0(context) SYSCALL_REGISTER(context, orig_x0)
#define SYSCALL_ARGUMENT_1(context) SYSCALL_REGISTER(context, regs[1])
#define SYSCALL_ARGUMENT_2(context) SYSCALL_REGISTER(context, regs[2])
#define SYSCALL_ARGUMENT_3(context) SYSCALL_REGISTER(context, regs[3])
#define SYSCALL_ARGUMENT_4(context) SYSCALL_REGISTER(context, regs[4])
#endif

#endif
