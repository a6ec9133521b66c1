/* One connection to a keeper: who it is, its input, its output. Descriptors that came from a user's shell are
 * shared with it, so none of their flags is ever changed: pipes and terminals are opened again, on their own. */
#include "keeper.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#define PIPE_ROOM (1 << 20)

static int reopen(int fd, int flags)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int own = open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (own < 0)
		return fd;
	close(fd);
	return own;
}

static void sink_open(struct sink *s, int fd)
{
	struct stat st;
	*s = (struct sink){.fd = fd, .kind = SINK_FILE};
	if (fstat(fd, &st))
		return;
	if (S_ISSOCK(st.st_mode)) {
		s->kind = SINK_SOCKET;
	} else if (S_ISFIFO(st.st_mode) || (S_ISCHR(st.st_mode) && isatty(fd))) {
		s->kind = S_ISFIFO(st.st_mode) ? SINK_PIPE : SINK_FILE;
		s->fd = reopen(fd, O_WRONLY);
		if (s->kind == SINK_PIPE)
			fcntl(s->fd, F_SETPIPE_SZ, PIPE_ROOM); /* only ever a hint */
	}
}

static void sink_close(struct sink *s, int keep)
{
	if (s->kind != SINK_NONE && s->fd != keep)
		close(s->fd);
	free(s->pend.p);
	*s = (struct sink){.fd = -1};
}

