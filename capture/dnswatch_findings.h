/* What is wrong, out of what came of the questions: counted as they come to their end, put into words when asked for. */
#ifndef NSDBG_CAPTURE_DNSWATCH_FINDINGS_H
#define NSDBG_CAPTURE_DNSWATCH_FINDINGS_H

#include "capture/dnswatch_names.h"
#include "capture/dnswatch_pair.h"
#include "capture/dnswatch_search.h"

enum { DNSWATCH_SERVERS = 16, DNSWATCH_EXAMPLES = 3, DNSWATCH_SENTENCE = 480 };

struct dnswatch_examples {
	char text[DNSWATCH_EXAMPLES][DNSWATCH_SENTENCE];
	unsigned n;
	char name[256];
	struct addr server;
};

struct dnswatch_server {
	struct addr address;
	bool forwarded; /* asked by the engine's resolver */
	uint64_t asked, answered, unanswered, unreachable, failed;
	uint32_t in_a_row; /* without an answer, and nothing else answered since */
	int64_t answer_ns; /* of the newest answer */
	uint64_t syn, refused; /* TCP */
	struct dnswatch_examples failures, silences;
	int64_t last_ns;
};

struct dnswatch_findings {
	uint32_t timeout_ms, attempts;
	uint64_t asked; /* settled once, the engine's resolver's left out */
	struct {
		uint64_t count, twins;
		uint64_t least_us, most_us; /* the gaps */
		struct dnswatch_examples examples;
	} five;
	struct {
		uint64_t count, lone, refused;
		struct dnswatch_examples examples;
	} truncated;
	struct {
		uint64_t count, gone, most_us;
		struct dnswatch_examples examples;
	} late;
	struct dnswatch_server servers[DNSWATCH_SERVERS];
	unsigned n_servers;
};

void dnswatch_findings_clear(struct dnswatch_findings *f); /* keeps timeout and attempts */
/* earlier: the exchange that this one repeats, NULL none or left. */
void dnswatch_findings_settled(struct dnswatch_findings *f, const struct dnswatch_exchange *e, const struct dnswatch_exchange *earlier,
	bool again);
void dnswatch_findings_truncated(struct dnswatch_findings *f, const struct dnswatch_exchange *e);
/* A TCP connection to a server's port: SYN, or RST in answer to one. */
void dnswatch_findings_tcp(struct dnswatch_findings *f, const struct addr *server, bool refused);

/* Appends dnswatch_finding rows, gravest first. */
void dnswatch_findings_rows(const struct dnswatch_findings *f, const struct dnswatch_names *names, const struct dnswatch_groups *groups,
	struct builder *b);

/* "question 12: AAAA queue.example." into buf; returns the length. */
size_t dnswatch_question_text(const struct dnswatch_exchange *e, char *buf, size_t cap);

#endif
