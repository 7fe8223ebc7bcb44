/*
 * Packet capture in one network namespace. The worker keeps the packets (a bounded spool) and decodes only what it is asked for; the
 * app sees typed rows. libpcap with a TPACKET_V3 ring, never immediate mode (28x CPU a packet, performance.md).
 */
#ifndef NSDBG_CAPTURE_CAPTURE_H
#define NSDBG_CAPTURE_CAPTURE_H

#include "core/source.h"

/* One packet, decoded to a line. JSON names are a contract ("cap"). */
struct packet_row {
	struct row_head head; /* id = number */
	uint64_t number; /* 1-based, in order of arrival */
	int64_t time;
	struct str interface;
	struct addr source; /* network address, or MAC when there is none */
	uint64_t source_port;
	struct addr destination;
	uint64_t destination_port;
	struct str protocol; /* innermost decoded: "TCP", "DNS", "ARP" */
	uint64_t length; /* on the wire */
	uint64_t captured; /* bytes kept */
	struct str info; /* "A? db.default.svc", "SYN seq=0 win=64240" */
	uint64_t position; /* among the shown packets, 0-based, when the row was made; not a field */
};
extern const struct row_type packet_row_type; /* "cap" */

/* One line of a packet's tree. Rows come in depth-first order. */
struct layer_row {
	struct row_head head;
	uint64_t depth; /* 0 = layer, 1 = field, ... */
	struct str label; /* "Destination port" */
	struct str value; /* "5432" */
	uint64_t offset; /* into the packet: what the hex view marks */
	uint64_t length; /* bytes; 0: not from the bytes themselves */
};
extern const struct row_type layer_row_type; /* "layers" */

/* The packet's bytes, one row. */
struct bytes_row {
	struct row_head head;
	uint64_t number;
	struct str bytes;
};
extern const struct row_type bytes_row_type;

enum {
	CAPTURE_IS_SAVING = 1 << 0, /* a file is open and packets wait to be written: do not close the link yet */
	CAPTURE_IS_OVER = 1 << 1, /* the namespace or interface is gone; it cannot be started again */
	CAPTURE_CANNOT_SAVE = 1 << 2, /* the file takes no more: disk full, reader gone; `note` says which */
};

/* How the capture stands: sent at least twice a second while packets come, at once on change; one row. */
struct capture_row {
	struct row_head head; /* flags: CAPTURE_IS_ */
	struct str interface;
	struct str filter; /* in force */
	uint8_t running; /* takes packets, or a file still waits for some */
	uint64_t received; /* accepted by the filter, taken from the ring */
	uint64_t shown; /* match the display filter */
	uint64_t first; /* number of the oldest packet still in the spool */
	uint64_t last; /* number of the newest; 0 = none */
	uint64_t bytes; /* in the spool */
	uint64_t dropped; /* by the kernel, ring full */
	uint64_t overwritten; /* left the spool */
	uint64_t saved; /* packets written to the file */
	int64_t started_at;
	struct str note; /* "interface eth0 is down", "disk full: stopped writing after 1200 packets" */
};
extern const struct row_type capture_row_type; /* "capture" */

/* Interfaces one may capture on; block sent on request CAPTURE_OP_INTERFACES. */
struct interface_row {
	struct row_head head;
	struct str name;
	uint64_t index;
	uint8_t up;
	uint8_t loopback;
	struct str addresses; /* list */
	struct addr mac;
	uint64_t mtu;
};
extern const struct row_type interface_row_type; /* "interfaces" */

enum { CAPTURE_FILTER_TEXT = 2048 };

/* Params of MSG_OPEN. Interface "" = the first one that is up and not lo, else lo, else any; "any" = all of the namespace. */
struct capture_params {
	char interface[32];
	char filter[CAPTURE_FILTER_TEXT]; /* BPF, pcap-filter(7); literal addresses and numbers */
	uint32_t snaplen; /* 0: 262144 */
	uint32_t spool_bytes; /* 0: 64 MiB */
	uint64_t max_packets; /* 0: no end; then it stops by itself */
	uint32_t paused; /* 1: open, but do not take packets until CAPTURE_OP_START */
	uint32_t promiscuous;
};

enum capture_op {
	CAPTURE_OP_PAGE = 16, /* struct capture_page -> block of packet_row */
	CAPTURE_OP_DETAIL, /* uint64_t number -> block of layer_row, then block of bytes_row, same tag */
	CAPTURE_OP_FILTER, /* char[] BPF: replaces the filter -> capture_row, or error */
	CAPTURE_OP_CHECK, /* char[] BPF: only compile -> error with the sentence, or capture_row */
	CAPTURE_OP_DISPLAY, /* char[] filter words over packet_row (core/filter.h); "" = all -> capture_row */
	CAPTURE_OP_START,
	CAPTURE_OP_STOP,
	CAPTURE_OP_SAVE, /* uint32_t enum capture_format + descriptor: all in the spool now, then what follows until the end -> capture_row.
	                  * Without a descriptor: ends the file. */
	CAPTURE_OP_INTERFACES, /* -> block of interface_row */
	CAPTURE_OP_CLEAR, /* empties the spool, numbers start again */
	CAPTURE_OP_FIND, /* struct capture_find -> block of packet_row with the next match, or none */
};

enum capture_format { CAPTURE_PCAPNG, CAPTURE_PCAP };

struct capture_page {
	uint64_t from; /* n-th of the packets in the spool that the display filter shows, 0-based; see by_number */
	uint32_t count; /* <= 4096 */
	uint32_t by_number; /* 1: from is a packet number: start with the first shown packet that is not older */
};

struct capture_find {
	uint64_t from; /* n-th shown, 0-based, itself included */
	uint32_t backwards;
	uint32_t by_number; /* 1: from is a packet number */
	char words[512]; /* filter words */
};

extern const struct source capture_source; /* serve(); SOURCE_ENTER_NET, CAGE_CAPTURE */

#endif
