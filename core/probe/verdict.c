/*
 * What an attempt means: facts in, verdict, sentence and evidence out. connect() says the same errno for different causes; what tells
 * them apart is who sent which ICMP message, the interface an RST came in by, the kernel's own route and neighbour, and retransmissions.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/neighbour.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/block.h"
#include "core/fd.h"
#include "core/probe/run.h"
#include "core/probe/wire.h"

enum { LINE = 256, SOON_US = 500000 };

const char *const probe_verdict_names[PROBE_VERDICT_N] = {
	[PROBE_OPEN] = "open",
	[PROBE_ANSWERED] = "answered",
	[PROBE_REACHED] = "reached",
	[PROBE_MTU_FOUND] = "mtu-found",
	[PROBE_REFUSED] = "refused",
	[PROBE_REJECTED] = "rejected",
	[PROBE_OWN_FIREWALL] = "own-firewall",
	[PROBE_CLOSED_AT_ONCE] = "closed-at-once",
	[PROBE_HUNG] = "hung",
	[PROBE_TIMEOUT] = "timeout",
	[PROBE_SILENT] = "silent",
	[PROBE_NO_NEIGHBOUR] = "no-neighbour",
	[PROBE_UNREACHABLE] = "unreachable",
	[PROBE_NO_ROUTE] = "no-route",
	[PROBE_ROUTE_UNREACHABLE] = "route-unreachable",
	[PROBE_ROUTE_PROHIBIT] = "route-prohibit",
	[PROBE_ROUTE_BLACKHOLE] = "route-blackhole",
	[PROBE_NOT_PERMITTED] = "not-permitted",
	[PROBE_NO_LOCAL_PORT] = "no-local-port",
	[PROBE_NO_LOCAL_ADDRESS] = "no-local-address",
	[PROBE_TOO_BIG] = "too-big",
	[PROBE_MTU_BLACK_HOLE] = "mtu-black-hole",
	[PROBE_NOT_REACHED] = "not-reached",
	[PROBE_BAD_CERTIFICATE] = "bad-certificate",
	[PROBE_TLS_FAILED] = "tls-failed",
	[PROBE_HTTP_ERROR] = "http-error",
	[PROBE_BROKEN_REPLY] = "broken-reply",
	[PROBE_NO_NAME] = "no-name",
	[PROBE_NO_ADDRESS] = "no-address",
	[PROBE_DNS_FAILED] = "dns-failed",
	[PROBE_DNS_TIMEOUT] = "dns-timeout",
	[PROBE_OWN_LIMITS] = "own-limits",
	[PROBE_PAUSED] = "paused",
	[PROBE_FAILED] = "failed",
};

/* What is not listed is a no. */
static const uint8_t outcomes[PROBE_VERDICT_N] = {
	[PROBE_OPEN] = PROBE_YES,
	[PROBE_ANSWERED] = PROBE_YES,
	[PROBE_REACHED] = PROBE_YES,
	[PROBE_MTU_FOUND] = PROBE_YES,
	[PROBE_HUNG] = PROBE_LATE,
	[PROBE_TIMEOUT] = PROBE_LATE,
	[PROBE_SILENT] = PROBE_LATE,
	[PROBE_NOT_REACHED] = PROBE_LATE,
	[PROBE_DNS_TIMEOUT] = PROBE_LATE,
};

enum probe_outcome probe_outcome(uint32_t verdict)
{
	return verdict < PROBE_VERDICT_N ? (enum probe_outcome)outcomes[verdict] : PROBE_NO;
}

/* --- which verdict --- */

/* ICMP messages that only a rule of an administrator sends. */
static bool is_prohibited(const struct probe_facts *f)
{
	if (f->icmp.from.kind == ADDR_IP6)
		return f->icmp.type == ICMP6_DST_UNREACH && (f->icmp.code == ICMP6_DST_UNREACH_ADMIN || f->icmp.code == 5 || f->icmp.code == 6);
	return f->icmp.type == ICMP_DEST_UNREACH &&
		(f->icmp.code == ICMP_NET_ANO || f->icmp.code == ICMP_HOST_ANO || f->icmp.code == ICMP_PKT_FILTERED);
}

