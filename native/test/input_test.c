/* What goes into a program through its keeper: stdin and its end, terminals, detach keys; and clients that mean no good. */
#include "kept.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

static void cat(void)
{
	static char room[65536];
	ssize_t n;
	while ((n = read(0, room, sizeof room)) > 0)
		write_all(1, room, (size_t)n);
	write_all(1, "<end>", 5);
}

static void pipe_of(int p[2])
{
	CHECK(!pipe2(p, O_CLOEXEC));
}

TEST(stdin_once, "input: the end of stdin reaches the program where it is to, and not otherwise")
{
	for (uint32_t once = 0; once < 2; once++) {
		struct kept k = keep((struct how){.program = cat, .flags = once ? KEEP_STDIN_ONCE : 0, .expect = 2});
		int control = join_control(&k), in[2], out[2];
		pipe_of(in);
		pipe_of(out);
		int sock = join_fds(&k, in[0], out[1], -1, "");
		close(in[0]);
		close(out[1]);
		CHECK_EQ(write(in[1], "one\n", 4), 4);
		EXPECT(out[0], "one\n");
		close(in[1]);
		if (once) {
			EXPECT(out[0], "<end>");
		} else { /* another one may come and go on */
			int more[2];
			pipe_of(more);
			int second = join_fds(&k, more[0], -1, -1, "");
			CHECK_EQ(write(more[1], "two\n", 4), 4);
			EXPECT(out[0], "two\n");
			ask(control, 'K', SIGKILL, 0);
			close(second);
			close(more[0]);
			close(more[1]);
		}
		CHECK_EQ(ending_of(control).code, once ? 0 : 137);
		close(sock);
		close(out[0]);
		close(control);
		kept_ended(&k);
	}
}

static void not_interested(void)
{
	close(0);
	write_all(1, "closed", 6);
	sleep(1);
}

TEST(stdin_closed, "input: a program that closes its stdin: what is sent to it goes nowhere, and the sender goes on")
{
	struct kept k = keep((struct how){.program = not_interested, .expect = 1});
	int in[2], out[2];
	static char much[1 << 20];
	pipe_of(in);
	pipe_of(out);
	int sock = join_fds(&k, in[0], out[1], -1, "");
	close(in[0]);
	close(out[1]);
	EXPECT(out[0], "closed");
	CHECK_EQ(write_all(in[1], much, sizeof much), 0); /* a pipe holds less: somebody takes it */
	CHECK_EQ(ending_of(sock).code, 0);
	kept_ended(&k);
}

TEST(through, "input: 8 MB through cat and back, by pipe and by socket")
{
	static char data[8 << 20];
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (char)(i * 2654435761u >> 13);
	for (int stream = 0; stream < 2; stream++) {
		struct kept k = keep((struct how){.program = cat, .no_log = true, .flags = KEEP_STDIN_ONCE, .expect = 1});
		int in[2], out[2];
		pipe_of(in);
		pipe_of(out);
		int sock = stream ? join_stream(&k, 3) : join_fds(&k, in[0], out[1], -1, "");
		close(out[1]);
		pid_t writer = fork();
		if (writer == 0) {
			close(in[0]);
			int to = stream ? sock : in[1];
			int r = write_all(to, data, sizeof data);
			shutdown(to, SHUT_WR);
			_exit(r != 0);
		}
		close(in[0]);
		close(in[1]);
		struct buf b = read_to_end(stream ? sock : out[0]), plain = {0};
		for (size_t at = 0; stream && at < b.n;) { /* type, three zeros, length big endian */
			const uint8_t *h = (const uint8_t *)b.p + at;
			size_t n = (size_t)h[4] << 24 | (size_t)h[5] << 16 | (size_t)h[6] << 8 | h[7];
			CHECK(at + 8 + n <= b.n && !h[1] && !h[2] && !h[3]);
			if (h[0] == 1)
				buf_add(&plain, b.p + at + 8, n);
			else
				CHECK(h[0] == 'X' && n == 4 && !memcmp(h + 8, "\0\0\0\0", 4) && at + 12 == b.n);
			at += 8 + n;
		}
		const struct buf *got = stream ? &plain : &b;
		CHECK_EQ(got->n, sizeof data + 5);
		CHECK(!memcmp(got->p, data, sizeof data) && !memcmp(got->p + sizeof data, "<end>", 5));
		int status;
		CHECK(waitpid(writer, &status, 0) == writer && status == 0);
		free(b.p);
		free(plain.p);
		close(sock);
		close(out[0]);
		kept_ended(&k);
	}
}

