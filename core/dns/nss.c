/*
 * What a libc does around DNS: a literal address asks nobody, nsswitch.conf(5) says in which order files and dns have their turn
 * (glibc; musl knows files, then dns), and /etc/hosts answers (hosts(5)). Services that are neither are taken as unavailable: their
 * modules are seldom in an image, and what they would ask is not DNS.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/block.h"
#include "core/dns/ask.h"
#include "core/dns/message.h"
#include "core/dns/rows.h"
#include "core/fd.h"
#include "core/source/files.h"

enum { MAX_SERVICES = 12 };
enum status { STATUS_SUCCESS, STATUS_NOTFOUND, STATUS_UNAVAIL, STATUS_TRYAGAIN, STATUS_N };
static const char *const status_names[STATUS_N] = { "SUCCESS", "NOTFOUND", "UNAVAIL", "TRYAGAIN" };

struct service {
	struct text word;
	unsigned returns; /* 1 << status: the search ends there */
};

struct plan {
	struct service services[MAX_SERVICES];
	unsigned n;
};

/* --- nsswitch.conf --- */

/* "!UNAVAIL=return": the status behind '!' is left alone, all others are set. */
static void take_action(struct service *s, struct text word)
{
	bool negated = word.n && word.p[0] == '!';
	const char *sign = word.n ? memchr(word.p, '=', word.n) : NULL;
	struct text name, action;
	bool ends;

	if (!sign)
		return;
	name = (struct text){ word.p + negated, (size_t)(sign - word.p) - negated };
	action = (struct text){ sign + 1, word.n - (size_t)(sign + 1 - word.p) };
	ends = action.n == 6 && strncasecmp(action.p, "return", 6) == 0;
	for (unsigned i = 0; i < STATUS_N; i++) {
		bool is_it = name.n == strlen(status_names[i]) && strncasecmp(name.p, status_names[i], name.n) == 0;

		if (is_it != negated)
			s->returns = ends ? s->returns | 1u << i : s->returns & ~(1u << i);
	}
}

/* "[NOTFOUND=return !UNAVAIL = return]": words between the brackets; blanks around '=' are not part of one. */
static void take_actions(struct service *s, struct text list)
{
	char words[128];
	size_t n = 0;

	for (size_t i = 0; i < list.n && n < sizeof words; i++) {
		char c = list.p[i];
		bool is_blank = c == ' ' || c == '\t' || c == '[' || c == ']';

		if (!is_blank)
			words[n++] = c;
		else if (n && words[n - 1] != ' ' && words[n - 1] != '=' && !(i + 1 < list.n && list.p[i + 1] == '='))
			words[n++] = ' ';
	}
	for (size_t from = 0; from < n;) {
		size_t to = from;

		while (to < n && words[to] != ' ')
			to++;
		take_action(s, (struct text){ words + from, to - from });
		from = to + 1;
	}
}

static void add_service(struct plan *p, struct text word)
{
	if (p->n < MAX_SERVICES)
		p->services[p->n++] = (struct service){ .word = word, .returns = 1u << STATUS_SUCCESS };
}

static void make_plan(const struct block *files, const struct dns_request *q, struct plan *ret)
{
	ret->n = 0;
	for (uint32_t i = 0; q->libc != DNS_LIBC_MUSL && i < block_count(files); i++) {
		const struct file_row *row = block_row(files, i);
		struct text word = block_text(files, row->value);

		if (row->key != FILE_NSS || row->head.flags & FILE_UNUSED || word.n == 0)
			continue;
		if (word.p[0] != '[')
			add_service(ret, word);
		else if (ret->n)
			take_actions(&ret->services[ret->n - 1], word);
	}
	if (ret->n)
		return;
	add_service(ret, text_of("files"));
	add_service(ret, text_of("dns"));
}

/* --- hosts --- */

static bool has_type(const struct dns_request *q, uint16_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(q->types) && q->types[i]; i++)
		if (q->types[i] == type)
			return true;
	return false;
}

