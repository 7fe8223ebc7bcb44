/*
 * resolv.conf, hosts and nsswitch.conf of a hostile container: opened by the safe reader of core/source/files.c in a process of its own,
 * which goes into the cage before it reads a byte and writes copies into memfds. The runner only waits, with a deadline (E5).
 */
#include "core/tool/names.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/cage.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/source/files.h"
#include "core/text.h"
#include "core/worker.h"

enum { DEADLINE_MS = 2000 };

const char *const tool_name_paths[TOOL_NAME_FILES] = {
	[TOOL_RESOLV] = "/etc/resolv.conf", [TOOL_HOSTS] = "/etc/hosts", [TOOL_NSSWITCH] = "/etc/nsswitch.conf",
};

/* --- nsswitch.conf --- */

struct out {
	char *p;
	size_t n, cap;
};

static void put(struct out *o, const char *p, size_t n)
{
	if (n > o->cap - o->n)
		n = o->cap - o->n;
	memcpy(o->p + o->n, p, n);
	o->n += n;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Takes a line off the front, without its comment. */
static bool next_line(struct text *rest, struct text *ret_whole, struct text *ret)
{
	const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL, *hash;
	size_t n = end ? (size_t)(end - rest->p) : rest->n;

	if (rest->n == 0)
		return false;
	*ret_whole = *ret = (struct text){ .p = rest->p, .n = n };
	*rest = (struct text){ .p = rest->p + n + (end != NULL), .n = rest->n - n - (end != NULL) };
	hash = ret->n ? memchr(ret->p, '#', ret->n) : NULL;
	if (hash)
		ret->n = (size_t)(hash - ret->p);
	while (ret->n && is_blank(*ret->p)) {
		ret->p++;
		ret->n--;
	}
	return true;
}

/* "hosts:" and what follows. */
static bool is_hosts(struct text line, struct text *ret_services)
{
	size_t n = 5;

	if (line.n < 6 || memcmp(line.p, "hosts", 5) != 0)
		return false;
	while (n < line.n && is_blank(line.p[n]))
		n++;
	if (n == line.n || line.p[n] != ':')
		return false;
	*ret_services = (struct text){ .p = line.p + n + 1, .n = line.n - n - 1 };
	return true;
}

/* NOTFOUND, return and the like: letters and = ! only, so nothing of the container's text gets further. */
static bool is_action(const char *p, size_t n)
{
	for (size_t i = 1; i + 1 < n; i++)
		if (!((p[i] | 32) >= 'a' && (p[i] | 32) <= 'z') && p[i] != '=' && p[i] != '!' && !is_blank(p[i]))
			return false;
	return n > 2 && p[n - 1] == ']';
}

/* An action belongs to the service before it: it goes when that goes. Returns whether any service was kept. */
static bool put_services(struct out *o, struct text s)
{
	bool any = false, kept = false;

	for (size_t i = 0; i < s.n;) {
		size_t from = i;

		if (is_blank(s.p[i])) {
			i++;
			continue;
		}
		if (s.p[i] == '[') {
			while (i < s.n && s.p[i] != ']')
				i++;
			i += i < s.n;
			if (kept && is_action(s.p + from, i - from)) {
				put(o, " ", 1);
				put(o, s.p + from, i - from);
			}
			continue;
		}
		while (i < s.n && !is_blank(s.p[i]) && s.p[i] != '[')
			i++;
		kept = (i - from == 5 && memcmp(s.p + from, "files", 5) == 0) || (i - from == 3 && memcmp(s.p + from, "dns", 3) == 0);
		if (kept) {
			put(o, " ", 1);
			put(o, s.p + from, i - from);
			any = true;
		}
	}
	return any;
}

/* The last hosts line counts, nsswitch.conf(5). */
static void put_hosts(struct out *o, struct text target)
{
	struct text rest = target, whole, line, services = { 0 };
	size_t start;

	while (next_line(&rest, &whole, &line))
		is_hosts(line, &services);
	put(o, "hosts:", 6);
	start = o->n;
	if (!put_services(o, services)) { /* what musl does, and glibc in the end */
		o->n = start;
		put(o, " files dns", 10);
	}
	put(o, "\n", 1);
}

size_t tool_names_nsswitch(const char *host, size_t n_host, const char *target, size_t n_target, char *out, size_t cap)
{
	struct text rest = { .p = host, .n = n_host }, whole, line, ignored;
	struct out o = { .p = out, .cap = cap };

	while (next_line(&rest, &whole, &line)) {
		if (is_hosts(line, &ignored))
			continue;
		put(&o, whole.p, whole.n);
		put(&o, "\n", 1);
	}
	put_hosts(&o, (struct text){ .p = target, .n = n_target });
	return o.n;
}

/* --- copying: in a process of its own --- */

struct copy {
	int from[TOOL_NAME_FILES]; /* the target's */
	int host; /* the host's nsswitch.conf */
	int to[TOOL_NAME_FILES];
	char (*why)[TOOL_NAME_WHY]; /* shared with the runner */
};

/* A file that is too long is cut at a line's end, and said. */
static size_t read_some(int fd, char *buf, char why[TOOL_NAME_WHY], const char *path)
{
	ssize_t n = fd < 0 ? 0 : fd_read_all(fd, buf, TOOL_NAME_BYTES + 1);
	char *end;

	if (n < 0)
		snprintf(why, TOOL_NAME_WHY, "the target's %s cannot be read: %s", path, strerror((int)-n));
	if (n <= TOOL_NAME_BYTES)
		return n < 0 ? 0 : (size_t)n;
	snprintf(why, TOOL_NAME_WHY, "the target's %s is longer than %d KiB: only its beginning is used", path, TOOL_NAME_BYTES >> 10);
	end = memrchr(buf, '\n', TOOL_NAME_BYTES);
	return end ? (size_t)(end + 1 - buf) : TOOL_NAME_BYTES;
}

static void copy_files(const struct copy *c)
{
	/* Not zeroed: a few hundred bytes of these megabytes are used. */
	char *buf = fd_xrealloc(NULL, TOOL_NAME_BYTES + 1, 1), *host = fd_xrealloc(NULL, TOOL_NAME_BYTES + 1, 1);
	char *out = fd_xrealloc(NULL, 2 * TOOL_NAME_BYTES + 64, 1), ignored[TOOL_NAME_WHY];
	size_t n, n_host;

	for (int i = 0; i < TOOL_NSSWITCH; i++) {
		n = read_some(c->from[i], buf, c->why[i], tool_name_paths[i]);
		fd_write_all(c->to[i], buf, n);
	}
	n = read_some(c->from[TOOL_NSSWITCH], buf, c->why[TOOL_NSSWITCH], tool_name_paths[TOOL_NSSWITCH]);
	n_host = read_some(c->host, host, ignored, "");
	n = tool_names_nsswitch(host, n_host, buf, n, out, 2 * TOOL_NAME_BYTES + 64);
	fd_write_all(c->to[TOOL_NSSWITCH], out, n);
}

static _Noreturn void reader(struct worker_target *t, struct copy *c)
{
	char why[FILES_WHY];
	struct err err = { 0 };

	for (int i = 0; i < TOOL_NAME_FILES; i++) {
		c->from[i] = files_open_safely(t, tool_name_paths[i], why);
		if (c->from[i] < 0 && i != TOOL_NSSWITCH && strcmp(why, "not there") != 0)
			snprintf(c->why[i], TOOL_NAME_WHY, "the target's %s: %s; the tool sees an empty one", tool_name_paths[i], why);
		else if (c->from[i] < 0 && i == TOOL_RESOLV)
			snprintf(c->why[i], TOOL_NAME_WHY, "the target has no %s: the tool sees an empty one", tool_name_paths[i]);
	}
	c->host = open(tool_name_paths[TOOL_NSSWITCH], O_RDONLY | O_CLOEXEC);
	fd_closep(&t->netns);
	fd_closep(&t->root);
	fd_closep(&t->dir);
	if (cage_enter(CAGE_BASE, 0, false, &err) < 0)
		_exit(1);
	copy_files(c);
	_exit(0);
}

static bool wait_end(pid_t pid, int pipe)
{
	struct pollfd p = { .fd = pipe, .events = POLLIN };
	int status;

	if (poll(&p, 1, DEADLINE_MS) <= 0) {
		kill(pid, SIGKILL); /* it may never go: nobody waits for it */
		return false;
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int run_reader(struct worker_target *t, struct copy *c, struct err *err)
{
	AUTO(fd_closep) int alive = -1;
	int pair[2];
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe");
	alive = pair[0];
	pid = fork();
	if (pid == 0)
		reader(t, c);
	close(pair[1]);
	if (pid < 0)
		return err_set(err, errno, "start a process that reads the target's files");
	if (!wait_end(pid, alive))
		return err_set(err, ETIMEDOUT, "the target's resolv.conf, hosts and nsswitch.conf cannot be read: their file system does not answer; "
			"--no-files goes without them");
	return 0;
}

int tool_names_read(struct worker_target *t, struct tool_names *ret, struct err *err)
{
	size_t size = sizeof ret->why;
	char (*why)[TOOL_NAME_WHY] = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct copy c = { .from = { -1, -1, -1 }, .host = -1, .why = why };
	int r;

	if (why == MAP_FAILED)
		return err_set(err, errno, "make room for the target's files");
	for (int i = 0; i < TOOL_NAME_FILES; i++)
		ret->files[i] = c.to[i] = memfd_create("nsdbg-names", MFD_CLOEXEC);
	r = run_reader(t, &c, err);
	memcpy(ret->why, why, size);
	munmap(why, size);
	for (int i = 0; i < TOOL_NAME_FILES; i++)
		ret->why[i][TOOL_NAME_WHY - 1] = 0;
	if (r < 0)
		tool_names_done(ret);
	return r;
}

void tool_names_done(struct tool_names *n)
{
	for (int i = 0; i < TOOL_NAME_FILES; i++)
		fd_closep(&n->files[i]);
}
