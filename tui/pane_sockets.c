/*
 * Sockets of the target's network namespace. Two workers: one reads the sockets, one looks who owns them; both blocks
 * are joined here. Owners outside the namespace (dockerd's resolver, a debugger) are searched once for inodes that
 * nobody inside has.
 */
#include "core/fd.h"
#include "core/source/sockets.h"
#include "tui/facts.h"
#include "tui/pane.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SLOT_SOCKETS, SLOT_OWNERS };
enum { SEARCH_MAX = 500, PATH_SHOWN = 21, PATH_NARROW = 13 };

struct sockets_state {
	struct grid grid;
	struct block *sockets, *owners;
	uint32_t by_state[SOCK_STATE_N];
	uint32_t bad[SOCK_STATE_N]; /* of these, rows with a finding */
	uint32_t unowned; /* rows whose owner is not known yet */
	uint64_t asked[SEARCH_MAX]; /* inodes searched for already */
	unsigned n_asked;
	bool narrow; /* the local address is the target's own: its port will do */
};

/* --- text --- */

static bool has_remote(const struct sock_row *s)
{
	return s->remote_address.kind != ADDR_NONE && !addr_is_any(&s->remote_address);
}

static size_t format_local(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf,
	size_t cap)
{
	const struct sock_row *s = row;
	struct text path = block_text(b, s->path);
	const struct sockets_state *st = arg;

	size_t room = st->narrow ? PATH_NARROW : PATH_SHOWN;

	(void)look;
	if (s->protocol != SOCK_PROTO_UNIX && st->narrow && s->local_address.kind && !addr_is_loopback(&s->local_address))
		return (size_t)snprintf(buf, cap, "%s:%" PRIu64, addr_is_any(&s->local_address) ? "*" : "", s->local_port);
	if (s->protocol != SOCK_PROTO_UNIX)
		return facts_endpoint(&s->local_address, s->local_port, buf, cap);
	if (path.n <= room || st->grid.wide)
		return (size_t)snprintf(buf, cap, "%.*s", path.n ? (int)path.n : 1, path.n ? path.p : "-");
	/* the end of a path says more than its start */
	return (size_t)snprintf(buf, cap, "~%.*s", (int)room - 1, path.p + path.n - (room - 1));
}

static size_t format_remote(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf,
	size_t cap)
{
	const struct sock_row *s = row;

	(void)arg, (void)b, (void)look;
	if (!has_remote(s))
		return (size_t)snprintf(buf, cap, "-");
	return facts_endpoint(&s->remote_address, s->remote_port, buf, cap);
}

static size_t format_process(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf,
	size_t cap)
{
	const struct sock_row *s = row;
	struct text name = block_text(b, s->process);

	(void)arg, (void)look;
	if (s->pid == ROW_NO_UINT)
		return (size_t)snprintf(buf, cap, "-");
	return (size_t)snprintf(buf, cap, "%.*s/%" PRIu64 "%s", name.n > 32 ? 32 : (int)name.n, name.n ? name.p : "", s->pid,
		s->owners.n > 1 ? "+" : "");
}

static size_t format_timer(const void *arg, const struct block *b, const void *row, const struct row_look *look, char *buf,
	size_t cap)
{
	uint64_t ms = ((const struct sock_row *)row)->timer_ms;

	(void)arg, (void)b;
	if (ms == ROW_NO_UINT)
		return (size_t)snprintf(buf, cap, "-");
	if (look->raw_numbers)
		return (size_t)snprintf(buf, cap, "%" PRIu64, ms);
	return (size_t)snprintf(buf, cap, ms < 10000 ? "%.1fs" : "%.0fs", (double)ms / 1000);
}

static enum style style_state(const void *arg, const struct block *b, const void *row)
{
	const struct row_head *head = row;

	(void)arg, (void)b;
	return head->severity == SEVERITY_WARN || head->severity == SEVERITY_BAD ? canvas_severity_style(head->severity)
										 : STYLE_TEXT;
}

