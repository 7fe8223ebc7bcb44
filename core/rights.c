/* Refusals in words: see rights.h. A capability counts only in the user namespace that it is held in, and below. */
#include "core/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "core/cage.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/tool.h"

enum { STATUS_BYTES = 8192 };

bool rights_of_root(void)
{
	return getauxval(AT_EUID) == 0;
}

const char *rights_needed(uint64_t rights, char buf[RIGHTS_TEXT])
{
	uint64_t more = rights & (rights - 1);
	char first[TOOL_CAP_TEXT], second[TOOL_CAP_TEXT] = "";

	tool_caps_name(__builtin_ctzll(rights), first);
	if (more)
		tool_caps_name(__builtin_ctzll(more), second);
	snprintf(buf, RIGHTS_TEXT, rights_of_root() ? "needs %s%s%s over it, which this root does not have; see nsdbg doctor" : "needs %s%s%s; run with sudo",
		first, more ? " and " : "", second);
	return buf;
}

/* The lowest capability that the process holds and this one does not; -1: none, or it does not say. proc_pid_status(5). */
static int more_than_ours(int dir)
{
	AUTO(fd_closep) int fd = dir < 0 ? -1 : openat(dir, "status", O_RDONLY | O_CLOEXEC);
	char buf[STATUS_BYTES], *line;
	ssize_t n = fd < 0 ? -1 : fd_read_all(fd, buf, sizeof buf - 1);
	uint64_t more;

	if (n <= 0)
		return -1;
	buf[n] = 0;
	line = strstr(buf, "\nCapPrm:"); /* the process's name, in front of it, has its newlines escaped */
	more = line ? strtoull(line + 8, NULL, 16) & ~cage_permitted_caps() : 0;
	return more ? __builtin_ctzll(more) : -1;
}

/* The initial user namespace maps all 32 bits onto themselves. Where /proc does not know us (another pid namespace's) nothing is claimed. */
static bool in_first_user_namespace(void)
{
	AUTO(fd_closep) int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	unsigned long inside = 1, outside = 1, n = 0;
	char buf[128];
	ssize_t got = fd < 0 ? -1 : fd_read_all(fd, buf, sizeof buf - 1);

	if (got <= 0)
		return true;
	buf[got] = 0;
	return sscanf(buf, "%lu %lu %lu", &inside, &outside, &n) == 3 && inside == 0 && outside == 0 && n == UINT32_MAX;
}

/* It is held, and that was not enough. */
static void say_in_vain(const char *name, int dir, char buf[RIGHTS_TEXT])
{
	int more = more_than_ours(dir);
	char other[TOOL_CAP_TEXT];

	if (!in_first_user_namespace())
		snprintf(buf, RIGHTS_TEXT, "the kernel refuses: %s is held in this user namespace alone, and that is outside of it", name);
	else if (more >= 0)
		snprintf(buf, RIGHTS_TEXT, "the kernel refuses although %s is held; the process holds %s, which nsdbg lacks", name, tool_caps_name(more, other));
	else
		snprintf(buf, RIGHTS_TEXT, "the kernel refuses although %s is held; a security module may forbid it", name);
}

static void explain(int cap, int dir, char buf[RIGHTS_TEXT])
{
	char name[TOOL_CAP_TEXT];

	tool_caps_name(cap, name);
	if (!rights_of_root())
		snprintf(buf, RIGHTS_TEXT, "needs %s; run with sudo", name);
	else if (!(cage_permitted_caps() >> cap & 1))
		snprintf(buf, RIGHTS_TEXT, "needs %s, which this root does not have; start nsdbg outside of its container or sandbox", name);
	else
		say_in_vain(name, dir, buf);
}

int rights_refused(struct err *e, int code, int cap, int dir, const char *fmt, ...)
{
	char what[sizeof e->msg], why[RIGHTS_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	if (!err_denied(-code))
		return err_set(e, code, "%s", what);
	explain(cap, dir, why);
	return err_set(e, code, "%s: %s", what, why);
}
