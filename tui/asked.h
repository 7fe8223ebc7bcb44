/* The questions asked in a DNS pane, newest first, as rows. */
#ifndef NSDBG_TUI_ASKED_H
#define NSDBG_TUI_ASKED_H

#include "core/block.h"

enum { ASKED_MAX = 100, ASKED_NAME = 1025, ASKED_ANSWER = 200 };

struct asked_row {
	struct row_head head;
	int64_t time;
	struct str name; /* as typed */
	struct str type; /* "A+AAAA" */
	struct str server; /* who answered */
	struct str rcode;
	uint64_t time_us;
	struct str answer; /* data of all answers, or words */
};
extern const struct row_type asked_row_type;

/* What came of one question. */
struct asked {
	uint64_t id;
	int64_t time;
	char name[ASKED_NAME], type[16], server[80], rcode[80], answer[ASKED_ANSWER];
	char flags[64], transport[8];
	uint64_t time_us; /* ROW_NO_UINT: unknown */
	uint64_t size; /* bytes of all replies; ROW_NO_UINT: unknown */
	uint32_t records; /* in the answer */
	enum severity severity;
};

struct asked_list {
	struct asked items[ASKED_MAX]; /* newest last */
	unsigned n;
	uint64_t next_id;
};

/* Sums a block of dns_row up: worst rcode, longest time, all data. name, type and time stay the caller's. */
void asked_sum(const struct block *answers, struct asked *ret);
void asked_add(struct asked_list *l, const struct asked *a);
/* By id; NULL: forgotten. */
const struct asked *asked_find(const struct asked_list *l, uint64_t id);
/* asked_row, newest first. Never NULL. */
struct block *asked_block(const struct asked_list *l);

#endif
