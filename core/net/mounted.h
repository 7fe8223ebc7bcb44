/* Network namespaces that a mount keeps alive: `ip netns add`, and what container engines do. */
#ifndef NSDBG_CORE_NET_MOUNTED_H
#define NSDBG_CORE_NET_MOUNTED_H

#include <stdint.h>

/* Opens each namespace that our own mount table names (256 at most) and calls fn with a descriptor that is closed afterwards. Needs an
 * open /proc, so it is for workers that are not caged yet. */
void net_mounted_each(int proc, void (*fn)(int fd, uint64_t inode, void *arg), void *arg);

#endif
