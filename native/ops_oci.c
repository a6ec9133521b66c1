/* Ops that the OCI specification asks for beyond what every container needs: hooks, id maps, scheduling, listeners. */
#include "hoist.h"
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define RET(call) ((call) < 0 ? -errno : 0)

int do_childFile(struct run *run, const struct op *op)
{
	char path[256];
	if (run->child <= 0)
		return -ESRCH;
	if (snprintf(path, sizeof path, "/proc/%d/%s", run->child, op->childFile.path.p) >= (int)sizeof path)
		return -ENAMETOOLONG;
	return put_file(AT_FDCWD, path, op->childFile.data.p, op->childFile.data.n, O_WRONLY, 0);
}

/* The child of a container knows its pid as its own namespace counts: so do hooks that run there. */
static int state_of(const struct run *run, struct str s, struct buf *out)
{
	char pid[16];
	size_t n = (size_t)snprintf(pid, sizeof pid, "%d", run->child > 0 ? run->child : getpid());
	for (const char *hole; (hole = memchr(s.p, '\0', s.n)); s.p = hole + 1) {
		size_t before = (size_t)(hole - s.p);
		if (buf_add(out, s.p, before) || buf_add(out, pid, n))
			return -ENOMEM;
		s.n -= (uint32_t)before + 1;
	}
	return buf_add(out, s.p, s.n);
}

/* A file that holds the state: a reader that leaves early is no writer's trouble. */
static int state_file(const struct run *run, struct str s)
{
	struct buf b = {0};
	int fd = memfd_create("state", MFD_CLOEXEC);
	int r = fd < 0 ? -errno : state_of(run, s, &b);
	if (!r)
		r = write_all(fd, b.p, b.n);
	free(b.p);
	if (!r && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r && fd >= 0)
		close(fd);
	return r ? r : fd;
}

/* 0, or what became of it; one that takes too long is killed with all that it started in its session. */
static int await_hook(pid_t pid, uint32_t seconds)
{
	int status, fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = {fd, POLLIN, 0};
	int late = fd >= 0 && seconds && poll(&p, 1, seconds > 2000000 ? -1 : (int)seconds * 1000) == 0;
	if (fd >= 0)
		close(fd);
	if (late)
		kill(-pid, SIGKILL), kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (late)
		return -ETIMEDOUT;
	if (WIFSIGNALED(status))
		return -(2048 + WTERMSIG(status));
	return WEXITSTATUS(status) ? -(1024 + WEXITSTATUS(status)) : 0;
}

int do_hook(struct run *run, const struct op *op)
{
	const struct op_hook *h = &op->hook;
	int state = state_file(run, h->state), error = 0, said[2];
	if (state < 0 || pipe2(said, O_CLOEXEC))
		return state < 0 ? state : -errno;
	pid_t pid = fork();
	if (pid == 0) {
		sigset_t none;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		for (int s = 1; s < 32; s++)
			signal(s, SIG_DFL);
		setsid();
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		for (int fd = 1; fd < 3 && null >= 0; fd++) /* what it says is no output of the container's; complaints are heard where anybody listens */
			if (fd == 1 || (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
				dup2(null, fd);
		if (dup2(state, 0) < 0 || syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC))
			_exit(126);
		execve(h->path.p, (char *const *)h->argv.v, (char *const *)h->env.v);
		error = -errno;
		write_all(said[1], &error, sizeof error);
		_exit(127);
	}
	int r = pid < 0 ? -errno : 0;
	close(said[1]);
	if (!r && read(said[0], &error, sizeof error) != (ssize_t)sizeof error)
		error = 0;
	if (!r)
		r = await_hook(pid, h->timeout);
	close(said[0]);
	close(state);
	return error ? error : r;
}

static int map_of(pid_t pid, const char *file, struct str map)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
	return put_file(AT_FDCWD, path, map.p, map.n, O_WRONLY, 0);
}

int do_userns(struct run *run, const struct op *op)
{
	struct clone_args a = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
	pid_t pid = (pid_t)syscall(SYS_clone3, &a, sizeof a);
	if (pid == 0)
		for (;;)
			pause();
	if (pid < 0)
		return -errno;
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/ns/user", pid);
	int r = map_of(pid, "uid_map", op->userns.uids);
	if (!r)
		r = map_of(pid, "gid_map", op->userns.gids);
	int fd = r ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (!r && fd < 0)
		r = -errno;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return r ? r : slot_put(run, op->userns.out, fd);
}

