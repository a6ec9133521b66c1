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
};

/* start.c */
int place_of(struct place *place, int argc, char **argv);
int run_standalone(const struct place *place, char **argv);
int start_engine(const struct place *place); /* a connected socket, or -1 after saying why */
