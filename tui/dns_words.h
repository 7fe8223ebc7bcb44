/*
 * What a command line about names asks for: names with their record types, from words and from a file, and how to ask. Knows the
 * grammar only; nothing is asked here.
 */
#ifndef NSDBG_TUI_DNS_WORDS_H
#define NSDBG_TUI_DNS_WORDS_H

#include "core/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct options;

enum { DNS_WORDS_TYPES = 4 };

struct dns_word {
	char *name; /* or the address whose name is wanted, with type PTR */
	uint16_t types[DNS_WORDS_TYPES]; /* 0 ends; never empty */
};

struct dns_words {
	struct dns_word *names;
	size_t n_names, cap;
	bool is_list; /* several names, or a file of them */
	struct addr server;
	bool has_server;
	bool is_short, is_trace; /* +short, +trace */
	uint32_t flags; /* DNS_* of core/dns/ask.h */
	uint16_t types[DNS_WORDS_TYPES]; /* of those that name none */
};

/* Reads o->words from the second on, and -x. 0 or -EINVAL with a sentence. Names may still be none when o->names says a file. */
int dns_words_parse(const struct options *o, struct dns_words *ret, struct err *err);

/* All words from the second on are names of hosts, also those that look like types: "mx". The same errors. */
int dns_words_hosts(const struct options *o, struct dns_words *ret, struct err *err);

/* Adds the names of a file: a line "NAME [TYPE...]" or "-x ADDRESS"; empty lines and those that begin with # or ; say nothing. Types
 * of the command line hold where a line has none. 0, -EINVAL or -E2BIG with a sentence that has `file` and the line. */
int dns_words_file(struct dns_words *w, const char *bytes, size_t n, const char *file, struct err *err);

/* Every name ends in a dot, is an address, or is not to be searched for: nothing of the target's files is needed to ask it. */
bool dns_words_are_absolute(const struct dns_words *w);

void dns_words_done(struct dns_words *w);

#endif
