/* Keys of the probe pane: the table that footer, help and README read, and the prompt for a new probe. */
#include "tui/probe_view.h"

#include "core/err.h"

#include <stdio.h>
#include <string.h>

static int used(struct pane *p)
{
	pane_dirty(p);
	return PANE_USED | PANE_DRAW;
}

static bool has_item(const struct pane *p)
{
	return probe_view_selected(probe_view_of(p)) != NULL;
}

static bool add_done(struct pane *p, const char *text)
{
	struct err err = { 0 };

	while (*text == ' ')
		text++;
	if (*text == '\0' || probe_view_add(probe_view_of(p), text, &err))
		return true;
	pane_prompt_error(p, 0, err.msg);
	return false;
}

static int key_add(struct pane *p, int key)
{
	struct pane_prompt prompt = { .label = "probe: ", .history = &probe_view_of(p)->typed, .done = add_done,
		.hint = "tcp|udp HOST:PORT   ping|trace|mtu HOST   http URL   HOST: container or name" };

	(void)key;
	pane_prompt(p, &prompt);
	return used(p);
}

static int key_toggle(struct pane *p, int key)
{
	struct probe_view *v = probe_view_of(p);
	struct probe_item *item = probe_view_selected(v);

	(void)key;
	if (probe_item_runs(item))
		probe_view_stop(v, item);
	else
		probe_view_start(v, item);
	return used(p);
}

static int key_remove(struct pane *p, int key)
{
	struct probe_view *v = probe_view_of(p);

	(void)key;
	probe_view_remove(v, probe_view_selected(v));
	return used(p);
}

/* The same host by another kind of probe. */
static int key_kind(struct pane *p, int key)
{
	struct probe_view *v = probe_view_of(p);
	const struct probe_item *item = probe_view_selected(v);
	struct err err = { 0 };
	char words[320];

	snprintf(words, sizeof words, "%s %s%s%s", key == 't' ? "trace" : "mtu", item->params.name,
		item->params.zone[0] ? "%" : "", item->params.zone);
	if (!probe_view_add(v, words, &err))
		pane_toast(p, SEVERITY_BAD, "%s", err.msg);
	return used(p);
}

static int key_command(struct pane *p, int key)
{
	const struct probe_item *item = probe_view_selected(probe_view_of(p));
	char buf[700];
	int n = snprintf(buf, sizeof buf, "nsdbg probe %s %s", p->target_name, item->words);

	(void)key;
	pane_copy(p, (struct text){ buf, (size_t)n < sizeof buf ? (size_t)n : sizeof buf - 1 });
	return used(p);
}

const struct binding probe_bindings[PROBE_N_BINDINGS] = {
	{ .key = 'a', .run = key_add, .label = "add", .help = "new probe: tcp, udp, ping, trace, mtu, http", .rank = 0 },
	{ .key = 'S', .run = key_toggle, .label = "start/stop", .help = "start or stop the probe (R starts its numbers anew)", .works = has_item,
		.rank = 1 },
	{ .key = 't', .run = key_kind, .label = "trace", .help = "trace the way to the same host", .works = has_item, .rank = 2 },
	{ .key = 'm', .run = key_kind, .label = "mtu", .help = "path MTU to the same host", .works = has_item, .rank = 3 },
	{ .key = 'D', .alias = KEYS_DELETE, .shown = "D", .run = key_remove, .label = "remove", .help = "remove the probe", .works = has_item,
		.rank = 5 },
	{ .key = 'Y', .run = key_command, .help = "copy it as a command", .works = has_item, .group = BINDING_OUT },
};
