/* The tables that say what the rows of a DNS watch hold. */
#include "capture/dnswatch.h"

#include "core/fd.h"

static const char *const state_names[DNSWATCH_STATE_N] = {
	[DNSWATCH_WAITING] = "waiting",
	[DNSWATCH_ANSWERED] = "answered",
	[DNSWATCH_LATE] = "late",
	[DNSWATCH_UNANSWERED] = "unanswered",
	[DNSWATCH_UNREACHABLE] = "unreachable",
};
static const char *const transport_names[] = { "udp", "tcp" };

#define Q(member, kind) ROW_FIELD(struct dnswatch_question, member, kind)

static const struct field question_fields[] = {
	{ Q(number, UINT), .title = "NO", .help = "number in order of the first question, from 1", .unit = UNIT_ID,
		.flags = FIELD_RIGHT | FIELD_WIDE, .width = 5, .priority = 6 },
	{ Q(time, TIME), .title = "TIME", .help = "when it was asked first", .unit = UNIT_US, .width = 15, .priority = 4 },
	{ Q(name, TEXT), .title = "NAME", .help = "name that was asked", .width = 32 },
	{ Q(type, TEXT), .title = "TYPE", .help = "record type that was asked", .width = 5, .priority = 1 },
	{ Q(server, ADDR), .title = "SERVER", .help = "who was asked", .flags = FIELD_NOCUT, .width = 12, .priority = 4 },
	{ Q(server_port, UINT), .title = "SPORT", .help = "its port; unknown until Docker's resolver answers", .unit = UNIT_ID,
		.flags = FIELD_RIGHT | FIELD_HIDDEN, .width = 5 },
	{ Q(transport, ENUM), .title = "VIA", .help = "udp or tcp", .names = transport_names, .n_names = ARRAY_LEN(transport_names),
		.width = 3, .priority = 6 },
	{ Q(state, ENUM), .title = "STATE",
		.help = "answered; late: when nobody waited any more; unanswered; unreachable: ICMP said so; waiting", .names = state_names,
		.n_names = DNSWATCH_STATE_N, .width = 10, .priority = 1 },
	{ Q(time_us, UINT), .title = "TOOK", .help = "from the first question to the answer", .unit = UNIT_US, .flags = FIELD_RIGHT,
		.width = 7, .priority = 2 },
	{ Q(rcode, TEXT), .title = "RCODE", .help = "response code of the answer", .width = 8, .priority = 1 },
	{ Q(retries, UINT), .title = "RETRY", .help = "how often it was asked again with the same id and port", .unit = UNIT_ID,
		.flags = FIELD_RIGHT, .width = 5, .priority = 5 },
	{ Q(gap_us, UINT), .title = "GAP", .help = "from the question to its first repetition", .unit = UNIT_US,
		.flags = FIELD_RIGHT | FIELD_WIDE, .width = 7, .priority = 7 },
	{ Q(process, TEXT), .title = "PROCESS", .help = "command name of the asking process, when its socket lived long enough to be found",
		.width = 10, .priority = 3 },
	{ Q(pid, UINT), .title = "PID", .help = "pid on the host of the asking process", .unit = UNIT_ID, .flags = FIELD_RIGHT | FIELD_WIDE,
		.width = 7, .priority = 6 },
	{ Q(answers, LIST), .title = "ANSWERS", .help = "data of the answer's records, the first 16",
		.flags = FIELD_FLEX, .width = 24, .priority = 2 },
	{ Q(target, TEXT), .title = "IS", .help = "container that has the answer's address", .width = 12, .priority = 5 },
	{ Q(note, TEXT), .title = "NOTE", .help = "what is odd, in words", .width = 24, .priority = 5 },
	{ Q(n_answers, UINT), .title = "N", .help = "records in the answer, shown or not", .unit = UNIT_ID,
		.flags = FIELD_RIGHT | FIELD_HIDDEN, .width = 3 },
	{ Q(ttl, UINT), .title = "TTL", .help = "seconds that the answer may be kept, its lowest", .unit = UNIT_ID,
		.flags = FIELD_RIGHT | FIELD_WIDE, .width = 6, .priority = 7 },
	{ Q(size, UINT), .title = "SIZE", .help = "bytes of the answer", .unit = UNIT_BYTES, .flags = FIELD_RIGHT | FIELD_WIDE, .width = 5,
		.priority = 7 },
	{ Q(flags, TEXT), .title = "FLAGS", .help = "header flags of the answer: tc cut short, ra recursion, aa authoritative",
		.flags = FIELD_WIDE, .width = 8, .priority = 7 },
	{ Q(repeats, UINT), .title = "REPEATS", .help = "number of the row that asked the same before, with another id or port",
		.unit = UNIT_ID, .flags = FIELD_RIGHT | FIELD_HIDDEN, .width = 5 },
	{ Q(forwarded, BOOL), .title = "FWD", .help = "asked by the engine's resolver on behalf of a question to it", .flags = FIELD_WIDE,
		.width = 3, .priority = 7 },
	{ Q(client, ADDR), .title = "CLIENT", .help = "address it was asked from", .flags = FIELD_WIDE | FIELD_NOCUT, .width = 12,
		.priority = 8 },
	{ Q(client_port, UINT), .title = "CPORT", .help = "port it was asked from", .unit = UNIT_ID, .flags = FIELD_RIGHT | FIELD_WIDE,
		.width = 5, .priority = 8 },
	{ Q(inode, UINT), .title = "INODE", .help = "the asking socket, when it was still open", .unit = UNIT_ID, .flags = FIELD_HIDDEN,
		.width = 9 },
	{ Q(uid, UINT), .title = "UID", .help = "its user on the host", .unit = UNIT_ID, .flags = FIELD_HIDDEN | FIELD_RIGHT, .width = 5 },
	{ Q(search, UINT), .title = "SEARCH", .help = "number of the dnssearch row it belongs to", .unit = UNIT_ID,
		.flags = FIELD_HIDDEN | FIELD_RIGHT, .width = 5 },
	{ Q(wanted, TEXT), .title = "WANTED", .help = "name before the search list was added to it", .flags = FIELD_WIDE, .width = 16,
		.priority = 7 },
};

