/*
 * libcurl's functions, each passing its call on to the library, which is loaded by the first of them: see lazy.h. One that is missing
 * here is an error of the linker: give it a line. Without the library they fail as curl's own do when memory is out.
 */
#include "core/lazy.h"

#include "core/err.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>

/* Loaded code stays for the life of the process, as if it were linked: that is all the state there is. */
static void *symbol(const char *name)
{
	static const char *const names[] = { "libcurl.so.4", "libcurl-gnutls.so.4", NULL };
	static void *library;

	if (!library)
		library = lazy_open(names);
	return library ? dlsym(library, name) : NULL;
}

int lazy_curl_load(struct err *err)
{
	if (!symbol("curl_global_init"))
		return err_set(err, ENOENT, "libcurl is missing: install the package libcurl4 or libcurl");
	return 0;
}

/* Defines `name` with these parameters; `none` is the answer without the library. */
#define PASS(type, name, parameters, arguments, none) \
	type(name) parameters \
	{ \
		type(*real) parameters = (type(*) parameters)symbol(#name); \
\
		return real ? real arguments : none; \
	}
#define PASS_VOID(name, parameters, arguments) \
	void(name) parameters \
	{ \
		void(*real) parameters = (void (*) parameters)symbol(#name); \
\
		if (real) \
			real arguments; \
	}

PASS(CURLcode, curl_global_init, (long flags), (flags), CURLE_FAILED_INIT)
PASS_VOID(curl_global_cleanup, (void), ())
PASS(curl_version_info_data *, curl_version_info, (CURLversion v), (v), NULL)
PASS(time_t, curl_getdate, (const char *text, const time_t *unused), (text, unused), -1)
PASS_VOID(curl_free, (void *p), (p))

PASS(struct curl_slist *, curl_slist_append, (struct curl_slist *list, const char *text), (list, text), NULL)
PASS_VOID(curl_slist_free_all, (struct curl_slist *list), (list))

PASS(CURL *, curl_easy_init, (void), (), NULL)
PASS_VOID(curl_easy_cleanup, (CURL *easy), (easy))
PASS_VOID(curl_easy_reset, (CURL *easy), (easy))
PASS(CURLcode, curl_easy_perform, (CURL *easy), (easy), CURLE_FAILED_INIT)
PASS(CURLcode, curl_easy_pause, (CURL *easy, int mask), (easy, mask), CURLE_FAILED_INIT)
PASS(const char *, curl_easy_strerror, (CURLcode code), (code), "libcurl is missing")
PASS(char *, curl_easy_escape, (CURL *easy, const char *text, int n), (easy, text, n), NULL)

PASS(CURLM *, curl_multi_init, (void), (), NULL)
PASS(CURLMcode, curl_multi_cleanup, (CURLM *m), (m), CURLM_INTERNAL_ERROR)
PASS(CURLMcode, curl_multi_add_handle, (CURLM *m, CURL *easy), (m, easy), CURLM_INTERNAL_ERROR)
PASS(CURLMcode, curl_multi_remove_handle, (CURLM *m, CURL *easy), (m, easy), CURLM_INTERNAL_ERROR)
PASS(CURLMcode, curl_multi_perform, (CURLM *m, int *running), (m, running), CURLM_INTERNAL_ERROR)
PASS(CURLMcode, curl_multi_poll, (CURLM *m, struct curl_waitfd *fds, unsigned n, int ms, int *ready), (m, fds, n, ms, ready),
	CURLM_INTERNAL_ERROR)
PASS(CURLMsg *, curl_multi_info_read, (CURLM *m, int *left), (m, left), NULL)
PASS(CURLMcode, curl_multi_timeout, (CURLM *m, long *ms), (m, ms), CURLM_INTERNAL_ERROR)
PASS(const char *, curl_multi_strerror, (CURLMcode code), (code), "libcurl is missing")

/* Each option takes one value: a long, a pointer, or a curl_off_t, by the range that its number is in (curl/curl.h, CURLOPTTYPE_*). */
#define PASS_OPTION(code, name, handle_type, option_type, none) \
	code(name)(handle_type * handle, option_type option, ...) \
	{ \
		code (*real)(handle_type *, option_type, ...) = (code(*)(handle_type *, option_type, ...))symbol(#name); \
		int range = (int)option / 10000 * 10000; \
		code r = none; \
		va_list list; \
\
		va_start(list, option); \
		if (real && range == CURLOPTTYPE_LONG) \
			r = real(handle, option, va_arg(list, long)); \
		else if (real && range == CURLOPTTYPE_OFF_T) \
			r = real(handle, option, va_arg(list, curl_off_t)); \
		else if (real) \
			r = real(handle, option, va_arg(list, void *)); \
		va_end(list); \
		return r; \
	}

PASS_OPTION(CURLcode, curl_easy_setopt, CURL, CURLoption, CURLE_FAILED_INIT)
PASS_OPTION(CURLMcode, curl_multi_setopt, CURLM, CURLMoption, CURLM_INTERNAL_ERROR)

CURLcode(curl_easy_getinfo)(CURL *easy, CURLINFO info, ...)
{
	CURLcode (*real)(CURL *, CURLINFO, ...) = (CURLcode(*)(CURL *, CURLINFO, ...))symbol("curl_easy_getinfo");
	CURLcode r;
	va_list list;

	va_start(list, info);
	r = real ? real(easy, info, va_arg(list, void *)) : CURLE_FAILED_INIT; /* always a place for the answer */
	va_end(list);
	return r;
}
