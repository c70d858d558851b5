/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * One account for each descriptor of a watched process: what it is, and the bytes that moved since they were last told.
 * Descriptors we did not see being opened (inherited, duplicated, received) get one at their first use; pipes and the like
 * get one of kind ACCOUNT_NONE, so that what they are is looked up just once.
 */
#ifndef UNDERSIGHT_ACCOUNT_BPF_H
#define UNDERSIGHT_ACCOUNT_BPF_H

#define PROGRESS_NS 1000000000ull

enum account_kind {
	ACCOUNT_NONE,
	ACCOUNT_FILE,
	ACCOUNT_TCP,
	ACCOUNT_UDP,
	ACCOUNT_UNIX,
	ACCOUNT_OTHER_SOCKET,
};

struct descriptor {
	__u32 pid;
	__s32 fd;
};

struct account {
	__u64 file; /* struct file *: tells whether the descriptor still means the same */
	__u64 sock; /* struct sock * of a socket */
	__u64 id;
	__u64 bytes_in;
	__u64 bytes_out;
	__u64 first_ns;
	__u64 last_ns;
	__u64 told_ns;
	__u32 count_in;
	__u32 count_out;
	__u32 kind;
	__u32 hello; /* HELLO_DONE, or one more than the bytes of a ClientHello that are to come; 0: not begun */
	struct plain_account plain;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct descriptor);
	__type(value, struct account);
} accounts SEC(".maps");

/* By struct sock *: what its state changes tell, since at close the socket may be gone. */
struct connection {
	__u64 socket_id;
	__u64 start_ns;
	__u32 pid;
	__u32 tid;
	__s32 fd;
	__u32 connecting;
	__u32 ended; /* the figures below are the last ones */
	__u32 retransmits;
	__u32 rtt_us;
	__u32 padding;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct connection);
} connections SEC(".maps");

__u64 last_id;

static __always_inline __u64 new_id(void)
{
	return __sync_fetch_and_add(&last_id, 1) + 1;
}

static __always_inline bool is_filesystem(const struct file *file, unsigned long magic)
{
	return BPF_CORE_READ(file, f_inode, i_sb, s_magic) == magic;
}

static __always_inline struct sock *sock_of(const struct file *file)
{
	struct socket *socket;

	if (!is_filesystem(file, SOCKFS_MAGIC))
		return NULL;
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}

static __always_inline enum account_kind kind_of_sock(const struct sock *sock)
{
	__u16 family = BPF_CORE_READ(sock, __sk_common.skc_family);
	__u16 protocol;

	if (family == AF_UNIX)
		return ACCOUNT_UNIX;
	if (family != AF_INET && family != AF_INET6)
		return ACCOUNT_NONE;
	protocol = BPF_CORE_READ(sock, sk_protocol);
	if (protocol == IPPROTO_TCP)
		return ACCOUNT_TCP;
	return protocol == IPPROTO_UDP ? ACCOUNT_UDP : ACCOUNT_OTHER_SOCKET;
}

static __always_inline void read_tcp(__u64 sock, __u32 *retransmits, __u32 *rtt_us)
{
	struct tcp_sock *tcp = (void *)sock;

	*retransmits = BPF_CORE_READ(tcp, total_retrans);
	*rtt_us = BPF_CORE_READ(tcp, srtt_us) >> 3;
}

static __always_inline void settle_file(struct account *account, int fd, const struct subject *who, bool closed)
{
	struct file_io_event *event = reserve_event(struct file_io_event, EVENT_FILE_IO, who);

	if (!event)
		return;
	event->file_id = account->id;
	event->bytes_read = __sync_lock_test_and_set(&account->bytes_in, 0);
	event->bytes_written = __sync_lock_test_and_set(&account->bytes_out, 0);
	event->first_ns = __sync_lock_test_and_set(&account->first_ns, 0);
	event->last_ns = account->last_ns;
	event->read_count = __sync_lock_test_and_set(&account->count_in, 0);
	event->write_count = __sync_lock_test_and_set(&account->count_out, 0);
	event->fd = fd;
	event->closed = closed;
	bpf_ringbuf_submit(event, 0);
}