void conn_tell(struct conn *c, struct ending e)
{
	if (c->told || c->fd < 0)
		return;
	c->told = true;
	if (c->mode == 'S') {
		uint8_t m[12] = {e.type, e.oom, 0, 0, 0, 0, 0, 4, (uint8_t)(e.code >> 24), (uint8_t)(e.code >> 16), (uint8_t)(e.code >> 8), (uint8_t)e.code};
		send(c->fd, m, sizeof m, MSG_NOSIGNAL | MSG_DONTWAIT);
	} else {
		send(c->fd, &e, sizeof e, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}

void conn_close(struct conn *c)
{
	for (int s = 0; s < 2; s++)
		sink_close(&c->sink[s], c->fd);
	if (c->in >= 0 && c->in != c->fd)
		close(c->in);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = c->in = -1;
}

bool conn_idle(const struct conn *c)
{
	return c->sink[0].sent == c->sink[0].pend.n && c->sink[1].sent == c->sink[1].pend.n;
}

void conn_hello(struct keeper *k, struct conn *c)
{
	struct hello h;
	int fds[3], count = 3, used = 0;
	/* not a byte more than the hello: input or a request may follow it at once */
	if (recv_fds(c->fd, &h, sizeof h, fds, &count) != sizeof h)
		goto refuse;
	if (h.magic != 'H' || h.keys > MAX_KEYS || !memchr("FSC", h.mode, 3))
		goto refuse;
	if (h.keys && recv(c->fd, c->keys, h.keys, MSG_DONTWAIT) != h.keys)
		goto refuse;
	int want = h.mode == 'F' ? !!(h.flags & 1) + !!(h.flags & 2) + !!(h.flags & 4) : 0;
	if (want != count)
		goto refuse;
	c->mode = h.mode;
	c->nkeys = h.keys;
	if (h.mode == 'F' && h.flags & 1) {
		struct stat st;
		c->in = fds[used++];
		if (!fstat(c->in, &st) && (S_ISFIFO(st.st_mode) || isatty(c->in)))
			c->in = reopen(c->in, O_RDONLY);
		fcntl(c->in, F_SETPIPE_SZ, PIPE_ROOM); /* a hint: fewer turns for a busy writer */
	}
	if (h.mode == 'S' && h.flags & 1)
		c->in = c->fd;
	for (int s = 0; s < 2; s++) {
		if (!(h.flags & (2 << s)))
			continue;
		if (h.mode == 'F')
			sink_open(&c->sink[s], fds[used++]);
		else if (h.mode == 'S')
			c->sink[s] = (struct sink){.fd = c->fd, .kind = SINK_STREAM};
	}
	k->seen++;
	if (h.mode == 'C') { /* an engine that was not there at the start learns whom it has found */
		struct ending e = {.type = 'I', .code = k->run->child};
		send(c->fd, &e, sizeof e, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	return;
refuse:
	for (int i = 0; i < count; i++)
		close(fds[i]);
	conn_close(c);
}

void conn_request(struct keeper *k, struct conn *c)
{
	struct request r;
	ssize_t n = recv(c->fd, &r, sizeof r, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != sizeof r) {
		conn_close(c);
		return;
	}
	if (r.type == 'R' && k->tty >= 0) {
		struct winsize w = {.ws_row = r.a, .ws_col = r.b};
		ioctl(k->tty, TIOCSWINSZ, &w);
	} else if (r.type == 'K' && c->mode == 'C' && !k->exited) {
		syscall(SYS_pidfd_send_signal, k->run->child_pidfd, r.a, NULL, 0);
	} else if (r.type == 'E' && c->mode == 'C') {
		k->expect = 0;
	}
}

static void sink_broken(struct conn *c, int stream)
{
	sink_close(&c->sink[stream], c->fd);
	if (c->mode == 'F')
		conn_tell(c, (struct ending){.type = 'P'});
	else
		conn_close(c);
}

static ssize_t sink_write(const struct sink *s, const char *p, size_t n)
{
	ssize_t w = s->kind == SINK_SOCKET || s->kind == SINK_STREAM ? send(s->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT) : write(s->fd, p, n);
	return w < 0 ? -errno : w;
}

/* Delivers what is pending; the rest waits for POLLOUT. */
void sink_flush(struct conn *c, int stream)
{
	struct sink *s = &c->sink[stream];
	s->blocked = false;
	while (s->sent < s->pend.n) {
		ssize_t w = sink_write(s, s->pend.p + s->sent, s->pend.n - s->sent);
		if (w == -EINTR)
			continue;
		if (w == -EAGAIN) {
			s->blocked = true;
			return;
		}
		if (w < 0) {
			sink_broken(c, stream);
			return;
		}
		s->sent += (size_t)w;
	}
	s->sent = s->pend.n = 0;
	if (s->pend.cap > 1 << 16) {
		free(s->pend.p);
		s->pend = (struct buf){0};
	}
}

void sink_put(struct conn *c, int stream, const char *p, size_t n)
{
	struct sink *s = &c->sink[stream];
	if (s->kind == SINK_NONE)
		return;
	if (s->kind == SINK_STREAM) { /* Docker's stream header: type, three zeros, length big endian */
		uint8_t head[8] = {(uint8_t)(stream + 1)};
		uint32_t length = htonl((uint32_t)n);
		memcpy(head + 4, &length, 4);
		/* both streams share the socket: they share the buffer of the first, so that no frame is torn */
		s = &c->sink[c->sink[0].kind == SINK_STREAM ? 0 : 1];
		stream = (int)(s - c->sink);
		buf_add(&s->pend, head, sizeof head);
	}
	buf_add(&s->pend, p, n);
	if (!s->blocked)
		sink_flush(c, stream);
}

/* Writes what is pending for the process's stdin. False: no room yet. */
bool feed_flush(struct keeper *k)
{
	int fd = k->tty >= 0 ? k->tty : k->feed;
	while (k->feed_sent < k->feed_pend.n && fd >= 0) {
		ssize_t w = write(fd, k->feed_pend.p + k->feed_sent, k->feed_pend.n - k->feed_sent);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0 && errno == EAGAIN)
			return false;
		if (w < 0) { /* the process closed its stdin: what is written there goes nowhere */
			close(k->feed);
			k->feed = -1;
			break;
		}
		k->feed_sent += (size_t)w;
	}
	k->feed_sent = k->feed_pend.n = 0;
	return true;
}

/* Looks for the detach sequence; bytes of a sequence that does not complete are passed on. True: detach. */
static bool scan_keys(struct keeper *k, struct conn *c, const char *p, size_t n)
{
	if (!c->nkeys || k->tty < 0) {
		buf_add(&k->feed_pend, p, n);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if ((uint8_t)p[i] == c->keys[c->matched]) {
			if (++c->matched == c->nkeys)
				return true;
			continue;
		}
		/* the sequence may begin later in what has matched so far: pass on what comes before that */
		uint8_t tail[MAX_KEYS + 1], have = c->matched, from = 0;
		memcpy(tail, c->keys, have);
		tail[have++] = (uint8_t)p[i];
		while (from < have && memcmp(tail + from, c->keys, (size_t)(have - from)))
			from++;
		buf_add(&k->feed_pend, tail, from);
		c->matched = have - from;
	}
	return false;
}

static void input_end(struct keeper *k, struct conn *c)
{
	if (c->in >= 0 && c->in != c->fd)
		close(c->in);
	c->in = -1;
	if (k->feed >= 0 && k->op->flags & KEEP_STDIN_ONCE) {
		close(k->feed);
		k->feed = -1;
	}
}

void conn_input(struct keeper *k, struct conn *c)
{
	char room[65536];
	if (k->tty < 0 && k->feed >= 0 && c->in != c->fd) { /* no copy where the kernel can move the pages */
		ssize_t n = splice(c->in, NULL, k->feed, NULL, 1 << 20, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		if (n > 0) {
			k->moved += (size_t)n;
			return;
		}
		if (n == 0) {
			input_end(k, c);
			return;
		}
		if (errno == EAGAIN) {
			k->feed_blocked = true;
			return;
		}
		if (errno == EPIPE) {
			close(k->feed);
			k->feed = -1;
		}
	}
	ssize_t n = c->in == c->fd ? recv(c->in, room, sizeof room, MSG_DONTWAIT) : read(c->in, room, sizeof room);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		input_end(k, c);
		return;
	}
	bool detach = scan_keys(k, c, room, (size_t)n);
	if (!feed_flush(k)) /* what was typed before the keys too */
		k->feed_blocked = true;
	if (detach) {
		conn_tell(c, (struct ending){.type = 'D'});
		conn_close(c);
	}
}
