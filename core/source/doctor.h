/*
 * What this machine lets nsdbg do: rights, kernel features, what is mounted how. Each row is one check, with what is lost when it is
 * missing and what helps. The front adds rows about engines and the terminal.
 */
#ifndef NSDBG_CORE_SOURCE_DOCTOR_H
#define NSDBG_CORE_SOURCE_DOCTOR_H

#include "core/source.h"

enum doctor_state { DOCTOR_OK, DOCTOR_LESS, DOCTOR_MISSING, DOCTOR_UNKNOWN, DOCTOR_N };

struct doctor_row {
	struct row_head head; /* severity: OK, WARN (works with less), BAD (something cannot work), UNKNOWN */
	struct str area; /* "rights", "kernel", "engines", "terminal" */
	struct str name; /* "CAP_SYS_ADMIN" */
	uint32_t state; /* enum doctor_state */
	struct str found; /* what there is */
	struct str lost; /* what that costs; unknown: nothing */
	struct str remedy; /* unknown: none */
};
extern const struct row_type doctor_row_type; /* "doctor" */

/* Adds a row; NULL texts are unknown. lost and remedy are dropped when the state is DOCTOR_OK. */
void doctor_add(struct builder *b, enum doctor_state state, const char *area, const char *name, const char *found, const char *lost,
	const char *remedy);

extern const struct source doctor_source; /* sample(): rights and kernel, tried for real in open(); CAGE_BASE */

#endif
