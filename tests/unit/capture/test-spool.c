/* The spool against a plain model: what is in it, what left, and that bytes come back as they went in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "capture/spool.h"
#include "core/err.h"
#include "core/fd.h"

static struct spool *new_spool(uint32_t bytes)
{
	struct spool *s = NULL;
	struct err err = { 0 };

	assert_int_equal(spool_new(bytes, &s, &err), 0);
	return s;
}

/* Bytes that tell which packet they belong to. */
static void fill(uint8_t *p, uint32_t n, uint64_t number)
{
	for (uint32_t i = 0; i < n; i++)
		p[i] = (uint8_t)(number * 131 + i * 7);
}

static void check_packet(const struct spool *s, uint64_t number, uint32_t captured)
{
	static uint8_t want[1 << 20];
	struct spool_packet p;

	assert_true(spool_get(s, number, &p));
	assert_int_equal(p.number, number);
	assert_int_equal(p.captured, captured);
	assert_int_equal(p.length, captured + 10);
	assert_int_equal(p.time, (int64_t)number * 1000);
	fill(want, captured, number);
	assert_memory_equal(p.bytes, want, captured);
}

static void add(struct spool *s, uint64_t number, uint32_t captured)
{
	static uint8_t bytes[1 << 20];

	fill(bytes, captured, number);
	spool_add(s, (int64_t)number * 1000, bytes, captured, captured + 10);
	assert_int_equal(spool_last(s), number);
}

static void test_empty(void **state)
{
	struct spool *s = new_spool(0);
	struct spool_packet p;

	(void)state;
	assert_int_equal(spool_first(s), 0);
	assert_int_equal(spool_last(s), 0);
	assert_int_equal(spool_count(s), 0);
	assert_false(spool_get(s, 0, &p));
	assert_false(spool_get(s, 1, &p));
	spool_free(s);
	spool_free(NULL);
}

static const struct {
	const char *name;
	uint32_t least; /* sizes are between these */
	uint32_t most;
} mixes[] = {
	{ "nothing kept", 0, 0 },
	{ "tiny", 1, 20 },
	{ "acks", 54, 66 },
	{ "mixed", 0, 1500 },
	{ "offload", 1000, 65535 },
	{ "largest", 250000, 262144 },
};

static void test_against_model(void **state)
{
	(void)state;
	for (size_t m = 0; m < ARRAY_LEN(mixes); m++) {
		static uint32_t sizes[60001];
		struct spool *s = new_spool(SPOOL_MIN_BYTES);
		uint64_t last = mixes[m].most > 10000 ? 400 : 60000, bytes = 0;
		struct spool_packet p;

		srand(7);
		for (uint64_t n = 1; n <= last; n++) {
			sizes[n] = mixes[m].least + (uint32_t)rand() % (mixes[m].most - mixes[m].least + 1);
			add(s, n, sizes[n]);
			assert_int_equal(spool_overwritten(s) + spool_count(s), n);
			if (n % 97 == 0)
				check_packet(s, spool_first(s), sizes[spool_first(s)]);
		}
		for (uint64_t n = spool_first(s); n <= last; n++) {
			check_packet(s, n, sizes[n]);
			bytes += sizes[n];
		}
		assert_int_equal(spool_bytes(s), bytes);
		assert_true(bytes <= SPOOL_MIN_BYTES);
		assert_true(spool_first(s) > 1); /* it did overflow */
		assert_false(spool_get(s, spool_first(s) - 1, &p));
		assert_false(spool_get(s, last + 1, &p));
		spool_free(s);
	}
}

/* Most of the ring is in use when it is full of ordinary packets. */
static void test_is_used_well(void **state)
{
	struct spool *s = new_spool(4 << 20);

	(void)state;
	for (uint64_t n = 1; n <= 10000; n++)
		add(s, n, 1000);
	assert_true(spool_bytes(s) > (4 << 20) * 95 / 100);
	spool_free(s);
}

static void test_clear(void **state)
{
	struct spool *s = new_spool(SPOOL_MIN_BYTES);
	struct spool_packet p;

	(void)state;
	for (uint64_t n = 1; n <= 3000; n++)
		add(s, n, 1000);
	spool_clear(s);
	assert_int_equal(spool_count(s), 0);
	assert_int_equal(spool_bytes(s), 0);
	assert_int_equal(spool_overwritten(s), 0);
	assert_false(spool_get(s, 3000, &p));
	add(s, 1, 500);
	check_packet(s, 1, 500);
	spool_free(s);
}

static void test_too_large_is_cut(void **state)
{
	struct spool *s = new_spool(SPOOL_MIN_BYTES);
	AUTO(fd_freep) uint8_t *bytes = calloc(1, 2 << 20);
	struct spool_packet p;

	(void)state;
	spool_add(s, 1, bytes, 2 << 20, 2 << 20);
	assert_true(spool_get(s, 1, &p));
	assert_true(p.captured <= SPOOL_MIN_BYTES / 2);
	assert_int_equal(p.length, 2 << 20);
	spool_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_against_model),
		cmocka_unit_test(test_is_used_well),
		cmocka_unit_test(test_clear),
		cmocka_unit_test(test_too_large_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
