/* Tables of /proc/PID/net: paths of unix sockets are bytes that a container chose. The first byte selects the table. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/source/proc_net.h"
#include "core/source/proc_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct text part, struct text whole)
{
	if (part.n && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text rest, line;
	struct proc_net_inet inet;
	struct proc_net_unix un;

	if (size == 0)
		return 0;
	rest = (struct text){ .p = (const char *)data + 1, .n = size - 1 };
	while (proc_text_line(&rest, &line)) {
		inside(line, (struct text){ .p = (const char *)data + 1, .n = size - 1 });
		if (data[0] % 2 && proc_net_unix(line, &un))
			inside(un.path, line);
		if (data[0] % 2 == 0 && proc_net_inet(line, &inet) && (inet.local.kind != inet.remote.kind || inet.local.kind == ADDR_NONE))
			abort();
	}
	return 0;
}
