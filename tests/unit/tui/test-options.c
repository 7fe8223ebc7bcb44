/* The command line's grammar: what is understood, what is refused and with which hint, and the help that comes of the tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/fd.h"
#include "tui/options.h"

enum { MAX_ARGS = 40 };

/* Splits at blanks; the words live in buf. */
static int parse(const char *line, char buf[512], struct options *o, struct err *err)
{
	char *argv[MAX_ARGS] = { NULL }, *word;
	int argc = 0;

	assert_true(strlen(line) < 512);
	memcpy(buf, line, strlen(line) + 1);
	for (word = strtok(buf, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	return options_parse(argc, argv, o, err);
}

static void good(const char *line, struct options *o)
{
	static char buf[512];
	struct err err = { 0 };

	if (parse(line, buf, o, &err) != 0)
		fail_msg("%s: %s", line, err.msg);
}

static void test_good(void **state)
{
	struct options o;

	(void)state;
	good("nsdbg", &o);
	assert_int_equal(o.command, COMMAND_APP);
	assert_int_equal(o.timeout_ms, 5000);
	good("nsdbg web", &o);
	assert_int_equal(o.command, COMMAND_APP);
	assert_string_equal(o.words[0], "web");
	good("nsdbg --json ls -aq --no-trunc", &o);
	assert_int_equal(o.command, COMMAND_LS);
	assert_int_equal(o.format, WRITER_JSON);
	assert_true(o.all && o.quiet && o.no_trunc);
	good("nsdbg ss web -tlo json state:listen -- -tcp", &o);
	assert_true(o.tcp && o.listening);
	assert_int_equal(o.format, WRITER_JSON);
	assert_int_equal(o.n_words, 3);
	assert_string_equal(o.words[2], "-tcp");
	good("nsdbg cap web -ieth0 -c 20 --snaplen=128 -w - tcp port 80 --for 1.5m -F pcap", &o);
	assert_string_equal(o.interface, "eth0");
	assert_string_equal(o.file, "-");
	assert_int_equal(o.count, 20);
	assert_int_equal(o.snaplen, 128);
	assert_int_equal(o.for_ms, 90000);
	assert_int_equal(o.file_format, OPTIONS_FILE_PCAP);
	assert_int_equal(o.n_words, 4);
	good("nsdbg dns web -x 10.0.0.1 -p 5353 --timeout 500ms +short", &o);
	assert_string_equal(o.reverse, "10.0.0.1");
	assert_int_equal(o.port, 5353);
	assert_int_equal(o.timeout_ms, 500);
	good("nsdbg ps web --sort -rss_bytes", &o);
	assert_string_equal(o.sort, "-rss_bytes");
	good("nsdbg ss -h", &o); /* help needs no target */
	assert_true(o.help);
}

static const struct {
	const char *line;
	const char *says;
} wrong[] = {
	{ "nsdbg lss", "no command \"lss\": did you mean ls?" },
	{ "nsdbg netwroks x", "did you mean networks?" },
	{ "nsdbg xyzzy foo bar", "no command \"xyzzy\"" },
	{ "nsdbg ls --alll", "unknown option --alll: did you mean --all?" },
	{ "nsdbg cap web --inter=x", "did you mean --interface?" },
	{ "nsdbg ls --qqqqqqqqqq", "unknown option --qqqqqqqqqq: see nsdbg help ls" },
	{ "nsdbg ss web -tz", "unknown option -z in \"-tz\"" },
	{ "nsdbg -t ss web", "goes behind its command" },
	{ "nsdbg ls --json=yes", "--json takes no value" },
	{ "nsdbg ls -o", "--output wants a value: FORMAT" },
	{ "nsdbg ls -o yaml", "--output is table, wide, json, ndjson, csv or record, not \"yaml\"" },
	{ "nsdbg cap web -c ten", "--count wants a number, not \"ten\"" },
	{ "nsdbg cap web -c -1", "--count wants a number, not \"-1\"" },
	{ "nsdbg cap web -c 99999999999999999999", "wants a number" },
	{ "nsdbg ls --timeout soon", "wants a time such as 500ms, 5s or 2m" },
	{ "nsdbg ls --timeout 5y", "wants a time" },
	{ "nsdbg ls --timeout 9999999999", "wants a time" },
	{ "nsdbg ss", "ss wants a target" },
	{ "nsdbg show a b", "show takes no \"b\"" },
	{ "nsdbg version now", "version takes no \"now\"" },
};

static void test_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct options o;
		struct err err = { 0 };
		char buf[512];

		if (parse(wrong[i].line, buf, &o, &err) != -22)
			fail_msg("%s is accepted", wrong[i].line);
		if (!strstr(err.msg, wrong[i].says))
			fail_msg("%s: %s", wrong[i].line, err.msg);
	}
}

