/* Ops on mounts. New ones are made detached, set up where nobody sees them, and moved onto a place that is open. */
#include "hoist.h"
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RET(call) ((call) < 0 ? -errno : 0)

static int configure(int fs, const struct op_fsmount *m, int source)
{
	char path[64];
	if (source >= 0) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", source);
		if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "source", path, 0))
			return -errno;
	}
	for (uint32_t i = 0; i < m->options.n; i++) {
		const char *option = m->options.v[i], *equals = strchr(option, '=');
		char key[64];
		size_t n = equals ? (size_t)(equals - option) : strlen(option);
		if (n >= sizeof key)
			return -EINVAL;
		memcpy(key, option, n);
		key[n] = '\0';
		if (syscall(SYS_fsconfig, fs, equals ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key, equals ? equals + 1 : NULL, 0))
			return -errno;
	}
	return RET(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
}

int do_fsmount(struct run *run, const struct op *op)
{
	const struct op_fsmount *m = &op->fsmount;
	int source = m->source == NO_SLOT ? -1 : slot_fd(run, m->source);
	if (source < 0 && m->source != NO_SLOT)
		return source;
	int fs = (int)syscall(SYS_fsopen, m->fstype.p, FSOPEN_CLOEXEC);
	if (fs < 0)
		return -errno;
	int r = configure(fs, m, source);
	if (!r) {
		r = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, m->attrs);
		r = slot_put(run, m->out, r < 0 ? -errno : r);
	}
	close(fs);
	return r;
}

int do_loop(struct run *run, const struct op *op)
{
	int file = slot_fd(run, op->loop.file);
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (file < 0 || control < 0)
		return file < 0 ? file : -errno;
	struct loop_config c = {.fd = (uint32_t)file, .info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR};
	int r;
	do { /* EBUSY: somebody else took the free one in between */
		int n = ioctl(control, LOOP_CTL_GET_FREE);
		char path[32];
		snprintf(path, sizeof path, "/dev/loop%d", n);
		int device = n < 0 ? n : open(path, O_RDONLY | O_CLOEXEC);
		r = device < 0 ? -errno : RET(ioctl(device, LOOP_CONFIGURE, &c));
		if (!r)
			r = slot_put(run, op->loop.out, device);
		else if (device >= 0)
			close(device);
	} while (r == -EBUSY);
	close(control);
	return r;
}

int do_openTree(struct run *run, const struct op *op)
{
	const struct op_openTree *t = &op->openTree;
	int dir = slot_dir(run, t->dir);
	if (dir == -EBADF)
		return dir;
	int fd = (int)syscall(SYS_open_tree, dir, t->path.p, t->flags | OPEN_TREE_CLOEXEC);
	return slot_put(run, t->out, fd < 0 ? -errno : fd);
}

int do_mountAttr(struct run *run, const struct op *op)
{
	const struct op_mountAttr *m = &op->mountAttr;
	struct mount_attr a = {.attr_set = m->set, .attr_clr = m->clear, .propagation = m->propagation};
	int fd = m->mount == NO_SLOT ? AT_FDCWD : slot_fd(run, m->mount);
	if (fd == -EBADF)
		return fd;
	unsigned flags = (m->mount == NO_SLOT ? 0u : (unsigned)AT_EMPTY_PATH) | (m->recursive ? 0x8000u /* AT_RECURSIVE */ : 0u);
	return RET(syscall(SYS_mount_setattr, fd, m->path.p, flags, &a, sizeof a));
}

int do_moveMount(struct run *run, const struct op *op)
{
	int from = slot_fd(run, op->moveMount.from), to = slot_fd(run, op->moveMount.to);
	if (from < 0 || to < 0)
		return -EBADF;
	return RET(syscall(SYS_move_mount, from, "", to, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

/* pivot_root(2), NOTES: with both arguments ".", the old root ends up stacked over the new one and is unmounted. */
int do_pivotRoot(struct run *run, const struct op *op)
{
	int root = slot_fd(run, op->pivotRoot.root);
	if (root < 0)
		return root;
	if (fchdir(root) || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH))
		return -errno;
	return RET(chdir("/"));
}

int do_umount(struct run *run, const struct op *op)
{
	(void)run;
	return RET(umount2(op->umount.path.p, (int)op->umount.flags));
}

int do_mountClassic(struct run *run, const struct op *op)
{
	(void)run;
	const struct op_mountClassic *m = &op->mountClassic;
	return RET(mount(m->source.p, m->target.p, m->fstype.p, m->flags, m->data.p));
}
