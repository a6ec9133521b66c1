/* See kept.h. */
#include "kept.h"
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>

enum { LISTEN, IN, OUT, ERR, TTY };

static void raw(int fd)
{
	struct termios t;
	CHECK(!tcgetattr(fd, &t));
	cfmakeraw(&t);
	CHECK(!tcsetattr(fd, TCSANOW, &t));
}

/* The program's side of its streams in fds[0..2], the keeper's in the slots. */
static void open_streams(struct run *run, const struct how *how, int fds[3])
{
	int p[2];
	if (how->tty) {
		int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
		CHECK(master >= 0 && !grantpt(master) && !unlockpt(master));
		fds[0] = fds[1] = fds[2] = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
		CHECK(fds[0] >= 0);
		raw(fds[0]);
		run->slot[TTY] = master;
		return;
	}
	for (int i = 0; i < 3; i++) {
		CHECK(!pipe2(p, O_CLOEXEC));
		fds[i] = p[i ? 1 : 0];
		run->slot[IN + i] = p[i ? 0 : 1];
	}
	if (how->no_stdin) {
		close(run->slot[IN]);
		close(fds[0]);
		fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
}

static _Noreturn void be_program(const struct how *how, const int fds[3])
{
	setsid();
	if (how->tty)
		ioctl(fds[0], TIOCSCTTY, 0);
	for (int i = 0; i < 3; i++)
		dup2(fds[i], i);
	syscall(SYS_close_range, 3u, ~0u, 0);
	signal(SIGPIPE, SIG_DFL);
	how->program();
	_exit(0);
}

static _Noreturn void be_keeper(const struct kept *k, const struct how *how, int listen, int told)
{
	static struct plan plan;
	struct run run;
	int fds[3];
	run_init(&run, &plan);
	run.slot[LISTEN] = listen;
	open_streams(&run, how, fds);
	run.child = fork();
	if (run.child == 0)
		be_program(how, fds);
	run.child_pidfd = (int)syscall(SYS_pidfd_open, run.child, 0);
	fcntl(run.child_pidfd, F_SETFD, FD_CLOEXEC);
	for (int i = 0; i < (how->tty ? 1 : 3); i++)
		close(fds[i]);
	CHECK(!write_all(told, &run.child, sizeof run.child));
	close(told);
	struct op op = {.code = OP_KEEP};
	op.keep = (struct op_keep){
		.listen = LISTEN,
		.in = how->tty || how->no_stdin ? NO_SLOT : IN,
		.out = how->tty ? NO_SLOT : OUT,
		.err = how->tty ? NO_SLOT : ERR,
		.tty = how->tty ? TTY : NO_SLOT,
		.log = {how->no_log ? "" : k->log, 0},
		.logFiles = 1,
		.exitPath = {k->record, 0},
		.oomPath = {"", 0},
		.flags = how->flags,
		.expect = how->expect,
	};
	do_keep(&run, &op);
	_exit(99);
}

struct kept keep(struct how how)
{
	struct kept k = {.socket = strdup(test_path("socket")), .log = strdup(test_path("log")), .record = strdup(test_path("exit"))};
	int told[2], listen = unix_listen(k.socket, 0600);
	CHECK(listen >= 0 && !pipe2(told, O_CLOEXEC));
	k.keeper = fork();
	if (k.keeper == 0) {
		close(told[0]);
		be_keeper(&k, &how, listen, told[1]);
	}
	close(listen);
	close(told[1]);
	CHECK(!read_all(told[0], &k.program, sizeof k.program));
	close(told[0]);
	return k;
}

void kept_ended(struct kept *k)
{
	int status = -1;
	CHECK_EQ(waitpid(k->keeper, &status, 0), k->keeper);
	CHECK_EQ(status, 0);
	free((void *)k->socket);
	free((void *)k->log);
	free((void *)k->record);
}

int join_raw(const struct kept *k)
{
	int sock = unix_connect(k->socket);
	CHECK(sock >= 0);
	return sock;
}

static int join(const struct kept *k, struct hello h, const char *keys, const int *fds, int count)
{
	char m[sizeof h + MAX_KEYS];
	int sock = join_raw(k);
	h.magic = 'H';
	h.keys = (uint8_t)strlen(keys);
	memcpy(m, &h, sizeof h);
	memcpy(m + sizeof h, keys, h.keys);
	CHECK_EQ(send_fds(sock, m, sizeof h + h.keys, fds, count), 0);
	return sock;
}

int join_fds(const struct kept *k, int in, int out, int err, const char *keys)
{
	int all[] = {in, out, err}, fds[3], count = 0;
	struct hello h = {.mode = 'F'};
	for (int i = 0; i < 3; i++)
		if (all[i] >= 0) {
			h.flags |= (uint8_t)(1 << i);
			fds[count++] = all[i];
		}
	return join(k, h, keys, fds, count);
}

int join_stream(const struct kept *k, uint8_t flags)
{
	return join(k, (struct hello){.mode = 'S', .flags = flags}, "", NULL, 0);
}

int join_control(const struct kept *k)
{
	struct ending e;
	int sock = join(k, (struct hello){.mode = 'C'}, "", NULL, 0);
	CHECK(!read_all(sock, &e, sizeof e));
	CHECK(e.type == 'I');
	CHECK_EQ(e.code, k->program);
	return sock;
}

void ask(int sock, char type, uint16_t a, uint16_t b)
{
	struct request r = {.type = (uint8_t)type, .a = a, .b = b};
	CHECK_EQ(send(sock, &r, sizeof r, MSG_NOSIGNAL), (ssize_t)sizeof r);
}

struct ending ending_of(int sock)
{
	struct ending e = {.type = 'I'};
	while (e.type == 'I') /* who it is, for a control connection that has not read it yet */
		CHECK(!read_all(sock, &e, sizeof e));
	return e;
}

struct buf read_to_end(int fd)
{
	struct buf b = {0};
	static char room[65536];
	for (ssize_t n; (n = read(fd, room, sizeof room)) > 0;)
		buf_add(&b, room, (size_t)n);
	return b;
}

void expect_bytes(int fd, const void *p, size_t n)
{
	char *got = malloc(n + 1);
	size_t have = 0;
	while (have < n) {
		struct pollfd ready = {fd, POLLIN, 0};
		CHECK(poll(&ready, 1, 20000) == 1);
		ssize_t r = read(fd, got + have, n - have);
		CHECK(r > 0);
		have += (size_t)r;
	}
	got[n] = '\0';
	if (memcmp(got, p, n))
		printf("# got: %s\n", got);
	CHECK(!memcmp(got, p, n));
	free(got);
}
