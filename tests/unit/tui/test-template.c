/* Command templates: words once split stay words, whatever the values; odd values are refused. */
#include "core/err.h"
#include "core/fd.h"
#include "tui/template.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct template_values values = { .text = { [TEMPLATE_NAME] = "web-1", [TEMPLATE_PID] = "4711", [TEMPLATE_NETNS] = "4026532177",
	[TEMPLATE_IP] = "172.18.0.3", [TEMPLATE_PORT] = "5432", [TEMPLATE_ID] = "3f1c02aa9d11" } };

/* Words joined by '|'; on failure the sentence. */
static int expand(const char *text, bool shell, const struct template_values *v, char *out, size_t cap)
{
	struct template t = { .n_words = 0 };
	struct template_args a;
	struct err err = { 0 };
	size_t n = 0;
	int r = template_parse(text, shell, &t, &err);

	if (r == 0)
		r = template_expand(&t, v, &a, &err);
	template_done(&t);
	if (r < 0) {
		snprintf(out, cap, "%s", err.msg);
		return r;
	}
	for (unsigned i = 0; i < a.n_words; i++)
		n += (size_t)snprintf(out + n, cap - n, "%s%s", i ? "|" : "", a.words[i]);
	return 0;
}

static void test_expand(void **state)
{
	static const struct {
		const char *text;
		bool shell;
		int r;
		const char *out;
	} rows[] = {
		{ "psql -h {ip} -p {port}", false, 0, "psql|-h|172.18.0.3|-p|5432" },
		{ "  curl\thttp://{ip}:{port}/ ", false, 0, "curl|http://172.18.0.3:5432/" },
		{ "x {name} {pid} {netns} {id}", false, 0, "x|web-1|4711|4026532177|3f1c02aa9d11" },
		{ "x 'a b' \"c \\\" d\" e\\ f ''", false, 0, "x|a b|c \" d|e f|" },
		{ "x '{ip}'", false, 0, "x|172.18.0.3" },
		{ "awk '{print $1}' {} {{ip}", false, 0, "awk|{print $1}|{}|{ip}" },
		{ "x a;b|c $HOME `id` *", false, 0, "x|a;b|c|$HOME|`id`|*" },
		{ "echo {ip} | wc -c", true, 0, "/bin/sh|-c|echo 172.18.0.3 | wc -c" },
		{ "x {nope}", false, -EINVAL, "unknown {nope}: there are {name} {pid} {netns} {ip} {port} {id}, and {{ for a brace" },
		{ "{name} x", false, -EINVAL, "the program itself cannot be {name}: a container would choose it" },
		{ "/bin/{name}", false, -EINVAL, "the program itself cannot be {name}: a container would choose it" },
		{ "x 'a", false, -EINVAL, "a quote is not closed" },
		{ "", false, -EINVAL, "no program is named" },
		{ "  ", true, -EINVAL, "no program is named" },
		{ "''", false, -EINVAL, "no program is named" },
	};
	char out[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(expand(rows[i].text, rows[i].shell, &values, out, sizeof out), rows[i].r);
		assert_string_equal(out, rows[i].out);
	}
}

/* What a container might call itself. */
static void test_hostile(void **state)
{
	static const struct {
		enum template_value which;
		const char *text;
		bool ok;
	} rows[] = {
		{ TEMPLATE_NAME, "web.1-a_B", true },
		{ TEMPLATE_NAME, "-rf", false },
		{ TEMPLATE_NAME, "..", false },
		{ TEMPLATE_NAME, "a b", false },
		{ TEMPLATE_NAME, "a;reboot", false },
		{ TEMPLATE_NAME, "$(reboot)", false },
		{ TEMPLATE_NAME, "a\nb", false },
		{ TEMPLATE_NAME, "a'b", false },
		{ TEMPLATE_NAME, "a{ip}", false },
		{ TEMPLATE_NAME, "w\xc3\xa4", false },
		{ TEMPLATE_NAME, "a/../b", false },
		{ TEMPLATE_PID, "1 2", false },
		{ TEMPLATE_PID, "-1", false },
		{ TEMPLATE_PORT, "80", true },
		{ TEMPLATE_PORT, "80;", false },
		{ TEMPLATE_IP, "fd00::3", true },
		{ TEMPLATE_IP, "10.0.0.1/8", false },
		{ TEMPLATE_IP, "10.0.0.1$x", false },
		{ TEMPLATE_IP, "abc", false },
		{ TEMPLATE_ID, "3f1c", true },
		{ TEMPLATE_ID, "3F1C", false },
		{ TEMPLATE_ID, "", false },
	};
	char out[512], text[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct template_values v = values;

		assert_true(template_value_ok(rows[i].which, rows[i].text) == rows[i].ok);
		snprintf(v.text[rows[i].which], sizeof v.text[0], "%s", rows[i].text);
		snprintf(text, sizeof text, "x a{%s}b", template_names[rows[i].which]);
		assert_int_equal(expand(text, false, &v, out, sizeof out), rows[i].ok ? 0 : rows[i].text[0] ? -EINVAL : -ENODATA);
		snprintf(text, sizeof text, "x %s", "plain"); /* a value that is not asked for does no harm */
		assert_int_equal(expand(text, false, &v, out, sizeof out), 0);
	}
}

static void test_limits(void **state)
{
	char text[TEMPLATE_BYTES + 2], out[TEMPLATE_BYTES * 2];

	(void)state;
	memset(text, 'x', sizeof text);
	text[TEMPLATE_BYTES] = 0;
	assert_int_equal(expand(text, false, &values, out, sizeof out), -EINVAL);
	for (size_t i = 0; i + 1 < 4096; i += 2)
		memcpy(text + i, "x ", 2);
	text[4096] = 0;
	assert_int_equal(expand(text, false, &values, out, sizeof out), -EINVAL);
	memcpy(text, "x ", 2);
	for (size_t i = 2; i + 4 < TEMPLATE_BYTES; i += 4)
		memcpy(text + i, "{ip}", 5);
	assert_int_equal(expand(text, false, &values, out, sizeof out), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
