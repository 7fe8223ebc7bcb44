/*
 * What the kernel starts a network namespace with, where that does not depend on memory, build or other settings. Written down from the
 * files named here as of Linux 6.1 and compared with a fresh namespace of 6.18; Documentation/networking/ip-sysctl.rst says more.
 */
#include "core/net/sysctl.h"

#include "core/fd.h"

#include <string.h>

#define DEVINET  "net/ipv4/devinet.c"
#define AF_INET4 "net/ipv4/af_inet.c"
#define TCP_IPV4 "net/ipv4/tcp_ipv4.c"
#define ADDRCONF "net/ipv6/addrconf.c"
#define ARP      "net/ipv4/arp.c"
#define NDISC    "net/ipv6/ndisc.c"
#define CT_PROTO "net/netfilter/nf_conntrack_proto_tcp.c"
#define CT_UDP   "net/netfilter/nf_conntrack_proto_udp.c"

const struct net_sysctl_known net_sysctl_list[] = {
	{ "ipv4.ip_forward", "0", DEVINET, "packets for others are passed on" },
	{ "ipv4.conf.*.forwarding", "0", DEVINET, "packets for others that came in here are passed on" },
	{ "ipv4.conf.*.rp_filter", "0", DEVINET, "1 strict, 2 loose: drop packets whose source is not reached this way" },
	{ "ipv4.conf.*.accept_local", "0", DEVINET, "take packets that claim an own address as source" },
	{ "ipv4.conf.*.route_localnet", "0", DEVINET, "127.0.0.0/8 may be routed: published ports on the host's loopback" },
	{ "ipv4.conf.*.proxy_arp", "0", DEVINET, "answer ARP for others" },
	{ "ipv4.conf.*.arp_ignore", "0", DEVINET, "for which own addresses ARP is answered" },
	{ "ipv4.conf.*.arp_announce", "0", DEVINET, "which own address ARP questions carry" },
	{ "ipv4.conf.*.arp_filter", "0", DEVINET, "answer ARP only on the interface that a reply would take" },
	{ "ipv4.conf.*.log_martians", "0", DEVINET, "log packets with impossible addresses" },
	{ "ipv4.conf.*.accept_redirects", "1", DEVINET, "believe ICMP redirects" },
	{ "ipv4.conf.*.secure_redirects", "1", DEVINET, "redirects from gateways only" },
	{ "ipv4.conf.*.send_redirects", "1", DEVINET, "send ICMP redirects" },
	{ "ipv4.conf.*.src_valid_mark", "0", DEVINET, "the reverse path check minds firewall marks (WireGuard's scripts set it)" },
	{ "ipv4.conf.*.promote_secondaries", "0", DEVINET, "a second address takes over when the first is removed" },
	{ "ipv4.conf.*.ignore_routes_with_linkdown", "0", DEVINET, "routes over links without carrier do not count" },
	{ "ipv4.ip_default_ttl", "64", AF_INET4, "time to live of packets sent" },
	{ "ipv4.ip_local_port_range", "32768 60999", AF_INET4, "local ports of outgoing connections" },
	{ "ipv4.ip_unprivileged_port_start", "1024", AF_INET4, "ports from here on need no right; containers often set 0" },
	{ "ipv4.ip_no_pmtu_disc", "0", AF_INET4, "do not look for the path's MTU" },
	{ "ipv4.ip_nonlocal_bind", "0", AF_INET4, "programs may bind addresses that are not there" },
	{ "ipv4.ip_early_demux", "1", AF_INET4, "look for the socket before routing" },
	{ "ipv4.icmp_echo_ignore_all", "0", "net/ipv4/icmp.c", "do not answer ping" },
	{ "ipv4.icmp_echo_ignore_broadcasts", "1", "net/ipv4/icmp.c", "do not answer ping to broadcast addresses" },
	{ "ipv4.icmp_ratelimit", "1000", "net/ipv4/icmp.c", "least milliseconds between two ICMP errors to one host" },
	{ "ipv4.ping_group_range", "1 0", AF_INET4, "groups that may ping without rights; 1 0: none" },
	{ "ipv4.fib_multipath_hash_policy", "0", "net/ipv4/fib_frontend.c", "how connections spread over several next hops" },
	{ "ipv4.tcp_timestamps", "1", TCP_IPV4, "RFC 7323 timestamps" },
	{ "ipv4.tcp_sack", "1", TCP_IPV4, "selective acknowledgements" },
	{ "ipv4.tcp_window_scaling", "1", TCP_IPV4, "windows over 64 KiB" },
	{ "ipv4.tcp_syncookies", "1", TCP_IPV4, "answer a flood of connections without keeping state" },
	{ "ipv4.tcp_ecn", "2", TCP_IPV4, "congestion marks: 0 no, 1 ask for them, 2 when asked" },
	{ "ipv4.tcp_fin_timeout", "60", TCP_IPV4, "seconds in FIN-WAIT-2" },
	{ "ipv4.tcp_tw_reuse", "2", TCP_IPV4, "use TIME-WAIT ports again: 1 yes, 2 on loopback" },
	{ "ipv4.tcp_keepalive_time", "7200", TCP_IPV4, "idle seconds before the first keepalive" },
	{ "ipv4.tcp_keepalive_intvl", "75", TCP_IPV4, "seconds between keepalives" },
	{ "ipv4.tcp_keepalive_probes", "9", TCP_IPV4, "keepalives without answer before it is over" },
	{ "ipv4.tcp_syn_retries", "6", TCP_IPV4, "how often a connection is tried (6: 127 s)" },
	{ "ipv4.tcp_synack_retries", "5", TCP_IPV4, "how often SYN-ACK is sent" },
	{ "ipv4.tcp_retries1", "3", TCP_IPV4, "retransmissions before another route is looked for" },
	{ "ipv4.tcp_retries2", "15", TCP_IPV4, "retransmissions before a connection is given up" },
	{ "ipv4.tcp_orphan_retries", "0", TCP_IPV4, "the same for connections that no program holds any more" },
	{ "ipv4.tcp_mtu_probing", "0", TCP_IPV4, "look for the path's MTU where ICMP is lost" },
	{ "ipv4.tcp_base_mss", "1024", TCP_IPV4, "where that search begins" },
	{ "ipv4.tcp_slow_start_after_idle", "1", TCP_IPV4, "begin slowly again after a pause" },
	{ "ipv4.tcp_abort_on_overflow", "0", TCP_IPV4, "reset connections when the accept queue is full" },
	{ "ipv4.tcp_rfc1337", "0", TCP_IPV4, "ignore resets in TIME-WAIT" },
	{ "ipv4.tcp_moderate_rcvbuf", "1", TCP_IPV4, "size receive buffers automatically" },
	{ "ipv4.tcp_no_metrics_save", "0", TCP_IPV4, "forget what was learnt about a path" },
	{ "ipv4.tcp_fastopen", "1", TCP_IPV4, "data in the first segment" },
	{ "ipv4.tcp_early_retrans", "3", TCP_IPV4, "tail loss probes" },
	{ "ipv4.tcp_reordering", "3", TCP_IPV4, "segments out of order before one counts as lost" },
	{ "ipv4.neigh.*.gc_stale_time", "60", ARP, "seconds until an unused entry is old" },
	{ "ipv4.neigh.*.ucast_solicit", "3", ARP, "questions to the last known address" },
	{ "ipv4.neigh.*.mcast_solicit", "3", ARP, "questions to everybody before an entry is FAILED" },
	{ "ipv4.neigh.*.base_reachable_time_ms", "30000", ARP, "how long an answer is believed" },
	{ "ipv6.conf.*.disable_ipv6", "0", ADDRCONF, "no IPv6 at all" },
	{ "ipv6.conf.*.forwarding", "0", ADDRCONF, "packets for others are passed on, router advertisements are ignored" },
	{ "ipv6.conf.*.accept_ra", "1", ADDRCONF, "believe router advertisements; 2 even when forwarding" },
	{ "ipv6.conf.*.accept_ra_defrtr", "1", ADDRCONF, "take the default route from them" },
	{ "ipv6.conf.*.accept_redirects", "1", ADDRCONF, "believe redirects" },
	{ "ipv6.conf.*.autoconf", "1", ADDRCONF, "make addresses from advertised prefixes" },
	{ "ipv6.conf.*.dad_transmits", "1", ADDRCONF, "questions whether somebody has an address already" },
	{ "ipv6.conf.*.use_tempaddr", "0", ADDRCONF, "temporary addresses, RFC 8981" },
	{ "ipv6.conf.*.hop_limit", "64", ADDRCONF, "hop limit of packets sent" },
	{ "ipv6.conf.*.addr_gen_mode", "0", ADDRCONF, "how link-local addresses are made: 0 of the MAC, 1 none" },
	{ "ipv6.conf.*.keep_addr_on_down", "0", ADDRCONF, "addresses stay when the link goes down" },
	{ "ipv6.conf.*.proxy_ndp", "0", ADDRCONF, "answer neighbour discovery for others" },
	{ "ipv6.bindv6only", "0", "net/ipv6/af_inet6.c", "sockets on :: do not take IPv4" },
	{ "ipv6.ip_nonlocal_bind", "0", "net/ipv6/af_inet6.c", "programs may bind addresses that are not there" },
	{ "ipv6.auto_flowlabels", "1", "net/ipv6/af_inet6.c", "flow labels are made" },
	{ "ipv6.neigh.*.gc_stale_time", "60", NDISC, "seconds until an unused entry is old" },
	{ "ipv6.neigh.*.mcast_solicit", "3", NDISC, "questions to everybody before an entry is FAILED" },
	{ "ipv6.neigh.*.base_reachable_time_ms", "30000", NDISC, "how long an answer is believed" },
	{ "core.somaxconn", "4096", "net/core/net_namespace.c", "largest accept queue (128 before Linux 5.4)" },
	{ "unix.max_dgram_qlen", "10", "net/unix/af_unix.c", "datagrams waiting in a unix socket" },
	{ "netfilter.nf_conntrack_acct", "0", "net/netfilter/nf_conntrack_acct.c", "count packets of each connection" },
	{ "netfilter.nf_conntrack_tcp_be_liberal", "0", CT_PROTO, "segments outside the window are not INVALID" },
	{ "netfilter.nf_conntrack_tcp_loose", "1", CT_PROTO, "take up connections that began before" },
	{ "netfilter.nf_conntrack_tcp_timeout_established", "432000", CT_PROTO, "seconds an idle connection is remembered" },
	{ "netfilter.nf_conntrack_tcp_timeout_close_wait", "60", CT_PROTO, "seconds in CLOSE-WAIT" },
	{ "netfilter.nf_conntrack_tcp_timeout_time_wait", "120", CT_PROTO, "seconds in TIME-WAIT" },
	{ "netfilter.nf_conntrack_udp_timeout", "30", CT_UDP, "seconds a datagram's way back stays open" },
	{ "netfilter.nf_conntrack_udp_timeout_stream", "120", CT_UDP, "the same after traffic both ways" },
};
const unsigned net_sysctl_list_n = ARRAY_LEN(net_sysctl_list);

