/*
 * What may be asked without changing the kernel: opening a netfilter socket, asking nf_tables for the first time and naming a legacy
 * table all load modules where those are not there yet (request_module in net/netlink/af_netlink.c, nfnetlink.c, x_tables.c).
 */
#ifndef NSDBG_CORE_NET_NAT_THERE_H
#define NSDBG_CORE_NET_NAT_THERE_H

#include <stdbool.h>

/* In the namespace. `proc`: open /proc. */
bool nat_there_nft(int proc);
/* Open list of the legacy tables that the namespace has; -ENOENT: x_tables is not there, -EACCES: not for us. */
int nat_there_names(int proc, int family);

/* Parts of nat_there_nft, for tests. `root`: directory with sys/module and lib/modules. */
bool nat_there_has_netlink(int proc);
bool nat_there_has_nf_tables(int proc, int root, const char *release);

#endif
