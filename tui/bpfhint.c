/* Looks at a filter word by word with the keywords of pcap-filter(7): the first word that is neither one of them, nor a value where a
 * value belongs, is the wrong one. A guess for the eye only; libpcap decides what is valid. */
#include "tui/bpfhint.h"

#include "core/fd.h"
#include "core/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum word_kind {
	WORD_UNKNOWN,
	WORD_KEYWORD, /* may stand alone: tcp, arp, broadcast */
	WORD_ASKS, /* wants a value: port, host, net */
	WORD_JOINS, /* wants another condition: and, or, not, src */
};

static const struct {
	const char *word;
	enum word_kind kind;
} words[] = {
	{ "and", WORD_JOINS }, { "or", WORD_JOINS }, { "not", WORD_JOINS }, { "src", WORD_JOINS }, { "dst", WORD_JOINS },
	{ "host", WORD_ASKS }, { "net", WORD_ASKS }, { "port", WORD_ASKS }, { "portrange", WORD_ASKS }, { "proto", WORD_ASKS },
	{ "mask", WORD_ASKS }, { "less", WORD_ASKS }, { "greater", WORD_ASKS }, { "gateway", WORD_ASKS }, { "len", WORD_KEYWORD },
	{ "protochain", WORD_ASKS }, { "ifname", WORD_ASKS }, { "type", WORD_ASKS }, { "subtype", WORD_ASKS },
	{ "tcp", WORD_KEYWORD }, { "udp", WORD_KEYWORD }, { "icmp", WORD_KEYWORD }, { "icmp6", WORD_KEYWORD },
	{ "ip", WORD_KEYWORD }, { "ip6", WORD_KEYWORD }, { "arp", WORD_KEYWORD }, { "rarp", WORD_KEYWORD },
	{ "ether", WORD_KEYWORD }, { "vlan", WORD_KEYWORD }, { "mpls", WORD_KEYWORD }, { "sctp", WORD_KEYWORD },
	{ "igmp", WORD_KEYWORD }, { "broadcast", WORD_KEYWORD }, { "multicast", WORD_KEYWORD }, { "inbound", WORD_KEYWORD },
	{ "outbound", WORD_KEYWORD }, { "pppoes", WORD_KEYWORD }, { "stp", WORD_KEYWORD }, { "esp", WORD_KEYWORD },
	{ "ah", WORD_KEYWORD }, { "link", WORD_KEYWORD }, { "addr", WORD_KEYWORD }, { "geneve", WORD_KEYWORD },
};

static enum word_kind kind_of(struct text w)
{
	for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
		if (strlen(words[i].word) == w.n && strncasecmp(words[i].word, w.p, w.n) == 0)
			return words[i].kind;
	}
	return WORD_UNKNOWN;
}

/* Part of a word that could be a keyword: "tcp[tcpflags]" is about "tcp". */
static size_t letters(const char *p)
{
	size_t n = 0;

	while (isalnum((unsigned char)p[n]) || p[n] == '-' || p[n] == '_' || p[n] == '.' || p[n] == ':' || p[n] == '/')
		n++;
	return n;
}

static bool looks_like_value(struct text w)
{
	bool only_hex = true, mark = false;

	if (w.n > 0 && isdigit((unsigned char)w.p[0]))
		return true;
	for (size_t i = 0; i < w.n; i++) {
		mark |= w.p[i] == ':' || w.p[i] == '.' || w.p[i] == '/';
		only_hex &= isxdigit((unsigned char)w.p[i]) || w.p[i] == ':';
	}
	return mark || (only_hex && w.n > 2 && mark);
}

/* Levenshtein distance, for words up to 15 letters. */
static unsigned distance(struct text a, struct text b)
{
	unsigned row[16];

	if (a.n > 15 || b.n > 15)
		return 99;
	for (unsigned j = 0; j <= b.n; j++)
		row[j] = j;
	for (unsigned i = 1; i <= a.n; i++) {
		unsigned corner = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= b.n; j++) {
			unsigned up = row[j], best = corner + (tolower((unsigned char)a.p[i - 1]) != b.p[j - 1]);

			if (up + 1 < best)
				best = up + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			corner = up;
			row[j] = best;
		}
	}
	return row[b.n];
}

static const char *nearest(struct text w)
{
	const char *best = NULL;
	unsigned least = w.n > 3 ? 3 : 2;

	for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
		unsigned d = distance(w, text_of(words[i].word));

		if (d >= least)
			continue;
		least = d;
		best = words[i].word;
	}
	return best;
}

struct scan {
	const char *wrong; /* NULL: none found */
	struct text word;
	enum word_kind last;
};

/* Inside [] stand expressions with names of their own (tcpflags, tcp-syn): not looked at. */
static struct scan scan_words(const char *text)
{
	struct scan s = { .last = WORD_JOINS };
	int brackets = 0;
	bool compared = false; /* after = & < >: a value may be a name such as tcp-syn */

	for (const char *p = text; *p;) {
		size_t n = letters(p);
		struct text w = { p, n };
		enum word_kind kind = n ? kind_of(w) : WORD_UNKNOWN;

		if (n == 0) {
			brackets += *p == '[' ? 1 : *p == ']' ? -1 : 0;
			if (strchr("=&<>|!+*", *p)) {
				compared = true;
				s.last = *p == '!' || *p == '&' || *p == '|' ? WORD_JOINS : WORD_ASKS;
			} else if (*p == ')' || *p == ']') {
				s.last = WORD_KEYWORD;
			}
			p++;
			continue;
		}
		if (kind == WORD_UNKNOWN && s.last != WORD_ASKS && brackets == 0 && !compared && !looks_like_value(w)) {
			s.wrong = p;
			s.word = w;
			return s;
		}
		compared = false;
		s.last = kind == WORD_UNKNOWN ? WORD_KEYWORD : kind;
		p += n;
	}
	return s;
}

/* A word that libpcap names, "unknown host 'web'" or "unknown port http2", as it stands in the text; NULL: none. */
static const char *named_word(const char *text, const char *why)
{
	const char *best = NULL;
	size_t longest = 1;

	for (const char *p = text; *p;) {
		size_t n = letters(p);
		const char *found = why;
		struct text w = { p, n };

		if (n == 0) {
			p++;
			continue;
		}
		while (n > longest && kind_of(w) == WORD_UNKNOWN && (found = strcasestr(found, "'")) != NULL) {
			if (strncmp(++found, p, n) == 0 && found[n] == '\'') {
				best = p;
				longest = n;
			}
		}
		p += n;
	}
	return best;
}

size_t bpfhint_locate(const char *text, const char *why, char *ret_sentence, size_t cap)
{
	struct scan s = scan_words(text);
	const char *named = named_word(text, why), *meant;
	const char *colon = strstr(why, "expression: ");

	if (colon)
		why = colon + strlen("expression: ");
	if (named) {
		snprintf(ret_sentence, cap, "%s", why);
		return (size_t)(named - text);
	}
	if (s.wrong) {
		meant = nearest(s.word);
		snprintf(ret_sentence, cap, "%s near \"%.*s\"%s%s%s", why, (int)s.word.n, s.word.p,
			meant ? "; did you mean \"" : "", meant ? meant : "", meant ? "\"?" : "");
		return (size_t)(s.wrong - text);
	}
	if (s.last == WORD_ASKS || s.last == WORD_JOINS)
		snprintf(ret_sentence, cap, "%s", s.last == WORD_ASKS ? "a value comes next" : "a condition comes next");
	else
		snprintf(ret_sentence, cap, "%s", why);
	return strlen(text);
}
