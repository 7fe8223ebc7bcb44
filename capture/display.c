/* The list of shown packets: see display.h. Without filter words there is no list: every packet of the spool is shown. */
#include "capture/display.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/filter.h"

#include <stdlib.h>
#include <string.h>

enum { DISPLAY_PORTION = 256 }; /* packets looked at in one step */

struct display {
	struct filter *filter; /* NULL: all */
	uint64_t *numbers; /* ascending; [start, end) are in use */
	size_t start;
	size_t end;
	size_t cap;
	uint64_t next; /* number to look at next */
	struct builder *builder;
};

struct display *display_new(void)
{
	struct display *d = fd_xcalloc(1, sizeof *d);

	d->builder = builder_new(&packet_row_type);
	d->next = 1;
	return d;
}

void display_free(struct display *d)
{
	if (!d)
		return;
	filter_free(d->filter);
	builder_free(d->builder);
	free(d->numbers);
	free(d);
}

int display_set(struct display *d, const char *words, struct err *err)
{
	struct filter *f = NULL;
	int r = filter_parse(&packet_row_type, words, &f, NULL, err);

	if (r < 0)
		return r;
	filter_free(d->filter);
	d->filter = f;
	display_clear(d);
	return 0;
}

void display_clear(struct display *d)
{
	d->start = d->end = 0;
	d->next = 1;
}

static void append(struct display *d, uint64_t number)
{
	if (d->end == d->cap && d->start > d->cap / 2) {
		memmove(d->numbers, d->numbers + d->start, (d->end - d->start) * sizeof *d->numbers);
		d->end -= d->start;
		d->start = 0;
	}
	if (d->end == d->cap) {
		d->cap = d->cap ? d->cap * 2 : 1024;
		d->numbers = fd_xrealloc(d->numbers, d->cap, sizeof *d->numbers);
	}
	d->numbers[d->end++] = number;
}

static void forget(struct display *d, uint64_t first)
{
	while (d->start < d->end && (first == 0 || d->numbers[d->start] < first))
		d->start++;
	if (d->next < first)
		d->next = first;
}

/* filter_match reads a block, so a portion of packets becomes one. */
static void look(struct display *d, const struct rows_about *about)
{
	AUTO(block_unrefp) struct block *b = NULL;
	struct spool_packet p;
	uint32_t n = 0;

	builder_clear(d->builder);
	while (n < DISPLAY_PORTION && spool_get(about->spool, d->next, &p)) {
		rows_packet(d->builder, about, &p);
		d->next++;
		n++;
	}
	b = builder_block(d->builder);
	for (uint32_t i = 0; i < n; i++) {
		const struct packet_row *row = block_row(b, i);

		if (filter_match(d->filter, b, row, NULL))
			append(d, row->number);
	}
}

bool display_step(struct display *d, const struct rows_about *about)
{
	if (!d->filter)
		return false;
	forget(d, spool_first(about->spool));
	if (d->next > spool_last(about->spool))
		return false;
	look(d, about);
	return d->next <= spool_last(about->spool);
}

/* First place in the list whose number is at least `number`. */
static size_t lower_bound(const struct display *d, uint64_t number)
{
	size_t low = d->start, high = d->end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (d->numbers[middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Packets may have left since the last step. */
static size_t list_start(const struct display *d, const struct spool *s)
{
	uint64_t first = spool_first(s);

	return first ? lower_bound(d, first) : d->end;
}

uint64_t display_count(const struct display *d, const struct spool *s)
{
	return d->filter ? d->end - list_start(d, s) : spool_count(s);
}

uint64_t display_at(const struct display *d, const struct spool *s, uint64_t n)
{
	if (n >= display_count(d, s))
		return 0;
	return d->filter ? d->numbers[list_start(d, s) + n] : spool_first(s) + n;
}

uint64_t display_position(const struct display *d, const struct spool *s, uint64_t number)
{
	uint64_t first = spool_first(s), n;

	if (number < first)
		number = first;
	n = d->filter ? lower_bound(d, number) - list_start(d, s) : number - first;
	return n < display_count(d, s) ? n : display_count(d, s);
}
