/*
 * The set of containers and networks of one engine: see docker_model.h. Objects own their strings; containers are sorted by id.
 */
#include "core/engine/docker_model.h"

#include "core/fd.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT = 32 << 10 };

/* --- arena --- */

static char *arena_room(struct docker_arena *a, size_t n)
{
	if (n > (64u << 20) - a->n)
		return NULL;
	if (!a->p || a->n + n > a->cap) {
		a->cap = a->cap ? a->cap * 2 : 512;
		while (a->cap < a->n + n)
			a->cap *= 2;
		a->p = fd_xrealloc(a->p, a->cap, 1);
	}
	return a->p + a->n;
}

struct str docker_model_text(struct docker_arena *a, const char *text)
{
	size_t n = text ? strnlen(text, MAX_TEXT) : 0;
	char *at = text ? arena_room(a, n) : NULL;
	struct str s = { .off = a->n, .len = (uint32_t)n };

	if (!at)
		return ROW_NO_TEXT;
	memcpy(at, text, n);
	a->n += (uint32_t)n;
	return s;
}

void docker_model_list_add(struct docker_arena *a, struct str *list, const char *item)
{
	size_t n = strnlen(item, MAX_TEXT);
	char *at = arena_room(a, n + 1);

	if (!at)
		return;
	memcpy(at, item, n);
	at[n] = 0;
	if (list->len == UINT32_MAX || list->len == 0)
		*list = (struct str){ .off = a->n, .len = 0 };
	a->n += (uint32_t)n + 1;
	list->len = a->n - list->off;
}

struct text docker_model_get(const struct docker_arena *a, struct str s)
{
	if (s.len == UINT32_MAX || s.off > a->n || s.len > a->n - s.off)
		return (struct text){ 0 };
	return (struct text){ .p = a->p ? a->p + s.off : "", .n = s.len };
}

/* --- objects --- */

struct docker_container *docker_model_container_new(void)
{
	struct docker_container *c = fd_xcalloc(1, sizeof *c);

	c->row = (struct target_row){ .head = { .severity = SEVERITY_UNKNOWN, .flags = TARGET_IS_CONTAINER },
		.name = ROW_NO_TEXT, .id = ROW_NO_TEXT, .runtime = ROW_NO_TEXT, .state = ROW_NO_ENUM, .health = ROW_NO_ENUM,
		.pid = ROW_NO_UINT, .start = ROW_NO_UINT, .netns = ROW_NO_UINT, .image = ROW_NO_TEXT,
		.command = ROW_NO_TEXT, .networks = ROW_NO_TEXT, .addresses = ROW_NO_TEXT, .created_at = ROW_NO_INT,
		.started_at = ROW_NO_INT, .finished_at = ROW_NO_INT, .restarts = ROW_NO_UINT, .exit_code = ROW_NO_INT,
		.oom_killed = ROW_NO_BOOL, .network_mode = ROW_NO_TEXT, .shares_with = ROW_NO_TEXT,
		.hostname = ROW_NO_TEXT, .project = ROW_NO_TEXT, .engine = ROW_NO_TEXT, .space = ROW_NO_TEXT, .pod = ROW_NO_TEXT,
		.infra = ROW_NO_BOOL, .attempt = ROW_NO_UINT, .owner = ROW_NO_UINT, .shared_by = ROW_NO_TEXT, .path = ROW_NO_TEXT, .processes = ROW_NO_UINT,
		.problem = ROW_NO_TEXT, .as_of = ROW_NO_INT };
	return c;
}

void docker_model_container_free(struct docker_container *c)
{
	if (!c)
		return;
	free(c->text.p);
	free(c->endpoints);
	free(c->ports);
	free(c);
}

struct docker_network *docker_model_network_new(void)
{
	struct docker_network *n = fd_xcalloc(1, sizeof *n);

	n->row = (struct network_row){ .head = { .severity = SEVERITY_NONE }, .name = ROW_NO_TEXT, .id = ROW_NO_TEXT,
		.runtime = ROW_NO_TEXT, .driver = ROW_NO_TEXT, .scope = ROW_NO_TEXT, .subnets = ROW_NO_TEXT,
		.interface = ROW_NO_TEXT, .members = ROW_NO_TEXT, .internal = ROW_NO_BOOL, .ipv6 = ROW_NO_BOOL,
		.mtu = ROW_NO_UINT, .created_at = ROW_NO_INT, .as_of = ROW_NO_INT };
	return n;
}

void docker_model_network_free(struct docker_network *n)
{
	if (!n)
		return;
	free(n->text.p);
	free(n);
}

/* --- the set --- */

