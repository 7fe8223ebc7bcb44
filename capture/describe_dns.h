/* DNS messages in packets as text. Records are read by the same codec as the answers of the DNS view. */
#ifndef NSDBG_CAPTURE_DESCRIBE_DNS_H
#define NSDBG_CAPTURE_DESCRIBE_DNS_H

#include "capture/describe.h"
#include "capture/tree.h"

/* "A? db.default.svc", "A 172.18.0.3 ttl 600 · db.default.svc", "NXDOMAIN A? nosuch". */
void describe_dns_line(const struct packet *p, const struct layer *l, struct packet_line *ret);

void describe_dns_tree(struct tree *t, const struct packet *p, const struct layer *l);

#endif