static bool says_host_unreachable(const struct probe_facts *f)
{
	if (f->icmp.from.kind == ADDR_IP6)
		return f->icmp.type == ICMP6_DST_UNREACH && f->icmp.code == ICMP6_DST_UNREACH_ADDR;
	return f->icmp.type == ICMP_DEST_UNREACH && f->icmp.code == ICMP_HOST_UNREACH;
}

/* The kernel of a host answers UDP to a closed port like this, and TCP never. */
static bool says_port_unreachable(const struct probe_facts *f)
{
	if (f->icmp.from.kind == ADDR_IP6)
		return f->icmp.type == ICMP6_DST_UNREACH && f->icmp.code == ICMP6_DST_UNREACH_NOPORT;
	return f->icmp.type == ICMP_DEST_UNREACH && f->icmp.code == ICMP_PORT_UNREACH;
}

static uint32_t of_icmp(const struct probe_run *run, const struct probe_facts *f)
{
	bool from_it = addr_same(&f->icmp.from, &run->to);

	if (f->code == EMSGSIZE)
		return PROBE_TOO_BIG;
	if (says_port_unreachable(f) && run->p->kind == PROBE_UDP && from_it)
		return PROBE_REFUSED;
	if (f->icmp.own && says_host_unreachable(f) &&
		(f->time_us > SOON_US || f->route.neighbour & NUD_FAILED) && !f->dest_own)
		return PROBE_NO_NEIGHBOUR;
	if (f->icmp.own && !f->dest_own)
		return PROBE_OWN_FIREWALL;
	/* The destination itself never reports that it cannot be reached; its rules do. */
	if (from_it || is_prohibited(f) || says_port_unreachable(f))
		return PROBE_REJECTED;
	return PROBE_UNREACHABLE;
}

static uint32_t of_errno(const struct probe_run *run, const struct probe_facts *f)
{
	switch (f->code) {
	case ECONNREFUSED:
		return f->rst.own ? PROBE_OWN_FIREWALL : PROBE_REFUSED;
	case ETIMEDOUT:
		if (f->syn_code == EPERM)
			return PROBE_OWN_FIREWALL;
		return run->p->kind == PROBE_UDP ? PROBE_SILENT : PROBE_TIMEOUT;
	case EHOSTUNREACH:
		return f->route.code == EHOSTUNREACH || f->time_us < SOON_US ? PROBE_ROUTE_UNREACHABLE : PROBE_NO_NEIGHBOUR;
	case ENETUNREACH:
	case ENETDOWN:
		return PROBE_NO_ROUTE;
	case EACCES:
		return f->route.asked && f->route.code == 0 ? PROBE_NOT_PERMITTED : PROBE_ROUTE_PROHIBIT;
	case EPERM:
		return run->p->kind == PROBE_TCP || run->p->kind == PROBE_HTTP ? PROBE_NOT_PERMITTED : PROBE_OWN_FIREWALL;
	case ENOPROTOOPT:
		return PROBE_REJECTED;
	case EINVAL:
		return f->route.asked && f->route.code == 0 ? PROBE_FAILED : PROBE_ROUTE_BLACKHOLE;
	case EADDRNOTAVAIL:
		return f->route.asked && f->route.code == 0 && f->route.source.kind ? PROBE_NO_LOCAL_PORT : PROBE_NO_LOCAL_ADDRESS;
	case EMSGSIZE:
		return PROBE_TOO_BIG;
	case ECONNRESET:
	case EPIPE:
		return PROBE_BROKEN_REPLY;
	case EMFILE:
	case ENFILE:
	case EAGAIN:
	case ENOBUFS:
	case ENOMEM:
		return PROBE_OWN_LIMITS;
	default:
		return PROBE_FAILED;
	}
}

uint32_t verdict_of(const struct probe_run *run, const struct probe_facts *f)
{
	if (f->verdict < PROBE_VERDICT_N)
		return f->verdict;
	if (f->code && f->icmp.seen)
		return of_icmp(run, f);
	if (f->code)
		return of_errno(run, f);
	if (run->p->kind == PROBE_TCP && f->closed && !f->received)
		return PROBE_CLOSED_AT_ONCE;
	return run->p->kind == PROBE_TCP ? PROBE_OPEN : PROBE_ANSWERED;
}