/* One row from a line of the file; `data` NULL: the name is there, but with an address of the other kind. */
static struct dns_row *hosts_row(struct builder *b, const char *file, const char *name, uint16_t type, const char *data)
{
	struct dns_row *row = dns_rows_blank(b);
	char number[16];

	row->section = DNS_SECTION_ANSWER;
	row->head.severity = data ? SEVERITY_OK : SEVERITY_IDLE;
	row->name = builder_str(b, name);
	row->type = builder_str(b, dns_type_name(type, number));
	row->server = builder_str(b, file);
	row->rcode = builder_str(b, "NOERROR");
	if (data)
		row->data = builder_str(b, data);
	dns_rows_identify(row, name, dns_type_name(type, number), data ? data : "");
	return row;
}

/* Names in rows end in a dot, as in replies. */
static void dotted(const char *name, char ret[DNS_NAME_TEXT + 1])
{
	size_t n = strnlen(name, DNS_NAME_TEXT - 1);

	memcpy(ret, name, n);
	if (n == 0 || ret[n - 1] != '.')
		ret[n++] = '.';
	ret[n] = 0;
}

/* Where the rows come from, "/etc/hosts". */
static void file_name(const struct block *files, const struct file_row *row, char ret[128])
{
	if (!dns_copy_text(block_text(files, row->file), ret, 128))
		memcpy(ret, "/etc/hosts", sizeof "/etc/hosts");
}

/* musl compares bytes. */
static bool name_is(const struct dns_request *q, struct text t)
{
	if (t.n != strlen(q->name))
		return false;
	return q->libc == DNS_LIBC_MUSL ? memcmp(t.p, q->name, t.n) == 0 : strncasecmp(t.p, q->name, t.n) == 0;
}

/* A name answers when the file has an address of any kind that was asked for; for musl also with one that was not. */
static void find_addresses(const struct block *files, const struct dns_request *q, struct builder *b)
{
	unsigned found[2] = { 0 }, others = 0;
	char name[DNS_NAME_TEXT + 1], data[ADDR_TEXT], file[128] = "";

	dotted(q->name, name);
	for (uint32_t i = 0; i < block_count(files); i++) {
		const struct file_row *row = dns_file_row(files, i);
		struct addr a;
		bool is_ip6;

		if (!row || row->key != FILE_HOST || !name_is(q, block_text(files, row->value)))
			continue;
		a = addr_unmap(&row->address);
		is_ip6 = a.kind == ADDR_IP6;
		if (!has_type(q, is_ip6 ? DNS_TYPE_AAAA : DNS_TYPE_A)) {
			others++;
			continue;
		}
		found[is_ip6]++;
		file_name(files, row, file);
		hosts_row(b, file, name, is_ip6 ? DNS_TYPE_AAAA : DNS_TYPE_A, addr_format(&a, data))->address = a;
	}
	if (found[1] && !found[0] && has_type(q, DNS_TYPE_A))
		hosts_row(b, file, name, DNS_TYPE_A, NULL);
	if (found[0] && !found[1] && has_type(q, DNS_TYPE_AAAA))
		hosts_row(b, file, name, DNS_TYPE_AAAA, NULL);
	if (!found[0] && !found[1] && others && q->libc == DNS_LIBC_MUSL)
		hosts_row(b, "/etc/hosts", name, q->types[0], NULL);
}

/* An address answers with the names of its first line; the first of them is the one that libc gives. */
static void find_names(const struct block *files, const struct addr *a, struct builder *b)
{
	char owner[80], name[DNS_NAME_TEXT], data[DNS_NAME_TEXT + 1], file[128];
	uint64_t line = 0;

	if (!dns_name_reverse(a, owner, sizeof owner))
		return;
	for (uint32_t i = 0; i < block_count(files); i++) {
		const struct file_row *row = dns_file_row(files, i);

		if (!row || row->key != FILE_HOST || !addr_same(&row->address, a) || (line && row->line != line))
			continue;
		if (!dns_copy_text(block_text(files, row->value), name, sizeof name))
			continue;
		line = row->line;
		dotted(name, data);
		file_name(files, row, file);
		hosts_row(b, file, owner, DNS_TYPE_PTR, data);
	}
}

