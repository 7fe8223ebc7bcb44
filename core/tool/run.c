/*
 * The runner: leader of the session that the tool lives in, so that ^Z and reads from the background stop the tool and not its parent's
 * group; reaper of all that the tool leaves behind. It ends when the program has ended, when the front goes (its channel closes), or
 * when the broker goes (SIGTERM by PR_SET_PDEATHSIG); the program dies with it (SIGKILL likewise).
 */
#include "core/tool/run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "core/tool.h"
#include "core/tool/child.h"
#include "core/tool/copy.h"
#include "core/tool/procfs.h"
#include "core/tool/rights.h"

enum { FDS_MS = 5000, GRACE_MS = 300, LINGER_MS = 2000 };

struct runner {
	const struct msg_tool *spec;
	int channel;
	int signals;
	int fds[MSG_TOOL_FDS];
	int terminal; /* one of fds; -1 none */
	pid_t pid; /* of the program */
	int status;
	bool runs; /* execve went well */
	bool ended;
	bool leave; /* front or broker left, or ^C before it ran */
};

/* --- words to the front --- */

static void say(const struct runner *r, uint32_t type, int code, const char *msg, uint32_t tag)
{
	struct msg_status s = { .code = code };

	snprintf(s.msg, sizeof s.msg, "%s", msg);
	msg_send(r->channel, type, tag, &s, sizeof s, -1);
}

static void say_status(const struct runner *r, int status)
{
	struct msg_exited e = { .pid = r->pid, .status = status };

	msg_send(r->channel, MSG_EXITED, 0, &e, sizeof e, -1);
}

/* --- what came with the request --- */

/* What the front says is not trusted to be whole: -1 would mean "as it is" to setresuid(2). */
static int check_spec(const struct msg_tool *spec, struct err *err)
{
	if (!memchr(spec->directory, 0, sizeof spec->directory) || spec->uid == UINT32_MAX || spec->gid == UINT32_MAX)
		return err_set(err, EBADMSG, "the request for a tool is not whole");
	return 0;
}

static int take_fds(struct runner *r, struct err *err)
{
	struct pollfd p = { .fd = r->channel, .events = POLLIN };
	static struct msg m;

	for (int i = 0; i < MSG_TOOL_FDS; i++) {
		if (poll(&p, 1, FDS_MS) <= 0 || msg_recv(r->channel, &m, 0) <= 0)
			return err_set(err, EPIPE, "the descriptors did not arrive");
		if (m.head.type != MSG_TOOL_FD || m.head.tag >= MSG_TOOL_FDS || m.fd < 0 || r->fds[m.head.tag] >= 0) {
			fd_closep(&m.fd);
			return err_set(err, EBADMSG, "the descriptors did not arrive as they should");
		}
		r->fds[m.head.tag] = m.fd;
	}
	return 0;
}

/* A session of our own: the operator's terminal is not ours, a pseudo-terminal may become it. */
static int take_terminal(struct runner *r, struct err *err)
{
	setsid();
	if (!(r->spec->flags & TOOL_TERMINAL))
		return 0;
	for (int i = 0; i < 3 && r->terminal < 0; i++)
		if (isatty(r->fds[i]))
			r->terminal = r->fds[i];
	if (r->terminal >= 0 && ioctl(r->terminal, TIOCSCTTY, 0) < 0)
		return err_set(err, errno, "take the pseudo-terminal over");
	return 0;
}

