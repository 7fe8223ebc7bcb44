/*
 * Capture filters as a user types them (pcap-filter(7)), made ready for libpcap: service and protocol names become numbers, and words
 * that libpcap would look up as host names are refused with a sentence, since a cage has no resolver. Pure text, no libpcap here.
 */
#ifndef NSDBG_CAPTURE_BPF_H
#define NSDBG_CAPTURE_BPF_H

#include <stddef.h>

struct err;

enum { BPF_TEXT = 8192 };

/* 0, or -EINVAL with what is wrong and what may have been meant. Empty text stays empty. */
int bpf_prepare(const char *text, char ret[BPF_TEXT], struct err *err);

/* Makes libpcap's complaint about a prepared filter a sentence for the reader. Returns -EINVAL. */
int bpf_explain(const char *text, const char *complaint, struct err *err);

#endif
