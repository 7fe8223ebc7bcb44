/*
 * The mover: see mover.h. One thread, one curl_multi, connections kept alive. A request that fails is answered with a sentence that
 * names the engine's address and the remedy; nothing that the engine sends is looked at beyond the HTTP headers.
 */
#include "core/engine/mover.h"

#include "core/cage.h"
#include "core/engine/mover_grpc.h"
#include "core/engine/finder.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/lazy.h"
#include "core/rights.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum { SLOTS = MOVER_PARALLEL + 1, EVENTS_SLOT = MOVER_PARALLEL, FOREVER_MS = 3600 * 1000, NOBODY = 65534 };

/* One connection's worth of work. */
struct slot {
	struct mover *mover;
	CURL *easy;
	bool is_busy;
	bool is_cut; /* aborted by us: done.code and done.msg say why */
	uint32_t kind, tag;
	size_t header_bytes, body_bytes;
	size_t n; /* bytes in buf, not yet sent */
	struct mover_done done;
	struct curl_slist *headers; /* gRPC */
	unsigned char post[MOVER_GRPC_POST]; /* gRPC */
	unsigned char buf[MOVER_CHUNK];
};

struct mover {
	const struct mover_target *target;
	int sock; /* to the reader */
	bool reader_left;
	CURLM *multi;
	char resolved[512]; /* CURLOPT_RESOLVE entry, "" when there was nothing to look up */
	char unresolved[192]; /* why the name could not be looked up: the answer to every request */
	struct slot slots[SLOTS];
	struct mover_request queue[MOVER_QUEUE];
	unsigned n_queue;
};

/* --- to the reader --- */

static void send_frame(struct mover *m, uint32_t type, uint32_t tag, const struct mover_done *done, const void *body, size_t n)
{
	struct mover_head head = { .type = type, .tag = tag, .len = (uint32_t)(n + (done ? sizeof *done : 0)) };
	struct iovec parts[3] = { { .iov_base = &head, .iov_len = sizeof head } };
	int n_parts = 1;
	ssize_t r;

	if (done)
		parts[n_parts++] = (struct iovec){ .iov_base = (void *)(uintptr_t)done, .iov_len = sizeof *done };
	if (n)
		parts[n_parts++] = (struct iovec){ .iov_base = (void *)(uintptr_t)body, .iov_len = n };
	do
		r = writev(m->sock, parts, n_parts);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		m->reader_left = true;
}

static void flush_body(struct slot *s)
{
	if (s->n)
		send_frame(s->mover, MOVER_BODY, s->tag, NULL, s->buf, s->n);
	s->n = 0;
}

static void send_done(struct slot *s)
{
	send_frame(s->mover, MOVER_DONE, s->tag, &s->done, s->buf, s->n);
	s->n = 0;
}

static bool is_stream(uint32_t kind)
{
	return kind == MOVER_EVENTS || mover_grpc_is_stream(kind);
}

/* Answers that hold all containers. */
static bool is_list(uint32_t kind)
{
	return kind == MOVER_LIST || kind == MOVER_POD_LIST || kind == MOVER_CTR_CONTAINERS || kind == MOVER_CRI_CONTAINERS;
}

/* --- from the engine --- */

static void cut(struct slot *s, int code, const char *what)
{
	s->is_cut = true;
	s->done.code = code;
	snprintf(s->done.msg, sizeof s->done.msg, "%.100s: %s", s->mover->target->endpoint, what);
}

static void copy_header(char *dst, size_t cap, const char *p, size_t n)
{
	while (n > 0 && (*p == ' ' || *p == '\t'))
		p++, n--;
	while (n > 0 && (unsigned char)p[n - 1] <= ' ')
		n--;
	snprintf(dst, cap, "%.*s", (int)(n < cap ? n : cap), p);
}

static size_t take_header(char *p, size_t size, size_t n, void *arg)
{
	struct slot *s = arg;
	char date[64];

	n *= size;
	s->header_bytes += n;
	if (s->header_bytes > MOVER_MAX_HEADER) {
		cut(s, EMSGSIZE, "more than 64 KiB of HTTP headers: given up");
		return 0;
	}
	if (mover_grpc_is(s->kind))
		mover_grpc_header(p, n, &s->done);
	else if (n > 12 && strncasecmp(p, "Api-Version:", 12) == 0)
		copy_header(s->done.api, sizeof s->done.api, p + 12, n - 12);
	else if (n > 7 && strncasecmp(p, "Server:", 7) == 0)
		copy_header(s->done.server, sizeof s->done.server, p + 7, n - 7);
	else if (n > 5 && strncasecmp(p, "Date:", 5) == 0) {
		copy_header(date, sizeof date, p + 5, n - 5);
		s->done.date = curl_getdate(date, NULL);
	}
	return n;
}

