/*
 * A terminal within the screen (libvterm): bytes of a hosted tool become cells, keys become bytes. What the tool writes is hostile: it
 * moves nothing but these cells; titles, clipboard and mouse requests end here. Memory is bounded by the size and the scrollback.
 */
#ifndef NSDBG_TUI_HOSTED_H
#define NSDBG_TUI_HOSTED_H

#include "tui/canvas.h"

struct hosted;

enum { HOSTED_SCROLLBACK = 500, HOSTED_MAX_W = 500, HOSTED_MAX_H = 200 };

/* Bytes for the tool: keys, and answers to what it asked the terminal. */
typedef void (*hosted_output)(void *arg, const char *bytes, size_t n);

/* false: built without libvterm; then hosted_new returns NULL. */
bool hosted_is_there(void);
struct hosted *hosted_new(int w, int h, hosted_output output, void *arg);
void hosted_free(struct hosted *t); /* NULL is fine */
void hosted_resize(struct hosted *t, int w, int h);

void hosted_write(struct hosted *t, struct text bytes); /* from the tool */
void hosted_key(struct hosted *t, int key); /* KEYS_* or a code point; ends looking back */
void hosted_paste(struct hosted *t, struct text raw); /* line ends become Enter, other control bytes are left out */
void hosted_scroll(struct hosted *t, int lines); /* > 0 looks back, < 0 forward; bounded */
int hosted_looking_back(const struct hosted *t); /* lines; 0: at the end */

/* The top left of `a`; the cursor when `focused`. */
void hosted_draw(const struct hosted *t, struct area a, bool focused);

#endif
