/*
 * The ports tab of the network pane: what of this target others may reach. Its workers start when the tab is opened first: sockets and
 * addresses here and on the host, then where the cable ends, then the rules there and who holds the sockets. See core/net/ports.h.
 */
#include "core/fd.h"
#include "core/net/port_holders.h"
#include "core/net/listeners.h"
#include "core/net/nat.h"
#include "tui/net_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { EVERY_MS = 5000 };

static const struct row_type *const place_types[] = { &net_place_row_type };

static void keep(struct block **at, struct block *b)
{
	block_unref(*at);
	*at = b;
}

static const struct target_row *target_of(const struct net_view *v)
{
	const struct target_row *t = pane_target(v->pane, NULL);

	return t ? t : net_ports_target(v->pane->env->targets, v->pane->ref.netns);
}

/* --- what is shown --- */

static struct net_port_facts facts_of(const struct net_view *v, struct block *listeners, struct block *places)
{
	struct net_port_facts f = { .targets = v->pane->env->targets, .listeners = listeners, .places = places, .holders = v->ports.holders };

	if (v->ports.rules)
		f.rules[f.n_rules++] = (struct net_port_rules){ v->ports.outside, v->ports.rules };
	return f;
}

static void open_outside(struct net_view *v, const struct net_port_facts *f, uint64_t outside)
{
	const struct block *targets = v->pane->env->targets;
	const struct target_row *t = net_ports_target(targets, outside);
	struct feed_spec rules = { .source = &nat_source, .sampled = true, .every_ms = EVERY_MS, .no_target = true };
	struct net_listeners_params params = { .n = 1, .list = { { .pid = t && t->pid != ROW_NO_UINT ? (int32_t)t->pid : 0, .inode = outside } } };

	if (v->ports.outside == outside)
		return;
	v->ports.outside = outside;
	keep(&v->ports.rules, NULL);
	keep(&v->ports.listeners[1], NULL);
	keep(&v->ports.places[1], NULL);
	if (!net_ports_was_read(f, outside))
		pane_feed_open(v->pane, NET_SLOT_OUTSIDE, &(struct feed_spec){ .source = &net_listeners_source, .params = &params,
			.n_params = sizeof params, .types = place_types, .n_types = ARRAY_LEN(place_types), .sampled = true, .every_ms = EVERY_MS,
			.no_target = true });
	if (t && target_reference(targets, t, &rules.at, NULL) == 0)
		pane_feed_open(v->pane, NET_SLOT_RULES, &rules);
}

static void ask_holders(struct net_view *v, const struct block *listeners)
{
	AUTO(fd_closep) int inodes = -1;
	uint64_t hash = 1;

	for (uint32_t i = 0; i < block_count(listeners); i++) {
		const struct net_listener_row *l = block_row(listeners, i);

		hash = row_hash(&l->inode, sizeof l->inode, hash);
	}
	if (hash == v->ports.asked_holders || v->pane->feeds[NET_SLOT_HOLDERS].state != FEED_LIVE)
		return;
	inodes = net_ports_inodes(listeners);
	if (inodes >= 0 && pane_feed_request(v->pane, NET_SLOT_HOLDERS, 0, NET_HOLDERS_OP_INODES, NULL, 0, inodes) == 0)
		v->ports.asked_holders = hash;
}

static struct block *both(const struct row_type *type, struct block *const list[2])
{
	return target_union(type, (const struct block *const[]){ list[0], list[1] }, 2);
}

void net_view_ports_join(struct net_view *v)
{
	const struct target_row *only = target_of(v);
	AUTO(block_unrefp) struct block *listeners = both(&net_listener_row_type, v->ports.listeners), *places = both(&net_place_row_type, v->ports.places);
	struct net_port_facts f = facts_of(v, listeners, places);
	uint64_t outsides[NET_PORT_OUTSIDES];

	if (net_view_ended(v)) { /* its ports went with it; only what is left out may change */
		if (v->ports.rows)
			table_set_block(v->grids[NET_TAB_PORTS].table, v->ports.rows);
		return;
	}
	if (!only || !v->ports.places[0] || block_count(v->ports.places[0]) == 0)
		return;
	if (net_ports_outsides(&f, only, outsides) > 0)
		open_outside(v, &f, outsides[0]);
	ask_holders(v, listeners);
	if (!v->ports.holders)
		return; /* half a truth would blink */
	keep(&v->ports.rows, net_ports_join(&f, only));
	table_set_block(v->grids[NET_TAB_PORTS].table, v->ports.rows);
}

