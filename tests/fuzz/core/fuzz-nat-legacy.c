/* A legacy table behind a byte that says whose: '6' or IPv4. Offsets, sizes, names, matches and targets as in the kernel's answer. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/block.h"
#include "core/fd.h"
#include "core/net/nat_legacy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nat_bytes bytes = { .n = size ? size - 1 : 0 };
	struct nat_model m;
	struct builder *b;

	if (!size)
		return 0;
	bytes.p = fd_xcalloc(1, size);
	memcpy(bytes.p, data + 1, bytes.n);
	nat_model_init(&m);
	nat_legacy_read(&bytes, data[0] == '6' ? 6 : 4, &m);
	b = builder_new(&nat_row_type);
	nat_walk(&m, b);
	block_unref(builder_block(b));
	builder_free(b);
	nat_model_done(&m);
	free(bytes.p);
	return 0;
}
