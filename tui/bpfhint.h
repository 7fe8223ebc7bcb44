/* Where a capture filter is wrong, for the person typing it: libpcap says what, rarely where. pcap-filter(7). */
#ifndef NSDBG_TUI_BPFHINT_H
#define NSDBG_TUI_BPFHINT_H

#include <stddef.h>

/* Byte offset of the word that libpcap's sentence `why` is about, and the sentence to show: shorter, with the keyword that was
 * probably meant. Never fails: when nothing can be told the offset is the end of the text. */
size_t bpfhint_locate(const char *text, const char *why, char *ret_sentence, size_t cap);

#endif
