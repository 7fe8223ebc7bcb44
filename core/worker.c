/*
 * One worker: pin the target, enter, open, give up every right, then read. See worker.h; the order is that of security.md 4.2.
 * A process is (pid, start time); a container that is re-created gets another worker.
 */
#include "core/worker.h"

#include "core/block.h"
#include "core/cage.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "core/rights.h"
#include "core/source/proc_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { FULL_TRIES = 400, FULL_WAIT_MS = 5 };

struct worker {
	const struct source *source;
	int channel;
	struct worker_target target;
	const unsigned char *params;
	uint32_t n_params;
	void *state;
	bool said_gone;
};

void **worker_state(struct worker *w)
{
	return &w->state;
}

const void *worker_params(const struct worker *w, size_t size)
{
	return w->n_params == size ? w->params : NULL;
}

struct worker_target *worker_target(struct worker *w)
{
	return &w->target;
}

int worker_channel(const struct worker *w)
{
	return w->channel;
}

int worker_recv(struct worker *w, struct msg *ret, int timeout_ms)
{
	struct pollfd p = { .fd = w->channel, .events = POLLIN };
	int r = poll(&p, 1, timeout_ms);

	if (r < 0)
		return -errno;
	if (r == 0)
		return -EAGAIN;
	return msg_recv(w->channel, ret, 0);
}

/* The kernel bounds the descriptors on their way of all processes of a user together (unix_attach_fds, ETOOMANYREFS): others that run as
 * nobody, even in containers, may take up the room for a while. */
static int send_fd(struct worker *w, uint32_t tag, const struct msg_block *m, int fd)
{
	int r = msg_send(w->channel, MSG_BLOCK, tag, m, sizeof *m, fd);

	for (int i = 0; r == -ETOOMANYREFS && i < FULL_TRIES; i++) {
		poll(NULL, 0, FULL_WAIT_MS);
		r = msg_send(w->channel, MSG_BLOCK, tag, m, sizeof *m, fd);
	}
	return r;
}

int worker_send_block(struct worker *w, uint32_t tag, struct builder *b)
{
	AUTO(fd_closep) int fd = -1;
	struct msg_block m = { .row_type = builder_type(b)->id };
	struct err err = { 0 };
	int r = builder_seal(b, &fd, &err);

	if (r < 0)
		return worker_send_error(w, tag, &err);
	r = send_fd(w, tag, &m, fd);
	if (r == -ETOOMANYREFS) {
		err_set(&err, ETOOMANYREFS, "too many descriptors of user %u wait for their readers: end what was stopped", (unsigned)geteuid());
		return worker_send_error(w, tag, &err);
	}
	return r;
}

static int send_status(struct worker *w, uint32_t type, uint32_t tag, const struct err *err)
{
	struct msg_status s = { .code = err ? err->code : 0 };

	if (err)
		memcpy(s.msg, err->msg, sizeof s.msg);
	return msg_send(w->channel, type, tag, &s, sizeof s, -1);
}

int worker_send_error(struct worker *w, uint32_t tag, const struct err *err)
{
	return send_status(w, MSG_ERROR, tag, err);
}

int worker_send_gone(struct worker *w)
{
	if (w->said_gone)
		return 0;
	w->said_gone = true;
	return send_status(w, MSG_GONE, 0, NULL);
}

bool worker_target_gone(const struct worker *w)
{
	struct pollfd p = { .fd = w->target.pidfd, .events = POLLIN };

	return w->target.pidfd >= 0 && poll(&p, 1, 0) > 0;
}

/* --- pinning --- */

