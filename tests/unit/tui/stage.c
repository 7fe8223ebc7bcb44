/* A pane on its own: see stage.h. */
#include "stage.h"

#include "golden.h"
#include "packets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void stage_open(struct stage *s, const struct pane_ops *ops, enum text_charset charset)
{
	memset(s, 0, sizeof *s);
	s->env.targets = packets_targets();
	s->env.look = (struct row_look){ .charset = charset, .utc = true, .now_ns = PACKETS_NOW };
	s->env.now_ms = 100000;
	assert_int_equal(pane_new(ops, &s->env, block_row(s->env.targets, 0), &s->pane, NULL), 0);
}

void stage_close(struct stage *s)
{
	pane_free(s->pane);
	block_unref(s->env.targets);
}

void stage_block(struct stage *s, unsigned slot, uint32_t tag, struct block *b)
{
	struct link_event ev = { .type = LINK_BLOCK, .tag = tag, .row_type = block_type(b), .block = b };

	s->pane->ops->event(s->pane, slot, &ev);
}

void stage_key(struct stage *s, int key)
{
	const struct pane_ops *ops = s->pane->ops;

	if (ops->key && ops->key(s->pane, key))
		return;
	for (unsigned i = 0; i < ops->n_bindings; i++) {
		const struct binding *b = &ops->bindings[i];

		if ((b->key == key || b->alias == key) && (!b->works || b->works(s->pane))) {
			b->run(s->pane, key);
			return;
		}
	}
	fail_msg("key %d does nothing", key);
}

void stage_draw(struct stage *s, int width, int height, const char *name)
{
	struct canvas *c = canvas_new(width, height, s->env.look.charset);
	int bars = height < 14 ? 1 : 2; /* at the top and at the bottom */

	s->pane->ops->draw(s->pane, canvas_sub(canvas_all(c), 0, bars, width, height - 2 * bars));
	golden_check(name, c);
	canvas_free(c);
}
