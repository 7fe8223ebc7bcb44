/*
 * HTTP(S): connect.c connects, so that its verdicts hold here too, and libcurl takes that socket over for TLS and HTTP. A chain that
 * does not hold ends the handshake; a second connection, without checking, then fetches the chain to show it, and the request is only
 * sent there when that was asked for (-k).
 */
#include "core/probe/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/block.h"
#include "core/fd.h"
#include "core/probe/httptext.h"
#include "core/probe/wire.h"

enum { CERTIFICATES = 8, MOST_BODY = 32 << 20, MOST_CA = 4 << 20, POLL_MS = 1000 };

struct http_certificate {
	char subject[256], issuer[256], names[1024];
	int64_t not_before, not_after;
};

struct http_result {
	unsigned status;
	char protocol[16], server[128], content_type[128], location[512];
	char tls_version[16], tls_cipher[64], problem[200];
	bool tls, judged, verified;
	bool unchecked; /* the second connection */
	long chain_code; /* X509_V_ERR_* of the first */
	uint64_t bytes;
	uint64_t connect_us, tls_us, first_byte_us, total_us; /* ROW_NO_UINT unknown */
	unsigned n_certificates;
	struct http_certificate certificates[CERTIFICATES];
	/* while under way */
	const struct probe_run *run;
	CURL *easy;
	int fd; /* given to libcurl */
	bool given, enough;
};

/* --- preparation --- */

void http_prepare(struct probe_run *run)
{
	static const char *const bundles[] = { "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
		"/etc/ssl/cert.pem" };

	curl_global_init(run->p->flags & PROBE_TLS ? CURL_GLOBAL_SSL : CURL_GLOBAL_NOTHING);
	run->http = fd_xcalloc(1, sizeof *run->http);
	for (size_t i = 0; (run->p->flags & PROBE_TLS) && i < ARRAY_LEN(bundles) && !run->ca; i++) {
		AUTO(fd_closep) int fd = open(bundles[i], O_RDONLY | O_CLOEXEC);
		ssize_t n;

		if (fd < 0)
			continue;
		run->ca = fd_xcalloc(1, MOST_CA);
		n = fd_read_all(fd, run->ca, MOST_CA);
		run->n_ca = n > 0 ? (size_t)n : 0;
	}
}

/* --- certificates --- */


static void take_fact(struct http_certificate *c, struct text line)
{
	static const char alternative[] = "X509v3 Subject Alternative Name";
	char date[64];

	if (httptext_header(line, "Subject", c->subject, sizeof c->subject) || httptext_header(line, "Issuer", c->issuer, sizeof c->issuer) ||
		httptext_header(line, alternative, c->names, sizeof c->names))
		return;
	if (httptext_header(line, "Start date", date, sizeof date))
		c->not_before = httptext_date(text_of(date));
	else if (httptext_header(line, "Expire date", date, sizeof date))
		c->not_after = httptext_date(text_of(date));
}

static void take_chain(struct http_result *h)
{
	struct curl_certinfo *info = NULL;

	if (curl_easy_getinfo(h->easy, CURLINFO_CERTINFO, &info) != CURLE_OK || !info)
		return;
	h->n_certificates = info->num_of_certs < CERTIFICATES ? (unsigned)info->num_of_certs : CERTIFICATES;
	for (unsigned i = 0; i < h->n_certificates; i++) {
		struct http_certificate *c = &h->certificates[i];

		*c = (struct http_certificate){ .not_before = ROW_NO_INT, .not_after = ROW_NO_INT };
		for (const struct curl_slist *s = info->certinfo[i]; s; s = s->next)
			take_fact(c, text_of(s->data));
	}
}

/* X509_V_ERR_* of OpenSSL, x509_vfy.h. */
static const char *chain_problem(long code)
{
	switch (code) {
	case 0:
		return NULL;
	case 9:
		return "not valid yet";
	case 10:
		return "expired";
	case 18:
		return "self-signed";
	case 19:
		return "signed by a root that is not trusted here";
	case 2:
	case 20:
	case 21:
		return "signed by someone who is not trusted here, or the chain is incomplete";
	case 23:
		return "revoked";
	case 26:
		return "not made for servers";
	default:
		return "the chain does not hold";
	}
}

static void add_problem(struct http_result *h, const char *before, const char *what, const char *after)
{
	size_t n = strlen(h->problem);

	if (n)
		n += (size_t)snprintf(h->problem + n, sizeof h->problem - n, "; ");
	if (n < sizeof h->problem)
		snprintf(h->problem + n, sizeof h->problem - n, "%s%.100s%s", before, what, after);
}

