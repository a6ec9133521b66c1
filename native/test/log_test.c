/* The log: CRI lines, whatever the program writes and however it is cut into reads. */
#include "test.h"
#include <sys/stat.h>

static struct log open_log(const char *name, uint64_t max, uint32_t files)
{
	struct log log;
	CHECK_EQ(log_open(&log, test_path(name), max, files), 0);
	return log;
}

struct entry {
	char stream, tag;
	const char *text;
	size_t n;
};

/* Reads one entry and checks its form; returns what is behind it. */
static const char *next_entry(const char *p, const char *end, struct entry *e)
{
	const char form[] = "dddd-dd-ddTdd:dd:dd.dddddddddZ std";
	for (size_t i = 0; form[i]; i++)
		CHECK(end - p > 40 && (form[i] == 'd' && i < 30 ? p[i] >= '0' && p[i] <= '9' : p[i] == form[i]));
	CHECK(!memcmp(p + 31, "stdout ", 7) || !memcmp(p + 31, "stderr ", 7));
	*e = (struct entry){.stream = p[34], .tag = p[38], .text = p + 40};
	CHECK((e->tag == 'F' || e->tag == 'P') && p[39] == ' ');
	const char *newline = memchr(e->text, '\n', (size_t)(end - e->text));
	CHECK(newline);
	e->n = (size_t)(newline - e->text);
	return newline + 1;
}

/* What one stream wrote, from the text of a log. */
static struct buf said(const char *name, char stream)
{
	size_t n;
	struct buf b = {0};
	struct entry e;
	char *text = test_read(test_path(name), &n);
	for (const char *p = text; p < text + n;) {
		p = next_entry(p, text + n, &e);
		if (e.stream != stream)
			continue;
		buf_add(&b, e.text, e.n);
		if (e.tag == 'F')
			buf_add(&b, "\n", 1);
	}
	free(text);
	return b;
}

static void check_said(const char *name, char stream, const void *expected, size_t n)
{
	struct buf b = said(name, stream);
	CHECK_EQ(b.n, n);
	CHECK(!n || !memcmp(b.p, expected, n));
	free(b.p);
}

static void close_log(struct log *log)
{
	log_end(log);
	close(log->fd);
	free(log->partial[0].p);
	free(log->partial[1].p);
}

TEST(lines, "log: one entry per line, both streams, empty lines too")
{
	struct log log = open_log("log", 0, 1);
	log_add(&log, 0, "one\n\ntwo\n", 9);
	log_add(&log, 1, "problem\n", 8);
	close_log(&log);
	check_said("log", 'o', "one\n\ntwo\n", 9);
	check_said("log", 'e', "problem\n", 8);
}

TEST(partial, "log: a line in pieces is one entry; streams do not mix; an unfinished line is kept at the end")
{
	struct log log = open_log("log", 0, 1);
	struct entry e;
	size_t n;
	log_add(&log, 0, "hel", 3);
	log_add(&log, 1, "err", 3);
	log_add(&log, 0, "lo\nbye", 6);
	log_add(&log, 1, "or\n", 3);
	close_log(&log);
	char *text = test_read(test_path("log"), &n);
	const char *p = next_entry(text, text + n, &e);
	CHECK(e.tag == 'F' && e.stream == 'o' && e.n == 5 && !memcmp(e.text, "hello", 5));
	p = next_entry(p, text + n, &e);
	CHECK(e.tag == 'F' && e.stream == 'e' && e.n == 5 && !memcmp(e.text, "error", 5));
	p = next_entry(p, text + n, &e);
	CHECK(e.tag == 'P' && e.n == 3 && !memcmp(e.text, "bye", 3));
	CHECK(p == text + n);
	free(text);
}

TEST(long_lines, "log: a line of 40000 bytes is entries of 16 KiB, all but the last partial")
{
	static char line[40001];
	const size_t sizes[] = {16384, 16384, 7232};
	struct log log = open_log("log", 0, 1);
	struct entry e;
	size_t n;
	memset(line, 'x', 40000);
	line[40000] = '\n';
	log_add(&log, 0, line, sizeof line);
	close_log(&log);
	char *text = test_read(test_path("log"), &n);
	const char *p = text;
	for (int i = 0; i < 3; i++) {
		p = next_entry(p, text + n, &e);
		CHECK_EQ(e.n, sizes[i]);
		CHECK_EQ(e.tag, i < 2 ? 'P' : 'F');
	}
	CHECK(p == text + n);
	free(text);
}

