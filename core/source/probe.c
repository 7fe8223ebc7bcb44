/*
 * The probe worker: opens raw sockets while it may, gives up every right, then tries its destination again and again and sends a row
 * each time. What comes back from the other side (ICMP, DNS, HTTP, certificates) is parsed in here, with no rights left.
 */
#include "core/source/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "core/probe/echo.h"
#include "core/probe/http.h"
#include "core/probe/lookup.h"
#include "core/probe/run.h"
#include "core/probe/wire.h"
#include "core/worker.h"

enum { DEFAULT_INTERVAL_MS = 1000, DEFAULT_TIMEOUT_MS = 5000, DEFAULT_HOPS = 30, LEAST_INTERVAL_MS = 10, MAX_CA = 4 << 20 };

_Static_assert(sizeof(struct probe_params) <= MSG_PARAMS, "a probe fits into one message");

/* --- opening, with privilege --- */

/* Lets RSTs in and nothing else: byte 13 of the TCP header, behind the IP header for IPv4 (raw(7)). */
static int open_resets(int family)
{
	struct sock_filter v4[] = {
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), BPF_STMT(BPF_LD | BPF_B | BPF_IND, 13),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 4, 0, 1), BPF_STMT(BPF_RET | BPF_K, 128), BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_filter v6[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 4, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 128), BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_fprog p4 = { ARRAY_LEN(v4), v4 }, p6 = { ARRAY_LEN(v6), v6 };
	AUTO(fd_closep) int fd = wire_socket(family, SOCK_RAW, IPPROTO_TCP);
	int on = 1;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, family == AF_INET6 ? &p6 : &p4, sizeof p4) < 0)
		return -1;
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
	else
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
	return fd_take(&fd);
}

/* The range belongs to the network namespace of whoever opens the file. */
static void read_ports(struct probe_sockets *s)
{
	AUTO(fd_closep) int fd = open("/proc/sys/net/ipv4/ip_local_port_range", O_RDONLY | O_CLOEXEC);
	char text[64] = "", *end;

	if (fd < 0 || fd_read_all(fd, text, sizeof text - 1) <= 0)
		return;
	s->port_from = (uint32_t)strtoul(text, &end, 10);
	s->port_to = (uint32_t)strtoul(end, NULL, 10);
}

static int probe_open(struct worker *w, struct err *err)
{
	const struct probe_params *p = worker_params(w, sizeof *p);
	struct probe_run *run = fd_xcalloc(1, sizeof *run);

	if (!p || p->kind >= PROBE_KIND_N)
		return err_set(err, EINVAL, "a probe of a form that this version does not know");
	run->p = p;
	run->s.echo4 = echo_open(AF_INET, &run->s.raw4);
	run->s.echo6 = echo_open(AF_INET6, &run->s.raw6);
	run->s.tcp4 = p->kind == PROBE_TCP || p->kind == PROBE_HTTP ? open_resets(AF_INET) : -1;
	run->s.tcp6 = p->kind == PROBE_TCP || p->kind == PROBE_HTTP ? open_resets(AF_INET6) : -1;
	run->s.route = route_open();
	read_ports(&run->s);
	if (p->kind == PROBE_HTTP)
		http_prepare(run);
	*worker_state(w) = run;
	return 0;
}

/* --- rows --- */

static uint64_t or_unknown(uint64_t v)
{
	return v ? v : ROW_NO_UINT;
}

static void fill_stats(const struct stats *s, struct probe_row *r)
{
	r->sent = s->sent;
	r->received = s->received;
	r->loss = stats_loss_percent(s);
	r->min_us = s->min_us;
	r->max_us = s->max_us;
	r->avg_us = stats_avg(s);
	r->jitter_us = stats_jitter(s);
	r->p50_us = stats_percentile(s, 50);
	r->p95_us = stats_percentile(s, 95);
	r->p99_us = stats_percentile(s, 99);
}

static void add_hops(const struct probe_run *run, struct builder *b, struct probe_row *row)
{
	struct hop_row hops[PROBE_MAX_HOPS] = { 0 };

	for (unsigned i = 0; i < run->n_hops; i++) {
		const struct trace_hop *h = &run->hops[i];
		struct hop_row *r = &hops[i];

		r->head.id = i + 1;
		r->head.severity = h->stats.received == 0 ? SEVERITY_UNKNOWN : h->stats.received < h->stats.sent ? SEVERITY_WARN : SEVERITY_OK;
		r->hop = i + 1;
		r->address = h->address;
		r->name = ROW_NO_TEXT;
		r->sent = h->stats.sent;
		r->received = h->stats.received;
		r->loss = stats_loss_percent(&h->stats);
		r->last_us = h->stats.last_us;
		r->min_us = h->stats.min_us;
		r->max_us = h->stats.max_us;
		r->avg_us = stats_avg(&h->stats);
		r->jitter_us = stats_jitter(&h->stats);
		r->says = h->says[0] ? builder_str(b, h->says) : ROW_NO_TEXT;
	}
	row->hops = builder_rows(b, &hop_row_type, hops, run->n_hops);
}