int do_idmap(struct run *run, const struct op *op)
{
	int mount = slot_fd(run, op->idmap.mount), user = slot_fd(run, op->idmap.userns);
	if (mount < 0 || user < 0)
		return -EBADF;
	struct mount_attr a = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)user};
	return RET(syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH | (op->idmap.recursive ? 0x8000 /* AT_RECURSIVE */ : 0), &a, sizeof a));
}

int do_scheduler(struct run *run, const struct op *op)
{
	(void)run;
	const struct op_scheduler *s = &op->scheduler;
	struct { /* struct sched_attr, linux/sched/types.h: the C library has one of its own lately */
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} a = {sizeof a, s->policy, s->flags, (int32_t)s->nice, s->priority, s->runtime, s->deadline, s->period};
	return RET(syscall(SYS_sched_setattr, 0, &a, 0));
}

int do_ioPriority(struct run *run, const struct op *op)
{
	(void)run;
	return RET(syscall(SYS_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */, 0, op->ioPriority.value));
}

int do_affinity(struct run *run, const struct op *op)
{
	(void)run;
	return RET(syscall(SYS_sched_setaffinity, 0, op->affinity.cpus.n, op->affinity.cpus.p));
}

int do_personality(struct run *run, const struct op *op)
{
	(void)run;
	return RET(personality(op->personality.persona));
}

int do_chroot(struct run *run, const struct op *op)
{
	int root = slot_fd(run, op->chroot.root);
	return root < 0 ? root : RET(fchdir(root) || chroot(".") ? -1 : 0);
}

int do_cover(struct run *run, const struct op *op)
{
	const struct op_cover *c = &op->cover;
	int root = slot_fd(run, c->root);
	int place = root < 0 ? root : open_in(root, c->path.p, O_PATH, 0, 0x10 /* RESOLVE_IN_ROOT */);
	struct stat st;
	if (place < 0)
		return place == -ENOENT || place == -ENOTDIR ? 0 : place;
	int from = fstat(place, &st) ? -errno : slot_fd(run, S_ISDIR(st.st_mode) ? c->directory : c->file);
	int r = from < 0 ? from : RET(syscall(SYS_move_mount, from, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
	close(place);
	return r;
}

/* runc and crun do it the same way: a namespace that belongs to a user namespace must be made by one who is in it. */
int do_reclone(struct run *run, const struct op *op)
{
	int pidfd = -1;
	struct clone_args a = {.flags = op->reclone.flags | CLONE_PARENT | CLONE_PIDFD, .pidfd = (uintptr_t)&pidfd};
	pid_t pid = (pid_t)syscall(SYS_clone3, &a, sizeof a);
	if (pid > 0)
		_exit(sync_send(run, (struct sync_message){'F', 0, 0}, pidfd) ? 255 : 0);
	return RET(pid);
}

int do_adopt(struct run *run, const struct op *op)
{
	(void)op;
	char path[64], line[128];
	int pidfd = -1, pid = 0, r = sync_wait(run, 'F', &pidfd);
	if (r)
		return r;
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
	FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f) && sscanf(line, "Pid: %d", &pid) != 1)
		;
	if (f)
		fclose(f);
	waitpid(run->child, NULL, __WALL);
	close(run->child_pidfd);
	run->child_pidfd = pidfd;
	run->child = pid;
	return pid > 0 ? 0 : -ESRCH;
}

int do_sendState(struct run *run, const struct op *op)
{
	int socket = slot_fd(run, op->sendState.socket), fd = slot_fd(run, op->sendState.fd);
	struct buf b = {0};
	int r = socket < 0 || fd < 0 ? -EBADF : state_of(run, op->sendState.state, &b);
	if (!r)
		r = send_fds(socket, b.p, b.n, &fd, 1);
	free(b.p);
	return r;
}

int do_listener(struct run *run, const struct op *op)
{
	struct {
		unsigned short len;
		const void *filter;
	} prog = {(unsigned short)(op->listener.filter.n / 8), op->listener.filter.p};
	int fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, op->listener.flags | SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
	return slot_put(run, op->listener.out, fd < 0 ? -errno : fd);
}