/* --- workers --- */

static void send_candidates(struct net_view *v, unsigned slot)
{
	AUTO(fd_closep) int fd = net_listeners_candidates(v->pane->env->targets);

	if (fd >= 0)
		pane_feed_request(v->pane, slot, 0, NET_LISTENERS_OP_CANDIDATES, NULL, 0, fd);
}

void net_view_ports_open(struct net_view *v)
{
	struct net_listeners_params params = { 0 };
	const struct target_row *only = target_of(v);
	uint32_t at = 0;
	uint64_t hash;

	if (!only || net_view_ended(v))
		return;
	params.n = net_ports_namespaces(v->pane->env->targets, only, &at, params.list, NET_LISTENERS);
	hash = row_hash(&params, sizeof params, 1);
	if (hash == v->ports.asked)
		return;
	v->ports.asked = hash;
	v->ports.outside = 0;
	pane_feed_open(v->pane, NET_SLOT_LISTENERS, &(struct feed_spec){ .source = &net_listeners_source, .params = &params,
		.n_params = sizeof params, .types = place_types, .n_types = ARRAY_LEN(place_types), .sampled = true, .every_ms = EVERY_MS,
		.no_target = true });
	if (!v->pane->feeds[NET_SLOT_HOLDERS].spec.source)
		pane_feed_open(v->pane, NET_SLOT_HOLDERS, &(struct feed_spec){ .source = &net_holders_source, .sampled = true,
			.every_ms = EVERY_MS, .no_target = true });
}

/* The first sample of a worker that has not been told its candidates is empty. */
static void take_sockets(struct net_view *v, unsigned side, struct link_event *ev)
{
	if (ev->row_type == &net_place_row_type) {
		keep(&v->ports.places[side], ev->block);
		return;
	}
	keep(&v->ports.listeners[side], ev->block);
	net_view_ports_join(v);
}

bool net_view_ports_event(struct net_view *v, unsigned slot, struct link_event *ev)
{
	bool sockets = slot == NET_SLOT_LISTENERS || slot == NET_SLOT_OUTSIDE;

	if (!sockets && slot != NET_SLOT_HOLDERS && slot != NET_SLOT_RULES)
		return false;
	if (ev->type == LINK_READY) {
		v->ports.asked_holders = slot == NET_SLOT_HOLDERS ? 0 : v->ports.asked_holders; /* a new worker knows nothing */
		if (sockets)
			send_candidates(v, slot);
		else if (slot == NET_SLOT_HOLDERS)
			net_view_ports_join(v);
	}
	if (ev->type != LINK_BLOCK)
		return true;
	if (sockets) {
		take_sockets(v, slot == NET_SLOT_OUTSIDE, ev);
		return true;
	}
	if (slot == NET_SLOT_HOLDERS && !v->ports.asked_holders) {
		block_unref(ev->block); /* of nothing */
		return true;
	}
	keep(slot == NET_SLOT_HOLDERS ? &v->ports.holders : &v->ports.rules, ev->block);
	net_view_ports_join(v);
	return true;
}

void net_view_ports_close(struct net_view *v)
{
	for (unsigned slot = NET_SLOT_LISTENERS; slot <= NET_SLOT_RULES; slot++)
		pane_feed_close(v->pane, slot);
}

void net_view_ports_done(struct net_view *v)
{
	for (unsigned i = 0; i < 2; i++) {
		block_unref(v->ports.listeners[i]);
		block_unref(v->ports.places[i]);
	}
	block_unref(v->ports.holders);
	block_unref(v->ports.rules);
	block_unref(v->ports.rows);
}

/* --- taking a row along --- */

void net_view_ports_give(const struct net_port_row *r, const struct block *b, char letter, struct carry *ret)
{
	struct text protocol = block_text(b, r->protocol);

	if (r->port == ROW_NO_UINT)
		return;
	if (letter == 's')
		snprintf(ret->filter, sizeof ret->filter, "local_port=%" PRIu64, r->port);
	if (letter == 'c' && protocol.n)
		snprintf(ret->bpf, sizeof ret->bpf, "%.*s port %" PRIu64, (int)protocol.n, protocol.p, r->port);
	if (letter == 'p')
		ret->pid = r->pid;
}
