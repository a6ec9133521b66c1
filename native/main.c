/* One binary, by its first argument: the command that a user types, or (started by the engine alone) the executor. */
#include "hoist.h"
#include <string.h>

int main(int argc, char **argv, char **env)
{
	if (argc > 1 && !strcmp(argv[1], "--hoist-executor"))
		return host_main(argc, argv);
	return client_main(argc, argv, env);
}
