/* What all commands share: the session, targets, errors, printing. See cli.h. */
#include "tui/cli.h"

#include "capture/capture.h"
#include "capture/dnswatch.h"
#include "core/dns/ask.h"
#include "core/engine/bundle.h"
#include "core/engine/containerd.h"
#include "core/engine/docker.h"
#include "core/engine/mover.h"
#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"
#include "core/source/changes.h"
#include "core/source/doctor.h"
#include "core/net/port_holders.h"
#include "core/net/listeners.h"
#include "core/net/nat.h"
#include "core/net/sides.h"
#include "core/net/walk.h"
#include "core/net/sysctl.h"
#include "core/source/files.h"
#include "core/source/health.h"
#include "core/source/holders.h"
#include "core/source/namespaces.h"
#include "core/source/netnames.h"
#include "core/source/probe.h"
#include "core/source/processes.h"
#include "core/source/sockets.h"
#include "core/table.h"
#include "tui/app.h"
#include "tui/cli_names.h"
#include "tui/config.h"

#include <errno.h>
#include <langinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { MAX_WAIT_MS = 60000, BUNDLES_MS = 700 };

static const struct source *const sources[] = {
	&docker_source,
	&containerd_source,
	&namespaces_source,
	&changes_source,
	&bundle_source,
	&holders_source,
	&sockets_source,
	&owners_source,
	&processes_source,
	&files_source,
	&netnames_source,
	&dns_source,
	&capture_source,
	&health_source,
	&doctor_source,
	&net_source,
	&net_sides_source,
	&net_walk_source,
	&net_sysctl_source,
	&net_listeners_source,
	&net_holders_source,
	&nat_source,
	&probe_source,
	&dnswatch_source,
};

/* --- errors --- */

enum cli_status cli_status_of(int code)
{
	switch (code) {
	case 0:
		return CLI_PARTIAL;
	case EACCES:
	case EPERM:
	case EROFS:
		return CLI_NOT_PERMITTED;
	case ESRCH:
	case ENOTUNIQ:
		return CLI_NO_TARGET;
	case ETIMEDOUT:
		return CLI_TIMEOUT;
	case EINVAL:
	case EEXIST:
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case ELOOP:
	case ENAMETOOLONG:
	case ENODEV:
	case ENXIO:
		return CLI_USAGE;
	default:
		return CLI_INTERNAL;
	}
}

/* Sentences with a remedy say all; "open /x" needs the reason behind it. */
static bool wants_reason(int code, const char *msg)
{
	static const int complete[] = { 0, EINVAL, ESRCH, ENOTUNIQ, EEXIST, EBADMSG, ETIMEDOUT, EPIPE, E2BIG, ENAMETOOLONG, ECHILD,
		ENODEV };

	for (size_t i = 0; i < ARRAY_LEN(complete); i++)
		if (code == complete[i])
			return false;
	return !strchr(msg, ';') && !strstr(msg, "needs ") && !strstr(msg, ": ") && !strcasestr(msg, strerror(code));
}

static bool is_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

void cli_error(struct cli *c, enum cli_status status, int code, const char *msg)
{
	char whole[512], clean[1024];

	snprintf(whole, sizeof whole, "%s%s%s", msg, wants_reason(code, msg) ? ": " : "", wants_reason(code, msg) ? strerror(code) : "");
	text_clean(clean, sizeof clean, text_of(whole), c->o->ascii || !is_utf8() ? TEXT_ASCII : TEXT_UTF8);
	fprintf(stderr, "nsdbg: %s\n", clean);
	if (c->n_errors < CLI_MAX_ERRORS)
		c->errors[c->n_errors++] = (struct writer_error){ .code = code, .message = strdup(whole) };
	if (c->status == CLI_OK || (c->status == CLI_PARTIAL && status != CLI_OK))
		c->status = status;
}

void cli_error_err(struct cli *c, enum cli_status status, const struct err *err)
{
	cli_error(c, status, err->code, err->msg[0] ? err->msg : "failed");
}

