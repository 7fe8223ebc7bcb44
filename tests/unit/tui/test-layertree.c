/* The tree of a packet: what is open, where the cursor goes, and trees that no sane worker sends. */
#include "packets.h"

#include "core/fd.h"
#include "tui/keys.h"
#include "tui/layertree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void is_at(const struct layertree *t, const char *label)
{
	const struct layer_row *row = layertree_selected(t);

	if (!row || !text_equal(block_text(t->block, row->label), text_of(label)))
		fail_msg("not at %s", label);
}

static void walks(void **state)
{
	struct layertree t = { 0 };

	(void)state;
	assert_null(layertree_selected(&t));
	assert_false(layertree_key(&t, KEYS_DOWN));
	layertree_set(&t, packets_layers());
	is_at(&t, "TCP");
	assert_int_equal(t.n_visible, 11); /* four layers, seven fields of the last */
	layertree_key(&t, KEYS_LEFT);
	assert_int_equal(t.n_visible, 4);
	layertree_key(&t, KEYS_UP);
	is_at(&t, "IPv4");
	layertree_key(&t, KEYS_RIGHT);
	layertree_key(&t, KEYS_RIGHT);
	is_at(&t, "Version");
	layertree_key(&t, KEYS_DOWN);
	is_at(&t, "Flags");
	layertree_key(&t, KEYS_ENTER);
	assert_int_equal(t.n_visible, 8);
	layertree_key(&t, KEYS_LEFT);
	assert_int_equal(t.n_visible, 7);
	layertree_key(&t, KEYS_LEFT);
	is_at(&t, "IPv4");
	layertree_key(&t, '*');
	assert_int_equal(t.n_visible, 18);
	is_at(&t, "IPv4");
	layertree_done(&t);
}

/* The next packet has the same layers open, and the cursor on the same field. */
static void habits(void **state)
{
	struct layertree t = { 0 };

	(void)state;
	layertree_set(&t, packets_layers());
	layertree_key(&t, KEYS_LEFT);
	layertree_key(&t, KEYS_UP);
	layertree_key(&t, KEYS_RIGHT);
	layertree_key(&t, KEYS_DOWN);
	is_at(&t, "Version");
	layertree_set(&t, packets_layers());
	is_at(&t, "Version");
	assert_int_equal(t.n_visible, 7);
	layertree_set(&t, NULL);
	assert_null(layertree_selected(&t));
	layertree_set(&t, packets_layers());
	is_at(&t, "TCP");
	layertree_done(&t);
}

static void bytes(void **state)
{
	static const struct { uint64_t byte; const char *label; } rows[] = {
		{ 0, "Destination" }, { 5, "Destination" }, { 6, "Source" }, { 20, "Don't fragment" }, { 21, "Flags" }, { 36, "Destination port" },
		{ 45, "TCP" }, { 73, "Options" },
	};
	struct layertree t = { 0 };

	(void)state;
	layertree_set(&t, packets_layers());
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(layertree_select_byte(&t, rows[i].byte));
		is_at(&t, rows[i].label);
	}
	assert_false(layertree_select_byte(&t, 74));
	assert_false(layertree_select_byte(&t, UINT64_MAX));
	is_at(&t, "Options");
	layertree_done(&t);
}

static struct block *odd_block(const uint64_t *depths, unsigned n)
{
	struct builder *b = builder_new(&layer_row_type);
	struct block *ret;

	for (unsigned i = 0; i < n; i++) {
		struct layer_row *r = builder_row(b);

		r->depth = depths[i];
		r->label = r->value = ROW_NO_TEXT;
		r->offset = r->length = UINT64_MAX;
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

/* Depths that jump, start anywhere, or are huge; unknown texts; bytes that are not there. */
static void odd(void **state)
{
	static const uint64_t depths[] = { 7, 3, UINT64_MAX, 0, 5, 4, 4, UINT64_MAX, 1, 0, 0, 2 };
	static const int keys[] = { KEYS_DOWN, KEYS_RIGHT, KEYS_DOWN, KEYS_LEFT, '*', KEYS_END, KEYS_ENTER, KEYS_PAGE_UP, KEYS_LEFT, KEYS_UP };
	struct canvas *c = canvas_new(20, 5, TEXT_UTF8);
	struct layertree t = { 0 };
	char buf[64];

	(void)state;
	for (unsigned n = 0; n <= ARRAY_LEN(depths); n++) {
		layertree_set(&t, odd_block(depths, n));
		for (unsigned k = 0; k < 3 * ARRAY_LEN(keys); k++) {
			layertree_key(&t, keys[k % ARRAY_LEN(keys)]);
			layertree_draw(&t, canvas_all(c), true);
			layertree_text(&t, buf, sizeof buf);
			layertree_select_byte(&t, k);
			layertree_click(&t, (int)k - 2);
		}
	}
	layertree_done(&t);
	canvas_free(c);
}

/* A worst case of 200,000 rows is taken in a moment. */
static void many(void **state)
{
	enum { N = 200000 };
	uint64_t *depths = calloc(N, sizeof *depths);
	struct layertree t = { 0 };

	(void)state;
	for (unsigned i = 0; i < N; i++)
		depths[i] = i == 0 ? 0 : i < N / 2 ? i : 1;
	layertree_set(&t, odd_block(depths, N));
	layertree_key(&t, '*');
	assert_int_equal(t.n_visible, N);
	layertree_done(&t);
	free(depths);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks), cmocka_unit_test(habits), cmocka_unit_test(bytes), cmocka_unit_test(odd), cmocka_unit_test(many),
	};

	return cmocka_run_group_tests_name("layertree", tests, NULL, NULL);
}
