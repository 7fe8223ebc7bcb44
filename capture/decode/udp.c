/* UDP, RFC 768. */
#include "capture/decode/udp.h"

bool udp_decode(struct span *s, struct udp *ret)
{
	if (!span_be16(s, &ret->source_port) || !span_be16(s, &ret->destination_port) ||
		!span_be16(s, &ret->length) || !span_be16(s, &ret->checksum))
		return span_fail(s, "shorter than a UDP header");
	if (ret->length == 0)
		return true;
	if (ret->length < 8)
		return span_fail(s, "length under 8");
	if (ret->length - 8U > span_should(s))
		return span_fail(s, "length past the end of the packet");
	*s = span_sub(s, ret->length - 8U);
	return true;
}
