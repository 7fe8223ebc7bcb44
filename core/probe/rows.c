/* Tables of fields for probes, hops and certificates: see core/source/probe.h. */
#include "core/source/probe.h"

#include <math.h>

#include "core/block.h"
#include "core/fd.h"

const char *const probe_kind_names[PROBE_KIND_N] = {
	[PROBE_TCP] = "tcp", [PROBE_UDP] = "udp", [PROBE_PING] = "ping", [PROBE_TRACE] = "trace", [PROBE_MTU] = "mtu", [PROBE_HTTP] = "http",
};

static const char *const how_names[PROBE_HOW_N] = {
	[PROBE_LITERAL] = "literal", [PROBE_CONTAINER] = "container", [PROBE_HOSTS] = "hosts", [PROBE_DNS] = "dns",
};

#define TIME_FIELD(s, m, t, h, f) { ROW_FIELD(struct s, m, UINT), .title = t, .help = h, .unit = UNIT_US, .flags = FIELD_RIGHT | (f), .width = 7, .priority = 5 }

static const struct field hop_fields[] = {
	{ ROW_FIELD(struct hop_row, hop, UINT), .title = "HOP", .help = "number of routers up to here", .unit = UNIT_ID, .flags = FIELD_RIGHT, .width = 3 },
	{ ROW_FIELD(struct hop_row, address, ADDR), .title = "ADDRESS", .help = "who answered; unknown: nobody", .flags = FIELD_NOCUT, .width = 15 },
	{ ROW_FIELD(struct hop_row, name, TEXT), .title = "NAME", .help = "container or network whose address it is", .width = 16, .priority = 3 },
	{ ROW_FIELD(struct hop_row, loss, REAL), .title = "LOSS%", .help = "tries without answer", .unit = UNIT_PERCENT, .flags = FIELD_RIGHT, .width = 5,
		.priority = 1 },
	{ ROW_FIELD(struct hop_row, sent, UINT), .title = "SENT", .help = "tries", .flags = FIELD_RIGHT, .width = 4, .priority = 4 },
	{ ROW_FIELD(struct hop_row, received, UINT), .title = "RECV", .help = "answers", .flags = FIELD_RIGHT | FIELD_WIDE, .width = 4, .priority = 6 },
	TIME_FIELD(hop_row, last_us, "LAST", "latest round trip", 0),
	TIME_FIELD(hop_row, min_us, "BEST", "shortest round trip", 0),
	TIME_FIELD(hop_row, avg_us, "AVG", "mean round trip", 0),
	TIME_FIELD(hop_row, max_us, "WORST", "longest round trip", 0),
	TIME_FIELD(hop_row, jitter_us, "JITTER", "mean difference of neighbouring round trips", FIELD_WIDE),
	{ ROW_FIELD(struct hop_row, says, TEXT), .title = "SAYS", .help = "what the answer was", .flags = FIELD_FLEX, .width = 18, .priority = 2 },
};

const struct row_type hop_row_type = {
	.name = "hops", .noun = "hops", .id = 0x686f7073, /* "hops" */
	.schema = 1, .size = sizeof(struct hop_row), .fields = hop_fields, .n_fields = ARRAY_LEN(hop_fields),
};

static const struct field certificate_fields[] = {
	{ ROW_FIELD(struct certificate_row, subject, TEXT), .title = "SUBJECT", .help = "whom it was issued for", .flags = FIELD_FLEX, .width = 24 },
	{ ROW_FIELD(struct certificate_row, issuer, TEXT), .title = "ISSUER", .help = "who issued it", .width = 24, .priority = 1 },
	{ ROW_FIELD(struct certificate_row, names, LIST), .title = "NAMES", .help = "names and addresses it holds for", .width = 24, .priority = 2 },
	{ ROW_FIELD(struct certificate_row, not_before, TIME), .title = "FROM", .help = "beginning of its validity", .width = 6, .priority = 3 },
	{ ROW_FIELD(struct certificate_row, not_after, TIME), .title = "UNTIL", .help = "end of its validity", .width = 6, .priority = 1 },
};

const struct row_type certificate_row_type = {
	.name = "certificates", .noun = "certificates", .id = 0x63657274, /* "cert" */
	.schema = 1, .size = sizeof(struct certificate_row), .fields = certificate_fields, .n_fields = ARRAY_LEN(certificate_fields),
};