static void open_signals(struct runner *r)
{
	sigset_t set;

	sigemptyset(&set);
	for (int s = 1; s < NSIG; s++)
		if (s != SIGKILL && s != SIGSTOP && s != SIGSEGV && s != SIGBUS && s != SIGFPE && s != SIGILL && s != SIGABRT)
			sigaddset(&set, s);
	sigprocmask(SIG_SETMASK, &set, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT); /* of the terminal, as long as no program owns it */
	sigaddset(&set, SIGQUIT);
	r->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/*
 * ps of procps 4 gives up when its own number is not in /proc. In a pid namespace of its own, below the host's, it is number 1, which is
 * in every container's /proc. (Not for all tools: number 1 does not die of ^C.)
 */
static bool wants_number_one(const struct tool_child *c)
{
	const char *name = c->words.words[0], *slash = strrchr(name, '/');

	return (c->spec->flags & TOOL_PROC) && !c->join.joins_pid && strcmp(slash ? slash + 1 : name, "ps") == 0;
}

/* --- watching --- */

static void answer(struct runner *r, const struct msg *m)
{
	int signal = m->signal.signal;

	if (m->head.type != MSG_TOOL_SIGNAL || signal < 1 || signal >= NSIG || r->ended)
		return;
	if (!r->runs) {
		r->leave = r->leave || signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT;
		return;
	}
	if (r->terminal >= 0 && (m->signal.foreground || signal == SIGCONT)) /* in the background a read stops it again */
		tcsetpgrp(r->terminal, m->signal.foreground ? r->pid : getpgrp());
	kill(-r->pid, signal);
}

static void serve_channel(struct runner *r)
{
	static struct msg m;
	int e = msg_recv(r->channel, &m, MSG_DONTWAIT);

	if (e == 1)
		answer(r, &m);
	else if (e != -EAGAIN)
		r->leave = true;
	fd_closep(&m.fd);
}

static void serve_children(struct runner *r)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (pid != r->pid)
			continue;
		if (WIFSTOPPED(status)) {
			say_status(r, status);
			continue;
		}
		r->status = status;
		r->ended = true;
	}
}

static void serve_signals(struct runner *r)
{
	struct signalfd_siginfo info;

	while (read(r->signals, &info, sizeof info) == sizeof info)
		if (info.ssi_signo == SIGTERM)
			r->leave = true;
	serve_children(r);
}

static void watch(struct runner *r, int timeout_ms)
{
	struct pollfd p[2] = { { .fd = r->signals, .events = POLLIN }, { .fd = r->leave ? -1 : r->channel, .events = POLLIN } };

	if (poll(p, 2, timeout_ms) < 0)
		return;
	if (p[0].revents)
		serve_signals(r);
	if (p[1].revents)
		serve_channel(r);
}

/* --- starting --- */

/* What the child says. 1: go on; 0: nothing more will come, it runs; -EIO: it failed. */
static int take_report(struct runner *r, int report)
{
	struct tool_report said;

	if (fd_read_all(report, &said, sizeof said) != (ssize_t)sizeof said)
		return 0;
	said.msg[sizeof said.msg - 1] = 0;
	if (said.program) {
		waitpid(r->pid, NULL, 0);
		r->pid = said.program;
		return 1;
	}
	say(r, said.code ? MSG_ERROR : MSG_NOTE, said.code, said.msg, said.exec_failed);
	return said.code ? -EIO : 1;
}

/* Until the child has become the program. It may hang on a mount that does not answer: ^C and a front that leaves are heard. */
static bool hear(struct runner *r, int report)
{
	struct pollfd p[3] = { { .fd = report, .events = POLLIN }, { .fd = r->channel, .events = POLLIN },
		{ .fd = r->signals, .events = POLLIN } };
	struct signalfd_siginfo info;
	int e = 1;

	while (e > 0) {
		if (poll(p, 3, -1) < 0)
			continue;
		if (p[0].revents) { /* first: what comes after it ran is for the program */
			e = take_report(r, report);
			continue;
		}
		if (p[1].revents)
			serve_channel(r);
		while (p[2].revents && read(r->signals, &info, sizeof info) == sizeof info)
			r->leave = r->leave || info.ssi_signo != SIGCHLD;
		if (r->leave) {
			say(r, MSG_ERROR, EINTR, "ended before the tool ran", 0);
			return false;
		}
	}
	return e == 0;
}

static void give_up(struct runner *r)
{
	kill(r->pid, SIGKILL);
	kill(-r->pid, SIGKILL);
	for (int i = 0; i < 100 && waitpid(r->pid, NULL, WNOHANG) == 0; i++) /* who cannot die is left behind */
		poll(NULL, 0, 2);
	r->pid = 0;
}

static int fork_child(struct runner *r, struct tool_child *c, struct err *err)
{
	AUTO(fd_closep) int report = -1;
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe");
	report = pair[0];
	c->report = pair[1];
	r->pid = fork();
	if (r->pid == 0)
		tool_child_main(c);
	close(pair[1]);
	if (r->pid < 0)
		return err_set(err, errno, "start a process for the tool");
	if (!hear(r, report)) {
		give_up(r);
		return 0;
	}
	r->runs = true;
	serve_children(r); /* its end may have been heard already */
	r->leave = r->leave || msg_send(r->channel, MSG_READY, 0, NULL, 0, -1) < 0; /* the front died: so will what runs now */
	return 0;
}

