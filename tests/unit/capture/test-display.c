/* The list of shown packets: grows as packets come, shrinks as they leave, and positions agree with numbers both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <string.h>

#include "capture/decode/packet.h"
#include "capture/display.h"
#include "core/err.h"
#include "core/fd.h"

/* UDP over IPv4, raw; the destination port tells packets apart. */
static void add(struct spool *s, uint16_t port, uint32_t payload)
{
	static uint8_t p[2000] = { 0x45, 0, 0, 0, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x30, 0x39 };
	uint32_t n = 28 + payload;

	p[2] = (uint8_t)(n >> 8);
	p[3] = (uint8_t)n;
	p[22] = (uint8_t)(port >> 8);
	p[23] = (uint8_t)port;
	p[24] = (uint8_t)((payload + 8) >> 8);
	p[25] = (uint8_t)(payload + 8);
	spool_add(s, 1, p, n, n);
}

struct world {
	struct spool *spool;
	struct display *display;
	struct rows_about about;
};

static void setup(struct world *w, const char *words)
{
	struct err err = { 0 };

	assert_int_equal(spool_new(SPOOL_MIN_BYTES, &w->spool, &err), 0);
	w->display = display_new();
	w->about = (struct rows_about){ .spool = w->spool, .interface = "eth0", .link_type = LINK_TYPE_RAW };
	assert_int_equal(display_set(w->display, words, &err), 0);
}

static void teardown(struct world *w)
{
	display_free(w->display);
	spool_free(w->spool);
}

static void look(struct world *w)
{
	while (display_step(w->display, &w->about))
		;
}

/* Every third packet matches; positions and numbers must agree, whatever has left. */
static void check(struct world *w, uint64_t last)
{
	uint64_t first = spool_first(w->spool), n = 0;

	for (uint64_t number = first; number <= last; number++) {
		if (number % 3 == 0) {
			assert_int_equal(display_at(w->display, w->spool, n), number);
			assert_int_equal(display_position(w->display, w->spool, number), n);
			n++;
		} else {
			assert_int_equal(display_position(w->display, w->spool, number), n);
		}
	}
	assert_int_equal(display_count(w->display, w->spool), n);
	assert_int_equal(display_at(w->display, w->spool, n), 0);
	assert_int_equal(display_position(w->display, w->spool, last + 1), n);
}

static void test_grows_and_shrinks(void **state)
{
	struct world w;

	(void)state;
	setup(&w, "destination_port=53");
	for (uint64_t n = 1; n <= 12000; n++) {
		add(w.spool, n % 3 == 0 ? 53 : 80, 200);
		if (n % 700 == 0) {
			look(&w);
			check(&w, n);
		}
	}
	assert_true(spool_first(w.spool) > 1);
	teardown(&w);
}

/* Packets that leave before anybody looked are not in the list and do no harm. */
static void test_left_unseen(void **state)
{
	struct world w;

	(void)state;
	setup(&w, "destination_port=53");
	for (uint64_t n = 1; n <= 30000; n++)
		add(w.spool, n % 3 == 0 ? 53 : 80, 200);
	look(&w);
	check(&w, 30000);
	teardown(&w);
}

static void test_all_are_shown(void **state)
{
	struct world w;

	(void)state;
	setup(&w, "");
	assert_int_equal(display_count(w.display, w.spool), 0);
	assert_int_equal(display_at(w.display, w.spool, 0), 0);
	for (uint64_t n = 1; n <= 9000; n++)
		add(w.spool, 80, 200);
	assert_false(display_step(w.display, &w.about));
	assert_int_equal(display_count(w.display, w.spool), spool_count(w.spool));
	assert_int_equal(display_at(w.display, w.spool, 0), spool_first(w.spool));
	assert_int_equal(display_position(w.display, w.spool, 1), 0);
	assert_int_equal(display_position(w.display, w.spool, 9000), spool_count(w.spool) - 1);
	assert_int_equal(display_position(w.display, w.spool, 9001), spool_count(w.spool));
	teardown(&w);
}

static void test_clear_and_set(void **state)
{
	struct world w;
	struct err err = { 0 };

	(void)state;
	setup(&w, "destination_port=53");
	for (uint64_t n = 1; n <= 9; n++)
		add(w.spool, n % 3 == 0 ? 53 : 80, 0);
	look(&w);
	assert_int_equal(display_count(w.display, w.spool), 3);
	assert_true(display_set(w.display, "nosuchcolumn>3", &err) < 0);
	assert_int_equal(display_count(w.display, w.spool), 3); /* the old one stays */
	spool_clear(w.spool);
	display_clear(w.display);
	assert_int_equal(display_count(w.display, w.spool), 0);
	add(w.spool, 53, 0);
	look(&w);
	assert_int_equal(display_at(w.display, w.spool, 0), 1);
	teardown(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows_and_shrinks),
		cmocka_unit_test(test_left_unseen),
		cmocka_unit_test(test_all_are_shown),
		cmocka_unit_test(test_clear_and_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
