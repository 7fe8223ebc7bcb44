/*
 * What a container's files mean for a question: whom to ask and how (resolv.conf(5)); and which container an address in an answer
 * belongs to. What /etc/hosts answers: core/dns/nss.c.
 */
#include <stdio.h>
#include <string.h>

#include "core/block.h"
#include "core/dns/ask.h"
#include "core/dns/message.h"
#include "core/fd.h"
#include "core/source/files.h"
#include "core/target.h"

/* glibc's limits, resolv.h; of musl, where they differ. */
enum { MAX_SERVERS = 3, MAX_NDOTS = 15, MAX_TIMEOUT_S = 30, MAX_ATTEMPTS = 5, DEADLINE_MS = 5000,
	MUSL_TIMEOUT_S = 60, MUSL_ATTEMPTS = 10, MUSL_LINE = 254 };

const struct file_row *dns_file_row(const struct block *files, uint32_t i)
{
	const struct file_row *row = block_row(files, i);

	return row->head.flags & FILE_UNUSED ? NULL : row;
}

bool dns_copy_text(struct text t, char *ret, size_t cap)
{
	if (t.n >= cap || memchr(t.p, 0, t.n))
		return false;
	memcpy(ret, t.p, t.n);
	ret[t.n] = 0;
	return true;
}

/* --- resolv.conf --- */

