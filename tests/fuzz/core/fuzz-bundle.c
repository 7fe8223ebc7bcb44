/* Files beside containers: the first byte selects the reader. What is found must be text with an end. */
#include "core/engine/bundle.h"

#include "core/err.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int (*const readers[])(const char *p, size_t n, struct bundle_facts *f, struct err *err) = {
		bundle_config_read, bundle_docker_read, bundle_state_read, bundle_daemon_read,
	};
	const char *p = (const char *)data + 1;
	struct bundle_facts f;
	struct err err = { 0 };

	if (size < 2)
		return 0;
	bundle_facts_init(&f);
	if (data[0] % 5 == 4)
		bundle_storage_read(p, size - 1, "a", &f, &err);
	else
		readers[data[0] % 5](p, size - 1, &f, &err);
	if (!memchr(f.name, 0, sizeof f.name) || !memchr(f.image, 0, sizeof f.image) || !memchr(f.hostname, 0, sizeof f.hostname) ||
		!memchr(f.project, 0, sizeof f.project) || !memchr(f.space, 0, sizeof f.space) || !memchr(f.pod, 0, sizeof f.pod) ||
		!memchr(f.files, 0, sizeof f.files) || !memchr(f.bundle, 0, sizeof f.bundle))
		abort();
	if ((f.files[0] && f.files[0] != '/') || (f.bundle[0] && f.bundle[0] != '/'))
		abort();
	return 0;
}
