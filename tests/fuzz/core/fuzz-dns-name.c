/* Names: whatever parses prints, and what is printed parses to the same name; out of a message and as typed. */
#include "core/dns/name.h"

#include <stdlib.h>
#include <string.h>

#include "core/dns/message.h"
#include "core/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const struct dns_name *name)
{
	char text[DNS_NAME_PRINT], again[DNS_NAME_PRINT], small[5];
	struct dns_name back, joined;
	bool absolute = false;
	size_t n = dns_name_format(name, text, sizeof text);

	if (n >= sizeof text || name->n < 1 || text[n - 1] != '.')
		abort();
	if (dns_name_parse(text, &back, &absolute, NULL) < 0 || !absolute || !dns_name_equal(name, &back))
		abort();
	if (dns_name_format(&back, again, sizeof again) != n || strcmp(text, again) != 0)
		abort();
	if (dns_name_format(name, small, sizeof small) != n || strlen(small) > 4)
		abort();
	if (dns_name_labels(name) > 127)
		abort();
	if (dns_name_join(name, &back, &joined) && joined.n != 2 * name->n - 1)
		abort();
}

static void read_names(const uint8_t *data, size_t size)
{
	struct dns_span s = { .p = data, .n = size };
	struct dns_name name;

	while (dns_span_left(&s)) {
		size_t before = s.at;

		if (!dns_name_read(&s, &name)) {
			if (s.at != before)
				abort();
			s.at++;
			continue;
		}
		if (s.at <= before || s.at > size)
			abort();
		check_name(&name);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = { 0 };
	struct dns_name name;
	char text[2048];

	if (size == 0 || size > 1500)
		return 0;
	if (data[0] & 1) {
		read_names(data, size);
		return 0;
	}
	memcpy(text, data + 1, size - 1);
	text[size - 1] = 0;
	if (dns_name_parse(text, &name, NULL, &err) == 0)
		check_name(&name);
	else if (!err.msg[0])
		abort();
	return 0;
}
