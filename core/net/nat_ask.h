/*
 * Asking the kernel for its rules. nf_tables and x_tables want CAP_NET_ADMIN from whoever asks, at each question; the worker that reads the
 * answers, which hold names of a container's making, has none. So a second process asks: it keeps that one capability in a cage, knows
 * six questions that change nothing, and reads no answer. Answers of nf_tables come over the socket that both have.
 */
#ifndef NSDBG_CORE_NET_NAT_ASK_H
#define NSDBG_CORE_NET_NAT_ASK_H

#include "core/net/nat_nft.h"

struct err;
struct nat_ask;

enum { NAT_TABLE_NAME = 32 }; /* XT_TABLE_MAXNAMELEN */

/* Before the cage, in the namespace. `nft`, `legacy`: which of both is there to be asked. 0 or -errno; -EPERM names the right. */
int nat_ask_start(bool nft, bool legacy, struct nat_ask **ret, struct err *err);
void nat_ask_stop(struct nat_ask *a);

/* Appends all messages of a dump; table and set for elements only. 0; 1 = the rules changed meanwhile; -errno. */
int nat_ask_dump(struct nat_ask *a, enum nat_dump what, uint8_t family, struct text table, struct text set, struct nat_bytes *ret);

/* IPT_SO_GET_INFO and IPT_SO_GET_ENTRIES (family 4, 6) of a table that exists: struct ipt_getinfo, and the entries behind it. The bytes
 * are good until the next question. 0 or -errno. */
int nat_ask_legacy(struct nat_ask *a, uint8_t family, const char *table, struct nat_bytes *ret);

#endif
