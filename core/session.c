/* The front's side of broker and workers: see session.h. */
#include "core/session.h"

#include "core/broker.h"
#include "core/cage.h"
#include "core/err.h"
#include "core/fd.h"

#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534, MAX_EXITS = 64, MAX_TYPES = 8, EXIT_WAIT_MS = 100 };

struct session {
	const struct source *const *sources;
	unsigned n_sources;
	int broker;
	bool broker_left;
	bool is_privileged;
	unsigned uid, gid; /* of who called */
	uint32_t next_tag;
	struct { /* workers that ended, newest last, until their link asks */
		uint32_t tag;
		int status;
	} exits[MAX_EXITS];
	unsigned n_exits;
	uint32_t awaited; /* tag of what the broker was asked last: an answer that comes after its time limit is nobody's */
	int created; /* answer to MSG_CREATE, -1 none yet */
	bool has_created;
	struct err create_err;
};

struct link {
	struct session *session;
	const struct source *source;
	const struct row_type *types[MAX_TYPES];
	unsigned n_types;
	uint32_t tag;
	int fd;
	bool is_closed;
};

/* --- session --- */

/* SUDO_UID counts only for root, and only as plain digits. */
static unsigned sudo_id(const char *variable, unsigned fallback)
{
	const char *text = getenv(variable);
	unsigned long v;
	char *end;

	if (geteuid() != 0 || !text || text[0] < '0' || text[0] > '9')
		return fallback;
	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || *end || v >= UINT32_MAX)
		return fallback;
	return (unsigned)v;
}

static int start_broker(struct session *s, unsigned uid, unsigned gid, struct err *err)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, errno, "make a channel to the broker");
	pid = fork();
	if (pid == 0) {
		struct broker_setup setup = { .sources = s->sources, .n_sources = s->n_sources, .app = pair[1],
			.real_uid = uid, .real_gid = gid };

		close(pair[0]);
		broker_main(&setup);
	}
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return err_set(err, errno, "start the broker");
	}
	s->broker = pair[0];
	return 0;
}

int session_start(const struct source *const *sources, unsigned n, struct session **ret, struct err *err)
{
	const uint64_t need = 1ull << CAP_SYS_ADMIN | 1ull << CAP_SYS_PTRACE;
	unsigned uid = sudo_id("SUDO_UID", getuid()), gid = sudo_id("SUDO_GID", getgid());
	struct session *s = fd_xcalloc(1, sizeof *s);
	int r;

	s->sources = sources;
	s->n_sources = n;
	s->next_tag = 1;
	s->uid = uid;
	s->gid = gid;
	s->created = -1;
	s->is_privileged = (cage_caps() & need) == need;
	r = start_broker(s, uid, gid, err);
	if (r == 0)
		r = cage_drop_user(uid ? uid : NOBODY, uid ? gid : NOBODY, err);
	if (r < 0) {
		session_stop(s);
		return r;
	}
	*ret = s;
	return 0;
}

void session_stop(struct session *s)
{
	if (!s)
		return;
	if (s->broker > 0)
		close(s->broker);
	fd_closep(&s->created);
	free(s);
}

int session_fd(const struct session *s)
{
	return s->broker;
}

static void remember_exit(struct session *s, uint32_t tag, int status)
{
	if (s->n_exits == MAX_EXITS) {
		memmove(s->exits, s->exits + 1, (MAX_EXITS - 1) * sizeof s->exits[0]);
		s->n_exits--;
	}
	s->exits[s->n_exits].tag = tag;
	s->exits[s->n_exits++].status = status;
}

static void take_created(struct session *s, struct msg *m)
{
	fd_closep(&s->created);
	s->created = fd_take(&m->fd);
	s->has_created = true;
	s->create_err = (struct err){ .code = m->status.code };
	memcpy(s->create_err.msg, m->status.msg, sizeof s->create_err.msg);
	s->create_err.msg[sizeof s->create_err.msg - 1] = 0;
}

