/* Sockets by netlink: sock_diag(7). The sockets were made inside the namespace; this needs no privilege any more. */
#ifndef NSDBG_CORE_SOURCE_SOCKETS_DIAG_H
#define NSDBG_CORE_SOURCE_SOCKETS_DIAG_H

#include "core/source/sockets.h"

struct sockets_diag; /* keeps interface names between samples */

/* Takes nothing over: `diag` is a NETLINK_SOCK_DIAG socket, `route` NETLINK_ROUTE or -1 (bound devices stay unknown). */
struct sockets_diag *sockets_diag_new(int diag, int route);
void sockets_diag_free(struct sockets_diag *d); /* NULL is fine */

/*
 * Appends all sockets of a protocol (not ICMP, which no module knows); 0 or -errno with no row added: -EOPNOTSUPP, -ENOENT, -EINVAL
 * when this kernel has no module for it. A dump that was disturbed is repeated; the third time its rows stay with a note.
 */
int sockets_diag_read(struct sockets_diag *d, enum sock_protocol protocol, struct builder *b);

/* Every field unknown, for whoever fills a row by hand. */
void sockets_diag_blank(struct sock_row *row);

/* State names of the kernel (net/tcp_states.h) as ours; unknown numbers: SOCK_STATE_UNCONN. */
enum sock_state sockets_diag_state(unsigned kernel_state);

/* Id of a socket that has no cookie: from protocol, addresses, ports, inode. */
uint64_t sockets_diag_id(const struct sock_row *row);

/* What a state alone says about a socket, with the queues and retransmissions in the row. */
enum severity sockets_diag_severity(const struct sock_row *row);

#endif
