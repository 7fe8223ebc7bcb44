/* One entry of the list that bundle_list writes. */
#ifndef NSDBG_CORE_ENGINE_BUNDLE_LIST_H
#define NSDBG_CORE_ENGINE_BUNDLE_LIST_H

#include <stdint.h>

struct bundle_target {
	uint64_t pid, start; /* ROW_NO_UINT: unknown */
	char runtime[16]; /* "docker" */
	char id[136];
};

#endif