/*
 * Whoever may trace the tool from inside its pid namespace may do all that it may, and with the host's files that is all: its root
 * directory is open to them, its executable can be overwritten (CVE-2019-5736, security.md E9). A container may trace with CAP_SYS_PTRACE,
 * or when the tool holds no capability that it does not hold.
 */
static int limit_caps(const struct msg_tool *spec, const struct worker_target *t, struct tool_child *c, struct err *err)
{
	const uint64_t trace = 1ull << CAP_SYS_PTRACE;
	uint64_t theirs = t->dir >= 0 ? tool_rights_bounding(t->dir) : 0;
	bool host_files = !c->join.joins_mnt && !(spec->flags & TOOL_ROOT);

	c->caps = spec->caps & (spec->flags & TOOL_TARGET_CAPS ? theirs : ~0ull);
	if (!c->join.joins_pid || !host_files || (spec->flags & TOOL_FORCE))
		return 0;
	if (theirs & trace)
		return err_set(err, EPERM, "the container may trace processes (CAP_SYS_PTRACE), so a tool in its pid namespace would open the host "
			"to it: add --ns mnt, or take --proc instead, or --force");
	if (!(c->caps & ~theirs))
		return err_set(err, EPERM, "without capabilities that the container lacks, a tool in its pid namespace could be taken over by it: "
			"add --ns mnt, or take --proc instead, or --force");
	return 0;
}

static int open_procfs(const struct msg_tool *spec, const struct worker_target *t, struct tool_child *c, struct err *err)
{
	AUTO(fd_closep) int space = openat(t->dir, "ns/pid", O_RDONLY | O_CLOEXEC);
	bool may_trace = tool_rights_bounding(t->dir) >> CAP_SYS_PTRACE & 1;

	if (space < 0)
		return err_set(err, errno, "open the pid namespace of the target");
	return tool_procfs_open(space, !may_trace || (spec->flags & TOOL_FORCE), &c->join.procfs, err);
}

static int gather(struct runner *r, struct tool_child *c, struct worker_target *t, struct tool_names *names, struct err *err)
{
	int e = worker_pin(t, err);

	if (e == 0)
		e = tool_words_unpack(r->fds[MSG_TOOL_WORDS], r->spec->n_words, r->spec->n_variables, &c->words, err);
	if (e == 0)
		e = tool_child_open(r->spec, t, &c->join, err);
	if (e < 0)
		return e;
	e = limit_caps(r->spec, t, c, err);
	if (e == 0 && (r->spec->flags & TOOL_PROC))
		e = open_procfs(r->spec, t, c, err);
	if (e < 0)
		return e;
	if (!(r->spec->flags & TOOL_FILES))
		return 0;
	e = tool_names_read(t, names, err);
	for (int i = 0; e == 0 && i < TOOL_NAME_FILES; i++)
		if (names->why[i][0])
			say(r, MSG_NOTE, 0, names->why[i], 0);
	c->names = names;
	return e;
}

static int start(struct runner *r, struct err *err)
{
	struct worker_target t = { .ref = r->spec->target, .proc = -1, .dir = -1, .pidfd = -1, .netns = -1, .root = -1 };
	struct tool_names names = { .files = { -1, -1, -1 } };
	struct tool_child c = { .spec = r->spec, .terminal = r->terminal };
	int e = gather(r, &c, &t, &names, err);

	memcpy(c.fds, r->fds, sizeof c.fds);
	if (e == 0) {
		c.number_one = wants_number_one(&c);
		e = fork_child(r, &c, err);
	}
	tool_words_done(&c.words);
	tool_names_done(&names);
	tool_child_close(&c.join);
	fd_closep(&t.proc);
	fd_closep(&t.dir);
	fd_closep(&t.pidfd);
	fd_closep(&t.netns);
	fd_closep(&t.root);
	return e;
}

/* --- ending --- */

