/* The keeper: what its clients get, in every mode, and what it outlives. */
#include "kept.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define MB (1u << 20)

static void pipe_of(int p[2])
{
	CHECK(!pipe2(p, O_CLOEXEC));
}

static void say(int fd, const char *text)
{
	write_all(fd, text, strlen(text));
}

static void exit_7(void)
{
	say(1, "out\n");
	say(2, "err\n");
	_exit(7);
}

TEST(exit_record, "keeper: the exit record and the log are on disk before anybody hears of the exit")
{
	struct kept k = keep((struct how){.program = exit_7, .expect = 1});
	int sock = join_control(&k);
	struct ending e = ending_of(sock);
	CHECK(e.type == 'X' && e.code == 7 && !e.oom);
	char *record = test_read(k.record, NULL), *log = test_read(k.log, NULL);
	CHECK(strstr(record, "{\"exitCode\":7,\"oomKilled\":false,\"finishedAt\":\"20") == record);
	CHECK(strstr(log, " stdout F out\n") && strstr(log, " stderr F err\n"));
	CHECK(access(test_path("exit.tmp"), F_OK));
	free(record);
	free(log);
	close(sock);
	kept_ended(&k);
}

static void wait_forever(void)
{
	for (;;)
		pause();
}

TEST(killed, "keeper: a signal from the engine arrives; its number is in the exit code")
{
	struct kept k = keep((struct how){.program = wait_forever, .expect = 1});
	int sock = join_control(&k);
	ask(sock, 'K', SIGKILL, 0);
	CHECK_EQ(ending_of(sock).code, 128 + SIGKILL);
	kept_ended(&k);
}

TEST(kill_with_hello, "keeper: a request in the same write as the hello is not lost")
{
	struct kept k = keep((struct how){.program = wait_forever, .expect = 1});
	int sock = join_raw(&k);
	struct __attribute__((packed)) {
		struct hello h;
		struct request r;
	} both = {{'H', 'C', 0, 0}, {'K', 0, SIGTERM, 0}};
	CHECK_EQ(send(sock, &both, sizeof both, 0), (ssize_t)sizeof both);
	CHECK_EQ(ending_of(sock).code, 128 + SIGTERM);
	kept_ended(&k);
}

TEST(no_kill, "keeper: attack: a terminal that joined may not send signals")
{
	struct kept k = keep((struct how){.program = wait_forever, .expect = 1});
	int sock = join_fds(&k, -1, -1, -1, ""), control = join_control(&k);
	ask(sock, 'K', SIGKILL, 0);
	usleep(50000);
	ask(control, 'K', SIGTERM, 0);
	CHECK_EQ(ending_of(control).code, 128 + SIGTERM);
	kept_ended(&k);
}

static void every_byte(void)
{
	for (int i = 0; i < 256; i++)
		dprintf(1, "%c", i);
	say(2, "apart");
}

TEST(apart, "keeper: stdout and stderr apart, every byte as it was")
{
	struct kept k = keep((struct how){.program = every_byte, .expect = 1});
	int out[2], err[2];
	pipe_of(out);
	pipe_of(err);
	int sock = join_fds(&k, -1, out[1], err[1], "");
	close(out[1]);
	close(err[1]);
	struct buf o = read_to_end(out[0]), e = read_to_end(err[0]);
	CHECK(o.n == 256 && e.n == 5 && !memcmp(e.p, "apart", 5));
	for (int i = 0; i < 256; i++)
		CHECK_EQ((uint8_t)o.p[i], i);
	CHECK_EQ(ending_of(sock).code, 0);
	free(o.p);
	free(e.p);
	kept_ended(&k);
}

static void count_up(void)
{
	static uint32_t numbers[4 * MB];
	for (uint32_t i = 0; i < 4 * MB; i++)
		numbers[i] = i;
	write_all(1, numbers, sizeof numbers);
}

static void check_count(const struct buf *b)
{
	CHECK_EQ(b->n, 16 * MB);
	for (uint32_t i = 0, n; i < 4 * MB; i++) {
		memcpy(&n, b->p + 4 * i, 4);
		CHECK_EQ(n, i);
	}
}

