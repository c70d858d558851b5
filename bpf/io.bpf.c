// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* System calls that move bytes through descriptors, and those that end descriptors. */

#define MAX_MESSAGES 1024
/* What these flags receive stays to be received, or is what was sent coming back. */
#define MSG_NOT_MOVED (MSG_PEEK | MSG_ERRQUEUE)

/* fd, buffer, length */
static __always_inline int moved(struct bpf_raw_tracepoint_args *ctx, bool out)
{
	struct transfer transfer = { .out = out };
	struct call call;

	if (!begin_call(&call, ctx) || call.result <= 0)
		return 0;
	transfer.who = call.who;
	transfer.fd = SYSCALL_ARGUMENT_0(call.regs);
	transfer.data = (void *)SYSCALL_ARGUMENT_1(call.regs);
	transfer.data_bytes = transfer.bytes = call.result;
	return add_transfer(&transfer);
}

#define MAX_EMPTY_VECTORS 8

static __always_inline void read_vector(struct transfer *transfer, const struct iovec *vector, __u64 count)
{
	struct iovec first = {};

	/* Something moved: one of them is not empty. */
	for (int index = 0; index < MAX_EMPTY_VECTORS && !first.bytes; index++)
		bpf_probe_read_user(&first, sizeof(first), &vector[index]);
	transfer->vector = vector;
	transfer->vector_count = count;
	transfer->data = (void *)first.base;
	transfer->data_bytes = first.bytes < transfer->bytes ? first.bytes : transfer->bytes;
}

/* fd, vector, count */
static __always_inline int moved_vector(struct bpf_raw_tracepoint_args *ctx, bool out)
{
	struct transfer transfer = { .out = out };
	struct call call;

	if (!begin_call(&call, ctx) || call.result <= 0)
		return 0;
	transfer.who = call.who;
	transfer.fd = SYSCALL_ARGUMENT_0(call.regs);
	transfer.bytes = call.result;
	read_vector(&transfer, (void *)SYSCALL_ARGUMENT_1(call.regs), SYSCALL_ARGUMENT_2(call.regs));
	return add_transfer(&transfer);
}

/* fd, buffer, length, flags, address */
static __always_inline int moved_datagram(struct bpf_raw_tracepoint_args *ctx, bool out)
{
	struct transfer transfer = { .out = out };
	struct call call;

	if (!begin_call(&call, ctx) || call.result <= 0)
		return 0;
	if (!out && SYSCALL_ARGUMENT_3(call.regs) & MSG_NOT_MOVED)
		return 0;
	transfer.who = call.who;
	transfer.fd = SYSCALL_ARGUMENT_0(call.regs);
	transfer.data = (void *)SYSCALL_ARGUMENT_1(call.regs);
	transfer.data_bytes = SYSCALL_ARGUMENT_2(call.regs);
	transfer.bytes = call.result;
	transfer.peer = (void *)SYSCALL_ARGUMENT_4(call.regs);
	transfer.to_peer = out && transfer.peer;
	return add_transfer(&transfer);
}

static __always_inline void read_message(struct transfer *transfer, const struct message_head *header)
{
	transfer->peer = header->name_bytes ? (void *)header->name : NULL;
	transfer->to_peer = transfer->out && transfer->peer;
	read_vector(transfer, (void *)header->iov, header->iov_count);
}

/* fd, struct msghdr, flags */
static __always_inline int moved_message(struct bpf_raw_tracepoint_args *ctx, bool out)
{
	struct transfer transfer = { .out = out };
	struct message_head header = {};
	struct call call;

	if (!begin_call(&call, ctx) || call.result <= 0)
		return 0;
	if (!out && SYSCALL_ARGUMENT_2(call.regs) & MSG_NOT_MOVED)
		return 0;
	transfer.who = call.who;
	transfer.fd = SYSCALL_ARGUMENT_0(call.regs);
	transfer.bytes = call.result;
	bpf_probe_read_user(&header, sizeof(header), (void *)SYSCALL_ARGUMENT_1(call.regs));
	read_message(&transfer, &header);
	return add_transfer(&transfer);
}

struct messages {
	struct transfer transfer;
	const struct mmsghdr *user;
	__u64 count;
};

static long move_message(__u32 index, void *context)
{
	struct messages *messages = context;
	const struct mmsghdr *message = &messages->user[index];
	struct message_head header;
	__u32 bytes;

	if (index >= messages->count)
		return 1;
	if (bpf_probe_read_user(&header, sizeof(header), &message->head) ||
	    bpf_probe_read_user(&bytes, sizeof(bytes), &message->bytes)) {
		count_loss(LOSS_MEMORY_FAULT);
		return 1;
	}
	messages->transfer.bytes = bytes;
	read_message(&messages->transfer, &header);
	add_transfer(&messages->transfer);
	return 0;
}

