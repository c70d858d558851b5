/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Calls of rustls that are under way, by thread. */
#ifndef UNDERSIGHT_RUSTLS_CALL_BPF_H
#define UNDERSIGHT_RUSTLS_CALL_BPF_H

struct rustls_call {
	__u64 self;
	__u64 sequence;
	__u64 result;
	__u64 start_ns;
	__u64 cookie;
	__u32 direction;
	__u32 padding;
	union {
		struct rustls_outbound outbound;
		struct rustls_inbound inbound;
	};
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct rustls_call);
} rustls_calls SEC(".maps");

#endif
