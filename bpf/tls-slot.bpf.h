/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Memory in which programs that can be preempted build a record: claimed, and given back. */
#ifndef UNDERSIGHT_TLS_SLOT_BPF_H
#define UNDERSIGHT_TLS_SLOT_BPF_H

#define CHUNK_BYTES 16384
#define SLOTS 64
#define MAX_SLOT_TRIES 16

struct tls_slot {
	__u32 busy;
	__u32 padding;
	char record[sizeof(struct tls_data_event) + CHUNK_BYTES] __attribute__((aligned(8)));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SLOTS);
	__type(key, __u32);
	__type(value, struct tls_slot);
} tls_slots SEC(".maps");

/* For a process that nobody watches nothing is lost where there is none. */
static __always_inline struct tls_slot *claim_slot(bool watched)
{
	__u32 first = bpf_get_prandom_u32();
	struct tls_slot *slot;

	for (int attempt = 0; attempt < MAX_SLOT_TRIES; attempt++) {
		__u32 index = (first + attempt) & (SLOTS - 1);

		slot = bpf_map_lookup_elem(&tls_slots, &index);
		if (slot && __sync_val_compare_and_swap(&slot->busy, 0, 1) == 0)
			return slot;
	}
	if (watched)
		count_loss(LOSS_SCRATCH_BUSY);
	return NULL;
}

#endif