/* --- the sentence --- */

/* {who} destination, {port} " port 80" or "", {from} sender of the ICMP message, {icmp} what it says, {n} a number, {detail}. */
static const char *const sentences[PROBE_VERDICT_N] = {
	[PROBE_OPEN] = "{who}{port} accepts connections",
	[PROBE_ANSWERED] = "{who}{port} answers",
	[PROBE_REACHED] = "{who} is {n} away",
	[PROBE_MTU_FOUND] = "packets of {n} bytes reach {who}",
	[PROBE_REFUSED] = "{who} is there, and nobody listens on{port}, or a firewall resets connections",
	[PROBE_REJECTED] = "a firewall on the way, at {from}, rejects it: {icmp}",
	[PROBE_OWN_FIREWALL] = "output rules (nft, iptables) in this network namespace drop it",
	[PROBE_CLOSED_AT_ONCE] = "{who}{port} accepts and hangs up at once: a proxy without its back end, or a service that turns us away",
	[PROBE_HUNG] = "{who}{port} accepts, then says nothing: the program is frozen, stopped or busy; only its kernel answers",
	[PROBE_TIMEOUT] = "no answer from {who}{port}: dropped by a firewall, no way back, or the host is down",
	[PROBE_SILENT] = "{who}{port} says nothing, which proves nothing: UDP services often ignore what they do not know",
	[PROBE_NO_NEIGHBOUR] = "nobody on the network answers for {next}: it is down, has gone, or was never here",
	[PROBE_UNREACHABLE] = "router {from} says {icmp} for {who}",
	[PROBE_NO_ROUTE] = "there is no route to {who}: no default route, or the interface is down",
	[PROBE_ROUTE_UNREACHABLE] = "a route of type unreachable covers {who}",
	[PROBE_ROUTE_PROHIBIT] = "a route or rule of type prohibit covers {who}",
	[PROBE_ROUTE_BLACKHOLE] = "a route of type blackhole covers {who}",
	[PROBE_NOT_PERMITTED] = "the kernel forbids it: a BPF program of the cgroup, or a security module",
	[PROBE_NO_LOCAL_PORT] = "no local port is left for {who}{port}: all ephemeral ports are in use towards it",
	[PROBE_NO_LOCAL_ADDRESS] = "there is no local address to reach {who} from",
	[PROBE_TOO_BIG] = "the packet is bigger than the path takes: {n} bytes",
	[PROBE_MTU_BLACK_HOLE] = "packets over {n} bytes vanish on the way to {who}, and nobody says so: a path MTU black hole",
	[PROBE_NOT_REACHED] = "{who} does not answer; the last that does is hop {n}",
	[PROBE_OWN_LIMITS] = "nsdbg itself ran out of descriptors or memory",
};

/* The same verdict in other circumstances. */
static const char *sentence(const struct probe_run *run, const struct probe_facts *f, uint32_t verdict)
{
	if (verdict == PROBE_REFUSED && run->p->kind == PROBE_UDP)
		return "{who} is there, and nobody listens on{port} (a firewall that rejects looks the same)";
	if (verdict == PROBE_REJECTED && (!f->icmp.seen || addr_same(&f->icmp.from, &run->to)))
		return "a firewall at {who} rejects it: {icmp}";
	if (verdict == PROBE_OWN_FIREWALL && (f->icmp.own || f->rst.own))
		return "output rules (nft, iptables) in this network namespace reject it: {icmp}";
	if (verdict == PROBE_HUNG && f->unacked)
		return "{who}{port} accepts, then confirms nothing: packets of ours are lost on the way, often the big ones (MTU)";
	if (verdict == PROBE_HUNG && f->disordered)
		return "{who}{port} answers, but its big packets are lost on the way to us: an MTU black hole";
	if (verdict == PROBE_TIMEOUT && run->p->kind == PROBE_PING)
		return "no echo from {who}: it is down, or something drops pings on the way there or back";
	if (verdict == PROBE_SILENT && f->port_known)
		return "{who}{port} does not answer a question of its usual protocol: dropped, or nobody is there";
	if (verdict == PROBE_NOT_REACHED && run->n_hops == 0)
		return "no hop on the way to {who} answers, nor does it";
	return sentences[verdict] ? sentences[verdict] : "{detail}";
}

