/* Command lines of programs that forward: what is believed must be whole, and the line must have an end. */
#include "core/net/forwarder.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text bytes = { .p = (const char *)data, .n = size };
	struct net_forward f;
	char line[64];

	if (net_forwarder_of(bytes, bytes) >= NET_FORWARDER_N)
		abort();
	if (net_forwarder_parse(bytes, &f) && (f.host_port == 0 || f.host_port > 65535 || f.to_port == 0 || f.to_port > 65535 ||
		f.host_address.kind == ADDR_NONE || f.to_address.kind == ADDR_NONE || (f.udp && f.sctp)))
		abort();
	if (net_forwarder_line(bytes, line, sizeof line) != strlen(line) && !memchr(line, 0, sizeof line))
		abort();
	return 0;
}