TEST(much, "keeper: 16 MB through one pipe, with a log and without")
{
	for (int no_log = 0; no_log < 2; no_log++) {
		struct kept k = keep((struct how){.program = count_up, .no_log = no_log, .expect = 1});
		int out[2];
		pipe_of(out);
		int sock = join_fds(&k, -1, out[1], -1, "");
		close(out[1]);
		struct buf b = read_to_end(out[0]);
		check_count(&b);
		free(b.p);
		close(out[0]);
		close(sock);
		kept_ended(&k);
	}
}

static void read_in_child(int fd, int *status)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct buf b = read_to_end(fd);
		check_count(&b);
		_exit(0);
	}
	close(fd);
	*status = pid;
}

TEST(many, "keeper: five readers of 16 MB each get all of it")
{
	struct kept k = keep((struct how){.program = count_up, .no_log = true, .expect = 5});
	int pids[5], socks[5];
	for (int i = 0; i < 5; i++) {
		int out[2];
		pipe_of(out);
		socks[i] = join_fds(&k, -1, out[1], -1, "");
		close(out[1]);
		read_in_child(out[0], &pids[i]);
	}
	for (int i = 0; i < 5; i++) {
		int status;
		CHECK(waitpid(pids[i], &status, 0) == pids[i] && status == 0);
		close(socks[i]);
	}
	kept_ended(&k);
}

static volatile uint32_t *written;

static void count_what_is_written(void)
{
	static char block[65536];
	for (int i = 0; i < 512; i++) { /* 32 MB */
		write_all(1, block, sizeof block);
		*written += sizeof block;
	}
}

static uint32_t settled(void)
{
	for (uint32_t before;;) {
		before = *written;
		usleep(150000);
		if (*written == before && before)
			return before;
	}
}

static long resident_kb(pid_t pid)
{
	char path[64], line[256];
	long kb = -1;
	snprintf(path, sizeof path, "/proc/%d/status", pid);
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "VmRSS: %ld", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb;
}

TEST(slow_reader, "keeper: a reader that stops holds the program back; nothing is lost and nothing grows")
{
	for (int mode = 0; mode < 3; mode++) { /* a pipe alone, a pipe beside another reader, a socket */
		written = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		CHECK(written != MAP_FAILED);
		struct kept k = keep((struct how){.program = count_what_is_written, .no_log = true, .expect = mode == 1 ? 2 : 1});
		int out[2] = {-1, -1}, null = open("/dev/null", O_WRONLY | O_CLOEXEC), other = -1;
		pipe_of(out);
		int sock = mode == 2 ? join_stream(&k, 2) : join_fds(&k, -1, out[1], -1, "");
		if (mode == 1)
			other = join_fds(&k, -1, null, -1, "");
		close(out[1]);
		long before = resident_kb(k.keeper);
		CHECK(settled() < 6 * MB);
		CHECK(resident_kb(k.keeper) < before + 4096);
		struct buf b = read_to_end(mode == 2 ? sock : out[0]);
		CHECK(mode == 2 ? b.n > 32 * MB : b.n == 32 * MB);
		free(b.p);
		close(out[0]);
		close(null);
		close(sock);
		if (other >= 0)
			close(other);
		kept_ended(&k);
	}
}

static void write_and_wait(void)
{
	char c;
	write_all(1, "first", 5);
	read_all(0, &c, 1);
	for (int i = 0; i < 1000; i++)
		write_all(1, "0123456789", 10);
	_exit(3);
}

TEST(reader_gone, "keeper: a reader that goes away is told so; the program and the other readers go on")
{
	for (int no_log = 0; no_log < 2; no_log++) {
		struct kept k = keep((struct how){.program = write_and_wait, .no_log = no_log, .expect = 2});
		int gone[2], stays[2], in[2];
		pipe_of(gone);
		pipe_of(stays);
		pipe_of(in);
		int first = join_fds(&k, -1, gone[1], -1, ""), second = join_fds(&k, in[0], stays[1], -1, "");
		close(gone[1]);
		close(stays[1]);
		EXPECT(gone[0], "first");
		close(gone[0]);
		say(in[1], "x");
		struct buf b = read_to_end(stays[0]);
		CHECK_EQ(b.n, 10005);
		CHECK_EQ(ending_of(first).type, 'P');
		CHECK_EQ(ending_of(second).code, 3);
		free(b.p);
		close(first);
		close(second);
		close(in[0]);
		close(in[1]);
		close(stays[0]);
		kept_ended(&k);
	}
}

