/* A reaper as Testcontainers wants one: programs connect, name labels, and stay connected as long as they live; when all
   are gone, whatever has those labels is removed. Static, needs nothing but the engine's socket.
   A filter line is `label=a=b&label=c=d`; the answer to each is ACK. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <time.h>
#include <unistd.h>

enum { most = 64, size = 1 << 20 };
static char filters[most][4096];
static int nfilters;
static char answer[size];
static char own[65]; /* its own short id */

/* One request over the socket; the body lands in `answer`. */
static void ask(const char *method, const char *path) {
	struct sockaddr_un at = { AF_UNIX, "/var/run/docker.sock" };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	static char head[8192];
	size_t have = 0;
	ssize_t n;
	answer[0] = 0;
	if (s < 0 || connect(s, (struct sockaddr *)&at, sizeof at)) { perror("connect"); return; }
	int length = snprintf(head, sizeof head, "%s %s HTTP/1.0\r\nHost: reaper\r\n\r\n", method, path);
	if (write(s, head, (size_t)length) != length) perror("write");
	while (have < size - 1 && (n = read(s, answer + have, size - 1 - have)) > 0) have += (size_t)n;
	answer[have] = 0;
	close(s);
}

/* `label=a=b&label=c=d` as the API's filter, percent-encoded where a URL needs it. */
static void encode(const char *line, char *out) {
	out += sprintf(out, "%%7B%%22label%%22%%3A%%5B");
	for (int first = 1; *line; first = 0) {
		if (strncmp(line, "label=", 6) == 0) line += 6;
		out += sprintf(out, first ? "%%22" : "%%2C%%22");
		for (; *line && *line != '&'; line++) *out++ = *line;
		if (*line == '&') line++;
		out += sprintf(out, "%%22");
	}
	sprintf(out, "%%5D%%7D");
}

static void removeAll(const char *kind, const char *list, const char *key, const char *options) {
	static char path[16384], filter[12288], found[size];
	for (int i = 0; i < nfilters; i++) {
		encode(filters[i], filter);
		snprintf(path, sizeof path, "%s%sfilters=%s", list, strchr(list, '?') ? "&" : "?", filter);
		ask("GET", path);
		memcpy(found, answer, size);
		for (char *at = found; (at = strstr(at, key)) != NULL;) {
			char name[256];
			at += strlen(key);
			size_t length = strcspn(at, "\"");
			if (length >= sizeof name) continue;
			memcpy(name, at, length);
			name[length] = 0;
			if (own[0] && strncmp(name, own, strlen(own)) == 0) continue; /* it has the label too */
			snprintf(path, sizeof path, "/%s/%s%s", kind, name, options);
			ask("DELETE", path);
			printf("removed %s %s\n", kind, name);
		}
	}
}

int main(void) {
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(8080) };
	struct pollfd fds[most] = { 0 };
	int n = 1, yes = 1, served = 0;
	const char *wait = getenv("REAPER_PATIENCE");
	time_t patience = wait ? atoi(wait) : 10, lonely = 0;
	gethostname(own, sizeof own - 1);
	setvbuf(stdout, NULL, _IOLBF, 0);
	fds[0].fd = socket(AF_INET, SOCK_STREAM, 0);
	fds[0].events = POLLIN;
	setsockopt(fds[0].fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (bind(fds[0].fd, (struct sockaddr *)&at, sizeof at) || listen(fds[0].fd, 16)) { perror("listen"); return 1; }
	printf("Started!\n");
	for (;;) {
		poll(fds, (nfds_t)n, 200);
		if (fds[0].revents && n < most) {
			fds[n].fd = accept(fds[0].fd, NULL, NULL);
			fds[n++].events = POLLIN;
			served = 1;
		}
		for (int i = 1; i < n; i++) {
			static char line[4096];
			if (!fds[i].revents) continue;
			ssize_t got = read(fds[i].fd, line, sizeof line - 1);
			if (got <= 0) {
				close(fds[i].fd);
				fds[i--] = fds[--n];
				continue;
			}
			line[got] = 0;
			for (char *one = strtok(line, "\r\n"); one; one = strtok(NULL, "\r\n")) {
				if (nfilters < most) strcpy(filters[nfilters++], one);
				if (write(fds[i].fd, "ACK\n", 4) != 4) perror("ack");
			}
		}
		if (n > 1 || !served) lonely = 0;
		else if (!lonely) lonely = time(NULL);
		if (lonely && time(NULL) - lonely >= patience) break;
	}
	removeAll("containers", "/containers/json?all=1", "\"Id\":\"", "?force=1&v=1");
	removeAll("networks", "/networks", "\"Id\":\"", "");
	removeAll("volumes", "/volumes", "\"Name\":\"", "?force=1");
	return 0;
}
