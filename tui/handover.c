/*
 * Relaying between the operator's terminal and the tool's own: see handover.h. The terminal is in raw mode only while the tool owns it. A tool
 * in a pipeline starts in the background of its terminal: the operator's keys belong to the pager behind it until the tool reads and is
 * stopped for it (SIGTTIN), and only then we take the keys. A child puts the terminal right should we be killed.
 */
#include "tui/handover.h"

#include "core/err.h"
#include "core/fd.h"
#include "core/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { BUFFER = 16384, DRAIN_MS = 1000 };

struct relay {
	const struct handover *h;
	struct tool *tool;
	int terminal; /* of the operator, one of h->fds; -1 none */
	int master; /* of the tool's; -1 none */
	int out; /* where its output goes */
	int signals;
	int keeper;
	pid_t keeper_pid;
	struct termios before; /* of the operator's terminal */
	bool raw; /* the tool owns the keys */
	bool wants_keys; /* it did once, or asked for them */
	char keys[BUFFER]; /* typed, not taken yet */
	size_t n_keys;
	bool ended;
	int status; /* to return */
	struct err *err;
};

static const int forwarded[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP };

/* --- the operator's terminal --- */

static bool in_foreground(const struct relay *r)
{
	return tcgetpgrp(r->terminal) == getpgrp();
}

static void set_terminal(const struct relay *r, const struct termios *t)
{
	while (tcsetattr(r->terminal, TCSADRAIN, t) < 0 && errno == EINTR)
		;
}

static void go_raw(struct relay *r)
{
	struct termios raw = r->before, tools;

	if (r->raw || r->terminal < 0)
		return;
	cfmakeraw(&raw);
	set_terminal(r, &raw);
	r->raw = r->wants_keys = true;
	if (tcgetattr(r->master, &tools) == 0) { /* line ends are made by its terminal now, not by ours */
		tools.c_oflag |= r->before.c_oflag & OPOST;
		tcsetattr(r->master, TCSANOW, &tools);
	}
}

static void go_cooked(struct relay *r)
{
	if (r->raw)
		set_terminal(r, &r->before);
	r->raw = false;
}

/* Not even kill -9 may leave the terminal raw: this child waits for the pipe to close without a byte. */
static void start_keeper(struct relay *r)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	r->keeper_pid = fork();
	if (r->keeper_pid == 0) {
		char byte;

		for (size_t i = 0; i < ARRAY_LEN(forwarded); i++)
			signal(forwarded[i], SIG_IGN);
		signal(SIGTTOU, SIG_IGN);
		prctl(PR_SET_NAME, "nsdbg-terminal");
		dup2(r->terminal, STDIN_FILENO);
		dup2(ends[0], STDOUT_FILENO);
		close_range(2, ~0u, 0);
		if (read(STDOUT_FILENO, &byte, 1) != 1)
			tcsetattr(STDIN_FILENO, TCSANOW, &r->before);
		_exit(0);
	}
	close(ends[0]);
	r->keeper = ends[1];
}

static void stop_keeper(struct relay *r)
{
	if (r->keeper >= 0 && write(r->keeper, "q", 1) == 1 && r->keeper_pid > 0)
		waitpid(r->keeper_pid, NULL, 0);
	fd_closep(&r->keeper);
}

static void copy_size(const struct relay *r)
{
	struct winsize size;

	if (r->terminal >= 0 && ioctl(r->terminal, TIOCGWINSZ, &size) == 0)
		ioctl(r->master, TIOCSWINSZ, &size);
}

/* --- job control --- */

/* After fg we own the terminal again, after bg we do not. */
static void go_on(struct relay *r)
{
	if (r->terminal >= 0 && !r->raw && r->wants_keys && in_foreground(r)) {
		tcgetattr(r->terminal, &r->before);
		go_raw(r);
	}
	copy_size(r);
	tool_continue(r->tool, r->raw);
}

