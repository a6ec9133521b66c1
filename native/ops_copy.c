/* Copies a tree as it is: content, owners, modes, times, extended attributes, hard links, symlinks, devices.
 * Goes by open directories alone; a symlink is copied, never followed; another mount is left out. */
#include "hoist.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define RET(call) ((call) < 0 ? -errno : 0)

struct linked { /* a file with more names than one */
	dev_t dev;
	ino_t ino;
	char path[]; /* of its copy */
};
struct copy {
	int top; /* where it goes */
	dev_t device;
	void *linked;
	size_t n;
	char path[PATH_MAX]; /* below top */
	char names[65536], value[65536]; /* xattr(7): as long as a list or a value can be */
};

static int by_inode(const void *a, const void *b)
{
	return memcmp(a, b, offsetof(struct linked, path));
}

static int copy_attributes(struct copy *c, int from, int to, const char *name, const struct stat *st)
{
	char source[32 + NAME_MAX], target[32 + NAME_MAX];
	snprintf(source, sizeof source, "/proc/self/fd/%d/%s", from, name);
	snprintf(target, sizeof target, "/proc/self/fd/%d/%s", to, name);
	if (fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW)
	    || (!S_ISLNK(st->st_mode) && fchmodat(to, name, st->st_mode & 07777, 0)))
		return -errno;
	ssize_t n = llistxattr(source, c->names, sizeof c->names);
	for (char *at = c->names; at < c->names + n; at += strlen(at) + 1) {
		ssize_t size = lgetxattr(source, at, c->value, sizeof c->value);
		/* after chown, which takes capabilities away; a label that this file system cannot have is no loss */
		if (size >= 0 && lsetxattr(target, at, c->value, (size_t)size, 0) && errno != EOPNOTSUPP && errno != EPERM)
			return -errno;
	}
	return RET(utimensat(to, name, (struct timespec[2]){st->st_atim, st->st_mtim}, AT_SYMLINK_NOFOLLOW));
}

static int copy_below(struct copy *c, int from, int to);

/* What is inside: of a directory, or of a file. */
static int copy_inside(struct copy *c, int from, int to, const char *name, bool directory)
{
	int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int out = openat(to, name, (directory ? O_DIRECTORY : O_WRONLY | O_CREAT | O_EXCL) | O_NOFOLLOW | O_CLOEXEC, 0600);
	ssize_t n = in < 0 || out < 0 ? -1 : !directory;
	while (n > 0)
		n = sendfile(out, in, NULL, 1 << 30);
	int r = n < 0 ? -errno : directory ? copy_below(c, in, out) : 0;
	close(in);
	if (close(out) && !r)
		r = -errno;
	return r;
}

/* 1: it is another name of something copied before, and was linked to it. */
static int copy_link(struct copy *c, int to, const char *name, const struct stat *st)
{
	struct linked *one = calloc(1, sizeof *one + c->n + 1), **first;
	if (!one)
		return -ENOMEM;
	one->dev = st->st_dev;
	one->ino = st->st_ino;
	strcpy(one->path, c->path);
	if (!(first = tsearch(one, &c->linked, by_inode)) || *first == one)
		return first ? 0 : -ENOMEM;
	free(one);
	return linkat(c->top, (*first)->path, to, name, 0) ? -errno : 1;
}

static int copy_one(struct copy *c, int from, int to, const char *name)
{
	struct stat st;
	char target[PATH_MAX] = "";
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	bool directory = S_ISDIR(st.st_mode);
	int r = directory ? st.st_dev != c->device : st.st_nlink > 1 ? copy_link(c, to, name, &st) : 0;
	if (r)
		return r < 0 ? r : 0;
	if (S_ISLNK(st.st_mode))
		r = RET(readlinkat(from, name, target, sizeof target - 1) < 0 ? -1 : symlinkat(target, to, name));
	else if (directory || S_ISREG(st.st_mode))
		r = directory && mkdirat(to, name, 0700) ? -errno : copy_inside(c, from, to, name, directory);
	else
		r = RET(mknodat(to, name, st.st_mode, st.st_rdev));
	return r ? r : copy_attributes(c, from, to, name, &st);
}

static int copy_below(struct copy *c, int from, int to)
{
	DIR *d = fdopendir(dup(from));
	size_t before = c->n;
	int r = d ? 0 : -errno;
	for (struct dirent *e; !r && (e = readdir(d));)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) {
			c->n = before + (size_t)snprintf(c->path + before, sizeof c->path - before, "/%s" + !before, e->d_name);
			r = c->n < sizeof c->path ? copy_one(c, from, to, e->d_name) : -ENAMETOOLONG;
		}
	c->path[c->n = before] = '\0';
	if (d)
		closedir(d);
	return r;
}

int do_copyTree(struct run *run, const struct op *op)
{
	int from = slot_fd(run, op->copyTree.from), to = slot_fd(run, op->copyTree.to);
	static struct copy c; /* large, and a process copies one tree at a time */
	struct stat st;
	if (from < 0 || to < 0 || fstat(from, &st))
		return -EBADF;
	c = (struct copy){.top = to, .device = st.st_dev};
	int r = copy_below(&c, from, to);
	tdestroy(c.linked, free);
	return r ? r : copy_attributes(&c, from, to, ".", &st);
}
