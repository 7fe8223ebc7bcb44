/* The configuration is somebody's file, values come from containers: whatever both say, words stay words and memory stays ours. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/fd.h"
#include "tui/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct template *t, const struct template_values *v)
{
	struct template_args *a = fd_xcalloc(1, sizeof *a);
	struct err err = { 0 };

	if (template_expand(t, v, a, &err) == 0 && a->n_words != t->n_words)
		abort();
	for (unsigned i = 0; i < a->n_words; i++)
		if (a->words[i] < a->bytes || a->words[i] + strlen(a->words[i]) >= a->bytes + sizeof a->bytes)
			abort();
	free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *c = config_new("/nonexistent");
	struct template_values v = { 0 };
	size_t n = size < TEMPLATE_VALUE ? size : TEMPLATE_VALUE - 1;

	config_parse(c, "x", (const char *)data, size);
	memcpy(v.text[TEMPLATE_NAME], data, n);
	strcpy(v.text[TEMPLATE_IP], "10.0.0.1");
	memcpy(v.text[TEMPLATE_PORT], data, n);
	for (unsigned i = 0; i < c->n_commands; i++)
		check(&c->commands[i].run, &v);
	config_free(c);
	return 0;
}
