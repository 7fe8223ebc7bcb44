/*
 * The command line's grammar: one const table of commands and options is the source of the parser, --help, `help CMD`, completion
 * and the manual. Parsing knows nothing about what commands do.
 */
#ifndef NSDBG_TUI_OPTIONS_H
#define NSDBG_TUI_OPTIONS_H

#include "tui/writer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct err;

enum command_id {
	COMMAND_APP, /* no command: the screen, or the list without a terminal */
	COMMAND_LS,
	COMMAND_NETWORKS,
	COMMAND_ENGINES,
	COMMAND_SHOW,
	COMMAND_HEALTH,
	COMMAND_DOCTOR,
	COMMAND_SS,
	COMMAND_PS,
	COMMAND_CAP,
	COMMAND_DNS,
	COMMAND_PROBE,
	COMMAND_FILES,
	COMMAND_HOSTALIASES,
	COMMAND_IP,
	COMMAND_PORTS,
	COMMAND_NETNS,
	COMMAND_EXEC,
	COMMAND_FIELDS,
	COMMAND_COMPLETION,
	COMMAND_HELP,
	COMMAND_VERSION,
	COMMAND_N,
};

enum color_when { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

enum options_by { OPTIONS_BY_QUESTION, OPTIONS_BY_NAME, OPTIONS_BY_SEARCH };

enum options_file { OPTIONS_FILE_AUTO, OPTIONS_FILE_PCAPNG, OPTIONS_FILE_PCAP };

enum { OPTIONS_MAX_WORDS = 64 };

/* Values of an option that may be given again and again. */
struct option_list {
	const char *items[OPTIONS_MAX_WORDS];
	unsigned n;
};

/* All options of all commands; what was not given is 0, NULL or the value in options_init. */
struct options {
	enum command_id command;
	/* global */
	uint32_t format; /* enum writer_format */
	bool json;
	bool no_header;
	const char *columns;
	const char *sort;
	bool utc;
	uint64_t timeout_ms;
	uint32_t color; /* enum color_when */
	bool ascii;
	const char *docker_host;
	const char *config;
	const char *podman_host;
	const char *containerd_host;
	const char *runtime;
	bool numbers;
	bool ignored; /* letters of other tools that ask for what we do anyway */
	bool help;
	bool version;
	bool print_keys;
	bool print_manual;
	/* ls */
	bool all;
	bool quiet;
	bool no_trunc;
	const char *filter;
	/* ss */
	bool tcp;
	bool udp;
	bool raw;
	bool unix_sockets;
	bool listening;
	bool ip4;
	bool ip6;
	/* ps */
	bool tree;
	/* cap */
	const char *interface;
	const char *file;
	uint64_t count;
	uint64_t snaplen;
	uint64_t for_ms;
	bool force;
	uint32_t file_format; /* enum options_file */
	bool verbose;
	bool promiscuous;
	/* dns */
	const char *reverse;
	const char *names; /* file */
	const char *domain; /* hostaliases */
	bool hosts;
	uint64_t port;
	/* probe; also count, ip4, ip6, tcp, verbose */
	uint64_t interval_ms;
	uint64_t size;
	uint64_t hops;
	bool insecure;
	bool icmp;
	const char *send;
	const char *cacert;
	bool watch;
	uint32_t by; /* enum options_by */
	/* netns */
	const char *name;
	uint32_t libc; /* enum dns_libc */
	bool compare;
	/* exec */
	bool ns_net, ns_mnt, ns_pid, ns_uts, ns_ipc, ns_user, ns_cgroup, ns_time; /* nsenter's letters; --all is `all` */
	const char *ns;
	bool root;
	bool proc;
	bool no_files;
	const char *directory;
	const char *uid;
	const char *gid;
	const char *caps;
	struct option_list env;
	char *const *tail; /* the command: all that follows the target */
	unsigned n_tail;
	char *const *environment; /* as nsdbg was started with; main's, NULL in tests */
	/* what is left, in order; the command itself is not among them */
	const char *words[OPTIONS_MAX_WORDS];
	unsigned n_words;
};

enum option_kind {
	OPTION_FLAG, /* bool */
	OPTION_TEXT, /* const char * */
	OPTION_NUMBER, /* uint64_t */
	OPTION_TIME, /* uint64_t milliseconds: 500ms, 5s, 2m; a plain number is seconds */
	OPTION_CHOICE, /* uint32_t, index of choices */
	OPTION_LIST, /* struct option_list: each time one more */
};

struct option_def {
	char letter; /* 0: none */
	const char *name; /* NULL: only a letter */
	const char *value; /* placeholder, "FILE" */
	const char *help;
	enum option_kind kind;
	size_t offset; /* into struct options */
	const char *const *choices;
	uint32_t n_choices;
	uint64_t min; /* OPTION_NUMBER */
	bool hidden;
	bool no_variable; /* not from the environment */
};

struct command_def {
	const char *name;
	const char *args; /* "TARGET [FILTER...]" */
	const char *help; /* one line */
	const char *more; /* paragraphs and examples for `help CMD` */
	const struct option_def *options;
	unsigned n_options;
	unsigned min_words;
	unsigned max_words;
};

extern const struct command_def options_commands[COMMAND_N];
const struct option_def *options_globals(unsigned *ret_n);

/* 0, or -EINVAL with a sentence that names the nearest option or command: exit status 2. *ret points into argv. */
int options_parse(int argc, char *const *argv, struct options *ret, struct err *err);

/* Overview, or one command's page with its fields. */
void options_help(FILE *out, enum command_id command);

/* The script that makes bash complete commands, options, their choices and targets. */
void options_completion(FILE *out);

/* COMMAND_N: no such command. */
enum command_id options_command_find(const char *name);

/* The word of the table nearest to `text`, NULL when none is near: for "did you mean". */
const char *options_nearest_command(const char *text);

#endif
