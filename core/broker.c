/*
 * The broker: see broker.h. Its own session, so that keys typed at the terminal never signal it; ends when the app's channel closes,
 * and its workers end with it (PR_SET_PDEATHSIG).
 */
#include "core/broker.h"

#include "core/cage.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/netns.h"
#include "core/tool/run.h"
#include "core/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_WORKERS = 256, RUNNER_ROUNDS = 50 /* tenths of a second */ };

/* DAC_OVERRIDE: root may save into a directory that is not its own. */
static const uint64_t broker_caps = 1ull << CAP_SYS_ADMIN | 1ull << CAP_SYS_PTRACE | 1ull << CAP_DAC_READ_SEARCH |
	1ull << CAP_DAC_OVERRIDE | 1ull << CAP_NET_RAW | 1ull << CAP_SETUID | 1ull << CAP_SETGID | 1ull << CAP_SETPCAP |
	1ull << CAP_KILL;
/* What a tool may get beyond these (NET_ADMIN, or all with --caps all) rests in the permitted set: its runner takes it up
 * again, and so does the process that asks for firewall rules (core/net/nat_ask.h). */

struct child {
	pid_t pid;
	uint32_t tag; /* of its MSG_OPEN or MSG_TOOL */
	bool is_runner; /* of a tool: ends by itself, and cleans up, when app or broker leave */
};

struct broker {
	const struct broker_setup *setup;
	int signals; /* signalfd: SIGCHLD */
	struct child children[MAX_WORKERS];
	unsigned n_children;
};

/* --- workers --- */

static void send_status(int channel, uint32_t type, uint32_t tag, const struct err *e, int fd)
{
	struct msg_status s = { .code = e ? e->code : 0 };

	if (e)
		memcpy(s.msg, e->msg, sizeof s.msg);
	msg_send(channel, type, tag, &s, sizeof s, fd);
}

/* In the child: only the channel stays open, as descriptor 3. */
static void keep_channel(int channel)
{
	sigset_t none;
	int null;

	if (channel != 3 && dup3(channel, 3, O_CLOEXEC) < 0)
		_exit(1);
	fcntl(3, F_SETFD, FD_CLOEXEC);
	close_range(4, ~0u, 0);
	null = openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		if (!getenv("NSDBG_DEBUG"))
			dup2(null, STDERR_FILENO);
		close(null);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void add_child(struct broker *b, const struct msg *m, pid_t pid)
{
	struct err err = { 0 };

	if (pid < 0) {
		err_set(&err, errno, "start a worker");
		send_status(m->fd, MSG_ERROR, 0, &err, -1);
		return;
	}
	b->children[b->n_children++] = (struct child){ .pid = pid, .tag = m->head.tag, .is_runner = m->head.type == MSG_TOOL };
}

static void open_worker(struct broker *b, const struct msg *m)
{
	struct err err = { 0 };
	pid_t pid;

	if (m->open.source >= b->setup->n_sources || m->open.n_params > MSG_PARAMS)
		err_set(&err, EINVAL, "no such source");
	else if (b->n_children == MAX_WORKERS)
		err_set(&err, EMFILE, "%d views are open already: close some", MAX_WORKERS);
	if (err.code) {
		send_status(m->fd, MSG_ERROR, 0, &err, -1);
		return;
	}
	pid = fork();
	if (pid == 0) {
		keep_channel(m->fd);
		worker_main(b->setup->sources[m->open.source], &m->open, 3);
	}
	add_child(b, m, pid);
}

static void open_tool(struct broker *b, const struct msg *m)
{
	struct err err = { 0 };
	pid_t pid;

	if (b->n_children == MAX_WORKERS) {
		err_set(&err, EMFILE, "%d views are open already: close some", MAX_WORKERS);
		send_status(m->fd, MSG_ERROR, 0, &err, -1);
		return;
	}
	pid = fork();
	if (pid == 0) {
		keep_channel(m->fd);
		tool_run(&m->tool, 3, false);
	}
	add_child(b, m, pid);
}

/* A runner that was killed left its tool's processes to us (we are their reaper). */
static void sweep(const struct broker *b)
{
	pid_t keep[MAX_WORKERS];

	for (unsigned i = 0; i < b->n_children; i++)
		keep[i] = b->children[i].pid;
	tool_run_sweep(keep, b->n_children);
}

static void reap(struct broker *b)
{
	bool lost_runner = false;
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(b->signals, &info, sizeof info) == sizeof info)
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (unsigned i = 0; i < b->n_children; i++) {
			struct msg_exited e = { .pid = pid, .status = status };

			if (b->children[i].pid != pid)
				continue;
			lost_runner = lost_runner || (b->children[i].is_runner && WIFSIGNALED(status));
			msg_send(b->setup->app, MSG_EXITED, b->children[i].tag, &e, sizeof e, -1);
			b->children[i] = b->children[--b->n_children];
			break;
		}
	}
	if (lost_runner)
		sweep(b);
}

/* --- files, as the real user --- */

