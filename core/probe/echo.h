/* ICMP echo requests and replies over a raw or an unprivileged socket (icmp(7), RFC 792, RFC 4443 4.1). */
#ifndef NSDBG_CORE_PROBE_ECHO_H
#define NSDBG_CORE_PROBE_ECHO_H

#include "core/probe/run.h"

struct wire_error;

enum { ECHO_HEADER = 8 };

/* Opens one socket of a family, raw when allowed. -errno. */
int echo_open(int family, bool *ret_raw);
/* The run's socket for its destination, connected to it; -errno: neither kind was allowed. Belongs to the run. */
int echo_socket(struct probe_run *run);

/* Sends one request with `size` payload bytes under run->echo_id; 0 or -errno. */
int echo_send(struct probe_run *run, int fd, uint16_t seq, size_t size);

/* Next reply to one of ours: false when there is none. */
bool echo_receive(struct probe_run *run, int fd, uint16_t *ret_seq, uint8_t *ret_ttl);
/* Next error about one of ours. */
bool echo_error(struct probe_run *run, int fd, struct wire_error *ret);

/* A reply in the bytes of a raw (with IPv4 header when v4) or unprivileged socket. */
bool echo_parse(const uint8_t *bytes, size_t n, bool with_ip, uint16_t *ret_id, uint16_t *ret_seq);

#endif
