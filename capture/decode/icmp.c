/* ICMP and ICMPv6 messages, and what they quote: RFC 792, 4443, 4861. */
#include "capture/decode/icmp.h"

#include "capture/decode/ip.h"

static bool icmp_header(struct span *s, struct icmp *ret)
{
	if (!span_u8(s, &ret->type) || !span_u8(s, &ret->code) || !span_be16(s, &ret->checksum) ||
		!span_be32(s, &ret->rest))
		return span_fail(s, "shorter than an ICMP header");
	return true;
}

/* At least 8 bytes of the original's payload follow its header: enough for ports. */
static void icmp_quote_ports(struct span *s, struct icmp_quote *q)
{
	if (q->protocol != IP_PROTO_TCP && q->protocol != IP_PROTO_UDP)
		return;
	q->has_ports = span_be16(s, &q->source_port) && span_be16(s, &q->destination_port);
}

/* The quoted packet is cut by design: nothing in it can be malformed, it is just less. */
static void icmp_quote4(struct span s, struct icmp_quote *q)
{
	struct ip4 ip = { 0 };
	uint32_t protocol = 0;

	q->offset = s.at;
	q->length = span_left(&s);
	span_open_end(&s);
	if (!ip4_decode(&s, &ip, &protocol))
		return;
	q->version = 4;
	q->protocol = ip.protocol;
	memcpy(q->source, ip.source, 4);
	memcpy(q->destination, ip.destination, 4);
	if (protocol != UINT32_MAX)
		icmp_quote_ports(&s, q);
}

static void icmp_quote6(struct span s, struct icmp_quote *q)
{
	struct ip6 ip = { 0 };
	uint32_t protocol = 0;

	q->offset = s.at;
	q->length = span_left(&s);
	span_open_end(&s);
	if (!ip6_decode(&s, &ip, &protocol))
		return;
	q->version = 6;
	q->protocol = ip.protocol;
	memcpy(q->source, ip.source, 16);
	memcpy(q->destination, ip.destination, 16);
	if (protocol != UINT32_MAX)
		icmp_quote_ports(&s, q);
}

bool icmp_decode(struct span *s, struct icmp *ret)
{
	if (!icmp_header(s, ret))
		return false;
	if (ret->type == ICMP_UNREACHABLE || ret->type == ICMP_TIME_EXCEEDED ||
		ret->type == ICMP_REDIRECT || ret->type == ICMP_PARAMETER)
		icmp_quote4(*s, &ret->quote);
	return true;
}

/* ND options, RFC 4861 4.6: type, length in units of 8. */
static bool icmp6_options(struct span *s, struct icmp *ret)
{
	while (span_should(s) > 0) {
		uint8_t type = 0, units = 0;
		struct span option = *s;

		if (!span_u8(s, &type) || !span_u8(s, &units))
			return span_fail(s, "option past the end of the message");
		if (units == 0)
			return span_fail(s, "option of length 0");
		if ((type == 1 || type == 2) && units == 1 && span_left(s) >= 6) {
			ret->mac_offset = option.at;
			ret->has_mac = span_copy(s, ret->mac, 6);
		} else if (!span_skip(s, units * 8U - 2)) {
			return span_fail(s, "option past the end of the message");
		}
	}
	return true;
}

static bool icmp6_neighbour(struct span *s, struct icmp *ret)
{
	ret->target_offset = s->at;
	if (!span_copy(s, ret->target, 16))
		return span_fail(s, "target address past the end of the message");
	ret->has_target = true;
	if (ret->type == ICMP6_REDIRECT && !span_skip(s, 16))
		return span_fail(s, "destination address past the end of the message");
	return icmp6_options(s, ret);
}

bool icmp6_decode(struct span *s, struct icmp *ret)
{
	if (!icmp_header(s, ret))
		return false;
	switch (ret->type) {
	case ICMP6_UNREACHABLE:
	case ICMP6_TOO_BIG:
	case ICMP6_TIME_EXCEEDED:
	case ICMP6_PARAMETER:
		icmp_quote6(*s, &ret->quote);
		return true;
	case ICMP6_NEIGHBOUR_SOLICIT:
	case ICMP6_NEIGHBOUR_ADVERT:
	case ICMP6_REDIRECT:
		return icmp6_neighbour(s, ret);
	case ICMP6_ROUTER_SOLICIT:
		return icmp6_options(s, ret);
	case ICMP6_ROUTER_ADVERT:
		if (!span_skip(s, 8))
			return span_fail(s, "timers past the end of the message");
		return icmp6_options(s, ret);
	default:
		return true;
	}
}

bool igmp_decode(struct span *s, struct igmp *ret)
{
	if (!span_u8(s, &ret->type) || !span_u8(s, &ret->code) || !span_be16(s, &ret->checksum) ||
		!span_copy(s, ret->group, 4))
		return span_fail(s, "shorter than an IGMP header");
	return true;
}
