/*
 * The terminal through ncursesw. Mouse (SGR 1006) and bracketed paste are done by hand with define_key: ncurses' own
 * mouse parser breaks beyond column 223 on several TERMs. Lines are our own wide characters, never ACS. Colours are
 * chosen here, by meaning. If the program dies, a fixed string gives the terminal back.
 */
#include "tui/screen.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/loop.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { SCREEN_PASTE_MAX = 65536, SCREEN_COPY_MAX = 74000, SCREEN_PAIRS = 240, DOUBLE_CLICK_MS = 400, BYTE_MS = 50 };
enum { KEY_SGR_MOUSE = KEY_MAX + 1, KEY_PASTE_START, KEY_PASTE_END };

struct pair {
	short fg, bg;
};

struct screen {
	SCREEN *curses;
	enum text_charset charset;
	bool color, mouse;
	int w, h;
	struct canvas_cell *last; /* what the terminal shows */
	struct pair pairs[SCREEN_PAIRS]; /* pair i + 1 */
	int n_pairs;
	char *pasted;
	size_t n_pasted;
	uint64_t click_ms;
	int click_x, click_y;
	int keeper;
	pid_t keeper_pid;
	FILE *out; /* curses' own, with a descriptor of its own, which for the time of a picture is */
	int frame; /* a file; -1: there is none, and pictures go to the terminal at once */
	int tty; /* of screen_reopen */
	char *owed; /* what of the last picture a slow terminal has not taken yet */
	size_t n_owed, n_sent;
};

/* --- giving the terminal back when all else failed: the one thing kept at file scope --- */

static const char reset_text[] = "\033[?1000l\033[?1006l\033[?2004l\033[?1049l\033[?25h\033[0m\r\n";
static struct termios reset_modes;
static volatile sig_atomic_t reset_wanted;

static void reset_terminal(void)
{
	if (!reset_wanted)
		return;
	reset_wanted = 0;
	if (write(STDOUT_FILENO, reset_text, sizeof reset_text - 1) < 0)
		return;
	tcsetattr(STDIN_FILENO, TCSANOW, &reset_modes);
}

static void on_crash(int sig)
{
	reset_terminal();
	raise(sig); /* SA_RESETHAND: the default action now */
}

static void reset_install(void)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	struct sigaction act = { .sa_handler = on_crash, .sa_flags = SA_RESETHAND | SA_NODEFER };

	tcgetattr(STDIN_FILENO, &reset_modes);
	for (unsigned i = 0; i < ARRAY_LEN(crashes); i++)
		sigaction(crashes[i], &act, NULL);
	atexit(reset_terminal);
	reset_wanted = 1;
}

/*
 * Not even kill -9 may leave the terminal with the mouse on: a child that does nothing but wait for the other end of a
 * pipe to close. screen_stop ends it with a byte; without that byte it gives the terminal back.
 */
static void keeper_run(int fd)
{
	char byte;
	ssize_t n;

	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTTOU, SIG_IGN); /* it may not be in the foreground any more */
	prctl(PR_SET_NAME, "nsdbg-terminal");
	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		reset_terminal();
	_exit(0);
}

static int keeper_start(pid_t *ret_pid)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close_range(STDERR_FILENO, (unsigned)ends[0] - 1, 0);
		close(ends[1]);
		close_range((unsigned)ends[1] + 1, ~0u, 0);
		keeper_run(ends[0]);
	}
	close(ends[0]);
	*ret_pid = pid;
	return ends[1];
}

static void keeper_stop(int fd, pid_t pid)
{
	if (fd < 0)
		return;
	if (write(fd, "q", 1) == 1 && pid > 0)
		waitpid(pid, NULL, 0);
	close(fd);
}

/* --- colours by meaning --- */

/* Colour numbers: 256 colours, then 16 or 8. -1: the terminal's own. Red, yellow and blue keep apart for colour-blind
 * eyes. */
struct ink {
	short fg, few_fg;
	attr_t attr, mono;
};

