/* What a program that is started by sudo must not take over from its caller: descriptors, environment, core dumps. */
#ifndef NSDBG_TUI_ENV_H
#define NSDBG_TUI_ENV_H

#include <stdbool.h>

/* Started with rights that its user does not have (setuid, file capabilities): refuse before anything is read. */
bool env_is_elevated(void);

/* Opens 0-2 if closed, closes all others, forbids core dumps, keeps only the variables that nsdbg reads, sets PATH. When a loader
 * variable was set for root, starts this program once more without it. */
void env_clean(char *const *argv);

#endif