/* --- the order --- */

/* The name is an address: its own answer. */
static bool add_literal(const struct dns_request *q, struct builder *b)
{
	char name[DNS_NAME_TEXT + 1];
	struct dns_row *row;
	struct addr a;

	if (q->types[0] == DNS_TYPE_PTR || addr_parse(q->name, &a) < 0 || a.has_prefix || a.kind == ADDR_MAC)
		return false;
	dotted(q->name, name);
	if (!has_type(q, a.kind == ADDR_IP6 ? DNS_TYPE_AAAA : DNS_TYPE_A))
		return false;
	row = hosts_row(b, "libc", name, a.kind == ADDR_IP6 ? DNS_TYPE_AAAA : DNS_TYPE_A, q->name);
	row->address = a;
	return true;
}

static enum status ask_files(const struct block *files, const struct dns_request *q, struct builder *b)
{
	uint32_t before = builder_count(b);
	struct addr a;

	if (q->types[0] == DNS_TYPE_PTR && addr_parse(q->name, &a) == 0)
		find_names(files, &a, b);
	else if (q->name[0])
		find_addresses(files, q, b);
	return builder_count(b) > before ? STATUS_SUCCESS : STATUS_NOTFOUND;
}

/* Only addresses and the names of addresses go through nsswitch; other records are asked for directly. */
static bool goes_through(const struct block *files, const struct dns_request *q)
{
	struct addr a;

	if (!files || q->flags & DNS_NO_HOSTS || !memchr(q->name, 0, sizeof q->name))
		return false;
	if (q->types[0] == DNS_TYPE_PTR)
		return addr_parse(q->name, &a) == 0;
	return has_type(q, DNS_TYPE_A) || has_type(q, DNS_TYPE_AAAA);
}

static void add_step(struct builder *b, const struct dns_request *q, struct text service, const char *server, const char *what)
{
	struct dns_row *row = dns_rows_blank(b);
	char name[DNS_NAME_TEXT + 1], how[96];
	uint32_t n = builder_count(b);

	dotted(q->name, name);
	snprintf(how, sizeof how, "%s %.*s", q->libc == DNS_LIBC_MUSL ? "musl:" : "nsswitch:", (int)(service.n < 60 ? service.n : 60), service.p);
	row->section = DNS_SECTION_STEP;
	row->head.severity = SEVERITY_IDLE;
	row->name = builder_str(b, name);
	row->data = builder_str(b, how);
	row->rcode = builder_str(b, what);
	if (server)
		row->server = builder_str(b, server);
	dns_rows_identify(row, name, "", how);
	row->head.id += n;
}

static bool is_dns(const struct service *s)
{
	return text_equal(s->word, text_of("dns"));
}

static bool is_files(const struct service *s)
{
	return text_equal(s->word, text_of("files"));
}

/* Services from *i on up to dns, or to the end. True: one of them ended the search (its rows are in b). */
static bool run_services(const struct block *files, const struct dns_request *q, const struct plan *p, unsigned *i, struct builder *b)
{
	for (; *i < p->n && !is_dns(&p->services[*i]); (*i)++) {
		const struct service *s = &p->services[*i];
		enum status status = is_files(s) ? ask_files(files, q, b) : STATUS_UNAVAIL;

		if (status == STATUS_NOTFOUND)
			add_step(b, q, s->word, "/etc/hosts", "no such name");
		if (status == STATUS_UNAVAIL)
			add_step(b, q, s->word, NULL, "taken as unavailable");
		if (s->returns & 1u << status)
			return true;
	}
	return false;
}

static bool has_answer(const struct builder *b)
{
	for (uint32_t i = 0; i < builder_count((struct builder *)b); i++)
		if (((struct dns_row *)builder_at((struct builder *)b, i))->section == DNS_SECTION_ANSWER)
			return true;
	return false;
}

