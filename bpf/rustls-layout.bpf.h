/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What the two functions of rustls get and give, as rustc lays it out (rustls 0.23, src/crypto/cipher.rs and
 * src/msgs/message): `fn(self, message, sequence number)`, whose result's place the caller passes apart. No layout of Rust's is
 * promised: whatever does not look like this is counted, and not told.
 */
#ifndef UNDERSIGHT_RUSTLS_LAYOUT_BPF_H
#define UNDERSIGHT_RUSTLS_LAYOUT_BPF_H

#if defined(__TARGET_ARCH_x86)
#define RUST_RESULT_PLACE(ctx) ((ctx)->di)
#define RUST_ARGUMENT_0(ctx) ((ctx)->si)
#define RUST_ARGUMENT_1(ctx) ((ctx)->dx)
#define RUST_ARGUMENT_2(ctx) ((ctx)->cx)
#else
#define RUST_RESULT_PLACE(ctx) ((ctx)->regs[8])
#define RUST_ARGUMENT_0(ctx) ((ctx)->regs[0])
#define RUST_ARGUMENT_1(ctx) ((ctx)->regs[1])
#define RUST_ARGUMENT_2(ctx) ((ctx)->regs[2])
#endif

#define RUSTLS_APPLICATION_DATA 3 /* of enum ContentType */
#define RUSTLS_TLS12 4            /* of enum ProtocolVersion */
#define RUSTLS_TLS13 5
/* The highest of enum Error's numbers that the two functions give: PeerSentOversizedRecord. */
#define RUSTLS_LAST_ERROR 17
#define RUSTLS_MIN_OVERHEAD 16
#define RUSTLS_MAX_OVERHEAD 24

/* Content type, with its number where it has no name, and version. */
struct rustls_kind {
	__u8 type;
	__u8 byte;
	__u16 version;
	__u32 padding;
};

/* OutboundPlainMessage */
struct rustls_outbound {
	__u64 chunks; /* 0: one piece */
	__u64 first;  /* that piece, or the number of chunks */
	__u64 start;  /* its length, or what of the chunks is meant: from here */
	__u64 end;    /* to here */
	struct rustls_kind kind;
};

/* InboundOpaqueMessage */
struct rustls_inbound {
	__u64 payload;
	__u64 bytes;
};

/* Result<OutboundOpaqueMessage, Error> */
struct rustls_encrypted {
	__u8 tag;
	__u8 padding[7];
	__u64 capacity;
	__u64 payload;
	__u64 bytes;
};

/* Result<InboundPlainMessage, Error> */
struct rustls_decrypted {
	__u8 tag;
	__u8 padding[7];
	__u64 payload;
	__u64 bytes;
	struct rustls_kind kind;
};

/* &[u8] */
struct rustls_slice {
	__u64 data;
	__u64 bytes;
};

/* A result has a number of its own (0: Ok, 1: Err), or Ok comes after all of Error's, of which the first is not given. */
static __always_inline bool is_rustls_ok(__u8 tag)
{
	return tag == 0 || tag > RUSTLS_LAST_ERROR;
}

static __always_inline bool is_rustls_version(const struct rustls_kind *kind)
{
	return kind->version == RUSTLS_TLS12 || kind->version == RUSTLS_TLS13;
}

#endif