/* Where `id` is or belongs. */
static uint32_t place(const struct docker_model *m, const char *id, bool *ret_found)
{
	uint32_t lo = 0, hi = m->n_containers;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int c = strcmp(m->containers[mid]->id, id);

		if (c == 0) {
			*ret_found = true;
			return mid;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*ret_found = false;
	return lo;
}

struct docker_container *docker_model_find(const struct docker_model *m, const char *id)
{
	bool found;
	uint32_t i = place(m, id, &found);

	return found ? m->containers[i] : NULL;
}

void docker_model_put(struct docker_model *m, struct docker_container *c)
{
	bool found;
	uint32_t i = place(m, c->id, &found);

	if (found) {
		c->is_listed |= m->containers[i]->is_listed;
		docker_model_container_free(m->containers[i]);
		m->containers[i] = c;
		return;
	}
	if (m->n_containers == m->cap_containers) {
		m->cap_containers = m->cap_containers ? m->cap_containers * 2 : 64;
		m->containers = fd_xrealloc(m->containers, m->cap_containers, sizeof(void *));
	}
	memmove(m->containers + i + 1, m->containers + i, (m->n_containers - i) * sizeof(void *));
	m->containers[i] = c;
	m->n_containers++;
}

static void remove_at(struct docker_model *m, uint32_t i)
{
	docker_model_container_free(m->containers[i]);
	m->n_containers--;
	memmove(m->containers + i, m->containers + i + 1, (m->n_containers - i) * sizeof(void *));
}

void docker_model_remove(struct docker_model *m, const char *id)
{
	bool found;
	uint32_t i = place(m, id, &found);

	if (found)
		remove_at(m, i);
}

void docker_model_merge_list(struct docker_model *m, struct docker_container **list, uint32_t n)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < m->n_containers; i++)
		m->containers[i]->is_listed = false;
	for (uint32_t i = 0; i < n; i++) {
		struct docker_container *old = docker_model_find(m, list[i]->id);

		if (old && old->is_detailed) {
			old->is_listed = old->is_wanted = true;
			docker_model_container_free(list[i]);
			continue;
		}
		list[i]->is_listed = list[i]->is_wanted = true;
		docker_model_put(m, list[i]);
	}
	for (uint32_t i = 0; i < m->n_containers; i++) {
		if (m->containers[i]->is_listed)
			m->containers[kept++] = m->containers[i];
		else
			docker_model_container_free(m->containers[i]);
	}
	m->n_containers = kept;
}

/* Pseudo networks may lack an id: then the name decides. */
static bool is_same_network(const struct docker_network *a, const struct docker_network *b)
{
	if (a->id[0] || b->id[0])
		return strcmp(a->id, b->id) == 0;
	return text_equal(docker_model_get(&a->text, a->row.name), docker_model_get(&b->text, b->row.name));
}

/* Podman gives the name where the id should be, and its default network "podman" is listed as "bridge". */
static bool is_known(const struct docker_model *m, struct text id)
{
	for (uint32_t i = 0; i < m->n_networks; i++) {
		struct text name = docker_model_get(&m->networks[i]->text, m->networks[i]->row.name);

		if (text_equal(id, text_of(m->networks[i]->id)) || text_equal(id, name))
			return true;
	}
	return text_equal(id, text_of("podman"));
}

bool docker_model_knows_networks(const struct docker_model *m, const struct docker_container *c)
{
	for (uint32_t i = 0; i < c->n_endpoints; i++) {
		struct text id = docker_model_get(&c->text, c->endpoints[i].network_id);

		if (id.n && !is_known(m, id))
			return false;
	}
	return true;
}

void docker_model_put_network(struct docker_model *m, struct docker_network *n)
{
	uint32_t i = 0;

	while (i < m->n_networks && !is_same_network(m->networks[i], n))
		i++;
	if (i < m->n_networks) {
		docker_model_network_free(m->networks[i]);
		m->networks[i] = n;
		return;
	}
	if (m->n_networks == m->cap_networks) {
		m->cap_networks = m->cap_networks ? m->cap_networks * 2 : 16;
		m->networks = fd_xrealloc(m->networks, m->cap_networks, sizeof(void *));
	}
	m->networks[m->n_networks++] = n;
}

void docker_model_remove_network(struct docker_model *m, const char *id)
{
	for (uint32_t i = 0; i < m->n_networks; i++) {
		if (strcmp(m->networks[i]->id, id) != 0)
			continue;
		docker_model_network_free(m->networks[i]);
		m->networks[i] = m->networks[--m->n_networks];
		return;
	}
}

void docker_model_set_networks(struct docker_model *m, struct docker_network **list, uint32_t n)
{
	for (uint32_t i = 0; i < m->n_networks; i++)
		docker_model_network_free(m->networks[i]);
	if (n > m->cap_networks) {
		m->cap_networks = n;
		m->networks = fd_xrealloc(m->networks, n, sizeof(void *));
	}
	if (n)
		memcpy(m->networks, list, n * sizeof(void *));
	m->n_networks = n;
}

static int by_member(const void *x, const void *y)
{
	const struct docker_member *a = x, *b = y;

	return strcmp(a->id, b->id);
}

void docker_model_set_members(struct docker_model *m, struct docker_member *list, uint32_t n)
{
	free(m->members);
	m->members = list;
	m->n_members = n;
	if (n)
		qsort(list, n, sizeof *list, by_member);
}

void docker_model_set_bridges(struct docker_model *m, struct docker_bridge *list, uint32_t n)
{
	free(m->bridges);
	m->bridges = list;
	m->n_bridges = n;
}

const struct docker_member *docker_model_member(const struct docker_model *m, const char *id)
{
	struct docker_member key;

	if (m->n_members == 0)
		return NULL;
	memcpy(key.id, id, sizeof key.id);
	return bsearch(&key, m->members, m->n_members, sizeof key, by_member);
}

void docker_model_done(struct docker_model *m)
{
	for (uint32_t i = 0; i < m->n_containers; i++)
		docker_model_container_free(m->containers[i]);
	docker_model_set_networks(m, NULL, 0);
	free(m->containers);
	free(m->networks);
	free(m->members);
	free(m->bridges);
	*m = (struct docker_model){ 0 };
}
