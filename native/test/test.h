/* The whole test framework: a test is a function, run in a process of its own with a time limit; CHECK says where it failed. */
#pragma once
#include "../hoist.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEST(id, what) \
	static void id(void); \
	__attribute__((constructor)) static void add_##id(void) { test_add(what, id); } \
	static void id(void)

#define CHECK(condition) \
	do { \
		if (!(condition)) \
			test_fail(__FILE__, __LINE__, #condition, 0, 0); \
	} while (0)

#define CHECK_EQ(a, b) \
	do { \
		long long left = (long long)(a), right = (long long)(b); \
		if (left != right) \
			test_fail(__FILE__, __LINE__, #a " == " #b, left, right); \
	} while (0)

void test_add(const char *what, void (*body)(void));
_Noreturn void test_fail(const char *file, int line, const char *what, long long left, long long right);

/* A directory of the test's own; removed after it. */
const char *test_dir(void);
char *test_path(const char *name); /* good for seven more calls */
char *test_read(const char *path, size_t *n);
int test_fds(pid_t pid); /* how many are open */