const struct row_type dnswatch_question_type = { .name = "dnswire", .noun = "DNS questions", .id = 0x646e7371, .schema = 1,
	.size = sizeof(struct dnswatch_question), .fields = question_fields, .n_fields = ARRAY_LEN(question_fields) };

#define N(member, kind) ROW_FIELD(struct dnswatch_name, member, kind)

static const struct field name_fields[] = {
	{ N(name, TEXT), .title = "NAME", .help = "name that was asked", .width = 32 },
	{ N(types, LIST), .title = "TYPES", .help = "record types that were asked", .width = 8, .priority = 4 },
	{ N(count, UINT), .title = "COUNT", .help = "questions", .unit = UNIT_ID, .flags = FIELD_RIGHT, .width = 6 },
	{ N(p50_us, UINT), .title = "P50", .help = "median time to the answer, of the newest 128", .unit = UNIT_US, .flags = FIELD_RIGHT,
		.width = 7, .priority = 1 },
	{ N(p95_us, UINT), .title = "P95", .help = "95 of 100 answers took no longer", .unit = UNIT_US, .flags = FIELD_RIGHT, .width = 7,
		.priority = 1 },
	{ N(max_us, UINT), .title = "MAX", .help = "slowest of the newest 128", .unit = UNIT_US, .flags = FIELD_RIGHT, .width = 7,
		.priority = 3 },
	{ N(noerror, UINT), .title = "OK", .help = "answers NOERROR", .unit = UNIT_ID, .flags = FIELD_RIGHT, .width = 6, .priority = 2 },
	{ N(nxdomain, UINT), .title = "NXDOMAIN", .help = "answers: no such name", .unit = UNIT_ID, .flags = FIELD_RIGHT, .width = 8,
		.priority = 2 },
	{ N(failed, UINT), .title = "FAILED", .help = "answers SERVFAIL, REFUSED and the like", .unit = UNIT_ID, .flags = FIELD_RIGHT,
		.width = 6, .priority = 2 },
	{ N(unanswered, UINT), .title = "NONE", .help = "without an answer in time", .unit = UNIT_ID, .flags = FIELD_RIGHT, .width = 5,
		.priority = 1 },
	{ N(retries, UINT), .title = "RETRY", .help = "questions repeated", .unit = UNIT_ID, .flags = FIELD_RIGHT, .width = 5,
		.priority = 5 },
	{ N(last, TIME), .title = "LAST", .help = "when it was asked last", .width = 19, .priority = 6 },
};

