/* Copies a tree as it is: content, owners, modes, times, extended attributes, hard links, symlinks, devices.
 * Goes by open directories alone; a symlink is copied, never followed; another mount is left out. */
#include "hoist.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ATTRIBUTES 65536 /* xattr(7): as long as a list or a value can be */

struct copy {
	int top; /* where it goes */
	dev_t device;
	struct linked {
		dev_t dev;
		ino_t ino;
		char *path; /* of its copy, below top */
	} *linked;
	size_t links, path_n;
	char path[PATH_MAX];
	char names[ATTRIBUTES], value[ATTRIBUTES];
};

static int copy_attributes(struct copy *c, int from, int to, const char *name, const struct stat *st)
{
	char source[32 + NAME_MAX], target[32 + NAME_MAX];
	struct timespec times[2] = {st->st_atim, st->st_mtim};
	snprintf(source, sizeof source, "/proc/self/fd/%d/%s", from, name);
	snprintf(target, sizeof target, "/proc/self/fd/%d/%s", to, name);
	if (fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (!S_ISLNK(st->st_mode) && fchmodat(to, name, st->st_mode & 07777, 0))
		return -errno;
	ssize_t n = llistxattr(source, c->names, sizeof c->names);
	for (char *at = c->names; at < c->names + n; at += strlen(at) + 1) {
		ssize_t size = lgetxattr(source, at, c->value, sizeof c->value);
		/* after chown, which takes capabilities away; a label that this file system cannot have is no loss */
		if (size >= 0 && lsetxattr(target, at, c->value, (size_t)size, 0) && errno != EOPNOTSUPP && errno != EPERM)
			return -errno;
	}
	return utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) ? -errno : 0;
}

static int copy_content(int from, int to, const char *name)
{
	int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int out = in < 0 ? -1 : openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t n = out < 0 ? -1 : 1;
	while (n > 0)
		n = sendfile(out, in, NULL, 1 << 30);
	int r = n < 0 ? -errno : 0;
	if (in >= 0)
		close(in);
	if (out >= 0 && close(out) && !r)
		r = -errno;
	return r;
}

/* 1: it is another name of something copied before, and was linked to it. */
static int copy_link(struct copy *c, int to, const char *name, const struct stat *st)
{
	for (size_t i = 0; i < c->links; i++)
		if (c->linked[i].ino == st->st_ino && c->linked[i].dev == st->st_dev)
			return linkat(c->top, c->linked[i].path, to, name, 0) ? -errno : 1;
	if (!(c->links & (c->links + 1))) { /* 0, 1, 3, 7: time to double it */
		void *more = realloc(c->linked, (2 * c->links + 2) * sizeof *c->linked);
		if (!more)
			return -ENOMEM;
		c->linked = more;
	}
	char *path = strdup(c->path);
	if (!path)
		return -ENOMEM;
	c->linked[c->links++] = (struct linked){st->st_dev, st->st_ino, path};
	return 0;
}

static int copy_below(struct copy *c, int from, int to);

static int copy_directory(struct copy *c, int from, int to, const char *name, const struct stat *st)
{
	if (st->st_dev != c->device)
		return 0;
	if (mkdirat(to, name, 0700))
		return -errno;
	int in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int out = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = in < 0 || out < 0 ? -errno : copy_below(c, in, out);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return r;
}

static int copy_one(struct copy *c, int from, int to, const char *name)
{
	struct stat st;
	char target[PATH_MAX];
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	int r = 0;
	if (S_ISDIR(st.st_mode))
		r = copy_directory(c, from, to, name, &st);
	else if (st.st_nlink > 1 && (r = copy_link(c, to, name, &st)))
		return r < 0 ? r : 0;
	else if (S_ISREG(st.st_mode))
		r = copy_content(from, to, name);
	else if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlinkat(from, name, target, sizeof target - 1);
		if (n >= 0)
			target[n] = '\0';
		r = n < 0 || symlinkat(target, to, name) ? -errno : 0;
	} else
		r = mknodat(to, name, st.st_mode, st.st_rdev) ? -errno : 0;
	return r ? r : copy_attributes(c, from, to, name, &st);
}

static int copy_below(struct copy *c, int from, int to)
{
	int again = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = again < 0 ? NULL : fdopendir(again);
	if (!d)
		return -errno;
	size_t before = c->path_n;
	int r = 0;
	for (struct dirent *e; !r && (e = readdir(d));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		int n = snprintf(c->path + before, sizeof c->path - before, "%s%s", before ? "/" : "", e->d_name);
		c->path_n = before + (size_t)n;
		r = c->path_n < sizeof c->path ? copy_one(c, from, to, e->d_name) : -ENAMETOOLONG;
	}
	c->path_n = before;
	closedir(d);
	return r;
}

int do_copyTree(struct run *run, const struct op *op)
{
	int from = slot_fd(run, op->copyTree.from), to = slot_fd(run, op->copyTree.to);
	struct stat st;
	if (from < 0 || to < 0 || fstat(from, &st))
		return -EBADF;
	struct copy *c = calloc(1, sizeof *c);
	if (!c)
		return -ENOMEM;
	c->top = to;
	c->device = st.st_dev;
	int r = copy_below(c, from, to);
	if (!r)
		r = copy_attributes(c, from, to, ".", &st);
	while (c->links)
		free(c->linked[--c->links].path);
	free(c->linked);
	free(c);
	return r;
}
