/* Cache of pages: which one is missing, which one may go, which answer belongs where. Sends nothing itself. */
#include "tui/pages.h"

#include <string.h>

enum { PAGES_EMPTY = 4 }; /* answers without rows until a count is not believed */

void pages_init(struct pages *p)
{
	*p = (struct pages){ 0 };
}

static void page_drop(struct page *g)
{
	block_unref(g->block);
	*g = (struct page){ 0 };
}

void pages_reset(struct pages *p)
{
	for (unsigned i = 0; i < PAGES_KEPT; i++)
		page_drop(&p->page[i]);
	for (unsigned i = 0; i < PAGES_N; i++)
		p->flight[i].tag = 0;
	memset(p->asked, 0, sizeof p->asked);
	p->count = p->promised = 0;
	p->frozen = false;
}

void pages_moved(struct pages *p)
{
	memset(p->asked, 0, sizeof p->asked);
	for (unsigned i = 0; i < PAGES_KEPT; i++)
		p->page[i].stale = true;
}

void pages_shift(struct pages *p, uint64_t n)
{
	memset(p->asked, 0, sizeof p->asked);
	for (unsigned i = 0; i < PAGES_KEPT; i++) {
		if (p->page[i].from < n)
			page_drop(&p->page[i]); /* rows in front of the first */
		else
			p->page[i].from -= n;
	}
}

/* The page that has the row at place i; fresh ones before stale ones. */
static struct page *page_of(const struct pages *p, uint64_t i)
{
	const struct page *found = NULL;

	for (unsigned k = 0; k < PAGES_KEPT; k++) {
		const struct page *g = &p->page[k];

		if (g->block && i >= g->from && i - g->from < block_count(g->block) && (!found || found->stale))
			found = g;
	}
	return (struct page *)found;
}

const struct packet_row *pages_at(const struct pages *p, uint64_t i, const struct block **ret_block)
{
	const struct page *g = page_of(p, i);

	if (!g)
		return NULL;
	if (ret_block)
		*ret_block = g->block;
	return block_row(g->block, (uint32_t)(i - g->from));
}

bool pages_index(const struct pages *p, const struct block *block, const struct packet_row *row, uint64_t *ret)
{
	for (unsigned i = 0; i < PAGES_KEPT; i++) {
		const struct page *g = &p->page[i];
		const struct packet_row *first;

		if (!g->block || g->block != block || block_count(block) == 0)
			continue;
		first = block_row(block, 0);
		if (row < first || row >= first + block_count(block))
			return false;
		*ret = g->from + (uint64_t)(row - first);
		return true;
	}
	return false;
}

