/* A /proc made of ordinary files and links in a temporary directory, for tests of whoever reads processes. */
#ifndef NSDBG_TESTS_PROCTREE_H
#define NSDBG_TESTS_PROCTREE_H

#include "core/block.h"
#include "core/fd.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct proctree {
	char dir[64];
	int fd;
};

static inline void proctree_make(struct proctree *t)
{
	snprintf(t->dir, sizeof t->dir, "/tmp/nsdbg-proc-XXXXXX");
	if (!mkdtemp(t->dir))
		abort();
	t->fd = open(t->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static inline void proctree_remove(struct proctree *t)
{
	char command[128];

	close(t->fd);
	snprintf(command, sizeof command, "rm -rf '%s'", t->dir);
	if (system(command) != 0)
		abort();
}

static inline void proctree_dirs(struct proctree *t, const char *path)
{
	char part[256];

	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		snprintf(part, sizeof part, "%.*s", (int)(p - path), path);
		mkdirat(t->fd, part, 0755);
	}
}

/* Writes "PID/stat" and the like; directories appear by themselves. */
static inline void proctree_write(struct proctree *t, const char *path, const char *bytes, size_t n)
{
	int fd;

	proctree_dirs(t, path);
	fd = openat(t->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
		abort();
	close(fd);
}

__attribute__((format(printf, 3, 4))) static inline void proctree_put(struct proctree *t, const char *path, const char *fmt, ...)
{
	char text[4096];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	proctree_write(t, path, text, (size_t)n);
}

__attribute__((format(printf, 3, 4))) static inline void proctree_link(struct proctree *t, const char *path, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	proctree_dirs(t, path);
	unlinkat(t->fd, path, 0);
	if (symlinkat(text, t->fd, path) < 0)
		abort();
}

struct proctree_process {
	unsigned pid, ppid, inner; /* inner 0: no pid namespace of its own */
	unsigned long netns, pidns; /* netns 0: a zombie has none */
	const char *comm, *cmdline, *cgroup;
	char state;
	unsigned start, ticks, uid;
};

/* One process with all files that are read. */
static inline void proctree_process(struct proctree *t, const struct proctree_process *p)
{
	char path[64], inner[32] = "";

#define AT(name) (snprintf(path, sizeof path, "%u/" name, p->pid), path)
	proctree_put(t, AT("stat"), "%u (%s) %c %u 1 1 0 -1 4194560 100 0 0 0 %u 0 0 0 20 0 3 0 %u 1000000 25 18446744073709551615 1 1\n",
		p->pid, p->comm, p->state, p->ppid, p->ticks, p->start);
	if (p->inner)
		snprintf(inner, sizeof inner, "\t%u", p->inner);
	proctree_put(t, AT("status"), "Name:\t%s\nUid:\t%u\t%u\t%u\t%u\nNSpid:\t%u%s\nVmRSS:\t     104 kB\n", p->comm, p->uid, p->uid, p->uid,
		p->uid, p->pid, inner);
	proctree_put(t, AT("comm"), "%s\n", p->comm);
	proctree_put(t, AT("cgroup"), "%s", p->cgroup ? p->cgroup : "0::/init.scope\n");
	if (p->cmdline)
		proctree_write(t, AT("cmdline"), p->cmdline, strlen(p->cmdline) + 1);
	else
		proctree_write(t, AT("cmdline"), "", 0);
	proctree_put(t, AT("fd/0"), "%s", "");
	if (p->netns) {
		proctree_link(t, AT("ns/net"), "net:[%lu]", p->netns);
		proctree_link(t, AT("ns/pid"), "pid:[%lu]", p->pidns);
	}
#undef AT
}

/* Text of a row's string, for assert_string_equal; "?" when unknown. Overwritten by the fourth next call. */
static inline const char *proctree_text(const struct block *b, struct str s)
{
	static char bufs[4][512];
	static unsigned next;
	char *buf = bufs[next++ % 4];
	struct text t = block_text(b, s);

	if (s.len == UINT32_MAX)
		return "?";
	snprintf(buf, sizeof bufs[0], "%.*s", (int)t.n, t.n ? t.p : "");
	return buf;
}

#endif
