/* What the keys of the Wire half do; which keys these are stands in dns_keys.c. */
#include "tui/dns_view.h"

#include <stdio.h>
#include <string.h>

static struct dns_wire_view *wire_of(struct pane *p)
{
	return &dns_view_of(p)->wire;
}

static int used(struct pane *p)
{
	pane_dirty(p);
	return PANE_USED | PANE_DRAW;
}

int dns_wire_key_tab(struct pane *p, int key)
{
	struct dns_wire_view *w = wire_of(p);
	unsigned step = key == 'T' ? DNS_WIRE_TABS - 1 : 1;

	dns_wire_view_tab(w, (enum dns_wire_tab)((w->tab + step) % DNS_WIRE_TABS));
	return used(p);
}

int dns_wire_key_detail(struct pane *p, int key)
{
	struct dns_wire_view *w = wire_of(p);

	(void)key;
	w->detail = !w->detail;
	return used(p);
}

int dns_wire_key_ask(struct pane *p, int key)
{
	struct dns_view *v = dns_view_of(p);
	char name[DNS_NAME_TEXT];

	(void)key;
	if (!dns_wire_view_name(&v->wire, name, sizeof name))
		return 0;
	v->on_wire = false;
	dns_view_set_name(v, name);
	dns_view_ask(v);
	return used(p);
}

int dns_wire_key_stop(struct pane *p, int key)
{
	struct dns_wire_view *w = wire_of(p);
	bool runs = w->now.running == 1;

	(void)key;
	if (pane_feed_request(p, DNS_SLOT_WATCH, 9, runs ? DNSWATCH_OP_STOP : DNSWATCH_OP_START, NULL, 0, -1) < 0)
		pane_toast(p, SEVERITY_WARN, "the watch has ended; R starts another");
	return used(p);
}

int dns_wire_key_clear(struct pane *p, int key)
{
	(void)key;
	if (pane_feed_request(p, DNS_SLOT_WATCH, 9, DNSWATCH_OP_CLEAR, NULL, 0, -1) == 0)
		pane_toast(p, SEVERITY_NONE, "forgotten; counting begins anew");
	return used(p);
}

int dns_wire_key_copy(struct pane *p, int key)
{
	char buf[4096];
	size_t n = grid_row_text(dns_wire_view_grid(wire_of(p)), &p->env->look, buf, sizeof buf);

	(void)key;
	if (n)
		pane_copy(p, (struct text){ buf, n });
	return used(p);
}

int dns_wire_key(struct pane *p, int key)
{
	struct dns_wire_view *w = wire_of(p);

	if (key == KEYS_ESC && !p->zoom && w->detail) {
		w->detail = false;
		return used(p);
	}
	return grid_key(dns_wire_view_grid(w), key) ? used(p) : 0;
}
