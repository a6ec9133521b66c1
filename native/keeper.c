/* The keeper: stays with one container (or one exec), outlives the engine. Moves its streams, writes its log, notes
 * its end. Back-pressure: a source is read only while every reader has room, so nothing is lost and nothing grows. */
#include "keeper.h"
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_CONNS 256u

#define GATHER_BYTES (256u << 10)
#define GATHER_US 100
#define SETTLE_MS 2000

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t now_ms(void)
{
	return now_us() / 1000;
}

static bool complete(const struct keeper *k)
{
	return k->seen >= k->expect || now_ms() >= k->deadline;
}

static void join(struct keeper *k)
{
	int fd = accept4(k->listen, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return;
	struct conn *grown = k->conns < MAX_CONNS ? realloc(k->conn, (k->conns + 1) * sizeof *grown) : NULL;
	if (!grown) {
		close(fd);
		return;
	}
	k->conn = grown;
	k->conn[k->conns++] = (struct conn){.fd = fd, .in = -1, .sink = {{.fd = -1}, {.fd = -1}}};
}

static void forget_closed(struct keeper *k)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < k->conns; i++)
		if (k->conn[i].fd >= 0)
			k->conn[n++] = k->conn[i];
	k->conns = n;
}

/* The one reader that a source's pages can be moved to without a copy, or NULL. */
static struct sink *only_pipe(struct keeper *k, int stream)
{
	struct sink *one = NULL;
	if (k->log.fd >= 0 || k->tty >= 0)
		return NULL;
	for (uint32_t i = 0; i < k->conns; i++) {
		struct sink *s = &k->conn[i].sink[stream];
		if (s->kind == SINK_NONE)
			continue;
		if (one || s->no_splice || s->pend.n || (s->kind != SINK_PIPE && s->kind != SINK_FILE))
			return NULL;
		one = s;
	}
	return one;
}

static void source_end(struct keeper *k, int stream)
{
	if (k->source[stream] != k->tty)
		close(k->source[stream]);
	k->source[stream] = -1;
}

/* Reads a source once and gives it to the log and to every reader. False: nothing more to be had now. */
static bool pass_on(struct keeper *k, int stream)
{
	static char room[1 << 16];
	struct sink *one = only_pipe(k, stream);
	if (one) {
		ssize_t n = splice(k->source[stream], NULL, one->fd, NULL, 1 << 20, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		if (n > 0) {
			k->moved += (size_t)n;
			return true;
		}
		if (n == 0) {
			source_end(k, stream);
			return false;
		}
		if (errno == EAGAIN) { /* either side: where the source has something, it is the reader */
			one->blocked = poll(&(struct pollfd){k->source[stream], POLLIN, 0}, 1, 0) > 0;
			return false;
		}
		one->no_splice = true; /* a terminal, a file opened for appending, a reader that is gone: write() tells */
	}
	ssize_t n = read(k->source[stream], room, sizeof room);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) { /* a pty's master says EIO when the last one has closed the other side */
		source_end(k, stream);
		return false;
	}
	log_add(&k->log, stream, room, (size_t)n);
	for (uint32_t i = 0; i < k->conns; i++)
		sink_put(&k->conn[i], stream, room, (size_t)n);
	return true;
}

static bool readers_have_room(const struct keeper *k, int stream)
{
	for (uint32_t i = 0; i < k->conns; i++) {
		const struct conn *c = &k->conn[i];
		for (int s = 0; s < 2; s++)
			if (c->sink[s].blocked && (s == stream || c->sink[s].kind == SINK_STREAM))
				return false;
	}
	return true;
}

static bool out_of_memory(const char *path)
{
	char line[128];
	unsigned long long n = 0;
	FILE *f = *path ? fopen(path, "re") : NULL;
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "oom_kill %llu", &n) == 1)
			break;
	if (f)
		fclose(f);
	return n > 0;
}