const struct row_type dnswatch_name_type = { .name = "dnsnames", .noun = "names", .id = 0x646e736e, .schema = 1,
	.size = sizeof(struct dnswatch_name), .fields = name_fields, .n_fields = ARRAY_LEN(name_fields) };

#define S(member, kind) ROW_FIELD(struct dnswatch_search, member, kind)

static const struct field search_fields[] = {
	{ S(number, UINT), .title = "NO", .help = "number of the lookup, from 1", .unit = UNIT_ID, .flags = FIELD_RIGHT | FIELD_WIDE,
		.width = 5, .priority = 6 },
	{ S(time, TIME), .title = "TIME", .help = "of its first question", .unit = UNIT_US, .width = 15, .priority = 4 },
	{ S(wanted, TEXT), .title = "WANTED", .help = "name as the program gave it", .width = 24 },
	{ S(questions, UINT), .title = "ASKED", .help = "questions that were asked for it", .unit = UNIT_ID, .flags = FIELD_RIGHT, .width = 5,
		.priority = 1 },
	{ S(nxdomain, UINT), .title = "NXDOMAIN", .help = "of them, for names that the search list made and that do not exist",
		.unit = UNIT_ID, .flags = FIELD_RIGHT, .width = 8, .priority = 1 },
	{ S(time_us, UINT), .title = "TOOK", .help = "from the first question to the last answer", .unit = UNIT_US, .flags = FIELD_RIGHT,
		.width = 7, .priority = 2 },
	{ S(found, TEXT), .title = "FOUND", .help = "the name that exists", .width = 32, .priority = 2 },
	{ S(process, TEXT), .title = "PROCESS", .help = "who asked", .width = 10, .priority = 3 },
	{ S(tried, LIST), .title = "TRIED", .help = "names in the order they were tried, with what came of them", .flags = FIELD_FLEX,
		.width = 40, .priority = 3 },
	{ S(client, ADDR), .title = "CLIENT", .help = "address it was asked from", .flags = FIELD_WIDE | FIELD_NOCUT, .width = 12,
		.priority = 7 },
};

const struct row_type dnswatch_search_type = { .name = "dnssearch", .noun = "lookups by search list", .id = 0x646e7373, .schema = 1,
	.size = sizeof(struct dnswatch_search), .fields = search_fields, .n_fields = ARRAY_LEN(search_fields) };

#define F(member, kind) ROW_FIELD(struct dnswatch_finding, member, kind)

static const struct field finding_fields[] = {
	{ F(finding, TEXT), .title = "FINDING",
		.help = "five-seconds, ndots, dead-aaaa, stale-address, truncated, unreachable, failing or late", .width = 13 },
	{ F(count, UINT), .title = "COUNT", .help = "how often", .unit = UNIT_ID, .flags = FIELD_RIGHT, .width = 6, .priority = 2 },
	{ F(total, UINT), .title = "OF", .help = "of how many", .unit = UNIT_ID, .flags = FIELD_RIGHT, .width = 6, .priority = 3 },
	{ F(text, TEXT), .title = "TEXT", .help = "what is wrong, in words", .flags = FIELD_FLEX, .width = 60 },
	{ F(evidence, LIST), .title = "EVIDENCE", .help = "what shows it", .flags = FIELD_WIDE, .width = 60, .priority = 4 },
	{ F(remedy, TEXT), .title = "REMEDY", .help = "what helps", .flags = FIELD_WIDE, .width = 40, .priority = 4 },
	{ F(name, TEXT), .title = "NAME", .help = "an example", .flags = FIELD_HIDDEN, .width = 24 },
	{ F(server, ADDR), .title = "SERVER", .help = "name server of the example", .flags = FIELD_HIDDEN, .width = 12 },
};