/* Field 22 of stat, after the last ')': the name before it may hold anything. 0: not readable. */
static uint64_t start_time(int dir)
{
	AUTO(fd_closep) int fd = openat(dir, "stat", O_RDONLY | O_CLOEXEC);
	char buf[1024], *p;
	ssize_t n;

	if (fd < 0)
		return 0;
	n = fd_read_all(fd, buf, sizeof buf - 1);
	if (n <= 0)
		return 0;
	buf[n] = 0;
	p = strrchr(buf, ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	return p ? strtoull(p + 1, NULL, 10) : 0;
}

static int has_ended(const struct worker_target *t, int code, pid_t pid, struct err *err)
{
	if (proc_dir_is_inside(t->proc))
		return err_set(err, code, "process %d has ended, or is not seen from this container: start nsdbg with --pid=host", (int)pid);
	return err_set(err, code, "process %d has ended", (int)pid);
}

static int pin_process(struct worker_target *t, pid_t pid, struct err *err)
{
	char name[16];

	snprintf(name, sizeof name, "%d", (int)pid);
	t->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (t->pidfd < 0 && errno != ENOSYS)
		return has_ended(t, errno, pid, err);
	t->dir = openat(t->proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->dir < 0)
		return has_ended(t, errno == ENOENT ? ESRCH : errno, pid, err);
	if (t->ref.start && start_time(t->dir) != t->ref.start)
		return err_set(err, ESRCH, "process %d has ended; its number belongs to another one now", (int)pid);
	return 0;
}

static int denied(int code, const struct worker_target *t, pid_t pid, struct err *err)
{
	if (err_denied(-code))
		return rights_refused(err, code, CAP_SYS_PTRACE, t->dir, "look into the namespaces of process %d", (int)pid);
	return err_set(err, code == ENOENT ? ESRCH : code, "process %d has ended", (int)pid);
}

static int open_namespaces(struct worker_target *t, pid_t pid, struct err *err)
{
	struct stat st;

	t->netns = openat(t->dir, "ns/net", O_RDONLY | O_CLOEXEC);
	if (t->netns < 0)
		return denied(errno, t, pid, err);
	t->root = openat(t->dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fstat(t->netns, &st) == 0)
		t->netns_inode = st.st_ino;
	if (t->ref.netns && t->ref.netns != t->netns_inode)
		return err_set(err, ESRCH, "process %d has left the network namespace", (int)pid);
	/* Still alive: so what was opened above belongs to it (E6). */
	if (t->pidfd >= 0 && syscall(SYS_pidfd_send_signal, t->pidfd, 0, NULL, 0) < 0 && errno == ESRCH)
		return err_set(err, ESRCH, "process %d has ended", (int)pid);
	return 0;
}

/* A socket tells its namespace: who made it may have left that long ago. */
static int socket_netns(const struct worker_target *t, struct err *err)
{
	AUTO(fd_closep) int fd = -1;
	const char *number = strrchr(t->ref.path, '/');
	int ns;

	fd = (int)syscall(SYS_pidfd_getfd, t->pidfd, number ? atoi(number + 1) : -1, 0);
	if (fd < 0)
		return rights_refused(err, errno, CAP_SYS_PTRACE, -1, "copy a socket of process %d (Linux 5.6)", (int)t->ref.pid);
	cage_raise_caps(1ull << CAP_NET_ADMIN);
	ns = ioctl(fd, SIOCGSKNS);
	if (ns < 0)
		return rights_refused(err, errno, CAP_NET_ADMIN, -1, "ask a socket of process %d for its namespace", (int)t->ref.pid);
	return ns;
}

/* Opened as a path first: by now another file, even a device, may have this number. */
static int held_netns(const struct worker_target *t, struct err *err)
{
	AUTO(fd_closep) int fd = open(t->ref.path, O_PATH | O_CLOEXEC);
	struct statfs fs = { 0 };
	char again[32];
	int ns;

	if (fd < 0 && err_denied(-errno))
		return rights_refused(err, errno, CAP_SYS_PTRACE, -1, "look at the descriptors of process %d", (int)t->ref.pid);
	if (fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == SOCKFS_MAGIC)
		return socket_netns(t, err);
	snprintf(again, sizeof again, "/proc/self/fd/%d", fd);
	ns = fs.f_type == NSFS_MAGIC ? open(again, O_RDONLY | O_CLOEXEC) : -1;
	return ns < 0 ? err_set(err, ESRCH, "process %d no longer holds the network namespace", (int)t->ref.pid) : ns;
}

/* The holder is not in the namespace: only its end is of interest, since then nothing of ours must keep what it held. */
static int pin_held(struct worker_target *t, struct err *err)
{
	struct stat st;
	int r;

	if (!memchr(t->ref.path, 0, sizeof t->ref.path))
		return err_set(err, ENAMETOOLONG, "the path of the namespace is too long");
	r = pin_process(t, t->ref.pid, err);
	fd_closep(&t->dir);
	if (r < 0)
		return r;
	t->netns = held_netns(t, err);
	if (t->netns < 0)
		return -err->code;
	if (ioctl(t->netns, NS_GET_NSTYPE) != CLONE_NEWNET || fstat(t->netns, &st) < 0 || st.st_ino != t->ref.netns)
		return err_set(err, ESRCH, "process %d no longer holds the network namespace", (int)t->ref.pid);
	t->netns_inode = st.st_ino;
	t->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return 0;
}

static int pin_path(struct worker_target *t, struct err *err)
{
	const char *path = t->ref.path;
	struct statfs fs;
	struct stat st;

	if (!memchr(path, 0, sizeof t->ref.path))
		return err_set(err, ENAMETOOLONG, "the path of the namespace is too long");
	t->netns = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (t->netns < 0)
		return err_set(err, errno, "open network namespace %s", path);
	if (fstatfs(t->netns, &fs) < 0 || fs.f_type != NSFS_MAGIC || ioctl(t->netns, NS_GET_NSTYPE) != CLONE_NEWNET)
		return err_set(err, EINVAL, "%s is not a network namespace", path);
	if (fstat(t->netns, &st) == 0)
		t->netns_inode = st.st_ino;
	t->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return 0;
}

/* In a container that sees the machine's processes (--pid=host) our own network is not the host's. */
static void use_first_netns(struct worker_target *t)
{
	AUTO(fd_closep) int fd = proc_dir_open_netns(t->proc, 1);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	fd_closep(&t->netns);
	t->netns = fd_take(&fd);
	t->netns_inode = st.st_ino;
}

static int pin_host(struct worker_target *t, struct err *err)
{
	struct err ignored;

	if (pin_process(t, 1, &ignored) == 0 && open_namespaces(t, 1, &ignored) == 0) {
		fd_closep(&t->pidfd); /* the host does not end */
		return 0;
	}
	fd_closep(&t->pidfd);
	fd_closep(&t->dir);
	if (pin_process(t, getpid(), err) < 0 || open_namespaces(t, getpid(), err) < 0)
		return -err->code;
	fd_closep(&t->pidfd);
	use_first_netns(t);
	return 0;
}

int worker_pin(struct worker_target *t, struct err *err)
{
	int r;

	t->proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->proc < 0)
		return err_set(err, errno, "open /proc");
	switch ((enum target_kind)t->ref.kind) {
	case TARGET_HOST:
		return pin_host(t, err);
	case TARGET_PATH:
		return t->ref.pid ? pin_held(t, err) : pin_path(t, err);
	case TARGET_PID:
		if (t->ref.pid <= 0)
			return err_set(err, EINVAL, "%d is not a process", (int)t->ref.pid);
		r = pin_process(t, t->ref.pid, err);
		return r < 0 ? r : open_namespaces(t, t->ref.pid, err);
	case TARGET_NONE:
		break;
	}
	return err_set(err, EINVAL, "no target given");
}

