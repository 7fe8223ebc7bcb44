/* A network in words: the preview under the list of networks. See facts.h. */
#include "tui/facts.h"

#include <stdio.h>

static void draw_members(const struct network_row *n, const struct block *b, struct area a, int y)
{
	struct text name;
	int x = 11;

	canvas_str(a, 1, y, STYLE_DIM, "members");
	for (uint32_t i = 0; block_list_item(b, n->members, i, &name) && y < a.h; i++) {
		if (x + (int)text_width(name) + 2 > a.w && x > 11) {
			x = 11;
			y++;
		}
		x += canvas_put(a, x, y, STYLE_TEXT, name) + 2;
	}
	if (x == 11)
		canvas_str(a, x, y, STYLE_DIM, "none");
}

void facts_draw_network(struct area a, const struct block *b, const struct network_row *n, const struct row_look *look)
{
	struct text name = block_text(b, n->name);
	char title[160], id[80];

	snprintf(title, sizeof title, "network %.*s", name.n > 120 ? 120 : (int)name.n, name.p);
	canvas_rule(a, 0, title);
	canvas_str(a, 1, 1, STYLE_DIM, "id");
	row_format(b, row_field_find(&network_row_type, "id"), n, look, id, sizeof id);
	canvas_str(a, 11, 1, STYLE_TEXT, id);
	draw_members(n, b, a, 2);
}
