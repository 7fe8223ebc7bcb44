/*
 * Own commands of the configuration: their values from the target in front, their keys. A command runs as the user nsdbg works for,
 * without capabilities.
 */
#include "core/err.h"
#include "core/fd.h"
#include "core/source/sockets.h"
#include "tui/app_state.h"
#include "tui/exec.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- values for templates --- */

static void put_text(struct template_values *v, enum template_value which, struct text t)
{
	if (t.p && t.n < TEMPLATE_VALUE && !memchr(t.p, 0, t.n))
		snprintf(v->text[which], TEMPLATE_VALUE, "%.*s", (int)t.n, t.p);
}

static void put_number(struct template_values *v, enum template_value which, uint64_t n)
{
	if (n != ROW_NO_UINT && n != 0)
		snprintf(v->text[which], TEMPLATE_VALUE, "%" PRIu64, n);
}

/* The selected socket's own port, else the first port of the container. */
static uint64_t port_of(const struct pane *p, const struct block *b, const struct target_row *t)
{
	struct grid *g = p->ops->grid ? p->ops->grid(p) : NULL;
	const void *row = g && g->type == &sock_row_type ? grid_selected(g, NULL) : NULL;

	if (row)
		return ((const struct sock_row *)row)->local_port;
	return t->ports.n ? ((const struct port_row *)block_nested(b, &port_row_type, t->ports, 0))->port : ROW_NO_UINT;
}

static void fill_values(const struct pane *p, const struct block *b, const struct target_row *t, struct template_values *ret)
{
	struct text ip;

	put_text(ret, TEMPLATE_NAME, block_text(b, t->name));
	put_text(ret, TEMPLATE_ID, block_text(b, t->id));
	put_number(ret, TEMPLATE_PID, t->pid);
	put_number(ret, TEMPLATE_NETNS, t->netns);
	put_number(ret, TEMPLATE_PORT, port_of(p, b, t));
	if (t->addresses.len != UINT32_MAX && block_list_item(b, t->addresses, 0, &ip))
		put_text(ret, TEMPLATE_IP, ip);
}

/* --- own commands --- */

static void run_command(struct app *app, const struct config_command *cmd, const struct target_ref *ref, const char *name,
	const struct template_args *args)
{
	const struct target_ref host = { .kind = TARGET_HOST };
	struct exec_request q = { .ref = cmd->in_target ? ref : &host, .name = cmd->in_target ? name : "host", .caps = "none",
		.words = args->words, .n_words = args->n_words };

	app_exec(app, &q);
}

void app_command(struct app *app, const struct config_command *cmd)
{
	struct pane *p = app_front(app);
	const struct block *b = app->env.targets;
	const struct target_row *t = app_row(app, app_subject(app));
	struct template_values values = { 0 };
	struct template_args *args;
	struct target_ref ref = { .kind = TARGET_NONE };
	struct err err = { 0 };
	char name[128] = "";

	if (!t) {
		app_toast(app, SEVERITY_NONE, "select a target first: %s is about one", cmd->name);
		return;
	}
	args = fd_xcalloc(1, sizeof *args);
	fill_values(p, b, t, &values);
	text_clean(name, sizeof name, block_text(b, t->name), app->env.look.charset);
	if (template_expand(&cmd->run, &values, args, &err) < 0)
		app_toast(app, SEVERITY_WARN, "%s: %s", cmd->name, err.msg);
	else if (cmd->in_target && target_reference(b, t, &ref, &err) < 0)
		app_toast(app, SEVERITY_WARN, "%s", err.msg);
	else
		run_command(app, cmd, &ref, name, args);
	free(args);
}

const struct config_command *app_command_of_key(const struct app *app, int key)
{
	const struct config *c = app->options->config;

	for (unsigned i = 0; c && i < c->n_commands; i++)
		if (c->commands[i].key == key)
			return &c->commands[i];
	return NULL;
}

/* --- keys of own commands --- */

static bool in_table(const struct binding *b, unsigned n, int key)
{
	for (unsigned i = 0; i < n; i++)
		if (b[i].run && (b[i].key == key || (b[i].alias && b[i].alias == key)))
			return true;
	return false;
}

/* By any view: a key must not mean one thing here and another there. */
static bool is_taken(int key)
{
	static const int moves[] = { 'j', 'k', 'h', 'l', 'g', 'G', KEYS_UP, KEYS_DOWN, KEYS_LEFT, KEYS_RIGHT, KEYS_HOME, KEYS_END,
		KEYS_PAGE_UP, KEYS_PAGE_DOWN, KEYS_CTRL('D'), KEYS_CTRL('U'), KEYS_ESC, KEYS_ENTER, KEYS_TAB };
	struct pane any = { .ops = &pane_list };
	const struct binding *b;
	unsigned n;

	for (size_t i = 0; i < ARRAY_LEN(moves); i++)
		if (moves[i] == key)
			return true;
	b = app_table_bindings(&n);
	if (in_table(b, n, key) || in_table(pane_list.bindings, pane_list.n_bindings, key))
		return true;
	b = app_bindings(&any, 2, &n);
	if (in_table(b, n, key) || (key >= '0' && key <= '9'))
		return true;
	for (unsigned i = 0; i < pane_n_views; i++)
		if (in_table(pane_views[i]->bindings, pane_views[i]->n_bindings, key))
			return true;
	return false;
}

void app_config_say(struct app *app)
{
	struct config *c = app->options->config;
	char name[KEYS_TEXT];

	for (unsigned i = 0; c && i < c->n_commands; i++) {
		struct config_command *cmd = &c->commands[i];
		bool twice = app_command_of_key(app, cmd->key) != cmd;

		if (!cmd->key || (!twice && !is_taken(cmd->key)))
			continue;
		app_toast(app, SEVERITY_WARN, "command %s (line %u): the key %s is taken; it is in the palette (:)", cmd->name, cmd->line,
			keys_name(cmd->key, name));
		cmd->key = KEYS_NONE;
	}
	for (unsigned i = 0; c && i < c->n_problems; i++)
		app_toast(app, SEVERITY_WARN, "%s", c->problems[i]);
}
