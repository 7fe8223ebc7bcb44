/* Numbers of protocols as names (IANA registries). Every function returns a name or NULL unless it says otherwise. */
#ifndef NSDBG_CAPTURE_NAMES_H
#define NSDBG_CAPTURE_NAMES_H

#include <stdint.h>

const char *names_ether_type(uint32_t type);
const char *names_ip_protocol(uint32_t protocol);
const char *names_dns_opcode(uint32_t opcode);
const char *names_icmp(uint32_t type);
const char *names_icmp_unreachable(uint32_t code);
const char *names_icmp6(uint32_t type);
const char *names_icmp6_unreachable(uint32_t code);
const char *names_igmp(uint32_t type);
const char *names_sll_packet(uint32_t packet_type);
const char *names_arp_operation(uint32_t operation);
const char *names_tcp_option(uint32_t kind);

#endif
