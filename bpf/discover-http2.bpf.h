/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Finds requests to LLM APIs in the first bytes of an HTTP/2 client: a path, or a host, that a header block spells out. */
#ifndef UNDERSIGHT_DISCOVER_HTTP2_BPF_H
#define UNDERSIGHT_DISCOVER_HTTP2_BPF_H

#define FRAME_HEAD_BYTES 9
#define FRAME_TYPE_HEADERS 1
#define API_SPELLINGS 32

/*
 * The beginnings of values, as they are or in the Huffman code of HPACK (RFC 7541, appendix B), up to 16 bytes in
 * little-endian words: the bits, and which of them count. A connection's first request spells its path out; later ones
 * mostly refer to it.
 */
static const struct api_spelling {
	__u64 bits[2];
	__u64 mask[2];
} api_spellings[API_SPELLINGS] = {
	/* path /v1/messages */
	{ { 0x7373656d2f31762f, 0x0000000073656761 }, { 0xffffffffffffffff, 0x00000000ffffffff } },
	/* path /v1/messages (Huffman) */
	{ { 0x2ae640a8a458b863, 0x0000000000000000 }, { 0xffffffffffffffff, 0x00000000000000c0 } },
	/* path /v1/responses */
	{ { 0x707365722f31762f, 0x0000007365736e6f }, { 0xffffffffffffffff, 0x000000ffffffffff } },
	/* path /v1/responses (Huffman) */
	{ { 0x20f5aca8b058b863, 0x00000000000000a8 }, { 0xffffffffffffffff, 0x00000000000000ff } },
	/* path /v1/chat/completions */
	{ { 0x746168632f31762f, 0x74656c706d6f632f }, { 0xffffffffffffffff, 0xffffffffffffffff } },
	/* path /v1/chat/completions (Huffman) */
	{ { 0x3d044be32458b863, 0x000020f59854d035 }, { 0xffffffffffffffff, 0x0000fcffffffffff } },
	/* path /v1/embeddings */
	{ { 0x65626d652f31762f, 0x000073676e696464 }, { 0xffffffffffffffff, 0x0000ffffffffffff } },
	/* path /v1/embeddings (Huffman) */
	{ { 0x0d4996312d58b863, 0x000000000000c854 }, { 0xffffffffffffffff, 0x000000000000ffff } },
	/* path /chat/completions */
	{ { 0x6f632f746168632f, 0x6e6f6974656c706d }, { 0xffffffffffffffff, 0xffffffffffffffff } },
	/* path /chat/completions (Huffman) */
	{ { 0x41d7f4102c8d9360, 0x0000000080d46352 }, { 0xffffffffffffffff, 0x00000000f0ffffff } },
	/* path /api/v1/chat/completions */
	{ { 0x2f31762f6970612f, 0x6d6f632f74616863 }, { 0xffffffffffffffff, 0xffffffffffffffff } },
	/* path /api/v1/chat/completions (Huffman) */
	{ { 0x8d9360e18e997560, 0xd4635241d7f4102c }, { 0xffffffffffffffff, 0xffffffffffffffff } },
	/* path /openai/v1/ */
	{ { 0x2f69616e65706f2f, 0x00000000002f3176 }, { 0xffffffffffffffff, 0x0000000000ffffff } },
	/* path /openai/v1/ (Huffman) */
	{ { 0x60e18e99a196f560, 0x0000000000000000 }, { 0xfcffffffffffffff, 0x0000000000000000 } },
	/* path /openai/deployments/ */
	{ { 0x2f69616e65706f2f, 0x656d796f6c706564 }, { 0xffffffffffffffff, 0xffffffffffffffff } },
	/* path /openai/deployments/ (Huffman) */
	{ { 0x5d0b8999a196f560, 0x0000184a6a49f507 }, { 0xffffffffffffffff, 0x0000ffffffffffff } },
	/* path /backend-api/codex/responses */
	{ { 0x646e656b6361622f, 0x646f632f6970612d }, { 0xffffffffffffffff, 0xffffffffffffffff } },
	/* path /backend-api/codex/responses (Huffman) */
	{ { 0xd661916aa9933162, 0x8a0a8be50b790866 }, { 0xffffffffffffffff, 0xffffffffffffffff } },
	/* path /anthropic/v1/messages */
	{ { 0x706f7268746e612f, 0x656d2f31762f6369 }, { 0xffffffffffffffff, 0xffffffffffffffff } },
	/* path /anthropic/v1/messages (Huffman) */
	{ { 0xc788590f7b267560, 0x0054cc815049b170 }, { 0xffffffffffffffff, 0x80ffffffffffffff } },
	/* path /v1beta/models/ */
	{ { 0x2f6174656231762f, 0x002f736c65646f6d }, { 0xffffffffffffffff, 0x00ffffffffffffff } },
	/* path /v1beta/models/ (Huffman) */
	{ { 0x9027c5462a63b863, 0x00000000008021b4 }, { 0xffffffffffffffff, 0x0000000000f0ffff } },
	/* path /v1internal: */
	{ { 0x7265746e6931762f, 0x000000003a6c616e }, { 0xffffffffffffffff, 0x00000000ffffffff } },
	/* path /v1internal: (Huffman) */
	{ { 0xa243654b524db863, 0x00000000000000e0 }, { 0xffffffffffffffff, 0x00000000000000f8 } },
	/* path /google.ai.generativelanguage. */
	{ { 0x2e656c676f6f672f, 0x72656e65672e6961 }, { 0xffffffffffffffff, 0xffffffffffffffff } },
	/* path /google.ai.generativelanguage. (Huffman) */
	{ { 0xbcccb80a6a9e6362, 0x075aee260db6a8c5 }, { 0xffffffffffffffff, 0xffffffffffffffff } },
	/* path /google.cloud.aiplatform. */
	{ { 0x2e656c676f6f672f, 0x69612e64756f6c63 }, { 0xffffffffffffffff, 0xffffffffffffffff } },
	/* path /google.cloud.aiplatform. (Huffman) */
	{ { 0x3d28b90a6a9e6362, 0xec29d34057332eb2 }, { 0xffffffffffffffff, 0xffffffffffffffff } },
	/* path /v2/chat */
	{ { 0x746168632f32762f, 0x0000000000000000 }, { 0xffffffffffffffff, 0x0000000000000000 } },
	/* path /v2/chat (Huffman) */
	{ { 0x000048e32498b863, 0x0000000000000000 }, { 0x0000f8ffffffffff, 0x0000000000000000 } },
	/* authority bedrock-runtime. */
	{ { 0x2d6b636f72646562, 0x2e656d69746e7572 }, { 0xffffffffffffffff, 0xffffffffffffffff } },
	/* authority bedrock-runtime. (Huffman) */
	{ { 0x6acb5a757258b28c, 0x00000000e02aa949 }, { 0xffffffffffffffff, 0x00000000e0ffffff } },
};