static __always_inline void settle_socket(struct account *account, int fd, const struct subject *who, bool closed)
{
	struct net_io_event *event = reserve_event(struct net_io_event, EVENT_NET_IO, who);
	struct connection *connection;

	if (!event)
		return;
	event->socket_id = account->id;
	event->bytes_sent = __sync_lock_test_and_set(&account->bytes_out, 0);
	event->bytes_received = __sync_lock_test_and_set(&account->bytes_in, 0);
	event->first_ns = __sync_lock_test_and_set(&account->first_ns, 0);
	event->last_ns = account->last_ns;
	event->retransmits = 0;
	event->rtt_us = 0;
	event->fd = fd;
	event->closed = closed;
	if (account->kind == ACCOUNT_TCP) {
		connection = bpf_map_lookup_elem(&connections, &account->sock);
		if (connection && connection->socket_id == account->id && connection->ended) {
			event->retransmits = connection->retransmits;
			event->rtt_us = connection->rtt_us;
		} else {
			read_tcp(account->sock, &event->retransmits, &event->rtt_us);
		}
	}
	bpf_ringbuf_submit(event, 0);
}

/* Tells what moved since the last time. */
static __noinline int settle(struct account *account, int fd, const struct subject *who, bool closed)
{
	if (account->kind == ACCOUNT_FILE)
		settle_file(account, fd, who, closed);
	else if (account->kind != ACCOUNT_NONE)
		settle_socket(account, fd, who, closed);
	else if (closed)
		tell_pipe_closed(who, &account->plain);
	return 0;
}

static __always_inline void raise_highest_fd(__u32 pid, int fd)
{
	struct process *process = process_of(pid);
	__s32 highest;

	if (!process)
		return;
	for (int attempt = 0; attempt < 4; attempt++) {
		highest = process->highest_fd;
		if (highest >= fd || __sync_val_compare_and_swap(&process->highest_fd, highest, fd) == highest)
			return;
	}
}

/* Too big for the stack of programs that call one another. */
struct drafts {
	struct account account;
	struct connection connection;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct drafts);
} drafts SEC(".maps");

/* A new account for a descriptor; one that was there is told as closed. NULL when there is no room. */
static __noinline struct account *put_account(const struct subject *who, int fd, struct file *file, enum account_kind kind,
					      struct sock *sock)
{
	struct descriptor key = { .pid = who->pid, .fd = fd };
	struct account *old = bpf_map_lookup_elem(&accounts, &key), *account;
	struct connection *connection;
	__u32 zero = 0;
	struct drafts *draft = bpf_map_lookup_elem(&drafts, &zero);

	if (old)
		settle(old, fd, who, true);
	if (!draft)
		return NULL;
	account = &draft->account;
	__builtin_memset(account, 0, sizeof(*account));
	account->file = (__u64)file;
	account->sock = (__u64)sock;
	account->kind = kind;
	account->told_ns = bpf_ktime_get_ns();
	account->plain.tries_left[0] = PLAIN_TRIES_FRESH;
	if (!tunables.plain_http && kind != ACCOUNT_NONE)
		account->plain.states[0] = PLAIN_NO;
	if (kind != ACCOUNT_NONE)
		account->id = new_id();
	if (kind == ACCOUNT_TCP) {
		connection = &draft->connection;
		__builtin_memset(connection, 0, sizeof(*connection));
		connection->socket_id = account->id;
		connection->start_ns = who->start_ns;
		connection->pid = who->pid;
		connection->tid = who->tid;
		connection->fd = fd;
		bpf_map_update_elem(&connections, &account->sock, connection, BPF_ANY);
	}
	if (bpf_map_update_elem(&accounts, &key, account, BPF_ANY)) {
		count_loss(LOSS_TABLE_FULL);
		return NULL;
	}
	raise_highest_fd(who->pid, fd);
	return bpf_map_lookup_elem(&accounts, &key);
}

#endif