void cli_notes(struct cli *c, const struct block *b)
{
	char msg[320];

	for (uint32_t i = 0; b && i < block_notes(b); i++) {
		int code = 0;
		struct text t = block_note(b, i, &code);

		snprintf(msg, sizeof msg, "%.*s", (int)t.n, t.p ? t.p : "");
		cli_error(c, CLI_PARTIAL, code, msg);
	}
	if (b && block_lost(b) > 0) {
		snprintf(msg, sizeof msg, "%llu %s more than fit were left out", (unsigned long long)block_lost(b), block_type(b)->noun);
		cli_error(c, CLI_PARTIAL, 0, msg);
	}
}

/* --- waiting --- */

uint64_t cli_deadline(const struct cli *c)
{
	return loop_now_ms() + c->o->timeout_ms;
}

int cli_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* One event, or LINK_NOTHING at the deadline; signals do not shorten the wait. */
static void wait_event(struct link *l, uint64_t deadline, struct link_event *ret)
{
	for (;;) {
		uint64_t now = loop_now_ms();

		link_wait(l, now >= deadline ? 0 : deadline - now < MAX_WAIT_MS ? (int)(deadline - now) : MAX_WAIT_MS, ret);
		if (ret->type != LINK_NOTHING || loop_now_ms() >= deadline)
			return;
	}
}

int cli_wait(struct cli *c, struct link *l, const struct row_type *type, uint64_t deadline, struct block **ret, struct err *err)
{
	struct link_event ev;

	(void)c;
	for (;;) {
		wait_event(l, deadline, &ev);
		switch (ev.type) {
		case LINK_NOTHING:
			return err_set(err, ETIMEDOUT, "no %s within the time limit (--timeout)", type->noun);
		case LINK_ERROR:
			return err_set(err, ev.code, "%s", ev.msg);
		case LINK_GONE:
			return err_set(err, ESRCH, "the target's process has ended");
		case LINK_CLOSED:
			return err_set(err, EPIPE, "the worker that reads %s %s", type->noun, ev.msg[0] ? ev.msg : "has ended");
		case LINK_BLOCK:
			if (ev.row_type == type) {
				*ret = ev.block;
				return 0;
			}
			block_unref(ev.block);
			break;
		case LINK_READY:
			break;
		}
	}
}

/* --- targets --- */

/* A target that is named by its pid or file needs no engine, and must work while one hangs. */
static bool engine_matters(const struct cli *c)
{
	if (c->o->command == COMMAND_LS || c->o->command == COMMAND_NETWORKS || c->o->command == COMMAND_ENGINES ||
		c->o->command == COMMAND_HEALTH || c->o->command == COMMAND_APP)
		return true;
	return c->o->n_words == 0 || !target_is_kernel(c->o->words[0]);
}

static void merge_targets(struct cli *c)
{
	const struct block *told[ENGINE_PLACES];
	unsigned n = cli_engines_targets(c->asked, told);

	block_unref(c->targets);
	c->targets = target_merge(told, n, &(struct target_seen){ .netns = c->netns, .holders = c->holders, .bundles = c->bundles });
	c->target = NULL; /* it was a row of the old list */
}

static void open_scan(struct cli *c)
{
	struct err err = { 0 };

	c->scan = session_open(c->session, &namespaces_source, NULL, NULL, 0, &err);
	if (!c->scan)
		cli_error_err(c, CLI_PARTIAL, &err);
}

static void read_scan(struct cli *c)
{
	struct err err = { 0 };

	if (c->scan && cli_wait(c, c->scan, &netns_row_type, cli_deadline(c), &c->netns, &err) < 0)
		cli_error_err(c, CLI_PARTIAL, &err);
	link_free(c->scan);
	c->scan = NULL;
}

/* As the list calls a namespace of which only the number is known. */
static bool may_be_held(const char *word)
{
	return strncmp(word, "netns-", 6) == 0 || strncmp(word, "ns:", 3) == 0;
}

/* The walk over all descriptors: for the list, and for a target that nothing else knows. */
static void open_holders(struct cli *c)
{
	struct err err = { 0 };

	c->walk = session_open(c->session, &holders_source, NULL, NULL, 0, &err);
	if (!c->walk)
		cli_error_err(c, CLI_PARTIAL, &err);
}

static void read_holders(struct cli *c)
{
	struct err err = { 0 };

	if (c->walk && cli_wait(c, c->walk, &holder_row_type, cli_deadline(c), &c->holders, &err) < 0)
		cli_error_err(c, CLI_PARTIAL, &err);
	link_free(c->walk);
	c->walk = NULL;
}

