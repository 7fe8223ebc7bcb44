/* Which containers the worker of bundle_look.c is to find names for: those that /proc shows and no engine named. */
#include "core/engine/bundle_list.h"

#include "core/block.h"
#include "core/engine/bundle.h"
#include "core/fd.h"
#include "core/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Runtimes that keep files; LXC and nspawn name theirs in /proc. */
static bool has_files(struct text runtime)
{
	static const char *const names[] = { "docker", "podman", "containerd", "cri" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (text_equal(runtime, text_of(names[i])))
			return true;
	return false;
}

static bool entry(const struct block *targets, const struct target_row *t, struct bundle_target *ret)
{
	struct text id = block_text(targets, t->id), runtime = block_text(targets, t->runtime);

	if (!(t->head.flags & TARGET_FOUND) || t->head.flags & TARGET_LOCKED || t->pid == ROW_NO_UINT || !has_files(runtime) ||
		id.n == 0 || id.n >= sizeof ret->id)
		return false;
	*ret = (struct bundle_target){ .pid = t->pid, .start = t->start };
	memcpy(ret->id, id.p, id.n);
	memcpy(ret->runtime, runtime.p, runtime.n);
	return true;
}

uint64_t bundle_list_hash(const struct block *targets)
{
	struct bundle_target t;
	uint64_t hash = 0;

	for (uint32_t i = 0; i < block_count(targets); i++)
		if (entry(targets, block_row(targets, i), &t))
			hash ^= row_hash(&t, sizeof t, 1); /* in any order */
	return hash;
}

int bundle_list(const struct block *targets)
{
	AUTO(fd_closep) int fd = memfd_create("bundles", MFD_CLOEXEC);
	struct bundle_target t;
	unsigned n = 0;

	if (fd < 0)
		return -errno;
	for (uint32_t i = 0; i < block_count(targets) && n < BUNDLE_MAX_TARGETS; i++) {
		int r = entry(targets, block_row(targets, i), &t) ? fd_write_all(fd, &t, sizeof t) : 1;

		if (r < 0)
			return r;
		n += r == 0;
	}
	return n ? fd_take(&fd) : -ENOENT;
}