static const struct grid_column columns[] = {
	{ .field = "protocol", .title = "PROTO", .priority = 5 },
	{ .field = "state", .title = "STATE", .priority = 0, .style = style_state },
	{ .field = "local_address",
		.title = "LOCAL",
		.min = 7,
		.good = 21,
		.max = 48,
		.priority = 1,
		.flags = GRID_NOCUT,
		.format = format_local },
	{ .field = "remote_address",
		.title = "REMOTE",
		.min = 8,
		.good = 17,
		.max = 48,
		.priority = 2,
		.flags = GRID_NOCUT,
		.format = format_remote },
	{ .field = "peer", .title = "PEER", .min = 8, .good = 12, .max = 24, .priority = 3 },
	{ .field = "process",
		.title = "PROCESS",
		.min = 8,
		.good = 14,
		.max = 24,
		.priority = 4,
		.format = format_process },
	{ .field = "recv_queue", .title = "RECV-Q", .priority = 7, .flags = GRID_RIGHT },
	{ .field = "send_queue", .title = "SEND-Q", .priority = 6, .flags = GRID_RIGHT },
	{ .field = "retransmits", .title = "RTX", .priority = 8, .flags = GRID_RIGHT },
	{ .field = "timer_ms", .title = "TIMER", .priority = 10, .flags = GRID_RIGHT, .format = format_timer },
	{ .field = "uid", .title = "UID", .priority = 9, .flags = GRID_RIGHT },
	{ .field = "inode", .title = "INODE", .priority = 11, .flags = GRID_RIGHT | GRID_WIDE },
	{ .field = "interface", .title = "IF", .priority = 11, .flags = GRID_WIDE },
	{ .field = "type", .title = "TYPE", .priority = 11, .flags = GRID_WIDE },
	{ .field = "peer_inode", .title = "PEER-INODE", .priority = 11, .flags = GRID_RIGHT | GRID_WIDE },
	{ .field = "path", .title = "PATH", .max = 108, .priority = 12, .flags = GRID_WIDE },
};

/* --- data --- */

static void count(struct sockets_state *s, const struct block *b)
{
	memset(s->by_state, 0, sizeof s->by_state);
	memset(s->bad, 0, sizeof s->bad);
	s->unowned = 0;
	for (uint32_t i = 0; i < block_count(b); i++) {
		const struct sock_row *row = block_row(b, i);
		if (row->state < SOCK_STATE_N) {
			s->by_state[row->state]++;
			s->bad[row->state] += row->head.severity >= SEVERITY_WARN;
		}
		s->unowned += row->pid == ROW_NO_UINT && row->inode != ROW_NO_UINT;
	}
}

static bool was_asked(const struct sockets_state *s, uint64_t inode)
{
	for (unsigned i = 0; i < s->n_asked; i++)
		if (s->asked[i] == inode)
			return true;
	return false;
}

/* Sockets that nobody inside the namespace owns: look outside, once for each. */
static void search(struct pane *p, const struct block *joined)
{
	struct sockets_state *s = p->state;
	unsigned before = s->n_asked;

	if (!s->owners)
		return;
	for (uint32_t i = 0; i < block_count(joined) && s->n_asked < SEARCH_MAX; i++) {
		const struct sock_row *row = block_row(joined, i);
		if (row->pid == ROW_NO_UINT && row->inode != ROW_NO_UINT && row->inode && !was_asked(s, row->inode))
			s->asked[s->n_asked++] = row->inode;
	}
	if (s->n_asked == before)
		return;
	if (pane_feed_request(p, SLOT_OWNERS, 0, OWNERS_OP_SEARCH, s->asked + before,
		    (s->n_asked - before) * sizeof s->asked[0], -1) == 0)
		pane_feed_sample(p, SLOT_OWNERS);
	else
		s->n_asked = before;
}