/* A "*" stands for one component. */
static bool matches(const char *pattern, struct text name)
{
	size_t at = 0;

	for (; *pattern; pattern++) {
		if (*pattern != '*') {
			if (at >= name.n || name.p[at++] != *pattern)
				return false;
			continue;
		}
		while (at < name.n && name.p[at] != '.')
			at++;
	}
	return at == name.n;
}

/* lo and "all" start with values of their own here: the loopback device needs no DAD, no redirects. */
static bool is_special(struct text name)
{
	static const char *const special[] = { "ipv4.conf.lo.", "ipv6.conf.lo.", "ipv6.conf.all.accept_dad" };

	for (size_t i = 0; i < ARRAY_LEN(special); i++)
		if (name.n >= strlen(special[i]) && memcmp(name.p, special[i], strlen(special[i])) == 0 &&
			!memmem(name.p, name.n, "disable_ipv6", 12))
			return true;
	return false;
}

const struct net_sysctl_known *net_sysctl_known(struct text name)
{
	if (name.n < 4 || memcmp(name.p, "net.", 4) != 0)
		return NULL;
	name.p += 4;
	name.n -= 4;
	for (unsigned i = 0; !is_special(name) && i < net_sysctl_list_n; i++)
		if (matches(net_sysctl_list[i].name, name))
			return &net_sysctl_list[i];
	return NULL;
}
