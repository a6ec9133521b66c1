/* Ops on processes: clone and the socket between both sides, identity, limits, exec. */
#include "hoist.h"
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define RET(call) ((call) < 0 ? -errno : 0)

int sync_send(const struct run *run, struct sync_message m, int fd)
{
	return send_fds(run->sync, &m, sizeof m, &fd, fd >= 0);
}

/* 0 and a message of `kind`, or -errno. At the end of file: 0 for kind 'X' (the child execve'd), else -EPIPE. */
int sync_wait(struct run *run, char kind, int *fd)
{
	struct sync_message m;
	int got, one = -1;
	ssize_t n;
	do /* ECONNRESET once, when the other side ended without reading all: what it said stands behind it */
		n = recv_fds(run->sync, &m, sizeof m, &one, (got = fd ? 1 : 0, &got));
	while (n == -ECONNRESET);
	if (n == 0)
		return kind == 'X' ? 0 : -EPIPE;
	if (n < 0)
		return (int)n;
	if (n == sizeof m && m.kind == 'E') {
		run->failed_section = CHILD;
		run->failed_index = m.index;
		return m.error;
	}
	if (n != sizeof m || m.kind != kind)
		return -EPROTO;
	if (fd)
		*fd = one;
	return 0;
}

/* When an op of this side failed because the child is gone, what the child said is the reason. */
int child_reason(struct run *run, int error)
{
	struct sync_message m;
	int none = 0;
	if (run->sync < 0 || run->child <= 0 || run->failed_section == CHILD)
		return error;
	struct pollfd p = {run->sync, POLLIN, 0};
	if (poll(&p, 1, 0) <= 0 || recv_fds(run->sync, &m, sizeof m, NULL, &none) != sizeof m || m.kind != 'E')
		return error;
	run->failed_section = CHILD;
	run->failed_index = m.index;
	return m.error;
}

