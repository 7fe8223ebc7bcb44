/*
 * The manual page nsdbg(1) as scdoc(5) source: what people write is here, what the program knows (commands, options, fields) comes
 * from its tables, so that the page cannot say what the program does not do.
 */
#include "tui/cli.h"

#include <string.h>

static const char head[] =
	"nsdbg(1)\n\n"
	"# NAME\n\n"
	"nsdbg - look inside the namespaces of running containers\n\n"
	"# SYNOPSIS\n\n"
	"*nsdbg* [TARGET]\n\n"
	"*nsdbg* COMMAND [TARGET] [options] [arguments]\n\n"
	"# DESCRIPTION\n\n"
	"Without a command nsdbg opens a screen with all containers of this host; single keys open their sockets, processes, packets and\n"
	"DNS, and *?* explains the keys. With a command it prints the same facts as text or JSON. Nothing is installed in a container and\n"
	"nothing on the host is changed. Other users' containers need root: *sudo nsdbg*.\n";

static const char tail[] =
	"\n# TARGETS\n\n"
	"A target is the name of a container, the beginning of its id (four digits or more), *docker:*NAME, *pid:*NUMBER,\n"
	"*netns:*NAME, *netns:*PATH, *ns:*INODE or *host*.\n\n"
	"# FILTER WORDS\n\n"
	"Words are and-ed, case does not matter.\n\n"
	"```\n"
	"web               some column contains it\n"
	"-web              no column contains it (behind -- on the command line)\n"
	"state:estab,syn   this column contains one of these\n"
	"name=web          this column is it; name!=web: is not\n"
	"port:80           local or remote port; numbers such as ports and pids as a whole\n"
	"rss>10M rtt>5ms   numbers, with K M G and us ms s\n"
	"started<5m        times by their age\n"
	"/^web-[0-9]+/     regular expression over all columns\n"
	"\"two words\"       as it is\n"
	"```\n\n"
	"# JSON\n\n"
	"*--json* prints one document: *schema*, *time*, *host*, *target*, *data* and *errors*. Unknown is null, numbers are never\n"
	"strings, times are RFC 3339 in UTC. *-o ndjson* prints one object a line. Names are a contract: new ones may come, none goes\n"
	"without a new number in *schema*.\n\n"
	"# EXIT STATUS\n\n"
	"```\n"
	"0    done; for dns: an answer came, NXDOMAIN included\n"
	"1    the answer is no: something probed does not work\n"
	"2    wrong usage\n"
	"3    no such target, or several\n"
	"4    not permitted\n"
	"5    the engine that was named does not answer\n"
	"6    timed out; for dns and probe: no reply\n"
	"7    partial result: data was printed, errors say what is missing\n"
	"10   internal error, or the output could not be written\n"
	"130  interrupted\n"
	"exec has the tool's own; 125: nsdbg failed, 126: not executable, 127: not found, 128+n: signal n\n"
	"```\n\n"
	"# ENVIRONMENT\n\n"
	"*DOCKER\\_HOST*, *DOCKER\\_CONTEXT*\n"
	"\tWhere Docker is. sudo drops them: use *--docker-host*.\n\n"
	"*NSDBG\\_DOCKER\\_HOST*, *NSDBG\\_OUTPUT* and so on\n"
	"\tEach option of all commands, unless the command line says otherwise.\n\n"
	"*NO\\_COLOR*\n"
	"\tNot empty: no colours.\n\n"
	"# SEE ALSO\n\n"
	"*ss*(8), *ps*(1), *tcpdump*(8), *pcap-filter*(7), *dig*(1), *nsenter*(1)\n";

/* Characters that scdoc would take as markup. */
static void put_text(FILE *out, const char *s)
{
	for (; s && *s; s++) {
		if (strchr("_*\\[]~#`<>|!.", *s))
			fputc('\\', out);
		fputc(*s, out);
	}
}

static void put_option(FILE *out, const struct option_def *d)
{
	if (d->hidden)
		return;
	fputc('\n', out);
	if (d->letter)
		fprintf(out, "*-%c*%s", d->letter, d->name ? ", " : "");
	if (d->name) {
		fputs("*--", out);
		put_text(out, d->name);
		fputc('*', out);
	}
	if (d->value) {
		fputc(' ', out);
		put_text(out, d->value);
	}
	fputs("\n\t", out);
	put_text(out, d->help);
	fputc('\n', out);
}

static void put_command(FILE *out, const struct command_def *c)
{
	fprintf(out, "\n## nsdbg %s %s\n\n", c->name, c->args); /* headings know no markup */
	put_text(out, c->help);
	fputs(".\n", out);
	for (unsigned i = 0; i < c->n_options; i++)
		put_option(out, &c->options[i]);
	if (c->more)
		fprintf(out, "\n```\n%s```\n", c->more);
}

static void put_fields(FILE *out, const struct row_type *t)
{
	fprintf(out, "\n## %s\n", t->name);
	for (uint32_t i = 0; i < t->n_fields; i++) {
		if (t->fields[i].flags & FIELD_SCREEN)
			continue;
		fputs("\n*", out);
		put_text(out, t->fields[i].name);
		fputs("*\n\t", out);
		put_text(out, t->fields[i].help ? t->fields[i].help : "");
		fputc('\n', out);
	}
}

void cli_manual(FILE *out)
{
	const struct row_type *const *types;
	const struct option_def *globals;
	unsigned n;

	fputs(head, out);
	fputs("\n# COMMANDS\n", out);
	for (size_t c = 1; c < COMMAND_N; c++)
		put_command(out, &options_commands[c]);
	fputs("\n# OPTIONS\n", out);
	globals = options_globals(&n);
	for (unsigned i = 0; i < n; i++)
		put_option(out, &globals[i]);
	fputs(tail, out);
	fputs("\n# FIELDS\n", out);
	types = cli_row_types(&n);
	for (unsigned i = 0; i < n; i++)
		put_fields(out, types[i]);
}
