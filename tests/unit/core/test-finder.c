/* The head of an HTTP answer, as the short way to a container reads it: cut at each byte, and broken in each way. */
#include "core/engine/finder.h"

#include "core/fd.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *what;
	const char *bytes;
	int r;
	int status;
	const char *server;
	size_t length;
	const char *body;
} heads[] = {
	{ "with a length", "HTTP/1.0 200 OK\r\nServer: Docker/29.1.0 (linux)\r\nContent-Length: 7\r\n\r\n{\"a\":1}", 1, 200,
		"Docker/29.1.0 (linux)", 7, "{\"a\":1}" },
	{ "until the end", "HTTP/1.0 404 Not Found\r\nserver:\tx \r\n\r\nbody", 1, 404, "x", SIZE_MAX, "body" },
	{ "a status alone", "HTTP/1.1 204\r\n\r\n", 1, 204, "", SIZE_MAX, "" },
	{ "lines of no interest", "HTTP/1.1 500 No\r\nServers: no\r\nContent-Lengthy: 9\r\nnonsense\r\n\r\n", 1, 500, "", SIZE_MAX, "" },
	{ "nothing yet", "", 0, 0, "", 0, "" },
	{ "no end yet", "HTTP/1.0 200 OK\r\nServer: x\r\n", 0, 0, "", 0, "" },
	{ "in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", -EPROTO, 0, "", 0, "" },
	{ "another protocol", "220 mail.example ESMTP\r\n\r\n", -EPROTO, 0, "", 0, "" },
	{ "no number", "HTTP/1.0 2x0 OK\r\n\r\n", -EPROTO, 0, "", 0, "" },
	{ "a length that is none", "HTTP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n", -EPROTO, 0, "", 0, "" },
	{ "a length beyond all", "HTTP/1.0 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", -EPROTO, 0, "", 0, "" },
	{ "an empty length", "HTTP/1.0 200 OK\r\nContent-Length:\r\n\r\n", -EPROTO, 0, "", 0, "" },
	{ "an empty head", "\r\n\r\n", -EPROTO, 0, "", 0, "" },
};

static void test_heads(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		size_t n = strlen(heads[i].bytes), body = 0, length = 0;
		AUTO(fd_freep) char *copy = fd_xrealloc(NULL, n + 1, 1); /* its own, so that a sanitizer sees its end */
		struct mover_done done = { 0 };

		print_message("# %s\n", heads[i].what);
		memcpy(copy, heads[i].bytes, n);
		assert_int_equal(finder_head(copy, n, &done, &body, &length), heads[i].r);
		if (heads[i].r != 1)
			continue;
		assert_int_equal(done.status, heads[i].status);
		assert_string_equal(done.server, heads[i].server);
		assert_true(length == heads[i].length);
		assert_int_equal(n - body, strlen(heads[i].body));
		assert_memory_equal(copy + body, heads[i].body, n - body);
		for (size_t k = 0; k < body; k++) {
			AUTO(fd_freep) char *cut = fd_xrealloc(NULL, k + 1, 1);

			memcpy(cut, copy, k);
			assert_int_equal(finder_head(cut, k, &done, &body, &length), 0);
		}
	}
}

static void test_ping(void **state)
{
	static const char *const dates[] = { "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT+1", "" };
	char head[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
		int n = snprintf(head, sizeof head, "HTTP/1.0 200 OK\r\nApi-Version: 1.52\r\nDate: %s\r\n\r\nOK", dates[i]);
		struct mover_done done = { 0 };
		size_t body, length;

		assert_int_equal(finder_head(head, (size_t)n, &done, &body, &length), 1);
		assert_string_equal(done.api, "1.52");
		assert_true(done.date == (i == 0 ? 784111777 : -1));
	}
}

static void test_takes(void **state)
{
	const struct mover_target here = { .path = "/run/docker.sock" }, far = { .path = "" };
	static const struct {
		struct mover_request r;
		bool takes;
	} rows[] = {
		{ { .kind = MOVER_FIND, .id = "web" }, true }, { { .kind = MOVER_FIND, .id = "../x" }, false },
		{ { .kind = MOVER_PING }, true }, { { .kind = MOVER_LIST, .minor = 44 }, true },
		{ { .kind = MOVER_LIST, .minor = 1000 }, false }, { { .kind = MOVER_LIST, .long_way = 1 }, false },
		{ { .kind = MOVER_EVENTS }, false }, { { .kind = MOVER_NETWORKS }, false }, { { .kind = MOVER_CTR_VERSION }, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(finder_takes(&here, &rows[i].r), rows[i].takes);
		assert_false(finder_takes(&far, &rows[i].r));
	}
}

static void test_flood(void **state)
{
	size_t n = MOVER_MAX_HEADER + 100, body, length;
	AUTO(fd_freep) char *flood = fd_xrealloc(NULL, n, 1);
	struct mover_done done;

	(void)state;
	memset(flood, 'a', n);
	memcpy(flood, "HTTP/1.0 200 OK\r\n", 17);
	assert_int_equal(finder_head(flood, n, &done, &body, &length), -EMSGSIZE);
	memcpy(flood + n - 4, "\r\n\r\n", 4);
	assert_int_equal(finder_head(flood, n, &done, &body, &length), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heads),
		cmocka_unit_test(test_ping),
		cmocka_unit_test(test_takes),
		cmocka_unit_test(test_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