/* All at the same time. `only`: the container to look for first, NULL none; `rest`: and then all. */
static void open_lists(struct cli *c, const char *only, bool rest)
{
	if (engine_matters(c))
		c->asked = cli_engines_open(c, only, rest);
	open_scan(c);
}

/* Engines that only the scan showed. False: an engine that the user named failed. */
static bool ask_found(struct cli *c)
{
	unsigned n = c->places.n;

	if (!c->asked || engine_places_from_scan(&c->places, c->netns) == 0)
		return true;
	cli_engines_add(c->asked, n);
	return cli_engines_read(c->asked, false);
}

/* Names from files for containers that no engine named. True: there were some to look for. Late ones stay without. */
static bool name_found(struct cli *c)
{
	AUTO(fd_closep) int fd = bundle_list(c->targets);
	struct err err = { 0 };
	struct link *l = fd < 0 ? NULL : session_open(c->session, &bundle_source, NULL, NULL, 0, &err);
	uint64_t end = loop_now_ms() + BUNDLES_MS;
	struct block *b = NULL;

	if (!l)
		return false;
	if (link_request(l, 1, BUNDLE_LOOK, NULL, 0, fd) == 0)
		for (int i = 0; i < BUNDLE_BLOCKS && cli_wait(c, l, &bundle_row_type, end, &b, &err) == 0; i++) {
			block_unref(c->bundles);
			c->bundles = b;
		}
	link_free(l);
	merge_targets(c);
	return true;
}

static bool is_list(const struct cli *c)
{
	return c->o->command == COMMAND_LS || c->o->command == COMMAND_APP || c->o->command == COMMAND_HEALTH;
}

/* The walk costs more than all the rest of the list: it has to be asked for. */
static bool wants_holders(const struct cli *c)
{
	return (c->o->command == COMMAND_LS && c->o->all) || (c->o->command == COMMAND_SHOW && may_be_held(c->o->words[0]));
}

bool cli_targets(struct cli *c)
{
	bool good;

	open_lists(c, NULL, false);
	if (wants_holders(c))
		open_holders(c);
	good = cli_engines_read(c->asked, false) || c->o->command == COMMAND_ENGINES;
	read_scan(c);
	good &= ask_found(c);
	read_holders(c);
	merge_targets(c);
	name_found(c);
	/* What the scan could not see matters where it is the list. With all rights it is a process that nobody may look at. */
	if (is_list(c) && !session_is_privileged(c->session))
		cli_notes(c, c->netns);
	cli_notes(c, c->holders);
	return good;
}

bool cli_path_is_there(struct cli *c)
{
	char msg[320];

	if (c->ref.kind != TARGET_PATH || access(c->ref.path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR))
		return true;
	snprintf(msg, sizeof msg, "no network namespace at %s: nsdbg ls lists what is there", c->ref.path);
	cli_error(c, CLI_NO_TARGET, ENOENT, msg);
	return false;
}

static bool not_found(struct cli *c, int r, const struct err *err)
{
	enum cli_status status = r == -EACCES || r == -EPERM ? CLI_NOT_PERMITTED : CLI_NO_TARGET;

	if (r == -ENOENT && c->engine_status)
		status = c->engine_status; /* it may well exist */
	cli_error(c, status, err->code == ENOENT ? 0 : err->code, err->msg);
	return false;
}

/* 0, or why `word` is none of the targets that are known so far. */
static int resolve_word(struct cli *c, const char *word, struct err *err)
{
	uint32_t row = UINT32_MAX;
	int r = target_resolve(c->targets, word, &row, &c->ref, err);

	if (r == 0)
		c->target = block_row(c->targets, row);
	return r;
}

static int resolve(struct cli *c, struct err *err)
{
	return resolve_word(c, c->o->words[0], err);
}

bool cli_target_find(struct cli *c, const char *word)
{
	struct err err = { 0 };
	int r = resolve_word(c, word, &err);

	return r < 0 ? not_found(c, r, &err) : cli_path_is_there(c);
}

