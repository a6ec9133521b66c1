/* Extended attributes of a whole tree in one go: almost no file has any, and a question for each would cost a plan. */
#include "hoist.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

struct scan {
	const struct op_xattrs *op;
	struct buf *out;
	dev_t device;
	char path[PATH_MAX];
};

static int put(struct buf *out, const char *p, size_t n)
{
	uint32_t length = (uint32_t)n;
	return buf_add(out, &length, sizeof length) || buf_add(out, p, n);
}

static int scan(struct scan *s, int parent, const char *name)
{
	static char list[65536], value[65536];
	char at[64 + NAME_MAX];
	snprintf(at, sizeof at, "/proc/self/fd/%d/%s", parent, name);
	ssize_t length = llistxattr(at, list, sizeof list);
	for (char *x = list; x < list + length; x += strlen(x) + 1)
		for (uint32_t i = 0; i < s->op->names.n; i++) {
			ssize_t n = strncmp(x, s->op->names.v[i], strlen(s->op->names.v[i])) ? -1 : lgetxattr(at, x, value, sizeof value);
			if (n >= 0 && (put(s->out, s->path, strlen(s->path)) || put(s->out, x, strlen(x)) || put(s->out, value, (size_t)n)))
				return -ENOMEM;
		}
	struct stat st;
	size_t end = strlen(s->path), room = sizeof s->path - end;
	int r = 0, fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || (s->device && st.st_dev != s->device))
		return fd < 0 ? 0 : (close(fd), 0); /* no directory, or another mount */
	s->device = st.st_dev;
	DIR *d = fdopendir(fd);
	for (struct dirent *e; d && !r && (e = readdir(d));)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") &&
		    (size_t)snprintf(s->path + end, room, "%s%s", end ? "/" : "", e->d_name) < room)
			r = scan(s, fd, e->d_name);
	s->path[end] = '\0';
	d ? closedir(d) : close(fd);
	return r;
}

int do_xattrs(struct run *run, const struct op *op)
{
	int root = slot_fd(run, op->xattrs.root);
	if (root < 0 || !run->out)
		return root < 0 ? root : -EINVAL;
	struct scan s = {.op = &op->xattrs, .out = run->out};
	uint32_t head[2] = {run->index, 0};
	size_t at = run->out->n;
	int r = buf_add(run->out, head, sizeof head) ? -ENOMEM : scan(&s, root, op->xattrs.path.n ? op->xattrs.path.p : ".");
	head[1] = (uint32_t)(run->out->n - at - sizeof head);
	memcpy(run->out->p + at, head, sizeof head);
	return r;
}