static void stop_ourselves(struct relay *r, int signal_number)
{
	sigset_t set, before;

	go_cooked(r);
	sigemptyset(&set);
	sigaddset(&set, signal_number);
	signal(signal_number, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &set, &before);
	raise(signal_number); /* as a child of the shell would stop; its fg or bg comes back here */
	sigprocmask(SIG_SETMASK, &before, NULL);
	go_on(r);
}

static void tool_stopped(struct relay *r, int why)
{
	bool wants_terminal = why == SIGTTIN || why == SIGTTOU;

	if (wants_terminal && r->terminal >= 0 && in_foreground(r)) {
		go_raw(r);
		tool_continue(r->tool, true);
		return;
	}
	r->wants_keys = r->wants_keys || wants_terminal;
	stop_ourselves(r, why == SIGSTOP ? SIGTSTP : why);
}

/* --- relaying --- */

static void take_keys(struct relay *r)
{
	ssize_t n = read(r->terminal, r->keys + r->n_keys, sizeof r->keys - r->n_keys);

	if (n > 0)
		r->n_keys += (size_t)n;
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		tool_signal(r->tool, SIGHUP); /* the terminal hung up */
	if (n == 0 || (n < 0 && errno == EIO))
		go_cooked(r);
}

static void give_keys(struct relay *r)
{
	ssize_t n = write(r->master, r->keys, r->n_keys);

	if (n <= 0)
		return;
	r->n_keys -= (size_t)n;
	memmove(r->keys, r->keys + n, r->n_keys);
}

