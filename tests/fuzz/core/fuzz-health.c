/* net/dev, snmp, netstat, sockstat and paths of control groups: interfaces and groups are named by the container. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/source/cgroup.h"
#include "core/source/net_counters.h"
#include "core/source/proc_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The route table follows a NUL. */
static void try_dev(struct text bytes)
{
	const char *nul = bytes.n ? memchr(bytes.p, 0, bytes.n) : NULL;
	struct text route = { .p = nul, .n = nul ? (size_t)(bytes.p + bytes.n - nul) : 0 };
	struct net_counters_dev all, out;

	if (nul)
		bytes.n = (size_t)(nul - bytes.p);
	if (net_counters_dev(bytes, NULL, &all) && net_counters_dev(bytes, &route, &out) && out.interfaces > all.interfaces)
		abort();
}

static void try_group(struct text bytes)
{
	struct text cut;

	if (!cgroup_text_container(bytes, 1, &cut))
		return;
	if (cut.p != bytes.p || cut.n == 0 || cut.n > bytes.n || cut.p[cut.n - 1] == '/')
		abort();
	if (cut.n < bytes.n && cut.p[cut.n] != '/')
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text bytes;
	uint64_t v;

	if (size == 0)
		return 0;
	bytes = (struct text){ .p = (const char *)data + 1, .n = size - 1 };
	switch (data[0] % 5) {
	case 0:
		try_dev(bytes);
		break;
	case 1:
		net_counters_pair(bytes, "Tcp:", "RetransSegs", &v);
		break;
	case 2:
		net_counters_sockstat(bytes, "sockets:", "used", &v);
		break;
	case 3:
		cgroup_text_key(bytes, "oom_kill", &v);
		break;
	default:
		try_group(bytes);
	}
	return 0;
}
