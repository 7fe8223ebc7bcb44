/*
 * Entering and executing: see child.h. All namespace files are open before the first is entered; user comes last, so the others are entered
 * with the host's rights. Only a process that has given its rights up is born into a pid namespace. After the mount namespace changed,
 * nothing of libc that opens files is called (security.md E8): execve is tried along PATH by hand.
 */
#include "core/tool/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "core/err.h"
#include "core/fd.h"
#include "core/rights.h"
#include "core/tool.h"
#include "core/tool/procfs.h"
#include "core/tool/rights.h"
#include "core/tool/stage.h"

/* In the order of joining: mnt after what is found by path, user when no right of ours is needed any more. */
static const struct {
	const char *file;
	int flag;
} kinds[TOOL_NAMESPACES] = {
	{ "ns/cgroup", CLONE_NEWCGROUP }, { "ns/ipc", CLONE_NEWIPC }, { "ns/uts", CLONE_NEWUTS }, { "ns/time", CLONE_NEWTIME },
	{ "ns/net", CLONE_NEWNET }, { "ns/pid", CLONE_NEWPID }, { "ns/mnt", CLONE_NEWNS }, { "ns/user", CLONE_NEWUSER },
};
enum { KIND_NET = 4, KIND_PID = 5, KIND_MNT = 6, KIND_USER = 7 };

/* --- opening --- */