struct words {
	char who[340]; /* "db (10.1.0.9)" */
	char next[ADDR_TEXT]; /* neighbour that is asked for it */
	char port[32]; /* " port 80", "" */
	char from[ADDR_TEXT];
	char n[32];
	char detail[LINE];
	const char *icmp;
};

/* Fills the placeholders in. */
static void expand(const char *format, const struct words *w, char *buf, size_t cap)
{
	const struct {
		const char *name, *value;
	} values[] = { { "{who}", w->who }, { "{next}", w->next }, { "{port}", w->port }, { "{from}", w->from }, { "{n}", w->n },
		{ "{detail}", w->detail }, { "{icmp}", w->icmp } };
	size_t n = 0;

	buf[0] = '\0';
	while (*format && n + 1 < cap) {
		size_t i = 0;

		while (i < ARRAY_LEN(values) && strncmp(format, values[i].name, strlen(values[i].name)) != 0)
			i++;
		if (i < ARRAY_LEN(values)) {
			n += (size_t)snprintf(buf + n, cap - n, "%s", values[i].value);
			format += strlen(values[i].name);
		} else {
			buf[n++] = *format++;
			buf[n] = '\0';
		}
	}
}

/* The number that the sentence is about. */
static void number(const struct probe_run *run, const struct probe_facts *f, uint32_t verdict, char *buf, size_t cap)
{
	if (verdict == PROBE_REACHED)
		snprintf(buf, cap, "%u hop%s", run->n_hops, run->n_hops == 1 ? "" : "s");
	else
		snprintf(buf, cap, "%u", verdict == PROBE_NOT_REACHED ? run->n_hops : verdict == PROBE_TOO_BIG ? f->icmp.mtu : f->path_mtu);
}

static void choose_words(const struct probe_run *run, const struct probe_facts *f, uint32_t verdict, struct words *w)
{
	char text[ADDR_TEXT];
	struct addr literal;

	addr_format(&run->to, text);
	if (!run->to.kind)
		snprintf(w->who, sizeof w->who, "%.255s", run->p->name);
	else if (!run->p->name[0] || addr_parse(run->p->name, &literal) == 0)
		snprintf(w->who, sizeof w->who, "%s", text);
	else
		snprintf(w->who, sizeof w->who, "%.255s (%s)", run->p->name, text);
	addr_format(f->route.gateway.kind ? &f->route.gateway : &run->to, w->next);
	if (run->p->port && (run->p->kind == PROBE_TCP || run->p->kind == PROBE_UDP || run->p->kind == PROBE_HTTP))
		snprintf(w->port, sizeof w->port, " port %u", run->p->port);
	addr_format(&f->icmp.from, w->from);
	w->icmp = f->icmp.seen ? wire_icmp_name(f->icmp.from.kind, f->icmp.type, f->icmp.code) : f->rst.own ? "RST" : "protocol unreachable";
	number(run, f, verdict, w->n, sizeof w->n);
	snprintf(w->detail, sizeof w->detail, "%s", f->detail[0] ? f->detail : f->code ? strerror(f->code) : probe_verdict_names[verdict]);
}

/* --- the evidence --- */

static void add(struct builder *b, struct str *list, const char *text)
{
	if (text[0])
		builder_list_add(b, list, text, strlen(text));
}