static size_t take_body(char *p, size_t size, size_t n, void *arg)
{
	struct slot *s = arg;
	size_t left = n *= size;
	size_t max = is_list(s->kind) ? MOVER_MAX_LIST : MOVER_MAX_BODY;

	s->body_bytes += n;
	if (!is_stream(s->kind) && s->body_bytes > max) {
		cut(s, EMSGSIZE, max == MOVER_MAX_LIST ? "a list of more than 32 MiB: given up" : "an answer of more than 8 MiB: given up");
		return 0;
	}
	while (left > 0) {
		size_t part = sizeof s->buf - s->n < left ? sizeof s->buf - s->n : left;

		memcpy(s->buf + s->n, p, part);
		s->n += part;
		p += part;
		left -= part;
		if (s->n == sizeof s->buf)
			flush_body(s);
	}
	if (is_stream(s->kind))
		flush_body(s);
	return s->mover->reader_left ? 0 : n;
}

/* --- why it failed --- */

const char *mover_daemon(const struct mover_target *t)
{
	if (t->daemon[0])
		return t->daemon;
	return strstr(t->path, "podman") ? "podman" : strstr(t->path, "containerd") ? "containerd" : strstr(t->path, "crio") ? "crio" : "dockerd";
}

static void no_connection(struct slot *s, int code)
{
	const struct mover_target *t = s->mover->target;
	const char *at = t->path[0] ? t->path : t->endpoint;
	const char *why = "cannot be reached";
	char fallback[80];

	s->done.code = code ? code : ECONNREFUSED;
	if (t->path[0] && code == ENOENT) {
		snprintf(s->done.msg, sizeof s->done.msg, "no %s at %.108s: is it running?", mover_daemon(t), at);
		return;
	}
	if (code == EACCES || code == EPERM) {
		snprintf(s->done.msg, sizeof s->done.msg, rights_of_root() ? "permission denied on %.108s, even to root: a user namespace or a security module" :
			"permission denied on %.108s: run with sudo or join its group", at);
		return;
	}
	if (code == ECONNREFUSED)
		snprintf(fallback, sizeof fallback, "nobody listens there: is %s running?", mover_daemon(t));
	else if (code == EAGAIN)
		snprintf(fallback, sizeof fallback, "takes no more connections: %s hangs or is overloaded", mover_daemon(t));
	else if (code)
		snprintf(fallback, sizeof fallback, "cannot be reached: %s", strerror(code));
	why = code ? fallback : why;
	snprintf(s->done.msg, sizeof s->done.msg, "%.108s: %s", at, why);
}

/* libcurl names the errno of a failed connect; when it does not, one more try does. */
static int connect_errno(const struct slot *s)
{
	AUTO(fd_closep) int fd = -1;
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	long code = 0;

	curl_easy_getinfo(s->easy, CURLINFO_OS_ERRNO, &code);
	if (code || !s->mover->target->path[0])
		return (int)code;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	memcpy(to.sun_path, s->mover->target->path, sizeof to.sun_path);
	return fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0 ? 0 : errno;
}

static const struct {
	CURLcode result;
	int code;
	const char *why;
} failures[] = {
	{ CURLE_GOT_NOTHING, ECONNRESET, "closed the connection without an answer" },
	{ CURLE_RECV_ERROR, ECONNRESET, "broke the connection" },
	{ CURLE_SEND_ERROR, ECONNRESET, "broke the connection" },
	{ CURLE_PARTIAL_FILE, ECONNRESET, "closed the connection in the middle of an answer" },
	{ CURLE_UNSUPPORTED_PROTOCOL, EPROTO, "does not speak HTTP: is this an engine's address?" },
	{ CURLE_WEIRD_SERVER_REPLY, EPROTO, "does not speak HTTP: is this an engine's address?" },
};

