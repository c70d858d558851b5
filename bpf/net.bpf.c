// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Sockets: who they talk to. The bytes are counted in io.bpf.c. */

struct peer_key {
	__u64 socket_id;
	struct socket_address address;
};

/* Peers of datagram sockets that were told. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct peer_key);
	__type(value, __u8);
} told_peers SEC(".maps");

/* One thing to tell about a socket. */
struct opening {
	struct subject who;
	const struct sock *sock;
	__u64 socket_id;
	const void *user_peer; /* the address the process gave, or NULL */
	__s32 fd;
	__u32 user_peer_bytes;
	enum net_operation operation;
	__u32 error;
};

static __noinline int tell_net_open(const struct opening *opening)
{
	struct scratch *scratch = get_scratch();
	const struct sock *sock = opening->sock;
	struct net_open_event *event;
	const struct unix_address *address;
	const struct sock *other;
	enum account_kind kind = kind_of_sock(sock);
	__u64 end = sizeof(*event);

	if (!scratch || kind == ACCOUNT_NONE)
		return 0;
	event = (void *)scratch->record;
	__builtin_memset(event, 0, sizeof(*event));
	event->socket_id = opening->socket_id;
	event->fd = opening->fd;
	event->error = opening->error;
	event->operation = opening->operation;
	if (kind == ACCOUNT_UNIX) {
		event->local.family = event->peer.family = AF_UNIX;
		address = BPF_CORE_READ((const struct unix_sock *)sock, addr);
		event->local.path_bytes = append_unix_name(scratch, end, address);
		end += event->local.path_bytes;
		other = BPF_CORE_READ((const struct unix_sock *)sock, peer);
		if (opening->user_peer)
			event->peer.path_bytes = append_user_unix_name(scratch, end, opening->user_peer, opening->user_peer_bytes);
		else if (other)
			event->peer.path_bytes = append_unix_name(scratch, end, BPF_CORE_READ((const struct unix_sock *)other, addr));
		end += event->peer.path_bytes;
	} else {
		event->protocol = BPF_CORE_READ(sock, sk_protocol);
		read_inet_addresses(&event->local, &event->peer, sock);
		if (opening->user_peer && (opening->error || !event->peer.port || kind != ACCOUNT_TCP)) {
			__builtin_memset(&event->peer, 0, sizeof(event->peer));
			read_user_address(&event->peer, opening->user_peer);
		}
	}
	fill_header(&event->header, EVENT_NET_OPEN, &opening->who);
	if (end <= RECORD_BYTES)
		output_record(event, end);
	return 0;
}

/* Whether this peer of this socket is new. */
static __noinline bool is_new_peer(__u64 socket_id, const void *user)
{
	struct peer_key key = { .socket_id = socket_id };
	__u8 told = 1;

	read_user_address(&key.address, user);
	return bpf_map_update_elem(&told_peers, &key, &told, BPF_NOEXIST) == 0;
}

static __always_inline int in_progress(long result)
{
	return result == -EINPROGRESS || result == -EINTR || is_restarted(result);
}

SEC("raw_tp")
int handle_connect(struct bpf_raw_tracepoint_args *ctx)
{
	struct call call;
	struct opening opening = { .operation = NET_CONNECT };
	struct descriptor key;
	struct connection *connection;
	struct account *account;
	struct file *file;
	struct sock *sock;
	enum account_kind kind;
	__u64 sock_key;
	__u16 family = 0;

	if (!begin_call(&call, ctx) || call.result == -EALREADY || call.result == -EISCONN)
		return 0;
	opening.who = call.who;
	opening.fd = SYSCALL_ARGUMENT_0(call.regs);
	opening.user_peer = (void *)SYSCALL_ARGUMENT_1(call.regs);
	opening.user_peer_bytes = SYSCALL_ARGUMENT_2(call.regs);
	file = file_of(opening.fd);
	sock = file ? sock_of(file) : NULL;
	if (!sock)
		return 0;
	opening.sock = sock;
	kind = kind_of_sock(sock);
	bpf_probe_read_user(&family, sizeof(family), opening.user_peer);
	if (kind == ACCOUNT_NONE || !family)
		return 0;
	if (!in_progress(call.result))
		opening.error = error_of(call.result);
	else if (kind == ACCOUNT_TCP && BPF_CORE_READ(sock, __sk_common.skc_state) == TCP_CLOSE)
		opening.error = BPF_CORE_READ(sock, sk_err); /* refused before the call returned */
	if (opening.error)
		return tell_net_open(&opening);

	key.pid = call.who.pid;
	key.fd = opening.fd;
	account = bpf_map_lookup_elem(&accounts, &key);
	if (!account || account->file != (__u64)file || account->kind != kind)
		account = put_account(&call.who, opening.fd, file, kind, sock);
	if (!account)
		return 0;
	opening.socket_id = account->id;
	if (kind != ACCOUNT_UNIX && !is_new_peer(account->id, opening.user_peer))
		return 0;
	if (kind == ACCOUNT_TCP && call.result) {
		sock_key = (__u64)sock;
		connection = bpf_map_lookup_elem(&connections, &sock_key);
		if (connection)
			connection->connecting = 1;
	}
	return tell_net_open(&opening);
}

