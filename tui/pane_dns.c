/*
 * The DNS pane: asks names from inside the target, the way its libc would: its hosts file first, then its name servers with its search
 * list. Two workers: one reads the container's files and ends, one asks. The second may be asked again and again (S).
 */
#include "tui/dns_view.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct feed_spec files_spec = { .source = &files_source, .deadline_ms = 2000 };
static const struct feed_spec ask_spec = { .source = &dns_source };

const struct dns_choice dns_choices[] = {
	{ "A+AAAA", { 1, 28 } }, { "A", { 1 } }, { "AAAA", { 28 } }, { "PTR", { 12 } }, { "CNAME", { 5 } },
	{ "MX", { 15 } }, { "TXT", { 16 } }, { "SRV", { 33 } }, { "NS", { 2 } }, { "SOA", { 6 } },
};
const unsigned dns_n_choices = ARRAY_LEN(dns_choices);
enum { CHOICE_ADDRESSES = 0, CHOICE_PTR = 3 };

/* --- the form --- */

/* An address is asked for its name, and a name after an address for its addresses again. */
void dns_view_set_name(struct dns_view *v, const char *name)
{
	struct addr a;
	bool is_address = addr_parse(name, &a) == 0 && a.kind != ADDR_MAC && !a.has_prefix;

	if (strcmp(v->name, name) != 0)
		v->n_samples = 0;
	snprintf(v->name, sizeof v->name, "%s", name);
	if (is_address)
		v->choice = CHOICE_PTR;
	else if (v->choice == CHOICE_PTR && !strstr(name, ".arpa"))
		v->choice = CHOICE_ADDRESSES;
}

/* Cuts ":53" or "#53" off; false: not a port. One colon only, or brackets: more of them are an IPv6 address. */
static bool cut_port(char *text, uint16_t *ret)
{
	char *mark = strchr(text, '#'), *end = NULL;
	unsigned long port;

	if (!mark && text[0] == '[')
		mark = strstr(text, "]:") ? strstr(text, "]:") + 1 : NULL;
	else if (!mark && strchr(text, ':') == strrchr(text, ':'))
		mark = strchr(text, ':');
	*ret = 53;
	if (!mark)
		return true;
	port = strtoul(mark + 1, &end, 10);
	*mark = '\0';
	*ret = (uint16_t)port;
	return *end == '\0' && end != mark + 1 && port > 0 && port <= UINT16_MAX;
}

bool dns_view_set_server(struct dns_view *v, const char *text)
{
	char buf[DNS_SERVER_TEXT], *start = buf;
	uint16_t port = 53;
	struct addr a = { 0 };
	size_t n;

	if (strlen(text) >= sizeof buf)
		return false;
	memcpy(buf, text, strlen(text) + 1);
	if (buf[0] && !cut_port(buf, &port))
		return false;
	n = strlen(buf);
	if (buf[0] == '[' && buf[n - 1] == ']') {
		buf[n - 1] = '\0';
		start++;
	}
	if (buf[0] && (addr_parse(start, &a) < 0 || a.kind == ADDR_MAC || a.has_prefix))
		return false;
	snprintf(v->server, sizeof v->server, "%s", text);
	v->server_address = a;
	v->server_port = port;
	v->n_samples = 0;
	return true;
}

size_t dns_view_dig(const struct dns_view *v, char *buf, size_t cap)
{
	char server[ADDR_TEXT];
	size_t n = 0;

	addr_format(v->server[0] ? &v->server_address : &v->defaults.servers[0], server);
	n = (size_t)snprintf(buf, cap, "dig @%s%s", server, v->flags & DNS_TCP ? " +tcp" : "");
	if (v->server[0] && v->server_port != 53 && n < cap)
		n += (size_t)snprintf(buf + n, cap - n, " -p %u", v->server_port);
	for (unsigned i = 0; i < 4 && dns_choices[v->choice].types[i] && n < cap; i++) {
		char type[16];

		if (v->choice == CHOICE_PTR && !strstr(v->name, ".arpa"))
			n += (size_t)snprintf(buf + n, cap - n, " -x %s", v->name);
		else
			n += (size_t)snprintf(buf + n, cap - n, " %s %s", v->name,
				dns_type_name(dns_choices[v->choice].types[i], type));
	}
	return n < cap ? n : cap - 1;
}