/* fd, array of struct mmsghdr, count, flags */
static __always_inline int moved_messages(struct bpf_raw_tracepoint_args *ctx, bool out)
{
	struct messages messages = { .transfer.out = out };
	struct call call;

	if (!begin_call(&call, ctx) || call.result <= 0)
		return 0;
	if (!out && SYSCALL_ARGUMENT_3(call.regs) & MSG_NOT_MOVED)
		return 0;
	messages.transfer.who = call.who;
	messages.transfer.fd = SYSCALL_ARGUMENT_0(call.regs);
	messages.user = (void *)SYSCALL_ARGUMENT_1(call.regs);
	messages.count = call.result;
	bpf_loop(MAX_MESSAGES, move_message, &messages, 0);
	return 0;
}

static __always_inline int moved_between(const struct call *call, int in_fd, int out_fd)
{
	struct transfer transfer = { .who = call->who, .fd = in_fd, .bytes = call->result };

	add_transfer(&transfer);
	transfer.fd = out_fd;
	transfer.out = true;
	return add_transfer(&transfer);
}

SEC("raw_tp")
int handle_read(struct bpf_raw_tracepoint_args *ctx)
{
	return moved(ctx, false);
}

SEC("raw_tp")
int handle_write(struct bpf_raw_tracepoint_args *ctx)
{
	return moved(ctx, true);
}

SEC("raw_tp")
int handle_readv(struct bpf_raw_tracepoint_args *ctx)
{
	return moved_vector(ctx, false);
}

SEC("raw_tp")
int handle_writev(struct bpf_raw_tracepoint_args *ctx)
{
	return moved_vector(ctx, true);
}

SEC("raw_tp")
int handle_recvfrom(struct bpf_raw_tracepoint_args *ctx)
{
	return moved_datagram(ctx, false);
}

SEC("raw_tp")
int handle_sendto(struct bpf_raw_tracepoint_args *ctx)
{
	return moved_datagram(ctx, true);
}

SEC("raw_tp")
int handle_recvmsg(struct bpf_raw_tracepoint_args *ctx)
{
	return moved_message(ctx, false);
}

SEC("raw_tp")
int handle_sendmsg(struct bpf_raw_tracepoint_args *ctx)
{
	return moved_message(ctx, true);
}

SEC("raw_tp")
int handle_recvmmsg(struct bpf_raw_tracepoint_args *ctx)
{
	return moved_messages(ctx, false);
}

SEC("raw_tp")
int handle_sendmmsg(struct bpf_raw_tracepoint_args *ctx)
{
	return moved_messages(ctx, true);
}

/* out fd, in fd */
SEC("raw_tp")
int handle_sendfile(struct bpf_raw_tracepoint_args *ctx)
{
	struct call call;

	if (!begin_call(&call, ctx) || call.result <= 0)
		return 0;
	return moved_between(&call, SYSCALL_ARGUMENT_1(call.regs), SYSCALL_ARGUMENT_0(call.regs));
}

/* splice and copy_file_range: in fd, offset, out fd */
SEC("raw_tp")
int handle_splice(struct bpf_raw_tracepoint_args *ctx)
{
	struct call call;

	if (!begin_call(&call, ctx) || call.result <= 0)
		return 0;
	return moved_between(&call, SYSCALL_ARGUMENT_0(call.regs), SYSCALL_ARGUMENT_2(call.regs));
}

SEC("raw_tp")
int handle_close(struct bpf_raw_tracepoint_args *ctx)
{
	struct call call;
	__u32 fd;

	if (!begin_call(&call, ctx))
		return 0;
	fd = SYSCALL_ARGUMENT_0(call.regs);
	close_stale_accounts(&call.who, fd, fd);
	return 0;
}

SEC("raw_tp")
int handle_close_range(struct bpf_raw_tracepoint_args *ctx)
{
	struct call call;

	if (!begin_call(&call, ctx) || call.result < 0 || SYSCALL_ARGUMENT_2(call.regs) & CLOSE_RANGE_CLOEXEC)
		return 0;
	close_stale_accounts(&call.who, SYSCALL_ARGUMENT_0(call.regs), SYSCALL_ARGUMENT_1(call.regs));
	return 0;
}

/* dup2 and dup3 close what the new descriptor was before. */
SEC("raw_tp")
int handle_dup2(struct bpf_raw_tracepoint_args *ctx)
{
	struct call call;

	if (!begin_call(&call, ctx) || call.result < 0)
		return 0;
	close_stale_accounts(&call.who, call.result, call.result);
	return 0;
}