bool session_read(struct session *s)
{
	struct msg m;
	int r;

	while (!s->broker_left && (r = msg_recv(s->broker, &m, MSG_DONTWAIT)) != -EAGAIN) {
		if (r <= 0)
			s->broker_left = true;
		else if (m.head.type == MSG_EXITED)
			remember_exit(s, m.head.tag, m.exited.status);
		else if (m.head.type == MSG_CREATED && m.head.tag == s->awaited)
			take_created(s, &m);
		fd_closep(&m.fd);
	}
	return !s->broker_left;
}

bool session_is_privileged(const struct session *s)
{
	return s->is_privileged;
}

void session_user(const struct session *s, unsigned *ret_uid, unsigned *ret_gid)
{
	*ret_uid = s->uid;
	*ret_gid = s->gid;
}

static int find_source(const struct session *s, const struct source *source)
{
	for (unsigned i = 0; i < s->n_sources; i++)
		if (s->sources[i] == source)
			return (int)i;
	return -1;
}

static const char broker_gone[] = "nsdbg's privileged process has ended; start nsdbg again";

int session_send(struct session *s, uint32_t type, const void *body, size_t n, int fd, uint32_t *ret_tag, struct err *err)
{
	if (msg_send(s->broker, type, s->next_tag, body, n, fd) < 0)
		return err_set(err, EPIPE, "%s", broker_gone);
	*ret_tag = s->next_tag++;
	return 0;
}

struct link *session_open(struct session *s, const struct source *source, const struct target_ref *target, const void *params,
	size_t n_params, struct err *err)
{
	int pair[2], index = find_source(s, source), r;
	struct msg_open open = { .source = (uint32_t)index, .n_params = (uint32_t)n_params };
	struct link *l;

	if (index < 0 || n_params > sizeof open.params) {
		err_set(err, EINVAL, "source %s cannot be opened", source->name);
		return NULL;
	}
	if (target)
		open.target = *target;
	if (n_params)
		memcpy(open.params, params, n_params);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		err_set(err, errno, "make a channel to a worker");
		return NULL;
	}
	r = msg_send(s->broker, MSG_OPEN, s->next_tag, &open, sizeof open, pair[1]);
	close(pair[1]);
	if (r < 0) {
		close(pair[0]);
		err_set(err, EPIPE, "%s", broker_gone);
		return NULL;
	}
	l = fd_xcalloc(1, sizeof *l);
	*l = (struct link){ .session = s, .source = source, .types = { source->type }, .n_types = source->type ? 1 : 0,
		.tag = s->next_tag++, .fd = pair[0] };
	return l;
}

/* Sends, and waits for the broker's MSG_CREATED. 0 or -errno; a descriptor that came along is in s->created. */
static int ask_broker(struct session *s, uint32_t type, const void *body, size_t len, const char *what, struct err *err)
{
	struct pollfd p = { .fd = s->broker, .events = POLLIN };

	s->has_created = false;
	s->awaited = s->next_tag++;
	if (msg_send(s->broker, type, s->awaited, body, len, -1) < 0)
		return err_set(err, EPIPE, "%s", broker_gone);
	while (!s->has_created) {
		if (poll(&p, 1, 5000) == 0)
			return err_set(err, ETIMEDOUT, "create %s: the file system does not answer", what);
		if (!session_read(s))
			return err_set(err, EPIPE, "%s", broker_gone);
	}
	if (s->create_err.code && err)
		*err = s->create_err;
	return -s->create_err.code;
}

int session_create(struct session *s, const char *path, bool force, struct err *err)
{
	struct msg_create c = { .force = force };
	int r;

	if (strlen(path) >= sizeof c.path)
		return err_set(err, ENAMETOOLONG, "the file name is longer than %zu bytes", sizeof c.path - 1);
	memcpy(c.path, path, strlen(path) + 1);
	r = ask_broker(s, MSG_CREATE, &c, sizeof c, path, err);
	return r < 0 ? r : fd_take(&s->created);
}

int session_name(struct session *s, const struct msg_name *name, struct err *err)
{
	return ask_broker(s, MSG_NAME, name, sizeof *name, name->name, err);
}

/* --- link --- */

void link_expect(struct link *l, const struct row_type *const *types, unsigned n)
{
	for (unsigned i = 0; i < n && l->n_types < MAX_TYPES; i++)
		l->types[l->n_types++] = types[i];
}

int link_fd(const struct link *l)
{
	return l->fd;
}

