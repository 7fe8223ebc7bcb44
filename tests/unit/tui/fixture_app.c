/* See fixture_app.h. Time stands still: ages and clocks are the same in each run. */
#include "fixture_app.h"

#include "fixture.h"

#include "core/engine/places.h"
#include "core/fd.h"

#include <stdlib.h>
#include <string.h>

static const struct app_options options = { .utc = true };

void fixture_app_give(struct pane *p, unsigned slot, struct block *b)
{
	struct link_event ev = { .type = LINK_BLOCK, .row_type = block_type(b), .block = b };

	p->feeds[slot].state = FEED_LIVE;
	p->feeds[slot].fresh_ms = 99700;
	p->feeds[slot].gone_ms = 100000;
	p->feeds[slot].cost_us = block_cost_us(b);
	p->ops->event(p, slot, &ev);
}

static const struct engine_places places = { .n = 1, .list = { { .endpoint = "unix:///var/run/docker.sock" } } };

void fixture_app_start(struct app *app, int w, int h, enum text_charset charset)
{
	memset(app, 0, sizeof *app);
	app->options = &options;
	app->env = (struct pane_env){ .app = app, .look = { .charset = charset, .utc = true, .now_ns = FIXTURE_NOW }, .every_ms = 2000,
		.places = &places, .now_ms = 100000 };
	strcpy(app->host, "web-07");
	app->current = app->last = APP_AT_LIST;
	app->messages = fd_xcalloc(APP_MESSAGES, sizeof *app->messages);
	app->canvas = canvas_new(w, h, charset);
	if (pane_new(&pane_list, &app->env, NULL, &app->list, NULL) < 0)
		abort();
	fixture_app_give(app->list, 0, fixture_networks());
	fixture_app_give(app->list, 0, fixture_engines());
	fixture_app_give(app->list, 1, fixture_targets());
}

void fixture_app_end(struct app *app)
{
	app_term_close(app);
	app_overlay(app, NULL);
	for (int i = 0; i < APP_VIEWS; i++)
		pane_free(app->views[i]);
	pane_free(app->list);
	block_unref(app->env.targets);
	block_unref(app->env.networks);
	block_unref(app->env.engines);
	prompt_history_done(&app->filter_history);
	prompt_history_done(&app->write_history);
	prompt_history_done(&app->exec_history);
	canvas_free(app->canvas);
	free(app->env.copy);
	free(app->messages);
}

void fixture_app_view(struct app *app, char view)
{
	struct pane *p;

	if (view == '0')
		return;
	app_go(app, view, ((const struct target_row *)block_row(app->env.targets, 0))->head.id, NULL);
	p = app_front(app);
	if (view == '1' || view == '2')
		fixture_app_give(p, 0, fixture_sockets());
	if (view == '2')
		fixture_app_give(p, 1, fixture_owners());
	if (view == '1')
		fixture_app_give(p, 1, fixture_processes());
	if (view == '3')
		fixture_app_give(p, 0, fixture_processes());
}

void fixture_app_key(struct app *app, int key)
{
	app_key(app, (struct screen_key){ .key = key });
	if (app->env.prompt.done)
		app_prompt_start(app);
	if (app->env.prompt_error_set && app->prompting)
		prompt_error(&app->prompt, app->env.prompt_error_column, app->env.prompt_error);
	app->env.prompt_error_set = false;
	if (app->env.go) {
		struct carry carry = app->env.go_carry;
		char view = app->env.go;
		app->env.go = 0;
		app_go(app, view, app->env.go_target, app->env.go_has_carry ? &carry : NULL);
	}
}

void fixture_app_press(struct app *app, const char *keys)
{
	for (; *keys; keys++)
		fixture_app_key(app, *keys);
}
