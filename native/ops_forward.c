/* Published ports that come from another network namespace than the container's: a fork of the keeper takes connections
 * and datagrams at sockets that were bound there, and passes them on to addresses that this side reaches. */
#include "hoist.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ROOM (1u << 16)
#define UDP_CLIENTS 256
#define UDP_IDLE 60 /* seconds */

struct watched {
	enum { LISTENER, STREAM, PORT, CLIENT } kind;
	int fd;
	struct sockaddr_in to;    /* LISTENER, PORT */
	struct flow *flow;        /* STREAM */
	struct watched *port;     /* CLIENT: whose answers go back there */
	struct sockaddr_storage from;
	socklen_t from_size;
	time_t used;
};

/* One connection: two sockets, and a pipe for each direction. */
struct flow {
	struct watched end[2];
	int pipe[2][2];
	uint32_t held[2];         /* bytes in the pipe of direction i, from end i */
	bool eof[2], shut[2], dead;
	struct flow *next;        /* among those to be freed */
};

static int poller;
static struct flow *rubbish;
static struct watched *clients[UDP_CLIENTS];

static int watch(struct watched *w, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = w};
	return epoll_ctl(poller, EPOLL_CTL_ADD, w->fd, &e);
}

static void end_flow(struct flow *f)
{
	if (f->dead)
		return;
	f->dead = true;
	for (int i = 0; i < 2; i++) {
		if (f->end[i].fd >= 0)
			close(f->end[i].fd);
		for (int j = 0; j < 2; j++)
			if (f->pipe[i][j] >= 0)
				close(f->pipe[i][j]);
	}
	f->next = rubbish; /* an event of this round may still name it */
	rubbish = f;
}

static void reset_flow(struct flow *f)
{
	struct linger now = {1, 0};
	if (f->dead)
		return;
	for (int i = 0; i < 2; i++)
		if (f->end[i].fd >= 0)
			setsockopt(f->end[i].fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	end_flow(f);
}

/* What end i says goes to the other one, until neither side has more to do. */
static void pump(struct flow *f, int i)
{
	bool moved = true;
	while (moved && !f->dead) {
		moved = false;
		if (!f->eof[i] && f->held[i] < ROOM) {
			ssize_t n = splice(f->end[i].fd, NULL, f->pipe[i][1], NULL, ROOM - f->held[i], SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
			if (n > 0)
				f->held[i] += (uint32_t)n, moved = true;
			else if (n == 0)
				f->eof[i] = true;
			else if (errno != EAGAIN && errno != ENOTCONN)
				return reset_flow(f);
		}
		if (f->held[i]) {
			ssize_t n = splice(f->pipe[i][0], NULL, f->end[!i].fd, NULL, f->held[i], SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
			if (n > 0)
				f->held[i] -= (uint32_t)n, moved = true;
			else if (n < 0 && errno != EAGAIN && errno != ENOTCONN)
				return reset_flow(f);
		}
	}
	if (f->dead || !f->eof[i] || f->held[i] || f->shut[i])
		return;
	shutdown(f->end[!i].fd, SHUT_WR);
	f->shut[i] = true;
	if (f->shut[!i])
		end_flow(f);
}

static void take_connection(struct watched *listener)
{
	int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE) /* it stays in the queue until others have ended */
			nanosleep(&(struct timespec){0, 10000000}, NULL);
		return;
	}
	struct flow *f = calloc(1, sizeof *f);
	if (!f) {
		close(fd);
		return;
	}
	memset(f->pipe, -1, sizeof f->pipe);
	f->end[0] = (struct watched){.kind = STREAM, .fd = fd, .flow = f};
	f->end[1] = (struct watched){.kind = STREAM, .fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), .flow = f};
	for (int i = 0; i < 2; i++)
		setsockopt(f->end[i].fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
	bool failed = f->end[1].fd < 0 || pipe2(f->pipe[0], O_CLOEXEC | O_NONBLOCK) || pipe2(f->pipe[1], O_CLOEXEC | O_NONBLOCK);
	if (!failed && connect(f->end[1].fd, (struct sockaddr *)&listener->to, sizeof listener->to) && errno != EINPROGRESS)
		failed = true;
	for (int i = 0; i < 2 && !failed; i++)
		failed = watch(&f->end[i], EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) != 0;
	if (failed)
		reset_flow(f);
}

static bool same(const struct watched *w, const struct watched *port, const struct sockaddr_storage *from, socklen_t n)
{
	return w->port == port && w->from_size == n && !memcmp(&w->from, from, n);
}

static void forget(int i)
{
	close(clients[i]->fd);
	free(clients[i]);
	clients[i] = NULL;
}

/* The socket by which the container knows a client; the one that was silent longest gives way. */
static struct watched *client_of(struct watched *port, const struct sockaddr_storage *from, socklen_t size)
{
	int place = 0;
	for (int i = 0; i < UDP_CLIENTS; i++) {
		if (clients[i] && same(clients[i], port, from, size))
			return clients[i];
		if (!clients[i] || (clients[place] && clients[i]->used < clients[place]->used))
			place = clients[place] ? i : place;
	}
	if (clients[place])
		forget(place);
	struct watched *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	*w = (struct watched){.kind = CLIENT, .fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), .port = port, .from = *from, .from_size = size};
	if (w->fd < 0 || connect(w->fd, (struct sockaddr *)&port->to, sizeof port->to) || watch(w, EPOLLIN)) {
		if (w->fd >= 0)
			close(w->fd);
		free(w);
		return NULL;
	}
	return clients[place] = w;
}

