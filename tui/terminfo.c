/* What terminfo knows of a terminal, without taking it over. Apart from screen.c: term.h defines macros named like ordinary words. */
#include "tui/screen.h"

#include <curses.h>
#include <term.h>
#include <unistd.h>

int screen_colors(const char *term)
{
	char cup[] = "cup", colors[] = "colors";
	int status, n;

	if (!term || !term[0] || setupterm(term, STDOUT_FILENO, &status) != OK || !tigetstr(cup))
		return -1;
	n = tigetnum(colors);
	del_curterm(cur_term);
	return n > 0 ? n : 0;
}
