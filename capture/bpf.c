/* Words of a capture filter, one by one, with libpcap's own idea of a word (scanner.l of libpcap 1.10). */
#include "capture/bpf.h"

#include "core/err.h"
#include "core/fd.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WORD_MAX = 64, FAR = 3 };

static const char *const keywords[] = {
	"dst", "src", "link", "ether", "ppp", "arp", "rarp", "ip", "ip6", "sctp", "tcp", "udp", "icmp", "icmp6", "igmp", "igrp",
	"pim", "vrrp", "carp", "ah", "esp", "iso", "stp", "ipx", "netbeui", "llc", "host", "net", "mask", "port", "portrange",
	"proto", "protochain", "less", "greater", "byte", "broadcast", "multicast", "and", "or", "not", "len", "length",
	"inbound", "outbound", "vlan", "mpls", "pppoed", "pppoes", "geneve", "ifindex",
	"icmptype", "icmpcode", "icmp-echoreply", "icmp-unreach", "icmp-sourcequench", "icmp-redirect", "icmp-echo",
	"icmp-routeradvert", "icmp-routersolicit", "icmp-timxceed", "icmp-paramprob", "icmp-tstamp", "icmp-tstampreply",
	"icmp-ireq", "icmp-ireqreply", "icmp-maskreq", "icmp-maskreply",
	"icmp6type", "icmp6code", "icmp6-echo", "icmp6-echoreply", "icmp6-destinationunreach", "icmp6-packettoobig",
	"icmp6-timeexceeded", "icmp6-parameterproblem", "icmp6-routersolicit", "icmp6-routeradvert", "icmp6-neighborsolicit",
	"icmp6-neighboradvert", "icmp6-redirect", "icmp6-multicastlistenerquery", "icmp6-multicastlistenerreportv1",
	"icmp6-multicastlistenerdone", "icmp6-multicastlistenerreportv2",
	"tcpflags", "tcp-fin", "tcp-syn", "tcp-rst", "tcp-push", "tcp-ack", "tcp-urg", "tcp-ece", "tcp-cwr",
};

struct number {
	const char *name;
	unsigned number;
};

/* Ports by the names of /etc/services, the ones that are asked for. */
static const struct number services[] = {
	{ "ftp-data", 20 }, { "ftp", 21 }, { "ssh", 22 }, { "telnet", 23 }, { "smtp", 25 }, { "time", 37 }, { "whois", 43 },
	{ "tacacs", 49 }, { "domain", 53 }, { "dns", 53 }, { "bootps", 67 }, { "bootpc", 68 }, { "tftp", 69 }, { "gopher", 70 },
	{ "finger", 79 }, { "http", 80 }, { "www", 80 }, { "kerberos", 88 }, { "pop3", 110 }, { "sunrpc", 111 }, { "nntp", 119 },
	{ "ntp", 123 }, { "netbios-ns", 137 }, { "netbios-dgm", 138 }, { "netbios-ssn", 139 }, { "imap2", 143 }, { "imap", 143 },
	{ "snmp", 161 }, { "snmp-trap", 162 }, { "snmptrap", 162 }, { "bgp", 179 }, { "ldap", 389 }, { "https", 443 },
	{ "microsoft-ds", 445 }, { "submissions", 465 }, { "isakmp", 500 }, { "syslog", 514 }, { "printer", 515 },
	{ "dhcpv6-client", 546 }, { "dhcpv6-server", 547 }, { "submission", 587 }, { "ipp", 631 }, { "ldaps", 636 },
	{ "domain-s", 853 }, { "rsync", 873 }, { "ftps", 990 }, { "imaps", 993 }, { "pop3s", 995 }, { "openvpn", 1194 },
	{ "ms-sql-s", 1433 }, { "oracle", 1521 }, { "radius", 1812 }, { "mqtt", 1883 }, { "nfs", 2049 }, { "zookeeper", 2181 },
	{ "docker", 2375 }, { "etcd-client", 2379 }, { "etcd-server", 2380 }, { "mysql", 3306 }, { "rdp", 3389 },
	{ "stun", 3478 }, { "epmd", 4369 }, { "ipsec-nat-t", 4500 }, { "sip", 5060 }, { "sips", 5061 }, { "mdns", 5353 },
	{ "llmnr", 5355 }, { "postgresql", 5432 }, { "postgres", 5432 }, { "amqps", 5671 }, { "amqp", 5672 }, { "x11", 6000 },
	{ "redis", 6379 }, { "kubernetes", 6443 }, { "http-alt", 8080 }, { "mqtts", 8883 }, { "kafka", 9092 },
	{ "elasticsearch", 9200 }, { "memcached", 11211 }, { "mongodb", 27017 },
};

