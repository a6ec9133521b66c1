/* Ops on files. Inside a container's root every path is resolved by openat2(2) RESOLVE_IN_ROOT:
 * a symlink in an image can lead nowhere else. */
#include "hoist.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define RET(call) ((call) < 0 ? -errno : 0)

int open_in(int dir, const char *path, uint64_t flags, mode_t mode, uint64_t resolve)
{
	struct open_how how = {.flags = flags | O_CLOEXEC, .mode = flags & O_CREAT ? mode : 0, .resolve = resolve};
	int fd;
	do /* EAGAIN: a rename elsewhere raced with the lookup, openat2(2) */
		fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
	while (fd < 0 && errno == EAGAIN);
	return fd < 0 ? -errno : fd;
}

/* Opens the directory that holds path (inside root) and points *last at the final component. */
static int open_parent(int root, const char *path, const char **last)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(path, '/');
	*last = slash ? slash + 1 : path;
	size_t n = slash ? (size_t)(slash - path) : 0;
	if (n >= sizeof parent)
		return -ENAMETOOLONG;
	memcpy(parent, path, n);
	parent[n] = '\0';
	return open_in(root, n ? parent : ".", O_PATH | O_DIRECTORY, 0, RESOLVE_IN_ROOT);
}

int do_open(struct run *run, const struct op *op)
{
	const struct op_open *o = &op->open;
	int dir = slot_dir(run, o->dir);
	if (dir == -EBADF)
		return dir;
	return slot_put(run, o->out, open_in(dir, o->path.p, o->flags, (mode_t)o->mode, o->resolve));
}

int do_close(struct run *run, const struct op *op)
{
	int fd = slot_fd(run, op->close.slot);
	if (fd < 0)
		return fd;
	run->slot[op->close.slot] = -1;
	return RET(close(fd));
}

int do_mkdir(struct run *run, const struct op *op)
{
	(void)run;
	return RET(mkdir(op->mkdir.path.p, (mode_t)op->mkdir.mode));
}

static int make_one(int parent, const char *name, bool directory, mode_t mode, uid_t uid, gid_t gid)
{
	if (directory) {
		if (mkdirat(parent, name, mode))
			return errno == EEXIST ? 0 : -errno;
	} else {
		int fd = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, mode);
		if (fd < 0)
			return errno == EEXIST ? 0 : -errno;
		close(fd);
	}
	if (fchownat(parent, name, uid, gid, AT_SYMLINK_NOFOLLOW) || fchmodat(parent, name, mode, 0))
		return -errno;
	return 0;
}

/* Walks component by component, each prefix resolved inside root, so that existing symlinks are followed as the
 * container would follow them, and only what is missing is made. */
int do_ensure(struct run *run, const struct op *op)
{
	const struct op_ensure *e = &op->ensure;
	int root = slot_fd(run, e->root);
	if (root < 0)
		return root;
	char prefix[PATH_MAX];
	if (e->path.n + 2 > sizeof prefix)
		return -ENAMETOOLONG;
	for (const char *at = e->path.p;;) {
		at += strspn(at, "/");
		size_t n = strcspn(at, "/");
		bool last = at[n + strspn(at + n, "/")] == '\0';
		size_t end = (size_t)(at - e->path.p) + n;
		memcpy(prefix, e->path.p, end);
		prefix[end] = '\0';
		if (!n)
			strcpy(prefix, ".");
		int fd = open_in(root, prefix, O_PATH, 0, RESOLVE_IN_ROOT);
		if (fd == -ENOENT) {
			const char *name;
			int parent = open_parent(root, prefix, &name);
			if (parent < 0)
				return parent;
			int r = make_one(parent, name, !last || e->kind == 0, last ? (mode_t)e->mode : 0755, e->uid, e->gid);
			close(parent);
			if (r)
				return r;
			fd = open_in(root, prefix, O_PATH, 0, RESOLVE_IN_ROOT);
		}
		if (fd < 0)
			return fd;
		if (last || !n)
			return slot_put(run, e->out, fd);
		close(fd);
		at += n;
	}
}

