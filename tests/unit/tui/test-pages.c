/* The window on a capture: what is asked for, when, and what an answer changes. */
#include "packets.h"

#include "core/fd.h"
#include "tui/pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A worker that answers everything at once; returns how often it was asked. */
static unsigned serve(struct pages *p, uint64_t cursor, uint64_t span)
{
	struct capture_page page;
	uint32_t tag;
	unsigned n = 0;

	while (pages_next(p, cursor, span, &page, &tag)) {
		uint64_t left = p->promised > page.from ? p->promised - page.from : 0;

		assert_true(page.from % PAGES_ROWS == 0);
		assert_true(pages_take(p, tag, packets_page(page.from, left < page.count ? (uint32_t)left : page.count)));
		assert_true(++n < 100);
	}
	return n;
}

static void asks(void **state)
{
	struct pages p;

	(void)state;
	pages_init(&p);
	assert_int_equal(serve(&p, 0, 40), 0); /* nothing there */
	p.promised = 10;
	assert_int_equal(serve(&p, 0, 40), 1);
	assert_int_equal(serve(&p, 9, 40), 0);
	p.promised = 20; /* the last page has grown */
	assert_int_equal(serve(&p, 9, 40), 1);
	assert_non_null(pages_at(&p, 19, NULL));
	assert_null(pages_at(&p, 20, NULL));
	p.promised = 10000;
	serve(&p, 5000, 40);
	for (uint64_t i = 5000 - 40; i < 5040; i++) {
		assert_non_null(pages_at(&p, i, NULL));
		assert_int_equal(pages_at(&p, i, NULL)->number, i + 1);
	}
	assert_int_equal(serve(&p, 5001, 40), 0);
	assert_true(p.first_time != 0);
	pages_reset(&p);
	assert_null(pages_at(&p, 5000, NULL));
}

/* Moving line by line over everything: every row on the screen is there, and each page was asked for once. */
static void scrolls(void **state)
{
	struct pages p;
	unsigned n = 0;

	(void)state;
	pages_init(&p);
	p.promised = 20 * PAGES_ROWS;
	for (uint64_t at = 0; at < p.promised; at++) {
		n += serve(&p, at, 40);
		assert_non_null(pages_at(&p, at, NULL));
	}
	assert_int_equal(n, 20);
	pages_reset(&p);
}

static void in_flight(void **state)
{
	struct pages p;
	struct capture_page page;
	uint32_t first, second, third;

	(void)state;
	pages_init(&p);
	p.promised = 100000;
	assert_true(pages_next(&p, 50000, 40, &page, &first));
	assert_true(page.from <= 50000 && page.from + PAGES_ROWS > 50000); /* what is seen comes first */
	assert_true(pages_next(&p, 50000, 40, &page, &second)); /* one more: backwards, or the very first for its time */
	assert_false(pages_next(&p, 50000, 40, &page, &third));
	assert_true(pages_failed(&p, first));
	assert_false(pages_failed(&p, first));
	assert_false(pages_failed(&p, 0));
	assert_true(pages_next(&p, 50000, 40, &page, &third));
	assert_int_not_equal(first, third);
	assert_false(pages_take(&p, first, packets_page(0, 1))); /* too late: dropped */
	assert_false(pages_take(&p, 1, NULL)); /* not a page's tag */
	pages_reset(&p);
}

static void moves(void **state)
{
	struct pages p;
	uint64_t at;

	(void)state;
	pages_init(&p);
	p.promised = 1000;
	serve(&p, 100, 40);
	assert_true(pages_find(&p, 101, &at));
	assert_int_equal(at, 100);
	assert_false(pages_find(&p, 5000, &at));
	assert_true(pages_index(&p, p.page[0].block, block_row(p.page[0].block, 3), &at));
	assert_int_equal(at, p.page[0].from + 3);
	assert_false(pages_index(&p, NULL, NULL, &at));
	pages_moved(&p);
	assert_false(pages_find(&p, 101, &at)); /* old places are not trusted */
	assert_non_null(pages_at(&p, 100, NULL)); /* but shown */
	assert_true(serve(&p, 100, 40) >= 1);
	assert_true(pages_find(&p, 101, &at));
	p.frozen = true;
	pages_moved(&p);
	assert_int_equal(serve(&p, 100, 40), 0);
	pages_reset(&p);
}

/* Who follows the end sees new rows when they are here, everybody else at once. */
static void advances(void **state)
{
	struct pages p;

	(void)state;
	pages_init(&p);
	p.promised = 300;
	pages_advance(&p, true, 40);
	assert_int_equal(p.count, 0);
	serve(&p, 299, 40);
	pages_advance(&p, true, 40);
	assert_int_equal(p.count, 300);
	p.promised = 900;
	pages_advance(&p, true, 40);
	assert_int_equal(p.count, 300);
	pages_advance(&p, false, 40);
	assert_int_equal(p.count, 900);
	p.promised = 2; /* fewer: a show filter */
	pages_advance(&p, true, 40);
	assert_int_equal(p.count, 2);
	pages_reset(&p);
}

/* The ring drops packets while one reads: rows go up, nothing is asked for twice, late answers find their place. */
static void shifts(void **state)
{
	struct pages p;
	struct capture_page page;
	uint32_t tag;

	(void)state;
	pages_init(&p);
	p.promised = 2000;
	p.first_number = 1;
	serve(&p, 1000, 40);
	assert_int_equal(pages_at(&p, 1000, NULL)->number, 1001);
	pages_shift(&p, 100);
	p.first_number = 101;
	p.promised = 2050;
	assert_int_equal(pages_at(&p, 900, NULL)->number, 1001);
	assert_true(pages_next(&p, 1400, 40, &page, &tag));
	/* seven more have left by the time it is answered */
	assert_true(pages_take(&p, tag, packets_page(page.from + 107, page.count)));
	assert_int_equal(pages_at(&p, page.from + 7, NULL)->number, page.from + 108);
	assert_null(pages_at(&p, page.from, NULL));
	pages_reset(&p);
}

/* A worker that has fewer rows than it said is not asked for ever. */
static void liar(void **state)
{
	struct pages p;
	struct capture_page page;
	uint32_t tag;
	unsigned n = 0;

	(void)state;
	pages_init(&p);
	p.promised = UINT64_MAX;
	while (pages_next(&p, UINT64_MAX - 1, 40, &page, &tag) && n < 50) {
		pages_take(&p, tag, packets_page(0, 0));
		n++;
	}
	assert_true(n < 50);
	pages_reset(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks), cmocka_unit_test(scrolls), cmocka_unit_test(in_flight), cmocka_unit_test(moves), cmocka_unit_test(liar),
		cmocka_unit_test(shifts),
		cmocka_unit_test(advances),
	};

	return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}
