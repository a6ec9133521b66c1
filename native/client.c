/* The command that a user types: hands argv, cwd, environment and terminal to the engine, relays what comes back.
 * Starts the engine when there is none. It knows no verb; what it does itself is in start.c.
 * Frames (u32 length, u8 type, payload), to the engine: H hello, I stdin bytes (empty: the end), S signal, W size,
 * A the attached streams came apart. From it: G the hello was taken (nothing was done before that), O stdout, E stderr,
 * R send so many bytes of stdin (a fifth byte: unseen on the terminal), P join a keeper, Y run the command in a process of your own, L carry a
 * plan out (oci.c), X exit. */
#include "client.h"
#include "keeper.h"
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

static const int relayed[] = {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, SIGCONT, SIGWINCH};

static void set_terminal(struct client *c)
{
	struct termios t = c->saved;
	if (c->mode == RAW)
		cfmakeraw(&t);
	else if (c->mode == UNSEEN)
		t.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(0, TCSADRAIN, &t);
}

void terminal(struct client *c, int mode)
{
	if (mode == (int)c->mode || (!c->mode && tcgetattr(0, &c->saved)))
		return;
	c->mode = mode;
	set_terminal(c);
}

static struct winsize size_of_terminal(void)
{
	struct winsize w = {0};
	for (int fd = 0; fd < 3 && !w.ws_row; fd++)
		ioctl(fd, TIOCGWINSZ, &w);
	return w;
}

void send_size(struct client *c)
{
	struct winsize w = size_of_terminal();
	uint16_t size[2] = {w.ws_row, w.ws_col};
	frame_send(c->engine, 'W', size, sizeof size);
	if (c->oci.relay >= 0)
		ioctl(c->oci.relay, TIOCSWINSZ, &w);
	if (c->keeper >= 0 && c->mode) { /* straight, so that it works while the engine is away too */
		struct request r = {.type = 'R', .a = w.ws_row, .b = w.ws_col};
		send(c->keeper, &r, sizeof r, MSG_NOSIGNAL);
	}
}

/* version, cwd, root, tty bits, rows, columns, pid, argc, argv…, env…: each ended by a NUL. */
static int hello(struct client *c)
{
	char **env = c->env;
	struct buf b = {0};
	char text[128], cwd[4096];
	struct winsize w = size_of_terminal();
	if (!getcwd(cwd, sizeof cwd))
		strcpy(cwd, "/");
	snprintf(text, sizeof text, "%d", isatty(0) | isatty(1) << 1 | isatty(2) << 2);
	buf_add(&b, BUILD, sizeof BUILD);
	buf_add(&b, cwd, strlen(cwd) + 1);
	buf_add(&b, c->place.root, strlen(c->place.root) + 1);
	buf_add(&b, text, strlen(text) + 1);
	bool oci = c->place.oci >= 0;
	int n = snprintf(text, sizeof text, "%d%c%d%c%d%c%d", w.ws_row, 0, w.ws_col, 0, getpid(), 0, c->argc - 1 + oci);
	buf_add(&b, text, (size_t)n + 1);
	if (oci)
		buf_add(&b, "oci", 4);
	for (int i = 1; i < c->argc; i++)
		buf_add(&b, c->argv[i], strlen(c->argv[i]) + 1);
	for (; *env; env++)
		buf_add(&b, *env, strlen(*env) + 1);
	int r = frame_send(c->engine, 'H', b.p, b.n);
	free(b.p);
	return r;
}

/* Connects to the engine, or starts one, and hands it the command. */
bool engage(struct client *c)
{
	bool oci = c->place.oci >= 0;
	c->engine = oci && (c->place.standalone || getenv("HOIST_NO_ENGINE")) ? -1 : unix_connect(c->place.socket);
	if (c->engine < 0)
		c->engine = oci ? start_private(&c->private) : start_engine(&c->place);
	if (c->engine < 0)
		return false;
	pid_t pid;
	uid_t uid;
	if (peer_of(c->engine, &pid, &uid) && uid && uid != geteuid()) { /* it would get our environment and terminal */
		fprintf(stderr, "hoist: the engine at %s is that of user %u\nhint: name another --run-root\n", c->place.socket, uid);
		return false;
	}
	int r = hello(c);
	if (!r || r == -EPIPE || r == -ECONNRESET) /* it ends just now: reading tells */
		return true;
	fprintf(stderr, "hoist: the engine at %s does not take commands: %s\n", c->place.socket, strerror(-r));
	return false;
}

