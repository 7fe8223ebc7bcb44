/* nsdbg doctor: what this machine, its engines and this terminal let nsdbg do, and what the rest costs. */
#include "tui/cli.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/rights.h"
#include "core/source/doctor.h"
#include "tui/screen.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* --- engines --- */

static void add_engine(struct builder *b, const struct block *engines, const struct engine_row *e)
{
	struct text runtime = block_text(engines, e->runtime), endpoint = block_text(engines, e->endpoint);
	struct text version = block_text(engines, e->version), why = block_text(engines, e->error);
	char name[64], found[512];

	snprintf(name, sizeof name, "%.*s", (int)(runtime.n < 48 ? runtime.n : 48), runtime.n ? runtime.p : "");
	if (e->answering == 1)
		snprintf(found, sizeof found, "%.*s at %.*s%s%.1f ms", (int)(version.n < 60 ? version.n : 60), version.n ? version.p : "",
			(int)(endpoint.n < 200 ? endpoint.n : 200), endpoint.n ? endpoint.p : "", e->latency_us == ROW_NO_UINT ? "" : ", ",
			e->latency_us == ROW_NO_UINT ? 0.0 : (double)e->latency_us / 1000);
	else
		snprintf(found, sizeof found, "%.*s", (int)(why.n < 400 ? why.n : 400), why.n ? why.p : "does not answer");
	doctor_add(b, e->answering == 1 ? DOCTOR_OK : DOCTOR_LESS, "engines", name, found,
		"its containers have no names, images and ports: they are listed by their namespaces", NULL);
}

static void add_engines(struct cli *c, struct builder *b)
{
	for (uint32_t i = 0; i < block_count(c->engines); i++)
		add_engine(b, c->engines, block_row(c->engines, i));
	if (block_count(c->engines) == 0)
		doctor_add(b, DOCTOR_LESS, "engines", "any", "no engine was found", "containers are listed by their namespaces, without names",
			"start an engine, or name it with --docker-host");
}

/* --- terminal --- */

static void add_term(struct builder *b)
{
	const char *term = getenv("TERM"), *direct = getenv("COLORTERM");
	int colors = screen_colors(term);
	char found[160];

	if (colors < 0) {
		snprintf(found, sizeof found, "TERM=%.60s is not known here", term ? term : "");
		doctor_add(b, DOCTOR_MISSING, "terminal", "TERM", found, "the screen does not open, or takes it for an xterm",
			"set TERM, e.g. TERM=xterm-256color");
		return;
	}
	snprintf(found, sizeof found, "%.60s, %d colours%s", term, colors, direct && direct[0] ? ", COLORTERM set" : "");
	doctor_add(b, colors >= 8 ? DOCTOR_OK : DOCTOR_LESS, "terminal", "TERM", found, "signs without colour", "TERM=xterm-256color");
}

static void add_locale(struct builder *b)
{
	bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	char found[96];

	snprintf(found, sizeof found, "%.60s", nl_langinfo(CODESET));
	doctor_add(b, utf8 ? DOCTOR_OK : DOCTOR_LESS, "terminal", "locale", found, "signs and lines in ASCII, other letters as codes",
		"LC_ALL=C.UTF-8");
}

static void add_size(struct builder *b)
{
	struct winsize size;
	char found[64];
	bool enough;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0) {
		doctor_add(b, DOCTOR_UNKNOWN, "terminal", "size", "no terminal", NULL, NULL);
		return;
	}
	enough = size.ws_col >= 80 && size.ws_row >= 24;
	snprintf(found, sizeof found, "%ux%u%s", size.ws_col, size.ws_row, getenv("TMUX") ? ", inside tmux" : "");
	doctor_add(b, enough ? DOCTOR_OK : DOCTOR_LESS, "terminal", "size", found, "columns and previews are left out", "80x24 or more");
}

/* --- the command --- */

static void add_machine(struct cli *c, struct builder *b)
{
	AUTO(block_unrefp) struct block *rows = NULL;
	struct err err = { 0 };
	struct link *l = session_open(c->session, &doctor_source, NULL, NULL, 0, &err);
	int r = l ? cli_wait(c, l, &doctor_row_type, cli_deadline(c), &rows, &err) : -EPIPE;

	link_free(l);
	if (r < 0)
		doctor_add(b, DOCTOR_MISSING, "rights", "workers", err.msg, "nothing can be looked into", rights_of_root() ? NULL : "run it with sudo");
	for (uint32_t i = 0; i < block_count(rows); i++)
		builder_copy_row(b, rows, block_row(rows, i));
}

static bool anything_missing(const struct block *b)
{
	for (uint32_t i = 0; i < block_count(b); i++)
		if (((const struct doctor_row *)block_row(b, i))->state == DOCTOR_MISSING)
			return true;
	return false;
}

void cli_doctor(struct cli *c)
{
	struct cli_print p = { .type = &doctor_row_type };
	AUTO(block_unrefp) struct block *rows = NULL;
	struct builder *b;

	if (!cli_check(c, &p))
		return;
	cli_targets(c);
	b = builder_new(&doctor_row_type);
	add_machine(c, b);
	add_engines(c, b);
	add_term(b);
	add_locale(b);
	add_size(b);
	p.block = rows = builder_block(b);
	builder_free(b);
	cli_print(c, &p);
	if (anything_missing(rows) && c->status != CLI_INTERNAL && c->status != CLI_USAGE) /* an engine that fails is a row as well */
		c->status = CLI_NO;
}
