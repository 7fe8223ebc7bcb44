/*
 * DNS messages (RFC 1035 4.1, EDNS: RFC 6891): a question to bytes, bytes to records. The reader keeps no copy: records point into
 * the message, which must stay. It accepts any bytes and ends at the first that cannot be true.
 */
#ifndef NSDBG_CORE_DNS_MESSAGE_H
#define NSDBG_CORE_DNS_MESSAGE_H

#include "core/dns/name.h"

enum { DNS_MESSAGE_MAX = 65535, DNS_QUERY_MAX = 12 + DNS_NAME_WIRE + 4 + 11, DNS_EDNS_PAYLOAD = 1232 };

enum { /* header flags, RFC 1035 4.1.1, RFC 4035 3.1.6 */
	DNS_FLAG_QR = 0x8000,
	DNS_FLAG_AA = 0x0400,
	DNS_FLAG_TC = 0x0200,
	DNS_FLAG_RD = 0x0100,
	DNS_FLAG_RA = 0x0080,
	DNS_FLAG_AD = 0x0020,
	DNS_FLAG_CD = 0x0010,
};

enum { /* the types that the code asks about; all that have a name: type.h */
	DNS_TYPE_A = 1,
	DNS_TYPE_CNAME = 5,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_OPT = 41,
	DNS_TYPE_ANY = 255,
	DNS_CLASS_IN = 1,
};

struct dns_question {
	struct dns_name name;
	uint16_t type;
	uint16_t class;
};

struct dns_query {
	struct dns_question question;
	uint16_t id;
	bool recurse;
	bool edns; /* add an OPT record: larger datagrams may come back */
	bool ad; /* "I understand AD", RFC 6840 5.7 */
	uint16_t payload; /* that OPT promises; 0: DNS_EDNS_PAYLOAD */
};

/* Writes a query; returns its length. */
size_t dns_message_query(const struct dns_query *q, uint8_t buf[DNS_QUERY_MAX]);

struct dns_header {
	uint16_t id;
	uint16_t flags;
	uint16_t n[4]; /* questions, answers, authority, additional */
};

struct dns_record {
	unsigned section; /* 1 answer, 2 authority, 3 additional */
	struct dns_name name;
	uint16_t type;
	uint16_t class;
	uint32_t ttl;
	uint16_t n; /* bytes of data */
	size_t at; /* where they begin in the message */
};

struct dns_reader {
	struct dns_span span;
	struct dns_header head;
	unsigned section; /* 0 to 3 */
	unsigned left; /* entries of this section */
};

/* Reads the header; false: fewer than 12 bytes. */
bool dns_message_open(struct dns_reader *r, const void *bytes, size_t n);

/* The next question: 1, 0 when there are no more, -EBADMSG. */
int dns_message_question(struct dns_reader *r, struct dns_question *ret);

/* The next record of any section (questions left over are skipped): 1, 0 at the end, -EBADMSG. */
int dns_message_record(struct dns_reader *r, struct dns_record *ret);

/* Response code with the upper bits of EDNS; reads the whole message. -EBADMSG when a record in it is broken. */
int dns_message_rcode(const void *bytes, size_t n);

/* "NOERROR", "NXDOMAIN", "RCODE24". */
const char *dns_rcode_name(unsigned rcode, char buf[16]);

/* "qr aa rd ra" into buf; returns buf. */
char *dns_flags_text(uint16_t flags, char buf[32]);

#endif
