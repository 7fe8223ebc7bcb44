/*
 * The one place where bytes from outside (names, labels, command lines, packets, DNS, error texts) become safe to show.
 * Everything that reaches a terminal, a pipe or a JSON document passes here. Sources: ECMA-48 control functions, Unicode 15
 * bidi and default-ignorable code points, RFC 3629 (UTF-8), RFC 8259 (JSON).
 */
#ifndef NSDBG_CORE_TEXT_H
#define NSDBG_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes with a length, not NUL-terminated, not owned. */
struct text {
	const char *p;
	size_t n;
};

enum text_charset { TEXT_ASCII, TEXT_UTF8 };

/*
 * Writes at most cap-1 bytes of safe, printable text and a NUL; returns bytes written. C0 controls and DEL become ^X (so CR, LF,
 * TAB, BS cannot move a cursor), C1 and bidi, zero-width, tag and other invisible code points become <U+XXXX>, bytes that are not
 * UTF-8 become \xNN, more than two combining marks in a row are dropped. In TEXT_ASCII every other code point becomes '?'.
 * Idempotent. Never splits a code point.
 */
size_t text_clean(char *dst, size_t cap, struct text src, enum text_charset cs);

/* Writes src as the inside of a JSON string (without quotes): valid UTF-8 always; controls, U+007F-9F, U+2028/9, bidi and other
 * invisible code points as \uXXXX; bytes that are not UTF-8 as U+FFFD. Returns the length needed; writes at most cap-1 and a NUL. */
size_t text_json(char *dst, size_t cap, struct text src);

/* Columns that clean UTF-8 takes on a terminal (0, 1 or 2 each). */
size_t text_width(struct text clean);

/* The longest prefix of clean text that takes at most `columns`; *ret_width (may be NULL) gets its width. */
size_t text_fit(struct text clean, size_t columns, size_t *ret_width);

/* Decodes one code point; returns its length in bytes, or 0 when p[0] does not start valid UTF-8 (n > 0). */
size_t text_decode(const char *p, size_t n, uint32_t *ret_cp);
size_t text_encode(uint32_t cp, char out[4]);

/* Columns of one code point that text_clean lets through: 0 (combining), 1 or 2. From libc's wcwidth, else 1. */
int text_cp_width(uint32_t cp);

struct text text_of(const char *nul_terminated); /* NULL becomes empty */
bool text_equal(struct text a, struct text b);
/* Case-insensitive (ASCII) search; true for an empty needle. */
bool text_contains(struct text hay, struct text needle);
/* Byte order; -1, 0, 1. */
int text_compare(struct text a, struct text b);

#endif