#define HIDDEN_TEXT(m, t, h) { ROW_FIELD(struct probe_row, m, TEXT), .title = t, .help = h, .flags = FIELD_HIDDEN, .width = 16, .priority = 9 }
#define HIDDEN_TIME(m, t, h) { ROW_FIELD(struct probe_row, m, UINT), .title = t, .help = h, .unit = UNIT_US, .flags = FIELD_HIDDEN | FIELD_RIGHT, .width = 7, .priority = 9 }
#define HIDDEN_SIZE(m, t, h) { ROW_FIELD(struct probe_row, m, UINT), .title = t, .help = h, .unit = UNIT_ID, .flags = FIELD_HIDDEN | FIELD_RIGHT, .width = 7, .priority = 9 }

static const struct field probe_fields[] = {
	{ ROW_FIELD(struct probe_row, destination, TEXT), .title = "DESTINATION", .help = "what was probed, as typed", .width = 24 },
	{ ROW_FIELD(struct probe_row, kind, ENUM), .title = "KIND", .help = "tcp, udp, ping, trace, mtu or http", .names = probe_kind_names,
		.n_names = PROBE_KIND_N, .width = 5, .priority = 3 },
	{ ROW_FIELD(struct probe_row, address, ADDR), .title = "ADDRESS", .help = "address that was probed", .flags = FIELD_NOCUT, .width = 15, .priority = 2 },
	{ ROW_FIELD(struct probe_row, port, UINT), .title = "PORT", .help = "its port", .unit = UNIT_ID, .flags = FIELD_HIDDEN | FIELD_RIGHT, .width = 5, .priority = 8 },
	{ ROW_FIELD(struct probe_row, target, TEXT), .title = "IS", .help = "container that has the address", .width = 14, .priority = 4 },
	{ ROW_FIELD(struct probe_row, verdict, ENUM), .title = "VERDICT", .help = "how the latest try ended, in one word", .names = probe_verdict_names,
		.n_names = PROBE_VERDICT_N, .width = 12 },
	{ ROW_FIELD(struct probe_row, time_us, UINT), .title = "TIME", .help = "of the latest answer; unknown: there was none", .unit = UNIT_US,
		.flags = FIELD_RIGHT, .width = 7, .priority = 1 },
	{ ROW_FIELD(struct probe_row, works, BOOL), .title = "WORKS", .help = "does it work; unknown when silence proves nothing", .flags = FIELD_HIDDEN,
		.width = 5, .priority = 8 },
	{ ROW_FIELD(struct probe_row, sent, UINT), .title = "SENT", .help = "tries so far", .flags = FIELD_RIGHT | FIELD_WIDE, .width = 4, .priority = 5 },
	{ ROW_FIELD(struct probe_row, received, UINT), .title = "RECV", .help = "answers so far", .flags = FIELD_RIGHT | FIELD_WIDE, .width = 4, .priority = 6 },
	{ ROW_FIELD(struct probe_row, loss, REAL), .title = "LOSS%", .help = "tries without answer", .unit = UNIT_PERCENT, .flags = FIELD_RIGHT | FIELD_WIDE,
		.width = 5, .priority = 5 },
	TIME_FIELD(probe_row, min_us, "MIN", "shortest time so far", FIELD_WIDE),
	TIME_FIELD(probe_row, avg_us, "AVG", "mean time so far", FIELD_WIDE),
	TIME_FIELD(probe_row, p50_us, "P50", "median time", FIELD_WIDE),
	TIME_FIELD(probe_row, p95_us, "P95", "95 of 100 answers are faster; unknown below 20 answers", FIELD_WIDE),
	TIME_FIELD(probe_row, p99_us, "P99", "99 of 100 answers are faster; unknown below 100 answers", FIELD_WIDE),
	TIME_FIELD(probe_row, max_us, "MAX", "longest time so far", FIELD_WIDE),
	TIME_FIELD(probe_row, jitter_us, "JITTER", "mean difference of neighbouring times", FIELD_WIDE),
	{ ROW_FIELD(struct probe_row, meaning, TEXT), .title = "MEANING", .help = "the verdict in a sentence", .flags = FIELD_FLEX, .width = 40, .priority = 1 },
	{ ROW_FIELD(struct probe_row, evidence, LIST), .title = "EVIDENCE", .help = "what speaks for it", .flags = FIELD_HIDDEN, .width = 40, .priority = 8 },
	HIDDEN_TEXT(error, "ERROR", "errno of the latest try; unknown: none"),
	{ ROW_FIELD(struct probe_row, at, TIME), .title = "AT", .help = "start of the latest try", .flags = FIELD_HIDDEN, .width = 8, .priority = 8 },
	{ ROW_FIELD(struct probe_row, how, ENUM), .title = "HOW", .help = "where the address came from: literal, container, hosts or dns", .names = how_names,
		.n_names = PROBE_HOW_N, .flags = FIELD_HIDDEN, .width = 9, .priority = 8 },
	HIDDEN_TIME(resolve_us, "LOOKUP", "time the name lookup took"),
	HIDDEN_SIZE(ttl, "TTL", "TTL of the latest answer"),
	{ ROW_FIELD(struct probe_row, source, ADDR), .title = "SOURCE", .help = "our own address on the way there", .flags = FIELD_HIDDEN, .width = 15, .priority = 8 },
	{ ROW_FIELD(struct probe_row, gateway, ADDR), .title = "GATEWAY", .help = "first router; unknown: on the same network", .flags = FIELD_HIDDEN,
		.width = 15, .priority = 8 },
	HIDDEN_TEXT(interface, "INTERFACE", "interface it goes out by"),
	HIDDEN_SIZE(interface_mtu, "IF MTU", "MTU of that interface"),
	HIDDEN_SIZE(path_mtu, "PATH MTU", "biggest packet that arrives"),
	HIDDEN_SIZE(kernel_mtu, "KERNEL MTU", "what the kernel believes the path takes"),
	{ ROW_FIELD(struct probe_row, hops, ROWS), .title = "HOPS", .help = "routers on the way", .sub = &hop_row_type, .flags = FIELD_HIDDEN, .width = 4, .priority = 9 },
	HIDDEN_SIZE(status, "STATUS", "HTTP status"),
	HIDDEN_TEXT(url, "URL", "what was asked for"),
	HIDDEN_TEXT(protocol, "PROTOCOL", "HTTP/1.1, HTTP/2"),
	HIDDEN_TEXT(server, "SERVER", "Server header"),
	HIDDEN_TEXT(content_type, "TYPE", "Content-Type header"),
	HIDDEN_TEXT(location, "LOCATION", "Location header"),
	{ ROW_FIELD(struct probe_row, bytes, UINT), .title = "BYTES", .help = "bytes of the answer that came", .unit = UNIT_BYTES, .flags = FIELD_HIDDEN | FIELD_RIGHT,
		.width = 6, .priority = 9 },
	HIDDEN_TIME(connect_us, "CONNECT", "TCP handshake"),
	HIDDEN_TIME(tls_us, "TLS", "TLS handshake"),
	HIDDEN_TIME(first_byte_us, "FIRST BYTE", "from request to first byte"),
	HIDDEN_TIME(total_us, "TOTAL", "from start to end, without the name lookup"),
	HIDDEN_TEXT(tls_version, "TLS VERSION", "TLSv1.3"),
	HIDDEN_TEXT(tls_cipher, "CIPHER", "cipher suite"),
	{ ROW_FIELD(struct probe_row, tls_verified, BOOL), .title = "VERIFIED", .help = "does the certificate hold, for this name, today", .flags = FIELD_HIDDEN,
		.width = 8, .priority = 9 },
	HIDDEN_TEXT(tls_problem, "TLS PROBLEM", "why the certificate does not hold"),
	{ ROW_FIELD(struct probe_row, certificates, ROWS), .title = "CERTIFICATES", .help = "chain that the server sent, its own first",
		.sub = &certificate_row_type, .flags = FIELD_HIDDEN, .width = 8, .priority = 9 },
};