static void explain(struct slot *s, CURLcode result)
{
	char why[64];

	if (s->is_cut)
		return;
	if (result == CURLE_COULDNT_CONNECT) {
		no_connection(s, connect_errno(s));
		return;
	}
	if (result == CURLE_OPERATION_TIMEDOUT) {
		snprintf(why, sizeof why, "no answer within 2 s: is %s hanging?", mover_daemon(s->mover->target));
		cut(s, ETIMEDOUT, why);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
		if (failures[i].result == result) {
			cut(s, failures[i].code, failures[i].why);
			return;
		}
	}
	cut(s, EPROTO, curl_easy_strerror(result));
}

/* --- requests --- */

static bool is_hex_id(const char id[MOVER_ID + 1])
{
	size_t n = strnlen(id, MOVER_ID + 1);

	return n >= 12 && n <= MOVER_ID && strspn(id, "0123456789abcdef") == n;
}

bool mover_is_name(const char *text)
{
	size_t n = strnlen(text, MOVER_ID + 1);

	return n > 0 && n <= MOVER_ID && text[0] != '.' && text[0] != '-' &&
		strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.-") == n;
}

/* What concerns the rows: no exec_*, of which every health check makes three. Podman spells some otherwise: it gets all actions. */
static const char docker_filters[] = "{\"type\":[\"container\",\"network\"],\"event\":[\"create\",\"start\",\"die\",\"oom\",\"pause\","
	"\"unpause\",\"restart\",\"rename\",\"update\",\"destroy\",\"remove\",\"health_status\",\"connect\",\"disconnect\"]}";
static const char podman_filters[] = "{\"type\":[\"container\",\"network\"]}";

static int events_path(CURL *easy, const struct mover_request *r, char *buf, size_t cap)
{
	char *filters = curl_easy_escape(easy, r->is_podman ? podman_filters : docker_filters, 0);
	int n = filters ? snprintf(buf, cap, "/events?since=%lld&filters=%s", (long long)r->since, filters) : -1;

	curl_free(filters);
	return n;
}

/* The part after the version; negative: not a request of ours. */
static int request_path(CURL *easy, const struct mover_request *r, char *buf, size_t cap)
{
	switch ((enum mover_kind)r->kind) {
	case MOVER_PING:
		return snprintf(buf, cap, "/_ping");
	case MOVER_LIST:
		return snprintf(buf, cap, "/containers/json?all=1");
	case MOVER_NETWORKS:
		return snprintf(buf, cap, "/networks");
	case MOVER_INSPECT:
		return is_hex_id(r->id) ? snprintf(buf, cap, "/containers/%s/json", r->id) : -1;
	case MOVER_FIND:
		return mover_is_name(r->id) ? snprintf(buf, cap, "/containers/%s/json", r->id) : -1;
	case MOVER_NETWORK:
		return is_hex_id(r->id) ? snprintf(buf, cap, "/networks/%s", r->id) : -1;
	case MOVER_POD_LIST:
		return snprintf(buf, cap, "/containers/json?all=true");
	case MOVER_POD_NETWORKS:
		return snprintf(buf, cap, "/networks/json");
	case MOVER_EVENTS:
		return events_path(easy, r, buf, cap);
	case MOVER_CTR_VERSION:
	case MOVER_CTR_SPACES:
	case MOVER_CTR_CONTAINERS:
	case MOVER_CTR_TASKS:
	case MOVER_CTR_EVENTS:
	case MOVER_CRI_VERSION:
	case MOVER_CRI_PODS:
	case MOVER_CRI_POD:
	case MOVER_CRI_CONTAINERS:
	case MOVER_CRI_CONTAINER:
	case MOVER_CRI_EVENTS:
		return mover_grpc_path(r, buf, cap);
	case MOVER_RESET:
	case MOVER_KIND_N:
		break;
	}
	return -1;
}

static CURL *easy_new(struct slot *s)
{
	const struct mover_target *t = s->mover->target;
	CURL *e = curl_easy_init();
	const char *resolved = s->mover->resolved;
	struct curl_slist *names = resolved[0] ? curl_slist_append(NULL, resolved) : NULL;

	if (!e)
		return NULL;
	if (t->path[0])
		curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, t->path);
	curl_easy_setopt(e, CURLOPT_RESOLVE, names); /* lives as long as the process */
	curl_easy_setopt(e, CURLOPT_PRIVATE, s);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, s);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(e, CURLOPT_BUFFERSIZE, (long)MOVER_CHUNK);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)MOVER_TIMEOUT_MS);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROXY, ""); /* http_proxy and the like must not count */
	curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http");
#else
	curl_easy_setopt(e, CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTP);
#endif
	return e;
}

