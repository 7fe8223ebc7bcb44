/* Questions and answers paired: see dnswatch_pair.h. Ids and ports come from a container that may choose them to hurt: hashes are seeded. */
#include "capture/dnswatch_pair.h"

#include <stdlib.h>
#include <string.h>

#include "core/fd.h"

enum { KEPT = DNSWATCH_KEPT, HEADS = 8192, DEFAULT_TIMEOUT_MS = 5000, REPEAT_NS = 200000000, CHAIN = 256 };
#define TRUNCATED_NS ((int64_t)2000000000)
#define REPEAT_MOST_NS ((int64_t)60000000000)

struct dnswatch_pair {
	struct dnswatch_exchange ring[KEPT]; /* number n lives in (n - 1) % KEPT */
	int32_t by_key[HEADS], by_name[HEADS];
	uint64_t seed;
	uint64_t last, settled;
	uint64_t oldest_waiting; /* no exchange with a smaller number waits, or has a truncation to be judged */
	uint64_t evicted_at[KEPT]; /* settled numbers of the newest that left, as a ring */
	uint64_t n_evicted;
	uint64_t n_forgotten; /* left while they waited */
	int64_t timeout_ns;
};

bool dnswatch_is_docker(const struct addr *a)
{
	static const uint8_t resolver[4] = { 127, 0, 0, 11 };

	return a->kind == ADDR_IP4 && memcmp(a->bytes, resolver, 4) == 0;
}

struct dnswatch_pair *dnswatch_pair_new(uint64_t seed)
{
	struct dnswatch_pair *p = fd_xcalloc(1, sizeof *p);

	p->seed = seed;
	p->timeout_ns = (int64_t)DEFAULT_TIMEOUT_MS * 1000000;
	dnswatch_pair_clear(p);
	return p;
}

void dnswatch_pair_free(struct dnswatch_pair *p)
{
	free(p);
}

void dnswatch_pair_clear(struct dnswatch_pair *p)
{
	for (unsigned i = 0; i < HEADS; i++)
		p->by_key[i] = p->by_name[i] = -1;
	for (uint64_t i = 0; i < KEPT && i < p->last; i++)
		p->ring[i].number = 0;
	p->last = p->settled = p->n_evicted = p->n_forgotten = 0;
	p->oldest_waiting = 1;
}

void dnswatch_pair_timeout(struct dnswatch_pair *p, uint32_t ms)
{
	p->timeout_ns = (int64_t)(ms ? ms : DEFAULT_TIMEOUT_MS) * 1000000;
}

/* --- chains --- */

static uint32_t key_head(const struct dnswatch_pair *p, const struct addr *client, uint16_t port, uint16_t id)
{
	uint16_t numbers[2] = { port, id };

	return (uint32_t)(row_hash(numbers, sizeof numbers, row_hash(client, sizeof *client, p->seed)) % HEADS);
}

static uint32_t name_head(const struct dnswatch_pair *p, const struct addr *client, const struct dns_name *name)
{
	uint64_t h = row_hash(client, sizeof *client, p->seed);
	uint8_t folded[DNS_NAME_WIRE];

	for (unsigned i = 0; i < name->n; i++)
		folded[i] = name->bytes[i] >= 'A' && name->bytes[i] <= 'Z' ? name->bytes[i] + 32 : name->bytes[i];
	return (uint32_t)(row_hash(folded, name->n, h) % HEADS);
}

static void unlink_from(struct dnswatch_pair *p, int32_t *head, int32_t index, bool by_name)
{
	for (int32_t *at = head; *at >= 0; at = by_name ? &p->ring[*at].next_name : &p->ring[*at].next_key)
		if (*at == index) {
			*at = by_name ? p->ring[index].next_name : p->ring[index].next_key;
			return;
		}
}

static void evict(struct dnswatch_pair *p, struct dnswatch_exchange *e)
{
	int32_t index = (int32_t)(e - p->ring);

	if (e->number == 0)
		return;
	unlink_from(p, &p->by_key[key_head(p, &e->client, e->client_port, e->id)], index, false);
	unlink_from(p, &p->by_name[name_head(p, &e->client, &e->question.name)], index, true);
	if (e->settled)
		p->evicted_at[p->n_evicted++ % KEPT] = e->settled;
	else
		p->n_forgotten++;
	e->number = 0;
}

