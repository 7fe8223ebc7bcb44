/* A small capture and DNS answers for screen tests: the shop's, as in the drawings. */
#ifndef NSDBG_TESTS_PACKETS_H
#define NSDBG_TESTS_PACKETS_H

#include "core/block.h"

enum { PACKETS_N = 11 };

/* 2026-11-22 14:07:06 UTC: "now". */
#define PACKETS_NOW ((int64_t)1795356426 * 1000000000)

struct block *packets_targets(void); /* target_row: shop-api-1 (first), shop-db-1, shop-cache-1 */

struct block *packets_page(uint64_t from, uint32_t n); /* packet_row; more than PACKETS_N: the same ones again, numbered on */
struct block *packets_layers(void); /* layer_row of packet 9 */
struct block *packets_bytes(uint64_t number); /* bytes_row of packet 9's bytes */
struct block *packets_status(uint64_t received, uint64_t shown, bool running); /* capture_row */
struct block *packets_interfaces(void); /* interface_row */

struct block *packets_files(void); /* file_row of a Docker container */
struct block *packets_answer(bool good); /* dns_row for db.default.svc A+AAAA; else for a name that times out */

#endif