void worker_leave_net(struct worker *w)
{
	AUTO(fd_closep) int fd = -1;
	char path[32];

	snprintf(path, sizeof path, "%d/ns/net", (int)getppid());
	fd = openat(w->target.proc, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && setns(fd, CLONE_NEWNET) == 0)
		return;
	unshare(CLONE_NEWNET); /* or else a dead namespace lives until this worker ends */
}

/* --- entering --- */

static bool is_own_netns(const struct worker_target *t)
{
	struct stat own, other;

	return stat("/proc/self/ns/net", &own) == 0 && fstat(t->netns, &other) == 0 && own.st_ino == other.st_ino &&
		own.st_dev == other.st_dev;
}

/* An ordinary user's own rootless container: its owner user namespace comes first (engines.md 2). */
static int enter_rootless(const struct worker_target *t)
{
	AUTO(fd_closep) int owner = ioctl(t->netns, NS_GET_USERNS);

	if (owner < 0)
		return -EPERM;
	if (setns(owner, CLONE_NEWUSER) < 0 || setns(t->netns, CLONE_NEWNET) < 0)
		return -EPERM;
	return 0;
}

static int enter(const struct worker_target *t, struct err *err)
{
	if (is_own_netns(t) || setns(t->netns, CLONE_NEWNET) == 0)
		return 0;
	if (errno == EPERM && geteuid() != 0 && enter_rootless(t) == 0)
		return 0;
	return rights_refused(err, errno, CAP_SYS_ADMIN, -1, "enter the network namespace");
}