static struct dnswatch_exchange *add(struct dnswatch_pair *p, const struct dnswatch_seen *seen, const struct dnswatch_message *m)
{
	struct dnswatch_exchange *e = &p->ring[p->last % KEPT];
	const struct dnswatch_way *way = seen->way;
	uint32_t key = key_head(p, &way->source, way->source_port, m->id), name = name_head(p, &way->source, &m->question.name);

	evict(p, e);
	*e = (struct dnswatch_exchange){ .number = ++p->last, .first_ns = seen->time, .last_ns = seen->time, .client = way->source,
		.server = way->destination, .client_port = way->source_port, .id = m->id, .flags = m->flags, .question = m->question,
		.ifindex = seen->ifindex, .tcp = seen->tcp, .ttl = UINT32_MAX, .inode = ROW_NO_UINT, .uid = ROW_NO_UINT,
		.pid = ROW_NO_UINT };
	e->server_port = dnswatch_is_docker(&e->server) && way->destination_port != 53 ? 0 : way->destination_port;
	e->next_key = p->by_key[key];
	e->next_name = p->by_name[name];
	p->by_key[key] = p->by_name[name] = (int32_t)(e - p->ring);
	return e;
}

/* --- the same question before --- */

static bool is_address_pair(uint16_t a, uint16_t b)
{
	return (a == DNS_TYPE_A && b == DNS_TYPE_AAAA) || (a == DNS_TYPE_AAAA && b == DNS_TYPE_A);
}

/* What the questions before say about a new one: asked again by another socket or id, by TCP after truncation, by the engine on the way. */
static void relate(struct dnswatch_pair *p, struct dnswatch_exchange *e)
{
	int32_t i = e->next_name;

	for (unsigned n = 0; i >= 0 && n < CHAIN; i = p->ring[i].next_name, n++) {
		struct dnswatch_exchange *o = &p->ring[i];
		int64_t ago = e->first_ns - o->last_ns;

		if (o->question.type != e->question.type || !dns_name_equal(&o->question.name, &e->question.name))
			continue;
		if (e->tcp && !o->tcp && o->flags & DNS_FLAG_TC && o->answer_ns && addr_same(&o->server, &e->server))
			o->followed = true;
		if (!e->repeats && o->state != DNSWATCH_ANSWERED && ago >= REPEAT_NS && ago < REPEAT_MOST_NS &&
			addr_same(&o->server, &e->server)) {
			e->repeats = o->number;
			e->repeats_ns = e->first_ns - o->first_ns;
		}
	}
}

/* A question to somebody else while the same one waits at Docker's resolver is that resolver's own. It has another client address, so
 * the chains do not help; what waits is young. */
static bool is_forwarded(const struct dnswatch_pair *p, const struct dnswatch_exchange *e)
{
	uint64_t stop = p->last > CHAIN ? p->last - CHAIN : 0;

	if (dnswatch_is_docker(&e->server) || addr_is_loopback(&e->client))
		return false;
	for (uint64_t n = p->last - 1; n > stop && n > 0; n--) {
		const struct dnswatch_exchange *o = &p->ring[(n - 1) % KEPT];

		if (dnswatch_is_docker(&o->server) && o->state == DNSWATCH_WAITING && o->question.type == e->question.type &&
			dns_name_equal(&o->question.name, &e->question.name))
			return true;
	}
	return false;
}

/* --- pairing --- */

static bool same_server(const struct dnswatch_exchange *e, const struct addr *server, uint16_t port)
{
	return addr_same(&e->server, server) && (dnswatch_is_docker(server) || e->server_port == port);
}

static struct dnswatch_exchange *find(struct dnswatch_pair *p, const struct dnswatch_seen *seen, const struct dnswatch_message *m,
	bool reply)
{
	const struct dnswatch_way *way = seen->way;
	const struct addr *client = reply ? &way->destination : &way->source, *server = reply ? &way->source : &way->destination;
	uint16_t client_port = reply ? way->destination_port : way->source_port, server_port = reply ? way->source_port : way->destination_port;

	for (int32_t i = p->by_key[key_head(p, client, client_port, m->id)]; i >= 0; i = p->ring[i].next_key) {
		struct dnswatch_exchange *e = &p->ring[i];

		if (e->id == m->id && e->client_port == client_port && e->tcp == seen->tcp && addr_same(&e->client, client) &&
			same_server(e, server, server_port) &&
			(!m->has_question || (m->question.type == e->question.type && dns_name_equal(&m->question.name, &e->question.name))))
			return e;
	}
	return NULL;
}

