/* Replies of any bytes to the two questions of a name: what is matched is ours, rows hold what was noted, limits hold. */
#include "core/dns/shots.h"

#include <stdlib.h>
#include <string.h>

#include "core/block.h"
#include "core/fd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each record: length, control byte, then bytes that follow a true id and question when the control says so. */
static size_t take(struct dns_shots *s, const uint8_t *p, size_t n)
{
	size_t k = p[0] < n - 2 ? p[0] : n - 2, len = 0;
	unsigned question = p[1] & 1, server = p[1] >> 1 & 1;
	uint8_t msg[1024];
	int got;

	if (p[1] & 4) { /* begins as a reply should */
		len = s->n_frames[question] - 2;
		memcpy(msg, s->frames[question] + 2, len);
		msg[2] |= 0x80;
	}
	memcpy(msg + len, p + 2, k);
	if (p[1] & 8)
		dns_shots_sent(s, question, server, p[1] & 16);
	got = dns_shots_match(s, msg, len + k);
	if (got >= (int)s->n_questions || (got >= 0 && len + k < 12))
		abort();
	if (got >= 0)
		dns_shots_reply(s, (unsigned)got, server, msg, len + k, p[1] & 32);
	else
		dns_shots_stray(s, server);
	if (got >= 0 && p[1] & 64)
		dns_shots_cut(s, (unsigned)got);
	if (p[1] & 128)
		dns_shots_lost(s, server, p[1] & 1);
	return k + 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct dns_request request = { .name = "db.example", .types = { 1, 28 } };
	AUTO(fd_freep) struct dns_shots *s = fd_xcalloc(1, sizeof *s);
	AUTO(fd_freep) uint8_t *replies = fd_xcalloc(4, 2048);
	struct builder *b = builder_new(&dns_row_type);
	bool used[DNS_SHOTS_QUESTIONS] = { size & 1, size & 2 };
	struct dns_name name;

	s->request = &request;
	s->b = b;
	s->n_servers = s->n_questions = 2;
	for (unsigned i = 0; i < 2; i++) {
		s->queries[i].question.type = request.types[i];
		s->queries[i].question.class = DNS_CLASS_IN;
		s->taken[i].flight.reply = replies + (size_t)i * 2048;
		s->best[i].flight.reply = replies + (size_t)(2 + i) * 2048;
	}
	if (dns_name_parse(request.name, &name, NULL, NULL) < 0 || !dns_shots_name(s, &name, "as typed"))
		abort();
	while (size > 2) {
		size_t n = take(s, data, size);

		data += n;
		size -= n;
	}
	dns_shots_end(s, 1, used);
	if (builder_count(b) != s->n)
		abort();
	builder_free(b);
	return 0;
}
