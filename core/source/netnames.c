/*
 * The names below /run/netns from mountinfo, and our marks from the files that the mounts cover (core/netns.h). Mounts elsewhere (an
 * engine's, a forgotten one) are rows without a name. Where we may not look below the mounts, whose a name is stays unknown.
 */
#include "core/source/netnames.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/netns.h"
#include "core/source/mounts.h"
#include "core/source/proc_text.h"
#include "core/worker.h"

struct netnames {
	int mounts; /* mountinfo */
	int below; /* netns_below, -1 */
};

static struct text name_of(const char *path)
{
	size_t n = sizeof NETNS_DIR - 1;
	const char *name = strncmp(path, NETNS_DIR "/", n + 1) == 0 ? path + n + 1 : "";

	return text_of(strchr(name, '/') ? "" : name);
}

/* The same path again is a later mount on top of it, or the same one seen through a shared parent: what is on top counts. */
static struct netname_row *row_of(struct builder *b, const char *path)
{
	uint64_t id = row_hash(path, strlen(path), 0);
	struct netname_row *row;

	for (uint32_t i = 0; i < builder_count(b); i++) {
		row = builder_at(b, i);
		if (row->head.id == id)
			return row;
	}
	row = builder_row(b);
	row->head = (struct row_head){ .id = id, .severity = SEVERITY_NONE };
	row->netns = row->processes = ROW_NO_UINT;
	row->state = ROW_NO_ENUM;
	row->ours = ROW_NO_BOOL;
	row->name = row->targets = row->problem = ROW_NO_TEXT;
	row->path = builder_str(b, path);
	return row;
}

static void add_mount(const struct netnames *s, struct builder *b, uint64_t inode, const char *path)
{
	struct netname_row *row = row_of(b, path);
	struct text name = name_of(path);
	uint64_t marked;

	row->netns = inode;
	row->ours = 0;
	if (name.n == 0)
		return;
	row->name = builder_text(b, name.p, name.n);
	row->ours = s->below < 0 ? ROW_NO_BOOL : netns_mark(s->below, name.p, &marked) && marked == inode;
}

static void add_mounts(const struct netnames *s, struct builder *b)
{
	size_t n = 0;
	AUTO(fd_freep) char *bytes = mounts_read(s->mounts, &n);
	struct text rest = { .p = bytes, .n = n }, line;
	char path[PROC_TEXT_PATH];
	uint64_t inode;

	while (bytes && proc_text_line(&rest, &line))
		if (proc_text_nsfs(line, &inode, path))
			add_mount(s, b, inode, path);
}

/* Files of ours without a namespace: after a reboot where /run is on a disk, or after somebody's umount. */
static void add_leftovers(const struct netnames *s, struct builder *b)
{
	int fd = s->below < 0 ? -1 : openat(s->below, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	char path[PROC_TEXT_PATH];
	uint64_t marked;

	while (d && (e = readdir(d))) {
		struct netname_row *row;

		if (!netns_name_valid(e->d_name) || !netns_mark(s->below, e->d_name, &marked))
			continue;
		snprintf(path, sizeof path, NETNS_DIR "/%s", e->d_name);
		row = row_of(b, path);
		if (row->netns != ROW_NO_UINT)
			continue;
		row->name = builder_str(b, e->d_name);
		row->ours = 1;
		row->state = NETNAME_EMPTY;
	}
	if (d)
		closedir(d);
}

static int netnames_open(struct worker *w, struct err *err)
{
	struct netnames *s = fd_xcalloc(1, sizeof *s);
	int below = netns_below();

	(void)err;
	s->mounts = openat(worker_target(w)->proc, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	s->below = below < 0 ? -1 : below;
	*worker_state(w) = s;
	return 0;
}

static int netnames_sample(struct worker *w, struct builder *b, struct err *err)
{
	const struct netnames *s = *worker_state(w);

	if (s->mounts < 0)
		return err_set(err, EACCES, "read /proc/self/mountinfo");
	add_mounts(s, b);
	add_leftovers(s, b);
	return 0;
}

static const char *const state_names[NETNAME_STATES] = {
	[NETNAME_ALIVE] = "alive", [NETNAME_KEPT] = "kept", [NETNAME_EMPTY] = "empty", [NETNAME_ATTACHED] = "attached",
	[NETNAME_DETACHED] = "detached",
};

#define F(member, k) ROW_FIELD(struct netname_row, member, k)
static const struct field fields[] = {
	{ F(name, TEXT), .title = "NAME", .help = "as ip netns calls it; unknown: mounted elsewhere", .width = 20 },
	{ F(state, ENUM), .title = "STATE", .names = state_names, .n_names = NETNAME_STATES,
		.help = "alive; kept: no process is left, only the mount keeps it; empty: no namespace; attached, detached: just now" },
	{ F(ours, BOOL), .title = "OURS", .help = "attached by nsdbg, so that detach takes it away" },
	{ F(targets, LIST), .title = "TARGETS", .help = "containers that use the namespace now" },
	{ F(processes, UINT), .title = "PROCS", .flags = FIELD_RIGHT, .help = "processes in it", .priority = 2 },
	{ F(netns, UINT), .title = "NETNS", .unit = UNIT_ID, .flags = FIELD_RIGHT, .help = "inode of the namespace", .priority = 1 },
	{ F(path, TEXT), .title = "PATH", .flags = FIELD_WIDE, .help = "where it is mounted", .priority = 4 },
	{ F(problem, TEXT), .title = "WHAT IS WRONG", .flags = FIELD_FLEX, .help = "what is wrong, in words", .priority = 3 },
};
#undef F

const struct row_type netname_row_type = { .name = "netns", .noun = "names", .id = 0x6e6e616d, .schema = 1,
	.size = sizeof(struct netname_row), .fields = fields, .n_fields = ARRAY_LEN(fields) };

const struct source netnames_source = { .name = "netnames", .type = &netname_row_type, .cage = CAGE_SCAN, .open = netnames_open,
	.sample = netnames_sample };
