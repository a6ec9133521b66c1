/* An ordinary user's engine: it lives in a user namespace where that user is root, with the user's subordinate ids
 * (subuid(5)) where there are some. A small process, the holder, keeps that namespace and a network namespace beside it for
 * as long as containers are there: an engine that is killed has a next one, which must come into the same ones. */
#include "client.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_RANGES 16

/* Whose socket this is; false where that cannot be told. */
bool peer_of(int fd, pid_t *pid, uid_t *uid)
{
	struct ucred peer;
	socklen_t n = sizeof peer;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n))
		return false;
	*pid = peer.pid;
	*uid = peer.uid;
	return true;
}

static int read_text(const char *path, char *text, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, room - 1);
	text[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

static long number_in(const char *path)
{
	char text[64];
	return read_text(path, text, sizeof text) ? -1 : atol(text);
}

/* The name that passwd(5) has for this user: a static program has no name service to ask. "" where there is none. */
static void user_name(char *name, size_t room)
{
	char line[1024], form[256], *rest;
	FILE *f = fopen("/etc/passwd", "re");
	*name = '\0';
	while (f && fgets(line, sizeof line, f)) {
		if (sscanf(line, "%255[^:]:", form) != 1 || !(rest = strchr(line, ':')) || !(rest = strchr(rest + 1, ':')))
			continue;
		if ((uid_t)strtoul(rest + 1, NULL, 10) == geteuid()) {
			snprintf(name, room, "%s", form);
			break;
		}
	}
	if (f)
		fclose(f);
}

/* The user's ranges in subuid(5) or subgid(5) as arguments of newuidmap: inside, outside, count each. */
static int ranges_of(const char *path, char args[][16], int room)
{
	char name[256], uid[16], line[1024], who[256];
	unsigned long start, count, inside = 1;
	int n = 0;
	FILE *f = fopen(path, "re");
	user_name(name, sizeof name);
	snprintf(uid, sizeof uid, "%u", geteuid());
	while (f && n + 3 <= room && fgets(line, sizeof line, f)) {
		if (sscanf(line, "%255[^:]:%lu:%lu", who, &start, &count) != 3 || !count || (strcmp(who, uid) && (!*name || strcmp(who, name))))
			continue;
		snprintf(args[n++], 16, "%lu", inside);
		snprintf(args[n++], 16, "%lu", start);
		snprintf(args[n++], 16, "%lu", count);
		inside += count;
	}
	if (f)
		fclose(f);
	return n;
}

/* Runs a program with its output in a file; its exit code, 127 where it is not installed. */
static int run_program(char **argv, const char *output)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		int out = output ? open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1, in = open("/dev/null", O_RDONLY);
		sigset_t none;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		signal(SIGPIPE, SIG_DFL);
		dup2(in, 0);
		dup2(out < 0 ? 2 : out, 1);
		dup2(out < 0 ? 2 : out, 2);
		execvp(argv[0], argv);
		_exit(127);
	}
	return pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) ? 126 : WEXITSTATUS(status);
}

static int map_with(const char *program, pid_t pid, unsigned own, char ranges[][16], int n)
{
	char target[16], outside[16];
	char *argv[6 + 3 * MAX_RANGES] = {(char *)program, target, "0", outside, "1"};
	snprintf(target, sizeof target, "%d", pid);
	snprintf(outside, sizeof outside, "%u", own);
	for (int i = 0; i < n; i++)
		argv[5 + i] = ranges[i];
	return run_program(argv, NULL);
}

static int put_text(pid_t pid, const char *file, const char *text)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
	return put_file(AT_FDCWD, path, text, strlen(text), O_WRONLY, 0);
}

/* All subordinate ids where the user has some and newuidmap is installed; else the user alone. 0, or -1 after saying why. */
static int map_ids(pid_t pid)
{
	char uids[3 * MAX_RANGES][16], gids[3 * MAX_RANGES][16], text[64];
	int nu = ranges_of("/etc/subuid", uids, 3 * MAX_RANGES), ng = ranges_of("/etc/subgid", gids, 3 * MAX_RANGES);
	int r = nu && ng ? map_with("newuidmap", pid, geteuid(), uids, nu) : 127;
	if (r == 0 && !(r = map_with("newgidmap", pid, getegid(), gids, ng)))
		return 0;
	if (r != 127) {
		fprintf(stderr, "hoist: the subordinate ids of user %u in /etc/subuid and /etc/subgid cannot be used: newuidmap refuses them\n", geteuid());
		fprintf(stderr, "hint: newuidmap and newgidmap must be set-uid root (package uidmap), and the ranges the user's own\n");
		return -1;
	}
	snprintf(text, sizeof text, "0 %u 1", geteuid());
	r = put_text(pid, "uid_map", text);
	snprintf(text, sizeof text, "0 %u 1", getegid());
	r = r ? r : put_text(pid, "setgroups", "deny");
	r = r ? r : put_text(pid, "gid_map", text);
	if (r)
		fprintf(stderr, "hoist: cannot map user %u into a user namespace: %s\n", geteuid(), strerror(-r));
	return r;
}