/* The same id, port and name so late after is a new question of the same number by chance. */
static bool is_over(const struct dnswatch_pair *p, const struct dnswatch_exchange *e, int64_t now)
{
	return (e->answer_ns && now - e->answer_ns > 0) || now - e->last_ns > 4 * p->timeout_ns + DNSWATCH_GRACE_NS;
}

struct dnswatch_exchange *dnswatch_pair_question(struct dnswatch_pair *p, const struct dnswatch_seen *seen, const struct dnswatch_message *m,
	bool *ret_new)
{
	struct dnswatch_exchange *e = find(p, seen, m, false);

	*ret_new = false;
	if (e && e->ifindex != seen->ifindex)
		return NULL;
	if (e && !is_over(p, e, seen->time)) {
		if (e->retries++ == 0)
			e->gap_ns = seen->time - e->first_ns;
		e->last_ns = seen->time;
		return e;
	}
	e = add(p, seen, m);
	relate(p, e);
	e->forwarded = is_forwarded(p, e);
	*ret_new = true;
	return e;
}

static void settle(struct dnswatch_pair *p, struct dnswatch_exchange *e, enum dnswatch_state state, int64_t now)
{
	e->state = state;
	e->settled = ++p->settled;
	e->settled_ns = now;
}

/* The other of A and AAAA, or the same question to another server at the same moment: one knows of the other's answer. */
static void tell_twins(struct dnswatch_pair *p, struct dnswatch_exchange *e)
{
	int32_t i = p->by_name[name_head(p, &e->client, &e->question.name)];

	for (unsigned n = 0; i >= 0 && n < CHAIN; i = p->ring[i].next_name, n++) {
		struct dnswatch_exchange *o = &p->ring[i];

		if (o == e || o->client_port != e->client_port || llabs(o->first_ns - e->first_ns) > DNSWATCH_TWIN_NS ||
			!dns_name_equal(&o->question.name, &e->question.name))
			continue;
		if (is_address_pair(o->question.type, e->question.type) && addr_same(&o->server, &e->server))
			o->twin_answered = e->answer_ns - e->first_ns < p->timeout_ns / 2;
		else if (o->question.type == e->question.type && o->id == e->id && !o->answer_ns)
			o->spare = true;
	}
}

static void take_reply(struct dnswatch_exchange *e, const struct dnswatch_seen *seen, const struct dnswatch_message *m)
{
	e->answer_ns = seen->time;
	e->reply_ifindex = seen->ifindex;
	e->server_port = seen->way->source_port;
	e->flags = m->flags;
	e->rcode = m->rcode;
	e->ttl = m->ttl;
	e->size = m->size;
	e->broken = m->broken;
	e->n_answers = m->n_answers;
	e->n_texts = m->n_texts;
	e->texts_len = m->texts_len;
	memcpy(e->texts, m->texts, m->texts_len);
}

struct dnswatch_exchange *dnswatch_pair_reply(struct dnswatch_pair *p, const struct dnswatch_seen *seen, const struct dnswatch_message *m,
	enum dnswatch_state *ret_before)
{
	struct dnswatch_exchange *e = find(p, seen, m, true);
	bool late;

	if (!e)
		return NULL;
	if (e->answer_ns) {
		e->replies += e->reply_ifindex == seen->ifindex;
		return NULL;
	}
	*ret_before = e->state;
	e->replies = 1;
	take_reply(e, seen, m);
	late = !e->spare && (e->state != DNSWATCH_WAITING || seen->time - e->last_ns > p->timeout_ns);
	settle(p, e, late ? DNSWATCH_LATE : DNSWATCH_ANSWERED, seen->time);
	tell_twins(p, e);
	return e;
}

static struct dnswatch_exchange *on_way(struct dnswatch_pair *p, const struct addr *client, uint16_t client_port, const struct addr *server,
	uint16_t server_port, bool answered)
{
	uint64_t stop = p->last > CHAIN ? p->last - CHAIN : 0;

	for (uint64_t n = p->last; n > stop; n--) {
		struct dnswatch_exchange *e = &p->ring[(n - 1) % KEPT];

		if (e->client_port == client_port && (e->answer_ns != 0) == answered && addr_same(&e->client, client) &&
			same_server(e, server, server_port))
			return e;
	}
	return NULL;
}

