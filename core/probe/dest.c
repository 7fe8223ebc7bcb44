/* What was typed, and which container it means: see dest.h. */
#include "core/probe/dest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/block.h"
#include "core/err.h"
#include "core/fd.h"

enum { PORT_HTTP = 80, PORT_HTTPS = 443 };

uint32_t dest_kind(const char *word)
{
	uint32_t k = 0;

	while (k < PROBE_KIND_N && strcmp(probe_kind_names[k], word) != 0)
		k++;
	return k;
}

/* --- text --- */

static bool wants_port(uint32_t kind)
{
	return kind == PROBE_TCP || kind == PROBE_UDP;
}

static int parse_port(const char *text, size_t n, uint16_t *ret)
{
	unsigned long v = 0;

	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9' || n > 5)
			return -EINVAL;
		v = v * 10 + (unsigned long)(text[i] - '0');
	}
	if (n == 0 || v == 0 || v > UINT16_MAX)
		return -EINVAL;
	*ret = (uint16_t)v;
	return 0;
}

static bool is_plain(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] <= ' ' || p[i] == 127)
			return false;
	return true;
}

/* "fe80::1%eth0" */
static int take_host(const char *p, size_t n, struct dest *ret)
{
	const char *zone = memchr(p, '%', n);
	size_t host = zone ? (size_t)(zone - p) : n, rest = zone ? n - host - 1 : 0;

	if (host == 0 || host >= sizeof ret->host || rest >= sizeof ret->zone || !is_plain(p, n) || memchr(p, '/', n))
		return -EINVAL;
	memcpy(ret->host, p, host);
	ret->host[host] = '\0';
	if (zone)
		memcpy(ret->zone, zone + 1, rest);
	ret->zone[rest] = '\0';
	if (addr_parse(ret->host, &ret->literal) < 0)
		ret->literal = (struct addr){ 0 };
	return ret->literal.kind == ADDR_MAC || ret->literal.has_prefix ? -EINVAL : 0;
}

/* HOST, HOST:PORT, [HOST], [HOST]:PORT. More than one colon without brackets: an IPv6 address and no port. */
static int parse_host_port(const char *p, size_t n, struct dest *ret)
{
	const char *end = n > 0 && p[0] == '[' ? memchr(p, ']', n) : NULL;
	const char *colon = memchr(p, ':', n);
	int r;

	if (n > 0 && p[0] == '[') {
		if (!end)
			return -EINVAL;
		r = take_host(p + 1, (size_t)(end - p) - 1, ret);
		if (r < 0 || end + 1 == p + n)
			return r;
		return end[1] == ':' ? parse_port(end + 2, (size_t)(p + n - end) - 2, &ret->port) : -EINVAL;
	}
	if (!colon || memchr(colon + 1, ':', (size_t)(p + n - colon) - 1))
		return take_host(p, n, ret);
	r = take_host(p, (size_t)(colon - p), ret);
	return r < 0 ? r : parse_port(colon + 1, (size_t)(p + n - colon) - 1, &ret->port);
}

static int parse_url(const char *text, struct dest *ret, struct err *err)
{
	const char *p = text;
	size_t n;

	ret->tls = strncasecmp(p, "https://", 8) == 0;
	if (ret->tls)
		p += 8;
	else if (strncasecmp(p, "http://", 7) == 0)
		p += 7;
	n = strcspn(p, "/?#");
	if (memchr(p, '@', n))
		return err_set(err, EINVAL, "\"%.60s\": no user and password in the address, please", text);
	if (!is_plain(text, strlen(text)) || strlen(text) >= sizeof(((struct probe_params *)0)->url) - 16 || parse_host_port(p, n, ret) < 0)
		return err_set(err, EINVAL, "\"%.60s\" is not an address of the form http://HOST[:PORT]/PATH or https://...", text);
	if (!ret->port)
		ret->port = ret->tls ? PORT_HTTPS : PORT_HTTP;
	return 0;
}