static void add_packets(const struct probe_run *run, const struct probe_facts *f, const struct words *w, struct builder *b, struct str *list)
{
	char line[LINE] = "", name[16];

	if (f->code) {
		snprintf(line, sizeof line, "%s after %.1f ms", wire_errno_name(f->code, name), (double)f->time_us / 1000);
		add(b, list, line);
	}
	if (f->icmp.seen) {
		snprintf(line, sizeof line, "ICMP %u/%u, %s, from %s%s", f->icmp.type, f->icmp.code, w->icmp, w->from,
			addr_same(&f->icmp.from, &run->to) ? " (the destination)" : f->icmp.own ? " (ourselves)" : "");
		add(b, list, line);
	} else if (f->rst.seen) {
		snprintf(line, sizeof line, "RST with TTL %u came in by %s%s", f->rst.ttl, f->rst.interface[0] ? f->rst.interface : "?",
			f->rst.own ? ", made on this side" : f->route.gateway.kind && f->rst.ttl && (f->rst.ttl & (f->rst.ttl - 1)) == 0 ?
				     ": no hop away, by the first router itself" : "");
		add(b, list, line);
	}
	if (f->code == ETIMEDOUT && f->syns) {
		snprintf(line, sizeof line, "%u SYN%s sent (%u retransmitted), no SYN-ACK, RST or ICMP came back", f->syns,
			f->syns == 1 ? "" : "s", f->syns - 1);
		add(b, list, line);
	}
	if (f->syn_code) {
		snprintf(line, sizeof line, "sending a SYN by hand: %s", wire_errno_name(f->syn_code, name));
		add(b, list, line);
	}
	if (f->closed && !f->code) {
		snprintf(line, sizeof line, "%s after %" PRIu64 " bytes", f->closed == 1 ? "end of file" : wire_errno_name(f->closed, name), f->received);
		add(b, list, line);
	}
	if (f->unacked && !f->code) {
		snprintf(line, sizeof line, "%u of our segments not confirmed", f->unacked);
		add(b, list, line);
	}
	if (f->disordered)
		add(b, list, "later parts of the answer came, earlier ones did not");
}

static void add_path(const struct probe_run *run, const struct probe_facts *f, uint32_t verdict, struct builder *b, struct str *list)
{
	const char *neighbour = route_neighbour_name(&f->route);
	char line[LINE], text[ADDR_TEXT];

	if (f->route.asked) {
		char route[160];

		route_text(&f->route, route, sizeof route);
		snprintf(line, sizeof line, "route: %s", route);
		add(b, list, line);
	}
	if (f->route.interface[0] && !f->route.up) {
		snprintf(line, sizeof line, "interface %s is down", f->route.interface);
		add(b, list, line);
	}
	if (f->route.neighbour_asked && probe_outcome(verdict) != PROBE_YES) {
		snprintf(line, sizeof line, "neighbour %s: %s", addr_format(f->route.gateway.kind ? &f->route.gateway : &run->to, text),
			neighbour ? neighbour : "no entry");
		add(b, list, line);
	}
	if (verdict == PROBE_NO_LOCAL_PORT && run->s.port_to) {
		snprintf(line, sizeof line, "net.ipv4.ip_local_port_range is %u to %u", run->s.port_from, run->s.port_to);
		add(b, list, line);
	}
}

static struct str evidence(const struct probe_run *run, const struct probe_facts *f, uint32_t verdict, const struct words *w, struct builder *b)
{
	struct str list = ROW_NO_TEXT;

	add_packets(run, f, w, b, &list);
	if (f->detail[0] && strstr(sentence(run, f, verdict), "{detail}") == NULL)
		add(b, &list, f->detail);
	add(b, &list, f->detail2);
	add_path(run, f, verdict, b, &list);
	return list;
}

void verdict_fill(const struct probe_run *run, const struct probe_facts *f, struct builder *b, struct probe_row *row)
{
	uint32_t verdict = verdict_of(run, f);
	enum probe_outcome outcome = probe_outcome(verdict);
	struct words w = { 0 };
	char text[2 * LINE], name[16];

	choose_words(run, f, verdict, &w);
	row->verdict = verdict;
	row->works = verdict == PROBE_SILENT ? ROW_NO_BOOL : outcome == PROBE_YES;
	row->head.severity = verdict == PROBE_SILENT ? SEVERITY_UNKNOWN : outcome == PROBE_YES ? SEVERITY_OK : SEVERITY_BAD;
	expand(sentence(run, f, verdict), &w, text, sizeof text);
	row->meaning = builder_str(b, text);
	row->evidence = evidence(run, f, verdict, &w, b);
	row->error = f->code ? builder_str(b, wire_errno_name(f->code, name)) : ROW_NO_TEXT;
}