/* The exit record is on disk before anybody hears of the exit: an engine that was not there reads it later. */
static void write_exit_record(const struct keeper *k)
{
	char temp[4096], text[256], when[64];
	struct timespec t;
	struct tm tm;
	if (!*k->op->exitPath.p)
		return;
	clock_gettime(CLOCK_REALTIME, &t);
	gmtime_r(&t.tv_sec, &tm);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &tm);
	int n = snprintf(text, sizeof text, "{\"exitCode\":%d,\"oomKilled\":%s,\"finishedAt\":\"%s.%09ldZ\"}\n", k->end.code, k->end.oom ? "true" : "false", when, t.tv_nsec);
	snprintf(temp, sizeof temp, "%s.tmp", k->op->exitPath.p);
	if (!put_file(-100 /* AT_FDCWD */, temp, text, (size_t)n, O_WRONLY | O_CREAT | O_TRUNC, 0600))
		rename(temp, k->op->exitPath.p);
}

static void child_ended(struct keeper *k)
{
	siginfo_t info = {0};
	if (waitid(P_PID, (id_t)k->run->child, &info, WEXITED | __WALL) < 0)
		info.si_code = CLD_EXITED;
	k->end = (struct ending){.type = 'X', .code = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status};
	k->end.oom = out_of_memory(k->op->oomPath.p);
	k->exited = true;
	/* whatever is left in the pipes was written before the end: a bounded amount */
	for (int s = 0; s < 2; s++)
		while (k->source[s] >= 0 && complete(k) && readers_have_room(k, s) && pass_on(k, s))
			;
}

/* Everything written is in the log and on its way: the end can be told. */
static bool drained(const struct keeper *k)
{
	return k->exited && complete(k) && readers_have_room(k, 0) && readers_have_room(k, 1);
}

struct watch {
	struct pollfd fd[8 + MAX_CONNS * 4];
	struct {
		uint8_t what;
		uint32_t conn;
	} of[8 + MAX_CONNS * 4];
	nfds_t n;
};
enum { W_LISTEN, W_CHILD, W_OUT, W_ERR, W_FEED, W_CONN, W_IN, W_SINK0, W_SINK1 };

static void watch(struct watch *w, int fd, short events, uint8_t what, uint32_t conn)
{
	w->fd[w->n] = (struct pollfd){fd, events, 0};
	w->of[w->n].what = what;
	w->of[w->n++].conn = conn;
}

static void watch_all(struct keeper *k, struct watch *w)
{
	w->n = 0;
	watch(w, k->listen, POLLIN, W_LISTEN, 0);
	for (int s = 0; s < 2; s++)
		if (k->source[s] >= 0 && complete(k) && readers_have_room(k, s))
			watch(w, k->source[s], POLLIN, (uint8_t)(W_OUT + s), 0);
	if (k->feed_blocked && (k->tty >= 0 || k->feed >= 0))
		watch(w, k->tty >= 0 ? k->tty : k->feed, POLLOUT, W_FEED, 0);
	for (uint32_t i = 0; i < k->conns; i++) {
		struct conn *c = &k->conn[i];
		bool feeds = c->in >= 0 && !k->feed_blocked && !k->exited;
		/* in mode 'S' the socket is the input as well; without room only its end is of interest */
		watch(w, c->fd, c->mode == 'S' && !(c->in == c->fd && feeds) ? 0 : POLLIN, W_CONN, i);
		if (feeds && c->in != c->fd)
			watch(w, c->in, POLLIN, W_IN, i);
		for (int s = 0; s < 2; s++)
			if (c->sink[s].blocked)
				watch(w, c->sink[s].fd, POLLOUT, (uint8_t)(W_SINK0 + s), i);
	}
	if (!k->exited) /* last: what it wrote before is taken first */
		watch(w, k->run->child_pidfd, POLLIN, W_CHILD, 0);
}

static void on_conn(struct keeper *k, struct conn *c, short events)
{
	if (!c->mode)
		conn_hello(k, c);
	else if (c->mode != 'S')
		conn_request(k, c);
	else if (c->in == c->fd && events & POLLIN)
		conn_input(k, c);
	else if (events & (POLLHUP | POLLERR))
		conn_close(c);
}

static void on_event(struct keeper *k, uint8_t what, struct conn *c, short events)
{
	switch (what) {
	case W_LISTEN: join(k); break;
	case W_CHILD: child_ended(k); break;
	case W_OUT: case W_ERR: pass_on(k, what - W_OUT); break;
	case W_FEED: k->feed_blocked = !feed_flush(k); break;
	case W_CONN: on_conn(k, c, events); break;
	case W_IN: conn_input(k, c); break;
	default:
		if (c->fd >= 0 && c->sink[what - W_SINK0].blocked)
			sink_flush(c, what - W_SINK0);
	}
}