static void test_environment(void **state)
{
	struct options o;
	struct err err = { 0 };
	char buf[512];

	(void)state;
	setenv("NSDBG_DOCKER_HOST", "unix:///x", 1);
	setenv("NSDBG_OUTPUT", "csv", 1);
	setenv("NSDBG_UTC", "1", 1);
	setenv("NSDBG_ASCII", "0", 1);
	setenv("NSDBG_HELP", "1", 1);
	good("nsdbg ls", &o);
	assert_string_equal(o.docker_host, "unix:///x");
	assert_int_equal(o.format, WRITER_CSV);
	assert_true(o.utc && !o.ascii && !o.help);
	good("nsdbg ls -o wide --docker-host=unix:///y", &o);
	assert_string_equal(o.docker_host, "unix:///y");
	assert_int_equal(o.format, WRITER_WIDE);
	setenv("NSDBG_TIMEOUT", "never", 1);
	assert_int_equal(parse("nsdbg ls", buf, &o, &err), -22);
	assert_non_null(strstr(err.msg, "NSDBG_TIMEOUT: --timeout wants a time"));
	unsetenv("NSDBG_DOCKER_HOST");
	unsetenv("NSDBG_OUTPUT");
	unsetenv("NSDBG_UTC");
	unsetenv("NSDBG_ASCII");
	unsetenv("NSDBG_HELP");
	unsetenv("NSDBG_TIMEOUT");
}

static void test_words(void **state)
{
	char name[] = "nsdbg", command[] = "ls", word[] = "x", dash[] = "-", empty[] = "";
	char *argv[80] = { name, command };
	struct options o;
	struct err err = { 0 };

	(void)state;
	for (size_t i = 2; i < ARRAY_LEN(argv); i++)
		argv[i] = word;
	assert_int_equal(options_parse(ARRAY_LEN(argv), argv, &o, &err), -22);
	assert_int_equal(options_parse(60, argv, &o, &err), 0);
	argv[2] = dash;
	argv[3] = empty;
	assert_int_equal(options_parse(4, argv, &o, &err), 0);
	assert_int_equal(o.n_words, 2);
}

/* Every option and command is explained, within 100 columns. */
static void test_help(void **state)
{
	(void)state;
	for (size_t c = 0; c < COMMAND_N; c++) {
		const struct command_def *d = &options_commands[c];
		char *text = NULL, *line, *rest;
		size_t n = 0;
		FILE *out = open_memstream(&text, &n);

		assert_non_null(d->help);
		options_help(out, (enum command_id)c);
		fclose(out);
		assert_non_null(strstr(text, "--json"));
		for (unsigned i = 0; i < d->n_options; i++)
			if (!d->options[i].hidden)
				assert_non_null(strstr(text, d->options[i].help));
		for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
			if (strlen(line) > 110)
				fail_msg("long line: %s", line);
		free(text);
	}
}

/* A letter or name means one thing within a command. */
static void test_unique(void **state)
{
	(void)state;
	for (size_t c = 0; c < COMMAND_N; c++)
		for (unsigned i = 0; i < options_commands[c].n_options; i++)
			for (unsigned k = 0; k < i; k++) {
				const struct option_def *a = &options_commands[c].options[i], *b = &options_commands[c].options[k];

				assert_true(!a->letter || a->letter != b->letter);
				assert_true(!a->name || !b->name || strcmp(a->name, b->name) != 0);
			}
	assert_int_equal(options_command_find("ss"), COMMAND_SS);
	assert_int_equal(options_command_find(""), COMMAND_N);
	assert_string_equal(options_nearest_command("versoin"), "version");
	assert_null(options_nearest_command("zzzzzzzz"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_unique),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
