/* What a runner reads: a command's strings of any bytes, and a container's nsswitch.conf ('\1' parts it from the host's). */
#include "core/tool/names.h"
#include "core/tool/words.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/fd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void split(const uint8_t *data, size_t size)
{
	unsigned n_words = size > 1 ? data[0] : 0, n_variables = size > 1 ? data[1] : 0;
	char *bytes = fd_xcalloc(1, size);
	struct tool_words w;
	struct err err;

	memcpy(bytes, data, size);
	if (tool_words_split(bytes, size, n_words, n_variables, &w, &err) < 0)
		return;
	for (unsigned i = 0; i < n_words; i++)
		if (strlen(w.words[i]) >= size)
			abort();
	for (unsigned i = 0; i < n_variables; i++)
		if (strlen(w.variables[i]) >= size)
			abort();
	if (w.words[n_words] || w.variables[n_variables])
		abort();
	tool_words_done(&w);
}

/* The hosts line that comes out, whatever went in, names files and dns only. */
static void check_hosts(char *out, size_t n)
{
	char *line = memrchr(out, 'h', n);

	while (line && strncmp(line, "hosts:", 6) != 0)
		line = line == out ? NULL : memrchr(out, 'h', (size_t)(line - out));
	if (!line || out[n - 1] != '\n' || (!strstr(line, " files") && !strstr(line, " dns")))
		abort();
	for (char *p = line + 6; *p; p++)
		if ((unsigned char)*p >= 127 || (*p < ' ' && *p != '\n' && *p != '\t' && *p != '\r'))
			abort();
}

static void nsswitch(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, 1, size);
	size_t n = end ? (size_t)(end - data) : size, cap = 2 * size + 64, length;
	char *out = fd_xcalloc(1, cap + 1);

	length = tool_names_nsswitch("passwd: files\n", 14, (const char *)data, n, out, cap);
	if (length > cap)
		abort();
	check_hosts(out, length);
	length = tool_names_nsswitch((const char *)data + n, size - n, (const char *)data, n, out, size);
	if (length > size)
		abort();
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	split(data, size);
	nsswitch(data, size);
	return 0;
}