static void join(struct pane *p)
{
	struct sockets_state *s = p->state;
	struct block *joined;

	if (!s->sockets)
		return;
	joined = sockets_join(s->sockets, s->owners, p->env->targets);
	count(s, joined);
	table_set_block(s->grid.table, joined);
	search(p, joined);
	block_unref(joined);
}

static int sockets_init(struct pane *p, struct err *err)
{
	struct sockets_state *s = p->state;

	(void)err;
	grid_init(&s->grid, &sock_row_type, columns, ARRAY_LEN(columns), NULL, s);
	grid_sort_by(&s->grid, "protocol", false, true);
	pane_feed_open(p, SLOT_SOCKETS, &(struct feed_spec){ .source = &sockets_source, .sampled = true });
	pane_feed_open(p, SLOT_OWNERS, &(struct feed_spec){ .source = &owners_source, .sampled = true });
	return 0;
}

static void sockets_done(struct pane *p)
{
	struct sockets_state *s = p->state;

	grid_done(&s->grid);
	block_unref(s->sockets);
	block_unref(s->owners);
}

static void sockets_event(struct pane *p, unsigned slot, struct link_event *ev)
{
	struct sockets_state *s = p->state;
	struct block **keep = slot == SLOT_SOCKETS ? &s->sockets : &s->owners;

	if (ev->type == LINK_READY && slot == SLOT_OWNERS)
		s->n_asked = 0;
	if (ev->type != LINK_BLOCK)
		return;
	block_unref(*keep);
	*keep = ev->block;
	join(p);
}

static struct grid *sockets_grid(const struct pane *p)
{
	return &((struct sockets_state *)p->state)->grid;
}

/* --- drawing --- */

static void draw_summary(const struct pane *p, struct area a)
{
	static const enum sock_state order[] = { SOCK_STATE_LISTEN, SOCK_STATE_ESTAB, SOCK_STATE_SYN_SENT,
		SOCK_STATE_SYN_RECV, SOCK_STATE_CLOSE_WAIT, SOCK_STATE_FIN_WAIT_1, SOCK_STATE_FIN_WAIT_2,
		SOCK_STATE_LAST_ACK, SOCK_STATE_CLOSING, SOCK_STATE_TIME_WAIT, SOCK_STATE_UNCONN };
	const struct sockets_state *s = p->state;
	const struct field *state = row_field_find(&sock_row_type, "state");
	uint32_t n = table_total(s->grid.table);
	int x = 1;

	if (!table_block(s->grid.table)) /* nothing is known yet: no numbers */
		return;
	x += canvas_printf(a, x, 0, STYLE_STRONG, "%u", n);
	x += canvas_str(a, x, 0, STYLE_TEXT, n == 1 ? " socket" : " sockets") + 2;
	for (unsigned i = 0; i < ARRAY_LEN(order); i++) {
		if (!s->by_state[order[i]] || x + (int)strlen(state->names[order[i]]) + 9 > a.w)
			continue;
		if (s->bad[order[i]])
			x += canvas_sign(a, x + 1, 0, SEVERITY_WARN) + 1;
		x += canvas_printf(
			     a, x + 1, 0, s->bad[order[i]] ? STYLE_STRONG : STYLE_TEXT, "%s ", state->names[order[i]]) +
		     1;
		x += canvas_printf(a, x, 0, STYLE_STRONG, "%u", s->by_state[order[i]]) + 1;
	}
	pane_table_words(p, &s->grid, a, x + 2);
}

