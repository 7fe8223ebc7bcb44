/*
 * Who is asked, and what the answers mean beside each other: see compare.h. That a name of a container is known to Docker alone is
 * how it should be; that two servers of one resolv.conf disagree, or that an address belongs to nobody any more, is not.
 */
#include "core/dns/compare.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/block.h"
#include "core/fd.h"
#include "core/source/files.h"
#include "core/target.h"

enum { MAX_ANSWERS = 24, ANSWER_TEXT = 128, SENTENCE = 400, COMPARE_TIMEOUT_MS = 2000, COMPARE_ATTEMPTS = 1 };

static const struct field compare_fields[] = {
	{ ROW_FIELD(struct dns_compare_row, name, TEXT), .title = "NAME", .help = "name that was asked", .flags = FIELD_WIDE, .width = 24,
		.priority = 6 },
	{ ROW_FIELD(struct dns_compare_row, server, TEXT), .title = "SERVER", .help = "who answered: a name server, or a file", .width = 15 },
	{ ROW_FIELD(struct dns_compare_row, who, TEXT), .title = "WHO", .help = "what this resolver is to the target", .width = 22, .priority = 1 },
	{ ROW_FIELD(struct dns_compare_row, from, TEXT), .title = "FROM", .help = "network namespace it is asked from: target or host",
		.width = 6, .priority = 5 },
	{ ROW_FIELD(struct dns_compare_row, time_us, UINT), .title = "TIME", .help = "from question to reply", .unit = UNIT_US,
		.flags = FIELD_RIGHT, .width = 7, .priority = 4 },
	{ ROW_FIELD(struct dns_compare_row, rcode, TEXT), .title = "RCODE", .help = "response code, or why there was no reply", .width = 8,
		.priority = 1 },
	{ ROW_FIELD(struct dns_compare_row, answers, LIST), .title = "ANSWER", .help = "addresses in the answer, or other data, sorted",
		.flags = FIELD_FLEX, .width = 24 },
	{ ROW_FIELD(struct dns_compare_row, targets, LIST), .title = "IS", .help = "containers that have these addresses", .width = 16,
		.priority = 3 },
	{ ROW_FIELD(struct dns_compare_row, finding, TEXT), .title = "FINDING",
		.help = "what does not fit; in the first row the verdict on all of them", .flags = FIELD_FLEX, .width = 24, .priority = 2 },
};

const struct row_type dns_compare_row_type = {
	.name = "dns-compare",
	.noun = "resolvers",
	.id = 0x646e7363, /* "dnsc" */
	.schema = 1,
	.size = sizeof(struct dns_compare_row),
	.fields = compare_fields,
	.n_fields = ARRAY_LEN(compare_fields),
};

/* --- who --- */

struct peers {
	struct dns_peer *list;
	unsigned n;
};

static void add_peer(struct peers *p, const struct dns_peer *new)
{
	for (unsigned i = 0; i < p->n; i++)
		if (addr_same(&p->list[i].server, &new->server) && p->list[i].on_host == new->on_host)
			return;
	if (p->n < DNS_MAX_PEERS && new->server.kind != ADDR_NONE)
		p->list[p->n++] = *new;
}

static bool is_docker(const struct addr *a)
{
	return a->kind == ADDR_IP4 && memcmp(a->bytes, (uint8_t[]){ 127, 0, 0, 11 }, 4) == 0;
}

/* A search list that the kubelet wrote: "default.svc.cluster.local". */
static bool is_kubernetes(const struct dns_request *q)
{
	for (unsigned i = 0; i < q->n_search; i++)
		if (strncmp(q->search[i], "svc.", 4) == 0 || strstr(q->search[i], ".svc."))
			return true;
	return false;
}

static const char *own_name(const struct dns_request *q, const struct addr *a)
{
	if (is_docker(a))
		return "Docker's embedded DNS";
	if (is_kubernetes(q))
		return "cluster DNS (CoreDNS)";
	return addr_is_loopback(a) ? "a resolver inside" : "the target's name server";
}

