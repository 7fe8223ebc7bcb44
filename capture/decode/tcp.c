/* TCP header and options: RFC 9293, 7323, 2018. */
#include "capture/decode/tcp.h"

enum { TCP_OPT_END = 0, TCP_OPT_NOP = 1, TCP_OPT_MSS = 2, TCP_OPT_SCALE = 3, TCP_OPT_SACK_OK = 4,
	TCP_OPT_SACK = 5, TCP_OPT_TIMESTAMPS = 8 };

bool tcp_option_next(struct span *s, struct tcp_option *ret)
{
	uint8_t length = 0;

	*ret = (struct tcp_option){ .offset = s->at, .length = 1 };
	if (span_should(s) == 0)
		return false;
	if (!span_u8(s, &ret->kind))
		return span_fail(s, "options past the end of the packet");
	if (ret->kind == TCP_OPT_END)
		return false;
	if (ret->kind == TCP_OPT_NOP)
		return true;
	if (!span_u8(s, &length))
		return span_fail(s, "option without a length");
	if (length < 2)
		return span_fail(s, "option length under 2");
	if (!span_skip(s, length - 2U))
		return span_fail(s, "option past the end of the header");
	ret->length = length;
	return true;
}

static void tcp_sack(struct span value, struct tcp *tcp)
{
	while (tcp->n_sack < 8 && span_be32(&value, &tcp->sack[tcp->n_sack]))
		tcp->n_sack++;
	tcp->n_sack &= ~1U;
}

/* Options of a known kind with an unusual length are left alone, as receivers do. */
static void tcp_option_read(struct span value, const struct tcp_option *o, struct tcp *tcp)
{
	value.at = o->offset + (o->length >= 2 ? 2 : 1);
	switch (o->kind) {
	case TCP_OPT_MSS:
		tcp->has_mss = o->length == 4 && span_be16(&value, &tcp->mss);
		break;
	case TCP_OPT_SCALE:
		tcp->has_scale = o->length == 3 && span_u8(&value, &tcp->scale);
		break;
	case TCP_OPT_SACK_OK:
		tcp->sack_permitted = o->length == 2;
		break;
	case TCP_OPT_SACK:
		value.end = value.limit = o->offset + o->length;
		tcp_sack(value, tcp);
		break;
	case TCP_OPT_TIMESTAMPS:
		tcp->has_timestamps = o->length == 10 && span_be32(&value, &tcp->timestamp) &&
			span_be32(&value, &tcp->timestamp_echo);
		break;
	default:
		break;
	}
}

static bool tcp_options(struct span *s, struct tcp *tcp)
{
	struct span options = span_sub(s, tcp->options_length);
	struct tcp_option o;

	while (tcp_option_next(&options, &o))
		tcp_option_read(options, &o, tcp);
	if (options.why) {
		s->cut = options.cut;
		return span_fail(s, options.why);
	}
	return true;
}

bool tcp_decode(struct span *s, struct tcp *ret)
{
	uint16_t bits = 0;

	if (!span_be16(s, &ret->source_port) || !span_be16(s, &ret->destination_port) ||
		!span_be32(s, &ret->sequence) || !span_be32(s, &ret->acknowledgement) ||
		!span_be16(s, &bits) || !span_be16(s, &ret->window) ||
		!span_be16(s, &ret->checksum) || !span_be16(s, &ret->urgent))
		return span_fail(s, "shorter than a TCP header");
	ret->header_length = (uint8_t)((bits >> 12) * 4);
	ret->flags = bits & 0x1ff;
	if (ret->header_length < 20)
		return span_fail(s, "header length under 20");
	ret->options_offset = s->at;
	ret->options_length = ret->header_length - 20U;
	if (ret->options_length > span_should(s))
		return span_fail(s, "header length past the end of the segment");
	if (!tcp_options(s, ret))
		return false;
	if (!span_skip(s, ret->options_length))
		return span_fail(s, "options past the end of the packet");
	return true;
}
