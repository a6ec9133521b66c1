/* The executor: resident beside the engine, at the other end of a socket pair (fd 3). Takes plans, carries them
 * out itself (netlink, layer mounts), in a short-lived fork, or in a fork that stays as a container's keeper.
 * It has a mount namespace of its own: layers mounted here are seen by nobody else and vanish with it.
 * Request: u32 length of the rest, u32 number, u8 kind, plan. */
#include "hoist.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENGINE_FD 3
#define MAX_REQUEST (32u << 20)
enum { HERE, FORK, LAUNCH };

static void run_sealed(char **argv)
{
	static char title[] = "hoist-executor                                        ";
	char *again[] = {title, argv[1], "sealed", NULL};
	int copy = sealed_copy();
	if (copy >= 0)
		syscall(SYS_execveat, copy, "", again, environ, AT_EMPTY_PATH);
}

static void end_child(struct run *run)
{
	if (run->child <= 0)
		return;
	syscall(SYS_pidfd_send_signal, run->child_pidfd, SIGKILL, NULL, 0);
	waitpid(run->child, NULL, __WALL);
}

void close_slots(struct run *run)
{
	for (int i = 0; i < MAX_SLOTS; i++)
		if (run->slot[i] >= 0)
			close(run->slot[i]);
	if (run->sync >= 0)
		close(run->sync);
	if (run->child_pidfd >= 0)
		close(run->child_pidfd);
}

int carry_out(struct run *run, bool keep_child)
{
	struct buf out = {0};
	run->out = &out;
	int r = run_section(run, SETUP);
	if (r)
		r = child_reason(run, r);
	uint8_t section = run->failed_section;
	uint32_t index = run->failed_index;
	if (r)
		end_child(run);
	if (r || !keep_child)
		run_section(run, CLEANUP);
	run->failed_section = section;
	run->failed_index = index;
	if (r)
		reply_failed(run, r);
	else
		reply(run, FRAME_DONE, out.p, out.n);
	free(out.p);
	run->out = NULL;
	return r;
}

static void request(uint32_t seq, uint8_t kind, const char *body, size_t n)
{
	struct plan plan;
	struct run run;
	run_init(&run, &plan);
	run.engine = ENGINE_FD;
	run.seq = seq;
	run.failed_section = SECTIONS; /* until an op runs: the plan itself */
	int r = plan_decode(&plan, body, n);
	if (r) {
		reply_failed(&run, r);
	} else if (kind == HERE) {
		carry_out(&run, false);
		close_slots(&run);
	} else {
		pid_t pid = fork();
		if (pid == 0) {
			signal(SIGCHLD, SIG_DFL);
			close_held();
			if (kind == LAUNCH) { /* it outlives the engine, and whoever waits for the engine's output to end */
				setsid();
				dup2(0, 1);
				dup2(0, 2);
			}
			carry_out(&run, false); /* a launch plan ends in keep, which does not return */
			_exit(0);
		}
		if (pid < 0)
			reply_failed(&run, -errno);
	}
	plan_free(&plan);
}

int host_main(int argc, char **argv)
{
	if (argc < 3)
		run_sealed(argv);
	title_room(argv);
	set_title("hoist-executor");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTERM, SIG_IGN); /* it ends with the engine, not before */
	umask(022); /* not that of whoever happened to start the engine: modes in plans are meant as they stand */
	fcntl(ENGINE_FD, F_SETFD, FD_CLOEXEC);
	fcntl(HANDLES_FD, F_SETFD, FD_CLOEXEC);
	int flags = fcntl(ENGINE_FD, F_GETFL);
	fcntl(ENGINE_FD, F_SETFL, flags & ~O_NONBLOCK);
	if (!unshare(CLONE_NEWNS))
		mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);
	for (;;) {
		uint32_t head[2];
		uint8_t kind;
		if (read_all(ENGINE_FD, head, sizeof head) || read_all(ENGINE_FD, &kind, 1) || head[0] < 5 || head[0] > MAX_REQUEST)
			return 0; /* the engine is gone */
		char *body = malloc(head[0]), heard[4096];
		if (!body || read_all(ENGINE_FD, body, head[0] - 5))
			return 1;
		/* that descriptors arrived: nobody here waits for it */
		while (recv(HANDLES_FD, heard, sizeof heard, MSG_DONTWAIT) > 0)
			;
		request(head[1], kind, body, head[0] - 5);
		free(body);
	}
}