/* A name of ip-netns(8) for a namespace whose row is a container's, under the container's name. `r`: how it went without. */
static int resolve_named(struct cli *c, int r, struct err *err)
{
	const char *word = c->o->words[0];
	char path[320], named[320];

	if (r != -ENOENT || !*word || *word == '.' || strpbrk(word, ":/"))
		return r;
	snprintf(path, sizeof path, "/run/netns/%.255s", word);
	if (access(path, F_OK) < 0)
		return r;
	snprintf(named, sizeof named, "netns:%.255s", word);
	return resolve_word(c, named, err);
}

/* Nothing else knows the word: is it a namespace that only a descriptor, a socket or a thread holds? `r`: how it went without. */
static int resolve_held(struct cli *c, int r, struct err *err)
{
	struct err with = { 0 };
	int again;

	if (r != -ENOENT || c->holders || !may_be_held(c->o->words[0]))
		return r;
	open_holders(c);
	read_holders(c);
	merge_targets(c);
	again = resolve(c, &with);
	if (again != -ENOENT)
		*err = with;
	return again;
}

/* pid:, netns: and host are looked at straight away. What the scan says about them is for the head of JSON, and for names. */
static bool find_kernel(struct cli *c, enum cli_wants wants)
{
	bool is_inode = strncmp(c->o->words[0], "ns:", 3) == 0;
	struct err err = { 0 };
	int r;

	if (is_inode || wants == CLI_WANTS_SCAN || c->o->format == WRITER_JSON)
		open_scan(c);
	if (is_inode) {
		read_scan(c);
		merge_targets(c);
	}
	r = resolve(c, &err);
	r = resolve_held(c, r, &err);
	return r < 0 ? not_found(c, r, &err) : cli_path_is_there(c);
}

/* The part of "docker:web" that an engine can be asked for, or NULL. */
static const char *name_to_ask(const struct cli *c)
{
	const char *word = c->o->words[0], *colon = strchr(word, ':');

	for (unsigned k = 0; k < ENGINE_KIND_N && colon; k++)
		if (strlen(engine_kind_names[k]) == (size_t)(colon - word) && strncmp(word, engine_kind_names[k], (size_t)(colon - word)) == 0)
			return mover_is_name(colon + 1) ? colon + 1 : NULL;
	return mover_is_name(word) ? word : NULL;
}

/*
 * A name: the engine is asked for this one, while /proc is read: that shows whether others than the engine have the name. When it
 * does not fit what the engine says, the whole list decides, as it names what comes near.
 */
static bool find_name(struct cli *c, enum cli_wants wants)
{
	const char *only = name_to_ask(c);
	struct err err = { 0 };
	int r;

	if (wants == CLI_WANTS_ENGINE && only)
		c->asked = cli_engines_open(c, only, false);
	else
		open_lists(c, only, wants >= CLI_WANTS_NAMES);
	if (!cli_engines_read(c->asked, only != NULL))
		return false;
	if (wants == CLI_WANTS_ENGINE && only) {
		merge_targets(c);
		if (resolve(c, &err) == 0)
			return true;
		open_scan(c);
	}
	read_scan(c);
	merge_targets(c);
	r = resolve(c, &err);
	if (r < 0 && cli_engines_under_way(c->asked)) {
		if (!cli_engines_read(c->asked, false))
			return false;
		merge_targets(c);
		r = resolve(c, &err);
	}
	if (r < 0 && ask_found(c)) {
		merge_targets(c);
		r = resolve(c, &err);
	}
	if ((r < 0 || (c->target && c->target->head.flags & TARGET_FOUND)) && name_found(c))
		r = resolve(c, &err);
	r = resolve_named(c, r, &err);
	r = resolve_held(c, r, &err);
	return r < 0 ? not_found(c, r, &err) : true;
}

bool cli_find(struct cli *c, enum cli_wants wants)
{
	return target_is_kernel(c->o->words[0]) ? find_kernel(c, wants) : find_name(c, wants);
}

/* With what was told meanwhile; the target stays. */
static void merge_again(struct cli *c)
{
	struct target_ref ref = c->ref;
	struct err err = { 0 };

	merge_targets(c);
	resolve(c, &err); /* for its row; it may have gone meanwhile */
	c->ref = ref;
}