bool dns_view_shows_files(const struct dns_view *v)
{
	return v->show_files || (v->asked.n == 0 && !v->versus.shown);
}

struct grid *dns_view_lower(struct dns_view *v)
{
	if (dns_view_shows_files(v))
		return &v->lines;
	return v->versus.shown ? &v->versus.grid : &v->history;
}

/* --- asking --- */

static void request_fill(const struct dns_view *v, struct dns_request *ret)
{
	*ret = v->defaults;
	snprintf(ret->name, sizeof ret->name, "%s", v->name);
	memcpy(ret->types, dns_choices[v->choice].types, sizeof ret->types);
	ret->flags |= v->flags;
	if (v->server[0] == '\0')
		return;
	ret->servers[0] = v->server_address;
	ret->zones[0][0] = '\0';
	ret->n_servers = 1;
	ret->port = v->server_port;
	ret->libc = DNS_LIBC_NONE;
	ret->flags |= DNS_NO_HOSTS; /* a server was named: it is the one to answer */
}

static void sample_add(struct dns_view *v, double ms)
{
	if (v->n_samples == DNS_SAMPLES) {
		memmove(v->samples, v->samples + 1, sizeof v->samples - sizeof v->samples[0]);
		v->n_samples--;
	}
	v->samples[v->n_samples++] = ms;
}

/* Records first, then how one came to them. Signs only where something is to be seen. */
static struct block *in_reading_order(const struct block *answers)
{
	struct builder *b = builder_new(&dns_row_type);
	struct block *ret;

