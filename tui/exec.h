/* From what a user asks for to what a tool needs: namespaces, user, capabilities, environment, shell. For nsdbg exec and the keys e E !. */
#ifndef NSDBG_TUI_EXEC_H
#define NSDBG_TUI_EXEC_H

#include "core/tool.h"

enum { EXEC_VARIABLES = 128, EXEC_SENTENCE = 320 };

struct exec_request {
	const struct target_ref *ref;
	const char *name; /* of the target, raw */
	unsigned namespaces; /* CLONE_NEW* to join; 0: the network */
	bool root, proc, no_files, force;
	const char *directory; /* NULL: nothing asked; "target": that of its process */
	const char *uid, *gid, *caps; /* as typed; NULL: the defaults */
	const char *const *words; /* n_words 0: a shell */
	unsigned n_words;
	const char *const *variables; /* "K=V"; "K": as in `environment` */
	unsigned n_variables;
	char *const *environment; /* the caller's own, NULL none */
};

struct exec_plan {
	struct tool_spec spec;
	char *variables[EXEC_VARIABLES];
	char shell[256];
	const char *shell_words[1];
	char where[EXEC_SENTENCE]; /* "network of web, files of the host": for a banner; cleaned */
};

/* 0, or -EINVAL with the sentence. Free with exec_plan_free. */
int exec_plan(struct session *s, const struct exec_request *q, struct exec_plan **ret, struct err *err);
void exec_plan_free(struct exec_plan *p);

/* "net,pid" or "all" into CLONE_NEW*. 0, or -EINVAL. */
int exec_namespaces(const char *text, unsigned *ret, struct err *err);
unsigned exec_all_namespaces(void);

#endif
