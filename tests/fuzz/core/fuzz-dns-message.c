/* Any bytes as a DNS message: the reader stays inside, ends, and what it prints is printable ASCII of the length it says. */
#include "core/dns/message.h"

#include <stdlib.h>
#include <string.h>

#include "core/dns/rdata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char text_room[DNS_RDATA_TEXT];

static void check_text(const char *s, size_t n, size_t cap)
{
	if (n >= cap || strlen(s) != n)
		abort();
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || (unsigned char)s[i] > 0x7e)
			abort();
}

static void check_record(const uint8_t *data, size_t size, const struct dns_record *rec)
{
	struct dns_text text = { .p = text_room, .cap = sizeof text_room };
	struct dns_text small = { .p = (char[8]){ "" }, .cap = 8 };
	char name[DNS_NAME_PRINT];
	bool fits;

	if (rec->at + rec->n > size)
		abort();
	check_text(name, dns_name_format(&rec->name, name, sizeof name), sizeof name);
	text_room[0] = 0;
	fits = dns_rdata_format(data, size, rec, &text);
	check_text(text_room, text.n, sizeof text_room);
	if (dns_rdata_format(data, size, rec, &small) != fits || small.n != text.n || small.p[7] != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_reader r;
	struct dns_record rec;
	struct dns_question q;
	unsigned n = 0;
	int got;

	if (size > DNS_MESSAGE_MAX)
		return 0;
	dns_message_rcode(data, size);
	if (!dns_message_open(&r, data, size))
		return 0;
	while (dns_message_question(&r, &q) > 0)
		;
	while ((got = dns_message_record(&r, &rec)) > 0) {
		check_record(data, size, &rec);
		if (++n > DNS_MESSAGE_MAX / 11)
			abort();
	}
	return got > 0;
}
