/* Any bytes: the result is printable, cleaning again changes nothing, JSON has no raw control. */
#include "core/text.h"

#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	setlocale(LC_ALL, "C.UTF-8");
	return 0;
}

static void check_printable(const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		uint32_t cp;
		size_t len = text_decode(s + i, n - i, &cp);

		if (len == 0 || cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp >= 0x202a && cp <= 0x202e))
			abort();
		i += len;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char out[512], again[512];
	struct text in = { .p = (const char *)data, .n = size };
	enum text_charset cs = size & 1 ? TEXT_UTF8 : TEXT_ASCII;
	size_t n = text_clean(out, sizeof out, in, cs), width;

	check_printable(out, n);
	if (text_clean(again, sizeof again, (struct text){ .p = out, .n = n }, cs) != n || memcmp(out, again, n) != 0)
		abort();
	if (text_fit((struct text){ .p = out, .n = n }, 20, &width) > n || width > 20)
		abort();
	text_json(again, sizeof again, in);
	for (const char *p = again; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			abort();
	return 0;
}
