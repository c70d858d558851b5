/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Every struct that crosses from the kernel to user space, and nothing else. All are padded by hand (-Wpadded -Werror).
 * A record in the ring is one of these structs followed by `data`, whose parts the `_bytes` fields count, in the order
 * of those fields. Strings in `data` carry no terminating NUL.
 */
#ifndef UNDERSIGHT_EVENTS_H
#define UNDERSIGHT_EVENTS_H

enum event_kind {
	EVENT_PROCESS_FORK = 1,
	EVENT_PROCESS_EXEC = 2,
	EVENT_PROCESS_ARGS = 3,
	EVENT_PROCESS_EXIT = 4,
	EVENT_FILE_OPEN = 5,
	EVENT_FILE_IO = 6,
	EVENT_FILE_CHANGE = 7,
	EVENT_NET_OPEN = 8,
	EVENT_NET_IO = 9,
	EVENT_NET_PAYLOAD = 10,
	EVENT_TLS_DATA = 11,
	EVENT_TLS_CLOSE = 12,
	EVENT_AGENT_SEEN = 13,
	EVENT_BLIND_SPOT = 14,
	EVENT_PLAIN_DATA = 15,
	EVENT_PIPE_END = 16,
	EVENT_TLS_BINDING = 24,
};

enum origin {
	ORIGIN_CALL = 0,      /* seen as it happened */
	ORIGIN_INHERITED = 1, /* a descriptor from before, seen at its first use */
};

enum file_operation {
	FILE_UNLINK = 1,
	FILE_RMDIR = 2,
	FILE_RENAME = 3,
	FILE_MKDIR = 4,
	FILE_TRUNCATE = 5,
	FILE_LINK = 6,
	FILE_SYMLINK = 7,
};

enum net_operation {
	NET_CONNECT = 1,
	NET_ACCEPT = 2,
	NET_LISTEN = 3,
	NET_INHERITED = 4,
};

enum net_payload {
	PAYLOAD_DNS = 1,
	PAYLOAD_TLS_CLIENT_HELLO = 2,
};

enum tls_direction {
	TLS_WRITE = 1,
	TLS_READ = 2,
};

/* Cookie of a probe: how its function is called, what is special about it, and above 32 bits a number of the file. */
enum tls_function {
	TLS_FUNCTION_READ = 1,
	TLS_FUNCTION_READ_EX = 2,
	TLS_FUNCTION_WRITE = 3,
	TLS_FUNCTION_WRITE_EX = 4,
	TLS_FUNCTION_FREE = 5,
	TLS_FUNCTION_RUSTLS_ENCRYPT = 16,
	TLS_FUNCTION_RUSTLS_DECRYPT = 17,
	TLS_FUNCTION_GO_READ = 32,
	TLS_FUNCTION_GO_WRITE = 33,
	TLS_FUNCTION_GO_CLOSE = 34,
};

enum tls_cookie {
	TLS_COOKIE_FUNCTION = 0xff,
	TLS_COOKIE_LENGTH_FIFTH = 0x100, /* how much it moved goes where the fifth argument says, not the fourth */
	TLS_COOKIE_NO_DATA = 0x200,      /* moves what other calls were told of: they do not count within it */
	TLS_COOKIE_NSPR = 0x400,         /* its connection is a PRFileDesc, which may be of a plain file */
	TLS_COOKIE_NSPR_FLAGS = 0x800,   /* so, and the fourth argument has flags such as PR_MSG_PEEK */
};

enum blind_spot {
	BLIND_IO_URING = 1,
	BLIND_COMPAT_SYSCALLS = 2,
};

/* Why a record or a part of one is missing: index into `losses`, one counter per reason and CPU. */
enum loss {
	LOSS_RING_FULL = 0,
	LOSS_SCRATCH_BUSY = 1,
	LOSS_MEMORY_FAULT = 2,   /* user memory could not be read */
	LOSS_TABLE_FULL = 3,     /* a map had no room */
	LOSS_PATH_TOO_DEEP = 4,
	LOSS_ARGS_TOO_LONG = 5,
	LOSS_CALL_TOO_LONG = 6,  /* one TLS call moved more than we cut into records */
	LOSS_CALL_NESTED = 7,    /* TLS calls within one another, deeper than is followed */
	LOSS_TLS_LAYOUT = 8,     /* a TLS library's structs are not as we know them */
	LOSS_REASONS = 9,
};

struct event_header {
	__u64 ktime_ns;
	__u64 sequence;     /* per CPU, counts lost records too: a gap is a loss */
	__u64 start_ns;     /* when the process started (group leader's start_time, CLOCK_MONOTONIC) */
	__u32 kind;
	__u32 cpu;
	__u32 pid;          /* thread group, initial namespace */
	__u32 tid;
};

struct process_fork_event {
	struct event_header header; /* of the child */
	__u64 parent_start_ns;
	__u32 parent_pid;
	__u32 parent_tid;
	char comm[16];
};

