/* Screens compared with what is on record: tests/unit/tui/golden/NAME.txt. GOLDEN_UPDATE=1 writes them anew: look at the difference. */
#ifndef NSDBG_TESTS_GOLDEN_H
#define NSDBG_TESTS_GOLDEN_H

struct canvas;

/* Fails the cmocka test when the picture differs, and prints both. */
void golden_check(const char *name, const struct canvas *c);

#endif
