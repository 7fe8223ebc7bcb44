/* The short way to one container: see finder.h. The process has nothing but a connected socket when it reads the first byte. */
#include "core/engine/finder.h"

#include "core/cage.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* --- the answer --- */

static bool is_name(const char *line, size_t n, const char *name)
{
	size_t k = strlen(name);

	return n > k && line[k] == ':' && strncasecmp(line, name, k) == 0;
}

/* The value of a header line, without blanks around it. */
static size_t value_of(const char *line, size_t n, const char *name, const char **ret)
{
	const char *p = line + strlen(name) + 1;

	n -= (size_t)(p - line);
	while (n && (*p == ' ' || *p == '\t'))
		p++, n--;
	while (n && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	*ret = p;
	return n;
}

static int take_length(const char *p, size_t n, size_t *ret)
{
	size_t length = 0;

	if (n == 0 || n > 12)
		return -EPROTO;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -EPROTO;
		length = length * 10 + (size_t)(p[i] - '0');
	}
	*ret = length;
	return 0;
}

static void copy_value(const char *line, size_t n, const char *name, char *dst, size_t cap)
{
	const char *value;

	n = value_of(line, n, name, &value);
	snprintf(dst, cap, "%.*s", (int)(n < cap ? n : cap), value);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", RFC 9110 5.6.7; the older forms are nothing that Go writes. -1: not so. */
static int64_t take_date(const char *line, size_t n)
{
	struct tm tm = { 0 };
	char text[40];
	const char *end;

	copy_value(line, n, "Date", text, sizeof text);
	end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	return end && *end == 0 ? (int64_t)timegm(&tm) : -1;
}

static int take_line(const char *line, size_t n, struct mover_done *done, size_t *length)
{
	const char *value;

	if (is_name(line, n, "Server")) {
		copy_value(line, n, "Server", done->server, sizeof done->server);
	} else if (is_name(line, n, "Api-Version")) {
		copy_value(line, n, "Api-Version", done->api, sizeof done->api);
	} else if (is_name(line, n, "Date")) {
		done->date = take_date(line, n);
	} else if (is_name(line, n, "Content-Length")) {
		n = value_of(line, n, "Content-Length", &value);
		return take_length(value, n, length);
	} else if (is_name(line, n, "Transfer-Encoding")) {
		return -EPROTO;
	}
	return 0;
}

/* "HTTP/1.0 200 OK" */
static int take_status(const char *line, size_t n, struct mover_done *done)
{
	if (n < 12 || memcmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ')
		return -EPROTO;
	for (int i = 9; i < 12; i++) {
		if (line[i] < '0' || line[i] > '9')
			return -EPROTO;
		done->status = done->status * 10 + (line[i] - '0');
	}
	return 0;
}

int finder_head(const char *p, size_t n, struct mover_done *ret, size_t *ret_body, size_t *ret_length)
{
	static const char protocol[] = "HTTP/1.";
	const char *end = memmem(p, n, "\r\n\r\n", 4);
	struct mover_done done = { .date = -1 };
	size_t length = SIZE_MAX, at = 0;
	int r = 0;

	if (memcmp(p, protocol, n < sizeof protocol - 1 ? n : sizeof protocol - 1) != 0)
		return -EPROTO; /* something else talks there: nothing more is waited for */
	if (!end)
		return n > MOVER_MAX_HEADER ? -EMSGSIZE : 0;
	if ((size_t)(end - p) > MOVER_MAX_HEADER)
		return -EMSGSIZE;
	while (r == 0 && at < (size_t)(end - p) + 2) {
		const char *next = memmem(p + at, n - at, "\r\n", 2); /* there is one: the head ends in two */
		size_t line = (size_t)(next - p) - at;

		r = at == 0 ? take_status(p, line, &done) : take_line(p + at, line, &done, &length);
		at += line + 2;
	}
	if (r < 0)
		return r;
	*ret = done;
	*ret_body = (size_t)(end - p) + 4;
	*ret_length = length;
	return 1;
}

/* --- the process --- */

static int connect_to(const struct mover_target *t)
{
	const struct timeval limit = { .tv_sec = MOVER_TIMEOUT_MS / 1000 };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	AUTO(fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(to.sun_path, t->path, sizeof to.sun_path);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0 ||
		connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
		return -errno;
	return fd_take(&fd);
}

bool finder_takes(const struct mover_target *target, const struct mover_request *r)
{
	if (!target->path[0] || r->long_way || r->minor > 999)
		return false;
	return (r->kind == MOVER_FIND && mover_is_name(r->id)) || r->kind == MOVER_PING || r->kind == MOVER_LIST;
}

static int ask(int fd, const struct mover_request *r)
{
	char request[MOVER_ID + 120], version[16] = "";
	int n;

	if (r->minor)
		snprintf(version, sizeof version, "/v1.%u", r->minor);
	if (r->kind == MOVER_FIND)
		n = snprintf(request, sizeof request, "GET %s/containers/%s/json", version, r->id);
	else
		n = snprintf(request, sizeof request, "GET %s%s", version, r->kind == MOVER_PING ? "/_ping" : "/containers/json?all=1");
	n += snprintf(request + n, sizeof request - (size_t)n, " HTTP/1.0\r\nHost: docker\r\nAccept: */*\r\n\r\n");
	return fd_write_all(fd, request, (size_t)n);
}

/* More of the answer into buf: 1, 0 at its end, -ETIMEDOUT, -errno. */
static int more(int fd, char *buf, size_t cap, size_t *n, int64_t end_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left = end_ms - (int64_t)loop_now_ms();
	ssize_t r;

	if (left <= 0 || poll(&p, 1, (int)left) <= 0)
		return -ETIMEDOUT;
	r = read(fd, buf + *n, cap - *n);
	if (r <= 0)
		return r < 0 ? -errno : 0;
	*n += (size_t)r;
	return 1;
}

/* The whole answer: its body lies at buf + *ret_body. 0 or -errno. */
static int receive(int fd, char *buf, size_t cap, struct mover_done *done, size_t *ret_body, size_t *ret_n)
{
	int64_t from = loop_now_us(), end_ms = from / 1000 + MOVER_TIMEOUT_MS;
	uint64_t latency = 0;
	size_t n = 0, body = 0, length = SIZE_MAX;
	int r = 1, head = 0;

	while (r == 1 && (head == 0 || n - body < length)) {
		if (n == cap)
			return -EMSGSIZE;
		r = more(fd, buf, cap, &n, end_ms);
		latency = latency ? latency : (uint64_t)(loop_now_us() - from);
		if (head == 0)
			head = finder_head(buf, n, done, &body, &length);
		if (head < 0 || r < 0)
			return head < 0 ? head : r;
	}
	if (head == 0 || (length != SIZE_MAX && n - body < length))
		return -EPROTO; /* it broke off */
	done->latency_us = latency;
	*ret_body = body;
	*ret_n = length < n - body ? length : n - body;
	return 0;
}

static void send_frame(int sock, uint32_t type, uint32_t tag, const void *p, size_t n)
{
	struct mover_head head = { .type = type, .tag = tag, .len = (uint32_t)n };
	struct iovec parts[2] = { { .iov_base = &head, .iov_len = sizeof head }, { .iov_base = (void *)(uintptr_t)p, .iov_len = n } };

	if (writev(sock, parts, 2) < 0)
		_exit(1);
}

/* Nobody found, or not so: the ordinary way says what is wrong. Only who waited once for an engine that hangs does not wait again. */
static void fail(const struct mover_target *target, const struct mover_request *r, int code, struct mover_done *done)
{
	*done = (struct mover_done){ .date = -1 };
	if (code != -ETIMEDOUT || r->kind == MOVER_FIND)
		return;
	done->code = ETIMEDOUT;
	snprintf(done->msg, sizeof done->msg, "%.100s: no answer within %d s: is %s hanging?", target->endpoint, MOVER_TIMEOUT_MS / 1000,
		mover_daemon(target));
}

_Noreturn void finder_main(const struct mover_target *target, const struct mover_request *r, int sock)
{
	struct mover_done done = { .date = -1 };
	size_t body = 0, n = 0, cap = r->kind == MOVER_LIST ? MOVER_MAX_LIST : MOVER_MAX_BODY;
	struct err err = { 0 };
	char *buf = NULL;
	int fd, code;

	prctl(PR_SET_NAME, "nsdbg: find");
	fd = connect_to(target);
	code = fd < 0 ? fd : ask(fd, r); /* nothing but our own words yet: the engine looks while we go into the cage */
	if (code >= 0)
		code = cage_enter(CAGE_BASE, 0, true, &err);
	if (code >= 0) {
		buf = fd_xrealloc(NULL, cap, 1); /* touched only as far as bytes come */
		code = receive(fd, buf, cap, &done, &body, &n);
	}
	for (size_t at = 0; code >= 0 && at < n; at += MOVER_CHUNK)
		send_frame(sock, MOVER_BODY, r->tag, buf + body + at, n - at < MOVER_CHUNK ? n - at : MOVER_CHUNK);
	if (code < 0)
		fail(target, r, code, &done);
	send_frame(sock, MOVER_DONE, r->tag, &done, sizeof done);
	_exit(0);
}
