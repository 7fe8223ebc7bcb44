/* ARP, RFC 826. */
#include "capture/decode/arp.h"

bool arp_decode(struct span *s, struct arp *ret)
{
	if (!span_be16(s, &ret->hardware) || !span_be16(s, &ret->protocol) ||
		!span_u8(s, &ret->hardware_length) || !span_u8(s, &ret->protocol_length) ||
		!span_be16(s, &ret->operation))
		return span_fail(s, "shorter than an ARP header");

	ret->plain = ret->hardware_length == 6 && ret->protocol_length == 4;
	if (!ret->plain) {
		if (!span_skip(s, 2 * (uint32_t)ret->hardware_length + 2 * (uint32_t)ret->protocol_length))
			return span_fail(s, "addresses past the end of the packet");
		return true;
	}
	if (!span_copy(s, ret->sender_mac, 6) || !span_copy(s, ret->sender_ip, 4) ||
		!span_copy(s, ret->target_mac, 6) || !span_copy(s, ret->target_ip, 4))
		return span_fail(s, "addresses past the end of the packet");
	return true;
}
