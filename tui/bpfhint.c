/* Finds words again. The sentence comes from the capture worker (capture/bpf.c) or from libpcap; the first word in quotes is the one. */
#include "tui/bpfhint.h"

#include "core/text.h"

#include <ctype.h>
#include <string.h>

/* The first text in double or single quotes. */
static struct text quoted(const char *why)
{
	const char *open = strpbrk(why, "\"'"), *close = open ? strchr(open + 1, *open) : NULL;

	return close ? (struct text){ open + 1, (size_t)(close - open - 1) } : (struct text){ 0 };
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.' || c == ':';
}

static bool is_whole(const char *text, const char *at, size_t n)
{
	return (at == text || !is_word(at[-1]) || !is_word(at[0])) && (!is_word(at[n]) || !is_word(at[n - 1]));
}

size_t bpfhint_locate(const char *text, const char *why)
{
	struct text word = quoted(why);
	size_t all = strlen(text);
	/* "ends after": what is missing comes behind it */
	bool after = strstr(why, "must follow") != NULL;

	for (size_t at = all; word.n > 0 && !after && at-- > 0;) {
		if (all - at >= word.n && memcmp(text + at, word.p, word.n) == 0 && is_whole(text, text + at, word.n))
			return at;
	}
	return all;
}