int dest_parse(uint32_t kind, const char *text, struct dest *ret, struct err *err)
{
	int r;

	*ret = (struct dest){ 0 };
	if (kind == PROBE_HTTP)
		return parse_url(text, ret, err);
	r = parse_host_port(text, strlen(text), ret);
	if (r < 0 || (wants_port(kind) && !ret->port))
		return err_set(err, EINVAL, wants_port(kind) ? "\"%.60s\" is not a destination: HOST:PORT, with brackets around IPv6 as in [::1]:80" :
			"\"%.60s\" is not a destination: a container's name, a host name or an address", text);
	if ((kind == PROBE_PING || kind == PROBE_MTU) && ret->port)
		return err_set(err, EINVAL, "%s takes no port: %s", probe_kind_names[kind], ret->host);
	return 0;
}

/* --- containers --- */

static const struct target_row *by_name(const struct block *targets, struct text name)
{
	for (uint32_t i = 0; targets && i < block_count(targets); i++) {
		const struct target_row *t = block_row(targets, i);

		if ((t->head.flags & TARGET_IS_CONTAINER) && text_equal(block_text(targets, t->name), name))
			return t;
	}
	return NULL;
}

static int container_address(const struct dest_ask *ask, const struct target_row *t, const char *name, struct addr *ret, struct err *err)
{
	if (t->state != TARGET_STATE_RUNNING && t->state != TARGET_STATE_PAUSED)
		return err_set(err, ESRCH, "container %.60s is not running: %s", name,
			t->state < TARGET_STATE_N ? target_state_names[t->state] : "unknown state");
	if (target_address(ask->targets, ask->own, t, ask->family, ret))
		return 0;
	if (ask->own && (ask->own == t || (ask->own->netns == t->netns && t->netns != ROW_NO_UINT))) {
		*ret = ask->family == 6 ? addr_ip6((uint8_t[16]){ [15] = 1 }) : addr_ip4((uint8_t[]){ 127, 0, 0, 1 });
		return 0;
	}
	return err_set(err, EADDRNOTAVAIL, "container %.60s has no %saddress of its own%s", name,
		ask->family == 6 ? "IPv6 " : ask->family == 4 ? "IPv4 " : "",
		t->head.flags & TARGET_HOST_NETWORK ? ": it uses the host's network, probe an address of the host" : "");
}

/* --- parameters --- */

static void fill_url(const struct dest_ask *ask, const struct dest *d, struct probe_params *p)
{
	bool has_scheme = strncasecmp(ask->text, "http://", 7) == 0 || strncasecmp(ask->text, "https://", 8) == 0;

	snprintf(p->url, sizeof p->url, "%s%s", has_scheme ? "" : "http://", ask->text);
	if (d->tls)
		p->flags |= PROBE_TLS;
}

int dest_fill(const struct dest_ask *ask, struct probe_params *ret, struct err *err)
{
	const struct target_row *t;
	struct dest d;
	int r = dest_parse(ask->kind, ask->text, &d, err);

	if (r < 0)
		return r;
	*ret = (struct probe_params){ .kind = ask->kind, .port = d.port, .address = d.literal, .how = PROBE_LITERAL };
	memcpy(ret->name, d.host, sizeof ret->name);
	memcpy(ret->zone, d.zone, sizeof ret->zone);
	snprintf(ret->label, sizeof ret->label, "%.299s", ask->text);
	if (ask->kind == PROBE_HTTP)
		fill_url(ask, &d, ret);
	if (d.literal.kind) {
		if (ask->family && d.literal.kind != ask->family)
			return err_set(err, EINVAL, "%.60s is not an IPv%d address", d.host, ask->family);
		return 0;
	}
	t = by_name(ask->targets, text_of(d.host));
	if (!t) {
		ret->flags |= PROBE_RESOLVE;
		return 0;
	}
	ret->how = PROBE_CONTAINER;
	return container_address(ask, t, d.host, &ret->address, err);
}