static const struct ink inks[STYLE_N] = {
	[STYLE_TEXT] = { -1, -1, A_NORMAL, A_NORMAL },
	[STYLE_STRONG] = { -1, -1, A_BOLD, A_BOLD },
	[STYLE_DIM] = { 246, -1, A_NORMAL, A_NORMAL },
	[STYLE_TITLE] = { 117, COLOR_CYAN, A_BOLD, A_BOLD },
	[STYLE_RULE] = { 244, -1, A_NORMAL, A_NORMAL },
	[STYLE_KEY] = { -1, -1, A_BOLD, A_BOLD },
	[STYLE_OK] = { 69, COLOR_BLUE, A_NORMAL, A_NORMAL },
	[STYLE_IDLE] = { 246, -1, A_NORMAL, A_NORMAL },
	[STYLE_UNKNOWN] = { 246, -1, A_NORMAL, A_NORMAL },
	[STYLE_WARN] = { 220, COLOR_YELLOW, A_NORMAL, A_BOLD },
	[STYLE_BAD] = { 204, COLOR_RED, A_NORMAL, A_BOLD },
	[STYLE_LIVE] = { 231, COLOR_WHITE, A_BOLD, A_REVERSE | A_BOLD },
	[STYLE_MATCH] = { 117, COLOR_CYAN, A_BOLD | A_UNDERLINE, A_BOLD | A_UNDERLINE },
};

struct bed {
	short fg, bg, few_fg, few_bg; /* fg: for text without a colour of its own */
	attr_t attr, mono;
};

static const struct bed beds[GROUND_N] = {
	[GROUND_NONE] = { -1, -1, -1, -1, A_NORMAL, A_NORMAL },
	[GROUND_BAR] = { 253, 237, COLOR_BLACK, COLOR_WHITE, A_NORMAL, A_REVERSE },
	[GROUND_HEAD] = { -1, -1, -1, -1, A_BOLD | A_UNDERLINE, A_BOLD | A_UNDERLINE },
	[GROUND_SELECTED] = { 231, 24, COLOR_WHITE, COLOR_BLUE, A_BOLD, A_REVERSE | A_BOLD },
	[GROUND_MARKED] = { 231, 239, COLOR_BLACK, COLOR_CYAN, A_NORMAL, A_REVERSE },
	[GROUND_TAB] = { 16, 252, COLOR_BLACK, COLOR_WHITE, A_BOLD, A_REVERSE | A_BOLD },
	[GROUND_INPUT] = { 231, 236, -1, -1, A_NORMAL, A_UNDERLINE },
};

enum { LIVE_BACKGROUND = 161 };

static short pair_of(struct screen *s, short fg, short bg)
{
	if (fg < 0 && bg < 0)
		return 0;
	for (int i = 0; i < s->n_pairs; i++)
		if (s->pairs[i].fg == fg && s->pairs[i].bg == bg)
			return (short)(i + 1);
	if (s->n_pairs == SCREEN_PAIRS || s->n_pairs + 2 > COLOR_PAIRS)
		return 0;
	s->pairs[s->n_pairs] = (struct pair){ fg, bg };
	init_pair((short)(s->n_pairs + 1), fg, bg);
	return (short)++s->n_pairs;
}

static short foreground(const struct ink *ink, const struct bed *bed, bool few)
{
	short own = few ? ink->few_fg : ink->fg;
	short below = few ? bed->few_fg : bed->fg;
	bool grey = ink->fg == 246 || ink->fg == 244 || ink->fg == 117;

	if (below < 0)
		return own;
	/* On coloured ground only the signs keep their colour; with few colours they would vanish as well. */
	if (few || own < 0 || (grey && bed->bg != 237))
		return below;
	return own;
}

/* A hosted terminal's cell keeps its colours; with few of them only the first eight. */
static attr_t paint_own(struct screen *s, const struct canvas_cell *c, short *ret_pair)
{
	attr_t attr = (c->look & CANVAS_BOLD ? A_BOLD : 0) | (c->look & CANVAS_UNDERLINE ? A_UNDERLINE : 0) |
		(c->look & CANVAS_REVERSE ? A_REVERSE : 0);
	int fg = c->fg - 1, bg = c->bg - 1;

	*ret_pair = 0;
	if (s->color)
		*ret_pair = pair_of(s, (short)(fg < COLORS ? fg : -1), (short)(bg < COLORS ? bg : -1));
	return attr;
}