static int become_user(const struct broker_setup *s, struct err *err)
{
	if (geteuid() != 0 || s->real_uid == 0)
		return 0;
	if (setgroups(1, &s->real_gid) < 0 || setresgid(s->real_gid, s->real_gid, s->real_gid) < 0 ||
		setresuid(s->real_uid, s->real_uid, s->real_uid) < 0)
		return err_set(err, errno, "become user %u for saving", (unsigned)s->real_uid);
	return 0;
}

static bool is_dev_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && major(st->st_rdev) == 1 && minor(st->st_rdev) == 3;
}

/* The file is there already: only an empty one, or any when forced; never through a link. */
static int open_existing(const char *path, bool force, struct err *err)
{
	AUTO(fd_closep) int fd = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ELOOP)
		return err_set(err, EEXIST, "%s is a link; name the file itself", path);
	if (fd < 0)
		return err_set(err, errno, "write %s", path);
	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "look at %s", path);
	if (is_dev_null(&st))
		return fd_take(&fd);
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
		return err_set(err, EEXIST, "%s is not an ordinary file; choose another name, or -w - and a pipe", path);
	if (st.st_size > 0 && !force)
		return err_set(err, EEXIST, "%s exists; choose another name or add --force", path);
	if (ftruncate(fd, 0) < 0)
		return err_set(err, errno, "empty %s", path);
	if (fcntl(fd, F_SETFL, 0) < 0)
		return err_set(err, errno, "open %s", path);
	return fd_take(&fd);
}

static int create_file(const struct msg_create *c, struct err *err)
{
	int fd;

	if (!memchr(c->path, 0, sizeof c->path) || c->path[0] == 0)
		return err_set(err, EINVAL, "the file name is too long or empty");
	fd = open(c->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	if (errno == EEXIST)
		return open_existing(c->path, c->force != 0, err);
	return err_set(err, errno, "write %s", c->path);
}

static void create(struct broker *b, const struct msg *m)
{
	struct err err = { 0 };
	pid_t pid = fork();
	int fd = -1;

	if (pid > 0)
		return; /* the child answers */
	if (pid < 0)
		err_set(&err, errno, "start a process for saving");
	else if (become_user(b->setup, &err) == 0)
		fd = create_file(&m->create, &err);
	send_status(b->setup->app, MSG_CREATED, m->head.tag, &err, fd);
	if (pid == 0)
		_exit(0);
}

/* --- names for namespaces --- */

static void name(struct broker *b, const struct msg *m)
{
	struct err err = { 0 };
	pid_t pid = fork();

	if (pid > 0)
		return; /* the child answers */
	if (pid < 0)
		err_set(&err, errno, "start a process for the name");
	else
		netns_serve(&m->name, &err);
	send_status(b->setup->app, MSG_CREATED, m->head.tag, &err, -1);
	if (pid == 0)
		_exit(0);
}

/* --- main --- */

/* false: the app left. */
static bool serve_app(struct broker *b)
{
	static struct msg m; /* 16 KiB: not on the stack of a process that forks */
	int r = msg_recv(b->setup->app, &m, MSG_DONTWAIT);
	AUTO(fd_closep) int fd = m.fd;

	if (r == -EAGAIN)
		return true;
	if (r <= 0)
		return false;
	if (m.head.type == MSG_OPEN && fd >= 0)
		open_worker(b, &m);
	else if (m.head.type == MSG_TOOL && fd >= 0)
		open_tool(b, &m);
	else if (m.head.type == MSG_CREATE)
		create(b, &m);
	else if (m.head.type == MSG_NAME)
		name(b, &m);
	else
		return false; /* neither: end rather than guess */
	return true;
}

static int watch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool has_runners(const struct broker *b)
{
	for (unsigned i = 0; i < b->n_children; i++)
		if (b->children[i].is_runner)
			return true;
	return false;
}

/* Runners end their tools. One that was killed cannot, and the front hears that before we do: so its leaving is not yet our end. */
static void await_runners(struct broker *b)
{
	struct pollfd p = { .fd = b->signals, .events = POLLIN };

	for (int i = 0; i < RUNNER_ROUNDS && has_runners(b); i++) {
		poll(&p, 1, 100);
		reap(b);
	}
}

_Noreturn void broker_main(const struct broker_setup *setup)
{
	struct broker b = { .setup = setup };
	struct pollfd p[2];

	setsid();
	prctl(PR_SET_NAME, "nsdbg: broker");
	prctl(PR_SET_DUMPABLE, 0);
	b.signals = watch_signals();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	cage_rest_caps(broker_caps, NULL);
	p[0] = (struct pollfd){ .fd = setup->app, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = b.signals, .events = POLLIN };
	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if (p[1].revents)
			reap(&b);
		if (p[0].revents && !serve_app(&b))
			break;
	}
	for (unsigned i = 0; i < b.n_children; i++)
		kill(b.children[i].pid, b.children[i].is_runner ? SIGTERM : SIGKILL);
	await_runners(&b);
	_exit(0);
}
