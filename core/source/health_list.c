/* Which targets the health worker is to watch, and how: from the merged list. */
#include "core/source/health.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "core/block.h"
#include "core/fd.h"
#include "core/target.h"

static uint64_t host_netns(const struct block *targets)
{
	for (uint32_t i = 0; i < block_count(targets); i++) {
		const struct target_row *t = block_row(targets, i);

		if (t->head.flags & TARGET_IS_HOST)
			return t->netns;
	}
	return ROW_NO_UINT;
}

static struct health_target entry(const struct block *targets, const struct target_row *t, uint64_t host)
{
	struct health_target h = { .id = t->head.id, .pid = t->pid, .start = t->start };
	struct text id = block_text(targets, t->id);

	if (t->head.flags & TARGET_IS_HOST) {
		h.flags = HEALTH_HOST;
	} else if (t->head.flags & TARGET_IS_CONTAINER) {
		h.flags = HEALTH_CONTAINER;
		h.name_hash = id.n ? row_hash(id.p, id.n, 0) : 0;
		if (t->head.flags & TARGET_HOST_NETWORK || (t->netns != ROW_NO_UINT && t->netns == host))
			h.flags |= HEALTH_SHARED_NET;
	}
	return h;
}

uint64_t health_watch_hash(const struct block *targets)
{
	uint64_t host = host_netns(targets), hash = 1;

	for (uint32_t i = 0; i < block_count(targets); i++) {
		struct health_target h = entry(targets, block_row(targets, i), host);

		hash = row_hash(&h, sizeof h, hash);
	}
	return hash;
}

int health_watch_list(const struct block *targets, uint32_t *ret_lost)
{
	AUTO(fd_closep) int fd = memfd_create("health", MFD_CLOEXEC);
	AUTO(fd_freep) struct health_target *list = fd_xcalloc(HEALTH_MAX_TARGETS, sizeof *list);
	uint64_t host = host_netns(targets);
	uint32_t n = 0;
	int r;

	if (fd < 0)
		return -errno;
	*ret_lost = 0;
	for (uint32_t i = 0; i < block_count(targets); i++) {
		const struct target_row *t = block_row(targets, i);

		if (t->pid == ROW_NO_UINT || t->pid == 0)
			continue;
		if (n < HEALTH_MAX_TARGETS)
			list[n++] = entry(targets, t, host);
		else
			++*ret_lost;
	}
	r = fd_write_all(fd, list, n * sizeof *list);
	return r < 0 ? r : fd_take(&fd);
}
