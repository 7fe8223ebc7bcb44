/* A program's words and variables on their way to the runner: NUL-terminated strings in a row, in a memfd. No shell ever sees them. */
#ifndef NSDBG_CORE_TOOL_WORDS_H
#define NSDBG_CORE_TOOL_WORDS_H

#include <stddef.h>

struct err;

enum { TOOL_WORDS_BYTES = 128 << 10, TOOL_WORDS_MAX = 4096 };

/* Both lists one behind the other, each ended by NULL for execve; the strings lie in `bytes`. */
struct tool_words {
	char *bytes;
	char **words;
	char **variables;
};

/* Writes both lists into a sealed memfd: its descriptor, or -E2BIG, -errno with the sentence. */
int tool_words_pack(const char *const *words, unsigned n_words, const char *const *variables, unsigned n_variables, struct err *err);

/* Reads them back; exactly that many strings, at least one word. 0, or -EBADMSG, -errno. Free with tool_words_done. */
int tool_words_unpack(int fd, unsigned n_words, unsigned n_variables, struct tool_words *ret, struct err *err);
/* The same out of bytes, which are taken over (malloc). */
int tool_words_split(char *bytes, size_t n, unsigned n_words, unsigned n_variables, struct tool_words *ret, struct err *err);
void tool_words_done(struct tool_words *w);

#endif
