/* The small pieces of input and output: short reads, full pipes, descriptors over sockets, frames. */
#include "test.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

TEST(reads, "io: read_all takes what comes in pieces, and says when it ends early")
{
	int p[2];
	char room[8];
	CHECK(!pipe(p));
	CHECK_EQ(write(p[1], "abc", 3), 3);
	if (fork() == 0) {
		usleep(20000);
		_exit(write(p[1], "defgh", 5) != 5);
	}
	CHECK_EQ(read_all(p[0], room, 8), 0);
	CHECK(!memcmp(room, "abcdefgh", 8));
	CHECK_EQ(write(p[1], "xy", 2), 2);
	close(p[1]);
	CHECK_EQ(read_all(p[0], room, 3), -EPIPE);
	CHECK_EQ(read_all(p[0], room, 0), 0);
	CHECK_EQ(read_all(-1, room, 1), -EBADF);
}

TEST(writes, "io: write_all waits where a nonblocking pipe is full, and fails where its reader went away")
{
	static char data[1 << 20];
	int p[2];
	CHECK(!pipe2(p, O_NONBLOCK));
	pid_t pid = fork();
	if (pid == 0) {
		close(p[1]);
		fcntl(p[0], F_SETFL, 0);
		usleep(20000);
		_exit(read_all(p[0], data, sizeof data) != 0 || data[sizeof data - 1] != 'e');
	}
	close(p[0]);
	data[sizeof data - 1] = 'e';
	CHECK_EQ(write_all(p[1], data, sizeof data), 0);
	int status;
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK_EQ(write_all(p[1], data, 1), -EPIPE);
	CHECK_EQ(write_all(-1, data, 1), -EBADF);
}

static void socket_pair(int pair[2])
{
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
}

TEST(passed_fds, "io: descriptors arrive close-on-exec; those beyond the room are closed, not leaked")
{
	int pair[2], fds[4], count = 3, before;
	char m[8];
	socket_pair(pair);
	before = test_fds(getpid());
	CHECK_EQ(send_fds(pair[0], "hello", 5, (int[]){0, 1, 2}, 3), 0);
	CHECK_EQ(recv_fds(pair[1], m, sizeof m, fds, &count), 5);
	CHECK_EQ(count, 3);
	CHECK_EQ(test_fds(getpid()), before + 3);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
		close(fds[i]);
	}
	CHECK_EQ(send_fds(pair[0], "x", 1, (int[]){0, 1, 2, 2}, 4), 0);
	count = 1;
	CHECK_EQ(recv_fds(pair[1], m, sizeof m, fds, &count), 1);
	CHECK_EQ(count, 1);
	close(fds[0]);
	CHECK_EQ(test_fds(getpid()), before);
	count = 3;
	CHECK_EQ(send_fds(pair[0], "y", 1, NULL, 0), 0);
	CHECK_EQ(recv_fds(pair[1], m, sizeof m, fds, &count), 1);
	CHECK_EQ(count, 0);
	close(pair[0]);
	count = 3;
	CHECK_EQ(recv_fds(pair[1], m, sizeof m, fds, &count), 0);
	CHECK_EQ(count, 0);
}

TEST(fd_flood, "io: attack: two hundred descriptors in one message")
{
	int pair[2], fds[3], count = 3, before;
	char m;
	char room[CMSG_SPACE(sizeof(int) * 200)];
	struct iovec v = {"h", 1};
	struct msghdr h = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
	socket_pair(pair);
	before = test_fds(getpid());
	memset(room, 0, sizeof room);
	*CMSG_FIRSTHDR(&h) = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int) * 200), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
	CHECK_EQ(sendmsg(pair[0], &h, 0), 1);
	CHECK_EQ(recv_fds(pair[1], &m, 1, fds, &count), 1);
	CHECK_EQ(count, 3);
	for (int i = 0; i < count; i++)
		close(fds[i]);
	CHECK_EQ(test_fds(getpid()), before);
}

TEST(frames, "io: frames of every size around the one that is copied")
{
	const size_t sizes[] = {0, 1, 4095, 4096, 4097, 100000};
	static char data[100000], got[100005];
	memset(data, 'f', sizeof data);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		int pair[2];
		uint32_t length;
		socket_pair(pair);
		pid_t pid = fork();
		if (pid == 0)
			_exit(frame_send(pair[0], 9, data, sizes[i]) != 0);
		CHECK_EQ(read_all(pair[1], got, sizes[i] + 5), 0);
		memcpy(&length, got, 4);
		CHECK_EQ(length, sizes[i] + 1);
		CHECK(got[4] == 9 && !memcmp(got + 5, data, sizes[i]));
		int status;
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
		close(pair[0]);
		close(pair[1]);
	}
}

