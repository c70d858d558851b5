/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Addresses of sockets: of the kernel's struct sock, or as the process gave them. */
#ifndef UNDERSIGHT_ADDRESS_BPF_H
#define UNDERSIGHT_ADDRESS_BPF_H

#define UNIX_PATH_BYTES 108

/* The beginning of struct sockaddr_in, sockaddr_in6 and sockaddr_un; the port is big-endian. */
struct user_address {
	__u16 family;
	__u16 port;
	__u8 ipv4[4];
	__u8 ipv6[16];
};

static __always_inline void read_user_address(struct socket_address *to, const void *user)
{
	struct user_address from = {};

	/* Shorter addresses end before ipv6: then that is read from memory that may not be there. */
	if (bpf_probe_read_user(&from, sizeof(from), user))
		bpf_probe_read_user(&from, 16, user);
	to->family = from.family;
	to->port = bpf_ntohs(from.port);
	if (from.family == AF_INET)
		__builtin_memcpy(to->address, from.ipv4, 4);
	else if (from.family == AF_INET6)
		__builtin_memcpy(to->address, from.ipv6, 16);
}

static __always_inline void read_inet_addresses(struct socket_address *local, struct socket_address *peer,
						const struct sock *sock)
{
	local->family = peer->family = BPF_CORE_READ(sock, __sk_common.skc_family);
	local->port = BPF_CORE_READ(sock, __sk_common.skc_num);
	peer->port = bpf_ntohs(BPF_CORE_READ(sock, __sk_common.skc_dport));
	if (local->family == AF_INET) {
		BPF_CORE_READ_INTO((__u32 *)local->address, sock, __sk_common.skc_rcv_saddr);
		BPF_CORE_READ_INTO((__u32 *)peer->address, sock, __sk_common.skc_daddr);
	} else if (bpf_core_field_exists(sock->__sk_common.skc_v6_daddr)) {
		BPF_CORE_READ_INTO((struct in6_addr *)local->address, sock, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO((struct in6_addr *)peer->address, sock, __sk_common.skc_v6_daddr);
	}
}

/* Appends the name of a unix socket: a path up to its NUL, or an abstract name with the NUL it begins with. */
static __always_inline __u32 append_unix_name(struct scratch *scratch, __u64 end, const struct unix_address *address)
{
	const char *name = (void *)address + bpf_core_field_offset(struct unix_address, name) + sizeof(__u16);
	int bytes;
	long text_bytes;

	if (!address || end > RECORD_BYTES - PATH_BYTES)
		return 0;
	bytes = BPF_CORE_READ(address, len) - (int)sizeof(__u16);
	text_bytes = bpf_probe_read_kernel_str(&scratch->record[end], UNIX_PATH_BYTES + 1, name);
	if (text_bytes > 1)
		return (text_bytes - 1) & 127;
	if (bytes <= 0 || bytes > UNIX_PATH_BYTES)
		return 0;
	bytes &= 127;
	return bpf_probe_read_kernel(&scratch->record[end], bytes, name) ? 0 : bytes;
}

static __always_inline __u32 append_user_unix_name(struct scratch *scratch, __u64 end, const void *user, __u32 user_bytes)
{
	__u32 bytes = user_bytes - sizeof(__u16);
	long text_bytes;

	if (user_bytes <= sizeof(__u16) || bytes > UNIX_PATH_BYTES || end > RECORD_BYTES - PATH_BYTES)
		return 0;
	text_bytes = bpf_probe_read_user_str(&scratch->record[end], (bytes & 127) + 1, user + sizeof(__u16));
	if (text_bytes > 1)
		return (text_bytes - 1) & 127;
	bytes &= 127;
	return bpf_probe_read_user(&scratch->record[end], bytes, user + sizeof(__u16)) ? 0 : bytes;
}

#endif
