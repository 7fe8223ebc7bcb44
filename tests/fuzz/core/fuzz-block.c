/* A snapshot from a worker that was fooled: accepted or refused, never read outside. Also the text it carries. */
#include "core/err.h"
#include "tests/unit/core/sample.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct row_look look = { .charset = TEXT_UTF8 };
	AUTO(block_unrefp) struct block *b = NULL;
	struct builder *copy;

	if (block_copy(data, size, &sample_type, &b, NULL) < 0)
		return 0;
	copy = builder_new(&sample_type);
	for (uint32_t i = 0; i < block_count(b) && i < 64; i++) {
		const void *row = block_row(b, i);
		char buf[128];

		for (uint32_t f = 0; f < sample_type.n_fields; f++) {
			row_format(b, &sample_type.fields[f], row, &look, buf, sizeof buf);
			row_compare(b, &sample_type.fields[f], row, block_row(b, 0));
		}
		builder_copy_row(copy, b, row);
	}
	for (uint32_t i = 0; i < block_notes(b); i++)
		block_note(b, i, NULL);
	builder_free(copy);
	return 0;
}
