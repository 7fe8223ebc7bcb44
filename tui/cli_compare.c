/* nsdbg dns --compare: the same name at every resolver that matters, each asked by a worker of its own, all at the same time. */
#include "tui/cli.h"

#include "core/dns/compare.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "core/source/files.h"

#include <stdio.h>
#include <string.h>

enum { FILES_MS = 2000 };

static const struct target_ref host_ref = { .kind = TARGET_HOST };

struct comparison {
	struct cli *c;
	const struct dns_request *asked;
	char name[DNS_NAME_TEXT];
	struct dns_peer peers[DNS_MAX_PEERS];
	struct link *links[DNS_MAX_PEERS];
	struct block *answers[DNS_MAX_PEERS];
	unsigned n;
};

/* The host's own files; without them its resolvers are left out, and we say so. */
static struct block *read_host_files(struct cli *c)
{
	struct err err = { 0 };
	struct link *l = session_open(c->session, &files_source, &host_ref, NULL, 0, &err);
	struct block *files = NULL;

	if (!l || cli_wait(c, l, &file_row_type, loop_now_ms() + FILES_MS, &files, &err) < 0) {
		err_wrap(&err, 0, "the host's resolv.conf");
		cli_error_err(c, CLI_PARTIAL, &err);
	}
	link_free(l);
	return files;
}

static void ask_peer(struct comparison *m, unsigned i)
{
	const struct target_ref *ref = m->peers[i].on_host ? &host_ref : &m->c->ref;
	struct dns_request q;
	struct err err = { 0 };

	dns_compare_request(&m->peers[i], m->asked, m->name, (uint32_t)m->c->o->timeout_ms, &q);
	m->links[i] = session_open(m->c->session, &dns_source, ref, NULL, 0, &err);
	if (!m->links[i] || link_request(m->links[i], 1, DNS_OP_ASK, &q, sizeof q, -1) < 0)
		cli_error_err(m->c, CLI_PARTIAL, &err);
}

static void hear_peer(struct comparison *m, unsigned i)
{
	struct err err = { 0 };

	if (m->links[i] && cli_wait(m->c, m->links[i], &dns_row_type, cli_deadline(m->c) + 1000, &m->answers[i], &err) < 0)
		cli_error_err(m->c, CLI_PARTIAL, &err);
	link_free(m->links[i]);
}

static bool is_table(const struct cli *c)
{
	return c->o->format == WRITER_TABLE || c->o->format == WRITER_WIDE;
}

/* The verdict in a line of its own: a column would cut it. */
static void print_verdict(const struct cli *c, const struct block *rows)
{
	const struct dns_compare_row *own = block_row(rows, 0);
	struct text verdict = block_text(rows, own->finding);
	char clean[1024];

	if (verdict.n == 0)
		verdict = text_of(block_count(rows) > 1 ? "all resolvers say the same" : "no other resolver to compare with");
	text_clean(clean, sizeof clean, verdict, c->o->ascii ? TEXT_ASCII : TEXT_UTF8);
	printf("\n%s\n", clean);
}

static void print_rows(struct comparison *m, const struct block *own)
{
	struct dns_compared compared = { .asked = m->asked, .name = m->name, .own = own, .peers = m->peers, .answers = m->answers,
		.n = m->n, .targets = m->c->targets, .networks = m->c->networks };
	AUTO(block_unrefp) struct block *rows = dns_compare_rows(&compared);
	struct cli_print p = { .type = &dns_compare_row_type, .block = rows, .first_word = OPTIONS_MAX_WORDS };

	if (is_table(m->c) && !m->c->o->columns)
		p.columns = "server,who,from,time_us,rcode,answers,targets";
	cli_print(m->c, &p);
	if (is_table(m->c))
		print_verdict(m->c, rows);
}

void cli_compare(struct cli *c, const struct dns_request *asked, const struct block *files, const struct block *own)
{
	AUTO(fd_freep) struct comparison *m = fd_xcalloc(1, sizeof *m);
	AUTO(block_unrefp) struct block *host = c->ref.kind == TARGET_HOST ? NULL : read_host_files(c);

	m->c = c;
	m->asked = asked;
	m->n = dns_compare_peers(files, host, m->peers);
	dns_compare_name(own, asked, m->name);
	for (unsigned i = 0; i < m->n; i++)
		ask_peer(m, i);
	for (unsigned i = 0; i < m->n; i++)
		hear_peer(m, i);
	cli_complete(c);
	print_rows(m, own);
	for (unsigned i = 0; i < m->n; i++)
		block_unref(m->answers[i]);
}
