/* Files of names of any bytes: every name is whole, within its length, and has a type; what was read in two parts is the same. */
#include "tui/dns_words.h"

#include <stdlib.h>
#include <string.h>

#include "core/dns/ask.h"
#include "core/err.h"
#include "tui/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct options o = { .words = { "web" }, .n_words = 1, .names = "-" };
	struct dns_words w = { 0 }, again = { 0 };
	struct err err = { 0 };
	const char *text = (const char *)data;
	const char *line = memchr(text, '\n', size);
	size_t first = line ? (size_t)(line - text) + 1 : 0;

	if (dns_words_parse(&o, &w, &err) < 0 || dns_words_parse(&o, &again, &err) < 0)
		abort();
	if (dns_words_file(&w, text, size, "-", &err) < 0 && !err.msg[0])
		abort();
	if (dns_words_file(&again, text, first, "-", &err) == 0)
		dns_words_file(&again, text + first, size - first, "-", &err);
	if (w.n_names != again.n_names)
		abort();
	for (size_t i = 0; i < w.n_names; i++)
		if (!w.names[i].types[0] || strlen(w.names[i].name) >= DNS_NAME_TEXT || strcmp(w.names[i].name, again.names[i].name) != 0)
			abort();
	dns_words_are_absolute(&w);
	dns_words_done(&w);
	dns_words_done(&again);
	return 0;
}