static attr_t paint(struct screen *s, const struct canvas_cell *c, short *ret_pair)
{
	const struct ink *ink = &inks[c->style < STYLE_N ? c->style : STYLE_TEXT];
	const struct bed *bed = &beds[c->ground < GROUND_N ? c->ground : GROUND_NONE];
	bool few = COLORS < 256;
	attr_t match = c->match ? A_BOLD | A_UNDERLINE : 0;
	short bg;

	*ret_pair = 0;
	if (c->look & CANVAS_OWN)
		return paint_own(s, c, ret_pair);
	if (!s->color)
		return ink->mono | bed->mono | match;
	bg = few ? bed->few_bg : bed->bg;
	if (c->style == STYLE_LIVE)
		bg = few ? COLOR_RED : LIVE_BACKGROUND;
	*ret_pair = pair_of(s, c->style == STYLE_LIVE ? (few ? ink->few_fg : ink->fg) : foreground(ink, bed, few), bg);
	return ink->attr | bed->attr | match;
}

/* --- starting and stopping --- */

static bool term_needs_ascii(const char *term)
{
	static const char *const plain[] = { "linux", "vt100", "vt102", "vt220", "ansi", "cons25" };

	if (strcasecmp(nl_langinfo(CODESET), "UTF-8") != 0)
		return true;
	for (unsigned i = 0; i < ARRAY_LEN(plain); i++)
		if (strcmp(term, plain[i]) == 0)
			return true;
	return false;
}

static bool want_color(const struct screen_options *o)
{
	const char *no = getenv("NO_COLOR");

	if (o->color == SCREEN_COLOR_NEVER || !has_colors())
		return false;
	return o->color == SCREEN_COLOR_ALWAYS || !no || !no[0];
}

static void send(const char *control)
{
	fflush(stdout);
	(void)fd_write_all(STDOUT_FILENO, control, strlen(control));
}

/* --- what goes out: a terminal that reads slowly (a serial line, a bad ssh) never keeps us from keys and signals --- */

bool screen_owes(const struct screen *s)
{
	return s->n_sent < s->n_owed;
}

static void forget_owed(struct screen *s)
{
	free(s->owed);
	s->owed = NULL;
	s->n_owed = s->n_sent = 0;
}

void screen_pump(struct screen *s)
{
	while (screen_owes(s)) {
		size_t left = s->n_owed - s->n_sent;
		ssize_t n = write(s->tty, s->owed + s->n_sent, left);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			return;
		s->n_sent += n > 0 ? (size_t)n : left; /* it is gone: so will we be soon */
	}
	if (!screen_owes(s))
		forget_owed(s);
}

/* Behind what is owed, never into the middle of it. */
static void send_after(struct screen *s, const char *control)
{
	size_t n = strlen(control);

	if (!screen_owes(s)) {
		send(control);
		return;
	}
	s->owed = fd_xrealloc(s->owed, s->n_owed + n, 1);
	memcpy(s->owed + s->n_owed, control, n);
	s->n_owed += n;
}

/* The terminal is to be left now: what it has not shown yet is dropped, also what the kernel holds. CAN ends half a sequence. */
static void settle(struct screen *s)
{
	screen_pump(s);
	if (!screen_owes(s))
		return;
	forget_owed(s);
	tcflush(STDOUT_FILENO, TCOFLUSH);
	send("\030\033[0m");
}

/* curses writes the picture into the file instead; what it knows of the terminal's settings stays. */
static void frame_begin(struct screen *s)
{
	if (s->frame >= 0 && ftruncate(s->frame, 0) == 0 && lseek(s->frame, 0, SEEK_SET) == 0)
		dup3(s->frame, fileno(s->out), O_CLOEXEC);
}

static void frame_end(struct screen *s)
{
	off_t n = s->frame < 0 ? 0 : lseek(s->frame, 0, SEEK_CUR);

	if (s->frame >= 0)
		dup3(STDOUT_FILENO, fileno(s->out), O_CLOEXEC);
	if (n <= 0)
		return;
	s->owed = fd_xrealloc(s->owed, (size_t)n, 1);
	s->n_owed = (size_t)n;
	s->n_sent = 0;
	if (pread(s->frame, s->owed, s->n_owed, 0) != n)
		forget_owed(s);
	screen_pump(s);
}

static void modes_on(struct screen *s)
{
	send(s->mouse ? "\033[?2004h\033[?1000h\033[?1006h" : "\033[?2004h");
}