struct process_exec_event {
	struct event_header header;
	__u64 parent_start_ns;
	__u64 cgroup_id;
	__u32 parent_pid;
	__u32 namespace_pid;
	__u32 uid;
	__u32 gid;
	char comm[16];
	__u32 watched;          /* 0: of no target's tree, told for recognition only */
	__u32 padding;
	__u32 executable_bytes;
	__u32 cwd_bytes;
	__u32 args_bytes;       /* NUL-separated, in this record; the rest comes in process_args_event records */
	__u32 args_total_bytes; /* of the whole argument area */
	char data[];
};

struct process_args_event {
	struct event_header header;
	__u32 offset_bytes; /* in the argument area */
	__u32 data_bytes;
	char data[];
};

struct process_exit_event {
	struct event_header header;
	__u32 exit_code;
	__u32 signal;
};

struct file_open_event {
	struct event_header header;
	__u64 file_id;
	__s32 fd;
	__u32 flags;
	__u32 mode;
	__u32 error;       /* errno, 0 on success */
	__u32 origin;
	__u32 base_bytes;  /* directory that `path` is relative to; 0 when `path` is absolute */
	__u32 path_bytes;
	__u32 created;     /* 1: this call made the file */
	char data[];
};

struct file_io_event {
	struct event_header header;
	__u64 file_id;
	__u64 bytes_read;
	__u64 bytes_written;
	__u64 first_ns; /* 0: nothing moved since the last such event */
	__u64 last_ns;
	__u32 read_count;
	__u32 write_count;
	__s32 fd;
	__u32 closed;
};

/* `path` of a symbolic link is the text it holds, `new_path` its name. */
struct file_change_event {
	struct event_header header;
	__u32 operation;
	__u32 error;
	__u32 base_bytes;
	__u32 path_bytes;
	__u32 new_base_bytes;
	__u32 new_path_bytes;
	char data[];
};

struct socket_address {
	__u8 address[16];  /* IPv4 in the first four bytes */
	__u16 port;        /* host order */
	__u16 family;      /* AF_INET, AF_INET6, AF_UNIX or another */
	__u32 path_bytes;  /* AF_UNIX: in data */
};

/* Connecting that fails after the call returned is told again, with the same socket_id and the error. */
struct net_open_event {
	struct event_header header;
	__u64 socket_id;
	struct socket_address local;
	struct socket_address peer;
	__s32 fd;
	__u32 error;
	__u32 operation;
	__u32 protocol;    /* IPPROTO_TCP, IPPROTO_UDP, 0 for unix, or another */
	char data[];       /* local path, then peer path */
};

struct net_io_event {
	struct event_header header;
	__u64 socket_id;
	__u64 bytes_sent;
	__u64 bytes_received;
	__u64 first_ns; /* 0: nothing moved since the last such event */
	__u64 last_ns;
	__u32 retransmits;
	__u32 rtt_us;
	__s32 fd;
	__u32 closed;
};

struct net_payload_event {
	struct event_header header;
	__u64 socket_id;
	__u32 payload;
	__u32 data_bytes;
	char data[];
};

struct tls_data_event {
	struct event_header header;
	__u64 connection;
	__u64 socket_id;
	__u64 offset_bytes;   /* in the stream of this direction */
	__u64 call_start_ns;
	__u16 direction;
	__u16 is_half;        /* 1: `connection` numbers an object that serves this direction alone */
	__u32 data_bytes;
	__u32 lost_bytes;     /* after data, left out */
	__u32 library;        /* upper half of the probe's cookie */
	char data[];
};

struct tls_close_event {
	struct event_header header;
	__u64 connection;
};

/* Which socket carries what such an object makes. */
struct tls_binding_event {
	struct event_header header;
	__u64 connection;
	__u64 socket_id;
};
#include "plain-events.h"

struct agent_seen_event {
	struct event_header header;
	char comm[16];
};

struct blind_spot_event {
	struct event_header header;
	__u32 reason;
	__u32 padding;
};

/* The only variable in .rodata: what the loader sets before it loads. */
struct tunables {
	__u32 own_pid;             /* never watched */
	__u32 watch_all_execs;     /* 1: tell the execs of unwatched processes too */
	__u32 discover_by_traffic; /* 1: watch who sends a request to an LLM API */
	__u32 plain_http;          /* 1: tell unencrypted HTTP */
	__u32 mcp_stdio;           /* 1: tell JSON-RPC in pipes */
	__u32 padding;
};

/* Value of the `targets` map (key: __u32 pid): processes that are watched. */
struct target {
	__u64 start_ns; /* 0 when user space does not know it: the kernel side fills it in at the first event */
};

/* What the task iterator writes, one for each process. */
struct process_snapshot {
	__u64 start_ns;
	__u64 parent_start_ns;
	__u64 cgroup_id;
	__u32 pid;
	__u32 parent_pid;
	__u32 namespace_pid;
	__u32 uid;
	__u32 gid;
	char comm[16];
	__u32 padding;
};

#endif