static const struct row_type *find_type(const struct link *l, uint32_t id)
{
	for (unsigned i = 0; i < l->n_types; i++)
		if (l->types[i]->id == id)
			return l->types[i];
	return NULL;
}

static bool take_exit(struct link *l, int *ret_status)
{
	struct session *s = l->session;

	for (unsigned i = 0; i < s->n_exits; i++) {
		if (s->exits[i].tag != l->tag)
			continue;
		*ret_status = s->exits[i].status;
		s->n_exits--;
		memmove(s->exits + i, s->exits + i + 1, (s->n_exits - i) * sizeof s->exits[0]);
		return true;
	}
	return false;
}

/* The channel closed: how did the worker end? The broker says so within a moment. */
static void closed(struct link *l, struct link_event *ret)
{
	struct pollfd p = { .fd = l->session->broker, .events = POLLIN };
	int status = 0;

	ret->type = LINK_CLOSED;
	l->is_closed = true;
	session_read(l->session);
	if (!take_exit(l, &status) && !l->session->broker_left && poll(&p, 1, EXIT_WAIT_MS) > 0) {
		session_read(l->session);
		take_exit(l, &status);
	}
	if (l->session->broker_left)
		snprintf(ret->msg, sizeof ret->msg, "%s", broker_gone);
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		snprintf(ret->msg, sizeof ret->msg, "ended: it made a system call that its cage forbids");
	else if (WIFSIGNALED(status))
		snprintf(ret->msg, sizeof ret->msg, "killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
}

static void refuse(struct link_event *ret, int code, const char *msg)
{
	ret->type = LINK_ERROR;
	ret->code = code;
	snprintf(ret->msg, sizeof ret->msg, "%s", msg);
}

static void take_block(struct link *l, struct msg *m, struct link_event *ret)
{
	const struct row_type *type = find_type(l, m->block.row_type);
	struct err err = { 0 };

	if (!type || m->fd < 0) {
		refuse(ret, EBADMSG, "the worker sent rows of an unexpected kind");
		return;
	}
	if (block_map(fd_take(&m->fd), type, &ret->block, &err) < 0) {
		refuse(ret, err.code, err.msg);
		return;
	}
	ret->type = LINK_BLOCK;
	ret->row_type = type;
}

void link_read(struct link *l, struct link_event *ret)
{
	struct msg m;
	int r;

	*ret = (struct link_event){ .type = LINK_NOTHING };
	if (l->is_closed) {
		ret->type = LINK_CLOSED;
		return;
	}
	r = msg_recv(l->fd, &m, MSG_DONTWAIT);
	if (r == -EAGAIN)
		return;
	if (r <= 0) {
		closed(l, ret);
		return;
	}
	ret->tag = m.head.tag;
	if (m.head.type == MSG_READY) {
		ret->type = LINK_READY;
	} else if (m.head.type == MSG_GONE) {
		ret->type = LINK_GONE;
	} else if (m.head.type == MSG_BLOCK) {
		take_block(l, &m, ret);
	} else if (m.head.type == MSG_ERROR) {
		m.status.msg[sizeof m.status.msg - 1] = 0;
		refuse(ret, m.status.code, m.status.msg);
	}
	fd_closep(&m.fd);
}

void link_wait(struct link *l, int timeout_ms, struct link_event *ret)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };

	*ret = (struct link_event){ .type = LINK_NOTHING };
	if (l->is_closed || poll(&p, 1, timeout_ms) > 0)
		link_read(l, ret);
}

int link_request(struct link *l, uint32_t tag, uint32_t op, const void *params, size_t n, int fd)
{
	struct msg_request q = { .op = op, .n_params = (uint32_t)n };

	if (n > sizeof q.params)
		return -EMSGSIZE;
	if (l->is_closed)
		return -EPIPE;
	if (n)
		memcpy(q.params, params, n);
	return msg_send(l->fd, MSG_REQUEST, tag, &q, sizeof q, fd);
}

int link_sample(struct link *l, uint32_t tag)
{
	return link_request(l, tag, MSG_OP_SAMPLE, NULL, 0, -1);
}

void link_free(struct link *l)
{
	if (!l)
		return;
	close(l->fd);
	free(l);
}