int do_symlink(struct run *run, const struct op *op)
{
	const char *name;
	int root = slot_fd(run, op->symlink.root);
	int parent = root < 0 ? root : open_parent(root, op->symlink.path.p, &name);
	if (parent < 0)
		return parent;
	int r = RET(symlinkat(op->symlink.target.p, parent, name));
	close(parent);
	return r;
}

int do_mknod(struct run *run, const struct op *op)
{
	const char *name;
	int root = slot_fd(run, op->mknod.root);
	int parent = root < 0 ? root : open_parent(root, op->mknod.path.p, &name);
	if (parent < 0)
		return parent;
	int r = RET(mknodat(parent, name, (mode_t)op->mknod.mode, makedev(op->mknod.major, op->mknod.minor)));
	if (!r) /* mknod obeys the umask, the plan does not */
		r = RET(fchmodat(parent, name, (mode_t)op->mknod.mode & 07777, 0));
	close(parent);
	return r;
}

int do_writeFile(struct run *run, const struct op *op)
{
	const struct op_writeFile *w = &op->writeFile;
	int dir = slot_dir(run, w->dir);
	return dir == -EBADF ? dir : put_file(dir, w->path.p, w->data.p, w->data.n, (int)w->flags, (mode_t)w->mode);
}

int do_write(struct run *run, const struct op *op)
{
	int fd = slot_fd(run, op->write.slot);
	return fd < 0 ? fd : RET(write(fd, op->write.data.p, op->write.data.n));
}

/* The entries of a cgroup's directory that are directories: the groups below it. Returns 1 and the first one's name. */
static int first_below(int dir, char name[NAME_MAX + 1])
{
	DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	int found = 0;
	for (struct dirent *e; d && !found && (e = readdir(d));)
		if (e->d_type == DT_DIR && strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			found = snprintf(name, NAME_MAX + 1, "%s", e->d_name) > 0;
	if (d)
		closedir(d);
	return found;
}

/* SIGKILL to what is in this very cgroup; how many there were. */
static int kill_members(int dir)
{
	int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC), pid, count = 0;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	if (!f)
		return -errno;
	while (fscanf(f, "%d", &pid) == 1)
		if (pid > 0)
			count++, kill(pid, SIGKILL);
	fclose(f);
	return count;
}

/* Goes down to a group that has none below it, empties and removes it, until none is left below `path`. A container that
 * may write its cgroup (--privileged, systemd) has made them, however deep. kernfs counts directories in st_nlink. */
static void drop_below(const char *path)
{
	struct stat st;
	struct statfs fs;
	char name[NAME_MAX + 1], next[NAME_MAX + 1];
	for (int tries = 0; tries < 200;) {
		int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), parent = -1;
		if (dir < 0 || fstat(dir, &st) || st.st_nlink < 3 || fstatfs(dir, &fs) ||
		    (fs.f_type != CGROUP2_SUPER_MAGIC && fs.f_type != CGROUP_SUPER_MAGIC))
			tries = 200;
		else
			while (dir >= 0 && first_below(dir, next)) {
				memcpy(name, next, sizeof name);
				close(parent);
				parent = dir;
				dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			}
		if (parent < 0)
			tries = 200;
		else if ((dir >= 0 && kill_members(dir) > 0) || unlinkat(parent, name, AT_REMOVEDIR))
			tries++, nanosleep(&(struct timespec){0, 1000000}, NULL);
		close(dir);
		close(parent);
	}
}

/* A cgroup whose last process has just been reaped may say EBUSY for a moment; one that has others below it, always. */
int do_rmdir(struct run *run, const struct op *op)
{
	(void)run;
	for (int tries = 0;; tries++) {
		if (!rmdir(op->rmdir.path.p))
			return 0;
		if (errno != EBUSY || tries == 200)
			return -errno;
		drop_below(op->rmdir.path.p);
		nanosleep(&(struct timespec){0, 500000}, NULL);
	}
}

int do_unlink(struct run *run, const struct op *op)
{
	(void)run;
	return RET(unlink(op->unlink.path.p));
}