static void pass_datagram(struct watched *w)
{
	char data[65536];
	struct sockaddr_storage from = {0};
	socklen_t size = sizeof from;
	ssize_t n = recvfrom(w->fd, data, sizeof data, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
	if (n < 0)
		return;
	struct watched *client = w->kind == CLIENT ? w : client_of(w, &from, size);
	if (!client)
		return;
	client->used = time(NULL);
	if (w->kind == CLIENT)
		sendto(w->port->fd, data, (size_t)n, MSG_DONTWAIT, (struct sockaddr *)&w->from, w->from_size);
	else
		send(client->fd, data, (size_t)n, MSG_DONTWAIT);
}

static void loop(void)
{
	struct epoll_event events[64];
	for (;;) {
		int n = epoll_wait(poller, events, 64, UDP_IDLE * 1000);
		for (int i = 0; i < n; i++) {
			struct watched *w = events[i].data.ptr;
			if (w->kind == LISTENER)
				take_connection(w);
			else if (w->kind != STREAM)
				pass_datagram(w);
			else if (!w->flow->dead)
				pump(w->flow, 0), pump(w->flow, 1);
		}
		for (struct flow *f; (f = rubbish);) {
			rubbish = f->next;
			free(f);
		}
		for (int i = 0; n == 0 && i < UDP_CLIENTS; i++)
			if (clients[i] && clients[i]->used + UDP_IDLE < time(NULL))
				forget(i);
	}
}

/* Nothing of the keeper's stays open but the ports. */
static void forwarder(struct run *run, struct watched *ports, uint32_t count)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() == 1)
		_exit(0);
	set_title("hoist-forward");
	struct rlimit files;
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	for (int i = 0; i < MAX_SLOTS; i++) {
		bool ours = false;
		for (uint32_t j = 0; j < count; j++)
			ours |= ports[j].fd == run->slot[i];
		if (!ours && run->slot[i] >= 0)
			close(run->slot[i]);
	}
	close(run->sync);
	close(run->child_pidfd);
	if (run->engine >= 0)
		close(run->engine);
	close(HANDLES_FD);
	poller = epoll_create1(EPOLL_CLOEXEC);
	for (uint32_t i = 0; i < count; i++)
		if (watch(&ports[i], EPOLLIN))
			_exit(1);
	loop();
}

int do_forward(struct run *run, const struct op *op)
{
	const struct op_forward *f = &op->forward;
	struct watched *ports = calloc((size_t)f->from.n + 1, sizeof *ports);
	if (!ports)
		return -ENOMEM;
	int r = 0;
	for (uint32_t i = 0; i < f->from.n && !r; i++) {
		int type, fd = slot_fd(run, (uint16_t)f->from.v[i].slot);
		socklen_t size = sizeof type;
		uint32_t at = f->from.v[i].offset;
		struct watched *w = &ports[i];
		if (fd < 0 || at > f->to.n || f->to.n - at < 6)
			r = -EBADF;
		else if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) || (type == SOCK_STREAM && listen(fd, 4096)))
			r = -errno;
		if (r)
			break;
		*w = (struct watched){.kind = type == SOCK_STREAM ? LISTENER : PORT, .fd = fd, .to.sin_family = AF_INET};
		memcpy(&w->to.sin_addr, f->to.p + at, 4);
		memcpy(&w->to.sin_port, f->to.p + at + 4, 2);
		fcntl(fd, F_SETFL, O_NONBLOCK);
	}
	pid_t pid = r ? 0 : fork();
	if (!r && pid == 0) {
		forwarder(run, ports, f->from.n);
		_exit(1);
	}
	free(ports);
	return r ? r : pid < 0 ? -errno : 0;
}
