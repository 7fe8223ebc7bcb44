/*
 * Command templates: "psql -h {ip} -p {port}". Words are split once, when the template is read; quotes and backslashes group as in a
 * shell, nothing else has a meaning. A value fills its place inside one word and can never become several. Values come from containers:
 * only those of the plain form that templates document are let in, so that they are harmless for a shell, too.
 */
#ifndef NSDBG_TUI_TEMPLATE_H
#define NSDBG_TUI_TEMPLATE_H

#include <stdbool.h>

struct err;

enum template_value { TEMPLATE_NAME, TEMPLATE_PID, TEMPLATE_NETNS, TEMPLATE_IP, TEMPLATE_PORT, TEMPLATE_ID, TEMPLATE_N };
extern const char *const template_names[TEMPLATE_N];

enum { TEMPLATE_WORDS = 64, TEMPLATE_BYTES = 8192, TEMPLATE_VALUE = 256 };

struct template {
	char *words[TEMPLATE_WORDS]; /* with their {places} */
	unsigned n_words;
};

/* "": not known. */
struct template_values {
	char text[TEMPLATE_N][TEMPLATE_VALUE];
};

struct template_args {
	char bytes[TEMPLATE_BYTES];
	const char *words[TEMPLATE_WORDS];
	unsigned n_words;
};

/* `shell`: the text is one argument of /bin/sh -c. {{ stands for {. -EINVAL with the sentence. */
int template_parse(const char *text, bool shell, struct template *ret, struct err *err);
void template_done(struct template *t); /* zeroed memory is fine */

/* name: letters, digits, _ . - with a letter or digit in front; pid, netns, port: digits; ip: an address; id: hex digits. */
bool template_value_ok(enum template_value which, const char *text);

/* -ENODATA: a value is not known; -EINVAL: it has not the form above; -E2BIG. */
int template_expand(const struct template *t, const struct template_values *v, struct template_args *ret, struct err *err);

#endif