static const struct number protocols[] = {
	{ "icmp", 1 }, { "igmp", 2 }, { "tcp", 6 }, { "igrp", 9 }, { "udp", 17 }, { "dccp", 33 }, { "ipv6", 41 }, { "gre", 47 },
	{ "esp", 50 }, { "ah", 51 }, { "icmp6", 58 }, { "ipv6-icmp", 58 }, { "ospf", 89 }, { "pim", 103 }, { "vrrp", 112 },
	{ "sctp", 132 }, { "udplite", 136 },
};

/* Where the reading of a filter is. */
struct reader {
	const char *p;
	char word[WORD_MAX]; /* the word read last */
	char before[WORD_MAX]; /* the word before it */
	char kind[16]; /* port, proto, host, net: what a bare value means now */
	bool link_proto; /* proto belongs to ether: numbers are EtherTypes */
	int brackets;
	char *out;
	size_t n;
};

static bool is_keyword(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
		if (strcmp(keywords[i], word) == 0)
			return true;
	return false;
}

static const struct number *number_find(const struct number *list, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(list[i].name, word) == 0)
			return &list[i];
	return NULL;
}

/* Edits that make a into b: insert, delete, replace, swap neighbours (optimal string alignment). Short words only. */
static unsigned distance(const char *a, const char *b)
{
	unsigned d[WORD_MAX + 1][WORD_MAX + 1];
	size_t n = strlen(a), m = strlen(b);

	for (unsigned i = 0; i <= n; i++)
		d[i][0] = i;
	for (unsigned j = 0; j <= m; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		for (size_t j = 1; j <= m; j++) {
			unsigned same = tolower((unsigned char)a[i - 1]) == b[j - 1] ? 0 : 1;
			unsigned best = d[i - 1][j - 1] + same;

			best = d[i - 1][j] + 1 < best ? d[i - 1][j] + 1 : best;
			best = d[i][j - 1] + 1 < best ? d[i][j - 1] + 1 : best;
			if (i > 1 && j > 1 && tolower((unsigned char)a[i - 2]) == b[j - 1] &&
				tolower((unsigned char)a[i - 1]) == b[j - 2] && d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	}
	return d[n][m];
}

/* Edits up to a word that may be meant, two at most and fewer than half of the letters of either; else FAR: to short words all is near. */
static unsigned nearness(const char *word, const char *other)
{
	size_t n = strlen(word), m = strlen(other), shorter = n < m ? n : m;
	unsigned d = shorter > 2 ? distance(word, other) : FAR;

	return 2 * d < shorter && d < FAR ? d : FAR;
}

/* The nearest word, NULL: none is near. */
static const char *suggest(const char *word, const char *kind)
{
	const char *found = NULL;
	unsigned best = FAR;

	for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
		unsigned d = nearness(word, keywords[i]);

		if (d < best || (d == best && found && strlen(keywords[i]) == strlen(word) && strlen(found) != strlen(word))) {
			best = d < best ? d : best;
			found = keywords[i];
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(services) && strcmp(kind, "port") == 0; i++) {
		unsigned d = nearness(word, services[i].name);

		if (d < best) {
			best = d;
			found = services[i].name;
		}
	}
	return found;
}

static void put(struct reader *r, const char *p, size_t n)
{
	if (r->n + n >= BPF_TEXT)
		n = BPF_TEXT - 1 - r->n;
	memcpy(r->out + r->n, p, n);
	r->n += n;
	r->out[r->n] = 0;
}

static void put_number(struct reader *r, unsigned number)
{
	char text[16];

	put(r, text, (size_t)snprintf(text, sizeof text, "%u", number));
}

static bool is_word_char(char c, bool in_brackets)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.' || c == '\\' || (c == ':' && !in_brackets);
}

/* Digits, 0x.., dotted, MAC and IPv6 forms, 6000-6008: libpcap reads those without asking anybody. */
static bool is_literal(const char *word)
{
	size_t n = strlen(word);

	if (word[0] == '0' && (word[1] == 'x' || word[1] == 'X') && n > 2)
		return strspn(word + 2, "0123456789abcdefABCDEF") == n - 2;
	if (strchr(word, ':'))
		return strspn(word, "0123456789abcdefABCDEF:.") == n;
	return isdigit((unsigned char)word[0]) && strspn(word, "0123456789.-") == n;
}

static int unknown(const struct reader *r, struct err *err)
{
	const char *near = suggest(r->word, r->kind);

	if (near)
		return err_set(err, EINVAL, "syntax error near \"%s\"; did you mean \"%s\"?", r->word, near);
	if (strcmp(r->kind, "port") == 0)
		return err_set(err, EINVAL, "unknown service \"%s\"; give the port as a number", r->word);
	if (strcmp(r->kind, "proto") == 0)
		return err_set(err, EINVAL, "unknown protocol \"%s\"; give its number", r->word);
	if (r->kind[0])
		return err_set(err, EINVAL, "\"%s\" is not an address; names are not looked up in a capture filter", r->word);
	return err_set(err, EINVAL, "syntax error near \"%s\"", r->word);
}

/* After ip proto, names become numbers; after ether proto libpcap knows them itself, with a backslash. */
static bool put_protocol(struct reader *r)
{
	const char *name = r->word[0] == '\\' ? r->word + 1 : r->word;
	const struct number *p = number_find(protocols, ARRAY_LEN(protocols), name);

	if (r->link_proto && (is_keyword(name) || r->word[0] == '\\')) {
		put(r, "\\", 1);
		put(r, name, strlen(name));
		return true;
	}
	if (!p)
		return false;
	put_number(r, p->number);
	return true;
}

static void note_kind(struct reader *r)
{
	static const char *const kinds[] = { "port", "portrange", "proto", "protochain", "host", "net" };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i], r->word) != 0)
			continue;
		snprintf(r->kind, sizeof r->kind, "%s", i < 2 ? "port" : i < 4 ? "proto" : kinds[i]);
		r->link_proto = strcmp(r->before, "ether") == 0 || strcmp(r->before, "link") == 0;
	}
	if (strcmp(r->word, "src") == 0 || strcmp(r->word, "dst") == 0)
		snprintf(r->kind, sizeof r->kind, "host");
}

