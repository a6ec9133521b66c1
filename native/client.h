/* What the client must know before an engine answers. */
#pragma once
#include "hoist.h"

#ifndef BUILD
#define BUILD "dev"
#endif

struct place {
	char root[4096];    /* data */
	char run[4096];     /* sockets, pid, log */
	char socket[4096];
	bool standalone;    /* no resident engine: the CLI in a Node process of its own */
	bool here;          /* and it opens the data root itself */
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