/* Docker writes into resolv.conf whom it forwards to; "host(ADDRESS)" is asked from the host. */
static void add_upstreams(struct peers *p, const struct block *files)
{
	for (uint32_t i = 0; files && i < block_count(files); i++) {
		const struct file_row *row = block_row(files, i);

		if (row->key == FILE_UPSTREAM)
			add_peer(p, &(struct dns_peer){ .who = "Docker's upstream", .server = row->address,
				.on_host = text_contains(block_text(files, row->value), text_of("host(")) });
	}
}

unsigned dns_compare_peers(const struct block *files, const struct block *host_files, struct dns_peer ret[DNS_MAX_PEERS])
{
	struct dns_request own, host;
	struct peers p = { .list = ret };
	bool is_behind_docker = false;

	dns_request_from_files(files, &own);
	dns_request_from_files(host_files, &host);
	for (unsigned i = 0; i < own.n_servers && files; i++) {
		struct dns_peer peer = { .who = own_name(&own, &own.servers[i]), .server = own.servers[i], .is_own = true };

		is_behind_docker |= is_docker(&own.servers[i]);
		memcpy(peer.zone, own.zones[i], sizeof peer.zone);
		add_peer(&p, &peer);
	}
	add_upstreams(&p, files);
	for (unsigned i = 0; i < host.n_servers && host_files; i++) {
		struct dns_peer peer = { .who = is_behind_docker ? "host's resolver, Docker's upstream" : "host's resolver",
			.server = host.servers[i], .on_host = true };

		memcpy(peer.zone, host.zones[i], sizeof peer.zone);
		add_peer(&p, &peer);
	}
	return p.n;
}

/* --- asking --- */

void dns_compare_name(const struct block *answers, const struct dns_request *asked, char ret[DNS_NAME_TEXT])
{
	struct text name = { 0 };

	for (uint32_t i = 0; i < block_count(answers); i++) {
		const struct dns_row *row = block_row(answers, i);

		if (row->section != DNS_SECTION_ANSWER)
			continue;
		if (name.n == 0 || row->data.len != UINT32_MAX)
			name = block_text(answers, row->name);
		if (row->data.len != UINT32_MAX)
			break;
	}
	if (name.n == 0 || name.n >= DNS_NAME_TEXT || asked->types[0] == 12)
		name = (struct text){ asked->name, strnlen(asked->name, DNS_NAME_TEXT - 2) };
	memcpy(ret, name.p, name.n);
	ret[name.n] = 0;
	if (asked->types[0] != 12 && (name.n == 0 || ret[name.n - 1] != '.') && name.n < DNS_NAME_TEXT - 1)
		memcpy(ret + name.n, ".", 2);
}

void dns_compare_request(const struct dns_peer *p, const struct dns_request *asked, const char *name, uint32_t timeout_ms,
	struct dns_request *ret)
{
	uint32_t limit = timeout_ms < COMPARE_TIMEOUT_MS ? timeout_ms : COMPARE_TIMEOUT_MS;

	memset(ret, 0, sizeof *ret);
	snprintf(ret->name, sizeof ret->name, "%s", name);
	memcpy(ret->types, asked->types, sizeof ret->types);
	ret->servers[0] = p->server;
	memcpy(ret->zones[0], p->zone, sizeof ret->zones[0]);
	ret->n_servers = 1;
	ret->timeout_ms = (uint16_t)limit;
	ret->attempts = COMPARE_ATTEMPTS;
	ret->deadline_ms = limit;
	ret->flags = (asked->flags & DNS_TCP) | DNS_NO_SEARCH | DNS_NO_HOSTS;
}

/* --- what one of them said --- */

struct said {
	struct text items[MAX_ANSWERS]; /* sorted, no two the same */
	unsigned n;
	struct text rcode, server;
	uint64_t time_us;
	bool asked, replied;
};

static int by_text(const void *x, const void *y)
{
	return text_compare(*(const struct text *)x, *(const struct text *)y);
}

static void add_item(struct said *s, struct text t)
{
	for (unsigned i = 0; i < s->n; i++)
		if (text_equal(s->items[i], t))
			return;
	if (s->n < MAX_ANSWERS)
		s->items[s->n++] = t;
}