static int word(struct reader *r, struct err *err)
{
	const struct number *service = number_find(services, ARRAY_LEN(services), r->word);
	bool after_proto = strcmp(r->kind, "proto") == 0 &&
		(strcmp(r->before, "proto") == 0 || strcmp(r->before, "protochain") == 0 || r->word[0] == '\\');

	if (after_proto && put_protocol(r))
		return 0;
	if (is_keyword(r->word) || is_literal(r->word)) {
		note_kind(r);
		put(r, r->word, strlen(r->word));
		return 0;
	}
	if (service && strcmp(r->kind, "port") == 0) {
		put_number(r, service->number);
		return 0;
	}
	return unknown(r, err);
}

static int read_word(struct reader *r, struct err *err)
{
	size_t n = 0;

	while (is_word_char(r->p[n], r->brackets > 0))
		n++;
	if (n >= WORD_MAX)
		return err_set(err, EINVAL, "syntax error near \"%.20s...\"", r->p);
	memcpy(r->before, r->word, sizeof r->before);
	memcpy(r->word, r->p, n);
	r->word[n] = 0;
	r->p += n;
	return word(r, err);
}

static int read_sign(struct reader *r, struct err *err)
{
	char c = *r->p++;

	if (!isspace((unsigned char)c) && !strchr("()[]!&|<>=+*/^%:,-", c))
		return err_set(err, EINVAL, "a capture filter cannot have \"%c\"",
			c >= ' ' && c < 0x7f ? c : '?');
	r->brackets += c == '[' ? 1 : c == ']' ? -1 : 0;
	put(r, isspace((unsigned char)c) ? " " : &c, 1);
	return 0;
}

int bpf_prepare(const char *text, char ret[BPF_TEXT], struct err *err)
{
	struct reader r = { .p = text, .out = ret };
	int e = 0;

	ret[0] = 0;
	while (e == 0 && *r.p)
		e = is_word_char(*r.p, r.brackets > 0) && *r.p != '-' && *r.p != ':' ? read_word(&r, err) : read_sign(&r, err);
	if (e < 0)
		return e;
	if (strspn(ret, " ") == strlen(ret))
		ret[0] = 0;
	return 0;
}

/* The last word, for filters that stop too early. */
static const char *last_word(const char *text, char buf[WORD_MAX])
{
	size_t end = strlen(text), from;

	while (end > 0 && isspace((unsigned char)text[end - 1]))
		end--;
	from = end;
	while (from > 0 && !isspace((unsigned char)text[from - 1]))
		from--;
	snprintf(buf, WORD_MAX, "%.*s", (int)(end - from), text + from);
	return buf;
}

static int parentheses(const char *text)
{
	int open = 0;

	for (; *text; text++)
		open += *text == '(' ? 1 : *text == ')' ? -1 : 0;
	return open;
}

int bpf_explain(const char *text, const char *complaint, struct err *err)
{
	static const char *const wanting[] = { "port", "portrange", "host", "net", "src", "dst", "proto", "and", "or", "not",
		"less", "greater", "&&", "||", "!", "mask", "=", "==", "!=", "<", ">", "&", "|" };
	char last[WORD_MAX];
	int open = parentheses(text);

	if (!strstr(complaint, "syntax error"))
		return err_set(err, EINVAL, "%s", complaint);
	last_word(text, last);
	for (size_t i = 0; i < ARRAY_LEN(wanting); i++)
		if (strcmp(last, wanting[i]) == 0)
			return err_set(err, EINVAL, "the filter ends after \"%s\": something must follow", last);
	if (open != 0)
		return err_set(err, EINVAL, "a \"%c\" is missing in the filter", open > 0 ? ')' : '(');
	return err_set(err, EINVAL, "syntax error in the filter \"%.120s\"", text);
}