struct desk {
	struct kept k;
	int control, sock, in, out, watcher, seen; /* the watcher sees what the program says after the client has left */
};

/* A terminal with `cat` on it, and one client with the keys ctrl-p ctrl-q. */
static struct desk at_desk(const char *keys)
{
	struct desk d = {.k = keep((struct how){.program = cat, .tty = true, .expect = 3})};
	int in[2], out[2], seen[2];
	pipe_of(in);
	pipe_of(out);
	pipe_of(seen);
	d.control = join_control(&d.k);
	d.watcher = join_fds(&d.k, -1, seen[1], -1, "");
	close(seen[1]);
	d.seen = seen[0];
	d.sock = join_fds(&d.k, in[0], out[1], -1, keys);
	close(in[0]);
	close(out[1]);
	d.in = in[1];
	d.out = out[0];
	return d;
}

static void type(const struct desk *d, const char *text)
{
	CHECK_EQ(write(d->in, text, strlen(text)), (ssize_t)strlen(text));
}

static void leave(struct desk *d, bool detached)
{
	if (detached) {
		CHECK_EQ(ending_of(d->sock).type, 'D');
		CHECK(!kill(d->k.program, 0));
	}
	ask(d->control, 'K', SIGKILL, 0);
	CHECK_EQ(ending_of(d->control).code, 137);
	close(d->sock);
	close(d->control);
	close(d->watcher);
	close(d->seen);
	close(d->in);
	close(d->out);
	kept_ended(&d->k);
}

TEST(detach, "input: the detach keys detach; the program goes on")
{
	struct desk d = at_desk("\x10\x11");
	type(&d, "a");
	EXPECT(d.out, "a");
	type(&d, "\x10\x11");
	leave(&d, true);
}

TEST(detach_split, "input: detach keys that come in two reads")
{
	struct desk d = at_desk("\x10\x11");
	type(&d, "\x10");
	usleep(100000);
	type(&d, "\x11");
	leave(&d, true);
}

TEST(detach_after, "input: what was typed before the detach keys, in the same read, arrives")
{
	struct desk d = at_desk("\x10\x11");
	type(&d, "last words\x10\x11never");
	EXPECT(d.seen, "last words");
	leave(&d, true);
}

TEST(detach_broken, "input: keys that are not the whole sequence are passed on, in order")
{
	struct desk d = at_desk("\x10\x11");
	type(&d, "\x10x");
	EXPECT(d.out, "\x10x");
	type(&d, "\x10");
	usleep(50000);
	type(&d, "y\x11z");
	EXPECT(d.out, "\x10y\x11z");
	type(&d, "\x10\x10\x11"); /* the second begins it anew */
	EXPECT(d.seen, "\x10x\x10y\x11z\x10");
	leave(&d, true);
}

TEST(detach_repeated, "input: a sequence that begins like itself is found where it begins late")
{
	struct desk d = at_desk("aab");
	type(&d, "aaab");
	EXPECT(d.seen, "a");
	leave(&d, true);
}

TEST(no_keys, "input: without a sequence every byte is passed on")
{
	struct desk d = at_desk("");
	type(&d, "\x10\x11");
	EXPECT(d.out, "\x10\x11");
	leave(&d, false);
}

static void tell_size(int s)
{
	(void)s;
	struct winsize w;
	if (!ioctl(0, TIOCGWINSZ, &w))
		dprintf(1, "%d %d\n", w.ws_row, w.ws_col);
}

static void watch_size(void)
{
	signal(SIGWINCH, tell_size);
	write_all(1, "ready\n", 6);
	for (;;)
		pause();
}

TEST(resized, "input: a resize reaches the terminal, from a client and from the engine")
{
	struct kept k = keep((struct how){.program = watch_size, .tty = true, .expect = 2});
	int control = join_control(&k), out[2];
	pipe_of(out);
	int sock = join_fds(&k, -1, out[1], -1, "");
	close(out[1]);
	EXPECT(out[0], "ready\n");
	ask(sock, 'R', 40, 132);
	EXPECT(out[0], "40 132\n");
	ask(control, 'R', 24, 80);
	EXPECT(out[0], "24 80\n");
	ask(control, 'K', SIGKILL, 0);
	CHECK_EQ(ending_of(control).code, 137);
	kept_ended(&k);
}