void cli_complete(struct cli *c)
{
	if (!cli_engines_under_way(c->asked) && !c->scan)
		return;
	cli_engines_read(c->asked, false);
	read_scan(c);
	merge_again(c);
}

bool cli_other(struct cli *c, const char *word, const struct target_row **ret_row, struct target_ref *ret)
{
	uint32_t row = UINT32_MAX;
	struct err err = { 0 };
	int r;

	if (!c->asked && !target_is_kernel(word)) /* words[0] needed none */
		c->asked = cli_engines_open(c, NULL, false);
	cli_complete(c);
	r = target_resolve(c->targets, word, &row, ret, &err);
	if (r == -ENOENT && ask_found(c)) {
		merge_again(c);
		r = target_resolve(c->targets, word, &row, ret, &err);
	}
	*ret_row = row == UINT32_MAX ? NULL : block_row(c->targets, row);
	if (r == -ENOENT && strncmp(err.msg, "no target ", 10) == 0) {
		struct err said = err;
		const char *remedy = strchr(said.msg, ';');

		err_set(&err, ENOENT, "\"%.60s\" is neither an address nor a target%s", word, remedy ? remedy : "");
	}
	return r < 0 ? not_found(c, r, &err) : true;
}

bool cli_target(struct cli *c)
{
	if (!cli_find(c, CLI_WANTS_NAMES))
		return false;
	cli_complete(c);
	return true;
}

/* --- printing --- */

static bool wants_color(const struct cli *c)
{
	const char *off = getenv("NO_COLOR"), *term = getenv("TERM");

	if (c->o->color != COLOR_AUTO)
		return c->o->color == COLOR_ALWAYS;
	return isatty(c->out) && !(off && *off) && term && strcmp(term, "dumb") != 0;
}

void cli_writer_options(const struct cli *c, struct writer_options *ret)
{
	bool terminal = isatty(c->out);
	struct winsize size = { 0 };

	*ret = (struct writer_options){ .format = c->o->format, .columns = c->o->columns, .no_header = c->o->no_header || c->o->quiet,
		.full = c->o->no_trunc, .raw_numbers = c->o->numbers, .utc = c->o->utc, .color = wants_color(c) };
	ret->charset = c->o->ascii || (terminal && !is_utf8()) ? TEXT_ASCII : TEXT_UTF8;
	if (c->o->quiet && !c->o->columns)
		ret->columns = "id";
	if (terminal && !c->o->no_trunc && ioctl(c->out, TIOCGWINSZ, &size) == 0)
		ret->width = size.ws_col;
}

static int set_filter(const struct cli *c, const struct cli_print *p, struct table *t, struct err *err)
{
	char text[1200] = "";
	size_t n = 0;

	if (p->filter)
		n = (size_t)snprintf(text, sizeof text, "%s", p->filter);
	for (unsigned i = p->first_word; i < c->o->n_words && n < sizeof text; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, " %s", c->o->words[i]);
	if (n >= sizeof text)
		return err_set(err, EINVAL, "the filter is too long");
	return table_filter(t, text, NULL, err);
}

static int set_sort(const struct cli *c, struct table *t, const struct row_type *type, struct err *err)
{
	const char *name = c->o->sort;
	bool down = name && name[0] == '-';
	const struct field *f = name ? writer_column_find(type, text_of(name + down)) : NULL;

	if (!name)
		return 0;
	if (!f)
		return err_set(err, EINVAL, "no column \"%.40s\" in %s to sort by: nsdbg fields %s lists them", name + down, type->noun,
			type->name);
	table_sort(t, f, down, false);
	return 0;
}

static int open_writer(const struct cli *c, const struct cli_print *p, struct writer **ret, struct err *err)
{
	struct writer_options o;

	cli_writer_options(c, &o);
	if (!o.columns)
		o.columns = p->columns;
	if (o.format == WRITER_TABLE || o.format == WRITER_WIDE) {
		o.format = p->record ? WRITER_RECORD : o.format;
		o.tree = p->tree;
	}
	return writer_new(&o, p->type, c->out, ret, err);
}

/* Filter, order and columns, as the words and options want them. */
static int prepare(const struct cli *c, const struct cli_print *p, struct table *t, struct writer **ret, struct err *err)
{
	int r = set_filter(c, p, t, err);

	if (r == 0)
		r = set_sort(c, t, p->type, err);
	return r < 0 ? r : open_writer(c, p, ret, err);
}

