/*
 * The model written as blocks, sorted by name. What follows from several objects (bridge of an endpoint, members of a network, whose
 * namespace is shared) is worked out while writing.
 */
#include "core/engine/docker_rows.h"

#include "core/fd.h"

#include <stdlib.h>
#include <string.h>

/* Finds networks by id and, for podman, by name, in one look-up each. */
struct network_index {
	const struct docker_model *model;
	const struct docker_network **by_id, **by_name;
	uint32_t n;
};

static int by_network_id(const void *x, const void *y)
{
	const struct docker_network *const *a = x, *const *b = y;

	return strcmp((*a)->id, (*b)->id);
}

static struct text network_name(const struct docker_network *n)
{
	return docker_model_get(&n->text, n->row.name);
}

static int by_network_name(const void *x, const void *y)
{
	const struct docker_network *const *a = x, *const *b = y;

	return text_compare(network_name(*a), network_name(*b));
}

static struct network_index index_networks(const struct docker_model *m)
{
	struct network_index ix = { .model = m, .n = m->n_networks, .by_id = fd_xcalloc(m->n_networks, sizeof(void *)),
		.by_name = fd_xcalloc(m->n_networks, sizeof(void *)) };

	for (uint32_t i = 0; i < ix.n; i++)
		ix.by_id[i] = ix.by_name[i] = m->networks[i];
	if (ix.n) {
		qsort(ix.by_id, ix.n, sizeof(void *), by_network_id);
		qsort(ix.by_name, ix.n, sizeof(void *), by_network_name);
	}
	return ix;
}

static void index_done(struct network_index *ix)
{
	free(ix->by_id);
	free(ix->by_name);
}