static void ended(struct client *c, struct ending e)
{
	struct __attribute__((packed)) {
		uint8_t type;
		int32_t code;
	} m = {e.type, e.code};
	terminal(c, COOKED);
	if (c->keeper >= 0)
		close(c->keeper);
	if (c->typed >= 0)
		close(c->typed);
	c->keeper = c->typed = -1;
	c->typing = false;
	c->last = e;
	if (c->engine >= 0)
		frame_send(c->engine, 'A', &m, sizeof m);
	else
		c->ended = true, c->code = e.type == 'X' ? e.code : e.type == 'D' ? 0 : 125;
}

/* P: u8 flags (1 stdin, 2 stdout, 4 stderr, 8 the container has a terminal), u8 length of the keys, keys, path. */
static void attach(struct client *c, const char *p, size_t n)
{
	char path[256], m[sizeof(struct hello) + MAX_KEYS];
	uint8_t flags = (uint8_t)p[0], keys = (uint8_t)p[1];
	if (n < 2u + keys || keys > MAX_KEYS || n - 2 - keys >= sizeof path)
		return ended(c, (struct ending){.type = 'L'});
	memcpy(path, p + 2 + keys, n - 2 - keys);
	path[n - 2 - keys] = '\0';
	int fds[3], count = 0, pipe_[2] = {-1, -1};
	if (flags & 1) {
		/* A terminal is read here: only its own job may read it, and raw mode comes before the first key. */
		c->typing = isatty(0);
		if (c->typing && pipe(pipe_))
			return ended(c, (struct ending){.type = 'L'});
		if (c->typing && flags & 8)
			terminal(c, RAW);
		fds[count++] = c->typing ? pipe_[0] : 0;
		c->typed = pipe_[1];
	}
	if (flags & 2)
		fds[count++] = 1;
	if (flags & 4)
		fds[count++] = 2;
	struct hello h = {'H', 'F', flags & 7, keys};
	memcpy(m, &h, sizeof h);
	memcpy(m + sizeof h, p + 2, keys);
	c->keeper = unix_connect(path);
	if (c->keeper < 0 || send_fds(c->keeper, m, sizeof h + keys, fds, count))
		ended(c, (struct ending){.type = 'L'});
	if (pipe_[0] >= 0)
		close(pipe_[0]);
	if (flags & 8)
		send_size(c);
}

static void frame(struct client *c, uint8_t type, const char *p, size_t n)
{
	int r;
	switch (type) {
	case 'G':
		c->taken = true;
		break;
	case 'O': case 'E':
		r = write_all(type == 'O' ? 1 : 2, p, n);
		if (r) {
			c->ended = true;
			c->code = 1;
			c->last.type = r == -EPIPE ? 'P' : c->last.type;
		}
		break;
	case 'R':
		if (n >= 4)
			memcpy(&c->credit, p, 4);
		terminal(c, n > 4 && p[4] ? UNSEEN : COOKED);
		break;
	case 'P':
		if (n >= 2)
			attach(c, p, n);
		break;
	case 'Y':
		oci_alone(c);
		break;
	case 'L':
		oci_carry(c, p, n);
		break;
	case 'X':
		c->ended = true;
		c->code = n ? (uint8_t)p[0] : 125;
		break;
	}
}

static void from_engine(struct client *c)
{
	char room[65536];
	ssize_t n = read(c->engine, room, sizeof room);
	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) { /* the engine is gone: what is attached goes on without it */
		close(c->engine);
		c->engine = -1;
		if (c->keeper >= 0 || c->oci.child)
			return;
		if (!c->taken && c->attempts++ < 5 && engage(c)) /* that one was dying when we came */
			return;
		fprintf(stderr, "hoist: the engine went away before it answered; run the command again\n");
		c->ended = true;
		c->code = 125;
		return;
	}
	buf_add(&c->in, room, (size_t)n);
	size_t at = 0;
	uint32_t length;
	pid_t private = c->private;
	while (!c->ended && c->private == private && c->in.n - at >= 5) {
		memcpy(&length, c->in.p + at, 4);
		if (length < 1 || c->in.n - at - 4 < length)
			break;
		frame(c, (uint8_t)c->in.p[at + 4], c->in.p + at + 5, length - 1);
		at += 4 + (size_t)length;
	}
	if (c->private != private) /* the rest is from the one before */
		at = c->in.n;
	memmove(c->in.p, c->in.p + at, c->in.n - at);
	c->in.n -= at;
}