static int prepare(struct worker *w, struct err *err)
{
	const struct source *s = w->source;
	int r;

	if (s->needs_target) {
		r = worker_pin(&w->target, err);
		if (r < 0)
			return r;
	} else {
		w->target.proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (w->target.proc < 0)
			return err_set(err, errno, "open /proc");
	}
	if (s->enter & SOURCE_ENTER_NET) {
		r = enter(&w->target, err);
		if (r < 0)
			return r;
	}
	r = s->open ? s->open(w, err) : 0;
	if (r < 0)
		return r;
	fd_closep(&w->target.netns);
	fd_closep(&w->target.root);
	return cage_enter(s->cage, s->caps, false, err);
}

/* --- serving --- */

static int sample(struct worker *w, struct builder *b, uint32_t tag)
{
	int64_t from = loop_now_us();
	struct err err = { 0 };
	int r;

	builder_clear(b);
	r = w->source->sample(w, b, &err);
	if (r < 0 && worker_target_gone(w))
		return worker_send_gone(w);
	if (r < 0)
		return worker_send_error(w, tag, &err);
	builder_cost(b, (uint64_t)(loop_now_us() - from));
	return worker_send_block(w, tag, b);
}

static int answer(struct worker *w, struct builder *b, const struct msg *m)
{
	struct err err = { 0 };
	int r;

	if (m->head.type != MSG_REQUEST)
		return -EBADMSG;
	if (m->request.op == MSG_OP_SAMPLE)
		return sample(w, b, m->head.tag);
	if (!w->source->request)
		return -EBADMSG;
	r = w->source->request(w, m, &err);
	if (r < 0)
		return worker_send_error(w, m->head.tag, &err);
	return sample(w, b, m->head.tag);
}

/* Waits for requests and for the target's end; nothing of a dead namespace is held longer than that. */
static int serve_samples(struct worker *w)
{
	struct builder *b = builder_new(w->source->type);
	struct pollfd p[2] = { { .fd = w->channel, .events = POLLIN }, { .fd = w->target.pidfd, .events = POLLIN } };
	int r = sample(w, b, 0);

	while (r >= 0) {
		struct msg m;

		if (poll(p, 2, -1) < 0)
			return -errno;
		if (p[1].revents)
			return worker_send_gone(w);
		r = msg_recv(w->channel, &m, 0);
		if (r <= 0)
			return r;
		r = answer(w, b, &m);
		fd_closep(&m.fd);
	}
	return r;
}

_Noreturn void worker_main(const struct source *source, const struct msg_open *open, int channel)
{
	struct worker w = { .source = source, .channel = channel, .params = open->params, .n_params = open->n_params,
		.target = { .ref = open->target, .proc = -1, .dir = -1, .pidfd = -1, .netns = -1, .root = -1 } };
	struct err err = { 0 };
	char title[16];
	int r;

	snprintf(title, sizeof title, "nsdbg: %s", source->name);
	prctl(PR_SET_NAME, title);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 0);
	signal(SIGPIPE, SIG_IGN);
	r = prepare(&w, &err);
	if (r == 0)
		r = msg_send(channel, MSG_READY, 0, NULL, 0, -1);
	if (r == 0)
		r = source->serve ? source->serve(&w, &err) : serve_samples(&w);
	if (r < 0 && err.code)
		worker_send_error(&w, 0, &err);
	_exit(r < 0 && r != -EPIPE);
}