bool cli_check(struct cli *c, const struct cli_print *p)
{
	struct table *t = table_new(p->type);
	struct writer *w = NULL;
	struct err err = { 0 };
	int r = prepare(c, p, t, &w, &err);

	writer_free(w);
	table_free(t);
	if (r < 0)
		cli_error_err(c, CLI_USAGE, &err);
	return r == 0;
}

static int print(const struct cli *c, const struct table *t, struct writer *w, struct err *err)
{
	int r;

	writer_head(w, c->time_ns, c->host, c->targets, c->target);
	writer_rows(w, t);
	r = writer_end(w, c->errors, c->n_errors);
	return r == -EPIPE ? 0 : r < 0 ? err_set(err, -r, "write to standard output") : 0;
}

void cli_print(struct cli *c, const struct cli_print *p)
{
	struct builder *none = p->block ? NULL : builder_new(p->type);
	AUTO(block_unrefp) struct block *b = p->block ? block_ref(p->block) : builder_block(none);
	struct table *t = table_new(p->type);
	struct writer *w = NULL;
	struct err err = { 0 };
	int r;

	builder_free(none);
	cli_complete(c);
	if (!p->noted)
		cli_notes(c, p->block);
	table_set_keep(t, p->keep, p->arg);
	table_set_block(t, b);
	r = prepare(c, p, t, &w, &err);
	if (r == 0)
		r = print(c, t, w, &err);
	writer_free(w);
	table_free(t);
	if (r < 0)
		cli_error_err(c, r == -EINVAL ? CLI_USAGE : CLI_INTERNAL, &err);
}

/* --- running --- */

/* What the command line says comes before the configuration. */
static void use_settings(const struct cli *c, struct app_options *o)
{
	const struct config *s = c->config;
	bool never = c->o->color == COLOR_NEVER, always = c->o->color == COLOR_ALWAYS;

	if (c->o->color == COLOR_AUTO && s->color) {
		never = strcmp(s->color, "never") == 0;
		always = strcmp(s->color, "always") == 0;
	}
	o->config = c->config;
	o->utc = c->o->utc || s->utc;
	o->every_ms = (unsigned)s->interval_ms;
	o->screen.ascii = c->o->ascii || s->ascii;
	o->screen.no_mouse = s->no_mouse;
	o->screen.tty = c->tty;
	o->screen.color = always ? SCREEN_COLOR_ALWAYS : never ? SCREEN_COLOR_NEVER : SCREEN_COLOR_AUTO;
}

static void run_app(struct cli *c)
{
	struct err err = { 0 };
	struct app_options o = { .places = &c->places, .target = c->o->n_words ? c->o->words[0] : NULL, .utc = c->o->utc };

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		if (c->o->n_words) {
			snprintf(err.msg, sizeof err.msg, "no command \"%.40s\" (nsdbg help lists them), and no terminal for the screen",
				c->o->words[0]);
			cli_error(c, CLI_USAGE, 0, err.msg);
			return;
		}
		cli_ls(c);
		return;
	}
	if (config_read(c->config, &err) < 0) {
		cli_error_err(c, CLI_USAGE, &err);
		return;
	}
	use_settings(c, &o);
	if (app_run(c->session, &o, &err) < 0)
		cli_error_err(c, cli_status_of(err.code), &err);
}

/* Where engines are, before rights are dropped: root's contexts are in root's home. */
static bool find_engines(struct cli *c)
{
	const struct engine_wishes wishes = { .docker = c->o->docker_host, .podman = c->o->podman_host,
		.containerd = c->o->containerd_host, .runtimes = c->o->runtime };
	struct err err = { 0 };
	int r = engine_places_find(&wishes, &c->places, &err);

	if (r < 0)
		cli_error_err(c, r == -EINVAL ? CLI_USAGE : CLI_NO_ENGINE, &err);
	return r == 0;
}

