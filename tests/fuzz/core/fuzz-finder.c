/* Heads of HTTP answers of any bytes: the body begins within them, names end, and more bytes never change what was read. */
#include "core/engine/finder.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mover_done done = { 0 }, again = { 0 };
	size_t body = 0, length = 0, body2 = 0, length2 = 0;
	int r = finder_head((const char *)data, size, &done, &body, &length);

	if (r != 1)
		return 0;
	if (body > size || body < 4 || !memchr(done.server, 0, sizeof done.server) || !memchr(done.api, 0, sizeof done.api) || done.status < 0 || done.status > 999)
		abort();
	if (finder_head((const char *)data, body, &again, &body2, &length2) != 1 || body2 != body || length2 != length ||
		memcmp(&done, &again, sizeof done) != 0)
		abort();
	return 0;
}