TEST(exact_lines, "log: lines of exactly 16 KiB, one less and one more, in one piece and byte by byte")
{
	static char line[16386];
	memset(line, 'y', sizeof line);
	for (size_t n = 16383; n <= 16385; n++)
		for (int whole = 0; whole < 2; whole++) {
			struct log log = open_log("log", 0, 1);
			for (size_t i = 0; !whole && i < n; i++)
				log_add(&log, 0, line + i, 1);
			if (whole)
				log_add(&log, 0, line, n);
			log_add(&log, 0, "\n", 1);
			close_log(&log);
			struct buf b = said("log", 'o');
			CHECK(b.n == n + 1 && b.p[n] == '\n' && !memcmp(b.p, line, n));
			free(b.p);
			unlink(test_path("log"));
		}
}

TEST(binary, "log: every byte comes back, however the reads cut it")
{
	static char data[200000];
	uint32_t seed = 7;
	for (size_t i = 0; i < sizeof data; i++) {
		seed = seed * 1664525 + 1013904223;
		data[i] = (char)(seed >> 24);
	}
	memset(data + 50000, 'z', 60000); /* a long line among the short ones */
	data[sizeof data - 1] = '\n';
	for (int round = 0; round < 4; round++) {
		char name[] = {'l', (char)('0' + round), 0};
		struct log log = open_log(name, 0, 1);
		for (size_t at = 0, n; at < sizeof data; at += n) {
			seed = seed * 1664525 + 1013904223;
			n = 1 + (seed >> 8) % (round == 0 ? 3 : 30000);
			if (n > sizeof data - at)
				n = sizeof data - at;
			log_add(&log, 0, data + at, n);
		}
		close_log(&log);
		check_said(name, 'o', data, sizeof data);
	}
}

TEST(rotation, "log: rotated at its size: no file larger, no entry torn, the newest kept, the number bounded")
{
	struct log log = open_log("log", 4000, 3);
	char line[64];
	int last = 499, expected;
	for (int i = 0; i <= last; i++)
		log_add(&log, 0, line, (size_t)snprintf(line, sizeof line, "line %d\n", i));
	close_log(&log);
	expected = last;
	const char *names[] = {"log", "log.1", "log.2"};
	for (int file = 0; file < 3; file++) {
		struct stat st;
		CHECK(!stat(test_path(names[file]), &st) && st.st_size <= 4000 && st.st_size > 0);
		struct buf b = said(names[file], 'o');
		int lines = 0, first = -1;
		for (char *p = b.p, *next; p < b.p + b.n; p = next) {
			int number;
			CHECK(sscanf(p, "line %d\n", &number) == 1 && (first < 0 || number == first + lines));
			if (first < 0)
				first = number;
			next = memchr(p, '\n', (size_t)(b.p + b.n - p));
			CHECK(next++);
			lines++;
		}
		CHECK_EQ(first + lines - 1, expected); /* older files go on where this one begins */
		expected = first - 1;
		free(b.p);
	}
	CHECK(access(test_path("log.3"), F_OK));
}

TEST(one_file, "log: with one file allowed the old text goes")
{
	struct log log = open_log("log", 200, 1);
	for (int i = 0; i < 10; i++)
		log_add(&log, 0, "0123456789012345678901234567890123456789\n", 41);
	close_log(&log);
	struct buf b = said("log", 'o');
	CHECK(b.n == 41 || b.n == 82);
	CHECK(access(test_path("log.1"), F_OK));
	free(b.p);
}

TEST(appended, "log: a second start goes on in the same file, and counts what is there")
{
	struct log log = open_log("log", 300, 2);
	log_add(&log, 0, "before\n", 7);
	close_log(&log);
	log = open_log("log", 300, 2);
	CHECK(log.size > 40);
	log_add(&log, 0, "after\n", 6);
	close_log(&log);
	check_said("log", 'o', "before\nafter\n", 13);
}

TEST(no_log, "log: a log that cannot be opened, and none at all, lose nothing but the log")
{
	struct log log;
	CHECK(log_open(&log, "/nonexistent/log", 0, 1) < 0);
	log_add(&log, 0, "x\n", 2);
	log_end(&log);
	CHECK_EQ(log_open(&log, "", 0, 0), 0);
	log_add(&log, 1, "x", 1);
	log_end(&log);
	CHECK_EQ(log.fd, -1);
}

TEST(full_disk, "log: a full disk loses lines, never the program")
{
	struct log log;
	CHECK_EQ(log_open(&log, "/dev/full", 100, 1), 0);
	for (int i = 0; i < 1000; i++)
		log_add(&log, i & 1, "lost\nand half a li", 18);
	log_end(&log);
	CHECK_EQ(log.size, 0);
	free(log.partial[0].p);
	free(log.partial[1].p);
	close(log.fd);
}
