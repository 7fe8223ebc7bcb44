/* Blocks for screen tests: a small shop with one fault, the same bytes each time. */
#ifndef NSDBG_TESTS_FIXTURE_H
#define NSDBG_TESTS_FIXTURE_H

#include "core/block.h"

/* 2026-11-22 14:07:06 UTC: "now" of all ages. */
#define FIXTURE_NOW ((int64_t)1795356426 * 1000000000)

struct block *fixture_targets(void); /* target_row */
struct block *fixture_networks(void); /* network_row */
struct block *fixture_engines(void); /* engine_row */
struct block *fixture_sockets(void); /* sock_row */
struct block *fixture_owners(void); /* owner_row */
struct block *fixture_processes(void); /* process_row */

#endif