static void title_of(const struct block *b, const struct sock_row *s, char *buf, size_t cap)
{
	const struct field *protocol = row_field_find(&sock_row_type, "protocol"),
			   *state = row_field_find(&sock_row_type, "state");
	struct row_look look = { .charset = TEXT_UTF8 };
	char proto[16], st[24], local[ADDR_TEXT + 8], remote[ADDR_TEXT + 8];
	struct text path = block_text(b, s->path);

	row_format(b, protocol, s, &look, proto, sizeof proto);
	row_format(b, state, s, &look, st, sizeof st);
	if (s->protocol == SOCK_PROTO_UNIX) {
		snprintf(buf, cap, "%s %.*s   %s", proto, (int)(path.n > 120 ? 120 : path.n), path.n ? path.p : "", st);
		return;
	}
	facts_endpoint(&s->local_address, s->local_port, local, sizeof local);
	facts_endpoint(&s->remote_address, s->remote_port, remote, sizeof remote);
	snprintf(buf, cap, "%s %s%s%s   %s", proto, local, has_remote(s) ? " > " : "", has_remote(s) ? remote : "", st);
}

static int draw_owners(struct area a, int y, const struct block *b, const struct sock_row *s)
{
	int x = 12;

	canvas_str(a, 1, y, STYLE_DIM, "process");
	if (!s->owners.n)
		canvas_str(a, x, y, STYLE_DIM, s->inode == ROW_NO_UINT ? "none: the kernel holds it" : "not known");
	for (uint32_t i = 0; i < s->owners.n && x < a.w - 8; i++) {
		const struct owner_row *o = block_nested(b, &owner_row_type, s->owners, i);
		struct text name = block_text(b, o->process);
		x += canvas_printf(a, x, y, STYLE_TEXT, "%" PRIu64 " %.*s", o->pid, name.n > 32 ? 32 : (int)name.n,
			name.n ? name.p : "");
		if (o->fd != ROW_NO_UINT)
			x += canvas_printf(a, x, y, STYLE_DIM, " fd %" PRIu64, o->fd);
		if (o->guest == 1)
			x += canvas_str(a, x, y, STYLE_DIM, " (from outside)");
		x += 3;
	}
	return y + 1;
}

static int add_value(struct area a, int x, int y, const struct block *b, const struct sock_row *s, const char *field,
	const char *label, const struct row_look *look)
{
	const struct field *f = row_field_find(&sock_row_type, field);
	char buf[256];

	if (!f || row_is_unknown(b, f, s))
		return x;
	row_format(b, f, s, look, buf, sizeof buf);
	x += canvas_str(a, x, y, STYLE_DIM, label) + 1;
	return x + canvas_str(a, x, y, STYLE_TEXT, buf) + 3;
}

static int draw_numbers(struct area a, int y, const struct block *b, const struct sock_row *s, const struct row_look *look)
{
	bool listens = s->state == SOCK_STATE_LISTEN;
	int x = 12;

	canvas_str(a, 1, y, STYLE_DIM, "state");
	x = add_value(a, x, y, b, s, "recv_queue", listens ? "waiting to be accepted" : "received, unread", look);
	x = add_value(a, x, y, b, s, "send_queue", listens ? "backlog" : "sent, unconfirmed", look);
	x = add_value(a, x, y, b, s, "retransmits", "retransmits", look);
	x = add_value(a, x, y, b, s, "timer_ms", "timer ms", look);
	x = add_value(a, x, y, b, s, "uid", "uid", look);
	x = add_value(a, x, y, b, s, "inode", "inode", look);
	x = add_value(a, x, y, b, s, "interface", "bound to", look);
	x = add_value(a, x, y, b, s, "type", "type", look);
	add_value(a, x, y, b, s, "peer_inode", "peer inode", look);
	return y + 1;
}

