/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Finds processes that talk to an LLM API by what they write. */
#ifndef UNDERSIGHT_DISCOVER_BPF_H
#define UNDERSIGHT_DISCOVER_BPF_H

#define REQUEST_LINE_BYTES 160
#define LONGEST_PATH_BYTES 32 /* that is looked for, with what follows it */

struct request_search {
	const char *line;
	__u32 found;
	__u16 is_model; /* the path names a model by /model/, as Amazon Bedrock has it */
	__u8 is_api;    /* what stands before is of the kind below which an API's names stand, or nothing */
	__u8 is_named;  /* that will be so after what follows next, a name */
};

#include "discover-http2.bpf.h"

/* Whether the first bytes of a little-endian word are those of `text`. */
static __always_inline bool begins(__u64 word, const char *text, int bytes)
{
	__u64 wanted = 0;

	for (int index = 0; index < bytes; index++)
		wanted |= (__u64)(__u8)text[index] << (8 * index);
	return (word ^ wanted) << (64 - 8 * bytes) == 0;
}

static __always_inline bool ends(char next)
{
	return next == ' ' || next == '?';
}

#define PATH_INDEX 5 /* after `POST ` */

static __always_inline bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* Whether a path's part that begins here is one below which an API's names stand: a version, or the API's own name. */
static __always_inline bool begins_api(const char *at, __u64 word)
{
	if (at[1] == 'v' && is_digit(at[2]))
		return at[3] == '/' || (is_digit(at[3]) && at[4] == '/');
	return begins(word, "/openai/", 8) || begins(word, "/codex/", 7);
}

/*
 * Whether the path of an LLM API ends with what stands at byte `index` of a request line. Words that any path may end with
 * must stand where an API's names do.
 */
static long search_step(__u32 index, void *context)
{
	struct request_search *search = context;
	const char *at;
	__u64 first, second, third;
	bool is_api;

	if (index < PATH_INDEX)
		return 0;
	if (index >= REQUEST_LINE_BYTES)
		return 1;
	at = search->line + index;
	if (*at == ' ' || *at == '?' || *at == '\r' || *at == '\n')
		return 1;
	if (*at != '/' && *at != ':')
		return 0;
	__builtin_memcpy(&first, at, 8);
	__builtin_memcpy(&second, at + 8, 8);
	__builtin_memcpy(&third, at + 16, 8);
	if (*at == ':') {
		search->found = (begins(first, ":embedCo", 8) && begins(second, "ntent", 5) && ends(at[13])) ||
				(begins(first, ":batchEm", 8) && begins(second, "bedConte", 8) && begins(third, "nts", 3) && ends(at[19])) ||
				(begins(first, ":rawPred", 8) && begins(second, "ict", 3) && ends(at[11])) ||
				(begins(first, ":streamR", 8) && begins(second, "awPredic", 8) && begins(third, "t", 1) && ends(at[17])) ||
				(begins(first, ":generat", 8) && begins(second, "eContent", 8) && ends(at[16])) ||
				(begins(first, ":streamG", 8) && begins(second, "enerateC", 8) && begins(third, "ontent", 6) && ends(at[22]));
		return search->found;
	}
	is_api = search->is_api || index == PATH_INDEX;
	search->is_api = search->is_named || begins_api(at, first);
	search->is_named = (begins(first, "/deploym", 8) && begins(second, "ents/", 5)) || (begins(first, "/engines", 8) && at[8] == '/');
	if (begins(first, "/model/", 7))
		search->is_model = 1;
	search->found = (begins(first, "/v1/mess", 8) && begins(second, "ages", 4) && ends(at[12])) ||
			(begins(first, "/chat/co", 8) && begins(second, "mpletion", 8) && begins(third, "s", 1) && ends(at[17])) ||
			(is_api && begins(first, "/respons", 8) && begins(second, "es", 2) && ends(at[10])) ||
			(is_api && begins(first, "/complet", 8) && begins(second, "ions", 4) && ends(at[12])) ||
			(is_api && begins(first, "/embeddi", 8) && begins(second, "ngs", 3) && ends(at[11])) ||
			(begins(first, "/v2/chat", 8) && ends(at[8])) ||
			(begins(first, "/ollama/", 8) && begins(second, "api/", 4)) ||
			(search->is_model && begins(first, "/convers", 8) && begins(second, "e", 1) && (ends(at[9]) || at[9] == '-')) ||
			(search->is_model && begins(first, "/invoke", 7) && (ends(at[7]) || at[7] == '-'));
	return search->found;
}

static __always_inline bool begins_post(const char *line)
{
	return line[0] == 'P' && line[1] == 'O' && line[2] == 'S' && line[3] == 'T' && line[4] == ' ';
}

/* Whether what is about to be written may hold a request to an LLM API: a look at its first bytes, for all who write. */
static __always_inline bool may_be_request(__u64 data)
{
	char line[FRAME_HEAD_BYTES] = {};

	return !bpf_probe_read_user(line, sizeof(line), (void *)data) && (begins_post(line) || begins_http2(line));
}

/* Watches a process that sends a request to an LLM API, from this call on. */
static __always_inline bool discover(struct subject *who, __u64 data, struct tls_slot *slot, __u64 bytes)
{
	struct request_search search = { .line = slot->record };
	struct agent_seen_event *event;
	struct target target = {};
	__u32 steps;
	long error;

	if (bytes < 16)
		return false;
	barrier_var(bytes); /* or the verifier looks at another copy than the one that is bounded */
	steps = bytes < REQUEST_LINE_BYTES ? bytes : REQUEST_LINE_BYTES;
	if (bytes > REQUEST_LINE_BYTES + LONGEST_PATH_BYTES)
		bytes = REQUEST_LINE_BYTES + LONGEST_PATH_BYTES;
	__builtin_memset(slot->record, 0, REQUEST_LINE_BYTES + LONGEST_PATH_BYTES);
	if (bpf_probe_read_user(slot->record, bytes, (void *)data))
		return false;
	if (begins_post(slot->record))
		bpf_loop(steps, search_step, &search, 0);
	else if (begins_http2(slot->record))
		bpf_loop(steps, search_field_step, &search, 0);
	if (!search.found)
		return false;
	who->start_ns = target.start_ns = start_of(current_task());
	error = bpf_map_update_elem(&targets, &who->pid, &target, BPF_NOEXIST);
	if (error == -7 /* E2BIG */) {
		count_loss(LOSS_TABLE_FULL);
		return false;
	}
	if (error)
		return true; /* another thread was first */
	event = reserve_event(struct agent_seen_event, EVENT_AGENT_SEEN, who);
	if (!event)
		return true;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	bpf_ringbuf_submit(event, 0);
	return true;
}

/*
 * Whether what a process that nobody watches is about to write shows that somebody should: when the call begins, so that
 * nothing need be remembered of those who are not watched, and their calls' returns are none of our concern.
 */
static __noinline bool reveals(struct subject *who, __u64 data, __u64 bytes)
{
	struct tls_slot *slot;
	bool found;

	if (who->pid == tunables.own_pid || !may_be_request(data) || is_excluded_user())
		return false;
	slot = claim_slot(false);
	if (!slot)
		return false;
	found = discover(who, data, slot, bytes);
	slot->busy = 0;
	return found;
}

#endif
