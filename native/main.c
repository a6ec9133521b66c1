/* One binary, by its first argument: the command that a user types, or (started by the engine alone) the executor. */
#include "hoist.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv, char **env)
{
	/* a user's shell may have closed some of the three: nothing that is opened later may take such a number */
	for (int fd = 0; fd < 3;)
		if (fcntl(fd, F_GETFD) >= 0 || open("/dev/null", O_RDWR) == fd)
			fd++;
		else
			return 125;
	if (argc > 1 && !strcmp(argv[1], "--hoist-executor"))
		return host_main(argc, argv);
	return client_main(argc, argv, env);
}