/* CNAMEs lead to the addresses, which is what counts. */
static bool counts(const struct block *b, const struct dns_row *row, const struct dns_request *asked)
{
	bool is_address = asked->types[0] == 1 || asked->types[0] == 28;

	(void)b;
	return row->section == DNS_SECTION_ANSWER && row->data.len != UINT32_MAX && (!is_address || row->address.kind != ADDR_NONE);
}

static void listen_to(const struct block *b, const struct dns_request *asked, struct said *ret)
{
	*ret = (struct said){ .rcode = text_of("not asked"), .time_us = ROW_NO_UINT, .asked = b };
	for (uint32_t i = 0; b && i < block_count(b); i++) {
		const struct dns_row *row = block_row(b, i);
		struct text rcode = block_text(b, row->rcode);

		if (row->section != DNS_SECTION_ANSWER)
			continue;
		if (counts(b, row, asked))
			add_item(ret, block_text(b, row->data));
		if (rcode.n && (ret->server.n == 0 || counts(b, row, asked))) {
			ret->rcode = rcode;
			ret->server = block_text(b, row->server);
		}
		ret->replied |= rcode.n && rcode.p[0] >= 'A' && rcode.p[0] <= 'Z';
		if (row->time_us != ROW_NO_UINT && (ret->time_us == ROW_NO_UINT || row->time_us > ret->time_us))
			ret->time_us = row->time_us;
	}
	if (ret->n)
		qsort(ret->items, ret->n, sizeof ret->items[0], by_text);
}

static bool same_items(const struct said *x, const struct said *y)
{
	if (x->n != y->n)
		return false;
	for (unsigned i = 0; i < x->n; i++)
		if (!text_equal(x->items[i], y->items[i]))
			return false;
	return true;
}

static bool share_items(const struct said *x, const struct said *y)
{
	for (unsigned i = 0; i < x->n; i++)
		for (unsigned k = 0; k < y->n; k++)
			if (text_equal(x->items[i], y->items[k]))
				return true;
	return false;
}

static void join_items(const struct said *s, char ret[SENTENCE])
{
	size_t n = 0;

	ret[0] = 0;
	for (unsigned i = 0; i < s->n && n + ANSWER_TEXT < SENTENCE && i < 4; i++)
		n += (size_t)snprintf(ret + n, SENTENCE - n, "%s%.*s", i ? ", " : "", (int)(s->items[i].n < 60 ? s->items[i].n : 60), s->items[i].p);
	if (s->n > 4)
		snprintf(ret + n, SENTENCE - n, " and %u more", s->n - 4);
}

/* --- whose addresses --- */

static bool in_list(const struct block *b, struct str list, const char *text)
{
	struct text item;

	for (uint32_t i = 0; block_list_item(b, list, i, &item); i++)
		if (text_equal(item, text_of(text)))
			return true;
	return false;
}

/* The container with this address; one that runs before one that does not. */
static const struct target_row *owner_of(const struct block *targets, const char *address)
{
	const struct target_row *found = NULL;

	for (uint32_t i = 0; targets && i < block_count(targets); i++) {
		const struct target_row *t = block_row(targets, i);

		if (!in_list(targets, t->addresses, address))
			continue;
		if (!found || t->state == TARGET_STATE_RUNNING || t->state == TARGET_STATE_PAUSED)
			found = t;
	}
	return found;
}

static bool in_subnet(const struct addr *a, struct text subnet)
{
	char text[ADDR_TEXT];
	struct addr net;

	if (subnet.n >= sizeof text)
		return false;
	memcpy(text, subnet.p, subnet.n);
	text[subnet.n] = 0;
	return addr_parse(text, &net) == 0 && net.has_prefix && addr_same_prefix(a, &net, net.prefix);
}

/* The engine's network that the address lies in, its gateway apart (that is the host). */
static const struct network_row *network_of(const struct block *networks, const struct addr *a)
{
	for (uint32_t i = 0; networks && i < block_count(networks); i++) {
		const struct network_row *n = block_row(networks, i);
		struct text subnet;

		for (uint32_t k = 0; block_list_item(networks, n->subnets, k, &subnet); k++)
			if (in_subnet(a, subnet) && !addr_same(a, &n->gateway))
				return n;
	}
	return NULL;
}