/* setns(2) into the user namespace one is in gives EINVAL; for the others it is work for nothing. */
static bool is_own(int fd, const char *file)
{
	struct stat own, other;
	char path[32];

	snprintf(path, sizeof path, "/proc/self/%s", file);
	return stat(path, &own) == 0 && fstat(fd, &other) == 0 && own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

static int open_kind(const struct worker_target *t, int kind, int *ret, struct err *err)
{
	AUTO(fd_closep) int fd = -1;

	if (kind == KIND_NET)
		fd = fcntl(t->netns, F_DUPFD_CLOEXEC, 3);
	else
		fd = openat(t->dir, kinds[kind].file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && faccessat(t->dir, "ns/net", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(err, ENOSYS, "this kernel has no %s namespaces", kinds[kind].file + 3);
	if (fd < 0)
		return rights_refused(err, errno == ENOENT ? ESRCH : errno, CAP_SYS_PTRACE, t->dir, "open the %s namespace of the target", kinds[kind].file + 3);
	if (!is_own(fd, kinds[kind].file))
		*ret = fd_take(&fd);
	return 0;
}

static int open_directories(const struct msg_tool *spec, const struct worker_target *t, struct tool_join *j, struct err *err)
{
	if (spec->flags & TOOL_ROOT) {
		j->root = openat(t->dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (j->root < 0)
			return err_set(err, errno, "open the root directory of the target");
	}
	if (spec->flags & TOOL_TARGET_DIRECTORY) {
		j->directory = openat(t->dir, "cwd", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (j->directory < 0)
			return err_set(err, errno, "open the working directory of the target");
	}
	return 0;
}

int tool_child_open(const struct msg_tool *spec, const struct worker_target *t, struct tool_join *ret, struct err *err)
{
	int r = 0;

	*ret = (struct tool_join){ .procfs = -1, .root = -1, .directory = -1 };
	for (int i = 0; i < TOOL_NAMESPACES; i++)
		ret->fds[i] = -1;
	for (int i = 0; r == 0 && i < TOOL_NAMESPACES; i++)
		if (spec->namespaces & (unsigned)kinds[i].flag)
			r = open_kind(t, i, &ret->fds[i], err);
	if (r == 0)
		r = open_directories(spec, t, ret, err);
	ret->joins_pid = ret->fds[KIND_PID] >= 0;
	ret->joins_mnt = ret->fds[KIND_MNT] >= 0;
	ret->joins_user = ret->fds[KIND_USER] >= 0;
	if (r < 0)
		tool_child_close(ret);
	return r;
}

void tool_child_close(struct tool_join *j)
{
	for (int i = 0; i < TOOL_NAMESPACES; i++)
		fd_closep(&j->fds[i]);
	fd_closep(&j->procfs);
	fd_closep(&j->root);
	fd_closep(&j->directory);
}

/* --- entering --- */

/* An ordinary user's own rootless container: the user namespace that owns its network comes first, as in worker.c. */
static bool enter_owner(struct tool_join *j)
{
	AUTO(fd_closep) int owner = geteuid() == 0 ? -1 : ioctl(j->fds[KIND_NET], NS_GET_USERNS);

	if (owner < 0 || setns(owner, CLONE_NEWUSER) < 0 || setns(j->fds[KIND_NET], CLONE_NEWNET) < 0)
		return false;
	j->in_owner = true;
	if (j->fds[KIND_USER] >= 0 && is_own(j->fds[KIND_USER], kinds[KIND_USER].file))
		fd_closep(&j->fds[KIND_USER]);
	return true;
}

static int enter(struct tool_join *j, int from, int to, struct err *err)
{
	for (int i = from; i <= to; i++) {
		if (j->fds[i] < 0 || setns(j->fds[i], kinds[i].flag) == 0)
			continue;
		if (errno == EPERM && i == KIND_NET && enter_owner(j))
			continue;
		if (i == KIND_USER && err_denied(-errno)) /* /proc is the target's by now: not even ours is read there */
			return err_set(err, errno, "enter the user namespace of the target: %s", rights_needed(RIGHT(CAP_SYS_ADMIN), (char[RIGHTS_TEXT]){ 0 }));
		return rights_refused(err, errno, CAP_SYS_ADMIN, -1, "enter the %s namespace of the target", kinds[i].file + 3);
	}
	return 0;
}

static int stage(const struct tool_child *c, char *note, struct err *err)
{
	unsigned flags = c->spec->flags;
	int r = 0;

	if (!(flags & (TOOL_FILES | TOOL_PROC)))
		return 0;
	r = tool_stage_enter(err);
	if (r == 0 && (flags & TOOL_FILES))
		r = tool_stage_files(c->names, note, err);
	if (r == 0 && (flags & TOOL_PROC))
		r = tool_procfs_attach(c->join.procfs, !c->join.joins_pid, err);
	return r;
}

/* Where it works: as asked; else where nsdbg was started, unless that is another file system now. */
static int change_directory(const struct tool_child *c, struct err *err)
{
	const char *path = c->spec->directory;

	if (c->join.root >= 0 && (fchdir(c->join.root) < 0 || chroot(".") < 0))
		return err_set(err, errno, "change the root directory");
	if (c->join.directory >= 0)
		return fchdir(c->join.directory) < 0 ? err_set(err, errno, "change to the target's working directory") : 0;
	if (!path[0] && (c->join.root >= 0 || c->join.joins_mnt))
		path = "/";
	if (path[0] && chdir(path) < 0)
		return err_set(err, errno, "change to the directory %.120s", path);
	return 0;
}

static int prepare(struct tool_child *c, char *note, struct err *err)
{
	int r = enter(&c->join, 0, KIND_NET, err);

	if (r == 0)
		r = stage(c, note, err);
	if (r == 0 && c->number_one && unshare(CLONE_NEWPID) < 0)
		r = err_set(err, errno, "make a pid namespace");
	if (r == 0)
		r = enter(&c->join, KIND_PID, KIND_USER, err);
	if (r == 0)
		r = change_directory(c, err);
	if (r == 0)
		r = tool_rights_drop(c->spec, c->caps, c->join.joins_user ? TOOL_RIGHTS_OF_USER :
			c->join.in_owner ? TOOL_RIGHTS_STAY : TOOL_RIGHTS_HERE, err);
	return r;
}

/* --- executing --- */

static const char *variable(char *const *variables, const char *name)
{
	size_t n = strlen(name);

	for (; *variables; variables++)
		if (strncmp(*variables, name, n) == 0 && (*variables)[n] == '=')
			return *variables + n + 1;
	return NULL;
}

/* As execvp(3), but a file without a #! line is not given to a shell. Returns the errno that says most. */
static int execute(const struct tool_words *w)
{
	const char *path = variable(w->variables, "PATH"), *name = w->words[0];
	char file[4096 + 256];
	int code = ENOENT;

	if (strchr(name, '/')) {
		execve(name, w->words, w->variables);
		return errno;
	}
	if (!*name || strlen(name) > 255)
		return ENOENT;
	for (const char *p = path ? path : "/usr/bin:/bin"; p; p = strchr(p, ':') ? strchr(p, ':') + 1 : NULL) {
		int n = (int)strcspn(p, ":");

		if (n == 0 || n > 4096)
			continue;
		snprintf(file, sizeof file, "%.*s/%s", n, p, name);
		execve(file, w->words, w->variables);
		if (errno != ENOENT && errno != ENOTDIR)
			code = errno;
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
			break;
	}
	return code;
}

static void report(const struct tool_child *c, const struct err *err, const char *note, bool exec_failed)
{
	struct tool_report r = { .code = err ? err->code : 0, .exec_failed = exec_failed };

	snprintf(r.msg, sizeof r.msg, "%s", err ? err->msg : note);
	fd_write_all(c->report, &r, sizeof r);
}

static void take_terminal(const struct tool_child *c)
{
	setpgid(0, 0);
	if (c->terminal >= 0 && (c->spec->flags & TOOL_FOREGROUND)) /* all signals are blocked: SIGTTOU stops nobody */
		tcsetpgrp(c->terminal, getpgrp());
}

static int take_descriptors(struct tool_child *c, struct err *err)
{
	for (int i = 0; i < 3; i++)
		if (dup2(c->fds[i], i) < 0)
			return err_set(err, errno, "take descriptor %d over", i);
	/* All others end with execve, whoever opened them (CVE-2024-21626). */
	if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		return err_set(err, errno, "close descriptors");
	return 0;
}

static _Noreturn void become_program(struct tool_child *c)
{
	struct err err = { 0 };

	take_terminal(c);
	tool_rights_bind();
	err_set(&err, execute(&c->words), "%.150s", c->words.words[0]);
	report(c, &err, NULL, true);
	_exit(127);
}

/* Who joins a pid namespace is not in it, its children are. CLONE_PARENT: the runner's child all the same, to be waited for and stopped. */
static _Noreturn void bear_program(struct tool_child *c)
{
	struct tool_report r = { .program = (pid_t)syscall(SYS_clone, (unsigned long)(CLONE_PARENT | SIGCHLD), NULL, NULL, NULL, 0) };
	struct err err = { 0 };

	if (r.program == 0)
		become_program(c);
	if (r.program < 0) {
		err_set(&err, errno, "start a process in the pid namespace of the target");
		report(c, &err, NULL, false);
	} else {
		fd_write_all(c->report, &r, sizeof r);
	}
	_exit(0);
}

_Noreturn void tool_child_main(struct tool_child *c)
{
	char note[TOOL_NAME_WHY] = "";
	struct err err = { 0 };
	int r = take_descriptors(c, &err);

	if (r == 0)
		r = prepare(c, note, &err);
	if (note[0])
		report(c, NULL, note, false);
	if (r == 0 && (c->join.joins_pid || c->number_one))
		bear_program(c);
	if (r == 0)
		become_program(c);
	report(c, &err, NULL, false);
	_exit(127);
}