static void modes_off(void)
{
	send("\033[?1006l\033[?1000l\033[?2004l");
}

static void curses_setup(void)
{
	raw(); /* ^C ^Z ^S are keys; the app knows what they mean */
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	leaveok(stdscr, FALSE);
	define_key("\033[<", KEY_SGR_MOUSE);
	define_key("\033[200~", KEY_PASTE_START);
	define_key("\033[201~", KEY_PASTE_END);
	signal(SIGTSTP, SIG_DFL); /* ncurses' own handler would write to the screen behind our back */
}

static int term_open(SCREEN **ret, FILE *out, struct err *err)
{
	const char *term = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return err_set(err, ENOTTY, "no terminal: nsdbg ls prints the list as text");
	if (!term || !term[0] || strcmp(term, "dumb") == 0)
		return err_set(err, ENOTSUP,
			"terminal \"%s\" cannot place text: set TERM, or use nsdbg ls, ss, ps, cap, dns",
			term ? term : "");
	*ret = newterm(term, out, stdin);
	if (!*ret)
		*ret = newterm("xterm-256color", out, stdin); /* unknown here, but nearly all are like it */
	if (!*ret)
		return err_set(err, ENOTSUP,
			"terminal \"%s\" is not known here: set TERM=xterm-256color, or use nsdbg ls", term);
	return 0;
}

/* Another open file of the same terminal: O_NONBLOCK of standard output would be everybody's. After su it may not be ours to open. */
int screen_reopen(void)
{
	return isatty(STDOUT_FILENO) ? open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
}

int screen_start(const struct screen_options *o, struct screen **ret, struct err *err)
{
	AUTO(fd_freep) struct screen *s = fd_xcalloc(1, sizeof *s);
	int r, out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	s->out = out < 0 ? NULL : fdopen(out, "w");
	if (!s->out)
		return err_set(err, errno, "copy the descriptor of the terminal");
	setlocale(LC_ALL, "");
	reset_install();
	if (!getenv("ESCDELAY"))
		set_escdelay(25); /* default 1000: Esc would feel broken */
	r = term_open(&s->curses, s->out, err);
	if (r < 0) {
		reset_wanted = 0;
		fclose(s->out);
		return r;
	}
	s->tty = o->tty > 0 ? o->tty : -1;
	s->frame = s->tty < 0 ? -1 : memfd_create("screen", MFD_CLOEXEC);
	curses_setup();
	if (has_colors()) {
		start_color();
		use_default_colors();
	}
	s->color = want_color(o);
	s->charset = o->ascii || term_needs_ascii(getenv("TERM")) ? TEXT_ASCII : TEXT_UTF8;
	s->mouse = !o->no_mouse;
	s->keeper = keeper_start(&s->keeper_pid);
	modes_on(s);
	*ret = fd_ptr_take(&s);
	return 0;
}

void screen_stop(struct screen *s)
{
	if (!s)
		return;
	settle(s);
	modes_off();
	endwin();
	reset_wanted = 0;
	keeper_stop(s->keeper, s->keeper_pid);
	delscreen(s->curses);
	fclose(s->out);
	fd_closep(&s->frame);
	fd_closep(&s->tty);
	free(s->last);
	free(s->pasted);
	free(s);
}

/* --- keys --- */

int screen_fd(const struct screen *s)
{
	(void)s;
	return STDIN_FILENO;
}

/* The next byte of a sequence that has begun; ERR when it does not come. */
static wint_t next_char(void)
{
	wint_t c = 0;
	int r;

	timeout(BYTE_MS);
	r = get_wch(&c);
	nodelay(stdscr, TRUE);
	return r == ERR ? WEOF : r == KEY_CODE_YES ? c | 0x80000000u : c;
}

/* ESC [ < was read; the rest is b ; x ; y and M (press) or m (release). XTerm Control Sequences, SGR (1006). */
static bool mouse_report(int n[3], bool *ret_press)
{
	int at = 0;

	n[0] = n[1] = n[2] = 0;
	for (int i = 0; i < 24; i++) {
		wint_t c = next_char();
		if (c >= '0' && c <= '9') {
			n[at] = n[at] < 10000 ? n[at] * 10 + (int)(c - '0') : n[at];
		} else if (c == ';' && at < 2) {
			at++;
		} else {
			*ret_press = c == 'M';
			return at == 2 && (c == 'M' || c == 'm');
		}
	}
	return false;
}

