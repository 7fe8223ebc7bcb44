/*
 * The command line: what all commands share. A command opens workers through the session, gets blocks, and prints them; problems
 * go to standard error as one sentence and into the document's errors[], and decide the exit status.
 */
#ifndef NSDBG_TUI_CLI_H
#define NSDBG_TUI_CLI_H

#include "core/block.h"
#include "core/engine/places.h"
#include "core/session.h"
#include "core/target.h"
#include "tui/options.h"
#include "tui/writer.h"

struct config;
struct cli_engines;
struct err;

enum cli_status { /* ux.md 3.3 */
	CLI_OK = 0,
	CLI_NO = 1,
	CLI_USAGE = 2,
	CLI_NO_TARGET = 3,
	CLI_NOT_PERMITTED = 4,
	CLI_NO_ENGINE = 5,
	CLI_TIMEOUT = 6,
	CLI_PARTIAL = 7,
	CLI_INTERNAL = 10,
	CLI_INTERRUPTED = 130,
};

enum { CLI_MAX_ERRORS = 64 };

struct cli {
	const struct options *o;
	struct session *session;
	struct engine_places places; /* engines to ask */
	enum cli_status engine_status; /* how a failing engine would end us */
	struct block *targets; /* from cli_targets */
	struct block *networks; /* NULL: no engine answered */
	struct block *engines;
	struct config *config; /* for the screen */
	int tty; /* the terminal without waiting, for the screen */
	const struct target_row *target; /* from cli_target; NULL: named by pid or path */
	struct target_ref ref;
	/* what is still on its way while a worker looks into the target already: see cli_complete */
	struct cli_engines *asked;
	struct link *scan;
	struct block *netns; /* of the scan */
	struct block *bundles; /* names from files, for those that no engine named */
	struct link *walk;
	struct block *holders; /* of the walk over descriptors; NULL: not asked */
	int names_fd; /* file of names, opened by cli_names_open; -1 none */
	char host[65];
	int64_t time_ns;
	int out; /* standard output */
	struct writer_error errors[CLI_MAX_ERRORS];
	size_t n_errors;
	enum cli_status status; /* the gravest so far */
};

/* Runs the command of `o`; returns the exit status. */
int cli_main(const struct options *o);

/* --- for the commands --- */

/* Prints one sentence and remembers it for errors[]; the first grave status stays, CLI_PARTIAL gives way to others. */
void cli_error(struct cli *c, enum cli_status status, int code, const char *msg);
void cli_error_err(struct cli *c, enum cli_status status, const struct err *err);
/* The status that an errno means when nothing better is known. */
enum cli_status cli_status_of(int code);
/* Notes and losses of a block make the result partial. */
void cli_notes(struct cli *c, const struct block *b);

/* Lists containers, namespaces, networks, engines: whole. False: nothing to go on with (a named engine failed). */
bool cli_targets(struct cli *c);
enum cli_wants {
	CLI_WANTS_REF, /* only c->ref: the engine is asked for this one container */
	CLI_WANTS_ENGINE, /* as CLI_WANTS_REF, and the engine's word is enough: /proc is read only when it knows no such container */
	CLI_WANTS_NAMES, /* all targets, in the end, to name addresses with; for pid:, netns: and host there are none: /proc is not read */
	CLI_WANTS_SCAN, /* as CLI_WANTS_NAMES, and for those as well: who else is there is part of the answer */
};
/* Finds words[0] the shortest way. False: not found, said why. Only c->ref holds then; the rest comes by cli_complete. */
bool cli_find(struct cli *c, enum cli_wants wants);
/* Waits for what cli_find left under way: c->targets, and c->target for the head of JSON. cli_print does so by itself. */
void cli_complete(struct cli *c);
/* Both, with CLI_WANTS_NAMES: for those who need c->targets at once. */
bool cli_target(struct cli *c);
/* For netns:NAME: false, and said, when there is no such file. One that we may not look at is left to the worker. */
bool cli_path_is_there(struct cli *c);
/* Finds a target in the list that cli_targets made: fills target and ref. */
bool cli_target_find(struct cli *c, const char *word);