/* The keeper takes new clients and its descriptors are as many as before. */
static void check_unharmed(const struct kept *k, int fds)
{
	int out[2];
	pipe_of(out);
	int sock = join_fds(k, -1, out[1], -1, "");
	close(out[1]);
	struct request bad = {.type = 'R'};
	CHECK_EQ(send(sock, &bad, sizeof bad, 0), (ssize_t)sizeof bad);
	close(sock);
	for (int tries = 0; test_fds(k->keeper) != fds; tries++) {
		if (tries == 200)
			CHECK_EQ(test_fds(k->keeper), fds);
		usleep(10000);
	}
	close(out[0]);
	CHECK(!kill(k->program, 0));
}

static void expect_refused(int sock)
{
	char c;
	struct pollfd ready = {sock, POLLIN, 0};
	CHECK(poll(&ready, 1, 20000) == 1);
	CHECK(recv(sock, &c, 1, 0) <= 0);
	close(sock);
}

TEST(hostile_hello, "input: attack: hellos that are none")
{
	struct kept k = keep((struct how){.program = cat, .expect = 1});
	int control = join_control(&k);
	usleep(100000);
	int fds = test_fds(k.keeper);
	const struct {
		char m[48];
		size_t n;
		int count;
	} cases[] = {
		{"X", 1, 0}, {"HF", 2, 0},             /* cut short */
		{"GF\0\0", 4, 0},                      /* not ours */
		{"HZ\0\0", 4, 0}, {"H\0\0\0", 4, 0},   /* no such mode */
		{"HF\0\x21" "0123456789012345678901234567890123456789", 44, 0}, /* more keys than there is room for */
		{"HF\0\xff", 4, 0}, {"HF\0\4abc", 7, 0}, /* keys that do not come */
		{"HF\7\0", 4, 0}, {"HF\7\0", 4, 2},    /* descriptors that do not come */
		{"HF\1\0", 4, 3}, {"HF\0\0", 4, 1},    /* more than was said */
		{"HC\0\0", 4, 3}, {"HS\0\0", 4, 3},    /* descriptors that nobody asked for */
		{"ZZZZ", 4, 4},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int sock = join_raw(&k);
		CHECK_EQ(send_fds(sock, cases[i].m, cases[i].n, (int[]){0, 1, 2, 2}, cases[i].count), 0);
		expect_refused(sock);
	}
	close(join_raw(&k)); /* comes and goes */
	int silent = join_raw(&k); /* says nothing: nobody waits for it */
	check_unharmed(&k, fds + 1);
	close(silent);
	check_unharmed(&k, fds);
	ask(control, 'K', SIGKILL, 0);
	CHECK_EQ(ending_of(control).code, 137);
	kept_ended(&k);
}

TEST(hostile_requests, "input: attack: requests that are none")
{
	struct kept k = keep((struct how){.program = cat, .expect = 1});
	int control = join_control(&k);
	usleep(100000);
	int fds = test_fds(k.keeper), bad = join_control(&k);
	ask(bad, 'K', 0, 0);
	ask(bad, 'K', 65535, 0);
	ask(bad, 'Q', 9, 9);
	ask(bad, 'R', 65535, 65535);
	CHECK_EQ(send(bad, "K", 1, 0), 1); /* half a request */
	expect_refused(bad);
	check_unharmed(&k, fds);
	ask(control, 'K', SIGKILL, 0);
	CHECK_EQ(ending_of(control).code, 137);
	kept_ended(&k);
}

TEST(crowd, "input: attack: four hundred connections")
{
	struct kept k = keep((struct how){.program = cat, .expect = 1});
	int control = join_control(&k), crowd[400];
	usleep(100000);
	int fds = test_fds(k.keeper);
	for (int i = 0; i < 400; i++)
		crowd[i] = join_raw(&k);
	for (int tries = 0; test_fds(k.keeper) < fds + 200 && tries < 100; tries++)
		usleep(10000);
	CHECK(test_fds(k.keeper) < fds + 300);
	for (int i = 0; i < 400; i++)
		close(crowd[i]);
	check_unharmed(&k, fds);
	ask(control, 'K', SIGKILL, 0);
	CHECK_EQ(ending_of(control).code, 137);
	kept_ended(&k);
}
