/*
 * Window on the packets of a capture: the worker holds them all, the app the pages around the reader. Pages are asked for ahead of
 * the cursor, at most one at a time in each direction; old ones stay on the screen until their fresh copy is here.
 */
#ifndef NSDBG_TUI_PAGES_H
#define NSDBG_TUI_PAGES_H

#include "capture/capture.h"
#include "core/block.h"

enum { PAGES_ROWS = 256, PAGES_KEPT = 16, PAGES_TAGS = 0x10000000 };

enum pages_direction { PAGES_ON, PAGES_BACK, PAGES_N };

struct page {
	struct block *block; /* packet_row; NULL: free */
	uint64_t from; /* place of its first row */
	uint64_t used; /* pages.clock when last wanted */
	bool stale; /* rows may have moved since */
};

struct pages {
	uint64_t count; /* rows on display */
	uint64_t promised; /* rows that the worker has; pages_advance makes them the count */
	uint64_t clock;
	uint32_t next_tag;
	bool frozen; /* what is there stays as it is */
	unsigned empty; /* answers without rows where some should have been */
	int64_t first_time; /* of packet 1; 0: not seen yet */
	uint64_t first_number; /* packet at place 0, when nothing is filtered: a row's number is its place; 0: it is not */
	struct page page[PAGES_KEPT];
	struct {
		uint32_t tag; /* 0: nothing under way */
		uint64_t from;
		uint64_t promised; /* pages.promised when it was asked */
	} flight[PAGES_N];
	struct {
		uint64_t from, promised; /* asked last: not again before the worker has said something new */
	} asked[PAGES_N];
};

void pages_init(struct pages *p);
/* Forgets all rows (other display filter), but not first_time. Answers still under way are not taken. */
void pages_reset(struct pages *p);
/* Rows changed places, nobody knows how (the spool dropped packets that a filter may hide): pages are asked for anew. */
void pages_moved(struct pages *p);
/* The first n rows have left: all others are n places further up. */
void pages_shift(struct pages *p, uint64_t n);

/* NULL: not here (yet). */
const struct packet_row *pages_at(const struct pages *p, uint64_t i, const struct block **ret_block);
/* Index of a row that lies in `block`; false: not one of ours any more. */
bool pages_index(const struct pages *p, const struct block *block, const struct packet_row *row, uint64_t *ret);
/* Index of the packet with this number, if it is in a page. */
bool pages_find(const struct pages *p, uint64_t number, uint64_t *ret);

/* What to ask next for a reader on row `cursor` who sees `span` rows around it. True: send *ret under *ret_tag. When sending fails,
 * call pages_failed. */
bool pages_next(struct pages *p, uint64_t cursor, uint64_t span, struct capture_page *ret, uint32_t *ret_tag);
/* Puts new rows on display: for a reader who follows the end only when the last `span` of them are here, so that nothing flickers. */
void pages_advance(struct pages *p, bool follow, uint64_t span);
/* An answer; takes the block. False: not for us (the block is dropped then as well when the tag is a page's). */
bool pages_take(struct pages *p, uint32_t tag, struct block *b);
/* The request under this tag will not be answered. */
bool pages_failed(struct pages *p, uint32_t tag);

#endif
