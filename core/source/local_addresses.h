/* Addresses of a network namespace without entering it: /proc/PID/net/{fib_trie,if_inet6}, for containers whose engine does not say. */
#ifndef NSDBG_CORE_SOURCE_LOCAL_ADDRESSES_H
#define NSDBG_CORE_SOURCE_LOCAL_ADDRESSES_H

#include "core/addr.h"
#include "core/text.h"

#include <stdint.h>

enum { LOCAL_ADDRESSES = 32 };

struct local_addresses {
	struct addr list[LOCAL_ADDRESSES];
	unsigned n;
};

/* Adds the local addresses of fib_trie, loopback's left out; each once. */
void local_addresses_ip4(struct text fib_trie, struct local_addresses *ret);
/* Adds the global addresses of if_inet6. */
void local_addresses_ip6(struct text if_inet6, struct local_addresses *ret);

/* Reads both files of a process; what cannot be read is left out. */
void local_addresses_read(int proc, uint64_t pid, struct local_addresses *ret);

#endif