/* Answers a request that could not even be started. */
static void refuse(struct mover *m, const struct mover_request *r, int code, const char *why)
{
	struct mover_done done = { .code = code, .date = -1 };

	snprintf(done.msg, sizeof done.msg, "%s", why);
	send_frame(m, MOVER_DONE, r->tag, &done, NULL, 0);
}

static void start(struct mover *m, struct slot *s, const struct mover_request *r)
{
	char url[1200], path[800], version[16] = "";
	int n;

	if (m->unresolved[0]) {
		refuse(m, r, EHOSTUNREACH, m->unresolved);
		return;
	}
	if (!s->easy)
		s->easy = easy_new(s);
	n = s->easy ? request_path(s->easy, r, path, sizeof path) : -1;
	if (n < 0 || n >= (int)sizeof path || r->minor > 999) {
		refuse(m, r, EINVAL, "not a request that is ever sent");
		return;
	}
	if (r->kind == MOVER_POD_LIST || r->kind == MOVER_POD_NETWORKS)
		snprintf(version, sizeof version, "/v4.0.0/libpod"); /* unversioned is 404; later servers take it, too */
	else if (r->minor)
		snprintf(version, sizeof version, "/v1.%u", r->minor);
	snprintf(url, sizeof url, "%s%s%s", m->target->origin, version, path);
	curl_easy_setopt(s->easy, CURLOPT_URL, url);
	curl_easy_setopt(s->easy, CURLOPT_TIMEOUT_MS, is_stream(r->kind) ? 0L : (long)MOVER_TIMEOUT_MS);
	if (mover_grpc_is(r->kind))
		mover_grpc_prepare(s->easy, r, &s->headers, s->post);
	s->is_busy = true;
	s->is_cut = false;
	s->kind = r->kind;
	s->tag = r->tag;
	s->header_bytes = s->body_bytes = s->n = 0;
	s->done = (struct mover_done){ .date = -1, .grpc = -1 };
	curl_multi_add_handle(m->multi, s->easy);
}

static struct slot *free_slot(struct mover *m)
{
	for (unsigned i = 0; i < MOVER_PARALLEL; i++)
		if (!m->slots[i].is_busy)
			return &m->slots[i];
	return NULL;
}

/* Moves requests from the queue to connections; true when one began. */
static bool start_waiting(struct mover *m)
{
	unsigned used = 0;

	while (used < m->n_queue) {
		struct slot *s = free_slot(m);

		if (!s)
			break;
		start(m, s, &m->queue[used++]);
	}
	m->n_queue -= used;
	memmove(m->queue, m->queue + used, m->n_queue * sizeof m->queue[0]);
	return used > 0;
}

static void reset(struct mover *m)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		if (m->slots[i].is_busy)
			curl_multi_remove_handle(m->multi, m->slots[i].easy);
		m->slots[i].is_busy = false;
	}
	m->n_queue = 0;
}

static void take_request(struct mover *m, const struct mover_request *r)
{
	struct slot *events = &m->slots[EVENTS_SLOT];

	if (r->kind == MOVER_RESET)
		reset(m);
	else if (is_stream(r->kind) && !events->is_busy)
		start(m, events, r);
	else if (is_stream(r->kind) || m->n_queue == MOVER_QUEUE)
		refuse(m, r, EBUSY, "too many requests at once");
	else
		m->queue[m->n_queue++] = *r;
}

static void read_requests(struct mover *m)
{
	struct mover_request r;

	for (;;) {
		ssize_t n = recv(m->sock, &r, sizeof r, MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n != sizeof r) {
			m->reader_left = true;
			return;
		}
		r.id[MOVER_ID] = r.space[MOVER_ID] = 0;
		take_request(m, &r);
	}
}

/* --- the process --- */

static void finish(struct mover *m)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(m->multi, &left))) {
		CURLcode result = msg->data.result;
		CURL *easy = msg->easy_handle;
		curl_off_t first_byte = 0;
		struct slot *s = NULL;
		long status = 0;

		curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&s);
		curl_easy_getinfo(easy, CURLINFO_STARTTRANSFER_TIME_T, &first_byte);
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
		s->done.latency_us = (uint64_t)first_byte;
		s->done.status = (int32_t)status;
		if (result != CURLE_OK)
			explain(s, result);
		curl_multi_remove_handle(m->multi, easy);
		s->is_busy = false;
		send_done(s);
	}
}