const struct row_type probe_row_type = {
	.name = "probe", .noun = "probes", .id = 0x70726f62, /* "prob" */
	.schema = 1, .size = sizeof(struct probe_row), .fields = probe_fields, .n_fields = ARRAY_LEN(probe_fields),
};

struct probe_row *probe_row_blank(struct builder *b)
{
	struct probe_row *r = builder_row(b);

	r->destination = r->target = r->meaning = r->evidence = r->error = r->interface = ROW_NO_TEXT;
	r->url = r->protocol = r->server = r->content_type = r->location = r->tls_version = r->tls_cipher = r->tls_problem = ROW_NO_TEXT;
	r->port = r->resolve_us = r->time_us = r->ttl = r->interface_mtu = r->path_mtu = r->kernel_mtu = ROW_NO_UINT;
	r->status = r->bytes = r->connect_us = r->tls_us = r->first_byte_us = r->total_us = ROW_NO_UINT;
	r->sent = r->received = r->min_us = r->avg_us = r->p50_us = r->p95_us = r->p99_us = r->max_us = r->jitter_us = ROW_NO_UINT;
	r->loss = NAN;
	r->verdict = ROW_NO_ENUM;
	r->how = ROW_NO_ENUM;
	r->at = ROW_NO_INT;
	r->works = r->tls_verified = ROW_NO_BOOL;
	return r;
}