/* Fields 4 and 6 of /proc/PID/stat: parent and session. False: it left. */
static bool relations(const char *pid, pid_t *ret_parent, pid_t *ret_session)
{
	char path[32], buf[512], *p;
	AUTO(fd_closep) int fd = -1;
	int parent, session;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%.16s/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : fd_read_all(fd, buf, sizeof buf - 1);
	if (n <= 0)
		return false;
	buf[n] = 0;
	p = strrchr(buf, ')'); /* the name before it may hold anything */
	if (!p || sscanf(p, ") %*c %d %*d %d", &parent, &session) != 2)
		return false;
	*ret_parent = parent;
	*ret_session = session;
	return true;
}

static bool is_kept(pid_t pid, const pid_t *keep, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (keep[i] == pid)
			return true;
	return pid == getpid();
}

/* Signals our children, and with `session` all of our session: what joined the container's pid namespace is inherited by its init. */
static unsigned signal_all(int signal, bool session, const pid_t *keep, unsigned n)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	unsigned found = 0;

	while (proc && (e = readdir(proc))) {
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10), parent, of;

		if (pid <= 0 || !relations(e->d_name, &parent, &of))
			continue;
		if ((parent != getpid() && !(session && of == getpid())) || is_kept(pid, keep, n))
			continue;
		found++;
		kill(pid, signal);
	}
	if (proc)
		closedir(proc);
	return found;
}

static bool has_children(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* Each round kills what the last one orphaned. What cannot die (a dead mount) is left to its fate. */
void tool_run_sweep(const pid_t *keep, unsigned n)
{
	for (int i = 0; i < 50 && signal_all(SIGKILL, false, keep, n) > 0; i++)
		poll(NULL, 0, 2);
}

/* The front left: as when a terminal hangs up. */
static void hang_up(struct runner *r)
{
	uint64_t end = loop_now_ms() + GRACE_MS, now;

	kill(-r->pid, SIGHUP);
	kill(-r->pid, SIGCONT);
	while (!r->ended && (now = loop_now_ms()) < end)
		watch(r, (int)(end - now));
	if (!r->ended)
		kill(-r->pid, SIGKILL);
}

/* Whatever the program started ends with it: nothing stays on the host. */
static void clean_up(bool joined_pid)
{
	if (!joined_pid && !has_children())
		return;
	if (signal_all(SIGHUP, joined_pid, NULL, 0) == 0)
		return;
	signal_all(SIGCONT, joined_pid, NULL, 0);
	for (int i = 0; i < 50 && signal_all(i < 10 ? 0 : SIGKILL, joined_pid, NULL, 0) > 0; i++) {
		poll(NULL, 0, 10);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

static void finish(struct runner *r)
{
	for (int i = 0; i < MSG_TOOL_FDS; i++)
		fd_closep(&r->fds[i]); /* the front reads the terminal's last words until nobody has it open */
	clean_up((r->spec->namespaces & CLONE_NEWPID) != 0);
	say_status(r, r->status);
	/* The end of a session's leader hangs its terminal up: not before the front has read everything. */
	for (uint64_t end = loop_now_ms() + LINGER_MS; r->terminal >= 0 && !r->leave && loop_now_ms() < end;)
		watch(r, 100);
}

_Noreturn void tool_run(const struct msg_tool *spec, int channel, bool is_copy)
{
	struct runner r = { .spec = spec, .channel = channel, .fds = { -1, -1, -1, -1 }, .terminal = -1 };
	struct err err = { 0 };

	prctl(PR_SET_NAME, "nsdbg: tool");
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	open_signals(&r);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	tool_rights_raise();
	if ((spec->namespaces & CLONE_NEWPID) && !is_copy && tool_copy_execute(spec, &err) < 0) {
		say(&r, MSG_ERROR, err.code, err.msg, 0);
		_exit(1);
	}
	if (check_spec(spec, &err) < 0 || take_fds(&r, &err) < 0 || take_terminal(&r, &err) < 0 || start(&r, &err) < 0) {
		say(&r, MSG_ERROR, err.code, err.msg, 0);
		_exit(1);
	}
	for (int i = 0; i < MSG_TOOL_FDS; i++) /* a pipe's end is the tool's alone */
		if (r.fds[i] != r.terminal)
			fd_closep(&r.fds[i]);
	while (r.pid > 0 && !r.ended && !r.leave)
		watch(&r, -1);
	if (r.pid > 0 && !r.ended)
		hang_up(&r);
	if (r.pid > 0)
		finish(&r);
	else
		clean_up((spec->namespaces & CLONE_NEWPID) != 0);
	_exit(0);
}