/* "3 days ago" */
static void add_expiry(struct http_result *h, const struct http_certificate *c)
{
	char age[32];
	int64_t now = (int64_t)time(NULL);

	if (c->not_after == ROW_NO_INT || now < c->not_after / 1000000000)
		return;
	row_format_age((double)(now - c->not_after / 1000000000), age, sizeof age);
	add_problem(h, "it ended ", age, " ago");
}

static void judge(struct http_result *h)
{
	const struct http_certificate *leaf = &h->certificates[0];
	const char *problem = chain_problem(h->chain_code);

	take_chain(h);
	h->judged = true;
	h->problem[0] = '\0';
	if (problem)
		add_problem(h, "", problem, "");
	if (h->n_certificates > 0) {
		add_expiry(h, leaf);
		if (!httptext_holds_for(text_of(leaf->names), h->run->p->name))
			add_problem(h, "not for ", h->run->p->name, "");
	} else {
		add_problem(h, "", "the server sent none", "");
	}
	h->verified = h->problem[0] == '\0';
}

/* --- what libcurl calls --- */

static curl_socket_t give_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_result *h = arg;

	(void)purpose, (void)address;
	if (h->given)
		return CURL_SOCKET_BAD; /* one connection, the one that was measured */
	h->given = true;
	return h->fd;
}

