/* The words about engines in the list's status line. */
#ifndef NSDBG_TUI_LIST_WORDS_H
#define NSDBG_TUI_LIST_WORDS_H

#include "core/block.h"
#include "core/text.h"

struct engine_places;

/* `engines`: rows of engine_row, NULL before the first; `places`: where they were looked for. */
void list_engine_words(const struct engine_places *places, const struct block *engines, enum text_charset charset, char *buf, size_t cap);

#endif
