/* What the client must know before an engine answers. */
#pragma once
#include "hoist.h"
#include "keeper.h"
#include <termios.h>

#ifndef BUILD
#define BUILD "dev"
#endif

struct place {
	char root[4096];    /* data */
	char run[4096];     /* sockets, pid, log */
	char socket[4096];
	bool standalone;    /* no resident engine: the CLI in a Node process of its own */
	bool here;          /* and it opens the data root itself */
	int oci;            /* the index of the word `oci`; 0 in a call as runc; -1: another command */
};

/* start.c */
int place_of(struct place *place, int argc, char **argv);
int run_standalone(const struct place *place, char **argv);
int start_engine(const struct place *place); /* a connected socket, or -1 after saying why */

/* user.c */
bool peer_of(int fd, pid_t *pid, uid_t *uid);
pid_t own_namespaces(const struct place *place); /* who holds them, or -1 after saying why */
int enter_namespace(pid_t holder);
int own_directory(const char *path);

int start_private(pid_t *pid); /* the OCI commands in a Node process of our own: a connected socket, or -1 */

/* oci.c: processes of this client's own, started by plans of the engine */
struct carried {
	pid_t child; /* 0: none that is waited for */
	int pidfd, relay;
};
struct client {
	struct place place;
	int argc;
	char **argv, **env;
	int engine, signals, keeper;
	bool taken;        /* the engine has begun with the command */
	int attempts;
	int typed;         /* where keys go while attached to a terminal: our end of a pipe, -1 none */
	bool typing;       /* stdin is a terminal that we read ourselves */
	enum { COOKED, RAW, UNSEEN } mode;
	struct termios saved;
	uint32_t credit;   /* bytes of stdin that the engine wants */
	struct buf in;     /* frames of the engine, not yet whole */
	int interrupts, code;
	bool ended;
	struct ending last;
	struct carried oci;
	pid_t private;     /* a Node process of our own in the engine's place */
};

/* client.c */
bool engage(struct client *c);
void terminal(struct client *c, int mode);
void send_size(struct client *c);

void oci_begin(struct client *c, char **argv);
void oci_alone(struct client *c);
void oci_carry(struct client *c, const char *p, size_t n);
bool oci_signal(struct carried *o, uint8_t number); /* true: it went to the process that we wait for */
bool oci_output(struct carried *o);
int oci_end(struct carried *o);
void oci_leave(struct client *c);
