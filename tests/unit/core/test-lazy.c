/* libcurl, loaded at the first call: values of each kind reach it, and its answers come back. */
#include "core/lazy.h"

#include "core/err.h"

#include <curl/curl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_loads(void **state)
{
	static const char *const nowhere[] = { "libnsdbg-nowhere.so.1", NULL };
	struct err err = { 0 };

	(void)state;
	assert_null(lazy_open(nowhere));
	assert_int_equal(lazy_curl_load(&err), 0);
	assert_int_equal(curl_global_init(CURL_GLOBAL_NOTHING), CURLE_OK);
	assert_true(curl_version_info(CURLVERSION_NOW)->version_num >= 0x073000);
}

static void test_options(void **state)
{
	CURL *easy = curl_easy_init();
	char *text, *mine = NULL;
	int marker;

	(void)state;
	assert_non_null(easy);
	assert_int_equal(curl_easy_setopt(easy, CURLOPT_PRIVATE, (char *)&marker), CURLE_OK);
	assert_int_equal(curl_easy_getinfo(easy, CURLINFO_PRIVATE, &mine), CURLE_OK);
	assert_ptr_equal(mine, &marker);
	assert_int_equal(curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)1 << 40), CURLE_OK);
	assert_int_equal(curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)-2), CURLE_BAD_FUNCTION_ARGUMENT);
	assert_int_equal(curl_easy_setopt(easy, CURLOPT_MAXREDIRS, -2L), CURLE_BAD_FUNCTION_ARGUMENT);
	assert_int_equal(curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 20L), CURLE_OK);
	text = curl_easy_escape(easy, "a b/{}", 0);
	assert_string_equal(text, "a%20b%2F%7B%7D");
	curl_free(text);
	assert_int_equal(curl_easy_setopt(easy, CURLOPT_URL, "nothing://nowhere"), CURLE_OK);
	assert_int_equal(curl_easy_perform(easy), CURLE_UNSUPPORTED_PROTOCOL);
	curl_easy_cleanup(easy);
}

static void test_multi(void **state)
{
	CURLM *multi = curl_multi_init();
	CURL *easy = curl_easy_init();
	int running = 7, left = 7;

	(void)state;
	assert_int_equal(curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 3L), CURLM_OK);
	assert_int_equal(curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, (void *)multi), CURLM_OK);
	assert_int_equal(curl_multi_add_handle(multi, easy), CURLM_OK);
	assert_int_equal(curl_multi_perform(multi, &running), CURLM_OK); /* without a URL it ends at once */
	assert_int_equal(running, 0);
	assert_non_null(curl_multi_info_read(multi, &left));
	assert_int_equal(left, 0);
	assert_int_equal(curl_multi_remove_handle(multi, easy), CURLM_OK);
	curl_easy_cleanup(easy);
	assert_int_equal(curl_multi_cleanup(multi), CURLM_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loads),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_multi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