/* Another target than words[0], where an address would do as well, in the whole list; *ret_row NULL: the list does not have it. False: said why. */
bool cli_other(struct cli *c, const char *word, const struct target_row **ret_row, struct target_ref *ret);

/* nsdbg ip T path WORD: is the word a destination, rather than a filter? And which address is it? False: said why. cli_way.c */
bool cli_way_is_destination(const char *word);
bool cli_way_to(struct cli *c, const char *word, struct addr *ret);

/* Starts a worker for each engine that is there; never NULL. `places` must stay as they are until the end. only: the container to look
 * for first (NULL: none), rest: and then all. In all of these NULL stands for no engines. */
struct cli_engines *cli_engines_open(struct cli *c, const char *only, bool rest);
/* Starts those that were added to `places` behind the first n. */
void cli_engines_add(struct cli_engines *e, unsigned n);
/* Takes answers until all are over, or until each has told its `first` containers; says what failed, and sets networks and engines at
 * the end. False: an engine that the user named does not answer. */
bool cli_engines_read(struct cli_engines *e, bool first);
bool cli_engines_under_way(const struct cli_engines *e);
/* The containers told so far, one block an engine, lent; room for ENGINE_PLACES. */
unsigned cli_engines_targets(const struct cli_engines *e, const struct block **ret);
void cli_engines_free(struct cli_engines *e);

/* Waits until `deadline` (loop_now_ms) for a block of `type`; 0 with a block that the caller owns, or -errno with the sentence. */
int cli_wait(struct cli *c, struct link *l, const struct row_type *type, uint64_t deadline, struct block **ret, struct err *err);
uint64_t cli_deadline(const struct cli *c);

/* SIGINT, SIGTERM and SIGHUP as a descriptor to poll, or -1 with errno: for commands that run until they are told to stop. */
int cli_signals(void);
/* The target's resolver files (file_row), NULL when they cannot be read, which was said then. */
struct block *cli_read_files(struct cli *c);

struct cli_print {
	const struct row_type *type;
	struct block *block; /* NULL: no rows */
	unsigned first_word; /* filter words start here */
	const char *filter; /* further filter words */
	bool (*keep)(const struct block *b, const void *row, void *arg);
	void *arg;
	const char *columns; /* unless --columns */
	bool record; /* one below the other instead of a table */
	bool tree; /* indented by depth */
	bool noted; /* the block's notes were said already */
};

/* Are the filter words, --sort and --columns right? False: said why. Before any work is done for them. */
bool cli_check(struct cli *c, const struct cli_print *p);
/* Filters, sorts and writes rows. */
void cli_print(struct cli *c, const struct cli_print *p);

void cli_writer_options(const struct cli *c, struct writer_options *ret);

/* --- the commands --- */

void cli_ls(struct cli *c);
void cli_networks(struct cli *c);
void cli_engines(struct cli *c);
void cli_show(struct cli *c);
void cli_doctor(struct cli *c);
void cli_health(struct cli *c);
void cli_ss(struct cli *c);
void cli_ps(struct cli *c);
void cli_files(struct cli *c);
void cli_hostaliases(struct cli *c);
extern const struct row_type cli_alias_row_type;
void cli_cap(struct cli *c);
void cli_dns(struct cli *c);
struct dns_request;
/* dns --compare: `own` is what the target gets for `asked`, `files` (may be NULL) its resolver files. */
void cli_compare(struct cli *c, const struct dns_request *asked, const struct block *files, const struct block *own);
void cli_ip(struct cli *c);
void cli_ports(struct cli *c);
void cli_probe(struct cli *c);
void cli_dnswatch(struct cli *c); /* dns --watch */
void cli_netns(struct cli *c);
void cli_exec(struct cli *c);
void cli_fields(struct cli *c);

/* The manual page as scdoc(5) source, from the tables of commands and fields. */
void cli_manual(FILE *out);
/* All kinds of rows that commands print. */
const struct row_type *const *cli_row_types(unsigned *ret_n);

#endif
