/* The interfaces of a network namespace, by rtnetlink(7): a table that follows what changes. Not from /sys, which shows the host's. */
#ifndef NSDBG_CAPTURE_LINKS_H
#define NSDBG_CAPTURE_LINKS_H

#include "core/addr.h"

#include <stdbool.h>
#include <stdint.h>

struct err;
struct links;

enum { LINK_ADDRESSES = 16, LINK_NAME = 16 };

/* link_info: one interface, by value; `struct link` is the front's end of a worker. */
struct link_info {
	uint32_t index;
	char name[LINK_NAME]; /* any bytes but NUL and '/': what the container chose */
	bool up;
	bool running; /* up and has a carrier */
	bool loopback;
	struct addr mac;
	uint64_t mtu;
	uint32_t n_addresses;
	struct addr addresses[LINK_ADDRESSES];
};

/* Opens sockets in the current namespace and reads all interfaces. 0 or -errno. */
int links_open(struct links **ret, struct err *err);
void links_free(struct links *l); /* NULL is fine */

/* Lets go of the namespace: the sockets are closed, the table stays as it is. */
void links_close(struct links *l);

int links_fd(const struct links *l); /* readable when something changed; -1 after links_close */
/* Takes the changes. True when the table is different. */
bool links_read(struct links *l);

/* Reads everything again, addresses included. 0, or -errno with the old table kept. */
int links_refresh(struct links *l, struct err *err);

uint32_t links_count(const struct links *l);
const struct link_info *links_at(const struct links *l, uint32_t i);
const struct link_info *links_find(const struct links *l, uint32_t index); /* NULL: no such interface */
const struct link_info *links_find_name(const struct links *l, const char *name);

/* The one to capture on when nobody said: the first that is up and not loopback, else loopback. NULL: none at all. `usable` may refuse
 * names. */
const struct link_info *links_default(const struct links *l, bool (*usable)(const char *name));

#endif
