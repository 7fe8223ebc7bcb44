/*
 * Whose question is it: the socket behind a client's port, asked of the kernel at the moment the question is seen (sock_diag(7), one
 * request for one socket: microseconds). Who holds the socket takes rights and is found elsewhere, by its inode.
 */
#ifndef NSDBG_CAPTURE_DNSWATCH_OWNER_H
#define NSDBG_CAPTURE_DNSWATCH_OWNER_H

#include "capture/dnswatch_pair.h"

/* diag: NETLINK_SOCK_DIAG socket made inside the namespace, lent. Sets e->inode and e->uid; false: the socket is gone already. */
bool dnswatch_owner_find(int diag, struct dnswatch_exchange *e);

#endif
