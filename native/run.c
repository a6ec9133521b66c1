/* Carries out the sections of a plan, op by op. The first failing op ends the section. */
#include "hoist.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

typedef int (*op_fn)(struct run *, const struct op *);
#define X(upper, name) [OP_##upper] = do_##name,
static const op_fn op_fns[OP_LAST + 1] = {FOR_EACH_OP(X)};
#undef X

void run_init(struct run *run, struct plan *plan)
{
	memset(run, 0, sizeof *run);
	run->plan = plan;
	for (int i = 0; i < MAX_SLOTS; i++)
		run->slot[i] = -1;
	run->sync = run->child_pidfd = run->engine = run->relay = -1;
}

int slot_fd(const struct run *run, uint16_t slot)
{
	return slot < MAX_SLOTS && run->slot[slot] >= 0 ? run->slot[slot] : -EBADF;
}

/* The directory that a path is relative to: a slot's, or the working directory. */
int slot_dir(const struct run *run, uint16_t slot)
{
	return slot == NO_SLOT ? AT_FDCWD : slot_fd(run, slot);
}

/* A container's stdio must never be confused with the executor's own: slots stay above 2. */
int slot_put(struct run *run, uint16_t slot, int fd)
{
	if (fd >= 0 && fd < 3) {
		int up = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		close(fd);
		fd = up < 0 ? -errno : up;
	}
	if (fd < 0)
		return fd;
	if (run->slot[slot] >= 0)
		close(run->slot[slot]);
	run->slot[slot] = fd;
	return 0;
}

int run_section(struct run *run, int section)
{
	run->section = section;
	for (uint32_t i = 0; i < run->plan->n[section]; i++) {
		const struct op *op = &run->plan->ops[section][i];
		run->index = i;
		run->failed_section = (uint8_t)section;
		run->failed_index = i;
		int r = op_fns[op->code](run, op);
		if (r < 0 && r != -(int)op->allow && op->allow != ANY_ERROR && section != CLEANUP)
			return r;
	}
	return 0;
}
