/*
 * Giving rights up before execve: see rights.h. For user 0 the bounding set decides what the program gets; for others the capabilities go
 * along as ambient ones, capabilities(7). PR_SET_PDEATHSIG comes after the user change, which clears it (security.md E29).
 */
#include "core/tool/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <linux/capability.h>
#include <unistd.h>

#include "core/cage.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/tool.h"

enum { LAST_CAP = 63 };

void tool_rights_raise(void)
{
	uint64_t all = cage_permitted_caps();

	cage_set_caps(all, all, 0);
}

uint64_t tool_rights_bounding(int dir)
{
	AUTO(fd_closep) int fd = openat(dir, "status", O_RDONLY | O_CLOEXEC);
	char buf[8192], *line;
	ssize_t n = fd < 0 ? -1 : fd_read_all(fd, buf, sizeof buf - 1);

	if (n <= 0)
		return 0;
	buf[n] = 0;
	line = strstr(buf, "\nCapBnd:"); /* the only text in there, the name, has its newlines escaped */
	return line ? strtoull(line + 8, NULL, 16) : 0;
}

/* An unmapped id or a user namespace that forbids setgroups(2): nothing to leave then. */
static int become(const struct msg_tool *spec, enum tool_rights where, struct err *err)
{
	bool joined_user = where == TOOL_RIGHTS_OF_USER;
	gid_t gid = spec->gid;

	if (where == TOOL_RIGHTS_STAY)
		return 0;
	if (geteuid() != 0 && !joined_user && !(cage_permitted_caps() & 1ull << CAP_SETUID))
		return 0; /* an ordinary user stays who they are */
	if (setgroups(spec->gid ? 1 : 0, &gid) < 0 && !joined_user)
		return err_set(err, errno, "leave all groups");
	if (setresgid(spec->gid, spec->gid, spec->gid) < 0)
		return err_set(err, errno, "become group %u", spec->gid);
	if (setresuid(spec->uid, spec->uid, spec->uid) < 0)
		return err_set(err, errno, "become user %u", spec->uid);
	return 0;
}

static void raise_ambient(uint64_t caps)
{
	for (int c = 0; c <= LAST_CAP; c++)
		if (caps >> c & 1)
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, c, 0, 0);
}

static void reset_signals(void)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int tool_rights_drop(const struct msg_tool *spec, uint64_t caps, enum tool_rights where, struct err *err)
{
	uint64_t keep;
	int r;

	cage_drop_bounding(caps);
	prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	r = become(spec, where, err);
	if (r < 0)
		return r;
	keep = cage_permitted_caps() & caps;
	r = cage_set_caps(keep, keep, spec->uid ? keep : 0);
	if (r < 0)
		return err_set(err, -r, "reduce capabilities");
	if (spec->uid)
		raise_ambient(keep);
	if ((spec->flags & TOOL_NO_NEW_PRIVS) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, errno, "set no_new_privs");
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* until execve */
	return 0;
}

void tool_rights_bind(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	reset_signals();
}
