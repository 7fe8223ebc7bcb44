/* The lab: four small servers that give nsdbg something real to look at. Test code; linked statically, so it also runs FROM scratch. */
#ifndef NSDBG_TESTS_LAB_LAB_H
#define NSDBG_TESTS_LAB_LAB_H

#include <stddef.h>
#include <stdint.h>

/* Each role runs for ever; returns only when it cannot start. `arg` may be NULL. */
int lab_web(const char *arg); /* HTTP on port 80 (arg: another port) */
int lab_db(const char *arg); /* a line protocol on port 5432 */
int lab_client(const char *arg); /* asks the others each second; arg: address of the DNS server */
int lab_dns(const char *arg); /* zone "lab" on port 53, UDP and TCP */

/* Listening TCP socket on all addresses; -1 with errno. */
int lab_listen(uint16_t port);

/* Answers one DNS query; returns the length of the reply in `out` (0: nothing to say). */
size_t lab_zone_answer(const uint8_t *query, size_t n, uint8_t *out, size_t cap);

#endif
