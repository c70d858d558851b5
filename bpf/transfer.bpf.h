/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Bytes that moved through a descriptor: they go into its account, and some are worth a look. */
#ifndef UNDERSIGHT_TRANSFER_BPF_H
#define UNDERSIGHT_TRANSFER_BPF_H

#define DNS_PORT 53
#define DNS_BYTES 1500
#define HELLO_BYTES 4096
#define HELLO_DONE 1
#define RECORD_HEAD_BYTES 5

static __noinline int tell_payload(const struct transfer *transfer, __u64 socket_id, enum net_payload payload)
{
	struct scratch *scratch = get_scratch();
	struct net_payload_event *event;
	__u64 bytes = transfer->bytes, limit = payload == PAYLOAD_DNS ? DNS_BYTES : HELLO_BYTES - 1;

	if (!scratch)
		return 0;
	if (bytes > transfer->data_bytes)
		bytes = transfer->data_bytes;
	if (bytes > limit)
		bytes = limit;
	bytes &= HELLO_BYTES - 1;
	event = (void *)scratch->record;
	event->socket_id = socket_id;
	event->payload = payload;
	event->data_bytes = bytes;
	if (bpf_probe_read_user(event->data, bytes, transfer->data)) {
		count_loss(LOSS_MEMORY_FAULT);
		return 0;
	}
	fill_header(&event->header, EVENT_NET_PAYLOAD, &transfer->who);
	output_record(event, sizeof(*event) + bytes);
	return 0;
}

static __noinline int trace_records(const struct transfer *transfer, __u64 socket_id)
{
	struct record_walk walk = {
		.who = transfer->who,
		.data = (__u64)transfer->data,
		.bytes = transfer->bytes < transfer->data_bytes ? transfer->bytes : transfer->data_bytes,
		.socket_id = socket_id,
		.direction = transfer->out ? TLS_WRITE : TLS_READ,
	};

	bpf_loop(MAX_TRACED_RECORDS, trace_record, &walk, 0);
	return 0;
}

/* Some write a ClientHello bit by bit: what its record says is to come is told, too. */
static __noinline int tell_hello(const struct transfer *transfer, struct account *account, __u64 expected_bytes)
{
	if (transfer->bytes < expected_bytes && expected_bytes < HELLO_BYTES)
		account->hello = HELLO_DONE + expected_bytes - transfer->bytes;
	else
		account->hello = HELLO_DONE;
	return tell_payload(transfer, account->id, PAYLOAD_TLS_CLIENT_HELLO);
}

static __noinline int inspect_tcp(const struct transfer *transfer, struct account *account)
{
	__u64 bytes = transfer->bytes < transfer->data_bytes ? transfer->bytes : transfer->data_bytes;
	__u8 head[6] = {};

	if (transfer->out && account->hello > HELLO_DONE)
		return tell_hello(transfer, account, account->hello - HELLO_DONE);
	if (bytes < RECORD_HEAD_BYTES)
		return 0;
	bpf_probe_read_user(head, bytes < sizeof(head) ? RECORD_HEAD_BYTES : sizeof(head), transfer->data);
	if (head[0] < 0x14 || head[0] > 0x17 || head[1] != 3)
		return 0;
	bind_tls(&transfer->who, account->id, transfer->out);
	if (rustls_seen)
		trace_records(transfer, account->id);
	if (!transfer->out || account->hello)
		return 0;
	account->hello = HELLO_DONE;
	if (head[0] == 0x16 && (bytes == RECORD_HEAD_BYTES || head[5] == 1))
		tell_hello(transfer, account, RECORD_HEAD_BYTES + (head[3] << 8) + head[4]);
	return 0;
}

/* Each may go to another peer; raw sockets are such, too. */
static __always_inline bool has_datagrams(enum account_kind kind)
{
	return kind == ACCOUNT_UDP || kind == ACCOUNT_OTHER_SOCKET;
}

static __noinline int inspect_datagram(const struct transfer *transfer, const struct account *account)
{
	const struct sock *sock = (void *)account->sock;
	struct opening opening = { .operation = NET_CONNECT };
	struct socket_address peer = {};

	if (transfer->out) {
		if (!transfer->to_peer || !is_new_peer(account->id, transfer->peer))
			return 0;
		opening.who = transfer->who;
		opening.sock = sock;
		opening.socket_id = account->id;
		opening.user_peer = transfer->peer;
		opening.fd = transfer->fd;
		return tell_net_open(&opening);
	}
	if (transfer->peer)
		read_user_address(&peer, transfer->peer);
	else
		peer.port = bpf_ntohs(BPF_CORE_READ(sock, __sk_common.skc_dport));
	if (peer.port == DNS_PORT && account->kind == ACCOUNT_UDP)
		tell_payload(transfer, account->id, PAYLOAD_DNS);
	return 0;
}