/* The search ended without DNS and without a name: say so for each type. */
static void add_nothing(const struct dns_request *q, struct builder *b)
{
	char name[DNS_NAME_TEXT + 1];

	dotted(q->name, name);
	for (size_t i = 0; i < ARRAY_LEN(q->types) && q->types[i]; i++) {
		struct dns_row *row = hosts_row(b, "/etc/nsswitch.conf", name, q->types[i], NULL);

		row->rcode = builder_str(b, "not found: no DNS is asked");
		row->head.severity = SEVERITY_WARN;
	}
}

struct block *dns_answer_from_files(const struct block *files, const struct dns_request *request)
{
	struct block *ret = NULL;
	struct builder *b;
	struct plan plan;
	unsigned i = 0;

	if (!goes_through(files, request))
		return NULL;
	b = builder_new(&dns_row_type);
	make_plan(files, request, &plan);
	if (add_literal(request, b)) {
		ret = builder_block(b);
	} else if (run_services(files, request, &plan, &i, b) || i == plan.n) {
		if (!has_answer(b))
			add_nothing(request, b);
		ret = builder_block(b);
	}
	builder_free(b);
	return ret;
}

/* What DNS came to, from its rows. */
static enum status dns_status(const struct block *answers)
{
	enum status status = STATUS_UNAVAIL;

	for (uint32_t i = 0; i < block_count(answers); i++) {
		const struct dns_row *row = block_row(answers, i);
		struct text rcode = block_text(answers, row->rcode);

		if (row->section != DNS_SECTION_ANSWER)
			continue;
		if (row->data.len != UINT32_MAX)
			return STATUS_SUCCESS;
		if (text_equal(rcode, text_of("NOERROR")) || text_equal(rcode, text_of("NXDOMAIN")))
			status = STATUS_NOTFOUND;
	}
	return status;
}

static void copy_answers(struct builder *b, const struct block *from, bool steps_only)
{
	for (uint32_t i = 0; i < block_count(from); i++) {
		const struct dns_row *row = block_row(from, i);

		if (!steps_only || row->section == DNS_SECTION_STEP)
			builder_copy_row(b, from, row);
	}
	for (uint32_t i = 0; i < block_notes(from); i++) {
		int code;
		struct text t = block_note(from, i, &code);

		builder_note(b, code, "%.*s", (int)t.n, t.p);
	}
	builder_lost(b, block_lost(from));
	builder_cost(b, block_cost_us(from));
}

/* A static program may hold any libc, or resolve names by itself (Go): say whose way was taken. */
static void add_libc(const struct block *files, const struct dns_request *q, struct builder *b)
{
	for (uint32_t i = 0; i < block_count(files); i++) {
		const struct file_row *row = block_row(files, i);
		struct text value = block_text(files, row->value);
		char what[64];

		if (row->key != FILE_LIBC || q->libc == DNS_LIBC_NONE || !text_contains(value, text_of("unknown")))
			continue;
		snprintf(what, sizeof what, "asked as %s would", q->libc < DNS_LIBC_N ? dns_libc_names[q->libc] : "");
		add_step(b, q, text_of("libc"), NULL, what);
		((struct dns_row *)builder_at(b, builder_count(b) - 1))->data = builder_text(b, value.p, value.n);
	}
}

struct block *dns_answer_complete(const struct block *files, const struct dns_request *request, struct block *answers)
{
	struct builder *b, *after;
	struct block *ret = answers, *later = NULL;
	struct plan plan;
	unsigned i = 0;
	enum status status;

	if (!goes_through(files, request))
		return answers;
	b = builder_new(&dns_row_type);
	after = builder_new(&dns_row_type);
	make_plan(files, request, &plan);
	add_libc(files, request, b);
	run_services(files, request, &plan, &i, b); /* ended before DNS otherwise */
	status = dns_status(answers);
	if (i < plan.n && !(plan.services[i].returns & 1u << status)) {
		i++;
		run_services(files, request, &plan, &i, after);
	}
	later = builder_block(after);
	copy_answers(b, answers, has_answer(after));
	copy_answers(b, later, false);
	ret = builder_block(b);
	block_unref(answers);
	block_unref(later);
	builder_free(b);
	builder_free(after);
	return ret;
}
