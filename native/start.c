/* Where the engine is, and how it is started: like tmux, by the first command that needs it. */
#include "client.h"
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *env_or(const char *name, const char *fallback)
{
	const char *v = getenv(name);
	return v && *v ? v : fallback;
}

/* Global flags with a value, which stand before the command. */
static bool takes_value(const char *arg)
{
	static const char *const flags[] = {"--config", "--context", "-c", "--host", "-H", "--log-level", "-l", "--tlscacert", "--tlscert", "--tlskey", "--root", "--run-root"};
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (!strcmp(arg, flags[i]))
			return true;
	return false;
}

static bool flag_value(const char *name, char **argv, int i, const char **value)
{
	size_t n = strlen(name);
	if (strncmp(argv[i], name, n))
		return false;
	if (argv[i][n] == '=')
		*value = argv[i] + n + 1;
	else if (!argv[i][n] && argv[i + 1])
		*value = argv[i + 1];
	else if (n == 2 && argv[i][n])
		*value = argv[i] + n; /* -Htcp://… */
	else
		return false;
	return true;
}

static int absolute(char *to, size_t room, const char *path)
{
	char cwd[PATH_MAX];
	if (*path == '/')
		return snprintf(to, room, "%s", path) < (int)room ? 0 : -1;
	if (!getcwd(cwd, sizeof cwd))
		return -1;
	return snprintf(to, room, "%s/%s", cwd, path) < (int)room ? 0 : -1;
}

/* Whether config.json may name another context than the default: Node looks properly. */
static bool other_context(const char *config)
{
	char path[PATH_MAX], text[32768] = "";
	snprintf(path, sizeof path, config ? "%s/config.json" : "%s/.docker/config.json", config ? config : env_or("HOME", ""));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *at = fd >= 0 && read(fd, text, sizeof text - 1) > 0 ? strstr(text, "\"currentContext\"") : NULL;
	close(fd);
	at = at ? strchr(at + 16, '"') : NULL;
	return at && at[1] != '"' && strncmp(at, "\"default\"", 9);
}

