/* Bounded text building: see words.h. */
#include "capture/words.h"

#include "core/addr.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void words_clear(struct words *w)
{
	w->n = 0;
	w->text[0] = 0;
}

void words_trim(struct words *w)
{
	size_t from = strspn(w->text, " ");

	while (w->n > from && w->text[w->n - 1] == ' ')
		w->n--;
	w->n -= from;
	memmove(w->text, w->text + from, w->n);
	w->text[w->n] = 0;
}

void words_add(struct words *w, const char *fmt, ...)
{
	size_t room = sizeof w->text - w->n;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(w->text + w->n, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		w->n += (size_t)n < room ? (size_t)n : room - 1;
}

void words_bytes(struct words *w, const void *p, size_t n)
{
	const char *c = p;

	for (size_t i = 0; i < n && w->n + 1 < sizeof w->text; i++) {
		if (c[i])
			w->text[w->n++] = c[i];
		else
			words_add(w, "\\000");
	}
	w->text[w->n] = 0;
}

void words_addr(struct words *w, const struct addr *a)
{
	char buf[ADDR_TEXT];

	words_add(w, "%s", addr_format(a, buf));
}

void words_ip4(struct words *w, const void *four)
{
	struct addr a = addr_ip4(four);

	words_addr(w, &a);
}

void words_ip6(struct words *w, const void *sixteen)
{
	struct addr a = addr_ip6(sixteen);

	words_addr(w, &a);
}

void words_mac(struct words *w, const void *six)
{
	struct addr a = addr_mac(six);

	words_addr(w, &a);
}