static void from_stdin(struct client *c)
{
	char room[32768];
	size_t want = c->credit && c->credit < sizeof room ? c->credit : sizeof room;
	ssize_t n = read(0, room, want);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0)
		n = 0;
	if (c->typing) {
		if (n == 0) {
			close(c->typed);
			c->typed = -1;
			c->typing = false;
		} else {
			write_all(c->typed, room, (size_t)n);
		}
		return;
	}
	c->credit = n ? c->credit - (uint32_t)n : 0;
	frame_send(c->engine, 'I', room, (size_t)n);
}

static void from_keeper(struct client *c)
{
	struct ending e;
	ssize_t n = recv(c->keeper, &e, sizeof e, 0);
	if (n < 0 && errno == EINTR)
		return;
	ended(c, n == sizeof e ? e : (struct ending){.type = 'L'});
}

static void from_signals(struct client *c)
{
	struct signalfd_siginfo s;
	if (read(c->signals, &s, sizeof s) != sizeof s)
		return;
	uint8_t number = (uint8_t)s.ssi_signo;
	if (number == SIGCONT && c->mode) /* the shell that continued us has its own idea of the terminal */
		set_terminal(c);
	if (number == SIGWINCH || number == SIGCONT)
		send_size(c);
	if (oci_signal(&c->oci, number))
		return;
	if (number != SIGWINCH)
		frame_send(c->engine, 'S', &number, 1);
	if (number != SIGINT && number != SIGTERM)
		return;
	if (c->engine < 0) { /* nobody is there to do it */
		c->ended = true;
		c->code = 128 + number;
	} else if (++c->interrupts == 3) {
		fprintf(stderr, "\ngot 3 SIGTERM/SIGINTs, forcefully exiting\n");
		c->ended = true;
		c->code = 1;
	}
}

static int relay(struct client *c)
{
	while (!c->ended) {
		bool input = c->typing || c->credit;
		struct pollfd p[] = {{c->engine, POLLIN, 0}, {c->signals, POLLIN, 0}, {c->keeper, POLLIN, 0}, {input ? 0 : -1, POLLIN, 0}, {c->oci.relay, POLLIN, 0}, {c->oci.child ? c->oci.pidfd : -1, POLLIN, 0}};
		if (poll(p, 6, -1) < 0)
			continue;
		if (p[1].revents)
			from_signals(c);
		if (p[2].revents && c->keeper == p[2].fd)
			from_keeper(c);
		if (p[0].revents && c->engine >= 0)
			from_engine(c);
		if (p[3].revents && (c->typing || c->credit))
			from_stdin(c);
		if (p[4].revents && c->oci.relay == p[4].fd)
			oci_output(&c->oci);
		if (p[5].revents && c->oci.child)
			ended(c, (struct ending){.type = 'X', .code = oci_end(&c->oci)});
	}
	terminal(c, COOKED);
	if (c->last.type == 'P') { /* die as a writer to a closed pipe does */
		sigset_t pipe_only;
		sigemptyset(&pipe_only);
		sigaddset(&pipe_only, SIGPIPE);
		sigprocmask(SIG_UNBLOCK, &pipe_only, NULL);
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	return c->code;
}

int client_main(int argc, char **argv, char **env)
{
	title_room(argv); /* of what is forked off to stay */
	struct client c = {.argc = argc, .argv = argv, .env = env, .keeper = -1, .typed = -1, .oci = {.pidfd = -1, .relay = -1}};
	if (place_of(&c.place, argc, argv))
		return 125;
	if (c.place.oci >= 0)
		oci_begin(&c, argv);
	if (c.place.standalone)
		return run_standalone(&c.place, argv);
	signal(SIGPIPE, SIG_IGN); /* an engine that dies is no reason to die */
	if (!engage(&c))
		return 125;
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof relayed / sizeof *relayed; i++)
		sigaddset(&set, relayed[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	c.signals = signalfd(-1, &set, SFD_CLOEXEC);
	int code = relay(&c);
	if (c.private)
		oci_leave(&c);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return c.place.standalone && c.place.oci < 0 ? run_standalone(&c.place, argv) : code;
}