static void run(struct mover *m)
{
	struct curl_waitfd wait = { .fd = m->sock, .events = CURL_WAIT_POLLIN };
	int running;

	while (!m->reader_left) {
		do {
			curl_multi_perform(m->multi, &running);
			finish(m);
		} while (start_waiting(m));
		wait.revents = 0;
		curl_multi_poll(m->multi, &wait, 1, FOREVER_MS, NULL);
		if (wait.revents)
			read_requests(m);
		start_waiting(m);
	}
}

/* A socket of an ordinary user (rootless engine) lies in a directory that root without capabilities cannot enter. */
static int become_owner(const struct mover_target *t, unsigned *ret_owner)
{
	struct stat st;

	*ret_owner = 0;
	if (!t->path[0] || geteuid() != 0 || stat(t->path, &st) < 0 || st.st_uid == 0)
		return 0;
	*ret_owner = st.st_uid;
	if (setgroups(0, NULL) < 0 || setresgid(st.st_gid, st.st_gid, st.st_gid) < 0 ||
		setresuid(st.st_uid, st.st_uid, st.st_uid) < 0)
		return -errno;
	return 0;
}

static void add_address(char *list, size_t cap, const struct addrinfo *a)
{
	char text[INET6_ADDRSTRLEN + 2] = "";
	size_t n = strlen(list);

	if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) != 0)
		return;
	if (n + strlen(text) + 2 < cap)
		snprintf(list + n, cap - n, "%s%s", list[n - 1] == ':' ? "" : ",", text);
}

/* Looks the engine's name up: as nobody and without capabilities, since this reads answers from the network, and before the cage,
 * since the resolver opens files. */
static int look_up(struct mover *m, struct err *err)
{
	const struct mover_target *t = m->target;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	int r = t->path[0] ? 0 : cage_drop_user(NOBODY, NOBODY, err);

	if (r < 0 || !t->host[0])
		return r;
	r = getaddrinfo(t->host, t->port, &hints, &list);
	if (r != 0) {
		snprintf(m->unresolved, sizeof m->unresolved, "look up %.100s: %s", t->host, gai_strerror(r));
		return 0;
	}
	snprintf(m->resolved, sizeof m->resolved, "%s:%s:", t->host, t->port);
	for (const struct addrinfo *a = list; a; a = a->ai_next)
		add_address(m->resolved, sizeof m->resolved, a);
	freeaddrinfo(list);
	return 0;
}

/*
 * Waits for the first request that libcurl is needed for: it is loaded then. Those before it (a container by its name; is the engine
 * there; the list) have a process of their own each, which does without: the list is there before libcurl is. False: the reader left.
 */
static bool wait_first(const struct mover *m)
{
	struct mover_request r;
	pid_t pid;

	signal(SIGCHLD, SIG_IGN); /* they are not waited for, and leave nothing behind */
	while (recv(m->sock, &r, sizeof r, MSG_PEEK) == sizeof r) {
		r.id[MOVER_ID] = 0;
		if (!finder_takes(m->target, &r))
			return true;
		pid = fork();
		if (pid == 0)
			finder_main(m->target, &r, m->sock);
		if (pid < 0)
			return true; /* then libcurl takes it */
		recv(m->sock, &r, sizeof r, 0);
	}
	return false;
}

static int load(struct mover *m, struct err *err)
{
	int r = lazy_curl_load(err);

	if (r < 0)
		return r;
	curl_global_init(CURL_GLOBAL_NOTHING); /* no TLS here */
	m->multi = curl_multi_init();
	curl_multi_setopt(m->multi, CURLMOPT_MAXCONNECTS, (long)SLOTS);
	return 0;
}

static _Noreturn void mover_main(const struct mover_target *target, int sock)
{
	struct mover *m = fd_xcalloc(1, sizeof *m);
	struct mover_request nobody = { 0 };
	struct err err = { 0 };
	unsigned owner;
	int r;

	if (sock != 3)
		dup2(sock, 3);
	close_range(4, ~0u, 0); /* above all the reader's channel: its end must be seen when the reader dies */
	prctl(PR_SET_NAME, "nsdbg: api");
	m->target = target;
	m->sock = 3;
	for (unsigned i = 0; i < SLOTS; i++)
		m->slots[i].mover = m;
	r = become_owner(target, &owner);
	if (r == 0)
		r = look_up(m, &err);
	if (r == 0)
		r = cage_keep_caps(0, &err); /* what is left to do needs the user at most */
	if (r == 0 && !wait_first(m))
		_exit(0);
	if (r == 0)
		r = load(m, &err);
	if (r == 0)
		r = cage_enter(CAGE_ENGINE, 0, true, &err);
	if (r < 0)
		refuse(m, &nobody, -r, err.code ? err.msg : "become the owner of the engine's socket");
	else
		run(m);
	_exit(r < 0);
}