static void (*const commands[COMMAND_N])(struct cli *c) = {
	[COMMAND_APP] = run_app,
	[COMMAND_LS] = cli_ls,
	[COMMAND_NETWORKS] = cli_networks,
	[COMMAND_ENGINES] = cli_engines,
	[COMMAND_SHOW] = cli_show,
	[COMMAND_HEALTH] = cli_health,
	[COMMAND_DOCTOR] = cli_doctor,
	[COMMAND_SS] = cli_ss,
	[COMMAND_PS] = cli_ps,
	[COMMAND_CAP] = cli_cap,
	[COMMAND_DNS] = cli_dns,
	[COMMAND_PROBE] = cli_probe,
	[COMMAND_FILES] = cli_files,
	[COMMAND_HOSTALIASES] = cli_hostaliases,
	[COMMAND_IP] = cli_ip,
	[COMMAND_PORTS] = cli_ports,
	[COMMAND_NETNS] = cli_netns,
	[COMMAND_EXEC] = cli_exec,
	[COMMAND_FIELDS] = cli_fields,
};

static void run(struct cli *c)
{
	struct err err = { 0 };

	if (c->o->command == COMMAND_FIELDS) {
		cli_fields(c);
		return;
	}
	if (!find_engines(c))
		return;
	if (!getenv("SUDO_UID")) /* with it the session becomes that user, and the file is opened as he may */
		cli_names_open(c);
	if (c->o->command == COMMAND_APP) {
		c->config = config_new(c->o->config);
		c->tty = screen_reopen();
	}
	if (session_start(sources, ARRAY_LEN(sources), &c->session, &err) < 0) {
		cli_error_err(c, cli_status_of(err.code), &err);
		return;
	}
	commands[c->o->command](c);
	cli_engines_free(c->asked);
	link_free(c->scan);
	link_free(c->walk);
	session_stop(c->session);
	config_free(c->config);
}

/* What was printed by hand has arrived; a reader that left early is no error. */
static int printed(void)
{
	if ((fflush(stdout) == 0 && !ferror(stdout)) || errno == EPIPE)
		return CLI_OK;
	fprintf(stderr, "nsdbg: write to standard output: %s\n", strerror(errno));
	return CLI_INTERNAL;
}

static int help(const struct options *o)
{
	enum command_id id = o->command;

	if (o->command == COMMAND_HELP && o->n_words)
		id = options_command_find(o->words[0]);
	else if (o->command == COMMAND_HELP)
		id = COMMAND_APP;
	if (id == COMMAND_N) {
		const char *near = options_nearest_command(o->words[0]);
		char word[80];

		text_clean(word, sizeof word, text_of(o->words[0]), TEXT_ASCII);
		fprintf(stderr, "nsdbg: no command \"%s\"%s%s\n", word, near ? ": did you mean " : "", near ? near : "");
		return CLI_USAGE;
	}
	options_help(stdout, id);
	return printed();
}

static int completion(const struct options *o)
{
	if (strcmp(o->words[0], "bash") != 0) {
		fputs("nsdbg: there is no completion for that shell, there is bash\n", stderr);
		return CLI_USAGE;
	}
	options_completion(stdout);
	return printed();
}

int cli_main(const struct options *o)
{
	struct cli c = { .o = o, .out = STDOUT_FILENO, .names_fd = -1 };
	struct timespec now;

	signal(SIGPIPE, SIG_IGN); /* a closed pipe ends us silently, with everything in order */
	if (o->help || o->command == COMMAND_HELP)
		return help(o);
	if (o->version || o->command == COMMAND_VERSION)
		return printf("nsdbg %s\n", NSDBG_VERSION) < 0 ? CLI_INTERNAL : printed();
	if (o->command == COMMAND_COMPLETION)
		return completion(o);
	if (o->print_manual) {
		cli_manual(stdout);
		return printed();
	}
	if (o->print_keys) {
		app_print_keys(stdout);
		return printed();
	}
	clock_gettime(CLOCK_REALTIME, &now);
	c.time_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	gethostname(c.host, sizeof c.host - 1);
	run(&c);
	for (size_t i = 0; i < c.n_errors; i++)
		free((char *)(uintptr_t)c.errors[i].message);
	block_unref(c.netns);
	block_unref(c.bundles);
	block_unref(c.holders);
	block_unref(c.targets);
	block_unref(c.networks);
	block_unref(c.engines);
	return c.status;
}
