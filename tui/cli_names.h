/* Many names asked from inside the target, for the commands that do so. */
#ifndef NSDBG_TUI_CLI_NAMES_H
#define NSDBG_TUI_CLI_NAMES_H

#include "core/dns/ask.h"
#include "tui/cli.h"
#include "tui/dns_words.h"

struct cli_names {
	struct link *worker; /* of dns_source */
	const struct dns_words *words;
	const struct dns_request *as; /* servers, search list and options for all */
	const struct block *files; /* the target's; NULL: none answers for a name */
	void (*each)(struct cli *c, struct block *rows, void *arg); /* answers as they come; NULL: only at the end */
	void *arg;
};

/* Rows of all names in the order of the names, with position and asked. What could not be asked is said and left out; NULL: nothing
 * came at all. */
struct block *cli_names_ask(struct cli *c, const struct cli_names *n);

/* The file of names that the user gave: with the rights that the real user has. Before session_start for root, whose rights go then. */
void cli_names_open(struct cli *c);
/* Reads it to its end into *w; false: said why. */
bool cli_names_read(struct cli *c, struct dns_words *w);

#endif
