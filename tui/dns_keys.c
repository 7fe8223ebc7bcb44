/* Keys of the DNS pane: the table that footer, help and README read, and the prompts for name and server. */
#include "tui/dns_view.h"

#include "core/fd.h"

#include <stdio.h>
#include <string.h>

static int used(struct pane *p)
{
	pane_dirty(p);
	return PANE_USED | PANE_DRAW;
}

/* --- name --- */

static bool name_done(struct pane *p, const char *text)
{
	struct dns_view *v = dns_view_of(p);

	while (*text == ' ')
		text++;
	if (strchr(text, ' ')) {
		pane_prompt_error(p, (size_t)(strchr(text, ' ') - text), "one name without blanks");
		return false;
	}
	if (strlen(text) >= sizeof v->name) {
		pane_prompt_error(p, 0, "a name has at most 255 bytes");
		return false;
	}
	if (*text == '\0')
		return true;
	dns_view_set_name(v, text);
	dns_view_ask(v);
	return true;
}

static int key_name(struct pane *p, int key)
{
	struct dns_view *v = dns_view_of(p);
	struct pane_prompt prompt = {
		.label = "name: ", .hint = "a name as the program would write it, or an address for its name (PTR); a final dot: no search list",
		.history = &v->names, .done = name_done,
	};

	(void)key;
	snprintf(prompt.initial, sizeof prompt.initial, "%s", v->name);
	pane_prompt(p, &prompt);
	return used(p);
}

/* Asks again; on a line of the history, that question. */
static int key_ask(struct pane *p, int key)
{
	struct dns_view *v = dns_view_of(p);
	const struct asked_row *row = v->focus == DNS_LOWER && dns_view_lower(v) == &v->history ? grid_selected(&v->history, NULL) : NULL;
	const struct asked *a = row ? asked_find(&v->asked, row->head.id) : NULL;

	if (a) {
		dns_view_set_name(v, a->name);
		for (unsigned i = 0; i < dns_n_choices; i++) {
			if (strcmp(dns_choices[i].name, a->type) == 0)
				v->choice = i;
		}
	}
	if (v->name[0] == '\0')
		return key_name(p, key);
	dns_view_ask(v);
	return used(p);
}

/* --- the rest of the form --- */

static int key_type(struct pane *p, int key)
{
	struct dns_view *v = dns_view_of(p);

	(void)key;
	v->choice = (v->choice + 1) % dns_n_choices;
	v->n_samples = 0;
	return used(p);
}

static bool server_done(struct pane *p, const char *text)
{
	struct dns_view *v = dns_view_of(p);

	if (!dns_view_set_server(v, text)) {
		pane_prompt_error(p, 0, "an address, with a port if it is not 53: 8.8.8.8  10.0.0.2:5353  [2001:db8::1]:53");
		return false;
	}
	dns_view_ask(v);
	return true;
}

static int key_server(struct pane *p, int key)
{
	struct dns_view *v = dns_view_of(p);
	struct pane_prompt prompt = {
		.label = "server: ", .hint = "address of a name server; empty: the container's own", .history = &v->servers, .done = server_done,
	};

	(void)key;
	snprintf(prompt.initial, sizeof prompt.initial, "%s", v->server);
	pane_prompt(p, &prompt);
	return used(p);
}

static int flip(struct pane *p, uint32_t flag)
{
	struct dns_view *v = dns_view_of(p);

	v->flags ^= flag;
	v->n_samples = 0;
	return used(p);
}

static int key_tcp(struct pane *p, int key)
{
	(void)key;
	return flip(p, DNS_TCP);
}

static int key_exact(struct pane *p, int key)
{
	(void)key;
	return flip(p, DNS_NO_SEARCH);
}

static int key_hosts(struct pane *p, int key)
{
	(void)key;
	return flip(p, DNS_NO_HOSTS);
}

static int key_repeat(struct pane *p, int key)
{
	struct dns_view *v = dns_view_of(p);

	if (v->name[0] == '\0')
		return key_name(p, key);
	dns_view_repeat(v, !v->repeat);
	pane_toast(p, SEVERITY_NONE, v->repeat ? "asked every 2 s; S stops it" : "asked once");
	return used(p);
}

/* --- looks --- */

static int key_files(struct pane *p, int key)
{
	struct dns_view *v = dns_view_of(p);

	(void)key;
	v->show_files = !v->show_files && v->asked.n > 0;
	v->versus.shown = false;
	v->focus = dns_view_shows_files(v) ? DNS_LOWER : DNS_ANSWER;
	return used(p);
}

static int key_others(struct pane *p, int key)
{
	struct dns_view *v = dns_view_of(p);

	if (v->name[0] == '\0')
		return key_name(p, key);
	if (v->versus.shown && !v->show_files) {
		v->versus.shown = false;
		dns_versus_stop(&v->versus);
		return used(p);
	}
	v->show_files = false;
	v->versus.shown = true; /* also when the answer is still to come */
	if (v->shown)
		dns_view_compare(v);
	return used(p);
}

static int key_part(struct pane *p, int key)
{
	struct dns_view *v = dns_view_of(p);

	(void)key;
	v->focus = (v->focus + 1) % DNS_FOCUS_N;
	return used(p);
}

static int key_copy(struct pane *p, int key)
{
	struct dns_view *v = dns_view_of(p);
	char buf[4096];
	size_t n;

	if (key == 'Y')
		n = dns_view_dig(v, buf, sizeof buf);
	else
		n = grid_row_text(v->focus == DNS_ANSWER ? &v->answer : dns_view_lower(v), &p->env->look, buf, sizeof buf);
	if (n)
		pane_copy(p, (struct text){ buf, n });
	return used(p);
}

