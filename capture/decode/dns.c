/* The header of a DNS message, RFC 1035 4.1.1. */
#include "capture/decode/dns.h"

bool dns_header_decode(struct span *s, struct dns *ret)
{
	ret->offset = s->at;
	ret->length = span_should(s);
	if (!span_be16(s, &ret->id) || !span_be16(s, &ret->flags) || !span_be16(s, &ret->n_questions) ||
		!span_be16(s, &ret->n_answers) || !span_be16(s, &ret->n_authority) ||
		!span_be16(s, &ret->n_additional))
		return span_fail(s, "shorter than a DNS header");
	return true;
}