/* Whether any of them has this as its first byte. */
static __always_inline bool begins_spelling(__u8 byte)
{
	bool found = false;

#pragma unroll
	for (int spelling = 0; spelling < API_SPELLINGS; spelling++)
		found |= byte == (__u8)api_spellings[spelling].bits[0];
	return found;
}

/* Whether a field begins at byte `index` whose name is :authority or :path by its number, and whose value is of an LLM API. */
static long search_field_step(__u32 index, void *context)
{
	struct request_search *search = context;
	const char *at;
	__u64 first, second;
	__u8 kind, name;

	if (index >= REQUEST_LINE_BYTES)
		return 1;
	at = search->line + index;
	kind = (__u8)*at >> 4; /* 4: to be indexed, 0: not, 1: never (sections 6.2.1 to 6.2.3) */
	name = (__u8)*at & 15;
	if ((kind != 4 && kind > 1) || (name != 1 && name != 4 && name != 5))
		return 0;
	if (!begins_spelling(at[2]))
		return 0;
	__builtin_memcpy(&first, at + 2, 8);
	__builtin_memcpy(&second, at + 10, 8);
#pragma unroll
	for (int spelling = 0; spelling < API_SPELLINGS; spelling++) {
		const struct api_spelling *wanted = &api_spellings[spelling];

		if ((first & wanted->mask[0]) == wanted->bits[0] && (second & wanted->mask[1]) == wanted->bits[1]) {
			search->found = 1;
			return 1;
		}
	}
	return 0;
}

/* Whether it is the preface of a client, or a HEADERS frame of one. */
static __always_inline bool begins_http2(const char *line)
{
	bool is_preface = line[0] == 'P' && line[1] == 'R' && line[2] == 'I' && line[3] == ' ';

	return is_preface || (line[0] == 0 && line[3] == FRAME_TYPE_HEADERS && !(line[5] & 0x80) && (line[8] & 1));
}

#endif
