/* Sockets from the tables of /proc/PID/net: for kernels without sock_diag, and for ICMP. */
#ifndef NSDBG_CORE_SOURCE_SOCKETS_PROC_H
#define NSDBG_CORE_SOURCE_SOCKETS_PROC_H

#include "core/source/sockets.h"

/* Appends the sockets of an open table ("tcp6", "unix" ...), from its start; 0 or -errno. Lines that do not parse are left out. */
int sockets_proc_read(int fd, enum sock_protocol protocol, struct builder *b);

#endif
