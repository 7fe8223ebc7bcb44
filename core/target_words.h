/* How a target is said in words: its state, and what is wrong with it. Pure functions of a row and the time. */
#ifndef NSDBG_CORE_TARGET_WORDS_H
#define NSDBG_CORE_TARGET_WORDS_H

#include "core/target.h"

enum { TARGET_WORDS_AGE = 24 };

/* "6s", "41m", "3h", "12d"; "?" when since is unknown. Never negative: clocks differ. */
char *target_words_age(int64_t since_ns, int64_t now_ns, char buf[TARGET_WORDS_AGE]);

/* "up 3h", "exit 1", "rst 4", "paused", "created"; bare namespaces: "2 procs". Returns the length. */
size_t target_words_state(const struct target_row *row, int64_t now_ns, char *buf, size_t cap);

/* Sign of the row, and in buf what is wrong ("" when nothing is). `runtime` is its engine's name. */
enum severity target_words_problem(const struct target_row *row, const char *runtime, int64_t now_ns, char *buf, size_t cap);

#endif
