/* Recognisers of containers in /proc: the first byte selects what the rest is. What is found must be text with an end. */
#include "core/source/local_addresses.h"
#include "core/source/origin.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct origin *o)
{
	if (!memchr(o->runtime, 0, sizeof o->runtime) || !memchr(o->id, 0, sizeof o->id) || !memchr(o->name, 0, sizeof o->name) ||
		!memchr(o->space, 0, sizeof o->space) || !memchr(o->address, 0, sizeof o->address) || o->id[0] == 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text bytes = { .p = (const char *)data + 1, .n = size ? size - 1 : 0 };
	struct local_addresses addresses = { 0 };
	char endpoint[ORIGIN_ADDRESS + 8];
	struct origin o = { 0 };
	const char *kind;
	char dir[64];

	if (size == 0)
		return 0;
	if (data[0] % 5 == 0) {
		for (int k = ORIGIN_CONMON; k <= ORIGIN_NSPAWN; k++)
			if (origin_from_parent((enum origin_parent)k, bytes, &o))
				check(&o);
	} else if (data[0] % 5 == 1) {
		if (origin_from_cgroup(bytes, &o))
			check(&o);
	} else if (data[0] % 5 == 2) {
		if (origin_from_mounts(bytes, &o))
			check(&o);
	} else if (data[0] % 5 == 3) {
		if (origin_endpoint(bytes, data[0] & 128 ? 1000 : 0, &kind, endpoint) && strncmp(endpoint, "unix:///", 8) != 0)
			abort();
		if (origin_bundle(bytes, dir, sizeof dir) && (dir[0] != '/' || !memchr(dir, 0, sizeof dir)))
			abort();
	} else {
		local_addresses_ip4(bytes, &addresses);
		local_addresses_ip6(bytes, &addresses);
	}
	return 0;
}
