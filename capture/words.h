/* A short text that is put together piece by piece and never grows past its room. Raw bytes: viewers clean them. */
#ifndef NSDBG_CAPTURE_WORDS_H
#define NSDBG_CAPTURE_WORDS_H

#include <stddef.h>

struct addr;

struct words {
	size_t n;
	char text[1024]; /* NUL-terminated */
};

void words_clear(struct words *w);
void words_trim(struct words *w); /* no spaces at the ends */
void words_add(struct words *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Bytes as they are, NUL becomes "\000". */
void words_bytes(struct words *w, const void *p, size_t n);
void words_addr(struct words *w, const struct addr *a);
void words_ip4(struct words *w, const void *four);
void words_ip6(struct words *w, const void *sixteen);
void words_mac(struct words *w, const void *six);

#endif
