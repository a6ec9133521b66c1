/* Small pieces of input and output that every role needs. */
#include "hoist.h"
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int buf_add(struct buf *b, const void *p, size_t n)
{
	if (b->cap - b->n < n) {
		size_t cap = (b->n + n) * 2;
		char *q = realloc(b->p, cap);
		if (!q)
			return -ENOMEM;
		b->p = q;
		b->cap = cap;
	}
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	return 0;
}

int write_all(int fd, const void *p, size_t n)
{
	for (const char *q = p; n;) {
		ssize_t w = write(fd, q, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0 && errno == EAGAIN) {
			poll(&(struct pollfd){fd, POLLOUT, 0}, 1, -1);
			continue;
		}
		if (w < 0)
			return -errno;
		q += w;
		n -= (size_t)w;
	}
	return 0;
}

int read_all(int fd, void *p, size_t n)
{
	for (char *q = p; n;) {
		ssize_t r = read(fd, q, n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r ? -errno : -EPIPE;
		q += r;
		n -= (size_t)r;
	}
	return 0;
}

int send_fds(int sock, const void *p, size_t n, const int *fds, int count)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int) * 4)];
	} c;
	struct iovec v = {(void *)p, n};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
	memset(&c, 0, sizeof c);
	if (count) {
		m.msg_control = &c;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
		c.h = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&c.h), fds, sizeof(int) * (size_t)count);
	}
	ssize_t r;
	do
		r = sendmsg(sock, &m, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r == (ssize_t)n ? 0 : -EIO;
}

ssize_t recv_fds(int sock, void *p, size_t n, int *fds, int *count)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int) * 4)];
	} c;
	struct iovec v = {p, n};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof c};
	int room = *count;
	*count = 0;
	ssize_t r;
	do
		r = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS) {
		int got = (int)((h->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		int all[4];
		memcpy(all, CMSG_DATA(h), sizeof(int) * (size_t)got);
		for (int i = 0; i < got; i++) {
			if (*count < room)
				fds[(*count)++] = all[i];
			else
				close(all[i]);
		}
	}
	return r;
}

static int unix_address(struct sockaddr_un *a, const char *path)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof a->sun_path)
		return -ENAMETOOLONG;
	strcpy(a->sun_path, path);
	return 0;
}

int unix_listen(const char *path, mode_t mode)
{
	struct sockaddr_un a;
	int r = unix_address(&a, path);
	if (r)
		return r;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	unlink(path);
	mode_t old = umask(0777 & ~mode);
	r = bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 64) ? -errno : 0;
	umask(old);
	if (!r)
		return fd;
	close(fd);
	return r;
}

int unix_connect(const char *path)
{
	struct sockaddr_un a;
	int r = unix_address(&a, path);
	if (r)
		return r;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&a, sizeof a)) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

int put_file(int dir, const char *path, const void *p, size_t n, int flags, mode_t mode)
{
	int fd = openat(dir, path, flags | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	/* one write: cgroup, id map and sysctl files take a value whole or not at all */
	ssize_t w = write(fd, p, n);
	int r = w < 0 ? -errno : (size_t)w == n ? 0 : -EIO;
	close(fd);
	return r;
}

static char *room;
static size_t room_size;

void title_room(char **argv)
{
	room = argv[0];
	char *end = argv[0];
	for (char **a = argv; *a && *a == end; a++)
		end += strlen(*a) + 1;
	room_size = (size_t)(end - room);
}

void set_title(const char *name)
{
	prctl(PR_SET_NAME, name, 0, 0, 0);
	if (room_size > 1) {
		memset(room, 0, room_size);
		strncpy(room, name, room_size - 1);
	}
}

int frame_send(int fd, uint8_t type, const void *p, size_t n)
{
	char head[5];
	uint32_t length = (uint32_t)n + 1;
	memcpy(head, &length, 4);
	head[4] = (char)type;
	if (n > 4096) { /* too large to copy: two writes, one writer */
		int r = write_all(fd, head, 5);
		return r ? r : write_all(fd, p, n);
	}
	char whole[4096 + 5];
	memcpy(whole, head, 5);
	if (n)
		memcpy(whole + 5, p, n);
	return write_all(fd, whole, n + 5);
}

int reply(const struct run *run, uint8_t type, const void *p, size_t n)
{
	if (run->engine < 0)
		return 0;
	/* Keepers and the executor share this socket: one sendmsg per frame keeps frames whole. */
	struct buf b = {0};
	uint32_t length = (uint32_t)n + 5;
	int r = buf_add(&b, &length, 4);
	r = r ? r : buf_add(&b, &type, 1);
	r = r ? r : buf_add(&b, &run->seq, 4);
	r = r ? r : buf_add(&b, p, n);
	r = r ? r : write_all(run->engine, b.p, b.n);
	free(b.p);
	return r;
}

int reply_failed(const struct run *run, int error)
{
	struct __attribute__((packed)) {
		uint8_t section;
		uint32_t index;
		int32_t error;
	} f = {run->failed_section, run->failed_index, error};
	return reply(run, FRAME_FAILED, &f, sizeof f);
}

/* A process of a container sees the file that its future keeper or exec'd sibling runs from as /proc/<pid>/exe
 * (CVE-2019-5736). It is a sealed copy in memory: there is nothing on the host to overwrite. */
int sealed_copy(void)
{
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int copy = memfd_create("hoist", MFD_CLOEXEC | MFD_ALLOW_SEALING | 0x10u /* MFD_EXEC */);
	if (copy < 0)
		copy = memfd_create("hoist", MFD_CLOEXEC | MFD_ALLOW_SEALING); /* before 6.3 */
	off_t at = 0;
	ssize_t n = 1;
	while (self >= 0 && copy >= 0 && n > 0)
		n = sendfile(copy, self, &at, 1 << 20);
	close(self);
	if (n == 0 && !fcntl(copy, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE))
		return copy;
	close(copy);
	return -1;
}