struct dnswatch_exchange *dnswatch_pair_refused(struct dnswatch_pair *p, const struct dnswatch_way *way, const struct addr *said_by,
	uint8_t type, uint8_t code, int64_t now)
{
	struct dnswatch_exchange *e = on_way(p, &way->source, way->source_port, &way->destination, way->destination_port, false);

	if (e && (e->state == DNSWATCH_WAITING || e->state == DNSWATCH_UNANSWERED)) {
		e->said_by = *said_by;
		e->icmp_type = type;
		e->icmp_code = code;
		settle(p, e, DNSWATCH_UNREACHABLE, now);
		return e;
	}
	/* An answer that its reader's own kernel refused. The second of two answers is no news to the reader. */
	e = on_way(p, &way->destination, way->destination_port, &way->source, way->source_port, true);
	if (!e || e->client_gone || e->replies > 1 || e->retries || e->spare || e->tcp || now - e->answer_ns > DNSWATCH_GRACE_NS)
		return NULL;
	e->client_gone = true;
	if (e->state == DNSWATCH_LATE)
		return NULL; /* known already */
	settle(p, e, DNSWATCH_LATE, now);
	return e;
}

/* --- time --- */

static bool is_undecided(const struct dnswatch_exchange *e)
{
	return e->state == DNSWATCH_WAITING || (e->flags & DNS_FLAG_TC && e->answer_ns && !e->tcp && !e->judged);
}

static uint64_t first_undecided(struct dnswatch_pair *p)
{
	uint64_t n = p->oldest_waiting, first = dnswatch_pair_first(p);

	n = n < first ? first : n;
	while (n <= p->last && !is_undecided(&p->ring[(n - 1) % KEPT]))
		n++;
	p->oldest_waiting = n;
	return n;
}

static int64_t over_at(const struct dnswatch_pair *p, const struct dnswatch_exchange *e)
{
	return e->last_ns + p->timeout_ns + DNSWATCH_GRACE_NS;
}

struct dnswatch_exchange *dnswatch_pair_expired(struct dnswatch_pair *p, int64_t now)
{
	for (uint64_t n = first_undecided(p); n <= p->last; n++) {
		struct dnswatch_exchange *e = &p->ring[(n - 1) % KEPT];

		if (e->state != DNSWATCH_WAITING || now < over_at(p, e))
			continue;
		settle(p, e, DNSWATCH_UNANSWERED, now);
		return e;
	}
	return NULL;
}

struct dnswatch_exchange *dnswatch_pair_truncated(struct dnswatch_pair *p, int64_t now)
{
	for (uint64_t n = first_undecided(p); n <= p->last; n++) {
		struct dnswatch_exchange *e = &p->ring[(n - 1) % KEPT];

		if (e->state == DNSWATCH_WAITING || !is_undecided(e) || (!e->followed && now < e->answer_ns + TRUNCATED_NS))
			continue;
		e->judged = true;
		return e;
	}
	return NULL;
}

int64_t dnswatch_pair_due(const struct dnswatch_pair *p)
{
	uint64_t first = dnswatch_pair_first(p);
	int64_t due = INT64_MAX;

	for (uint64_t n = p->oldest_waiting > first ? p->oldest_waiting : first; n && n <= p->last; n++) {
		const struct dnswatch_exchange *e = &p->ring[(n - 1) % KEPT];
		int64_t at = e->state == DNSWATCH_WAITING ? over_at(p, e) : e->answer_ns + TRUNCATED_NS;

		if (is_undecided(e) && at < due)
			due = at;
	}
	return due;
}

/* --- looking --- */

struct dnswatch_exchange *dnswatch_pair_find(struct dnswatch_pair *p, uint64_t number)
{
	struct dnswatch_exchange *e = number ? &p->ring[(number - 1) % KEPT] : NULL;

	return e && e->number == number ? e : NULL;
}

uint64_t dnswatch_pair_last(const struct dnswatch_pair *p)
{
	return p->last;
}

uint64_t dnswatch_pair_first(const struct dnswatch_pair *p)
{
	return p->last > KEPT ? p->last - KEPT + 1 : p->last ? 1 : 0;
}

uint64_t dnswatch_pair_settled(const struct dnswatch_pair *p)
{
	return p->settled;
}

uint64_t dnswatch_pair_evicted(const struct dnswatch_pair *p, uint64_t since)
{
	uint64_t n = p->n_forgotten, held = p->n_evicted < KEPT ? p->n_evicted : KEPT;

	for (uint64_t i = 0; i < held; i++)
		n += p->evicted_at[i] > since;
	return n;
}