static void fill_row(struct probe_run *run, const struct probe_facts *f, int64_t at, struct builder *b)
{
	const struct probe_params *p = run->p;
	struct probe_row *r = probe_row_blank(b);

	r->head.id = row_hash(p->label, strlen(p->label), p->kind);
	r->destination = builder_str(b, p->label);
	r->kind = p->kind;
	r->address = run->to;
	r->port = or_unknown(p->port);
	r->how = run->how;
	r->resolve_us = or_unknown(run->resolve_us);
	r->at = at;
	r->time_us = f->answered ? f->time_us : ROW_NO_UINT;
	r->ttl = or_unknown(f->ttl);
	r->source = f->source.kind ? f->source : f->route.source;
	r->gateway = f->route.gateway;
	r->interface = f->route.interface[0] ? builder_str(b, f->route.interface) : ROW_NO_TEXT;
	r->interface_mtu = or_unknown(f->route.mtu);
	r->path_mtu = or_unknown(f->path_mtu);
	r->kernel_mtu = or_unknown(f->kernel_mtu);
	fill_stats(&run->stats, r);
	verdict_fill(run, f, b, r);
	if (p->kind == PROBE_TRACE)
		add_hops(run, b, r);
	if (p->kind == PROBE_HTTP)
		http_fill(run, b, r);
}

/* --- trying --- */

typedef int (*attempt_fn)(struct probe_run *run, struct probe_facts *f);
static const attempt_fn attempts[PROBE_KIND_N] = {
	[PROBE_TCP] = probe_tcp, [PROBE_UDP] = probe_udp, [PROBE_PING] = probe_ping, [PROBE_TRACE] = probe_trace,
	[PROBE_MTU] = probe_mtu, [PROBE_HTTP] = probe_http,
};

static int try_once(struct probe_run *run, struct builder *b, struct probe_facts *f)
{
	int64_t at = loop_wall_ns();
	uint64_t from = wire_now_us();
	int r;

	*f = (struct probe_facts){ .verdict = PROBE_VERDICT_N };
	f->dest_own = route_is_own(run->s.route, &run->to);
	run->seq++;
	r = attempts[run->p->kind](run, f);
	if (r < 0)
		return r;
	route_ask(run->s.route, &run->to, &f->route); /* afterwards: what the neighbour came to */
	if (f->answered)
		stats_answer(&run->stats, f->time_us);
	else
		stats_loss(&run->stats);
	builder_clear(b);
	fill_row(run, f, at, b);
	builder_cost(b, wire_now_us() - from);
	return 0;
}

static void reset(struct probe_run *run)
{
	stats_reset(&run->stats);
	for (unsigned i = 0; run->hops && i < PROBE_MAX_HOPS; i++) {
		run->hops[i] = (struct trace_hop){ 0 };
		stats_reset(&run->hops[i].stats);
	}
	run->n_hops = 0;
	run->reached = false;
}

/* Until the next try is due: 0; -EPIPE, -ESRCH: it will not be. */
static int rest(struct worker *w, struct probe_run *run, uint64_t until_us)
{
	for (;;) {
		struct pollfd p[2] = { { .fd = run->watch.channel, .events = POLLIN }, { .fd = run->watch.pidfd, .events = POLLIN } };
		uint64_t now = wire_now_us();
		struct msg m;
		int r;

		if (now >= until_us)
			return 0;
		if (poll(p, 2, (int)((until_us - now + 999) / 1000)) < 0 && errno != EINTR)
			return -errno;
		if (p[1].revents)
			return -ESRCH;
		if (!p[0].revents)
			continue;
		r = worker_recv(w, &m, 0);
		if (r <= 0)
			return r == -EAGAIN ? 0 : -EPIPE;
		fd_closep(&m.fd);
		if (m.head.type == MSG_REQUEST && m.request.op == PROBE_OP_RESET)
			reset(run);
		if (m.head.type == MSG_REQUEST && m.request.op == PROBE_OP_NOW)
			return 0;
	}
}

static int repeat(struct worker *w, struct probe_run *run, struct builder *b, uint32_t tag)
{
	uint32_t interval = run->p->interval_ms ? run->p->interval_ms : DEFAULT_INTERVAL_MS;
	struct probe_facts *f = fd_xcalloc(1, sizeof *f);
	uint64_t next = wire_now_us();
	int r = 0;

	interval = interval < LEAST_INTERVAL_MS ? LEAST_INTERVAL_MS : interval;
	for (uint32_t i = 0; r == 0 && (run->p->count == 0 || i < run->p->count); i++) {
		r = rest(w, run, next);
		next = wire_now_us() + (uint64_t)interval * 1000;
		if (r == 0)
			r = try_once(run, b, f);
		if (r == 0)
			r = worker_send_block(w, tag, b);
	}
	free(f);
	return r;
}