static void draw_detail(const struct pane *p, struct area a)
{
	const struct sockets_state *s = p->state;
	const struct block *b = NULL;
	const struct sock_row *row = grid_selected(&s->grid, &b);
	char title[320];
	int y = 1;

	if (!row) {
		canvas_rule(a, 0, NULL);
		return;
	}
	title_of(b, row, title, sizeof title);
	canvas_rule(a, 0, title);
	y = draw_owners(a, y, b, row);
	y = draw_numbers(a, y, b, row, &p->env->look);
	if (row->peer.len != UINT32_MAX) {
		canvas_str(a, 1, y, STYLE_DIM, "peer");
		canvas_put(a, 12, y++, STYLE_STRONG, block_text(b, row->peer));
	}
	if (has_remote(row))
		canvas_hint(a, 12, y, STYLE_TEXT,
			row->peer.len != UINT32_MAX ? "[c] capture this   [d] who is it   [Enter] sockets of the peer"
						    : "[c] capture this   [d] who is it");
	else if (row->protocol != SOCK_PROTO_UNIX)
		canvas_hint(a, 12, y, STYLE_TEXT,
			row->pid != ROW_NO_UINT ? "[c] capture this port   [p] its process" : "[c] capture this port");
	if (y < a.h && (has_remote(row) || row->protocol != SOCK_PROTO_UNIX))
		canvas_str(a, 1, y, STYLE_DIM, "next");
}

static void sockets_draw(const struct pane *p, struct area a)
{
	struct sockets_state *s = p->state;
	int screen_h = canvas_height(a.canvas), top = screen_h >= 14;
	int below = screen_h < 20 || p->zoom ? 0 : screen_h >= 30 ? 6 : 5;
	struct area rows = canvas_sub(a, 0, top, a.w, a.h - top - below);

	s->narrow = a.w < 100;
	if (top)
		draw_summary(p, canvas_line(a, 0));
	grid_draw(&s->grid, rows, &p->env->look, true);
	if (grid_count(&s->grid) == 0)
		pane_draw_empty(p, &s->grid, rows, "No sockets in this namespace.");
	if (below)
		draw_detail(p, canvas_sub(a, 0, a.h - below, a.w, below));
}

/* --- keys --- */

static uint64_t target_with(const struct pane *p, const struct addr *address)
{
	const struct block *b = p->env->targets;

	for (uint32_t i = 0; b && i < block_count(b); i++) {
		const struct target_row *t = block_row(b, i);
		for (uint32_t e = 0; e < t->endpoints.n; e++) {
			const struct endpoint_row *ep = block_nested(b, &endpoint_row_type, t->endpoints, e);
			if (addr_same(&ep->address, address) || addr_same(&ep->address6, address))
				return t->head.id;
		}
	}
	return 0;
}

static bool jump_inode(struct grid *g, uint64_t inode)
{
	for (uint32_t i = 0; i < table_count(g->table); i++) {
		if (((const struct sock_row *)table_at(g->table, i))->inode != inode)
			continue;
		grid_jump(g, i);
		return true;
	}
	return false;
}

static int key_peer(struct pane *p, int key)
{
	struct sockets_state *s = p->state;
	const struct sock_row *row = grid_selected(&s->grid, NULL);
	struct carry carry;
	uint64_t id;

	(void)key;
	if (!row)
		return PANE_USED;
	if (row->protocol == SOCK_PROTO_UNIX && row->peer_inode != ROW_NO_UINT && jump_inode(&s->grid, row->peer_inode))
		return PANE_USED | PANE_DRAW;
	id = has_remote(row) ? target_with(p, &row->remote_address) : 0;
	if (!id || id == p->target_id) {
		pane_toast(p, SEVERITY_NONE, "the other end is not in a container known here");
		return PANE_USED;
	}
	carry_init(&carry);
	snprintf(carry.filter, sizeof carry.filter, "local_port=%" PRIu64, row->remote_port);
	pane_go(p, 's', id, &carry);
	return PANE_USED;
}

static void sockets_take(struct pane *p, const struct carry *c)
{
	struct sockets_state *s = p->state;

	if (!c->filter[0])
		return;
	table_filter(s->grid.table, c->filter, NULL, NULL);
	pane_toast(p, SEVERITY_NONE, "filter: %s   (Esc clears it)", c->filter);
}

