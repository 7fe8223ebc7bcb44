/*
 * Kernel settings of a network namespace (net.* of sysctl(8)), and where they differ from the host's or from what the kernel starts a
 * namespace with. /proc/sys/net shows the namespace of the process that opens it (net/sysctl_net.c), so a worker inside reads it.
 */
#ifndef NSDBG_CORE_NET_SYSCTL_H
#define NSDBG_CORE_NET_SYSCTL_H

#include "core/block.h"
#include "core/source.h"

enum net_sysctl_differs { NET_SYSCTL_SAME, NET_SYSCTL_HOST, NET_SYSCTL_DEFAULT, NET_SYSCTL_BOTH, NET_SYSCTL_DIFFERS_N };

struct net_sysctl_row {
	struct row_head head; /* id: of the name */
	struct str name; /* "net.ipv4.ip_forward"; a dot inside an interface's name is '/', as sysctl(8) writes it */
	struct str value; /* blanks instead of tabs */
	struct str host; /* the host's; unknown: it has none, or the setting belongs to one interface */
	struct str standard; /* what the kernel starts with; unknown: not in the table */
	uint32_t differs; /* enum net_sysctl_differs; unknown: nothing to compare with */
	struct str known_from; /* file of the kernel's source that sets the default */
	struct str help; /* what it does */
};
extern const struct row_type net_sysctl_row_type; /* "ip-sysctl" */

extern const struct source net_sysctl_source; /* sample(): names and values only; CAGE_SCAN, no capabilities */

/* Reads all settings below an open directory that stands for "net": the source without its worker. Secrets and counters are left out. */
void net_sysctl_read(int dir, struct builder *b);

/* Rows by name, with host, standard, differs and help filled in. host NULL: not known (or the target is the host). Never NULL. */
struct block *net_sysctl_compare(const struct block *target, const struct block *host);

/* --- sysctl_known.c --- */

struct net_sysctl_known {
	const char *name; /* below "net."; one component may be "*" */
	const char *standard;
	const char *from;
	const char *help;
};
/* NULL: not in the table. */
const struct net_sysctl_known *net_sysctl_known(struct text name);
extern const struct net_sysctl_known net_sysctl_list[];
extern const unsigned net_sysctl_list_n;

#endif
