/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Sockets that speak HTTP without TLS. */
#ifndef UNDERSIGHT_PLAIN_SOCKET_BPF_H
#define UNDERSIGHT_PLAIN_SOCKET_BPF_H

/* What CONNECT begins is a tunnel, of TLS as a rule. */
static __always_inline bool looks_like_http(__u64 head)
{
	return begins(head, "GET ", 4) || begins(head, "POST ", 5) || begins(head, "HTTP/1.", 7) || begins(head, "PUT ", 4) ||
	       begins(head, "DELETE ", 7) || begins(head, "PATCH ", 6) || begins(head, "HEAD ", 5) ||
	       begins(head, "OPTIONS ", 8) || begins(head, "PRI * HT", 8);
}

static __always_inline bool looks_encrypted(__u64 head)
{
	__u8 type = head, major = head >> 8;

	return (type >= 0x14 && type <= 0x17 && major == 3) || begins(head, "CONNECT ", 8);
}

static __noinline int decide_socket(const struct transfer *transfer, struct plain_account *plain)
{
	__u64 head = 0, bytes = transfer->data_bytes < transfer->bytes ? transfer->data_bytes : transfer->bytes;

	if (!bytes)
		return 0;
	if (bytes > sizeof(head))
		bytes = sizeof(head);
	bpf_probe_read_user(&head, bytes, transfer->data);
	if (looks_like_http(head))
		plain->states[0] = PLAIN_TOLD;
	else if (plain->tries_left[0] <= 1 || looks_encrypted(head))
		plain->states[0] = PLAIN_NO;
	else
		plain->tries_left[0]--;
	return 0;
}

static __noinline int inspect_plain_socket(const struct transfer *transfer, struct account *account)
{
	struct plain_account *plain = &account->plain;
	__u64 offset_bytes;

	if (plain->states[0] == PLAIN_UNKNOWN)
		decide_socket(transfer, plain);
	if (plain->states[0] != PLAIN_TOLD)
		return 0;
	offset_bytes = __sync_fetch_and_add(&plain->at[plain_index(transfer->out)], transfer->bytes);
	return tell_plain(transfer, PLAIN_SOCKET, account->id, offset_bytes);
}

#endif