static void give_capture(const struct sock_row *s, struct carry *ret)
{
	static const char *const names[SOCK_PROTO_N] = { [SOCK_PROTO_TCP] = "tcp ", [SOCK_PROTO_UDP] = "udp " };
	const char *proto = s->protocol < SOCK_PROTO_N && names[s->protocol] ? names[s->protocol] : "";
	char host[ADDR_TEXT];
	struct addr remote = addr_unmap(&s->remote_address);

	if (s->protocol == SOCK_PROTO_UNIX)
		return;
	if (s->protocol == SOCK_PROTO_ICMP)
		snprintf(ret->bpf, sizeof ret->bpf, "icmp or icmp6");
	else if (has_remote(s) && proto[0])
		/* the service's port, not the one the kernel picked: tries after this one are seen as well */
		snprintf(ret->bpf, sizeof ret->bpf, "host %s and %sport %" PRIu64, addr_format(&remote, host), proto,
			s->remote_port < s->local_port ? s->remote_port : s->local_port);
	else if (proto[0] && s->local_port != ROW_NO_UINT)
		snprintf(ret->bpf, sizeof ret->bpf, "%sport %" PRIu64, proto, s->local_port);
}

/* The service's side of the connection; what listens is tried from where it is. */
static void give_probe(const struct sock_row *s, struct carry *ret)
{
	struct addr to = has_remote(s) ? addr_unmap(&s->remote_address) : s->local_address;
	uint64_t port = has_remote(s) ? s->remote_port : s->local_port;
	bool to_client = has_remote(s) && s->local_port < s->remote_port;
	bool udp = s->protocol == SOCK_PROTO_UDP;
	char text[ADDR_TEXT];

	if ((s->protocol != SOCK_PROTO_TCP && !udp) || port == ROW_NO_UINT)
		return;
	if (!has_remote(s) && addr_is_any(&to))
		to = to.kind == ADDR_IP6 ? addr_ip6((uint8_t[16]){ [15] = 1 }) : addr_ip4((uint8_t[]){ 127, 0, 0, 1 });
	addr_format(&to, text);
	if (to_client)
		snprintf(ret->probe, sizeof ret->probe, "ping %s", text);
	else
		snprintf(ret->probe, sizeof ret->probe, to.kind == ADDR_IP6 ? "%s [%s]:%" PRIu64 : "%s %s:%" PRIu64, udp ? "udp" : "tcp", text, port);
}

static void sockets_give(const struct pane *p, char letter, struct carry *ret)
{
	const struct sockets_state *s = p->state;
	const struct sock_row *row = grid_selected(&s->grid, NULL);
	struct addr remote;

	if (!row)
		return;
	if (letter == 'c')
		give_capture(row, ret);
	if (letter == 'p')
		ret->pid = row->pid;
	if (letter == 'P')
		give_probe(row, ret);
	if (letter == 'd' && has_remote(row)) {
		char text[ADDR_TEXT];
		remote = addr_unmap(&row->remote_address);
		snprintf(ret->name, sizeof ret->name, "%s", addr_format(&remote, text));
	}
}

static void sockets_targets(struct pane *p)
{
	if (!p->frozen)
		join(p);
}

static const struct binding bindings[] = {
	{ .key = KEYS_ENTER,
		.alias = KEYS_DOUBLE_CLICK,
		.label = "peer",
		.help = "sockets of the container at the other end",
		.run = key_peer,
		.rank = 2,
		.group = BINDING_VIEW },
};

const struct pane_ops pane_sockets = {
	.name = "sockets",
	.title = "Sockets",
	.short_title = "Sock",
	.digit = '2',
	.letter = 's',
	.state_size = sizeof(struct sockets_state),
	.init = sockets_init,
	.done = sockets_done,
	.draw = sockets_draw,
	.event = sockets_event,
	.targets = sockets_targets,
	.grid = sockets_grid,
	.take = sockets_take,
	.give = sockets_give,
	.bindings = bindings,
	.n_bindings = ARRAY_LEN(bindings),
};