static void say_forbidden(int error)
{
	const char *hint = "the kernel, or what Hoist itself runs in (a container, a sandbox), has to allow user namespaces";
	if (number_in("/proc/sys/kernel/unprivileged_userns_clone") == 0)
		hint = "root can allow them: sysctl -w kernel.unprivileged_userns_clone=1";
	else if (number_in("/proc/sys/user/max_user_namespaces") == 0)
		hint = "root can allow them: sysctl -w user.max_user_namespaces=15000";
	else if (number_in("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
		hint = "root can allow them: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile for hoist with `userns,`";
	fprintf(stderr, "hoist: this machine does not let user %u make user namespaces, which containers without root need: %s\nhint: %s\n", geteuid(), strerror(error), hint);
}

/* The way out of the network namespace. Where there is none, containers still run: the engine reads the file and says so. */
static void start_pasta(const struct place *place, pid_t pid)
{
	char target[16], pidfile[4128], log[4128];
	snprintf(target, sizeof target, "%d", pid);
	snprintf(pidfile, sizeof pidfile, "%.4080s/pasta.pid", place->run);
	snprintf(log, sizeof log, "%.4080s/pasta.log", place->run);
	char *argv[] = {"pasta", "-q", "--config-net", "-t", "none", "-u", "none", "-T", "none", "-U", "none", "--no-map-gw", "--dns-forward", "169.254.1.1", "-P", pidfile, target, NULL};
	unlink(pidfile);
	if (run_program(argv, log) == 127)
		put_file(AT_FDCWD, log, "not installed", 13, O_WRONLY | O_CREAT | O_TRUNC, 0600);
}

static void hold(const char *socket, int ready, int go)
{
	int error = 0;
	char mapped;
	setsid();
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		error = errno;
	if (write(ready, &error, sizeof error) != sizeof error || error || read(go, &mapped, 1) != 1)
		_exit(0);
	int in = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < 3; fd++)
		dup2(in, fd);
	umask(077);
	int door = unix_listen(socket, 0600);
	error = door < 0 ? -door : 0;
	if (chdir("/") || write(ready, &error, sizeof error) != sizeof error || error)
		_exit(1);
	dup2(door, 3);
	close_range(4, ~0u, 0);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	set_title("hoist-namespace");
	for (;;)
		pause(); /* nobody needs to be accepted: that it can be connected to says who it is */
}

static pid_t make_holder(const struct place *place, const char *socket)
{
	int ready[2], go[2], error = 0;
	if (pipe2(ready, O_CLOEXEC) || pipe2(go, O_CLOEXEC))
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		close(ready[0]);
		close(go[1]);
		hold(socket, ready[1], go[0]);
	}
	close(ready[1]);
	close(go[0]);
	bool ok = pid > 0 && !read_all(ready[0], &error, sizeof error);
	if (ok && error)
		say_forbidden(error);
	ok = ok && !error && !map_ids(pid);
	if (ok && (write(go[1], "", 1) != 1 || read_all(ready[0], &error, sizeof error) || error)) {
		fprintf(stderr, "hoist: cannot listen at %s: %s\n", socket, strerror(error));
		ok = false;
	}
	close(ready[0]);
	close(go[1]);
	if (!ok)
		return -1;
	start_pasta(place, pid);
	return pid;
}

pid_t own_namespaces(const struct place *place)
{
	char socket[4128];
	pid_t pid;
	uid_t uid;
	snprintf(socket, sizeof socket, "%.4080s/namespace", place->run);
	int fd = unix_connect(socket);
	bool there = fd >= 0 && peer_of(fd, &pid, &uid) && uid == geteuid();
	if (fd >= 0)
		close(fd);
	return there ? pid : make_holder(place, socket);
}

/* From here on this process is root of the user's own namespace; its network stays the host's. */
int enter_namespace(pid_t holder)
{
	char path[64], text[16];
	snprintf(path, sizeof path, "/proc/%d/ns/user", holder);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWUSER))
		return -errno;
	close(fd);
	snprintf(text, sizeof text, "%d", holder);
	return setenv("HOIST_NAMESPACE", text, 1);
}

/* A directory below /tmp could be anybody's: it must be this user's own, and nobody else may write there. */
int own_directory(const char *path)
{
	struct stat st;
	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	if (lstat(path, &st))
		return -errno;
	return S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022) ? 0 : -EPERM;
}
