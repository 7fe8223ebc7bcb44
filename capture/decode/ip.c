/* IPv4, IPv6 and the Internet checksum: RFC 791, 8200, 1071. */
#include "capture/decode/ip.h"

uint32_t ip_sum(const uint8_t *p, uint32_t n, uint32_t sum)
{
	uint64_t total = sum;
	uint32_t i;

	for (i = 0; i + 1 < n; i += 2)
		total += (uint32_t)(p[i] << 8 | p[i + 1]);
	if (n & 1)
		total += (uint32_t)(p[n - 1] << 8);
	return ip_fold((uint32_t)(total & 0xffffffff)) + ip_fold((uint32_t)(total >> 32));
}

uint16_t ip_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

int ip_check(const struct ip_pseudo *pseudo, const uint8_t *p, uint32_t n, uint16_t seen)
{
	uint32_t sum;
	uint16_t half;

	if (pseudo->address_length == 0 || pseudo->fragmented || !p)
		return IP_CHECKSUM_UNKNOWN;
	sum = ip_sum(pseudo->source, pseudo->address_length, pseudo->protocol);
	sum = ip_sum(pseudo->destination, pseudo->address_length, sum);
	sum += (n >> 16) + (n & 0xffff);
	half = ip_fold(sum);
	if (ip_fold(ip_sum(p, n, half)) == 0xffff)
		return IP_CHECKSUM_OK;
	return seen == half ? IP_CHECKSUM_OFFLOAD : IP_CHECKSUM_WRONG;
}

static bool ip4_header(struct span *s, struct ip4 *ret)
{
	uint8_t first = 0;

	if (!span_u8(s, &first))
		return span_fail(s, "shorter than an IPv4 header");
	if (first >> 4 != 4)
		return span_fail(s, "version is not 4");
	ret->header_length = (uint8_t)((first & 15) * 4);
	if (ret->header_length < 20)
		return span_fail(s, "header length under 20");
	if (!span_u8(s, &ret->tos) || !span_be16(s, &ret->total_length) || !span_be16(s, &ret->id) ||
		!span_be16(s, &ret->fragment) || !span_u8(s, &ret->ttl) ||
		!span_u8(s, &ret->protocol) || !span_be16(s, &ret->checksum) ||
		!span_copy(s, ret->source, 4) || !span_copy(s, ret->destination, 4))
		return span_fail(s, "shorter than an IPv4 header");
	return true;
}

bool ip4_decode(struct span *s, struct ip4 *ret, uint32_t *ret_protocol)
{
	struct span start = *s;
	const uint8_t *header;

	if (!ip4_header(s, ret))
		return false;
	ret->dont_fragment = ret->fragment & 0x4000;
	ret->more_fragments = ret->fragment & 0x2000;
	ret->fragment_offset = (uint32_t)(ret->fragment & 0x1fff) * 8;
	ret->options_length = (uint16_t)(ret->header_length - 20);
	if (ret->total_length != 0 && ret->total_length < ret->header_length)
		return span_fail(s, "total length shorter than the header");
	if (ret->total_length > span_should(&start))
		return span_fail(s, "total length past the end of the frame");
	if (!span_skip(s, ret->options_length))
		return span_fail(s, "options past the end of the packet");

	header = span_bytes(s, start.at, ret->header_length);
	ret->checked = header && ip_fold(ip_sum(header, ret->header_length, 0)) == 0xffff ?
		IP_CHECKSUM_OK :
		IP_CHECKSUM_WRONG;
	if (ret->total_length != 0)
		*s = span_sub(s, ret->total_length - (uint32_t)ret->header_length);
	if (ret->more_fragments)
		span_open_end(s);
	*ret_protocol = ret->fragment_offset > 0 ? UINT32_MAX : ret->protocol;
	return true;
}

static bool ip6_is_extension(uint8_t kind)
{
	return kind == IP_PROTO_HOPOPTS || kind == IP_PROTO_ROUTING || kind == IP_PROTO_FRAGMENT ||
		kind == IP_PROTO_DSTOPTS || kind == IP_PROTO_AH || kind == IP_PROTO_MOBILITY;
}

static bool ip6_fragment(struct span *s, struct ip6 *ip)
{
	uint16_t bits = 0;

	if (!span_be16(s, &bits) || !span_be32(s, &ip->fragment_id))
		return span_fail(s, "fragment header past the end of the packet");
	ip->is_fragment = true;
	ip->more_fragments = bits & 1;
	ip->fragment_offset = bits & 0xfff8;
	return true;
}

/* One extension header: RFC 8200 4.2, AH counts in words of 4 (RFC 4302). */
static bool ip6_extension(struct span *s, struct ip6 *ip, struct ip6_extension *ret)
{
	uint8_t length = 0;
	struct span body;

	ret->offset = s->at;
	if (!span_u8(s, &ret->next) || !span_u8(s, &length))
		return span_fail(s, "extension header past the end of the packet");
	ret->length = (uint16_t)((length + 1) * 8);
	if (ret->kind == IP_PROTO_AH)
		ret->length = (uint16_t)((length + 2) * 4);
	if (ret->kind == IP_PROTO_FRAGMENT)
		ret->length = 8;
	body = *s;
	if (ret->kind == IP_PROTO_ROUTING &&
		(!span_u8(&body, &ret->routing_type) || !span_u8(&body, &ret->segments_left))) {
		s->cut = body.cut;
		return span_fail(s, "extension header past the end of the packet");
	}
	if (ret->kind == IP_PROTO_FRAGMENT)
		return ip6_fragment(s, ip);
	if (!span_skip(s, ret->length - 2U))
		return span_fail(s, "extension header past the end of the packet");
	return true;
}

static bool ip6_extensions(struct span *s, struct ip6 *ip)
{
	ip->protocol = ip->next;
	while (ip6_is_extension(ip->protocol)) {
		struct ip6_extension *e = &ip->extensions[ip->n_extensions];

		if (ip->n_extensions == IP6_EXTENSIONS)
			return span_fail(s, "more than 16 extension headers");
		*e = (struct ip6_extension){ .kind = ip->protocol };
		if (!ip6_extension(s, ip, e))
			return false;
		ip->n_extensions++;
		ip->protocol = e->next;
		if (ip->fragment_offset > 0)
			break; /* the rest belongs to the first fragment's headers */
	}
	return true;
}

bool ip6_decode(struct span *s, struct ip6 *ret, uint32_t *ret_protocol)
{
	uint32_t first = 0;

	if (!span_be32(s, &first))
		return span_fail(s, "shorter than an IPv6 header");
	if (first >> 28 != 6)
		return span_fail(s, "version is not 6");
	ret->traffic_class = (uint8_t)(first >> 20);
	ret->flow = first & 0xfffff;
	if (!span_be16(s, &ret->payload_length) || !span_u8(s, &ret->next) ||
		!span_u8(s, &ret->hop_limit) || !span_copy(s, ret->source, 16) ||
		!span_copy(s, ret->destination, 16))
		return span_fail(s, "shorter than an IPv6 header");
	if (ret->payload_length > span_should(s))
		return span_fail(s, "payload length past the end of the frame");
	if (ret->payload_length != 0) /* 0: jumbogram or segmentation offload */
		*s = span_sub(s, ret->payload_length);
	if (!ip6_extensions(s, ret))
		return false;
	if (ret->more_fragments)
		span_open_end(s);
	*ret_protocol = ret->fragment_offset > 0 ? UINT32_MAX : ret->protocol;
	return true;
}