static struct screen_key mouse_read(struct screen *s)
{
	struct screen_key k = { .key = KEYS_NONE };
	bool press = false;
	uint64_t now = loop_now_ms();
	int n[3];

	if (!mouse_report(n, &press) || !press)
		return k;
	k.x = n[1] - 1;
	k.y = n[2] - 1;
	if (n[0] == 64 || n[0] == 65) {
		k.key = n[0] == 64 ? KEYS_WHEEL_UP : KEYS_WHEEL_DOWN;
	} else if (n[0] == 0) {
		k.key = k.x == s->click_x && k.y == s->click_y && now - s->click_ms < DOUBLE_CLICK_MS ? KEYS_DOUBLE_CLICK
												      : KEYS_CLICK;
		s->click_ms = now;
		s->click_x = k.x;
		s->click_y = k.y;
	}
	return k;
}

static struct screen_key paste_read(struct screen *s)
{
	char utf8[4];

	if (!s->pasted)
		s->pasted = fd_xcalloc(1, SCREEN_PASTE_MAX);
	s->n_pasted = 0;
	for (;;) {
		wint_t c = next_char();
		if (c == WEOF || c == (KEY_PASTE_END | 0x80000000u))
			break;
		if (c & 0x80000000u || s->n_pasted + 4 > SCREEN_PASTE_MAX)
			continue;
		size_t n = text_encode((uint32_t)c, utf8);
		memcpy(s->pasted + s->n_pasted, utf8, n);
		s->n_pasted += n;
	}
	return (struct screen_key){ .key = KEYS_PASTE };
}

static const struct {
	int curses, key;
} key_map[] = {
	{ KEY_UP, KEYS_UP },
	{ KEY_DOWN, KEYS_DOWN },
	{ KEY_LEFT, KEYS_LEFT },
	{ KEY_RIGHT, KEYS_RIGHT },
	{ KEY_HOME, KEYS_HOME },
	{ KEY_END, KEYS_END },
	{ KEY_PPAGE, KEYS_PAGE_UP },
	{ KEY_NPAGE, KEYS_PAGE_DOWN },
	{ KEY_DC, KEYS_DELETE },
	{ KEY_IC, KEYS_INSERT },
	{ KEY_BTAB, KEYS_BACK_TAB },
	{ KEY_ENTER, KEYS_ENTER },
	{ KEY_BACKSPACE, KEYS_BACKSPACE },
};

static int key_translate(int code)
{
	for (unsigned i = 0; i < ARRAY_LEN(key_map); i++)
		if (key_map[i].curses == code)
			return key_map[i].key;
	if (code > KEY_F0 && code <= KEY_F(12))
		return KEYS_F(code - KEY_F0);
	if (code == KEY_F(15)) /* shift F3 on many terminals */
		return 'N';
	return KEYS_NONE;
}

struct screen_key screen_read(struct screen *s)
{
	for (;;) {
		struct screen_key k = { .key = KEYS_NONE };
		wint_t c = 0;
		int r = get_wch(&c);

		if (r == ERR)
			return k;
		if (r == KEY_CODE_YES && c == KEY_SGR_MOUSE)
			k = mouse_read(s);
		else if (r == KEY_CODE_YES && c == KEY_PASTE_START)
			k = paste_read(s);
		else if (r == KEY_CODE_YES)
			k.key = key_translate((int)c);
		else if (c == '\n')
			k.key = KEYS_ENTER;
		else if (c == 8)
			k.key = KEYS_BACKSPACE;
		else
			k.key = (int)c;
		if (k.key != KEYS_NONE)
			return k;
	}
}

bool screen_left(const struct screen *s)
{
	struct pollfd p = { .fd = screen_fd(s), .events = POLLIN };

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR | POLLNVAL));
}

struct text screen_pasted(const struct screen *s)
{
	return (struct text){ s->pasted, s->n_pasted };
}

/* --- picture --- */

void screen_size(struct screen *s, int *ret_w, int *ret_h)
{
	struct winsize ws = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col && ws.ws_row && !isendwin()) {
		if (ws.ws_row != LINES || ws.ws_col != COLS)
			resizeterm(ws.ws_row, ws.ws_col);
	}
	(void)s;
	*ret_w = COLS;
	*ret_h = LINES;
}