const struct row_type dnswatch_finding_type = { .name = "dnsfindings", .noun = "findings", .id = 0x646e7366, .schema = 1,
	.size = sizeof(struct dnswatch_finding), .fields = finding_fields, .n_fields = ARRAY_LEN(finding_fields) };

#define W(member, kind) ROW_FIELD(struct dnswatch_row, member, kind)

static const struct field watch_fields[] = {
	{ W(running, BOOL), .title = "RUNS", .help = "packets are taken" },
	{ W(asked, UINT), .title = "ASKED", .help = "questions of programs", .flags = FIELD_RIGHT },
	{ W(answered, UINT), .title = "ANSWERED", .help = "of them, answered", .flags = FIELD_RIGHT },
	{ W(late, UINT), .title = "LATE", .help = "answered when nobody waited any more", .flags = FIELD_RIGHT },
	{ W(unanswered, UINT), .title = "UNANSWERED", .help = "without an answer", .flags = FIELD_RIGHT },
	{ W(unreachable, UINT), .title = "UNREACHABLE", .help = "refused by ICMP", .flags = FIELD_RIGHT },
	{ W(nxdomain, UINT), .title = "NXDOMAIN", .help = "answers: no such name", .flags = FIELD_RIGHT },
	{ W(failed, UINT), .title = "FAILED", .help = "answers SERVFAIL, REFUSED and the like", .flags = FIELD_RIGHT },
	{ W(retried, UINT), .title = "RETRIED", .help = "questions asked more than once", .flags = FIELD_RIGHT },
	{ W(waiting, UINT), .title = "WAITING", .help = "questions without an answer yet", .flags = FIELD_RIGHT },
	{ W(forwarded, UINT), .title = "FORWARDED", .help = "questions of the engine's resolver to its upstreams", .flags = FIELD_RIGHT },
	{ W(rate, REAL), .title = "RATE", .help = "questions a second, of the last 10 s", .flags = FIELD_RIGHT },
	{ W(p50_us, UINT), .title = "P50", .help = "median time to the answer, of the last minute", .unit = UNIT_US, .flags = FIELD_RIGHT },
	{ W(p95_us, UINT), .title = "P95", .help = "95 of 100 answers took no longer", .unit = UNIT_US, .flags = FIELD_RIGHT },
	{ W(max_us, UINT), .title = "MAX", .help = "slowest of the last minute", .unit = UNIT_US, .flags = FIELD_RIGHT },
	{ W(settled, UINT), .title = "SETTLED", .help = "rows that came to their end", .flags = FIELD_HIDDEN },
	{ W(missed, UINT), .title = "MISSED", .help = "rows that left before they were fetched or had an end", .flags = FIELD_RIGHT },
	{ W(packets, UINT), .title = "PACKETS", .help = "packets looked at", .flags = FIELD_RIGHT },
	{ W(dropped, UINT), .title = "DROPPED", .help = "packets that the kernel had no room for", .flags = FIELD_RIGHT },
	{ W(malformed, UINT), .title = "MALFORMED", .help = "messages that are no DNS", .flags = FIELD_RIGHT },
	{ W(started_at, TIME), .title = "SINCE", .help = "begin of the watch" },
	{ W(note, TEXT), .title = "NOTE", .help = "why it stands still" },
};

const struct row_type dnswatch_row_type = { .name = "dnswatch", .noun = "watch", .id = 0x646e7377, .schema = 1,
	.size = sizeof(struct dnswatch_row), .fields = watch_fields, .n_fields = ARRAY_LEN(watch_fields) };

static const struct field socket_fields[] = {
	{ ROW_FIELD(struct dnswatch_socket, inode, UINT), .title = "INODE", .help = "a socket that asks", .unit = UNIT_ID },
};

const struct row_type dnswatch_socket_type = { .name = "dnssockets", .noun = "sockets", .id = 0x646e736f, .schema = 1,
	.size = sizeof(struct dnswatch_socket), .fields = socket_fields, .n_fields = ARRAY_LEN(socket_fields) };
