/* /proc/PID/maps and musl's linker of any bytes: a path is whole and ended, in one piece or in two the finding is the same. */
#include "core/source/libc.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	const char *half = memchr(bytes + size / 2, '\n', size - size / 2);
	size_t n = half ? (size_t)(half - bytes) + 1 : size;
	struct libc_found whole = { 0 }, parts = { 0 };
	bool done = false;

	libc_from_maps(bytes, size, &whole, &done);
	done = false;
	libc_from_maps(bytes, n, &parts, &done);
	libc_from_maps(bytes + n, size - n, &parts, &done);
	if (memcmp(&whole, &parts, sizeof whole) != 0 || !memchr(whole.path, 0, sizeof whole.path) || whole.version > 9999999)
		abort();
	if (libc_musl_version(bytes, size) > 1999999)
		abort();
	return 0;
}
