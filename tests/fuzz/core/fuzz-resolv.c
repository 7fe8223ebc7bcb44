/* resolv.conf, hosts and nsswitch.conf of any bytes ('\1' parts them): rows say where they come from, limits hold, questions are whole. */
#include "core/source/files.h"

#include <stdlib.h>
#include <string.h>

#include "core/block.h"
#include "core/dns/ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct block *parse(const uint8_t *data, size_t size)
{
	static const char *const files[] = { "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf" };
	struct builder *b = builder_new(&file_row_type);
	struct block *ret;

	for (unsigned i = 0; i < 3; i++) {
		const uint8_t *end = memchr(data, 1, size);
		size_t n = end ? (size_t)(end - data) : size;

		files_parse(b, files[i], (const char *)data, n);
		data += n + (end != NULL);
		size -= n + (end != NULL);
	}
	ret = builder_block(b);
	builder_free(b);
	return ret;
}

static void check_request(const struct dns_request *q)
{
	if (q->n_servers < 1 || q->n_servers > 3 || q->n_search > DNS_MAX_SEARCH || q->ndots > 15 || q->timeout_ms < 1000 ||
		q->timeout_ms > 30000 || q->attempts < 1 || q->attempts > 5)
		abort();
	for (unsigned i = 0; i < q->n_search; i++)
		if (!memchr(q->search[i], 0, sizeof q->search[i]))
			abort();
	for (unsigned i = 0; i < q->n_servers; i++)
		if (q->servers[i].kind == ADDR_NONE || !memchr(q->zones[i], 0, sizeof q->zones[i]))
			abort();
}

static void ask_files(const struct block *files, const struct file_row *row, struct dns_request *q)
{
	struct text name = block_text(files, row->value);
	char text[ADDR_TEXT];
	struct block *answer;

	if (name.n >= sizeof q->name)
		return;
	memcpy(q->name, name.p, name.n);
	q->name[name.n] = 0;
	q->types[0] = 1;
	q->types[1] = 28;
	answer = dns_answer_from_files(files, q);
	if (answer && block_count(answer) < 1)
		abort();
	block_unref(answer);
	strcpy(q->name, addr_format(&row->address, text));
	q->types[0] = 12;
	block_unref(dns_answer_from_files(files, q));
}

/* An answer of DNS that found nothing, and what the services around it make of it. */
static void complete(const struct block *files, struct dns_request *q)
{
	struct builder *b = builder_new(&dns_row_type);
	struct block *ret;

	strcpy(q->name, "nobody");
	q->types[0] = 1;
	q->types[1] = 28;
	ret = dns_answer_complete(files, q, builder_block(b));
	if (!ret)
		abort();
	block_unref(ret);
	builder_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct block *files = parse(data, size);
	struct dns_request q;
	unsigned asked = 0;

	dns_request_from_files(files, &q);
	check_request(&q);
	for (uint32_t i = 0; i < block_count(files); i++) {
		const struct file_row *row = block_row(files, i);

		if (row->key >= FILE_KEY_N || row->line == 0)
			abort();
		if (row->key == FILE_HOST && row->address.kind == ADDR_NONE)
			abort();
		if (row->key == FILE_HOST && asked++ < 4)
			ask_files(files, row, &q);
	}
	complete(files, &q);
	block_unref(files);
	return 0;
}