static const struct docker_network *find_by_name(const struct network_index *ix, struct text name)
{
	uint32_t lo = 0, hi = ix->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int c = text_compare(network_name(ix->by_name[mid]), name);

		if (c == 0)
			return ix->by_name[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static const struct docker_network *find_by_id(const struct network_index *ix, struct text id)
{
	struct docker_network key = { 0 };
	const struct docker_network *k = &key, *const *hit;

	if (id.n == 0 || id.n > DOCKER_ID || ix->n == 0)
		return NULL;
	memcpy(key.id, id.p, id.n);
	hit = bsearch(&k, ix->by_id, ix->n, sizeof(void *), by_network_id);
	return hit ? *hit : NULL;
}

/* Podman puts the name where the id should be, and calls its default network "podman" here and "bridge" there. */
static const struct docker_network *network_of(const struct network_index *ix, const struct docker_container *c,
	const struct endpoint_row *e)
{
	struct text name = docker_model_get(&c->text, e->network), id = docker_model_get(&c->text, e->network_id);
	const struct docker_network *n = find_by_id(ix, id);

	if (!n)
		n = find_by_name(ix, name);
	if (!n && text_equal(id, text_of("podman")))
		n = find_by_name(ix, text_of("bridge"));
	return n;
}

static struct str copy_text(struct builder *b, const struct docker_arena *from, struct str s)
{
	struct text t = docker_model_get(from, s);

	return builder_text(b, t.p, t.n);
}

static struct str copy_list(struct builder *b, const struct docker_arena *from, struct str s)
{
	struct text t = docker_model_get(from, s);
	struct str ret = ROW_NO_TEXT;

	if (t.p)
		ret.len = 0;
	for (size_t i = 0; i < t.n;) {
		size_t n = strnlen(t.p + i, t.n - i);

		builder_list_add(b, &ret, t.p + i, n);
		i += n + 1;
	}
	return ret;
}

static uint64_t hash_id(const char *runtime, const char *id)
{
	return row_hash(id, strlen(id), row_hash(runtime, strlen(runtime), 0));
}

/* Podman's come apart from the networks, in its own API. */
static struct str copy_interface(const struct docker_model *m, const struct docker_network *n, struct builder *b)
{
	if (n->row.interface.len == UINT32_MAX)
		for (uint32_t i = 0; i < m->n_bridges; i++)
			if (strcmp(m->bridges[i].network, n->id) == 0)
				return builder_str(b, m->bridges[i].interface);
	return copy_text(b, &n->text, n->row.interface);
}

static void write_endpoints(const struct docker_container *c, const struct network_index *ix, struct builder *b,
	struct target_row *ret)
{
	struct endpoint_row *rows = fd_xcalloc(c->n_endpoints, sizeof *rows);

	for (uint32_t i = 0; i < c->n_endpoints; i++) {
		const struct docker_network *n = network_of(ix, c, &c->endpoints[i]);
		struct text name = docker_model_get(&c->text, c->endpoints[i].network);

		rows[i] = c->endpoints[i];
		rows[i].head.id = row_hash(name.p, name.n, 0);
		rows[i].network = copy_text(b, &c->text, rows[i].network);
		rows[i].network_id = n && n->id[0] ? builder_str(b, n->id) : copy_text(b, &c->text, rows[i].network_id);
		rows[i].interface = n ? copy_interface(ix->model, n, b) : ROW_NO_TEXT;
		rows[i].aliases = copy_list(b, &c->text, rows[i].aliases);
	}
	ret->endpoints = builder_rows(b, &endpoint_row_type, rows, c->n_endpoints);
	free(rows);
}

static void write_ports(const struct docker_container *c, struct builder *b, struct target_row *ret)
{
	struct port_row *rows = fd_xcalloc(c->n_ports, sizeof *rows);

	for (uint32_t i = 0; i < c->n_ports; i++) {
		rows[i] = c->ports[i];
		rows[i].protocol = copy_text(b, &c->text, rows[i].protocol);
	}
	ret->ports = builder_rows(b, &port_row_type, rows, c->n_ports);
	free(rows);
}

static void write_lists(const struct docker_container *c, struct builder *b, struct target_row *ret)
{
	struct str names = { 0 }, addresses = { 0 };

	for (uint32_t i = 0; i < c->n_endpoints; i++) {
		struct text name = docker_model_get(&c->text, c->endpoints[i].network);

		builder_list_add(b, &names, name.p ? name.p : "", name.n);
	}
	for (uint32_t i = 0; i < c->n_endpoints * 2; i++) {
		struct addr a = i % 2 ? c->endpoints[i / 2].address6 : c->endpoints[i / 2].address;
		char text[ADDR_TEXT];

		if (a.kind == ADDR_NONE)
			continue;
		a.has_prefix = a.prefix = 0;
		addr_format(&a, text);
		builder_list_add(b, &addresses, text, strlen(text));
	}
	ret->networks = names;
	ret->addresses = addresses;
}

/* Name of the container that network_mode container:ID points at. */
static struct str shared_name(const struct docker_model *m, const struct docker_container *c, struct builder *b)
{
	static const char prefix[] = "container:";
	struct text mode = docker_model_get(&c->text, c->row.network_mode);
	const struct docker_container *other;
	char id[DOCKER_ID + 1];
	size_t n = sizeof prefix - 1;

	if (mode.n <= n || mode.n - n > DOCKER_ID || memcmp(mode.p, prefix, n) != 0)
		return ROW_NO_TEXT;
	memcpy(id, mode.p + n, mode.n - n);
	id[mode.n - n] = 0;
	other = docker_model_find(m, id);
	return other ? copy_text(b, &other->text, other->row.name) : builder_str(b, id);
}

static enum severity severity_of(const struct target_row *r)
{
	switch ((enum target_state)r->state) {
	case TARGET_STATE_RUNNING:
		return r->health == TARGET_HEALTH_UNHEALTHY ? SEVERITY_BAD : SEVERITY_OK;
	case TARGET_STATE_RESTARTING:
	case TARGET_STATE_DEAD:
		return SEVERITY_BAD;
	case TARGET_STATE_PAUSED:
		return SEVERITY_WARN;
	case TARGET_STATE_CREATED:
	case TARGET_STATE_REMOVING:
	case TARGET_STATE_EXITED:
		return SEVERITY_IDLE;
	case TARGET_STATE_N:
		break;
	}
	return SEVERITY_UNKNOWN;
}

static void write_member(const struct docker_member *told, struct builder *b, struct target_row *r)
{
	if (!told)
		return;
	if (told->pod[0])
		r->pod = builder_str(b, told->pod);
	r->infra = told->is_infra;
	if (r->pid == ROW_NO_UINT)
		r->pid = told->pid;
}

static void write_target(const struct docker_model *m, const struct docker_container *c, const struct network_index *ix,
	const struct docker_rows_stamp *stamp, struct builder *b)
{
	struct target_row *r = builder_row(b);

	*r = c->row;
	r->head.id = hash_id(stamp->runtime, c->id);
	r->head.severity = severity_of(r);
	if (stamp->as_of != ROW_NO_INT) {
		r->head.flags |= TARGET_STALE;
		r->head.severity = SEVERITY_UNKNOWN;
	}
	r->as_of = stamp->as_of;
	r->runtime = builder_str(b, stamp->runtime);
	r->id = builder_str(b, c->id);
	r->name = copy_text(b, &c->text, c->row.name);
	r->image = copy_text(b, &c->text, c->row.image);
	r->command = copy_text(b, &c->text, c->row.command);
	r->network_mode = copy_text(b, &c->text, c->row.network_mode);
	r->hostname = copy_text(b, &c->text, c->row.hostname);
	r->project = copy_text(b, &c->text, c->row.project);
	r->problem = copy_text(b, &c->text, c->row.problem);
	r->shares_with = shared_name(m, c, b);
	r->engine = builder_str(b, stamp->engine);
	r->owner = stamp->owner;
	write_member(docker_model_member(m, c->id), b, r);
	write_lists(c, b, r);
	write_ports(c, b, r);
	write_endpoints(c, ix, b, r);
	builder_lost(b, c->n_cut);
}

static struct text container_name(const struct docker_container *c)
{
	return docker_model_get(&c->text, c->row.name);
}

static int by_name(const void *x, const void *y)
{
	const struct docker_container *const *a = x, *const *b = y;
	int c = text_compare(container_name(*a), container_name(*b));

	return c ? c : strcmp((*a)->id, (*b)->id);
}

static const struct docker_container **sorted_containers(const struct docker_model *m)
{
	const struct docker_container **ret = fd_xcalloc(m->n_containers, sizeof *ret);

	for (uint32_t i = 0; i < m->n_containers; i++)
		ret[i] = m->containers[i];
	if (m->n_containers)
		qsort(ret, m->n_containers, sizeof *ret, by_name);
	return ret;
}

void docker_rows_targets(const struct docker_model *m, const struct docker_rows_stamp *stamp, struct builder *b)
{
	const struct docker_container **order = sorted_containers(m);
	struct network_index ix = index_networks(m);

	for (uint32_t i = 0; i < m->n_containers; i++)
		if (order[i]->is_listed || order[i]->is_detailed)
			write_target(m, order[i], &ix, stamp, b);
	index_done(&ix);
	free(order);
}

/* One container on one network. */
struct member {
	const struct docker_network *network;
	const struct docker_container *container;
	const struct endpoint_row *endpoint;
	uint32_t order;
};

static int by_network(const void *x, const void *y)
{
	const struct member *a = x, *b = y;

	if (a->network != b->network)
		return (uintptr_t)a->network < (uintptr_t)b->network ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* As the engine counts them: only containers that have the endpoint now. */
static bool has_process(const struct docker_container *c)
{
	return c->row.state == TARGET_STATE_RUNNING || c->row.state == TARGET_STATE_PAUSED;
}

static struct member *find_members(const struct docker_model *m, const struct network_index *ix, uint32_t *ret_n)
{
	const struct docker_container **order = sorted_containers(m);
	struct member *ret;
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->n_containers; i++)
		n += order[i]->n_endpoints;
	ret = fd_xcalloc(n, sizeof *ret);
	n = 0;
	for (uint32_t i = 0; i < m->n_containers; i++) {
		for (uint32_t e = 0; has_process(order[i]) && e < order[i]->n_endpoints; e++) {
			const struct endpoint_row *endpoint = &order[i]->endpoints[e];
			const struct docker_network *network = network_of(ix, order[i], endpoint);

			if (network)
				ret[n++] = (struct member){ network, order[i], endpoint, i };
		}
	}
	if (n)
		qsort(ret, n, sizeof *ret, by_network);
	free(order);
	*ret_n = n;
	return ret;
}

/* `members` are those of this network. A gateway that the engine chose by itself is told by the endpoints only. */
static void write_network(const struct docker_model *m, const struct docker_network *n, const struct docker_rows_stamp *stamp, const struct member *members,
	uint32_t n_members, struct builder *b)
{
	struct network_row *r = builder_row(b);
	struct text name = network_name(n);

	*r = n->row;
	r->head.id = n->id[0] ? hash_id(stamp->runtime, n->id) : row_hash(name.p, name.n, 1);
	r->head.severity = stamp->as_of == ROW_NO_INT ? SEVERITY_OK : SEVERITY_UNKNOWN;
	r->as_of = stamp->as_of;
	r->runtime = builder_str(b, stamp->runtime);
	r->id = n->id[0] ? builder_str(b, n->id) : ROW_NO_TEXT;
	r->name = copy_text(b, &n->text, n->row.name);
	r->driver = copy_text(b, &n->text, n->row.driver);
	r->scope = copy_text(b, &n->text, n->row.scope);
	r->interface = copy_interface(m, n, b);
	r->subnets = copy_list(b, &n->text, n->row.subnets);
	r->members = (struct str){ 0 };
	for (uint32_t i = 0; i < n_members; i++) {
		struct text who = container_name(members[i].container);

		builder_list_add(b, &r->members, who.p ? who.p : "", who.n);
		if (r->gateway.kind == ADDR_NONE)
			r->gateway = members[i].endpoint->gateway;
		if (r->gateway.kind == ADDR_NONE)
			r->gateway = members[i].endpoint->gateway6;
	}
}

static void write_with_members(const struct docker_model *m, const struct docker_network *n, const struct docker_rows_stamp *stamp, const struct member *all,
	uint32_t n_all, struct builder *b)
{
	uint32_t lo = 0, hi = n_all, from;

	while (lo < hi) { /* first one of this network */
		uint32_t mid = lo + (hi - lo) / 2;

		if ((uintptr_t)all[mid].network < (uintptr_t)n)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (from = lo; lo < n_all && all[lo].network == n; lo++)
		;
	write_network(m, n, stamp, all + from, lo - from, b);
}

void docker_rows_networks(const struct docker_model *m, const struct docker_rows_stamp *stamp, struct builder *b)
{
	struct network_index ix = index_networks(m);
	uint32_t n_members = 0;
	struct member *members = find_members(m, &ix, &n_members);

	for (uint32_t i = 0; i < ix.n; i++)
		write_with_members(m, ix.by_name[i], stamp, members, n_members, b);
	free(members);
	index_done(&ix);
}
