/* A keeper in a process of its own, with a program that a test gives it, and the clients that join it. */
#pragma once
#include "test.h"
#include "../keeper.h"

struct kept {
	pid_t keeper, program;
	const char *socket, *log, *record;
};

struct how {
	void (*program)(void); /* with stdin, stdout, stderr as a container's; its return is exit code 0 */
	bool tty, no_log, no_stdin;
	uint32_t flags, expect;
};

struct kept keep(struct how how);
/* Waits for the keeper's end and checks that it was a good one. */
void kept_ended(struct kept *k);

int join_raw(const struct kept *k);
/* mode 'F': fds of those that are not -1 */
int join_fds(const struct kept *k, int in, int out, int err, const char *keys);
int join_stream(const struct kept *k, uint8_t flags);
int join_control(const struct kept *k);
void ask(int sock, char type, uint16_t a, uint16_t b);
struct ending ending_of(int sock);

/* Everything until the end of file. */
struct buf read_to_end(int fd);
/* Reads n bytes, or fails after a while. */
void expect_bytes(int fd, const void *p, size_t n);
#define EXPECT(fd, text) expect_bytes(fd, text, sizeof(text) - 1)
