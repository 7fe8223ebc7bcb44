/* State of the network pane: pane_net.c reads and joins, net_way.c the way on top, net_draw.c the picture, net_rows.c the tables. */
#ifndef NSDBG_TUI_NET_VIEW_H
#define NSDBG_TUI_NET_VIEW_H

#include "core/net/judge.h"
#include "core/net/ports.h"
#include "core/net/sides.h"
#include "tui/pane.h"

enum { NET_SLOT_TARGET, NET_SLOT_SIDES, NET_SLOT_SETTINGS, NET_SLOT_HOST, NET_SLOT_WALK, NET_SLOT_LISTENERS, NET_SLOT_OUTSIDE, NET_SLOT_HOLDERS,
	NET_SLOT_RULES };
enum net_tab { NET_TAB_LINKS, NET_TAB_ROUTES, NET_TAB_RULES, NET_TAB_NEIGHBOURS, NET_TAB_SETTINGS, NET_TAB_PORTS, NET_TABS };

extern const char *const net_tab_titles[NET_TABS];

struct net_view {
	struct pane *pane;
	struct block *parts[NET_PARTS]; /* as the worker sent them */
	struct block *side_links, *side_routes; /* of the namespaces at the other ends */
	struct block *settings, *host_settings; /* net_sysctl_row, not compared yet */
	struct net_facts facts; /* what is shown */
	uint64_t asked_numbers, asked_sides; /* hashes of what was asked for: not again */
	struct grid grids[NET_TABS];
	enum net_tab tab;
	bool all; /* the kernel's own routes and usual settings, too */
	int tab_x[NET_TABS + 1], tab_y; /* screen coordinates as last drawn, for the mouse */
	struct net_trace *traces; /* of interfaces; owned */
	uint32_t n_traces;
	int64_t traced_ms, traced_now_ms; /* of the last bar, of the last sample */
	/* route to a typed address */
	struct addr to; /* unknown: the default route's */
	struct block *walk, *way; /* net_hop_row: as the worker sent it, with verdicts */
	uint64_t walked; /* hash of the namespaces that the worker knows */
	char no_way[192];
	uint32_t tag;
	struct block *answer; /* net_route_row, one row */
	char refused[192];
	struct prompt_history history;
	/* ports: [0] of the target and the host, [1] of the namespace outside when it is neither */
	struct {
		struct block *listeners[2], *places[2], *holders, *rules;
		struct block *rows; /* net_port_row: all that joined */
		uint64_t asked, asked_holders; /* hashes of what was asked for */
		uint64_t outside; /* whose rules are read */
		bool whole; /* the selected row with everything */
	} ports;
};

static inline struct net_view *net_view_of(const struct pane *p)
{
	return p->state;
}

/* The target's process is gone: what is seen stays as it was. */
static inline bool net_view_ended(const struct net_view *v)
{
	return v->pane->feeds[NET_SLOT_TARGET].state == FEED_GONE;
}

struct net_map net_view_map(const struct net_view *v);

/* --- net_rows.c --- */

void net_view_grids(struct net_view *v);

/* --- net_ports.c --- */

void net_view_ports_open(struct net_view *v); /* starts or points its workers to where the target is now */
bool net_view_ports_event(struct net_view *v, unsigned slot, struct link_event *ev); /* false: not one of its feeds */
void net_view_ports_join(struct net_view *v);
void net_view_ports_give(const struct net_port_row *r, const struct block *b, char letter, struct carry *ret);
void net_view_ports_close(struct net_view *v); /* ends its workers; what they told stays */
void net_view_ports_done(struct net_view *v);

/* --- net_trace.c --- */

enum { NET_TRACE = 10 };
void net_trace_take(struct net_view *v, const struct block *links);
void net_trace_done(struct net_view *v);
/* Both directions' bytes a second as bars; empty: nothing moved. */
size_t net_trace_bars(const struct net_view *v, uint64_t id, enum text_charset charset, char *buf, size_t cap);
/* What drops (or errors) grew by since the view opened, if that was lately; else 0. */
uint64_t net_trace_grown(const struct net_view *v, uint64_t id, bool errors);

/* --- net_way.c --- */

void net_way_to(struct net_view *v, const struct addr *to); /* unknown: back to the default route */
void net_way_event(struct net_view *v, struct link_event *ev);
void net_way_targets(struct net_view *v); /* names and namespaces changed */
void net_way_clear(struct net_view *v);
bool net_way_parse(const struct pane *p, const char *text, struct addr *ret); /* an address, or a target word: target_address */
void net_way_draw(const struct net_view *v, struct area a); /* three lines */

/* --- net_draw.c --- */

void net_view_draw(const struct pane *p, struct area a);

#endif
