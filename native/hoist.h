/* Shared by the roles of the one native binary. It knows system calls and no policy: every decision
 * arrives as a plan (ops.def), computed in TypeScript. See docs/architecture.md. */
#pragma once
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WIRE_VERSION 1u /* of plans, frames and keeper messages together */
#define NO_SLOT 0xffffu
#define MAX_SLOTS 512
#define ANY_ERROR 0xffffu /* as `allow` */

struct str {
	const char *p; /* always NUL-terminated one past n */
	uint32_t n;
};
struct strs {
	const char **v; /* NULL-terminated, points into the plan */
	uint32_t n;
};
struct patch {
	uint32_t offset, slot;
};
struct patches {
	const struct patch *v;
	uint32_t n;
};
enum { T_END, T_U32, T_U64, T_STR, T_BYTES, T_STRS, T_PATCHES, T_SLOT, T_OUT };
struct op_field {
	uint8_t type;
	uint16_t at;
};
#include "ops.gen.h"

/* The three lists of a plan: what the keeper (or the host executor) does, what the cloned child does,
 * and what is done at the end, whatever happened. */
enum { SETUP, CHILD, CLEANUP, SECTIONS };

struct plan {
	struct op *ops[SECTIONS];
	uint32_t n[SECTIONS];
};

/* A plan being carried out, in one process. */
struct run {
	struct plan *plan;
	int slot[MAX_SLOTS];
	int section;
	uint32_t index;    /* the op under way */
	int sync;          /* socket to the other side of a clone, -1 before */
	pid_t child;       /* host pid of the cloned child */
	int child_pidfd;
	int engine;        /* where frames to the engine go, -1: nowhere */
	uint32_t seq;      /* the engine's number for this request */
	struct buf *out;   /* blobs for the reply (readFile, netlink) */
	uint8_t failed_section; /* where it failed, when that was the child */
	uint32_t failed_index;
	int exit_code;     /* set by keep */
	int relay;         /* set by relay: the terminal that the client serves, -1 none */
	uint32_t pass_fds; /* set by passFds */
};

struct buf {
	char *p;
	size_t n, cap;
};

/* decode.c: bounds and slots are checked before anything is done. 0 or -EBADMSG / -ENOMEM. */
int plan_decode(struct plan *plan, const char *body, size_t n);
void plan_free(struct plan *plan);

/* run.c: 0, or -errno with run->index (and failed_* for the child's) telling where. */
int run_section(struct run *run, int section);
void run_init(struct run *run, struct plan *plan);

/* Slots: -EBADF where a slot is empty. */
int slot_fd(const struct run *run, uint16_t slot);
int slot_dir(const struct run *run, uint16_t slot);
int slot_put(struct run *run, uint16_t slot, int fd);

/* ops_*.c */
#define X(upper, name) int do_##name(struct run *run, const struct op *op);
FOR_EACH_OP(X)
#undef X

/* ops_proc.c. What crosses the sync socket. 'S': go on. 'F': an fd is attached. 'E': the sender failed at op index. */
struct sync_message {
	char kind;
	uint32_t index;
	int32_t error;
};
int sync_send(const struct run *run, struct sync_message m, int fd);
int sync_wait(struct run *run, char kind, int *fd);

/* ops_proc.c: the child's own error where it has one, else the one given. */
int child_reason(struct run *run, int error);

/* ops_fs.c: openat2(2), a new fd or -errno. */
int open_in(int dir, const char *path, uint64_t flags, mode_t mode, uint64_t resolve);

/* ops_fs.c: lets go of what `hold` keeps: in forks, which must not hold the engine's lock. */
void close_held(void);

/* io.c */
int buf_add(struct buf *b, const void *p, size_t n);
int write_all(int fd, const void *p, size_t n);
int read_all(int fd, void *p, size_t n); /* 0, or -errno, -EPIPE at the end of file */
int send_fds(int sock, const void *p, size_t n, const int *fds, int count);
ssize_t recv_fds(int sock, void *p, size_t n, int *fds, int *count); /* *count: room in, got out */
int unix_listen(const char *path, mode_t mode);
int unix_connect(const char *path);
int put_file(int dir, const char *path, const void *p, size_t n, int flags, mode_t mode);
void set_title(const char *name);
void title_room(char **argv);
int sealed_copy(void); /* of this program, in memory: a descriptor, or -1 */

/* The executor's second way to the engine: for descriptors (see do_handOver). */
#define HANDLES_FD 4

/* Frames between client and engine, executor and engine: u32 length of what follows, u8 type, payload. */
int frame_send(int fd, uint8_t type, const void *p, size_t n);

/* Frames from the executor to the engine start with the request's number. */
enum { FRAME_DONE = 1, FRAME_FAILED, FRAME_REPORT };
int reply(const struct run *run, uint8_t type, const void *p, size_t n);
int reply_failed(const struct run *run, int error);

/* roles */
int client_main(int argc, char **argv, char **env);
int host_main(int argc, char **argv);

/* host.c: carries a plan out and answers. `keep_child`: where all went well, the child lives on and nothing is cleaned up. */
int carry_out(struct run *run, bool keep_child);
void close_slots(struct run *run);

/* keeper.c, log.c */
struct log {
	int fd;
	const char *path;
	uint64_t size, max;
	uint32_t files;
	struct {
		char *p;
		uint32_t n;
	} partial[2];
};
int log_open(struct log *log, const char *path, uint64_t max, uint32_t files);
void log_add(struct log *log, int stream, const char *p, size_t n);
void log_end(struct log *log);
