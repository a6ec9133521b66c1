/* Runs the tests one after the other, each in a process of its own; TAP on stdout. An argument selects by part of a name. */
#include "test.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define LIMIT_SECONDS 60

static struct {
	const char *what;
	void (*body)(void);
} tests[256];
static int count;
static char dir[] = "/tmp/hoist-native-XXXXXX";

void test_add(const char *what, void (*body)(void))
{
	tests[count].what = what;
	tests[count++].body = body;
}

void test_fail(const char *file, int line, const char *what, long long left, long long right)
{
	printf("# %s:%d: %s", file, line, what);
	if (left != right)
		printf(" (%lld, %lld)", left, right);
	printf("\n");
	fflush(stdout);
	_exit(1);
}

const char *test_dir(void)
{
	return dir;
}

char *test_path(const char *name)
{
	static char paths[8][256];
	static int next;
	char *path = paths[next++ % 8];
	snprintf(path, sizeof *paths, "%s/%s", dir, name);
	return path;
}

char *test_read(const char *path, size_t *n)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && !fstat(fd, &st));
	char *text = calloc(1, (size_t)st.st_size + 1);
	CHECK(text && !read_all(fd, text, (size_t)st.st_size));
	close(fd);
	if (n)
		*n = (size_t)st.st_size;
	return text;
}

int test_fds(pid_t pid)
{
	char path[64];
	int n = 0;
	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	DIR *d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));)
		n += *e->d_name != '.';
	if (d)
		closedir(d);
	return n - (pid == getpid());
}

static void remove_dir(void)
{
	DIR *d = opendir(dir);
	for (struct dirent *e; d && (e = readdir(d));)
		unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	rmdir(dir);
}

static bool passes(void (*body)(void))
{
	strcpy(dir + sizeof dir - 7, "XXXXXX");
	if (!mkdtemp(dir))
		return false;
	pid_t pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		alarm(LIMIT_SECONDS);
		signal(SIGPIPE, SIG_IGN);
		body();
		fflush(stdout);
		exit(0); /* with the leak check, where there is one */
	}
	int status = -1;
	waitpid(pid, &status, 0);
	kill(-pid, SIGKILL); /* whatever it started */
	remove_dir();
	if (WIFSIGNALED(status))
		printf("# ended by signal %d%s\n", WTERMSIG(status), WTERMSIG(status) == SIGALRM ? ": it took too long" : "");
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
	int failed = 0, n = 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; i < count; i++) {
		if (argc > 1 && !strstr(tests[i].what, argv[1]))
			continue;
		bool ok = passes(tests[i].body);
		failed += !ok;
		printf("%sok %d - %s\n", ok ? "" : "not ", ++n, tests[i].what);
	}
	printf("1..%d\n", n);
	return failed > 0;
}
