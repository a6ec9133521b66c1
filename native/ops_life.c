/* Ops that the life of an OCI container needs: a process that waits to be started, and word of it to others. */
#include "hoist.h"
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* execvp(3)'s rule, as in do_exec. */
int do_runnable(struct run *run, const struct op *op)
{
	(void)run;
	int error = ENOENT;
	for (uint32_t i = 0; i < op->runnable.paths.n; i++) {
		struct stat s;
		const char *path = op->runnable.paths.v[i];
		if (!stat(path, &s) && !faccessat(AT_FDCWD, path, X_OK, AT_EACCESS)) {
			if (!S_ISDIR(s.st_mode))
				return 0;
			errno = EACCES;
		}
		if (errno == EACCES)
			error = EACCES;
		else if (errno != ENOENT && errno != ENOTDIR)
			return -errno;
	}
	return -error;
}

int do_awaitByte(struct run *run, const struct op *op)
{
	char byte;
	int fd = slot_fd(run, op->awaitByte.slot);
	return fd < 0 ? fd : read_all(fd, &byte, 1);
}

int do_release(struct run *run, const struct op *op)
{
	(void)run;
	int fd = open(op->release.path.p, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = write_all(fd, "", 1);
	struct pollfd p = {fd, 0, 0}; /* POLLERR: its last reader is gone */
	while (!r && !(p.revents & (POLLERR | POLLHUP)))
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			r = -errno;
	close(fd);
	return r;
}

/* The 22nd field of proc_pid_stat(5); the name before may hold anything. */
static int start_time(pid_t pid, unsigned long long *at)
{
	char path[64], text[2048];
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	int r = n < 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	if (r)
		return r;
	text[n] = '\0';
	const char *after = strrchr(text, ')');
	for (int field = 2; after && field < 22; field++)
		after = strchr(after + 1, ' ');
	return after && sscanf(after, "%llu", at) == 1 ? 0 : -ESRCH;
}

int do_notePid(struct run *run, const struct op *op)
{
	char text[64], temp[4096];
	unsigned long long at;
	int r = start_time(run->child, &at);
	if (r)
		return r;
	int n = snprintf(text, sizeof text, "%d %llu\n", run->child, at);
	if (snprintf(temp, sizeof temp, "%s.tmp", op->notePid.path.p) >= (int)sizeof temp)
		return -ENAMETOOLONG;
	r = put_file(AT_FDCWD, temp, text, (size_t)n, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	return r ? r : rename(temp, op->notePid.path.p) ? -errno : 0;
}

int do_giveFd(struct run *run, const struct op *op)
{
	int fd = slot_fd(run, op->giveFd.slot), sock = fd < 0 ? fd : unix_connect(op->giveFd.path.p);
	if (sock < 0)
		return sock;
	int r = send_fds(sock, op->giveFd.text.p, op->giveFd.text.n, &fd, 1);
	close(sock);
	return r;
}

int do_signalPid(struct run *run, const struct op *op)
{
	(void)run;
	unsigned long long at;
	const struct op_signalPid *o = &op->signalPid;
	int pidfd = (int)syscall(SYS_pidfd_open, o->pid, 0);
	if (pidfd < 0)
		return -errno;
	int r = start_time((pid_t)o->pid, &at);
	if (!r && at != o->started)
		r = -ESRCH;
	if (!r && syscall(SYS_pidfd_send_signal, pidfd, o->signal, NULL, 0))
		r = -errno;
	close(pidfd);
	return r;
}

int do_relay(struct run *run, const struct op *op)
{
	int fd = slot_fd(run, op->relay.slot);
	run->relay = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? fd : run->relay < 0 ? -errno : 0;
}

int do_passFds(struct run *run, const struct op *op)
{
	run->pass_fds = op->passFds.count;
	return 0;
}
