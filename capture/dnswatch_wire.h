/*
 * Everything a watch knows, and the one way in: packets. Takes each apart, hands UDP payloads and TCP streams on as messages, pairs
 * them and tells names, groups and findings what came of them. No descriptor, no clock: tests and fuzzing feed it as the worker does.
 */
#ifndef NSDBG_CAPTURE_DNSWATCH_WIRE_H
#define NSDBG_CAPTURE_DNSWATCH_WIRE_H

#include "capture/dnswatch_findings.h"
#include "capture/dnswatch_names.h"
#include "capture/dnswatch_pair.h"
#include "capture/dnswatch_search.h"
#include "capture/dnswatch_tcp.h"

enum { DNSWATCH_RATE_SECONDS = 10 };

struct dnswatch_wire {
	struct dnswatch_pair *pair;
	struct dnswatch_tcp *tcp;
	struct dnswatch_names *names;
	struct dnswatch_groups *groups;
	struct dnswatch_findings findings;
	struct dnswatch_row totals; /* counts only */
	uint16_t port; /* besides 53; 0 none */
	int64_t now; /* time of the packet, or of the last tick */
	int64_t ticked;
	uint32_t per_second[DNSWATCH_RATE_SECONDS]; /* questions, by second of arrival */
	int64_t second; /* of the newest of them */
	int64_t begun; /* ns, for the rate of a young watch */
	/* A new question of a program, to find its socket; NULL fine. */
	void (*asked)(void *arg, struct dnswatch_exchange *e);
	void *arg;
};

struct dnswatch_wire *dnswatch_wire_new(uint64_t seed);
void dnswatch_wire_free(struct dnswatch_wire *w);
void dnswatch_wire_setup(struct dnswatch_wire *w, const struct dnswatch_params *p); /* forgets the groups */
void dnswatch_wire_clear(struct dnswatch_wire *w);

void dnswatch_wire_packet(struct dnswatch_wire *w, const void *bytes, uint32_t captured, uint32_t length, uint32_t link_type, int64_t time);
/* The time is now at least this: settles what is over. */
void dnswatch_wire_tick(struct dnswatch_wire *w, int64_t now);
/* A socket's owner, for all of its questions. */
void dnswatch_wire_owner(struct dnswatch_wire *w, const struct dnswatch_owner *owner);

/* --- dnswatch_rows.c; b is of the row's type --- */

void dnswatch_rows_all(struct dnswatch_wire *w, struct builder *b); /* newest first */
void dnswatch_rows_settled(struct dnswatch_wire *w, struct builder *b, const struct dnswatch_fetch *fetch);
void dnswatch_rows_names(struct dnswatch_wire *w, struct builder *b); /* most asked first */
void dnswatch_rows_searches(struct dnswatch_wire *w, struct builder *b); /* newest first */
/* Appends the state; running, packets, dropped, note and started_at are the caller's to fill. */
struct dnswatch_row *dnswatch_rows_state(struct dnswatch_wire *w, struct builder *b);

#endif