/* --- names --- */

static int say_no_address(struct worker *w, struct probe_run *run, struct builder *b, uint32_t tag, const struct probe_facts *f)
{
	stats_loss(&run->stats);
	builder_clear(b);
	fill_row(run, f, loop_wall_ns(), b);
	return worker_send_block(w, tag, b);
}

/* 1: run->to is known; 0: it has no address, which was said. */
static int look_up(struct worker *w, struct probe_run *run, struct builder *b, const struct msg *m)
{
	struct builder *rows = builder_new(&dns_row_type);
	AUTO(block_unrefp) struct block *answer = NULL;
	struct dns_request q;
	struct probe_facts f = { .verdict = PROBE_NO_NAME };
	struct err err = { 0 };
	int r;

	memcpy(&q, m->request.params, sizeof q);
	r = dns_ask_run(&q, &run->watch, rows, &err);
	answer = builder_block(rows);
	builder_free(rows);
	if (r == -EPIPE || r == -ESRCH)
		return r;
	run->how = PROBE_DNS;
	run->resolve_us = block_cost_us(answer);
	if (r == 0 && lookup_address(answer, &run->to))
		return 1;
	if (r == 0)
		lookup_failure(answer, run->p->name, &f);
	else
		snprintf(f.detail, sizeof f.detail, "there is no such name: %s", err.msg);
	return say_no_address(w, run, b, m->head.tag, &f);
}

/* --- the worker --- */

static void take_ca(struct probe_run *run, int fd)
{
	if (fd < 0)
		return;
	free(run->ca);
	run->ca = fd_xcalloc(1, MAX_CA);
	run->n_ca = 0;
	for (ssize_t n = 1; n > 0 && run->n_ca < MAX_CA; run->n_ca += (size_t)(n > 0 ? n : 0))
		n = read(fd, run->ca + run->n_ca, MAX_CA - run->n_ca);
}

static int go(struct worker *w, struct probe_run *run, struct msg *m)
{
	struct builder *b;
	int r = 1;

	if (m->head.type != MSG_REQUEST || m->request.op != PROBE_OP_GO ||
		((run->p->flags & PROBE_RESOLVE) && m->request.n_params != sizeof(struct dns_request)))
		return -EBADMSG;
	take_ca(run, m->fd);
	b = builder_new(&probe_row_type);
	if (run->p->flags & PROBE_RESOLVE)
		r = look_up(w, run, b, m);
	if (r == 1)
		r = repeat(w, run, b, m->head.tag);
	builder_free(b);
	return r;
}

/* The parameters came from another process: texts end, numbers are sane. */
static struct probe_params checked(const struct probe_params *given)
{
	struct probe_params p = *given;

	p.name[sizeof p.name - 1] = p.url[sizeof p.url - 1] = p.label[sizeof p.label - 1] = p.zone[sizeof p.zone - 1] = '\0';
	p.n_send = p.n_send > PROBE_MAX_SEND ? PROBE_MAX_SEND : p.n_send;
	p.size = p.size > PROBE_MAX_SIZE ? PROBE_MAX_SIZE : p.size;
	p.max_hops = p.max_hops == 0 ? DEFAULT_HOPS : p.max_hops > PROBE_MAX_HOPS ? PROBE_MAX_HOPS : p.max_hops;
	p.timeout_ms = p.timeout_ms ? p.timeout_ms : DEFAULT_TIMEOUT_MS;
	p.how = p.how < PROBE_HOW_N ? p.how : PROBE_LITERAL;
	return p;
}

static int probe_serve(struct worker *w, struct err *err)
{
	struct probe_run *run = *worker_state(w);
	struct probe_params p = checked(run->p);
	struct msg m;
	int r;

	(void)err;
	run->p = &p;
	run->to = p.address;
	run->how = p.how;
	run->watch = (struct dns_watch){ .channel = worker_channel(w), .pidfd = worker_target(w)->pidfd };
	if (getrandom(&run->echo_id, sizeof run->echo_id, 0) < 0)
		run->echo_id = (uint16_t)getpid();
	if (p.zone[0])
		snprintf(run->zone, sizeof run->zone, "%u", route_index(run->s.route, p.zone));
	if (p.kind == PROBE_TRACE || p.kind == PROBE_MTU)
		run->hops = fd_xcalloc(PROBE_MAX_HOPS, sizeof *run->hops);
	reset(run);
	r = worker_recv(w, &m, -1);
	if (r == 1) {
		r = go(w, run, &m);
		fd_closep(&m.fd);
	}
	if (r == -ESRCH)
		worker_send_gone(w);
	return r == -EPIPE || r == -ESRCH ? 0 : r;
}

const struct source probe_source = {
	.name = "probe",
	.type = &probe_row_type,
	.enter = SOURCE_ENTER_NET,
	.needs_target = true,
	.cage = CAGE_PROBE,
	.open = probe_open,
	.serve = probe_serve,
};
