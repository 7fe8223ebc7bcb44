/* Where a capture filter is wrong, for the person typing it: the word that the sentence about it names. */
#ifndef NSDBG_TUI_BPFHINT_H
#define NSDBG_TUI_BPFHINT_H

#include <stddef.h>

/* Byte offset in `text` of the last whole word that `why` quotes ("near \"prot\""); the end of the text when it names none. */
size_t bpfhint_locate(const char *text, const char *why);

#endif
