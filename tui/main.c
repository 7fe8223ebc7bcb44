/* nsdbg: looks inside containers' namespaces. Starts clean, then hands over to the screen or to a command. */
#include "core/err.h"
#include "core/tool/copy.h"
#include "tui/cli.h"
#include "tui/env.h"
#include "tui/handover.h"
#include "tui/options.h"

#include <locale.h>
#include <stdio.h>

int main(int argc, char **argv, char **environment)
{
	struct options options;
	struct err err = { 0 };
	char clean[1024];

	tool_copy_resume(argc, argv);
	if (env_is_elevated()) {
		fputs("nsdbg: refuses to run setuid or with file capabilities; use sudo nsdbg\n", stderr);
		return CLI_NOT_PERMITTED;
	}
	env_clean(argv);
	setlocale(LC_CTYPE, ""); /* no more: numbers keep their point */
	if (options_parse(argc, argv, &options, &err) < 0) {
		text_clean(clean, sizeof clean, text_of(err.msg), TEXT_UTF8);
		fprintf(stderr, "nsdbg: %s\n", clean);
		return options.command == COMMAND_EXEC ? HANDOVER_FAILED : CLI_USAGE;
	}
	options.environment = environment;
	return cli_main(&options);
}