/* "fe80::1%eth0": the part behind '%', when it can be an interface's name. */
static bool take_zone(struct text value, char ret[16])
{
	const char *sign = memchr(value.p, '%', value.n);
	struct text zone;

	ret[0] = 0;
	if (!sign)
		return true;
	zone = (struct text){ .p = sign + 1, .n = value.n - (size_t)(sign + 1 - value.p) };
	for (size_t i = 0; i < zone.n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@-", zone.p[i]))
			return false;
	return zone.n > 0 && dns_copy_text(zone, ret, 16);
}

static void add_server(const struct block *files, const struct file_row *row, struct dns_request *ret)
{
	unsigned n = ret->n_servers;

	if (n >= MAX_SERVERS || row->address.kind == ADDR_NONE)
		return;
	if (!take_zone(block_text(files, row->value), ret->zones[n]))
		return;
	ret->servers[n] = row->address;
	ret->n_servers++;
}

static void add_search(const struct block *files, const struct file_row *row, struct dns_request *ret)
{
	if (ret->n_search < DNS_MAX_SEARCH &&
		dns_copy_text(block_text(files, row->value), ret->search[ret->n_search], sizeof ret->search[0]))
		ret->n_search++;
}

static uint16_t at_most(uint64_t v, uint16_t max)
{
	return v < max ? (uint16_t)v : max;
}

static bool starts_with(struct text t, const char *word)
{
	return t.n >= strlen(word) && memcmp(t.p, word, strlen(word)) == 0;
}

/* Of glibc, by how they begin: it looks no further, and the longer of two comes first. */
static const struct {
	const char *word;
	uint32_t flag;
} options[] = {
	{ "use-vc", DNS_TCP }, { "edns0", DNS_EDNS }, { "rotate", DNS_ROTATE }, { "single-request-reopen", DNS_SINGLE_REOPEN },
	{ "single-request", DNS_SINGLE_REQUEST }, { "trust-ad", DNS_TRUST_AD }, { "no-aaaa", DNS_NO_AAAA },
	{ "no-tld-query", DNS_NO_TLD_QUERY }, { "no_tld_query", DNS_NO_TLD_QUERY }, { "strict-error", DNS_STRICT_ERROR },
};

/* Options that change nothing on the wire here (inet6, debug, no-reload) are passed over, as are unknown ones. */
static void set_option(const struct block *files, const struct file_row *row, struct dns_request *ret)
{
	struct text t = block_text(files, row->value);
	bool has_number = row->number != ROW_NO_UINT, is_musl = ret->libc == DNS_LIBC_MUSL;
	uint64_t number = row->number ? row->number : 1;

	if (starts_with(t, "ndots:") && has_number)
		ret->ndots = at_most(row->number, MAX_NDOTS);
	else if (starts_with(t, "timeout:") && has_number)
		ret->timeout_ms = (uint16_t)(at_most(number, is_musl ? MUSL_TIMEOUT_S : MAX_TIMEOUT_S) * 1000);
	else if (starts_with(t, "attempts:") && has_number)
		ret->attempts = at_most(number, is_musl ? MUSL_ATTEMPTS : MAX_ATTEMPTS);
	for (size_t i = 0; i < ARRAY_LEN(options) && !is_musl; i++) {
		if (starts_with(t, options[i].word)) {
			ret->flags |= options[i].flag;
			break;
		}
	}
}

static void take_row(const struct block *files, const struct file_row *row, struct dns_request *ret)
{
	switch ((enum file_key)row->key) {
	case FILE_NAMESERVER:
		add_server(files, row, ret);
		break;
	case FILE_SEARCH:
		add_search(files, row, ret);
		break;
	case FILE_OPTION:
		set_option(files, row, ret);
		break;
	case FILE_HOST:
	case FILE_NSS:
	case FILE_HOSTNAME:
	case FILE_LIBC:
	case FILE_UPSTREAM:
	case FILE_OTHER:
	case FILE_ERROR:
	case FILE_KEY_N:
		break;
	}
}

static const struct file_row *find_key(const struct block *files, enum file_key key)
{
	for (uint32_t i = 0; files && i < block_count(files); i++) {
		const struct file_row *row = block_row(files, i);

		if (row->key == key)
			return row;
	}
	return NULL;
}

/* Nothing known: as glibc, which most images have. */
static void set_libc(const struct block *files, enum dns_libc wanted, struct dns_request *ret)
{
	const struct file_row *row = find_key(files, FILE_LIBC);
	struct text t = row ? block_text(files, row->value) : (struct text){ 0 };
	bool is_musl = text_contains(t, text_of("musl"));

	ret->libc = wanted ? wanted : is_musl ? DNS_LIBC_MUSL : DNS_LIBC_GLIBC;
	if (row && row->number != ROW_NO_UINT && (ret->libc == DNS_LIBC_MUSL) == is_musl)
		ret->libc_version = (uint32_t)row->number;
}

/* Without a search line glibc takes what follows the first dot of the host's name. musl passes over a line that is too long. */
static void finish_search(const struct block *files, struct dns_request *ret)
{
	const struct file_row *row = find_key(files, FILE_HOSTNAME);
	struct text name = row ? block_text(files, row->value) : (struct text){ 0 };
	const char *dot = name.n ? memchr(name.p, '.', name.n) : NULL;
	size_t line = strlen("search");

	for (unsigned i = 0; i < ret->n_search; i++)
		line += 1 + strlen(ret->search[i]);
	if (ret->libc == DNS_LIBC_MUSL && line > MUSL_LINE)
		ret->n_search = 0;
	if (ret->libc != DNS_LIBC_GLIBC || ret->n_search || !dot)
		return;
	name = (struct text){ .p = dot + 1, .n = name.n - (size_t)(dot + 1 - name.p) };
	if (name.n && dns_copy_text(name, ret->search[0], sizeof ret->search[0]))
		ret->n_search = 1;
}

void dns_request_from_files(const struct block *files, struct dns_request *ret)
{
	dns_request_as(files, DNS_LIBC_NONE, ret);
}

void dns_request_as(const struct block *files, enum dns_libc libc, struct dns_request *ret)
{
	memset(ret, 0, sizeof *ret);
	set_libc(files, libc, ret);
	ret->ndots = 1;
	ret->timeout_ms = 5000;
	ret->attempts = 2;
	ret->deadline_ms = DEADLINE_MS;
	for (uint32_t i = 0; files && i < block_count(files); i++) {
		const struct file_row *row = dns_file_row(files, i);

		if (row)
			take_row(files, row, ret);
	}
	finish_search(files, ret);
	if (ret->n_servers == 0) {
		ret->servers[0] = addr_ip4((uint8_t[]){ 127, 0, 0, 1 });
		ret->n_servers = 1;
	}
}

/* --- names of containers --- */

static bool list_has(const struct block *targets, struct str list, const struct addr *a)
{
	struct text item;
	char text[ADDR_TEXT];
	struct addr other;

	for (uint32_t i = 0; block_list_item(targets, list, i, &item); i++)
		if (dns_copy_text(item, text, sizeof text) && addr_parse(text, &other) == 0 && addr_same(&other, a))
			return true;
	return false;
}

const struct target_row *dns_target_find(const struct block *targets, const struct addr *a)
{
	const struct target_row *found = NULL;

	for (uint32_t i = 0; i < block_count(targets); i++) {
		const struct target_row *t = block_row(targets, i);

		if (found && t->state != TARGET_STATE_RUNNING)
			continue;
		if (!list_has(targets, t->addresses, a))
			continue;
		found = t;
		if (t->state == TARGET_STATE_RUNNING)
			break;
	}
	return found;
}

static void copy_notes(struct builder *b, const struct block *from)
{
	for (uint32_t i = 0; i < block_notes(from); i++) {
		int code;
		struct text t = block_note(from, i, &code);

		builder_note(b, code, "%.*s", (int)t.n, t.p);
	}
	builder_lost(b, block_lost(from));
	builder_cost(b, block_cost_us(from));
}

struct block *dns_name_targets(const struct block *answers, const struct block *targets)
{
	struct builder *b = builder_new(&dns_row_type);
	struct block *ret;

	for (uint32_t i = 0; i < block_count(answers); i++) {
		struct dns_row *row = builder_copy_row(b, answers, block_row(answers, i));
		const struct target_row *t = NULL;
		struct text name;

		if (targets && row->address.kind != ADDR_NONE && !addr_is_loopback(&row->address))
			t = dns_target_find(targets, &row->address);
		if (!t)
			continue;
		name = block_text(targets, t->name);
		row->target = builder_text(b, name.p, name.n);
	}
	copy_notes(b, answers);
	ret = builder_block(b);
	builder_free(b);
	return ret;
}
