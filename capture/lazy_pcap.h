/* libpcap is loaded by the process that captures: it brings D-Bus and systemd's library along. See core/lazy.h. */
#ifndef NSDBG_CAPTURE_LAZY_PCAP_H
#define NSDBG_CAPTURE_LAZY_PCAP_H

struct err;

/* Before the cage, where no file can be opened. 0 or -ENOENT with a sentence. */
int lazy_pcap_load(struct err *err);

#endif