enum text_charset screen_charset(const struct screen *s)
{
	return s->charset;
}

static void put_cell(struct screen *s, int x, int y, const struct canvas_cell *c)
{
	wchar_t text[CCHARW_MAX + 1] = { 0 };
	cchar_t out;
	short pair;
	attr_t attr = paint(s, c, &pair);

	for (unsigned i = 0; i < ARRAY_LEN(c->cp); i++)
		text[i] = (wchar_t)c->cp[i];
	setcchar(&out, text, attr, pair, NULL);
	mvadd_wch(y, x, &out);
}

static void fit_last(struct screen *s, const struct canvas *c)
{
	int w = canvas_width(c), h = canvas_height(c);

	if (s->last && s->w == w && s->h == h)
		return;
	free(s->last);
	s->w = w;
	s->h = h;
	s->last = fd_xcalloc((size_t)w * (size_t)h, sizeof *s->last);
	erase();
}

void screen_flush(struct screen *s, const struct canvas *c)
{
	int x, y;
	bool cursor;

	screen_pump(s);
	if (screen_owes(s))
		return; /* the next one says what this would */
	fit_last(s, c);
	for (y = 0; y < s->h; y++) {
		for (x = 0; x < s->w; x++) {
			const struct canvas_cell *now = canvas_at(c, x, y);
			struct canvas_cell *was = &s->last[(size_t)y * (size_t)s->w + (size_t)x];
			if (memcmp(now, was, sizeof *now) == 0)
				continue;
			*was = *now;
			if (now->cp[0])
				put_cell(s, x, y, now);
		}
	}
	cursor = canvas_cursor_at(c, &x, &y);
	frame_begin(s);
	curs_set(cursor ? 1 : 0);
	move(y, x);
	refresh();
	frame_end(s);
}

void screen_redraw(struct screen *s)
{
	free(s->last);
	s->last = NULL;
	clearok(stdscr, TRUE);
}

void screen_mouse(struct screen *s, bool on)
{
	s->mouse = on;
	send_after(s, on ? "\033[?1000h\033[?1006h" : "\033[?1006l\033[?1000l");
}

void screen_lend(struct screen *s)
{
	settle(s);
	modes_off();
	endwin();
	reset_wanted = 0;
}

void screen_take_back(struct screen *s)
{
	reset_wanted = 1;
	reset_prog_mode();
	refresh();
	curses_setup();
	modes_on(s);
	screen_redraw(s);
}

void screen_suspend(struct screen *s)
{
	screen_lend(s);
	raise(SIGTSTP); /* this process only: broker and workers go on */
	screen_take_back(s);
}

/* --- clipboard --- */

static size_t base64(char *dst, struct text src)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = 0;

	for (size_t i = 0; i < src.n; i += 3) {
		uint32_t v = (uint32_t)(unsigned char)src.p[i] << 16;
		v |= i + 1 < src.n ? (uint32_t)(unsigned char)src.p[i + 1] << 8 : 0;
		v |= i + 2 < src.n ? (uint32_t)(unsigned char)src.p[i + 2] : 0;
		dst[n++] = digits[v >> 18 & 63];
		dst[n++] = digits[v >> 12 & 63];
		dst[n++] = i + 1 < src.n ? digits[v >> 6 & 63] : '=';
		dst[n++] = i + 2 < src.n ? digits[v & 63] : '=';
	}
	dst[n] = '\0';
	return n;
}

void screen_copy(struct screen *s, struct text what)
{
	const char *term = getenv("TERM");
	AUTO(fd_freep) char *code = NULL;

	if (what.n > SCREEN_COPY_MAX)
		what.n = SCREEN_COPY_MAX;
	code = fd_xcalloc(what.n / 3 * 4 + 8, 1);
	base64(code, what);
	send_after(s, "\033]52;c;");
	send_after(s, code);
	send_after(s, "\a");
	if (term && (strncmp(term, "tmux", 4) == 0 || strncmp(term, "screen", 6) == 0)) {
		send_after(s, "\033Ptmux;\033\033]52;c;"); /* arrives with allow-passthrough on */
		send_after(s, code);
		send_after(s, "\a\033\\");
	}
}

void screen_bell(struct screen *s)
{
	if (!screen_owes(s))
		beep();
}
