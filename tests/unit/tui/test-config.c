/* The configuration: what is taken, what is told and left out, and whose files count. */
#include "core/err.h"
#include "core/fd.h"
#include "tui/config.h"
#include "tui/keys.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct config *parse(const char *text)
{
	struct config *c = config_new("/nonexistent");

	config_parse(c, "conf", text, strlen(text));
	return c;
}

static void test_commands(void **state)
{
	struct config *c = parse("# comment\n[commands]\npsql = psql -h {ip} -p {port} ; why not\nlong = curl -s\n  http://{ip}/ \n  -o /dev/null\n"
				 "[commands.psql]\nkey = K\nhelp = database console\n"
				 "[commands.count]\nrun = echo {name} | wc -c\nshell = yes\nin = target\nkey = F9\n"
				 "[settings]\ninterval = 500ms\ncolor = never\nascii = yes\nmouse = off\nutc = 1\n");

	(void)state;
	assert_int_equal(c->n_problems, 0);
	assert_int_equal(c->n_commands, 3);
	assert_string_equal(c->commands[0].text, "psql -h {ip} -p {port}");
	assert_string_equal(c->commands[0].help, "database console");
	assert_int_equal(c->commands[0].key, 'K');
	assert_false(c->commands[0].shell || c->commands[0].in_target);
	assert_string_equal(c->commands[1].text, "curl -s http://{ip}/ -o /dev/null");
	assert_int_equal(c->commands[1].run.n_words, 5);
	assert_true(c->commands[2].shell && c->commands[2].in_target);
	assert_int_equal(c->commands[2].key, KEYS_F(9));
	assert_string_equal(c->commands[2].run.words[2], "echo {name} | wc -c");
	assert_int_equal(c->interval_ms, 500);
	assert_string_equal(c->color, "never");
	assert_true(c->ascii && c->no_mouse && c->utc);
	config_free(c);
}

static void test_problems(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "[nope]\nx = 1\n", "conf line 2: no section [nope]" },
		{ "[settings]\ncolour = never\n", "conf line 2: no setting \"colour\"" },
		{ "[settings]\ninterval = soon\n", "conf line 2: interval is a time" },
		{ "[settings]\ninterval = 1ms\n", "conf line 2: interval is a time" },
		{ "[settings]\nascii = perhaps\n", "conf line 2: ascii is yes or no" },
		{ "[settings]\ncolor = blue\n", "conf line 2: color is auto" },
		{ "[commands]\nx = y {nope}\n", "conf line 2: command x: unknown {nope}" },
		{ "[commands]\nx = 'y\n", "conf line 2: command x: a quote is not closed" },
		{ "[commands]\nx y = z\n", "conf line 2: a command's name" },
		{ "[commands.x]\nkey = K\n", "conf line 2: command x: no program is named" },
		{ "[commands.x]\nrun = a\nkey = KK\n", "conf line 3: key is one character" },
		{ "[commands.x]\nrun = a\nroot = yes\n", "conf line 3: a command has no \"root\"" },
		{ "[commands.x]\nrun = a\nin = mnt\n", "conf line 3: in is host or target" },
		{ "[commands]\nnonsense\n", "conf line 2: neither [section]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct config *c = parse(rows[i].text);

		assert_int_equal(c->n_problems, 1);
		assert_non_null(strstr(c->problems[0], rows[i].says));
		config_free(c);
	}
}

/* What is wrong costs only itself; floods stay bounded. */
static void test_bounds(void **state)
{
	AUTO(fd_freep) char *text = fd_xcalloc(1, CONFIG_MAX_BYTES);
	struct config *c;
	size_t n = 0;

	(void)state;
	n = (size_t)sprintf(text, "[commands]\nlong = ");
	memset(text + n, 'x', 500);
	strcpy(text + n + 500, "\ngood = date\n");
	c = parse(text);
	assert_int_equal(c->n_commands, 1);
	assert_string_equal(c->commands[0].name, "good");
	assert_non_null(strstr(c->problems[0], "line 2: too long"));
	config_free(c);
	n = (size_t)sprintf(text, "[commands]\n");
	for (int i = 0; i < 200; i++)
		n += (size_t)sprintf(text + n, "c%d = x\n", i);
	c = parse(text);
	assert_int_equal(c->n_commands, CONFIG_COMMANDS);
	assert_int_equal(c->n_problems, CONFIG_PROBLEMS);
	config_free(c);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static void test_files(void **state)
{
	char path[] = "/tmp/nsdbg-config-XXXXXX";
	struct err err = { 0 };
	struct config *c;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	write_file(path, "[commands]\nx = date\n", 0600);
	c = config_new(path);
	assert_int_equal(config_read(c, &err), 0);
	assert_int_equal(c->n_commands, 1);
	config_free(c);
	for (int i = 0; i < 2; i++) {
		write_file(path, "[commands]\nx = date\n", i ? 0602 : 0620);
		c = config_new(path);
		assert_int_equal(config_read(c, &err), -EPERM);
		assert_non_null(strstr(err.msg, "others may write to it"));
		assert_int_equal(c->n_commands, 0);
		config_free(c);
	}
	write_file(path, "[commands]\nx = date\n", 0600);
	if (geteuid() == 0 && chown(path, 12345, 12345) == 0) {
		c = config_new(path);
		assert_int_equal(config_read(c, &err), -EPERM);
		assert_non_null(strstr(err.msg, "neither root nor you"));
		config_free(c);
	}
	unlink(path);
	c = config_new(path);
	assert_int_equal(config_read(c, &err), -ENOENT);
	config_free(c);
	c = config_new("/dev/zero");
	assert_int_equal(config_read(c, &err), -EINVAL);
	config_free(c);
}

static void test_keys(void **state)
{
	(void)state;
	assert_int_equal(keys_parse("K"), 'K');
	assert_int_equal(keys_parse("F9"), KEYS_F(9));
	assert_int_equal(keys_parse("^X"), KEYS_CTRL('X'));
	assert_int_equal(keys_parse("PgDn"), KEYS_PAGE_DOWN);
	assert_int_equal(keys_parse("\xc3\xa4"), 0xe4);
	assert_int_equal(keys_parse("F13"), KEYS_NONE);
	assert_int_equal(keys_parse("ab"), KEYS_NONE);
	assert_int_equal(keys_parse(""), KEYS_NONE);
	assert_int_equal(keys_parse("click"), KEYS_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
