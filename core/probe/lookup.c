/* Addresses out of answers, and what it means when there is none: see lookup.h. The caller's answer is the name that a libc would take. */
#include "core/probe/lookup.h"

#include <stdio.h>

#include "core/block.h"
#include "core/probe/run.h"

enum { NAME_SHOWN = 100, SERVERS = 96 };

bool lookup_address(const struct block *answer, struct addr *ret)
{
	for (uint32_t i = 0; i < block_count(answer); i++) {
		const struct dns_row *d = block_row(answer, i);

		if (d->section == DNS_SECTION_ANSWER && d->address.kind) {
			*ret = d->address;
			return true;
		}
	}
	return false;
}

/* Ascending gravity: enum probe_verdict has them in this order. */
static uint32_t verdict_of_rcode(struct text rcode)
{
	if (text_equal(rcode, text_of("NXDOMAIN")))
		return PROBE_NO_NAME;
	if (text_equal(rcode, text_of("NOERROR")))
		return PROBE_NO_ADDRESS;
	return text_equal(rcode, text_of("timeout")) ? PROBE_DNS_TIMEOUT : PROBE_DNS_FAILED;
}

static const struct dns_row *gravest(const struct block *answer, uint32_t *ret_verdict)
{
	const struct dns_row *worst = NULL;

	*ret_verdict = PROBE_DNS_FAILED;
	for (uint32_t i = 0; i < block_count(answer); i++) {
		const struct dns_row *d = block_row(answer, i);
		uint32_t v = verdict_of_rcode(block_text(answer, d->rcode));

		if (d->section != DNS_SECTION_ANSWER || (worst && v <= *ret_verdict))
			continue;
		worst = d;
		*ret_verdict = v;
	}
	return worst;
}

/* Was it said in a row before this one? */
static bool is_repeated(const struct block *answer, uint32_t row, struct text server)
{
	for (uint32_t i = 0; i < row; i++) {
		const struct dns_row *d = block_row(answer, i);

		if (text_equal(block_text(answer, d->server), server) && text_equal(block_text(answer, d->rcode), text_of("timeout")))
			return true;
	}
	return false;
}

/* "127.0.0.11, 10.0.0.2": all that were asked in vain; returns how many. */
static unsigned silent_servers(const struct block *answer, char buf[SERVERS])
{
	unsigned n = 0;
	size_t at = 0;

	buf[0] = '\0';
	for (uint32_t i = 0; i < block_count(answer); i++) {
		const struct dns_row *d = block_row(answer, i);
		struct text server = block_text(answer, d->server);

		if (!text_equal(block_text(answer, d->rcode), text_of("timeout")) || !server.n || is_repeated(answer, i, server))
			continue;
		if (at + server.n + 3 < SERVERS)
			at += (size_t)snprintf(buf + at, SERVERS - at, "%s%.*s", n ? ", " : "", (int)server.n, server.p);
		n++;
	}
	return n;
}

static void say_silence(const struct block *answer, const char *name, struct probe_facts *f)
{
	char servers[SERVERS];
	unsigned n = silent_servers(answer, servers);

	snprintf(f->detail, sizeof f->detail, "the name server%s%s%s did not answer in time when asked for %.*s", n > 1 ? "s" : "", n ? " " : "", servers,
		NAME_SHOWN, name);
}

void lookup_failure(const struct block *answer, const char *name, struct probe_facts *f)
{
	const struct dns_row *d = gravest(answer, &f->verdict);
	struct text rcode = d ? block_text(answer, d->rcode) : (struct text){ 0 }, server = d ? block_text(answer, d->server) : (struct text){ 0 };
	int n_rcode = rcode.n < 60 ? (int)rcode.n : 60, n_server = server.n < 60 ? (int)server.n : 60;

	if (f->verdict == PROBE_DNS_TIMEOUT)
		say_silence(answer, name, f);
	else if (f->verdict == PROBE_NO_NAME)
		snprintf(f->detail, sizeof f->detail, "there is no such name: %.*s is NXDOMAIN%s%.*s", NAME_SHOWN, name, n_server ? " for " : "", n_server, server.p);
	else if (f->verdict == PROBE_NO_ADDRESS)
		snprintf(f->detail, sizeof f->detail, "the name exists, but has no address of this kind: %.*s%s%.*s", NAME_SHOWN, name,
			n_server ? ", says " : "", n_server, server.p);
	else
		snprintf(f->detail, sizeof f->detail, "the name server%s%.*s does not help with %.*s: %.*s", n_server ? " " : "", n_server, server.p,
			NAME_SHOWN, name, n_rcode ? n_rcode : 9, n_rcode ? rcode.p : "no answer");
}
