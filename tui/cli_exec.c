/* nsdbg exec: a tool of the host in a target's namespaces. Its exit status is ours; what fails before it is 125, as docker's. */
#include "tui/cli.h"

#include "core/err.h"
#include "tui/exec.h"
#include "tui/handover.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

static unsigned letters(const struct options *o)
{
	return (o->ns_net ? CLONE_NEWNET : 0u) | (o->ns_mnt ? CLONE_NEWNS : 0u) | (o->ns_pid ? CLONE_NEWPID : 0u) |
		(o->ns_uts ? CLONE_NEWUTS : 0u) | (o->ns_ipc ? CLONE_NEWIPC : 0u) | (o->ns_user ? CLONE_NEWUSER : 0u) |
		(o->ns_cgroup ? CLONE_NEWCGROUP : 0u) | (o->ns_time ? CLONE_NEWTIME : 0u) | (o->all ? exec_all_namespaces() : 0u);
}

static void note(void *arg, const char *sentence)
{
	struct cli *c = arg;

	if (!c->o->quiet)
		cli_error(c, CLI_OK, 0, sentence);
}

static int run(struct cli *c, const struct exec_request *q, struct err *err)
{
	struct handover h = { .session = c->session, .fds = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO }, .note = note, .arg = c };
	struct exec_plan *plan;
	int status;

	if (exec_plan(c->session, q, &plan, err) < 0)
		return HANDOVER_FAILED;
	h.spec = &plan->spec;
	if (q->n_words == 0 && isatty(STDIN_FILENO) && isatty(STDERR_FILENO) && !c->o->quiet)
		fprintf(stderr, "nsdbg: %s   exit: ^D\n", plan->where);
	status = handover_run(&h, err);
	exec_plan_free(plan);
	return status;
}

void cli_exec(struct cli *c)
{
	const struct options *o = c->o;
	struct exec_request q = { .ref = &c->ref, .name = o->words[0], .namespaces = letters(o), .root = o->root, .proc = o->proc,
		.no_files = o->no_files, .force = o->force, .directory = o->directory, .uid = o->uid, .gid = o->gid, .caps = o->caps,
		.words = (const char *const *)o->tail, .n_words = o->n_tail, .variables = o->env.items, .n_variables = o->env.n,
		.environment = o->environment };
	struct err err = { 0 };
	unsigned flags = 0;
	int status = HANDOVER_FAILED;

	if (o->ns && exec_namespaces(o->ns, &flags, &err) < 0)
		cli_error_err(c, CLI_USAGE, &err);
	else if (cli_find(c, CLI_WANTS_ENGINE)) {
		q.namespaces |= flags;
		status = run(c, &q, &err);
		if (err.code)
			cli_error_err(c, CLI_USAGE, &err);
	}
	c->status = (enum cli_status)status;
}