int mover_start(const struct mover_target *target, int *ret_fd, unsigned *ret_owner, struct err *err)
{
	AUTO(fd_closep) int ours = -1, theirs = -1;
	struct stat st;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, errno, "make a channel to the engine process");
	ours = pair[0];
	theirs = pair[1];
	pid = fork();
	if (pid == 0)
		mover_main(target, theirs);
	if (pid < 0)
		return err_set(err, errno, "start the engine process");
	if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
		return err_set(err, errno, "make a channel to the engine process");
	*ret_owner = target->path[0] && stat(target->path, &st) == 0 ? st.st_uid : 0;
	*ret_fd = fd_take(&ours);
	return 0;
}

/* --- addresses --- */

static int parse_unix(const char *path, struct mover_target *t, struct err *err)
{
	if (path[0] != '/')
		return err_set(err, EINVAL, "%.120s: a socket needs its whole path, such as unix:///var/run/docker.sock", t->endpoint);
	if (strlen(path) >= sizeof t->path)
		return err_set(err, EINVAL, "%.80s...: a socket's path has at most %zu bytes", path, sizeof t->path - 1);
	snprintf(t->path, sizeof t->path, "%s", path);
	snprintf(t->origin, sizeof t->origin, "http://docker");
	return 0;
}

/* Splits HOST, HOST:PORT, [V6], [V6]:PORT. Without a port: 2375, Docker's for plain TCP. */
static int split_host(const char *text, char host[256], char port[6])
{
	size_t n = strcspn(text, "/"), skip;
	const char *colon;

	snprintf(port, 6, "2375");
	if (text[n] == '/' && text[n + 1])
		return -EINVAL; /* a path behind it: not an engine's address */
	if (text[0] == '[') {
		skip = strcspn(text, "]");
		if (skip >= n || skip < 3)
			return -EINVAL;
		colon = skip + 1 < n ? text + skip + 1 : NULL;
		snprintf(host, 256, "%.*s", (int)(skip - 1), text + 1);
	} else {
		colon = memchr(text, ':', n);
		skip = colon ? (size_t)(colon - text) : n;
		snprintf(host, 256, "%.*s", (int)skip, text);
	}
	if (colon) {
		size_t digits = strspn(colon + 1, "0123456789");

		if (*colon != ':' || digits == 0 || digits > 5 || colon + 1 + digits != text + n || atoi(colon + 1) > 65535)
			return -EINVAL;
		snprintf(port, 6, "%.*s", (int)digits, colon + 1);
	}
	return host[0] && strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:") == strlen(host) ?
		0 : -EINVAL;
}

static int parse_tcp(const char *text, struct mover_target *t, struct err *err)
{
	unsigned char literal[16];

	if (split_host(text, t->host, t->port) < 0)
		return err_set(err, EINVAL, "%.120s is not an address such as tcp://127.0.0.1:2375", t->endpoint);
	snprintf(t->origin, sizeof t->origin, strchr(t->host, ':') ? "http://[%s]:%s" : "http://%s:%s", t->host, t->port);
	if (inet_pton(AF_INET, t->host, literal) == 1 || inet_pton(AF_INET6, t->host, literal) == 1)
		t->host[0] = 0;
	return 0;
}

int mover_target_parse(const char *endpoint, struct mover_target *ret, struct err *err)
{
	struct mover_target t = { 0 };
	int r;

	snprintf(t.endpoint, sizeof t.endpoint, "%s", endpoint);
	if (strncmp(endpoint, "unix://", 7) == 0)
		r = parse_unix(endpoint + 7, &t, err);
	else if (strncmp(endpoint, "tcp://", 6) == 0)
		r = parse_tcp(endpoint + 6, &t, err);
	else if (strncmp(endpoint, "http://", 7) == 0)
		r = parse_tcp(endpoint + 7, &t, err);
	else
		r = err_set(err, EINVAL, "%.120s: engines are reached by unix:// or tcp://", endpoint);
	if (r == 0)
		*ret = t;
	return r;
}