/* A busy stream in small pieces: waking up for each would take the processor from who writes them. A moment's
 * wait lets them gather; a stream that was quiet before is never made to wait. */
static void gather(struct keeper *k)
{
	int64_t now = now_us();
	bool busy = k->moved && k->moved < GATHER_BYTES && now - k->last_moved < GATHER_US * 4;
	if (k->moved)
		k->last_moved = now;
	k->moved = 0;
	if (busy)
		nanosleep(&(struct timespec){0, GATHER_US * 1000}, NULL);
}

/* Setting a container up has mapped nearly all of the program, joining its streams a part; keeping it needs a few pages,
 * which come back by themselves. What nobody maps costs no memory, times the number of containers. */
static void forget_program(void)
{
	extern char __executable_start[], __init_array_start[]; /* from here on it has been written to: relocations */
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), end = (uintptr_t)__init_array_start & ~(page - 1);
	madvise(__executable_start, end - (uintptr_t)__executable_start, MADV_DONTNEED);
}

static void turn(struct keeper *k, int timeout)
{
	static struct watch w;
	watch_all(k, &w);
	int n = poll(w.fd, w.n, timeout);
	if (!n && timeout == SETTLE_MS) {
		k->settled = true;
		forget_program();
	}
	if (n < 0)
		return;
	for (nfds_t i = 0; i < w.n; i++) {
		if (!w.fd[i].revents)
			continue;
		struct conn *c = w.of[i].what >= W_CONN ? &k->conn[w.of[i].conn] : NULL;
		if (!c || c->fd >= 0)
			on_event(k, w.of[i].what, c, w.fd[i].revents);
	}
	forget_closed(k);
	gather(k);
}

static bool delivered(const struct keeper *k)
{
	for (uint32_t i = 0; i < k->conns; i++)
		if (!conn_idle(&k->conn[i]))
			return false;
	return true;
}

int do_keep(struct run *run, const struct op *op)
{
	const struct op_keep *o = &op->keep;
	struct keeper k = {.run = run, .op = o, .expect = o->expect, .deadline = now_ms() + 10000};
	k.listen = slot_fd(run, o->listen);
	k.tty = o->tty == NO_SLOT ? -1 : slot_fd(run, o->tty);
	k.feed = o->in == NO_SLOT ? -1 : slot_fd(run, o->in);
	k.source[0] = k.tty >= 0 ? k.tty : o->out == NO_SLOT ? -1 : slot_fd(run, o->out);
	k.source[1] = o->err == NO_SLOT ? -1 : slot_fd(run, o->err);
	int nonblocking[] = {k.feed, k.source[0], k.source[1]};
	for (int i = 0; i < 3; i++)
		if (nonblocking[i] >= 0)
			fcntl(nonblocking[i], F_SETFL, fcntl(nonblocking[i], F_GETFL) | O_NONBLOCK);
	log_open(&k.log, o->log.p, o->logMax, o->logFiles); /* without a log the container still runs */
	if (run->engine >= 0) {
		close(run->engine);
		close(HANDLES_FD);
	}
	run->engine = -1;
	forget_program();

	while (!drained(&k))
		turn(&k, !complete(&k) ? 100 : k.settled ? -1 : SETTLE_MS);
	for (int s = 0; s < 2; s++) /* another process may hold the pipes' other ends: take what is there, not more */
		while (k.source[s] >= 0) {
			if (!readers_have_room(&k, s))
				turn(&k, -1);
			else if (!pass_on(&k, s) && readers_have_room(&k, s))
				break;
		}
	log_end(&k.log);
	run->exit_code = k.end.code;
	write_exit_record(&k);
	run_section(run, CLEANUP);
	for (uint32_t i = 0; i < k.conns; i++)
		if (k.conn[i].mode == 'C')
			conn_tell(&k.conn[i], k.end);
	while (!delivered(&k))
		turn(&k, -1);
	for (uint32_t i = 0; i < k.conns; i++)
		conn_tell(&k.conn[i], k.end);
	_exit(0);
}
