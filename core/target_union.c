/* Blocks of several engines as one: rows copied in order, notes and losses kept. See target.h. */
#include "core/target.h"

struct block *target_union(const struct row_type *type, const struct block *const *blocks, unsigned n)
{
	struct builder *b = builder_new(type);
	struct block *ret;

	for (unsigned k = 0; k < n; k++) {
		for (uint32_t i = 0; blocks[k] && i < block_count(blocks[k]); i++)
			builder_copy_row(b, blocks[k], block_row(blocks[k], i));
		for (uint32_t i = 0; blocks[k] && i < block_notes(blocks[k]); i++) {
			int code = 0;
			struct text t = block_note(blocks[k], i, &code);

			builder_note(b, code, "%.*s", (int)t.n, t.p ? t.p : "");
		}
		if (blocks[k])
			builder_lost(b, block_lost(blocks[k]));
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}