static bool on_wire(const struct pane *p)
{
	return dns_view_of(p)->on_wire;
}

static bool on_ask(const struct pane *p)
{
	return !on_wire(p);
}

static bool on_ask_with_name(const struct pane *p)
{
	return on_ask(p) && dns_view_of(p)->name[0] != '\0';
}

static int key_half(struct pane *p, int key)
{
	struct dns_view *v = dns_view_of(p);

	(void)key; /* with two halves, either direction leads to the other */
	dns_view_show_wire(v, !v->on_wire);
	return used(p);
}

int dns_view_key(struct pane *p, int key)
{
	struct dns_view *v = dns_view_of(p);

	if (v->on_wire)
		return dns_wire_key(p, key);
	if (key == KEYS_ESC && !p->zoom && (v->focus != DNS_ANSWER || v->show_files || v->versus.shown)) {
		v->focus = DNS_ANSWER;
		v->versus.shown = false;
		v->show_files = false;
		return used(p);
	}
	if (!grid_key(v->focus == DNS_ANSWER ? &v->answer : dns_view_lower(v), key))
		return 0;
	return used(p);
}

static bool inside(const struct grid *g, int y)
{
	return g->height > 0 && y >= g->y && y < g->y + g->height;
}

int dns_view_mouse(struct pane *p, int key, int x, int y)
{
	struct dns_view *v = dns_view_of(p);
	struct grid *wire = dns_wire_view_grid(&v->wire), *lower = v->on_wire ? wire : dns_view_lower(v);
	bool answer = !v->on_wire && inside(&v->answer, y);
	struct grid *g = answer ? &v->answer : lower;

	if (!answer && !inside(lower, y))
		return 0;
	if (!v->on_wire)
		v->focus = answer ? DNS_ANSWER : DNS_LOWER;
	if (key == KEYS_WHEEL_UP || key == KEYS_WHEEL_DOWN)
		grid_key(g, key);
	else
		grid_click(g, x, y); /* the app sends Enter after a double click */
	return used(p);
}

const struct binding dns_bindings[DNS_N_BINDINGS] = {
	{ .key = '/', .works = on_ask, .run = key_name, .label = "name", .help = "type the name to ask", .rank = 0 },
	{ .key = KEYS_ENTER, .works = on_ask, .run = key_ask, .label = "ask", .help = "ask again; in the history: that question",
		.group = BINDING_MOVE, .rank = 1 },
	{ .key = 't', .works = on_ask, .run = key_type, .label = "type", .help = "record type: A+AAAA, A, PTR, MX, ...", .rank = 1 },
	{ .key = 'u', .alias = '@', .shown = "u @", .works = on_ask, .run = key_server, .label = "server", .help = "ask another server, from in here",
		.rank = 2 },
	{ .key = 'S', .works = on_ask, .run = key_repeat, .label = "repeat", .help = "ask every 2 s, show times; again: stop", .rank = 2 },
	{ .key = 'a', .works = on_ask, .run = key_files, .label = "files", .help = "lines of resolv.conf, hosts, nsswitch", .rank = 3 },
	{ .key = 'o', .works = on_ask, .run = key_others, .label = "others", .help = "ask all resolvers that matter for this name, and compare", .rank = 3 },
	{ .key = 'T', .works = on_ask, .run = key_tcp, .label = "tcp", .help = "TCP from the start, or UDP first", .rank = 4 },
	{ .key = 'X', .works = on_ask, .run = key_exact, .label = "search", .help = "by the search list, or exactly as it is", .rank = 5 },
	{ .key = 'A', .works = on_ask, .run = key_hosts, .help = "/etc/hosts first, or servers only" },
	{ .key = KEYS_TAB, .alias = KEYS_BACK_TAB, .shown = "Tab", .works = on_ask, .run = key_part, .label = "part", .help = "answer, or the table below",
		.group = BINDING_MOVE, .rank = 6 },
	{ .key = 'y', .works = on_ask, .run = key_copy, .label = "copy", .help = "copy the selected line", .group = BINDING_OUT, .rank = 6 },
	{ .key = 'Y', .run = key_copy, .label = "as dig", .help = "copy the question as a dig command", .works = on_ask_with_name,
		.group = BINDING_OUT, .rank = 7 },
	{ .key = '[', .alias = ']', .shown = "[ ]", .run = key_half, .label = "Ask/Wire", .help = "ask names, or watch those that are asked in here",
		.group = BINDING_GO, .rank = 2 },
	{ .key = KEYS_ENTER, .works = on_wire, .run = dns_wire_key_detail, .label = "detail", .help = "on the wire: the selected row in full, below",
		.group = BINDING_MOVE, .rank = 0 },
	{ .key = 't', .alias = 'T', .shown = "t T", .works = on_wire, .run = dns_wire_key_tab, .label = "view",
		.help = "on the wire: all, slowest, failing, unanswered, names, search list, findings", .rank = 0 },
	{ .key = 'd', .works = on_wire, .run = dns_wire_key_ask, .label = "ask it", .help = "on the wire: ask the selected name ourselves", .rank = 1 },
	{ .key = 'S', .works = on_wire, .run = dns_wire_key_stop, .label = "stop", .help = "on the wire: stop watching, go on", .rank = 3 },
	{ .key = 'X', .works = on_wire, .run = dns_wire_key_clear, .label = "clear", .help = "on the wire: forget everything so far", .rank = 5 },
	{ .key = 'y', .works = on_wire, .run = dns_wire_key_copy, .label = "copy", .help = "on the wire: copy the selected line",
		.group = BINDING_OUT, .rank = 6 },
};