/* Numbers rise inside a page. */
static bool page_search(const struct page *g, uint64_t number, uint64_t *ret)
{
	uint32_t lo = 0, hi = block_count(g->block);

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const struct packet_row *row = block_row(g->block, mid);

		if (row->number == number) {
			*ret = g->from + mid;
			return true;
		}
		if (row->number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

bool pages_find(const struct pages *p, uint64_t number, uint64_t *ret)
{
	for (unsigned i = 0; i < PAGES_KEPT; i++) {
		if (p->page[i].block && !p->page[i].stale && page_search(&p->page[i], number, ret))
			return true;
	}
	return false;
}

/* Is a row missing, or old, that the worker has in the PAGES_ROWS from here? */
static bool page_is_wanted(struct pages *p, uint64_t from)
{
	uint64_t end = from + PAGES_ROWS < p->promised ? from + PAGES_ROWS : p->promised;

	for (uint64_t at = from; at < end;) {
		struct page *g = page_of(p, at);

		if (!g || (g->stale && !p->frozen))
			return true;
		g->used = ++p->clock;
		at = g->from + block_count(g->block);
	}
	return false;
}

static bool ask(struct pages *p, enum pages_direction d, uint64_t from, struct capture_page *ret, uint32_t *ret_tag)
{
	bool again = p->asked[d].from == from && p->asked[d].promised == p->promised;

	if (p->flight[d].tag != 0 || again || !page_is_wanted(p, from))
		return false;
	p->next_tag = (p->next_tag + 1) % PAGES_TAGS;
	p->flight[d].tag = PAGES_TAGS | p->next_tag;
	p->asked[d].from = p->flight[d].from = from;
	p->asked[d].promised = p->flight[d].promised = p->promised;
	*ret = (struct capture_page){ .from = from, .count = PAGES_ROWS };
	*ret_tag = p->flight[d].tag;
	return true;
}

bool pages_next(struct pages *p, uint64_t cursor, uint64_t span, struct capture_page *ret, uint32_t *ret_tag)
{
	uint64_t here, end, back;

	if (p->promised == 0)
		return false;
	if (cursor >= p->promised)
		cursor = p->promised - 1;
	here = cursor - cursor % PAGES_ROWS;
	end = cursor + span + PAGES_ROWS / 2; /* half a page ahead of what is seen */
	back = cursor > span + PAGES_ROWS / 2 ? cursor - span - PAGES_ROWS / 2 : 0;
	if (ask(p, PAGES_ON, here, ret, ret_tag))
		return true;
	if (p->first_time == 0 && ask(p, PAGES_BACK, 0, ret, ret_tag))
		return true;
	for (uint64_t at = here + PAGES_ROWS; at < end; at += PAGES_ROWS) {
		if (ask(p, PAGES_ON, at, ret, ret_tag))
			return true;
	}
	for (uint64_t at = here; at >= PAGES_ROWS && at > back;) {
		at -= PAGES_ROWS;
		if (ask(p, PAGES_BACK, at, ret, ret_tag))
			return true;
	}
	return false;
}

void pages_advance(struct pages *p, bool follow, uint64_t span)
{
	uint64_t top = p->promised > span ? p->promised - span : 0;

	if (!follow || p->promised < p->count || p->promised == 0)
		p->count = p->promised;
	else if (pages_at(p, p->promised - 1, NULL) && pages_at(p, top, NULL))
		p->count = p->promised;
}

static struct page *page_oldest(struct pages *p)
{
	struct page *old = &p->page[0];

	for (unsigned i = 0; i < PAGES_KEPT; i++) {
		if (!p->page[i].block)
			return &p->page[i];
		if (p->page[i].used < old->used)
			old = &p->page[i];
	}
	return old;
}

static void page_put(struct pages *p, uint64_t from, struct block *b)
{
	struct page *g = NULL;

	for (unsigned i = 0; i < PAGES_KEPT; i++) {
		if (p->page[i].block && p->page[i].from == from)
			g = &p->page[i];
	}
	if (!g)
		g = page_oldest(p);
	page_drop(g);
	*g = (struct page){ .block = b, .from = from, .used = ++p->clock };
}

static void learn_first_time(struct pages *p, const struct block *b)
{
	const struct packet_row *row = block_count(b) ? block_row(b, 0) : NULL;

	if (row && row->number == 1) /* not when a show filter hides it, or when it has left the ring */
		p->first_time = row->time;
}

/* A worker that has fewer rows than it said must not be asked in circles. */
static void believe(struct pages *p, uint64_t end, uint32_t rows, uint64_t said)
{
	if (rows == PAGES_ROWS || end >= p->promised || said != p->promised)
		return;
	p->empty = rows > 0 ? 0 : p->empty + 1;
	p->promised = p->empty < PAGES_EMPTY ? end : 0;
}

/* Packets may have left between question and answer: numbers tell where the rows are by our count. */
static uint64_t place_of(const struct pages *p, uint64_t asked, const struct block *b)
{
	const struct packet_row *row = block_count(b) ? block_row(b, 0) : NULL;

	return row && p->first_number && row->number >= p->first_number ? row->number - p->first_number : asked;
}

bool pages_take(struct pages *p, uint32_t tag, struct block *b)
{
	if (!(tag & PAGES_TAGS))
		return false;
	for (unsigned i = 0; i < PAGES_N; i++) {
		if (p->flight[i].tag != tag)
			continue;
		p->flight[i].tag = 0;
		if (p->flight[i].from == 0)
			learn_first_time(p, b);
		believe(p, p->flight[i].from + block_count(b), block_count(b), p->flight[i].promised);
		page_put(p, place_of(p, p->flight[i].from, b), b);
		return true;
	}
	block_unref(b);
	return false;
}

bool pages_failed(struct pages *p, uint32_t tag)
{
	for (unsigned i = 0; i < PAGES_N; i++) {
		if (p->flight[i].tag == tag && tag != 0) {
			p->flight[i].tag = 0;
			p->asked[i].promised = 0;
			return true;
		}
	}
	return false;
}