int place_of(struct place *place, int argc, char **argv)
{
	const char *root = env_or("HOIST_ROOT", NULL), *run = env_or("HOIST_RUN_ROOT", NULL), *ignored = NULL;
	char home[PATH_MAX], runtime[PATH_MAX];
	int i = 1;
	memset(place, 0, sizeof *place);
	const char *slash = strrchr(argv[0], '/');
	place->oci = strcmp(slash ? slash + 1 : argv[0], "runc") ? -1 : 0;
	if (place->oci == 0)
		i = argc; /* its flags are not ours */
	const char *host = env_or("DOCKER_HOST", NULL), *context = env_or("DOCKER_CONTEXT", NULL), *config = env_or("DOCKER_CONFIG", NULL);
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (flag_value("--root", argv, i, &root) || flag_value("--run-root", argv, i, &run))
			setenv(argv[i][2] == 'r' && argv[i][3] == 'o' ? "HOIST_ROOT" : "HOIST_RUN_ROOT", argv[i][2] == 'r' && argv[i][3] == 'o' ? root : run, 1);
		else if (flag_value("--host", argv, i, &ignored) || flag_value("-H", argv, i, &ignored))
			host = "named";
		else if (!flag_value("--context", argv, i, &context) && !flag_value("-c", argv, i, &context))
			flag_value("--config", argv, i, &config);
		if (takes_value(argv[i]))
			i++;
	}
	if (i < argc && !strcmp(argv[i], "oci"))
		place->oci = i;
	place->standalone = place->oci >= 0 ? false : env_or("HOIST_NO_ENGINE", NULL) || host || (context ? strcmp(context, "default") : other_context(config)) || (i < argc && !strcmp(argv[i], "engine"));
	if (geteuid()) {
		snprintf(home, sizeof home, "%s/hoist", env_or("XDG_DATA_HOME", ""));
		if (*home == '/' && home[1] == 'h')
			snprintf(home, sizeof home, "%s/.local/share/hoist", env_or("HOME", "/tmp"));
		struct stat st; /* su(1) keeps the variable of the user before */
		const char *xdg = env_or("XDG_RUNTIME_DIR", "");
		bool own = *xdg == '/' && !stat(xdg, &st) && st.st_uid == geteuid();
		if (own)
			snprintf(runtime, sizeof runtime, "%s/hoist", xdg);
		else
			snprintf(runtime, sizeof runtime, "/tmp/hoist-%u", geteuid());
		if (!own && !root && !run && (errno = -own_directory(runtime))) {
			fprintf(stderr, "hoist: cannot use %s for sockets: %s\nhint: it must be a directory of your own; name another with --run-root\n", runtime, strerror(errno));
			return -1;
		}
	} else {
		strcpy(home, "/var/lib/hoist");
		strcpy(runtime, "/run/hoist");
	}
	if (absolute(place->root, sizeof place->root, root ? root : home))
		return -1;
	/* an engine belongs to one root: with another root alone, its sockets lie beside its data */
	if (run ? absolute(place->run, sizeof place->run, run) : snprintf(place->run, sizeof place->run, root ? "%s/run" : "%s", root ? place->root : runtime) < 0)
		return -1;
	snprintf(place->socket, sizeof place->socket, "%.4080s/hoist.sock", place->run);
	if (strlen(place->run) > 70) {
		fprintf(stderr, "hoist: the run directory %s is too long for a socket's name (70 bytes at most)\nhint: name a shorter one with --run-root\n", place->run);
		return -1;
	}
	place->here = env_or("HOIST_NO_ENGINE", NULL) && !host && (i >= argc || (strcmp(argv[i], "engine") && strcmp(argv[i], "context")));
	setenv("HOIST_ROOT", place->root, 1);
	setenv("HOIST_RUN_ROOT", place->run, 1);
	return 0;
}

/* <where this binary is>/../dist/name */
static int beside(char *to, size_t room, const char *name)
{
	char self[PATH_MAX];
	const char *known = getenv("HOIST_SELF"); /* from before this program became a copy in memory */
	ssize_t n = known ? snprintf(self, sizeof self, "%s", known) : readlink("/proc/self/exe", self, sizeof self - 1);
	if (n <= 0 || n >= (ssize_t)sizeof self)
		return -1;
	self[n] = '\0';
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(self, '/');
		if (slash)
			*slash = '\0';
	}
	return snprintf(to, room, "%s/dist/%s", self, name) < (int)room ? 0 : -1;
}

static void exec_node(const char *script, char **rest)
{
	char path[PATH_MAX];
	char *argv[4096];
	int n = 0;
	if (beside(path, sizeof path, script))
		return;
	const char *node = env_or("HOIST_NODE", "node");
	argv[n++] = (char *)node;
	argv[n++] = "--max-semi-space-size=2"; /* MB: little garbage is kept at once, and an engine is small */
	argv[n++] = "--expose-gc";             /* an idle engine gives back what it does not need */
	argv[n++] = path;
	for (; *rest && n < 4095; rest++)
		argv[n++] = *rest;
	argv[n] = NULL;
	execvp(node, argv);
	fprintf(stderr, "hoist: cannot run Node (%s): %s\nhint: Node 20.19 or newer must be in PATH, or named by HOIST_NODE\n", node, strerror(errno));
}

static int make_dirs(const char *path)
{
	char part[PATH_MAX];
	snprintf(part, sizeof part, "%s", path);
	for (char *p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		mkdir(part, 0711);
		*p = '/';
	}
	return mkdir(part, 0711) && errno != EEXIST ? -1 : 0;
}