SEC("raw_tp")
int handle_accept(struct bpf_raw_tracepoint_args *ctx)
{
	struct call call;
	struct opening opening = { .operation = NET_ACCEPT };
	struct account *account;
	struct file *file;
	struct sock *sock;

	if (!begin_call(&call, ctx) || call.result < 0)
		return 0;
	file = file_of(call.result);
	sock = file ? sock_of(file) : NULL;
	if (!sock)
		return 0;
	account = put_account(&call.who, call.result, file, kind_of_sock(sock), sock);
	if (!account)
		return 0;
	opening.who = call.who;
	opening.sock = sock;
	opening.fd = call.result;
	opening.socket_id = account->id;
	return tell_net_open(&opening);
}

SEC("raw_tp")
int handle_listen(struct bpf_raw_tracepoint_args *ctx)
{
	struct call call;
	struct opening opening = { .operation = NET_LISTEN };
	struct account *account;
	struct file *file;
	struct sock *sock;

	if (!begin_call(&call, ctx))
		return 0;
	opening.fd = SYSCALL_ARGUMENT_0(call.regs);
	file = file_of(opening.fd);
	sock = file ? sock_of(file) : NULL;
	if (!sock)
		return 0;
	opening.who = call.who;
	opening.sock = sock;
	opening.error = error_of(call.result);
	if (!opening.error) {
		account = put_account(&call.who, opening.fd, file, kind_of_sock(sock), sock);
		if (!account)
			return 0;
		opening.socket_id = account->id;
	}
	return tell_net_open(&opening);
}

/* Runs in softirq, on behalf of nobody: keeps a connection's figures, tells when connecting failed later or was given up. */
SEC("raw_tp/inet_sock_set_state")
int handle_sock_state(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 sock_key = ctx->args[0];
	const struct sock *sock = (void *)sock_key;
	int old_state = ctx->args[1], new_state = ctx->args[2];
	struct connection *connection = bpf_map_lookup_elem(&connections, &sock_key);
	struct net_open_event *event;
	struct subject who;
	int error;
	__u32 connecting;

	if (!connection)
		return 0;
	connecting = connection->connecting;
	connection->connecting = 0;
	if (new_state > TCP_SYN_RECV && new_state != TCP_LISTEN) {
		read_tcp(sock_key, &connection->retransmits, &connection->rtt_us);
		connection->ended = 1;
	}
	if (!connecting || old_state != TCP_SYN_SENT || new_state != TCP_CLOSE)
		return 0;
	error = BPF_CORE_READ(sock, sk_err);
	if (error <= 0)
		error = ECANCELED;
	who.start_ns = connection->start_ns;
	who.pid = connection->pid;
	who.tid = connection->tid;
	event = reserve_event(struct net_open_event, EVENT_NET_OPEN, &who);
	if (!event)
		return 0;
	__builtin_memset((void *)event + sizeof(event->header), 0, sizeof(*event) - sizeof(event->header));
	read_inet_addresses(&event->local, &event->peer, sock);
	event->socket_id = connection->socket_id;
	event->fd = connection->fd;
	event->error = error;
	event->operation = NET_CONNECT;
	event->protocol = IPPROTO_TCP;
	bpf_ringbuf_submit(event, 0);
	return 0;
}