/* False: nobody has the tool's terminal open any more. */
static bool take_output(struct relay *r)
{
	char buf[BUFFER];
	ssize_t n = read(r->master, buf, sizeof buf);

	if (n > 0 && fd_write_all(r->out, buf, (size_t)n) < 0)
		tool_signal(r->tool, SIGHUP);
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

/* What it wrote last: until the terminal's other end is closed by all. */
static void drain(struct relay *r)
{
	struct pollfd p = { .fd = r->master, .events = POLLIN };

	while (r->master >= 0 && poll(&p, 1, DRAIN_MS) > 0 && take_output(r))
		;
}

/* --- events --- */

static int status_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int failure(const struct tool_event *e)
{
	if (!e->exec_failed)
		return HANDOVER_FAILED;
	return e->code == ENOENT || e->code == ENOTDIR ? HANDOVER_NOT_FOUND : HANDOVER_NOT_EXECUTABLE;
}

static void failed(struct relay *r, const struct tool_event *e)
{
	r->ended = true;
	r->status = failure(e);
	if (r->status == HANDOVER_NOT_FOUND)
		err_set(r->err, e->code, "%s: no such program; the tool is looked for in PATH and where --root or --ns mnt lead", e->msg);
	else if (e->exec_failed)
		err_set(r->err, e->code, "%s cannot be executed: %s", e->msg, strerror(e->code));
	else
		err_set(r->err, e->code, "%s", e->msg);
}

static void serve_tool(struct relay *r)
{
	struct tool_event e;

	for (tool_read(r->tool, &e); e.type != TOOL_NOTHING && !r->ended; tool_read(r->tool, &e)) {
		if (e.type == TOOL_NOTE && r->h->note)
			r->h->note(r->h->arg, e.msg);
		if (e.type == TOOL_STOPPED)
			tool_stopped(r, WSTOPSIG(e.status));
		if (e.type == TOOL_FAILED)
			failed(r, &e);
		if (e.type == TOOL_ENDED) {
			r->ended = true;
			r->status = status_of(e.status);
		}
	}
}

static void serve_signals(struct relay *r)
{
	struct signalfd_siginfo info;

	while (read(r->signals, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGWINCH)
			copy_size(r);
		else if (info.ssi_signo == SIGCONT)
			go_on(r); /* bg, then fg: we never stopped in between */
		else
			tool_signal(r->tool, (int)info.ssi_signo);
	}
}

static void relay(struct relay *r)
{
	while (!r->ended) {
		struct pollfd p[] = { { .fd = tool_fd(r->tool), .events = POLLIN }, { .fd = r->signals, .events = POLLIN },
			{ .fd = r->master, .events = (short)(POLLIN | (r->n_keys ? POLLOUT : 0)) },
			{ .fd = r->raw && r->n_keys < sizeof r->keys ? r->terminal : -1, .events = POLLIN } };

		if (poll(p, ARRAY_LEN(p), -1) < 0)
			continue;
		if (p[2].revents & POLLIN)
			take_output(r);
		if (p[2].revents & POLLOUT)
			give_keys(r);
		if (p[3].revents)
			take_keys(r);
		if (p[1].revents)
			serve_signals(r);
		if (p[0].revents)
			serve_tool(r);
	}
	drain(r);
}

/* --- setting up --- */

/* Each of 0, 1, 2 that is a terminal becomes the tool's own. */
static int open_terminal(struct relay *r, int *ret_slave, struct err *err)
{
	struct tool_spec *spec = r->h->spec;
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	bool both;
	int e;

	memcpy(spec->fds, r->h->fds, sizeof spec->fds);
	for (int i = 2; i >= 0; i--)
		if (isatty(spec->fds[i]))
			r->terminal = spec->fds[i];
	if (r->terminal < 0)
		return 0;
	ioctl(r->terminal, TIOCGWINSZ, &size);
	if (tcgetattr(r->terminal, &r->before) < 0)
		return err_set(err, errno, "look at the terminal");
	e = tool_pty(&size, r->terminal, &r->master, ret_slave, err);
	if (e < 0)
		return e;
	both = isatty(spec->fds[0]) && isatty(spec->fds[1]);
	r->out = isatty(spec->fds[1]) ? spec->fds[1] : isatty(spec->fds[2]) ? spec->fds[2] : spec->fds[0];
	for (int i = 0; i < 3; i++)
		if (isatty(spec->fds[i]))
			spec->fds[i] = *ret_slave;
	spec->flags |= TOOL_TERMINAL | (both && in_foreground(r) ? TOOL_FOREGROUND : 0);
	fcntl(r->master, F_SETFL, O_RDWR | O_NONBLOCK);
	return 0;
}

/* Until we are raw, the operator's terminal makes the line ends. */
static void prepare_terminal(struct relay *r)
{
	struct termios tools;

	if (r->terminal < 0)
		return;
	start_keeper(r);
	if (r->h->spec->flags & TOOL_FOREGROUND) {
		go_raw(r);
	} else if (tcgetattr(r->master, &tools) == 0) {
		tools.c_oflag &= ~(tcflag_t)OPOST;
		tcsetattr(r->master, TCSANOW, &tools);
	}
}

static void block_signals(struct relay *r, sigset_t *ret_before)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(forwarded); i++)
		sigaddset(&set, forwarded[i]);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGCONT);
	sigprocmask(SIG_BLOCK, &set, ret_before);
	r->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int handover_run(const struct handover *h, struct err *err)
{
	struct relay r = { .h = h, .terminal = -1, .master = -1, .signals = -1, .keeper = -1, .status = HANDOVER_FAILED, .err = err };
	AUTO(fd_closep) int slave = -1;
	sigset_t before;

	if (open_terminal(&r, &slave, err) < 0)
		return HANDOVER_FAILED;
	block_signals(&r, &before);
	prepare_terminal(&r);
	r.tool = session_tool(h->session, h->spec, err);
	fd_closep(&slave); /* the tool's end is the tool's alone */
	if (r.tool)
		relay(&r);
	go_cooked(&r);
	stop_keeper(&r);
	tool_free(r.tool);
	fd_closep(&r.master);
	fd_closep(&r.signals);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r.status;
}