TEST(replies, "io: a reply carries the request's number; without an engine it is dropped")
{
	struct plan plan = {0};
	struct run run;
	int pair[2];
	char got[18];
	socket_pair(pair);
	run_init(&run, &plan);
	CHECK_EQ(reply(&run, FRAME_DONE, "x", 1), 0);
	run.engine = pair[0];
	run.seq = 0x01020304;
	run.failed_section = CHILD;
	run.failed_index = 5;
	CHECK_EQ(reply_failed(&run, -EPERM), 0);
	CHECK_EQ(read_all(pair[1], got, sizeof got), 0);
	CHECK(!memcmp(got, "\x0e\0\0\0\2\4\3\2\1\1\5\0\0\0\xff\xff\xff\xff", sizeof got));
}

TEST(sockets, "io: a socket has the mode that was asked for; a name that is too long is refused, not cut off")
{
	char path[200], *name = test_path("socket");
	struct stat st;
	int fd = unix_listen(name, 0600);
	CHECK(fd >= 0 && !stat(name, &st) && (st.st_mode & 0777) == 0600);
	int again = unix_listen(name, 0666); /* a stale one is replaced */
	CHECK(again >= 0 && !stat(name, &st) && (st.st_mode & 0777) == 0666);
	int joined = unix_connect(name);
	CHECK(joined >= 0);
	memset(path, 'a', sizeof path);
	path[0] = '/';
	path[sizeof path - 1] = '\0';
	CHECK_EQ(unix_listen(path, 0600), -ENAMETOOLONG);
	CHECK_EQ(unix_connect(path), -ENAMETOOLONG);
	path[108] = '\0'; /* the first length that does not fit with its NUL */
	CHECK_EQ(unix_connect(path), -ENAMETOOLONG);
	CHECK_EQ(unix_connect("/nonexistent/socket"), -ENOENT);
	CHECK(unix_listen("/nonexistent/socket", 0600) == -ENOENT);
}

TEST(files, "io: put_file writes once, exclusively where asked")
{
	char *name = test_path("file");
	size_t n;
	CHECK_EQ(put_file(AT_FDCWD, name, "text", 4, O_WRONLY | O_CREAT | O_EXCL, 0600), 0);
	CHECK_EQ(put_file(AT_FDCWD, name, "text", 4, O_WRONLY | O_CREAT | O_EXCL, 0600), -EEXIST);
	char *text = test_read(name, &n);
	CHECK(n == 4 && !strcmp(text, "text"));
	CHECK_EQ(put_file(AT_FDCWD, "/dev/full", "x", 1, O_WRONLY, 0), -ENOSPC);
	free(text);
}

TEST(titles, "io: a title longer than its room is cut, and what follows is left alone")
{
	char block[] = "argv0 and room\0behind\0after";
	char *argv[] = {block, block + 15, NULL};
	title_room(argv);
	set_title("a title that is much longer than the room it has");
	CHECK(strlen(block) == 21);
	CHECK(!memcmp(block + 22, "after", 5));
	set_title("short");
	CHECK(!strcmp(block, "short"));
}

TEST(buffers, "io: a buffer grows, and takes nothing at all")
{
	struct buf b = {0};
	CHECK_EQ(buf_add(&b, NULL, 0), 0);
	for (int i = 0; i < 10000; i++)
		CHECK_EQ(buf_add(&b, "0123456789", 10), 0);
	CHECK_EQ(b.n, 100000);
	for (size_t i = 0; i < b.n; i++)
		CHECK_EQ(b.p[i], '0' + (int)(i % 10));
	free(b.p);
}

TEST(slots_above_stdio, "io: an fd below 3 moves up before it becomes a slot")
{
	struct plan plan = {0};
	struct run run;
	run_init(&run, &plan);
	CHECK_EQ(slot_fd(&run, 0), -EBADF);
	CHECK_EQ(slot_fd(&run, MAX_SLOTS), -EBADF);
	CHECK_EQ(slot_fd(&run, NO_SLOT), -EBADF);
	int spare = dup(0);
	CHECK_EQ(slot_put(&run, 0, 0), 0);
	CHECK(run.slot[0] > 2 && fcntl(run.slot[0], F_GETFD) == FD_CLOEXEC && fcntl(0, F_GETFD) < 0);
	dup2(spare, 0);
	CHECK_EQ(slot_put(&run, 0, -EMFILE), -EMFILE);
	CHECK(slot_fd(&run, 0) > 2); /* a failure leaves what was there */
}
