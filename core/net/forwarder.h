/*
 * Programs that stand in for a container on a port of the host: told by their command name and arguments, which are theirs to choose.
 * docker-proxy (moby), rootlessport (podman), rootlesskit, slirp4netns(1), pasta(1); dockerd and conmon only hold the port, so that
 * nobody else takes it, and rules do the work. Pure functions on bytes.
 */
#ifndef NSDBG_CORE_NET_FORWARDER_H
#define NSDBG_CORE_NET_FORWARDER_H

#include "core/addr.h"
#include "core/text.h"

#include <stdbool.h>

enum net_forwarder {
	NET_FORWARDER_NONE,
	NET_FORWARDER_DOCKER_PROXY,
	NET_FORWARDER_ROOTLESSPORT,
	NET_FORWARDER_ROOTLESSKIT,
	NET_FORWARDER_SLIRP4NETNS,
	NET_FORWARDER_PASTA,
	NET_FORWARDER_HOLDER, /* takes nothing: dockerd without proxies, conmon */
	NET_FORWARDER_N,
};
extern const char *const net_forwarder_names[NET_FORWARDER_N]; /* as one says them */

/* What such a process is, by its name (comm) and its arguments (cmdline: each ended by NUL). */
enum net_forwarder net_forwarder_of(struct text comm, struct text cmdline);

/* From where to where; only docker-proxy says it. */
struct net_forward {
	bool udp, sctp;
	struct addr host_address, to_address;
	uint64_t host_port, to_port;
};
/* False: not said, or nothing that one can believe. */
bool net_forwarder_parse(struct text cmdline, struct net_forward *ret);

/* Arguments as one line, blanks between; returns its length. */
size_t net_forwarder_line(struct text cmdline, char *buf, size_t cap);

#endif