int do_pipe(struct run *run, const struct op *op)
{
	int fd[2];
	if (pipe2(fd, O_CLOEXEC))
		return -errno;
	if (op->pipe.capacity)
		fcntl(fd[1], F_SETPIPE_SZ, op->pipe.capacity); /* over the user's limit: the default size does too */
	int r = slot_put(run, op->pipe.read, fd[0]);
	return r ? r : slot_put(run, op->pipe.write, fd[1]);
}

int do_chown(struct run *run, const struct op *op)
{
	int fd = slot_fd(run, op->chown.slot);
	return fd < 0 ? fd : RET(fchownat(fd, "", op->chown.uid, op->chown.gid, AT_EMPTY_PATH));
}

int do_openPty(struct run *run, const struct op *op)
{
	int master = slot_fd(run, op->openPty.ptmx), zero = 0;
	if (master < 0)
		return master;
	struct winsize size = {.ws_row = (unsigned short)op->openPty.rows, .ws_col = (unsigned short)op->openPty.columns};
	if (ioctl(master, TIOCSPTLCK, &zero) || (size.ws_row && ioctl(master, TIOCSWINSZ, &size)))
		return -errno;
	int peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return slot_put(run, op->openPty.out, peer < 0 ? -errno : peer);
}

int do_setxattr(struct run *run, const struct op *op)
{
	const char *name;
	char path[64 + NAME_MAX];
	int root = slot_fd(run, op->setxattr.root);
	int parent = root < 0 ? root : open_parent(root, op->setxattr.path.p, &name);
	if (parent < 0)
		return parent;
	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", parent, name);
	int r = RET(lsetxattr(path, op->setxattr.name.p, op->setxattr.value.p, op->setxattr.value.n, 0));
	close(parent);
	return r;
}

/* cgroup.kill is there on v2 from 5.14; reading cgroup.procs until it is empty works everywhere. */
int do_cgroupKill(struct run *run, const struct op *op)
{
	(void)run;
	for (int tries = 0; tries < 200; tries++) {
		int dir = open(op->cgroupKill.path.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		int count = dir < 0 ? -errno : kill_members(dir);
		close(dir);
		if (!count)
			drop_below(op->cgroupKill.path.p);
		if (count <= 0)
			return count == -ENOENT ? 0 : count;
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	}
	return -EBUSY;
}

int do_lock(struct run *run, const struct op *op)
{
	int fd = open(op->lock.path.p, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		int r = -errno;
		close(fd);
		return r;
	}
	return slot_put(run, op->lock.out, fd);
}

static int held[16], held_count;

int do_hold(struct run *run, const struct op *op)
{
	int fd = slot_fd(run, op->hold.slot);
	if (fd < 0 || held_count == sizeof held / sizeof *held)
		return fd < 0 ? fd : -EMFILE;
	run->slot[op->hold.slot] = -1;
	held[held_count++] = fd;
	return 0;
}

void close_held(void)
{
	while (held_count)
		close(held[--held_count]);
}

/* A subtree on another device is a mount: it is left alone, and its place with it. */
static int remove_below(int dir, const char *name, dev_t device)
{
	if (!unlinkat(dir, name, 0) || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM && errno != ENOTEMPTY)
		return -errno;
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || st.st_dev != device) {
		close(fd);
		return -EXDEV;
	}
	DIR *d = fdopendir(fd);
	int r = d ? 0 : -errno;
	for (struct dirent *e; d && (e = readdir(d));)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) {
			int one = remove_below(fd, e->d_name, device);
			r = r ? r : one;
		}
	if (d)
		closedir(d);
	if (!r && unlinkat(dir, name, AT_REMOVEDIR) && errno != ENOENT)
		r = -errno;
	return r;
}

int do_removeTree(struct run *run, const struct op *op)
{
	(void)run;
	struct stat st;
	if (lstat(op->removeTree.path.p, &st))
		return errno == ENOENT ? 0 : -errno;
	return remove_below(AT_FDCWD, op->removeTree.path.p, st.st_dev);
}
