/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The part of events.h about bytes that move unencrypted. */
#ifndef UNDERSIGHT_PLAIN_EVENTS_H
#define UNDERSIGHT_PLAIN_EVENTS_H

enum plain_channel {
	PLAIN_SOCKET = 1, /* TCP, or a unix socket with a name */
	PLAIN_PIPE = 2,   /* a pipe, or a pair of unix sockets without names */
};

enum plain_direction {
	PLAIN_WRITE = 1,
	PLAIN_READ = 2,
};

enum pipe_end {
	PIPE_END_READER = 1, /* this process reads what another one was told to write */
	PIPE_END_CLOSED = 2,
};

/* Bytes that moved unencrypted, from the first that looked like HTTP (sockets) or JSON-RPC (pipes). */
struct plain_data_event {
	struct event_header header;
	__u64 stream_id;    /* a socket's id; a pipe's inode, for a pair of sockets that of the receiving end */
	__u64 offset_bytes; /* in the stream of this direction */
	__u32 channel;
	__u32 direction;
	__u32 data_bytes;
	__u32 lost_bytes;   /* after data, left out */
	char data[];
};

struct pipe_end_event {
	struct event_header header;
	__u64 stream_id;
	__u32 state;
	__u32 padding;
};

#endif