bool dest_look_up(const struct block *files, int family, struct probe_params *p, struct dns_request *ret)
{
	AUTO(block_unrefp) struct block *hosts = NULL;
	unsigned n = 0;

	dns_request_from_files(files, ret);
	snprintf(ret->name, sizeof ret->name, "%s", p->name);
	if (family != 6)
		ret->types[n++] = dns_type_parse("A");
	if (family != 4)
		ret->types[n++] = dns_type_parse("AAAA");
	ret->deadline_ms = p->timeout_ms;
	hosts = dns_answer_from_files(files, ret);
	for (uint32_t i = 0; hosts && i < block_count(hosts); i++) {
		const struct dns_row *d = block_row(hosts, i);

		if (d->section != DNS_SECTION_ANSWER || !d->address.kind)
			continue;
		p->address = d->address;
		p->how = PROBE_HOSTS;
		p->flags &= ~(uint32_t)PROBE_RESOLVE;
		return true;
	}
	return false;
}

/* --- naming --- */

static struct str name_of(struct builder *b, const struct block *targets, const struct addr *a, const struct target_row **ret)
{
	const struct target_row *t = targets && a->kind && !addr_is_loopback(a) ? dns_target_find(targets, a) : NULL;
	struct text name = t ? block_text(targets, t->name) : (struct text){ 0 };

	*ret = t;
	return t ? builder_text(b, name.p, name.n) : ROW_NO_TEXT;
}

/* Docker's bridges have their first address at the host. */
static struct str gateway_name(struct builder *b, const struct block *targets, const struct addr *a)
{
	char text[300];

	for (uint32_t i = 0; targets && a->kind && i < block_count(targets); i++) {
		const struct target_row *t = block_row(targets, i);

		for (uint32_t k = 0; k < t->endpoints.n; k++) {
			const struct endpoint_row *e = block_nested(targets, &endpoint_row_type, t->endpoints, k);
			struct text network = block_text(targets, e->network);

			if (!addr_same(&e->gateway, a) && !addr_same(&e->gateway6, a))
				continue;
			snprintf(text, sizeof text, "gateway of %.*s", (int)(network.n < 250 ? network.n : 250), network.n ? network.p : "");
			return builder_str(b, text);
		}
	}
	return ROW_NO_TEXT;
}

static struct rows name_hops(struct builder *b, const struct block *from, struct rows hops, const struct block *targets)
{
	struct hop_row copy[PROBE_MAX_HOPS];
	uint32_t n = hops.n < PROBE_MAX_HOPS ? hops.n : PROBE_MAX_HOPS;

	for (uint32_t i = 0; i < n; i++) {
		const struct target_row *t;
		struct text says;

		copy[i] = *(const struct hop_row *)block_nested(from, &hop_row_type, hops, i);
		says = block_text(from, copy[i].says);
		copy[i].says = builder_text(b, says.p, says.n);
		copy[i].name = name_of(b, targets, &copy[i].address, &t);
		if (!t)
			copy[i].name = gateway_name(b, targets, &copy[i].address);
	}
	return builder_rows(b, &hop_row_type, copy, n);
}

/* A frozen container's kernel still shakes hands until its backlog is full. */
static void say_paused(struct builder *b, struct probe_row *row, const struct block *targets, const struct target_row *t)
{
	struct text name = block_text(targets, t->name);
	char text[300];

	if (t->state != TARGET_STATE_PAUSED ||
		(row->verdict != PROBE_OPEN && row->verdict != PROBE_HUNG && row->verdict != PROBE_TIMEOUT))
		return;
	snprintf(text, sizeof text, "container %.*s is paused: its kernel may still accept connections, nobody reads them",
		(int)(name.n < 200 ? name.n : 200), name.p);
	row->verdict = PROBE_PAUSED;
	row->works = 0;
	row->head.severity = SEVERITY_BAD;
	row->meaning = builder_str(b, text);
}

struct block *dest_name_targets(const struct block *const *blocks, unsigned n, const struct block *targets)
{
	struct builder *b = builder_new(&probe_row_type);
	struct block *ret;

	for (unsigned i = 0; i < n; i++) {
		for (uint32_t k = 0; blocks[i] && k < block_count(blocks[i]); k++) {
			const struct probe_row *from = block_row(blocks[i], k);
			struct probe_row *row = builder_copy_row(b, blocks[i], from);
			const struct target_row *t;

			row->target = name_of(b, targets, &row->address, &t);
			row->hops = name_hops(b, blocks[i], from->hops, targets);
			if (t)
				say_paused(b, row, targets, t);
		}
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}
