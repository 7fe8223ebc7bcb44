/* Counters of a network namespace as /proc/PID/net writes them (proc_pid_net(5)): dev, snmp, netstat, sockstat. Pure functions on bytes. */
#ifndef NSDBG_CORE_SOURCE_NET_COUNTERS_H
#define NSDBG_CORE_SOURCE_NET_COUNTERS_H

#include "core/text.h"

/* Sums over interfaces since they were made. */
struct net_counters_dev {
	uint64_t rx_bytes, rx_packets, rx_errors, rx_drops;
	uint64_t tx_bytes, tx_packets, tx_errors, tx_drops;
	unsigned interfaces; /* summed up */
	uint64_t all_packets; /* of every interface, lo too: the same as before means that nothing was sent or received */
};

/* All interfaces of `dev` but lo; with `route` (net/route) only those that an IPv4 default route leads out of: on a host bridges and veths
 * would count packets twice. False: not the file it should be. */
bool net_counters_dev(struct text dev, const struct text *route, struct net_counters_dev *ret);

/* Value of column `name` in the pair of lines that start with `prefix` ("Tcp:", "TcpExt:"); false: not there. Negative ones (MaxConn)
 * are none. */
bool net_counters_pair(struct text bytes, const char *prefix, const char *name, uint64_t *ret);

/* Number behind word `name` in the line that starts with `prefix`: ("sockets:", "used"), ("TCP:", "tw"). */
bool net_counters_sockstat(struct text bytes, const char *prefix, const char *name, uint64_t *ret);

#endif