/* Unix sockets without any name are pipes by another name. */
static __always_inline bool is_nameless(const struct sock *sock)
{
	const struct unix_sock *unix = (void *)sock;
	const struct unix_sock *peer = (void *)BPF_CORE_READ(unix, peer);

	return !BPF_CORE_READ(unix, addr) && (!peer || !BPF_CORE_READ(peer, addr));
}

static __noinline int tell_inherited_socket(const struct transfer *transfer, const struct account *account)
{
	struct opening opening = {
		.operation = NET_INHERITED,
		.who = transfer->who,
		.sock = (void *)account->sock,
		.socket_id = account->id,
		.fd = transfer->fd,
	};

	return tell_net_open(&opening);
}

static __always_inline enum account_kind kind_of(const struct file *file, const struct sock *sock)
{
	enum account_kind kind;

	if (sock) {
		kind = kind_of_sock(sock);
		return kind == ACCOUNT_UNIX && is_nameless(sock) ? ACCOUNT_NONE : kind;
	}
	if (is_filesystem(file, PIPEFS_MAGIC) || is_filesystem(file, ANON_INODE_FS_MAGIC) || is_filesystem(file, PIDFS_MAGIC))
		return ACCOUNT_NONE;
	return ACCOUNT_FILE;
}

/* A descriptor's account; made, and told, when there is none for what it means now. */
static __noinline struct account *account_of(const struct transfer *transfer, struct file *file)
{
	struct descriptor key = { .pid = transfer->who.pid, .fd = transfer->fd };
	struct account *account = bpf_map_lookup_elem(&accounts, &key);
	struct naming unknown = {};
	struct sock *sock;
	enum account_kind kind;

	if (account && account->file == (__u64)file)
		return account;
	sock = sock_of(file);
	kind = kind_of(file, sock);
	account = put_account(&transfer->who, transfer->fd, file, kind, sock);
	if (!account || kind == ACCOUNT_NONE)
		return account;
	account->plain.tries_left[0] = PLAIN_TRIES_LATE;
	if (kind == ACCOUNT_FILE) {
		unknown.flags = BPF_CORE_READ(file, f_flags);
		tell_file_open(&transfer->who, transfer->fd, file, account->id, &unknown);
	} else if (!has_datagrams(kind) || !transfer->to_peer) {
		tell_inherited_socket(transfer, account);
	}
	return account;
}

static __noinline int add_transfer(const struct transfer *transfer)
{
	struct file *file = file_of(transfer->fd);
	struct account *account;
	__u64 now, told;

	if (!file)
		return 0;
	account = account_of(transfer, file);
	if (!account)
		return 0;
	if (account->kind == ACCOUNT_NONE)
		return is_plain_over(account->plain.states[plain_index(transfer->out)]) ? 0 : inspect_pipe(transfer, account, file);
	now = bpf_ktime_get_ns();
	if (!account->first_ns)
		account->first_ns = now;
	account->last_ns = now;
	if (transfer->out) {
		__sync_fetch_and_add(&account->bytes_out, transfer->bytes);
		__sync_fetch_and_add(&account->count_out, 1);
	} else {
		__sync_fetch_and_add(&account->bytes_in, transfer->bytes);
		__sync_fetch_and_add(&account->count_in, 1);
	}
	if (account->kind == ACCOUNT_TCP)
		inspect_tcp(transfer, account);
	else if (has_datagrams(account->kind))
		inspect_datagram(transfer, account);
	told = account->told_ns;
	if (now - told > PROGRESS_NS && now > told && __sync_val_compare_and_swap(&account->told_ns, told, now) == told)
		settle(account, transfer->fd, &transfer->who, false);
	/* Last: it may take long, and another thread may close the descriptor, whose account is then another's. */
	if ((account->kind == ACCOUNT_TCP || account->kind == ACCOUNT_UNIX) && account->plain.states[0] != PLAIN_NO)
		inspect_plain_socket(transfer, account);
	return 0;
}

#endif
