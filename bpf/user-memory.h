/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Structs that processes hand to system calls: their layout is the ABI. */
#ifndef UNDERSIGHT_USER_MEMORY_H
#define UNDERSIGHT_USER_MEMORY_H

struct iovec {
	__u64 base;
	__u64 bytes;
};

/* The beginning of struct msghdr. */
struct message_head {
	__u64 name;
	__u32 name_bytes;
	__u32 padding;
	__u64 iov;
	__u64 iov_count;
};

struct mmsghdr {
	struct message_head head;
	__u64 rest_of_head[3];
	__u32 bytes;
	__u32 padding;
};

#endif