	for (int steps = 0; steps < 2; steps++) {
		for (uint32_t i = 0; i < block_count(answers); i++) {
			const struct dns_row *row = block_row(answers, i);

			if ((row->section == DNS_SECTION_STEP) != steps)
				continue;
			struct dns_row *copy = builder_copy_row(b, answers, row);
			if (copy->head.severity == SEVERITY_OK || (steps && copy->head.severity < SEVERITY_BAD))
				copy->head.severity = SEVERITY_NONE;
		}
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

void dns_view_compare(struct dns_view *v)
{
	v->versus.shown = v->shown;
	if (v->shown)
		dns_versus_start(&v->versus, &v->request, v->files, v->shown);
}

static void answer_take(struct dns_view *v, struct block *answers)
{
	AUTO(block_unrefp) struct block *named = dns_name_targets(answers, v->pane->env->targets);
	AUTO(block_unrefp) struct block *ordered = in_reading_order(named);
	AUTO(block_unrefp) struct block *history = NULL;

	v->waiting = v->pending = false;
	v->why[0] = '\0';
	asked_sum(answers, &v->last);
	v->last.time = block_time(answers);
	asked_add(&v->asked, &v->last);
	sample_add(v, v->last.time_us == ROW_NO_UINT || v->last.severity == SEVERITY_BAD ? -1 : (double)v->last.time_us / 1000);
	table_set_block(v->answer.table, ordered);
	table_jump(v->answer.table, 0);
	history = asked_block(&v->asked);
	table_set_block(v->history.table, history);
	table_jump(v->history.table, 0);
	block_unref(v->shown);
	v->shown = block_ref(answers);
	if (v->versus.shown && !v->repeat)
		dns_view_compare(v);
}

static void ask_failed(struct dns_view *v, const char *why)
{
	v->waiting = v->pending = false;
	snprintf(v->why, sizeof v->why, "%s", why);
}

static void ask_ended(struct dns_view *v)
{
	const struct feed *f = &v->pane->feeds[DNS_SLOT_ASK];
	char buf[192];

	snprintf(buf, sizeof buf, "%s%.120s   [Enter] %s", f->state == FEED_FAILED ? "" : "the DNS worker ended: ",
		f->why[0] ? f->why : "nobody knows why", f->state == FEED_FAILED ? "tries again" : "asks with a new one");
	ask_failed(v, buf);
}

/* Goes on as soon as the files are known and the worker is there. */
static void try_to_ask(struct dns_view *v)
{
	AUTO(block_unrefp) struct block *hosts = NULL;
	struct pane *p = v->pane;

	if (!v->pending || !v->files_done)
		return;
	request_fill(v, &v->request);
	hosts = dns_answer_from_files(v->files, &v->request);
	if (hosts) {
		answer_take(v, hosts);
		return;
	}
	if (!p->env->session || p->feeds[DNS_SLOT_ASK].state == FEED_STARTING)
		return;
	if (p->feeds[DNS_SLOT_ASK].state != FEED_LIVE) {
		pane_feed_open(p, DNS_SLOT_ASK, &ask_spec);
		if (p->feeds[DNS_SLOT_ASK].state != FEED_STARTING)
			ask_failed(v, p->feeds[DNS_SLOT_ASK].why);
		return;
	}
	v->pending = false;
	v->waiting = pane_feed_request(p, DNS_SLOT_ASK, ++v->tag, DNS_OP_ASK, &v->request, sizeof v->request, -1) == 0;
	if (!v->waiting)
		ask_failed(v, "the DNS worker does not take questions; R starts another");
}

static uint64_t question_hash(const struct dns_view *v)
{
	uint64_t hash = row_hash(v->name, strlen(v->name), v->choice);

	hash = row_hash(v->server, strlen(v->server), hash);
	return row_hash(&v->flags, sizeof v->flags, hash);
}

void dns_view_ask(struct dns_view *v)
{
	uint64_t question = question_hash(v);

	if (v->name[0] == '\0' || ((v->waiting || v->pending) && question == v->question))
		return;
	if (v->waiting) /* for a slow answer to something else: nobody needs it any more, and the worker does one at a time */
		pane_feed_open(v->pane, DNS_SLOT_ASK, &ask_spec);
	v->waiting = false;
	v->question = question;
	v->pending = true;
	v->asked_ms = v->pane->env->now_ms;
	snprintf(v->last.name, sizeof v->last.name, "%s", v->name);
	snprintf(v->last.type, sizeof v->last.type, "%s", dns_choices[v->choice].name);
	try_to_ask(v);
	pane_dirty(v->pane);
}

static int on_repeat(void *arg)
{
	struct dns_view *v = arg;

	if (!v->pane->frozen)
		dns_view_ask(v);
	return 0;
}

void dns_view_repeat(struct dns_view *v, bool on)
{
	struct loop *loop = v->pane->env->loop;

	v->repeat = on;
	if (loop && v->timer)
		loop_remove(loop, v->timer);
	v->timer = on && loop ? loop_add_timer(loop, DNS_REPEAT_MS, true, on_repeat, v) : NULL;
	if (on)
		dns_view_ask(v);
}

/* --- events --- */

void dns_view_show_wire(struct dns_view *v, bool on)
{
	v->on_wire = on;
	if (on)
		dns_wire_view_open(&v->wire, v->files);
}

static void files_take(struct dns_view *v, struct block *b)
{
	block_unref(v->files);
	v->files = b;
	v->files_done = true;
	dns_request_from_files(b, &v->defaults);
	dns_wire_view_files(&v->wire, b);
	if (b)
		table_set_block(v->lines.table, b);
	try_to_ask(v);
}

static void files_event(struct pane *p, struct dns_view *v, struct link_event *ev)
{
	if (ev->type == LINK_BLOCK) {
		files_take(v, ev->block);
		pane_feed_close(p, DNS_SLOT_FILES); /* its work is done */
	} else if (ev->type == LINK_CLOSED || ev->type == LINK_ERROR) {
		files_take(v, NULL);
	}
}

static void ask_event(struct dns_view *v, struct link_event *ev)
{
	switch (ev->type) {
	case LINK_READY:
		try_to_ask(v);
		break;
	case LINK_BLOCK:
		if (ev->tag == v->tag) {
			ev->block = dns_answer_complete(v->files, &v->request, ev->block);
			answer_take(v, ev->block);
		}
		block_unref(ev->block);
		break;
	case LINK_ERROR:
		if (ev->tag == v->tag && v->tag)
			ask_failed(v, ev->msg);
		break;
	case LINK_CLOSED:
		if (v->waiting || v->pending)
			ask_ended(v);
		break;
	case LINK_GONE:
	case LINK_NOTHING:
		break;
	}
}

static void dns_event(struct pane *p, unsigned slot, struct link_event *ev)
{
	struct dns_view *v = dns_view_of(p);

	if (slot >= DNS_SLOT_WATCH)
		dns_wire_view_event(&v->wire, slot, ev);
	else if (slot == DNS_SLOT_FILES)
		files_event(p, v, ev);
	else
		ask_event(v, ev);
	pane_dirty(p);
}

/* --- the pane --- */

static int dns_init(struct pane *p, struct err *err)
{
	struct dns_view *v = dns_view_of(p);

	(void)err;
	v->pane = p;
	dns_view_grids(v);
	dns_wire_view_init(&v->wire, p);
	dns_versus_init(&v->versus, p);
	dns_request_from_files(NULL, &v->defaults);
	pane_feed_open(p, DNS_SLOT_FILES, &files_spec);
	pane_feed_open(p, DNS_SLOT_ASK, &ask_spec);
	return 0;
}

static void dns_done(struct pane *p)
{
	struct dns_view *v = dns_view_of(p);

	dns_view_repeat(v, false);
	dns_wire_view_done(&v->wire);
	dns_versus_done(&v->versus);
	block_unref(v->shown);
	grid_done(&v->answer);
	grid_done(&v->history);
	grid_done(&v->lines);
	block_unref(v->files);
	prompt_history_done(&v->names);
	prompt_history_done(&v->servers);
}

static void dns_refresh(struct pane *p)
{
	struct dns_view *v = dns_view_of(p);
	enum feed_state ask = p->feeds[DNS_SLOT_ASK].state;

	if (v->on_wire) {
		pane_feeds_refresh(p);
		return;
	}
	v->files_done = false;
	pane_feed_open(p, DNS_SLOT_FILES, &files_spec);
	if (ask != FEED_LIVE && ask != FEED_STARTING)
		pane_feed_open(p, DNS_SLOT_ASK, &ask_spec);
	dns_view_ask(v);
}

static void dns_take(struct pane *p, const struct carry *c)
{
	struct dns_view *v = dns_view_of(p);

	if (c->name[0] == '\0')
		return;
	v->on_wire = false;
	dns_view_set_name(v, c->name);
	dns_view_ask(v);
}

static void dns_give(const struct pane *p, char letter, struct carry *ret)
{
	struct dns_view *v = dns_view_of(p);
	const struct dns_row *row = v->on_wire ? NULL : grid_selected(&v->answer, NULL);
	char text[ADDR_TEXT];

	if (letter == 'P' && row && row->address.kind)
		snprintf(ret->probe, sizeof ret->probe, "ping %s", addr_format(&row->address, text));
	if (letter != 'c')
		return;
	snprintf(ret->bpf, sizeof ret->bpf, "port 53");
	if (v->on_wire)
		dns_wire_view_give(&v->wire, ret);
}

static struct grid *dns_grid(const struct pane *p)
{
	struct dns_view *v = dns_view_of(p);

	if (v->on_wire)
		return dns_wire_view_grid(&v->wire);
	return v->focus == DNS_ANSWER ? &v->answer : dns_view_lower(v);
}

static void dns_freeze(struct pane *p, bool on)
{
	dns_wire_view_freeze(&dns_view_of(p)->wire, on);
}

const struct pane_ops pane_dns = {
	.name = "dns",
	.title = "DNS",
	.short_title = "DNS",
	.digit = '5',
	.letter = 'd',
	.state_size = sizeof(struct dns_view),
	.init = dns_init,
	.done = dns_done,
	.draw = dns_view_draw,
	.key = dns_view_key,
	.mouse = dns_view_mouse,
	.event = dns_event,
	.grid = dns_grid,
	.take = dns_take,
	.give = dns_give,
	.status = dns_view_message,
	.freeze = dns_freeze,
	.refresh = dns_refresh,
	.bindings = dns_bindings,
	.n_bindings = DNS_N_BINDINGS,
};