static void default_signals(void)
{
	sigset_t none;
	static const int changed[] = {SIGPIPE, SIGCHLD, SIGINT, SIGHUP, SIGTERM}; /* host_main */
	for (size_t i = 0; i < sizeof changed / sizeof *changed; i++)
		signal(changed[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int do_clone(struct run *run, const struct op *op)
{
	int pair[2], pidfd = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	struct clone_args a = {.flags = op->clone.flags | CLONE_PIDFD, .pidfd = (uintptr_t)&pidfd, .exit_signal = SIGCHLD};
	if (op->clone.cgroup != NO_SLOT)
		a.cgroup = (uint64_t)slot_fd(run, op->clone.cgroup);
	pid_t pid = (pid_t)syscall(SYS_clone3, &a, sizeof a);
	if (pid < 0) {
		int r = -errno;
		close(pair[0]);
		close(pair[1]);
		return r;
	}
	if (pid == 0) {
		close(pair[0]);
		run->sync = pair[1];
		if (run->engine >= 0)
			close(run->engine);
		run->engine = -1;
		default_signals();
		set_title("hoist-setup");
		int r = run_section(run, CHILD);
		sync_send(run, (struct sync_message){'E', run->index, r ? r : -EPROTO}, -1);
		_exit(255);
	}
	close(pair[1]);
	run->sync = pair[0];
	run->child = pid;
	run->child_pidfd = pidfd;
	return slot_put(run, op->clone.pidfd, fcntl(pidfd, F_DUPFD_CLOEXEC, 3));
}

int do_signal(struct run *run, const struct op *op)
{
	(void)op;
	int r = sync_send(run, (struct sync_message){'S', 0, 0}, -1);
	return r == -EPIPE || r == -ECONNRESET ? sync_wait(run, 'S', NULL) : r; /* the other side is gone: it has left word why */
}

int do_await(struct run *run, const struct op *op)
{
	(void)op;
	return sync_wait(run, 'S', NULL);
}

int do_awaitExec(struct run *run, const struct op *op)
{
	(void)op;
	int r = sync_wait(run, 'X', NULL);
	close(run->sync);
	run->sync = -1;
	return r;
}

int do_sendFd(struct run *run, const struct op *op)
{
	int fd = slot_fd(run, op->sendFd.slot);
	return fd < 0 ? fd : sync_send(run, (struct sync_message){'F', 0, 0}, fd);
}

int do_recvFd(struct run *run, const struct op *op)
{
	int fd = -1;
	int r = sync_wait(run, 'F', &fd);
	return r ? r : slot_put(run, op->recvFd.out, fd < 0 ? -EPROTO : fd);
}

int do_report(struct run *run, const struct op *op)
{
	struct {
		uint32_t stage;
		int32_t pid;
	} m = {op->report.stage, run->child};
	reply(run, FRAME_REPORT, &m, sizeof m); /* an engine that went away is no failure of the container */
	return 0;
}

int do_setns(struct run *run, const struct op *op)
{
	int fd = slot_fd(run, op->setns.slot);
	return fd < 0 ? fd : RET(setns(fd, (int)op->setns.flags));
}

int do_unshare(struct run *run, const struct op *op)
{
	(void)run;
	return RET(unshare((int)op->unshare.flags));
}

int do_hostname(struct run *run, const struct op *op)
{
	(void)run;
	return RET(sethostname(op->hostname.name.p, op->hostname.name.n));
}

int do_domainname(struct run *run, const struct op *op)
{
	(void)run;
	return RET(setdomainname(op->domainname.name.p, op->domainname.name.n));
}

int do_rlimit(struct run *run, const struct op *op)
{
	(void)run;
	struct rlimit l = {op->rlimit.soft, op->rlimit.hard};
	return RET(setrlimit((int)op->rlimit.resource, &l));
}

/* capabilities(7): the bounding set goes first, while CAP_SETPCAP is still there; the ambient set last,
 * since it may only hold what is permitted and inheritable by then. */
int do_capabilities(struct run *run, const struct op *op)
{
	(void)run;
	const struct op_capabilities *c = &op->capabilities;
	for (int cap = 0; cap < 64; cap++) {
		int set = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
		if (set < 0)
			break; /* past the last one that this kernel knows */
		if (set && !(c->bounding >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			return -errno;
	}
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2];
	for (int i = 0; i < 2; i++)
		d[i] = (struct __user_cap_data_struct){(uint32_t)(c->effective >> 32 * i), (uint32_t)(c->permitted >> 32 * i), (uint32_t)(c->inheritable >> 32 * i)};
	if (syscall(SYS_capset, &h, d))
		return -errno;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (int cap = 0; cap < 64; cap++)
		if (c->ambient >> cap & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0))
			return -errno;
	return 0;
}

int do_ids(struct run *run, const struct op *op)
{
	(void)run;
	const struct op_ids *i = &op->ids;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
		return -errno;
	if (setgroups(i->groups.n / sizeof(gid_t), (const gid_t *)(const void *)i->groups.p) || setresgid(i->gid, i->gid, i->gid) || setresuid(i->uid, i->uid, i->uid))
		return -errno;
	/* setresuid from 0 cleared the effective set: the permitted one was kept, raise it again for what is left to do */
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2];
	if (syscall(SYS_capget, &h, d))
		return -errno;
	for (int j = 0; j < 2; j++)
		d[j].effective = d[j].permitted;
	return RET(syscall(SYS_capset, &h, d));
}

int do_prctl(struct run *run, const struct op *op)
{
	(void)run;
	return RET(prctl((int)op->prctl.option, op->prctl.a, op->prctl.b, 0, 0));
}

int do_seccomp(struct run *run, const struct op *op)
{
	(void)run;
	struct {
		unsigned short len;
		const void *filter;
	} prog = {(unsigned short)(op->seccomp.filter.n / 8), op->seccomp.filter.p};
	return RET(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, op->seccomp.flags, &prog));
}

int do_umask(struct run *run, const struct op *op)
{
	(void)run;
	umask((mode_t)op->umask.mode);
	return 0;
}

int do_chdir(struct run *run, const struct op *op)
{
	(void)run;
	return RET(chdir(op->chdir.path.p));
}

int do_session(struct run *run, const struct op *op)
{
	if (setsid() < 0)
		return -errno;
	if (op->session.tty == NO_SLOT)
		return 0;
	int fd = slot_fd(run, op->session.tty);
	return fd < 0 ? fd : RET(ioctl(fd, TIOCSCTTY, 0));
}

int do_stdio(struct run *run, const struct op *op)
{
	uint16_t slots[3] = {op->stdio.in, op->stdio.out, op->stdio.err};
	for (int i = 0; i < 3; i++) {
		int fd = slots[i] == NO_SLOT ? open("/dev/null", O_RDWR | O_CLOEXEC) : slot_fd(run, slots[i]);
		if (fd < 0)
			return slots[i] == NO_SLOT ? -errno : fd;
		if (dup2(fd, i) < 0)
			return -errno;
		if (slots[i] == NO_SLOT && fd > 2)
			close(fd);
	}
	return 0;
}

/* execvp(3)'s rule: the first path that exists wins; a file that may not be executed is remembered. */
int do_exec(struct run *run, const struct op *op)
{
	int error = ENOENT;
	if (syscall(SYS_close_range, 3u + run->pass_fds, ~0u, CLOSE_RANGE_CLOEXEC))
		return -errno;
	for (uint32_t i = 0; i < op->exec.paths.n; i++) {
		execve(op->exec.paths.v[i], (char *const *)op->exec.argv.v, (char *const *)op->exec.env.v);
		if (errno == EACCES)
			error = EACCES;
		else if (errno != ENOENT && errno != ENOTDIR)
			return -errno;
	}
	return -error;
}

int do_title(struct run *run, const struct op *op)
{
	(void)run;
	set_title(op->title.name.p);
	return 0;
}

int do_pidfd(struct run *run, const struct op *op)
{
	int fd = (int)syscall(SYS_pidfd_open, op->pidfd.pid, 0);
	return slot_put(run, op->pidfd.out, fd < 0 ? -errno : fd);
}

/* The reaper: every signal goes on to the one child, every orphan is waited for, the child's end is ours. */
static void reap(pid_t child)
{
	sigset_t all;
	sigfillset(&all);
	set_title("hoist-init");
	for (;;) {
		int status, s;
		pid_t gone;
		while ((gone = waitpid(-1, &status, WNOHANG)) > 0)
			if (gone == child)
				_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
		if (gone < 0 && errno == ECHILD)
			_exit(0);
		if (!sigwait(&all, &s) && s != SIGCHLD)
			kill(child, s);
	}
}

int do_init(struct run *run, const struct op *op)
{
	(void)run, (void)op;
	sigset_t all, old;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid_t child = fork();
	if (child < 0)
		return -errno;
	if (child) {
		syscall(SYS_close_range, 3u, ~0u, 0);
		reap(child);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return 0;
}

/* The verifier checks the program; the attachment lives as long as the cgroup. */
int do_deviceFilter(struct run *run, const struct op *op)
{
	int cgroup = slot_fd(run, op->deviceFilter.cgroup);
	if (cgroup < 0)
		return cgroup;
	union bpf_attr a;
	memset(&a, 0, sizeof a);
	a.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	a.insns = (uintptr_t)op->deviceFilter.program.p;
	a.insn_cnt = op->deviceFilter.program.n / 8;
	a.license = (uintptr_t) "GPL";
	int program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &a, sizeof a);
	if (program < 0)
		return -errno;
	memset(&a, 0, sizeof a);
	a.target_fd = (uint32_t)cgroup;
	a.attach_bpf_fd = (uint32_t)program;
	a.attach_type = BPF_CGROUP_DEVICE;
	a.attach_flags = BPF_F_ALLOW_MULTI;
	int r = RET(syscall(SYS_bpf, BPF_PROG_ATTACH, &a, sizeof a));
	close(program);
	return r;
}

int do_nice(struct run *run, const struct op *op)
{
	(void)run;
	errno = 0;
	return nice((int)op->nice.increment) == -1 && errno ? -errno : 0;
}
