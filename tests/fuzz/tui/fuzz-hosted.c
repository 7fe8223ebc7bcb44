/* What a tool writes to its terminal: any bytes, sizes and keys in turn; cells stay clean and memory ours. */
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/fd.h"
#include "tui/hosted.h"
#include "tui/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_output(void *arg, const char *bytes, size_t n)
{
	size_t *sum = arg;

	*sum += n;
	if (n > 4096 || !bytes)
		abort();
}

/* No control byte, nothing invisible: what text_clean lets through. */
static void check(const struct canvas *c)
{
	AUTO(fd_freep) char *dump = canvas_dump(c);
	AUTO(fd_freep) char *clean = NULL;
	size_t n = strlen(dump), k;

	for (size_t i = 0; i < n; i++)
		if (dump[i] == '\n')
			dump[i] = ' ';
	clean = fd_xcalloc(n + 64, 4);
	k = text_clean(clean, n * 4 + 64, (struct text){ dump, n }, TEXT_UTF8);
	if (k != n || memcmp(clean, dump, n) != 0)
		abort();
}

/* Bytes 0xf8-0xff begin an act of ours, the rest is the tool's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t sum = 0, from = 0;
	struct hosted *t;
	struct canvas *c;

	setlocale(LC_CTYPE, "C.UTF-8");
	t = hosted_new(30, 6, on_output, &sum);
	c = canvas_new(32, 7, TEXT_UTF8);
	for (size_t i = 0; i <= size; i++) {
		if (i < size && data[i] < 0xf8)
			continue;
		hosted_write(t, (struct text){ (const char *)data + from, i - from });
		if (i + 1 < size && (data[i] & 3) == 0)
			hosted_resize(t, data[i + 1] % 60, data[i + 1] / 20);
		else if (i + 1 < size && (data[i] & 3) == 1)
			hosted_key(t, data[i + 1] < 128 ? data[i + 1] : KEYS_UP + data[i + 1] - 128);
		else if (i + 1 < size && (data[i] & 3) == 2)
			hosted_scroll(t, (int8_t)data[i + 1]);
		from = i + 1 < size ? i + 2 : size;
		i += i < size;
		if (from > size)
			from = size;
	}
	hosted_draw(t, canvas_all(c), true);
	check(c);
	hosted_free(t);
	canvas_free(c);
	return 0;
}
