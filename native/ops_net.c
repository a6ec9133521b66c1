/* Ops on sockets: netlink messages that came as bytes, reserved ports, unix listeners. */
#include "hoist.h"
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int fill_patches(const struct run *run, const struct op_netlink *m, char *bytes)
{
	for (uint32_t i = 0; i < m->patches.n; i++) {
		int32_t value = m->patches.v[i].slot == NO_SLOT ? run->child : slot_fd(run, (uint16_t)m->patches.v[i].slot);
		if (value < 0)
			return value;
		memcpy(bytes + m->patches.v[i].offset, &value, 4); /* bounds: decode.c patches_fit */
	}
	return 0;
}

/* Reads answers until `acks` acknowledgements came, or the end of a dump where none are asked for. The first
 * error wins, but all answers are read, so that none is taken for another request's. */
static int netlink_answers(struct run *run, int fd, uint32_t acks, uint16_t allow)
{
	int error = 0;
	char *room = malloc(65536);
	if (!room)
		return -ENOMEM;
	for (bool done = false; !done;) {
		ssize_t n = recv(fd, room, 65536, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			error = -errno;
			break;
		}
		if (!acks && run->out && buf_add(run->out, room, (size_t)n)) {
			error = -ENOMEM;
			break;
		}
		for (struct nlmsghdr *h = (void *)room; NLMSG_OK(h, (size_t)n); h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_type == NLMSG_DONE)
				done = true;
			if (h->nlmsg_type != NLMSG_ERROR)
				continue;
			int e = ((struct nlmsgerr *)NLMSG_DATA(h))->error;
			if (e && e != -(int)allow && !error)
				error = e;
			/* nfnetlink answers a refused batch with the errors alone: do not wait for the rest */
			if (acks <= 1 || (e && e != -(int)allow))
				done = true;
			else
				acks--;
		}
	}
	free(room);
	return error;
}

int do_netlink(struct run *run, const struct op *op)
{
	const struct op_netlink *m = &op->netlink;
	char *bytes = malloc(m->data.n + 1u);
	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, m->data.p, m->data.n);
	int r = fill_patches(run, m, bytes);
	int fd = r ? -1 : socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, (int)m->protocol);
	if (!r && fd < 0)
		r = -errno;
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	size_t at = run->out ? run->out->n : 0;
	uint32_t head[2] = {run->index, 0};
	if (!r && !m->acks && run->out)
		r = buf_add(run->out, head, sizeof head);
	if (!r && sendto(fd, bytes, m->data.n, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0)
		r = -errno;
	if (!r)
		r = netlink_answers(run, fd, m->acks, op->allow);
	if (!m->acks && run->out && run->out->n > at) {
		head[1] = (uint32_t)(run->out->n - at - sizeof head);
		memcpy(run->out->p + at, head, sizeof head);
	}
	if (fd >= 0)
		close(fd);
	free(bytes);
	return r;
}

int do_listen(struct run *run, const struct op *op)
{
	return slot_put(run, op->listen.out, unix_listen(op->listen.path.p, (mode_t)op->listen.mode));
}

/* Holding a bound, not listening socket is what keeps another program from taking a published port. */
int do_bindPort(struct run *run, const struct op *op)
{
	const struct op_bindPort *b = &op->bindPort;
	union {
		struct sockaddr a;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at;
	memset(&at, 0, sizeof at);
	socklen_t size;
	if (b->family == AF_INET && b->address.n == 4) {
		at.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)b->port)};
		memcpy(&at.v4.sin_addr, b->address.p, 4);
		size = sizeof at.v4;
	} else if (b->family == AF_INET6 && b->address.n == 16) {
		at.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)b->port)};
		memcpy(&at.v6.sin6_addr, b->address.p, 16);
		size = sizeof at.v6;
	} else {
		return -EINVAL;
	}
	int fd = socket((int)b->family, (int)b->type | SOCK_CLOEXEC, 0), on = 1;
	if (fd < 0)
		return -errno;
	if (b->family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (b->reuse)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, &at.a, size)) {
		int r = -errno;
		close(fd);
		return r;
	}
	return slot_put(run, b->out, fd);
}

/* The engine's end is a libuv pipe: it takes descriptors that come with a line in Node's own form. */
int do_handOver(struct run *run, const struct op *op)
{
	int fd = slot_fd(run, op->handOver.slot);
	return fd < 0 ? fd : send_fds(HANDLES_FD, op->handOver.text.p, op->handOver.text.n, &fd, 1);
}

int do_datagram(struct run *run, const struct op *op)
{
	const struct op_datagram *d = &op->datagram;
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	(void)run;
	if (d->path.n >= sizeof at.sun_path)
		return -ENAMETOOLONG;
	memcpy(at.sun_path, d->path.p, d->path.n);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), error = 0;
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&at, sizeof at) ||
	    (d->data.n && send(fd, d->data.p, d->data.n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0))
		error = -errno;
	close(fd);
	return error;
}

int do_connect(struct run *run, const struct op *op)
{
	return slot_put(run, op->connect.out, unix_connect(op->connect.path.p));
}

/* Whoever steps through a plan answers with one byte; anything else, or nobody, ends the section. */
int do_step(struct run *run, const struct op *op)
{
	struct {
		uint32_t section, index;
		int32_t self, child;
	} m = {op->step.section, op->step.index, getpid(), run->child};
	char answer = 0;
	int fd = slot_fd(run, op->step.slot);
	if (fd < 0)
		return fd;
	return write_all(fd, &m, sizeof m) || read_all(fd, &answer, 1) || answer != 'g' ? -ECANCELED : 0;
}
