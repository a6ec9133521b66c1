/* The keeper's connections, shared by keeper.c (the loop) and attach.c (one connection). */
#pragma once
#include "hoist.h"

/* The first message on the keeper's socket; keys[] follow. Fds come with it in mode 'F': those of stdin, stdout,
 * stderr that the flags name, in this order. */
struct hello {
	uint8_t magic; /* 'H' */
	uint8_t mode;  /* 'F' fds, 'S' the socket itself carries framed output and raw input, 'C' control */
	uint8_t flags; /* 1 stdin, 2 stdout, 4 stderr */
	uint8_t keys;  /* length of the detach sequence */
};
#define MAX_KEYS 32

/* Later messages of a client in mode 'F' or 'C'. 'R' resize: a rows, b columns. 'K' kill: a signal.
 * 'E': whoever was expected does not come. */
struct request {
	uint8_t type, pad;
	uint16_t a, b;
};

/* What a client hears. 'I', in mode 'C' alone and first: code is the process's pid on the host. The rest at the end: 'X': code is the exit code, oom whether memory ran out. 'D': detached.
 * 'P': its output's reader went away. */
struct ending {
	uint8_t type, oom, pad[2];
	int32_t code;
};

enum { SINK_NONE, SINK_FILE, SINK_PIPE, SINK_SOCKET, SINK_STREAM };

struct sink {
	int fd, kind;
	bool blocked;  /* no room: wait for POLLOUT before the source is read again */
	bool no_splice;
	struct buf pend;
	size_t sent;   /* of pend */
};

struct conn {
	int fd;
	uint8_t mode; /* 0: hello not heard yet */
	int in;       /* where its stdin comes from: an fd of its own, or fd in mode 'S'; -1 none */
	struct sink sink[2];
	uint8_t keys[MAX_KEYS], nkeys, matched;
	bool told; /* its ending was sent */
};

struct keeper {
	struct run *run;
	const struct op_keep *op;
	int listen, source[2], feed, tty;
	struct log log;
	struct conn *conn;
	uint32_t conns, seen, expect;
	int64_t deadline; /* ms, monotonic: when to stop waiting for those expected */
	bool exited, feed_blocked, settled;
	size_t moved;       /* bytes spliced in this turn */
	int64_t last_moved; /* µs, monotonic */
	struct buf feed_pend;
	size_t feed_sent;
	struct ending end;
};
#define KEEP_STDIN_ONCE 1u

/* attach.c */
void conn_hello(struct keeper *k, struct conn *c);
void conn_request(struct keeper *k, struct conn *c);
void conn_input(struct keeper *k, struct conn *c);
void conn_close(struct conn *c);
void conn_tell(struct conn *c, struct ending e);
bool conn_idle(const struct conn *c); /* nothing left to deliver */
void sink_put(struct conn *c, int stream, const char *p, size_t n);
void sink_flush(struct conn *c, int stream);
bool feed_flush(struct keeper *k);