/* An address of a network of the engine where nobody lives: what it named is gone. */
static bool stale_sentence(const struct dns_compared *c, struct text item, char ret[SENTENCE])
{
	const struct target_row *owner;
	const struct network_row *net;
	char text[ADDR_TEXT];
	struct addr a;

	if (item.n >= sizeof text)
		return false;
	memcpy(text, item.p, item.n);
	text[item.n] = 0;
	if (addr_parse(text, &a) < 0 || addr_is_loopback(&a))
		return false;
	owner = owner_of(c->targets, text);
	net = network_of(c->networks, &a);
	if (owner && (owner->state == TARGET_STATE_EXITED || owner->state == TARGET_STATE_DEAD)) {
		struct text name = block_text(c->targets, owner->name);

		snprintf(ret, SENTENCE, "stale: %s was %.*s, which does not run any more", text, (int)(name.n < 64 ? name.n : 64), name.p);
		return true;
	}
	if (!owner && net) {
		struct text name = block_text(c->networks, net->name);

		snprintf(ret, SENTENCE, "stale: %s lies in network %.*s, but no container has it", text, (int)(name.n < 64 ? name.n : 64), name.p);
		return true;
	}
	return false;
}

/* --- rows --- */

static struct dns_compare_row *add_row(struct builder *b, const struct dns_compared *c, const struct said *s)
{
	struct dns_compare_row *row = builder_row(b);

	row->name = builder_str(b, c->name);
	row->who = row->server = row->from = row->targets = row->answers = row->finding = ROW_NO_TEXT;
	row->rcode = s->rcode.n ? builder_text(b, s->rcode.p, s->rcode.n) : ROW_NO_TEXT;
	row->time_us = s->time_us;
	if (s->replied || s->n)
		row->answers = row->targets = (struct str){ 0 }; /* known to be none */
	for (unsigned i = 0; i < s->n; i++)
		builder_list_add(b, &row->answers, s->items[i].p, s->items[i].n);
	for (unsigned i = 0; i < s->n; i++) {
		char text[ADDR_TEXT];
		const struct target_row *t;

		snprintf(text, sizeof text, "%.*s", (int)(s->items[i].n < sizeof text ? s->items[i].n : 0), s->items[i].p);
		t = owner_of(c->targets, text);
		if (t)
			builder_list_add(b, &row->targets, block_text(c->targets, t->name).p, block_text(c->targets, t->name).n);
	}
	return row;
}