static int is_connected(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)arg, (void)fd, (void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static int before_request(void *arg, char *ip, char *own_ip, int port, int own_port)
{
	struct http_result *h = arg;

	(void)ip, (void)own_ip, (void)port, (void)own_port;
	if (!h->tls)
		return CURL_PREREQFUNC_OK;
	judge(h);
	return h->verified || h->run->p->flags & PROBE_INSECURE ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static size_t take_header(char *p, size_t size, size_t n, void *arg)
{
	struct http_result *h = arg;
	struct text line = { p, size * n };

	if (httptext_status(line, h->protocol, &h->status))
		h->server[0] = h->content_type[0] = h->location[0] = '\0'; /* after 100 Continue */
	else if (!httptext_header(line, "server", h->server, sizeof h->server) &&
		!httptext_header(line, "content-type", h->content_type, sizeof h->content_type))
		httptext_header(line, "location", h->location, sizeof h->location);
	return line.n;
}

static size_t take_body(char *p, size_t size, size_t n, void *arg)
{
	struct http_result *h = arg;

	(void)p;
	h->bytes += size * n;
	h->enough = h->bytes > MOST_BODY;
	return h->enough ? 0 : size * n;
}

static int take_note(CURL *easy, curl_infotype type, char *p, size_t n, void *arg)
{
	struct http_result *h = arg;

	(void)easy;
	if (type == CURLINFO_TEXT)
		httptext_tls((struct text){ p, n }, h->tls_version, h->tls_cipher);
	return 0;
}

/* --- one request --- */

/* libcurl must not look the name up: it is told. NULL: there is none to look up. */
static struct curl_slist *address_of(const struct probe_run *run)
{
	struct addr literal;
	char text[ADDR_TEXT], line[256 + ADDR_TEXT + 16];
	bool v6 = run->to.kind == ADDR_IP6;

	if (addr_parse(run->p->name, &literal) == 0)
		return NULL;
	addr_format(&run->to, text);
	snprintf(line, sizeof line, "%s:%u:%s%s%s", run->p->name, run->p->port, v6 ? "[" : "", text, v6 ? "]" : "");
	return curl_slist_append(NULL, line);
}

static void set_up(struct http_result *h, char *error, struct curl_slist *names, long timeout_ms)
{
	const struct probe_run *run = h->run;
	CURL *e = h->easy;
	struct curl_blob ca = { .data = run->ca, .len = run->n_ca, .flags = CURL_BLOB_NOCOPY };

	curl_easy_setopt(e, CURLOPT_URL, run->p->url);
	curl_easy_setopt(e, CURLOPT_RESOLVE, names);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(e, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "nsdbg");
	curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, give_socket);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, h);
	curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, is_connected);
	curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, before_request);
	curl_easy_setopt(e, CURLOPT_PREREQDATA, h);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, h);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, h);
	curl_easy_setopt(e, CURLOPT_DEBUGFUNCTION, take_note);
	curl_easy_setopt(e, CURLOPT_DEBUGDATA, h);
	curl_easy_setopt(e, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(e, CURLOPT_CERTINFO, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, h->unchecked ? 0L : 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L); /* judge() does, when the names can be shown */
	curl_easy_setopt(e, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	if (run->n_ca)
		curl_easy_setopt(e, CURLOPT_CAINFO_BLOB, &ca);
}

/* Does somebody still wait, and is the target there? */
static int still_wanted(const struct probe_run *run)
{
	struct pollfd p[2] = { { .fd = run->watch.channel }, { .fd = run->watch.pidfd, .events = POLLIN } };

	if (poll(p, 2, 0) <= 0)
		return 0;
	return p[0].revents & (POLLHUP | POLLERR) ? -EPIPE : p[1].revents ? -ESRCH : 0;
}

static int perform(struct probe_run *run, CURLM *multi, CURLcode *ret)
{
	struct curl_waitfd extra[2] = { { .fd = run->watch.channel }, { .fd = run->watch.pidfd, .events = CURL_WAIT_POLLIN } };
	unsigned n_extra = run->watch.pidfd >= 0 ? 2 : 1;
	int running = 1, left, r = 0;
	CURLMsg *m;

	while (running && r == 0) {
		curl_multi_perform(multi, &running);
		if (running)
			curl_multi_poll(multi, extra, n_extra, POLL_MS, NULL);
		r = still_wanted(run);
	}
	*ret = CURLE_OPERATION_TIMEDOUT;
	while ((m = curl_multi_info_read(multi, &left)))
		if (m->msg == CURLMSG_DONE)
			*ret = m->data.result;
	return r;
}

static uint64_t between(CURL *e, CURLINFO from, CURLINFO to)
{
	curl_off_t a = 0, b = 0;

	curl_easy_getinfo(e, from, &a);
	curl_easy_getinfo(e, to, &b);
	return b > 0 && b >= a ? (uint64_t)(b - a) : ROW_NO_UINT;
}

static void take_times(struct http_result *h)
{
	uint64_t all = between(h->easy, CURLINFO_NAMELOOKUP_TIME_T, CURLINFO_TOTAL_TIME_T);

	h->tls_us = h->tls ? between(h->easy, CURLINFO_CONNECT_TIME_T, CURLINFO_APPCONNECT_TIME_T) : ROW_NO_UINT;
	h->first_byte_us = h->status ? between(h->easy, CURLINFO_PRETRANSFER_TIME_T, CURLINFO_STARTTRANSFER_TIME_T) : ROW_NO_UINT;
	h->total_us = all == ROW_NO_UINT ? all : all + h->connect_us;
}

/* --- what it means --- */

static void say_status(const struct http_result *h, struct probe_facts *f)
{
	f->answered = true;
	f->time_us = h->total_us == ROW_NO_UINT ? f->time_us : h->total_us;
	f->verdict = h->status >= 400 ? PROBE_HTTP_ERROR : PROBE_ANSWERED;
	snprintf(f->detail, sizeof f->detail, h->status >= 400 ? "the server answers with status %u%s" : "status %u%s", h->status,
		h->status >= 500 ? ", a fault of its own" : "");
}

static void say_late(const struct http_result *h, struct probe_facts *f)
{
	if (h->status) {
		f->verdict = PROBE_BROKEN_REPLY;
		snprintf(f->detail, sizeof f->detail, "status %u, but the answer stops after %llu bytes%s", h->status, (unsigned long long)h->bytes,
			f->disordered ? ": big packets are lost on the way, an MTU black hole" : "");
	} else {
		f->verdict = PROBE_HUNG;
		snprintf(f->detail, sizeof f->detail, h->tls && !h->judged ? "the TLS handshake did not end" : "the request was sent, no byte came back");
	}
}

static void say_failure(const struct http_result *h, struct probe_facts *f, CURLcode code, const char *error)
{
	const char *why = error[0] ? error : curl_easy_strerror(code);

	switch ((int)code) {
	case CURLE_OPERATION_TIMEDOUT:
		say_late(h, f);
		return;
	case CURLE_ABORTED_BY_CALLBACK:
		f->verdict = PROBE_BAD_CERTIFICATE;
		snprintf(f->detail, sizeof f->detail, "the certificate does not hold: %.180s (-k goes on all the same)", h->problem);
		return;
	case CURLE_GOT_NOTHING:
		f->verdict = PROBE_CLOSED_AT_ONCE;
		return;
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		f->verdict = h->bytes || h->status ? PROBE_BROKEN_REPLY : PROBE_CLOSED_AT_ONCE;
		break;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CIPHER:
	case CURLE_PEER_FAILED_VERIFICATION:
		f->verdict = PROBE_TLS_FAILED;
		break;
	default:
		f->verdict = PROBE_BROKEN_REPLY;
	}
	if (f->verdict == PROBE_CLOSED_AT_ONCE)
		snprintf(f->detail, sizeof f->detail, "%.200s", why);
	else
		snprintf(f->detail, sizeof f->detail, "%s: %.200s", f->verdict == PROBE_TLS_FAILED ? "no TLS with it" : "the answer is broken", why);
}

/* *ret_distrusted: the chain does not hold, nothing was asked yet. */
static int request(struct probe_run *run, struct probe_facts *f, long timeout_ms, bool *ret_distrusted)
{
	struct http_result *h = run->http;
	struct curl_slist *names = address_of(run);
	char error[CURL_ERROR_SIZE] = "";
	/* A second descriptor: libcurl closes its own, and the kernel's view of the connection is wanted afterwards. */
	AUTO(fd_closep) int look = fcntl(h->fd, F_DUPFD_CLOEXEC, 3);
	CURLM *multi = curl_multi_init();
	CURLcode code;
	int r;

	h->easy = curl_easy_init();
	set_up(h, error, names, timeout_ms);
	curl_multi_add_handle(multi, h->easy);
	r = perform(run, multi, &code);
	take_times(h);
	connect_info(look, f);
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		curl_easy_getinfo(h->easy, CURLINFO_SSL_VERIFYRESULT, &h->chain_code);
	*ret_distrusted = code == CURLE_PEER_FAILED_VERIFICATION && !h->unchecked;
	if (r == 0 && (code == CURLE_OK || h->enough))
		say_status(h, f);
	else if (r == 0)
		say_failure(h, f, code, error);
	curl_multi_remove_handle(multi, h->easy);
	curl_easy_cleanup(h->easy);
	curl_multi_cleanup(multi);
	curl_slist_free_all(names);
	if (!h->given)
		close(h->fd);
	return r;
}

/* Connects and asks. `before`: what the first connection found out. */
static int attempt(struct probe_run *run, struct probe_facts *f, const struct http_result *before, uint64_t deadline, bool *ret_distrusted)
{
	struct http_result *h = run->http;
	uint64_t now;
	int fd = -1, r;

	*ret_distrusted = false;
	*h = (struct http_result){ .run = run, .tls = run->p->flags & PROBE_TLS, .unchecked = before->unchecked, .chain_code = before->chain_code,
		.connect_us = ROW_NO_UINT, .tls_us = ROW_NO_UINT, .first_byte_us = ROW_NO_UINT, .total_us = ROW_NO_UINT };
	r = connect_open(run, f, deadline, &fd);
	if (r < 0 || fd < 0)
		return r;
	h->fd = fd;
	h->connect_us = f->time_us;
	f->answered = false;
	now = wire_now_us();
	return request(run, f, now < deadline ? (long)((deadline - now) / 1000) + 1 : 1, ret_distrusted);
}

int probe_http(struct probe_run *run, struct probe_facts *f)
{
	uint64_t deadline = wire_now_us() + (uint64_t)run->p->timeout_ms * 1000;
	struct http_result before = { 0 };
	struct probe_facts first = *f;
	bool distrusted;
	int r = attempt(run, f, &before, deadline, &distrusted);

	if (r < 0 || !distrusted)
		return r;
	before = (struct http_result){ .unchecked = true, .chain_code = run->http->chain_code ? run->http->chain_code : 1 };
	*f = first;
	return attempt(run, f, &before, deadline, &distrusted);
}

/* --- rows --- */

static struct str text_or_none(struct builder *b, const char *s)
{
	return s[0] ? builder_str(b, s) : ROW_NO_TEXT;
}

static void add_certificates(const struct http_result *h, struct builder *b, struct probe_row *row)
{
	struct certificate_row rows[CERTIFICATES] = { 0 };

	for (unsigned i = 0; i < h->n_certificates; i++) {
		const struct http_certificate *c = &h->certificates[i];
		struct text names = text_of(c->names), name;
		bool is_address;

		rows[i].head.id = i + 1;
		rows[i].subject = text_or_none(b, c->subject);
		rows[i].issuer = text_or_none(b, c->issuer);
		rows[i].names = ROW_NO_TEXT;
		while (httptext_next_name(&names, &name, &is_address))
			builder_list_add(b, &rows[i].names, name.p, name.n);
		rows[i].not_before = c->not_before;
		rows[i].not_after = c->not_after;
	}
	row->certificates = builder_rows(b, &certificate_row_type, rows, h->n_certificates);
}

void http_fill(const struct probe_run *run, struct builder *b, struct probe_row *row)
{
	const struct http_result *h = run->http;

	row->url = builder_str(b, run->p->url);
	if (!h || h->connect_us == ROW_NO_UINT || !h->run)
		return;
	row->status = h->status ? h->status : ROW_NO_UINT;
	row->protocol = text_or_none(b, h->protocol);
	row->server = text_or_none(b, h->server);
	row->content_type = text_or_none(b, h->content_type);
	row->location = text_or_none(b, h->location);
	row->bytes = h->status ? h->bytes : ROW_NO_UINT;
	row->connect_us = h->connect_us;
	row->tls_us = h->tls_us;
	row->first_byte_us = h->first_byte_us;
	row->total_us = h->total_us;
	row->tls_version = text_or_none(b, h->tls_version);
	row->tls_cipher = text_or_none(b, h->tls_cipher);
	row->tls_verified = h->judged ? h->verified : ROW_NO_BOOL;
	row->tls_problem = text_or_none(b, h->problem);
	add_certificates(h, b, row);
}
