/* Who has an address: names of containers for packets and answers, looked up by hash. Rebuilt when the targets change. */
#ifndef NSDBG_TUI_WHO_H
#define NSDBG_TUI_WHO_H

#include "core/addr.h"
#include "core/text.h"

#include <stdint.h>

struct block;
struct who_name; /* one address */

struct who {
	struct block *targets; /* own reference: the texts live there */
	struct who_name *slots; /* open addressing, a power of two */
	uint32_t n_slots;
};

/* targets: target_row block, may be NULL. An address that running targets share gets no name, but for `own` (row id, 0 none), which
 * wins: the packets are its own. */
void who_set(struct who *w, struct block *targets, uint64_t own);
void who_done(struct who *w);

/* false: nobody known has it. */
bool who_find(const struct who *w, const struct addr *a, struct text *ret);

/* Writes the name, or the address when there is none or `names` is off, and ":port" unless it is ROW_NO_UINT. IPv6 before a port
 * stands in brackets. Raw bytes: the caller cleans. Returns length. */
size_t who_endpoint(const struct who *w, bool use_names, const struct addr *a, uint64_t port, char *buf, size_t cap);

#endif
