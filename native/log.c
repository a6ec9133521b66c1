/* The container's log in the Kubernetes CRI format, one line per line of output:
 *   2026-01-02T03:04:05.000000006Z stdout F text
 * P instead of F: the line goes on in the next entry (longer than 16 KiB, or the program ended without a newline). */
#include "hoist.h"
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 16384u

int log_open(struct log *log, const char *path, uint64_t max, uint32_t files)
{
	*log = (struct log){.fd = -1, .path = path, .max = max, .files = files ? files : 1};
	if (!*path)
		return 0;
	struct stat st;
	log->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (log->fd < 0 || fstat(log->fd, &st))
		return -errno;
	log->size = (uint64_t)st.st_size;
	return 0;
}

/* log -> log.1 -> log.2 …; the oldest of `files` goes. */
static void rotate(struct log *log)
{
	char from[PATH_MAX], to[PATH_MAX];
	for (uint32_t i = log->files - 1; i > 0; i--) {
		snprintf(to, sizeof to, "%s.%u", log->path, i);
		if (i > 1)
			snprintf(from, sizeof from, "%s.%u", log->path, i - 1);
		else
			snprintf(from, sizeof from, "%s", log->path);
		rename(from, to);
	}
	if (log->files == 1) /* a reader keeps what it has not read yet, and sees that there is another file */
		unlink(log->path);
	int fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return;
	close(log->fd);
	log->fd = fd;
	log->size = 0;
}

static size_t prefix(char *to, size_t room, int stream, char tag)
{
	struct timespec t;
	struct tm tm;
	clock_gettime(CLOCK_REALTIME, &t);
	gmtime_r(&t.tv_sec, &tm);
	size_t n = strftime(to, room, "%Y-%m-%dT%H:%M:%S", &tm);
	return n + (size_t)snprintf(to + n, room - n, ".%09ldZ %s %c ", t.tv_nsec, stream ? "stderr" : "stdout", tag);
}

/* One entry: what was kept of the line before, then p. A full disk loses log lines, never the container. */
static void entry(struct log *log, int stream, char tag, const char *p, size_t n)
{
	char head[80];
	size_t h = prefix(head, sizeof head, stream, tag), kept = log->partial[stream].n;
	size_t total = h + kept + n + 1;
	if (log->max && log->size && log->size + total > log->max)
		rotate(log);
	struct iovec v[4] = {{head, h}, {log->partial[stream].p, kept}, {(void *)p, n}, {"\n", 1}};
	ssize_t w = writev(log->fd, v, 4);
	if (w > 0)
		log->size += (uint64_t)w;
	log->partial[stream].n = 0;
}

static void keep(struct log *log, int stream, const char *p, size_t n)
{
	if (!log->partial[stream].p)
		log->partial[stream].p = malloc(LINE_MAX_BYTES);
	if (!log->partial[stream].p)
		return;
	memcpy(log->partial[stream].p + log->partial[stream].n, p, n);
	log->partial[stream].n += (uint32_t)n;
}

void log_add(struct log *log, int stream, const char *p, size_t n)
{
	if (log->fd < 0)
		return;
	while (n) {
		const char *end = memchr(p, '\n', n);
		size_t part = end ? (size_t)(end - p) : n;
		size_t room = LINE_MAX_BYTES - log->partial[stream].n;
		if (part > room) { /* too long for one entry */
			entry(log, stream, 'P', p, room);
			p += room;
			n -= room;
			continue;
		}
		if (!end) {
			keep(log, stream, p, n);
			return;
		}
		entry(log, stream, 'F', p, part);
		p = end + 1;
		n -= part + 1;
	}
}

void log_end(struct log *log)
{
	for (int s = 0; s < 2; s++)
		if (log->fd >= 0 && log->partial[s].n)
			entry(log, s, 'P', NULL, 0);
}