TEST(alone_gone, "keeper: the only reader goes away (| head -1): the program still runs to its end")
{
	for (int no_log = 0; no_log < 2; no_log++) {
		struct kept k = keep((struct how){.program = count_up, .no_log = no_log, .expect = 1});
		int out[2];
		char c;
		pipe_of(out);
		int sock = join_fds(&k, -1, out[1], -1, "");
		close(out[1]);
		CHECK(!read_all(out[0], &c, 1));
		close(out[0]);
		CHECK_EQ(ending_of(sock).type, 'P');
		close(sock);
		kept_ended(&k);
	}
}

TEST(client_gone, "keeper: a client that is killed with its pipe full and its socket open")
{
	struct kept k = keep((struct how){.program = count_up, .expect = 2});
	int out[2];
	pipe_of(out);
	int control = join_control(&k);
	pid_t client = fork();
	if (client == 0) {
		join_fds(&k, -1, out[1], -1, "");
		for (;;)
			pause();
	}
	close(out[1]);
	struct pollfd ready = {out[0], POLLIN, 0};
	CHECK(poll(&ready, 1, 20000) == 1);
	kill(client, SIGKILL);
	waitpid(client, NULL, 0);
	close(out[0]);
	CHECK_EQ(ending_of(control).code, 0);
	kept_ended(&k);
}

static void write_at_once(void)
{
	say(1, "from the start\n");
}

TEST(expected, "keeper: nothing is read from the program before those expected have joined")
{
	struct kept k = keep((struct how){.program = write_at_once, .expect = 2});
	int control = join_control(&k), out[2];
	usleep(100000);
	pipe_of(out);
	int sock = join_fds(&k, -1, out[1], -1, "");
	close(out[1]);
	EXPECT(out[0], "from the start\n");
	CHECK_EQ(ending_of(sock).code, 0);
	CHECK_EQ(ending_of(control).code, 0);
	kept_ended(&k);
}

TEST(released, "keeper: who was expected and does not come is not waited for")
{
	struct kept k = keep((struct how){.program = write_at_once, .expect = 2});
	int control = join_control(&k);
	ask(control, 'E', 0, 0);
	CHECK_EQ(ending_of(control).code, 0);
	char *log = test_read(k.log, NULL);
	CHECK(strstr(log, "stdout F from the start\n"));
	free(log);
	kept_ended(&k);
}

static void leave_one_behind(void)
{
	say(1, "said\n");
	if (fork() == 0) {
		sleep(40);
		_exit(0);
	}
	_exit(4);
}

TEST(held_open, "keeper: a program that left a child behind with its stdout: its end is its end")
{
	for (int no_log = 0; no_log < 2; no_log++) {
		struct kept k = keep((struct how){.program = leave_one_behind, .no_log = no_log, .expect = 1});
		int out[2];
		pipe_of(out);
		int sock = join_fds(&k, -1, out[1], -1, "");
		close(out[1]);
		struct pollfd ready = {sock, POLLIN, 0};
		CHECK(poll(&ready, 1, 10000) == 1);
		CHECK_EQ(ending_of(sock).code, 4);
		EXPECT(out[0], "said\n");
		close(out[0]);
		close(sock);
		kept_ended(&k);
	}
}

static void close_both_and_go_on(void)
{
	close(1);
	close(2);
	usleep(100000);
	_exit(5);
}

TEST(closed_early, "keeper: a program that closes its output is waited for, without spinning")
{
	struct kept k = keep((struct how){.program = close_both_and_go_on, .expect = 1});
	int control = join_control(&k);
	CHECK_EQ(ending_of(control).code, 5);
	kept_ended(&k);
}
