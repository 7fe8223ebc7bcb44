/* Settings of a namespace: a walk below /proc/sys/net and a comparison. See sysctl.h. */
#include "core/net/sysctl.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/source/proc_dir.h"
#include "core/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME = 256, VALUE = 1024, DEPTH = 5, MOST = 50000 };

struct walk {
	struct builder *b;
	char name[NAME];
};

/* Keys nobody should read from a screen, and numbers that are not settings. */
static bool is_left_out(const char *name)
{
	static const char *const ends[] = { "tcp_fastopen_key", "stable_secret", "nf_conntrack_count", "_hash_entries", "ehash_entries",
		"flush" };
	size_t n = strlen(name);

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		size_t m = strlen(ends[i]);

		if (n >= m && strcmp(name + n - m, ends[i]) == 0)
			return true;
	}
	return false;
}

static void read_value(struct walk *w, int at, const char *file)
{
	AUTO(fd_closep) int fd = openat(at, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char value[VALUE];
	struct net_sysctl_row *row;
	ssize_t n;

	if (fd < 0 || is_left_out(w->name))
		return; /* not for everybody's eyes, or only to be written */
	n = fd_read_all(fd, value, sizeof value);
	if (n < 0)
		return;
	while (n > 0 && value[n - 1] == '\n')
		n--;
	for (ssize_t i = 0; i < n; i++)
		if (value[i] == '\t')
			value[i] = ' ';
	row = builder_row(w->b);
	*row = (struct net_sysctl_row){ .name = builder_str(w->b, w->name), .value = builder_text(w->b, value, (size_t)n),
		.host = ROW_NO_TEXT, .standard = ROW_NO_TEXT, .differs = ROW_NO_ENUM, .known_from = ROW_NO_TEXT, .help = ROW_NO_TEXT };
	row->head.id = row_hash(w->name, strlen(w->name), 0);
}

/* Appends ".part", a dot in it becoming '/': the other way round than in the path. False: too long. */
static bool push(struct walk *w, const char *part)
{
	size_t n = strlen(w->name), m = strlen(part);

	if (n + m + 2 > sizeof w->name)
		return false;
	w->name[n] = '.';
	for (size_t i = 0; i <= m; i++)
		w->name[n + 1 + i] = part[i] == '.' ? '/' : part[i];
	return true;
}

static void walk_dir(struct walk *w, int at, const char *dir, int depth)
{
	AUTO(proc_dir_closep) DIR *d = proc_dir_open(at, dir);
	size_t n = strlen(w->name);
	struct dirent *e;

	while (d && (e = readdir(d)) && builder_count(w->b) < MOST) {
		if (e->d_name[0] == '.' || !push(w, e->d_name))
			continue;
		if (e->d_type == DT_DIR && depth < DEPTH)
			walk_dir(w, dirfd(d), e->d_name, depth + 1);
		else if (e->d_type == DT_REG)
			read_value(w, dirfd(d), e->d_name);
		w->name[n] = 0;
	}
}

void net_sysctl_read(int dir, struct builder *b)
{
	struct walk w = { .b = b, .name = "net" };

	walk_dir(&w, dir, ".", 0);
}

static int sysctl_open(struct worker *w, struct err *err)
{
	int dir = openat(worker_target(w)->proc, "sys/net", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_set(err, errno, "open /proc/sys/net");
	*worker_state(w) = (void *)(intptr_t)dir;
	return 0;
}

static int sysctl_sample(struct worker *w, struct builder *b, struct err *err)
{
	net_sysctl_read((int)(intptr_t)*worker_state(w), b);
	return builder_count(b) ? 0 : err_set(err, ENOENT, "no settings below /proc/sys/net");
}

/* --- comparing --- */

struct sorted {
	const struct block *block;
	const struct net_sysctl_row **rows;
	uint32_t n;
};

static int by_name(const void *x, const void *y, void *arg)
{
	const struct net_sysctl_row *const *a = x, *const *b = y;

	return text_compare(block_text(arg, (*a)->name), block_text(arg, (*b)->name));
}

static struct sorted sort(const struct block *b)
{
	struct sorted s = { .block = b, .n = b ? block_count(b) : 0 };

	s.rows = fd_xcalloc(s.n ? s.n : 1, sizeof *s.rows);
	for (uint32_t i = 0; i < s.n; i++)
		s.rows[i] = block_row(b, i);
	qsort_r(s.rows, s.n, sizeof *s.rows, by_name, (void *)(uintptr_t)b);
	return s;
}

static struct text find_value(const struct sorted *s, struct text name)
{
	uint32_t low = 0, high = s->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = text_compare(block_text(s->block, s->rows[middle]->name), name);

		if (order == 0)
			return block_text(s->block, s->rows[middle]->value);
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return (struct text){ 0 };
}

/* "net.ipv4.conf.eth0.rp_filter": an eth0 of the host has nothing to do with ours. */
static bool is_of_interface(struct text name)
{
	static const char *const groups[] = { ".conf.", ".neigh." };

	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		const char *p = name.n ? memmem(name.p, name.n, groups[i], strlen(groups[i])) : NULL;
		struct text rest = p ? (struct text){ p + strlen(groups[i]), name.n - (size_t)(p - name.p) - strlen(groups[i]) } : text_of(NULL);

		if (p && !(rest.n > 4 && memcmp(rest.p, "all.", 4) == 0) && !(rest.n > 8 && memcmp(rest.p, "default.", 8) == 0) &&
			!(rest.n > 3 && memcmp(rest.p, "lo.", 3) == 0))
			return true;
	}
	return false;
}

static uint32_t differs(struct text value, struct text host, const char *standard)
{
	bool other_host = host.p && !text_equal(host, value), other_standard = standard && !text_equal(text_of(standard), value);

	if (!host.p && !standard)
		return ROW_NO_ENUM;
	return other_host && other_standard ? NET_SYSCTL_BOTH : other_host ? NET_SYSCTL_HOST :
		other_standard ? NET_SYSCTL_DEFAULT : NET_SYSCTL_SAME;
}

static void compare(struct builder *b, const struct block *target, const struct net_sysctl_row *from, const struct sorted *host)
{
	struct net_sysctl_row *row = builder_copy_row(b, target, from);
	struct text name = block_text(target, from->name), value = block_text(target, from->value), theirs = { 0 };
	const struct net_sysctl_known *known = net_sysctl_known(name);

	if (!is_of_interface(name))
		theirs = find_value(host, name);
	if (theirs.p)
		row->host = builder_text(b, theirs.p, theirs.n);
	if (known) {
		row->standard = builder_str(b, known->standard);
		row->known_from = builder_str(b, known->from);
		row->help = builder_str(b, known->help);
	}
	row->differs = differs(value, theirs, known ? known->standard : NULL);
}

struct block *net_sysctl_compare(const struct block *target, const struct block *host)
{
	struct sorted ours = sort(target), theirs = sort(host);
	struct builder *b = builder_new(&net_sysctl_row_type);
	struct block *ret;

	for (uint32_t i = 0; i < ours.n; i++)
		compare(b, target, ours.rows[i], &theirs);
	builder_cost(b, target ? block_cost_us(target) : 0);
	ret = builder_block(b);
	builder_free(b);
	free(ours.rows);
	free(theirs.rows);
	return ret;
}

/* --- tables --- */

static const char *const differs_names[NET_SYSCTL_DIFFERS_N] = {
	[NET_SYSCTL_SAME] = "no", [NET_SYSCTL_HOST] = "host", [NET_SYSCTL_DEFAULT] = "default", [NET_SYSCTL_BOTH] = "both",
};

#define FIELD(member, kind) ROW_FIELD(struct net_sysctl_row, member, kind)
#define AT(member)          .offset = offsetof(struct net_sysctl_row, member)

static const struct field sysctl_fields[] = {
	{ FIELD(name, TEXT), .title = "NAME", .help = "name as in sysctl(8)" },
	{ FIELD(value, TEXT), .title = "VALUE", .help = "value in this namespace" },
	{ FIELD(host, TEXT), .title = "HOST", .help = "value in the host's namespace; null: of one interface, or not there", .priority = 1 },
	{ .name = "default", .title = "DEFAULT", .kind = FIELD_TEXT, AT(standard), .priority = 1,
		.help = "what the kernel starts with; null: depends on the machine, or not in our table" },
	{ FIELD(differs, ENUM), .title = "DIFFERS", .help = "from: no, host, default, both; null: nothing to compare with",
		.names = differs_names, .n_names = NET_SYSCTL_DIFFERS_N, .priority = 2 },
	{ FIELD(help, TEXT), .title = "MEANING", .help = "what it does", .flags = FIELD_FLEX, .priority = 3 },
	{ FIELD(known_from, TEXT), .title = "KNOWN FROM", .help = "file of the kernel's source that sets the default", .flags = FIELD_HIDDEN },
};

const struct row_type net_sysctl_row_type = {
	.name = "ip-sysctl", .noun = "settings", .id = 0x73797363, .schema = 1, .size = sizeof(struct net_sysctl_row),
	.fields = sysctl_fields, .n_fields = ARRAY_LEN(sysctl_fields),
};

const struct source net_sysctl_source = {
	.name = "settings", .type = &net_sysctl_row_type, .enter = SOURCE_ENTER_NET, .needs_target = true, .cage = CAGE_SCAN,
	.open = sysctl_open, .sample = sysctl_sample,
};
