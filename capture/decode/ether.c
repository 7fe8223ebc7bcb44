/* Link layer headers: IEEE 802.3, 802.1Q, tcpdump.org/linktypes.html for the cooked ones. */
#include "capture/decode/ether.h"

/* A type or, in 802.3, the length of what follows. */
static bool ether_type(struct span *s, uint16_t type, uint32_t *ret_type)
{
	*ret_type = type;
	if (type >= 0x600)
		return true;
	*ret_type = ETHER_TYPE_LLC;
	if (type > span_should(s))
		return span_fail(s, "802.3 length past the end of the frame");
	*s = span_sub(s, type); /* the rest is padding */
	return true;
}

bool ether_decode(struct span *s, struct ether *ret, uint32_t *ret_type)
{
	if (!span_copy(s, ret->destination, 6) || !span_copy(s, ret->source, 6) ||
		!span_be16(s, &ret->type))
		return span_fail(s, "shorter than an Ethernet header");
	return ether_type(s, ret->type, ret_type);
}

bool vlan_decode(struct span *s, struct vlan *ret, uint32_t *ret_type)
{
	if (!span_be16(s, &ret->tag) || !span_be16(s, &ret->type))
		return span_fail(s, "shorter than a VLAN tag");
	return ether_type(s, ret->type, ret_type);
}

/* LLC (802.2), and SNAP (RFC 1042) in it. */
bool llc_decode(struct span *s, struct llc *ret, uint32_t *ret_type)
{
	*ret_type = UINT32_MAX;
	if (!span_u8(s, &ret->dsap) || !span_u8(s, &ret->ssap) || !span_u8(s, &ret->control))
		return span_fail(s, "shorter than an LLC header");
	if (ret->dsap != 0xaa || ret->ssap != 0xaa || ret->control != 3)
		return true;
	if (!span_skip(s, 3) || !span_be16(s, &ret->type))
		return span_fail(s, "shorter than a SNAP header");
	if (ret->type >= 0x600)
		*ret_type = ret->type;
	return true;
}

/* Cooked headers have no length for the frame; 802.2 in them has type 4 (LINUX_SLL_P_802_2). */
static uint32_t sll_next(const struct sll *sll)
{
	return sll->type == 4 ? ETHER_TYPE_LLC : sll->type >= 0x600 ? sll->type : UINT32_MAX;
}

bool sll_decode(struct span *s, struct sll *ret, uint32_t *ret_type)
{
	if (!span_be16(s, &ret->packet_type) || !span_be16(s, &ret->hardware) ||
		!span_be16(s, &ret->address_length) || !span_copy(s, ret->address, 8) ||
		!span_be16(s, &ret->type))
		return span_fail(s, "shorter than a cooked header");
	*ret_type = sll_next(ret);
	return true;
}

bool sll2_decode(struct span *s, struct sll *ret, uint32_t *ret_type)
{
	uint16_t reserved = 0;
	uint8_t kind = 0, n = 0;

	if (!span_be16(s, &ret->type) || !span_be16(s, &reserved) || !span_be32(s, &ret->ifindex) ||
		!span_be16(s, &ret->hardware) || !span_u8(s, &kind) || !span_u8(s, &n) ||
		!span_copy(s, ret->address, 8))
		return span_fail(s, "shorter than a cooked header");
	ret->packet_type = kind;
	ret->address_length = n;
	*ret_type = sll_next(ret);
	return true;
}

bool null_decode(struct span *s, uint32_t *ret_family, uint32_t *ret_type)
{
	uint32_t family = 0;

	if (!span_be32(s, &family))
		return span_fail(s, "shorter than a loopback header");
	if (family & 0xffff0000)
		family = __builtin_bswap32(family);
	*ret_family = family;
	*ret_type = UINT32_MAX;
	if (family == 2) /* AF_INET everywhere */
		*ret_type = ETHER_TYPE_IP4;
	else if (family == 10 || family == 24 || family == 28 || family == 30) /* AF_INET6 of each OS */
		*ret_type = ETHER_TYPE_IP6;
	return true;
}
