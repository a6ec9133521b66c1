/* The client as an OCI runtime: it carries plans out itself, so that the processes they make are its own children, which
 * whoever called it inherits; and it waits for them and serves their terminal where it was asked to. */
#include "client.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a container starts can see the file that it came from (CVE-2019-5736): see sealed_copy. */
static void become_sealed(char **argv)
{
	char self[4096];
	int own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	bool sealed = fcntl(own, F_GET_SEALS) > 0;
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	close(own);
	if (sealed || n <= 0)
		return;
	self[n] = '\0';
	int copy = sealed_copy();
	if (copy < 0)
		return;
	setenv("HOIST_SELF", self, 1);
	syscall(SYS_execveat, copy, "", argv, environ, AT_EMPTY_PATH);
}

/* argv becomes: our name, the words behind `oci`. */
void oci_begin(struct client *c, char **argv)
{
	become_sealed(argv);
	c->argv = argv + c->place.oci;
	c->argc -= c->place.oci;
}

/* L: u8 flags (1 its process is waited for), plan. Answered as the executor answers, number 0. */
static void launch(struct carried *c, int engine, const char *p, size_t n)
{
	struct plan plan = {0};
	struct run run;
	run_init(&run, &plan);
	run.engine = engine;
	run.failed_section = SECTIONS;
	mode_t old = umask(022);
	int r = n ? plan_decode(&plan, p + 1, n - 1) : -EBADMSG;
	if (r)
		reply_failed(&run, r);
	else if (!carry_out(&run, true) && n && p[0] & 1 && run.child > 0) {
		c->child = run.child;
		c->relay = run.relay;
		c->pidfd = run.child_pidfd;
		run.child_pidfd = -1;
	}
	umask(old);
	close_slots(&run);
	plan_free(&plan);
}

void oci_carry(struct client *c, const char *p, size_t n)
{
	launch(&c->oci, c->engine, p, n);
	if (c->oci.relay < 0)
		return;
	terminal(c, isatty(0) ? RAW : COOKED);
	c->typed = fcntl(c->oci.relay, F_DUPFD_CLOEXEC, 3);
	c->typing = true;
	send_size(c);
}

/* What the engine cannot do from where it is, a process of our own does. */
void oci_alone(struct client *c)
{
	c->place.standalone = true;
	if (c->place.oci >= 0 && !c->private) {
		close(c->engine);
		c->ended = !engage(c);
	} else {
		c->ended = true;
	}
}

void oci_leave(struct client *c)
{
	close(c->engine);
	waitpid(c->private, NULL, 0);
}

bool oci_signal(struct carried *o, uint8_t number)
{
	if (!o->child || number == SIGWINCH)
		return false;
	syscall(SYS_pidfd_send_signal, o->pidfd, number, NULL, 0);
	return true;
}

/* False: the terminal has been closed by all who wrote to it. */
bool oci_output(struct carried *c)
{
	char room[32768];
	ssize_t n = read(c->relay, room, sizeof room);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n > 0)
		return !write_all(1, room, (size_t)n);
	close(c->relay);
	c->relay = -1;
	return false;
}

int oci_end(struct carried *c)
{
	siginfo_t info = {0};
	if (waitid(P_PID, (id_t)c->child, &info, WEXITED | __WALL) < 0)
		info.si_code = CLD_EXITED;
	while (c->relay >= 0 && poll(&(struct pollfd){c->relay, POLLIN, 0}, 1, 0) > 0)
		oci_output(c);
	close(c->pidfd);
	c->child = 0;
	c->pidfd = -1;
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}