/* `hoist engine …` and commands for other engines make no container: they stay the user that they are. */
int run_standalone(const struct place *place, char **argv)
{
	unsetenv("HOIST_NAMESPACE");
	if (geteuid() && place->here) {
		pid_t holder = make_dirs(place->run) ? -1 : own_namespaces(place);
		if (holder < 0 || enter_namespace(holder))
			return 125;
	}
	exec_node("cli.js", argv + 1);
	return 125;
}

static void become_engine(const struct place *place, pid_t holder, int ready)
{
	char log[PATH_MAX + 16];
	char *args[] = {"--ready-fd", "3", NULL};
	snprintf(log, sizeof log, "%s/engine.log", place->run);
	int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600), in = open("/dev/null", O_RDONLY);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setenv("UV_THREADPOOL_SIZE", "8", 0); /* a pull's decompression must not keep every file operation waiting */
	setenv("MALLOC_ARENA_MAX", "2", 0);   /* what many threads freed is given back */
	setsid();
	unsetenv("HOIST_NAMESPACE");
	if (holder > 0 && enter_namespace(holder)) {
		dprintf(ready, "hoist: cannot enter the user namespace of process %d: %s\n", holder, strerror(errno));
		_exit(1);
	}
	if (chdir("/") || out < 0 || in < 0)
		_exit(1);
	ready = fcntl(ready, F_DUPFD, 10);
	dup2(in, 0);
	dup2(out, 1);
	dup2(out, 2);
	dup2(ready, 3);
	syscall(SYS_close_range, 4u, ~0u, 0);
	exec_node("engine.js", args);
	_exit(127);
}

static int await_ready(const struct place *place, int fd)
{
	char text[2048];
	size_t n = 0;
	ssize_t r;
	while (n < sizeof text - 1 && (r = read(fd, text + n, sizeof text - 1 - n)) > 0) {
		n += (size_t)r;
		if (text[0] == 'R')
			return 0;
	}
	text[n] = '\0';
	if (n)
		fprintf(stderr, "%s", text);
	else
		fprintf(stderr, "hoist: the engine did not start\nhint: see %s/engine.log\n", place->run);
	return -1;
}

int start_engine(const struct place *place)
{
	char path[PATH_MAX + 16];
	int pipe_[2];
	if (make_dirs(place->run)) {
		fprintf(stderr, "hoist: cannot make %s: %s\nhint: name another directory with --run-root\n", place->run, strerror(errno));
		return -1;
	}
	snprintf(path, sizeof path, "%s/start.lock", place->run);
	int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock < 0 || flock(lock, LOCK_EX)) {
		fprintf(stderr, "hoist: cannot lock %s: %s\n", path, strerror(errno));
		return -1;
	}
	int fd = unix_connect(place->socket); /* somebody was quicker */
	pid_t holder = fd < 0 && geteuid() ? own_namespaces(place) : 0;
	if (fd < 0 && holder >= 0 && !pipe2(pipe_, O_CLOEXEC)) {
		pid_t pid = fork();
		if (pid == 0)
			become_engine(place, holder, pipe_[1]);
		close(pipe_[1]);
		if (pid > 0 && !await_ready(place, pipe_[0]))
			fd = unix_connect(place->socket);
		close(pipe_[0]);
	}
	close(lock);
	return fd;
}

int start_private(pid_t *pid)
{
	int pair[2];
	char *none[] = {NULL};
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -1;
	*pid = fork();
	if (*pid == 0) {
		int in = open("/dev/null", O_RDONLY);
		pair[1] = fcntl(pair[1], F_DUPFD, 10);
		dup2(in, 0);
		dup2(2, 1);
		dup2(pair[1], 3);
		syscall(SYS_close_range, 4u, ~0u, 0);
		setsid(); /* signals of the terminal are for the client */
		exec_node("oci-host.js", none);
		_exit(127);
	}
	close(pair[1]);
	if (*pid > 0)
		return pair[0];
	close(pair[0]);
	return -1;
}
