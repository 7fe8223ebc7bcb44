/*
 * Names of network namespaces below /run/netns, as `ip netns` wants them (ip-netns(8)): an empty file with a bind mount of the
 * namespace over it. Ours bear a mark in the file that the mount covers: it outlives nsdbg, goes with the name when somebody else
 * deletes it, and a name that `ip netns add` makes later is a new file without it. So what bears no mark is never touched.
 */
#ifndef NSDBG_CORE_NETNS_H
#define NSDBG_CORE_NETNS_H

#include "core/msg.h"
#include "core/text.h"

#include <stdbool.h>

struct err;

#define NETNS_DIR "/run/netns"

/* 1-63 of A-Z a-z 0-9 _ . - and no . or - in front: no path, no option, nothing hidden. */
bool netns_name_valid(const char *name);
/* The nearest valid name to a container's; `suffix` (NULL: none) is kept whole behind it: "web-podman". */
void netns_name_make(struct text from, const char *suffix, char ret[MSG_NAME_TEXT]);

/* The directory as it is below the mounts on its entries, for netns_mark; open_tree(2), Linux 5.2, CAP_SYS_ADMIN. -errno. */
int netns_below(void);
/* Does the file NAME in `below` bear our mark? *ret_inode: the namespace it was made for. False also when it cannot be read. */
bool netns_mark(int below, const char *name, uint64_t *ret_inode);

/* Does what `m` asks for, with the broker's rights; in a process of its own that ends afterwards. 0 or -errno with the sentence. */
int netns_serve(const struct msg_name *m, struct err *err);

#endif