static void find(struct builder *b, struct dns_compare_row *row, enum severity severity, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static void find(struct builder *b, struct dns_compare_row *row, enum severity severity, const char *fmt, ...)
{
	char text[SENTENCE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	row->head.severity = severity;
	row->finding = builder_str(b, text);
}

/* What one resolver's answer means beside the target's. */
static void judge_peer(struct builder *b, struct dns_compare_row *row, const struct dns_peer *p, const struct said *own, const struct said *s)
{
	row->head.severity = s->asked ? SEVERITY_OK : SEVERITY_NONE;
	if (!s->asked)
		return;
	if (!s->replied)
		find(b, row, p->is_own ? SEVERITY_BAD : SEVERITY_WARN, "no reply");
	else if (same_items(own, s))
		return;
	else if (own->n && s->n == 0)
		find(b, row, p->is_own ? SEVERITY_WARN : SEVERITY_IDLE, "does not know it");
	else if (own->n == 0)
		find(b, row, SEVERITY_WARN, "knows it, the target does not find it");
	else
		find(b, row, SEVERITY_WARN, share_items(own, s) ? "some addresses differ" : "other addresses");
}

struct sums {
	unsigned n_silent_own, n_own, n_silent, n_other, n_unknown, n_knows; /* of peers that were asked */
	unsigned silent, other, knows; /* one of them */
};

static void sum_up(const struct dns_compared *c, const struct said *own, const struct said *said, struct sums *ret)
{
	*ret = (struct sums){ 0 };
	for (unsigned i = 0; i < c->n; i++) {
		const struct said *s = &said[i];

		if (!s->asked)
			continue;
		ret->n_own += c->peers[i].is_own;
		ret->n_silent_own += c->peers[i].is_own && !s->replied;
		if (!s->replied) {
			ret->n_silent++;
			ret->silent = i;
		}
		if (!s->replied || same_items(own, s))
			continue;
		if (own->n && s->n == 0) {
			ret->n_unknown++;
		} else if (own->n == 0) {
			ret->n_knows++;
			ret->knows = i;
		} else {
			ret->n_other++;
			ret->other = i;
		}
	}
}

/* One sentence on all of it, the worst first. */
static void judge_all(struct builder *b, struct dns_compare_row *row, const struct dns_compared *c, const struct said *own,
	const struct said *said)
{
	char stale[SENTENCE], items[SENTENCE];
	const struct said *other;
	struct sums sum;

	sum_up(c, own, said, &sum);
	row->head.severity = own->replied || own->n ? SEVERITY_OK : SEVERITY_BAD;
	other = &said[own->n ? sum.other : sum.knows];
	join_items(other, items);
	for (unsigned i = 0; i < own->n; i++) {
		if (stale_sentence(c, own->items[i], stale)) {
			find(b, row, SEVERITY_BAD, "%s", stale);
			return;
		}
	}
	if (sum.n_own && sum.n_silent_own == sum.n_own && !own->n)
		find(b, row, SEVERITY_BAD, "none of the target's name servers replies");
	else if (sum.n_knows)
		find(b, row, SEVERITY_WARN, "the target does not find it, but %s does: %s", c->peers[sum.knows].who, items);
	else if (sum.n_other)
		find(b, row, SEVERITY_WARN, "resolvers disagree: %s says %s", c->peers[sum.other].who, items);
	else if (sum.n_silent_own && sum.n_own == 1)
		find(b, row, SEVERITY_WARN, "%s does not reply", c->peers[sum.silent].who);
	else if (sum.n_silent_own)
		find(b, row, SEVERITY_WARN, "%u of the target's %u name servers %s not reply", sum.n_silent_own, sum.n_own,
			sum.n_silent_own == 1 ? "does" : "do");
	else if (sum.n_silent)
		find(b, row, SEVERITY_IDLE, "%s does not reply", c->peers[sum.silent].who);
	else if (sum.n_unknown)
		find(b, row, SEVERITY_IDLE, "only the target's own resolver knows the name%s",
			row->targets.len != UINT32_MAX && row->targets.len ? ", as it should be for a container's" : "");
}

static void peer_row(struct builder *b, const struct dns_compared *c, const struct dns_peer *p, const struct said *own, const struct said *s)
{
	struct dns_compare_row *row = add_row(b, c, s);
	char text[ADDR_TEXT];

	row->who = builder_str(b, p->who);
	row->server = builder_str(b, addr_format(&p->server, text));
	row->from = builder_str(b, p->on_host ? "host" : "target");
	row->head.id = row_hash(text, strlen(text), p->on_host);
	judge_peer(b, row, p, own, s);
}

struct block *dns_compare_rows(const struct dns_compared *c)
{
	AUTO(fd_freep) struct said *said = fd_xcalloc(c->n + 1, sizeof *said);
	struct builder *b = builder_new(&dns_compare_row_type);
	struct said *own = &said[c->n];
	struct dns_compare_row *row;
	struct block *ret;

	listen_to(c->own, c->asked, own);
	for (unsigned i = 0; i < c->n; i++)
		listen_to(c->answers[i], c->asked, &said[i]);
	row = add_row(b, c, own);
	row->who = builder_str(b, "the target itself");
	row->server = own->server.n ? builder_text(b, own->server.p, own->server.n) : ROW_NO_TEXT;
	row->from = builder_str(b, "target");
	row->head.id = 1;
	judge_all(b, row, c, own, said);
	for (unsigned i = 0; i < c->n; i++)
		peer_row(b, c, &c->peers[i], own, &said[i]);
	ret = builder_block(b);
	builder_free(b);
	return ret;
}
