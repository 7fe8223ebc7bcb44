/* What fronts do with the rows of a watch: owners for its sockets, names for its addresses, and answers that point to nobody. */
#include "capture/dnswatch.h"

#include <stdio.h>
#include <string.h>

#include "core/fd.h"
#include "core/source/sockets.h"
#include "core/target.h"

unsigned dnswatch_owners_find(const struct block *owners, const uint64_t *inodes, unsigned n, struct dnswatch_owner ret[DNSWATCH_OWNERS])
{
	unsigned found = 0;

	for (unsigned i = 0; i < n && found < DNSWATCH_OWNERS; i++)
		for (uint32_t k = 0; k < block_count(owners); k++) {
			const struct owner_row *row = block_row(owners, k);
			struct text name = block_text(owners, row->process);

			if (row->inode != inodes[i])
				continue;
			ret[found] = (struct dnswatch_owner){ .inode = row->inode, .pid = row->pid };
			snprintf(ret[found].process, DNSWATCH_PROCESS, "%.*s", (int)(name.n < DNSWATCH_PROCESS ? name.n : DNSWATCH_PROCESS - 1),
				name.n ? name.p : "");
			found++;
			break; /* those inside come first */
		}
	return found;
}

/* --- addresses --- */

static bool runs(const struct target_row *t)
{
	return t->state == TARGET_STATE_RUNNING || t->state == TARGET_STATE_PAUSED;
}

static bool list_has(const struct block *b, struct str list, struct text want)
{
	struct text item;

	for (uint32_t i = 0; block_list_item(b, list, i, &item); i++)
		if (text_equal(item, want))
			return true;
	return false;
}

/* The running container that has this address; NULL: none. */
static const struct target_row *holder(const struct block *targets, struct text address)
{
	for (uint32_t i = 0; targets && i < block_count(targets); i++) {
		const struct target_row *t = block_row(targets, i);

		if (t->head.flags & TARGET_IS_CONTAINER && runs(t) && list_has(targets, t->addresses, address))
			return t;
	}
	return NULL;
}

struct block *dnswatch_name_targets(const struct block *questions, const struct block *targets)
{
	struct builder *b = builder_new(&dnswatch_question_type);
	struct block *ret;

	for (uint32_t i = 0; i < block_count(questions); i++) {
		struct dnswatch_question *row = builder_copy_row(b, questions, block_row(questions, i));
		const struct dnswatch_question *old = block_row(questions, i);
		const struct target_row *t = NULL;
		struct text item;

		for (uint32_t k = 0; !t && targets && block_list_item(questions, old->answers, k, &item); k++)
			t = holder(targets, item);
		if (t) {
			struct text name = block_text(targets, t->name);

			row->target = builder_text(b, name.p, name.n);
		}
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

/* --- stale addresses --- */

static bool in_subnet(const struct addr *a, struct text subnet)
{
	char text[ADDR_TEXT];
	struct addr net;

	if (subnet.n >= sizeof text)
		return false;
	memcpy(text, subnet.p, subnet.n);
	text[subnet.n] = 0;
	return addr_parse(text, &net) == 0 && net.prefix > 0 && addr_same_prefix(a, &net, net.prefix);
}

/* Overlay networks have addresses on other hosts, and virtual ones. */
static bool is_local(const struct block *networks, const struct network_row *n)
{
	struct text driver = block_text(networks, n->driver);

	return text_equal(driver, text_of("bridge")) || text_equal(driver, text_of("macvlan")) || text_equal(driver, text_of("ipvlan"));
}

/* A network of the engine on this host that the address belongs to, and that the watched target is on. */
static const struct network_row *network_of(const struct block *networks, const struct block *targets, const struct target_row *own,
	const struct addr *a)
{
	struct text subnet;

	for (uint32_t i = 0; networks && i < block_count(networks); i++) {
		const struct network_row *n = block_row(networks, i);

		if (!is_local(networks, n) || addr_same(&n->gateway, a) ||
			(own && own->head.flags & TARGET_IS_CONTAINER && !list_has(targets, own->networks, block_text(networks, n->name))))
			continue;
		for (uint32_t k = 0; block_list_item(networks, n->subnets, k, &subnet); k++)
			if (in_subnet(a, subnet))
				return n;
	}
	return NULL;
}

static void copy(char *to, size_t cap, struct text t)
{
	snprintf(to, cap, "%.*s", (int)(t.n < cap ? t.n : cap - 1), t.n ? t.p : "");
}

static void look_at(struct dnswatch_stale *s, const struct block *questions, const struct dnswatch_question *row, struct text item,
	const struct block *targets, const struct block *networks, const struct target_row *own)
{
	const struct network_row *network;
	char text[ADDR_TEXT];
	struct addr a;

	if (item.n >= sizeof text)
		return;
	copy(text, sizeof text, item);
	if (addr_parse(text, &a) < 0 || a.kind == ADDR_MAC)
		return;
	s->seen++;
	network = network_of(networks, targets, own, &a);
	if (!network || holder(targets, item) || s->count++ > 0)
		return;
	copy(s->name, sizeof s->name, block_text(questions, row->name));
	copy(s->address, sizeof s->address, item);
	copy(s->network, sizeof s->network, block_text(networks, network->name));
	s->number = row->number;
}

void dnswatch_stale_count(struct dnswatch_stale *state, const struct block *questions, const struct block *targets,
	const struct block *networks, const struct target_row *own, uint64_t since)
{
	struct text item;

	for (uint32_t i = 0; i < block_count(questions); i++) {
		const struct dnswatch_question *row = block_row(questions, i);

		if (row->number <= since || row->forwarded == 1 || row->n_answers == ROW_NO_UINT)
			continue;
		for (uint32_t k = 0; block_list_item(questions, row->answers, k, &item); k++)
			look_at(state, questions, row, item, targets, networks, own);
	}
}

static void add_stale(struct builder *b, const struct dnswatch_stale *s)
{
	struct dnswatch_finding *row;
	char text[640];

	if (!s || s->count == 0)
		return;
	row = builder_row(b);
	row->head = (struct row_head){ .id = 1, .severity = SEVERITY_BAD };
	row->finding = builder_str(b, "stale-address");
	snprintf(text, sizeof text, "%llu of %llu addresses in answers belong to no running container of their network",
		(unsigned long long)s->count, (unsigned long long)s->seen);
	row->text = builder_str(b, text);
	snprintf(text, sizeof text, "question %llu: %s has the address %s, which nobody has on %s", (unsigned long long)s->number, s->name,
		s->address, s->network);
	row->evidence = (struct str){ 0 };
	builder_list_add(b, &row->evidence, text, strlen(text));
	row->remedy = builder_str(b, "find who still gives this answer: a cache, /etc/hosts of a name server, or an old record");
	row->count = s->count;
	row->total = s->seen;
	row->name = builder_str(b, s->name);
}

struct block *dnswatch_findings_join(const struct block *findings, const struct dnswatch_stale *stale)
{
	struct builder *b = builder_new(&dnswatch_finding_type);
	struct block *ret;

	for (int severity = SEVERITY_N - 1; severity >= 0; severity--) {
		if (severity == SEVERITY_BAD)
			add_stale(b, stale);
		for (uint32_t i = 0; findings && i < block_count(findings); i++) {
			const struct dnswatch_finding *f = block_row(findings, i);

			if ((int)f->head.severity == severity)
				builder_copy_row(b, findings, f);
		}
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}
