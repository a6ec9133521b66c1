/* Turns the bytes of a plan into ops. Everything that could hurt is refused here, before the first act:
 * lengths beyond the body, unknown ops, slots out of range, strings with a NUL inside.
 * Wire: u32 version, then per section u32 count and the ops: u16 code, u16 allow, fields (ops.def). */
#include "hoist.h"
#include <stdlib.h>
#include <string.h>
#include "fields.gen.h"

#define MAX_OPS 4096u
#define MAX_STRS 65536u

struct cursor {
	const char *p, *end;
};

static int take(struct cursor *c, void *to, size_t n)
{
	if ((size_t)(c->end - c->p) < n)
		return -EBADMSG;
	memcpy(to, c->p, n);
	c->p += n;
	return 0;
}

/* u32 length, bytes, and one NUL that is not counted: strings are used in place. */
static int take_bytes(struct cursor *c, struct str *s, bool text)
{
	uint32_t n;
	if (take(c, &n, 4) || (size_t)(c->end - c->p) <= n || c->p[n] != '\0')
		return -EBADMSG;
	if (text && memchr(c->p, '\0', n))
		return -EBADMSG;
	*s = (struct str){c->p, n};
	c->p += (size_t)n + 1;
	return 0;
}

static int take_strs(struct cursor *c, struct strs *s)
{
	uint32_t n;
	if (take(c, &n, 4) || n > MAX_STRS || n > (size_t)(c->end - c->p) / 5)
		return -EBADMSG;
	s->v = calloc((size_t)n + 1, sizeof *s->v);
	if (!s->v)
		return -ENOMEM;
	s->n = n;
	for (uint32_t i = 0; i < n; i++) {
		struct str one;
		if (take_bytes(c, &one, true))
			return -EBADMSG;
		s->v[i] = one.p;
	}
	return 0;
}

static int take_patches(struct cursor *c, struct patches *s)
{
	uint32_t n;
	if (take(c, &n, 4) || n > 64 || n > (size_t)(c->end - c->p) / 8)
		return -EBADMSG;
	struct patch *v = calloc((size_t)n + 1, sizeof *v);
	if (!v)
		return -ENOMEM;
	s->v = v;
	s->n = n;
	for (uint32_t i = 0; i < n; i++)
		if (take(c, &v[i].offset, 4) || take(c, &v[i].slot, 4) || (v[i].slot >= MAX_SLOTS && v[i].slot != NO_SLOT))
			return -EBADMSG;
	return 0;
}

static int take_field(struct cursor *c, uint8_t type, void *to)
{
	uint16_t slot;
	switch (type) {
	case T_U32: return take(c, to, 4);
	case T_U64: return take(c, to, 8);
	case T_STR: return take_bytes(c, to, true);
	case T_BYTES: return take_bytes(c, to, false);
	case T_STRS: return take_strs(c, to);
	case T_PATCHES: return take_patches(c, to);
	default:
		if (take(c, &slot, 2) || (slot >= MAX_SLOTS && (type == T_OUT || slot != NO_SLOT)))
			return -EBADMSG;
		memcpy(to, &slot, 2);
		return 0;
	}
}

/* A message whose patches point outside of itself must not reach memory. */
static bool patches_fit(const struct op *op)
{
	if (op->code != OP_NETLINK)
		return true;
	for (uint32_t i = 0; i < op->netlink.patches.n; i++)
		if (op->netlink.patches.v[i].offset > op->netlink.data.n || op->netlink.data.n - op->netlink.patches.v[i].offset < 4)
			return false;
	return true;
}

static int take_op(struct cursor *c, struct op *op)
{
	if (take(c, &op->code, 2) || take(c, &op->allow, 2) || op->code > OP_LAST || !op_fields[op->code])
		return -EBADMSG;
	for (const struct op_field *f = op_fields[op->code]; f->type != T_END; f++) {
		int r = take_field(c, f->type, (char *)op + f->at);
		if (r)
			return r;
	}
	return patches_fit(op) ? 0 : -EBADMSG;
}

int plan_decode(struct plan *plan, const char *body, size_t n)
{
	struct cursor c = {body, body + n};
	uint32_t version, count;
	memset(plan, 0, sizeof *plan);
	if (take(&c, &version, 4) || version != WIRE_VERSION)
		return -EBADMSG;
	for (int s = 0; s < SECTIONS; s++) {
		if (take(&c, &count, 4) || count > MAX_OPS || count > (size_t)(c.end - c.p) / 4)
			return -EBADMSG;
		plan->ops[s] = calloc((size_t)count + 1, sizeof(struct op));
		if (!plan->ops[s])
			return -ENOMEM;
		plan->n[s] = count;
		for (uint32_t i = 0; i < count; i++) {
			int r = take_op(&c, &plan->ops[s][i]);
			if (r)
				return r;
		}
	}
	return c.p == c.end ? 0 : -EBADMSG;
}

void plan_free(struct plan *plan)
{
	for (int s = 0; s < SECTIONS; s++) {
		for (uint32_t i = 0; plan->ops[s] && i < plan->n[s]; i++) {
			const struct op *op = &plan->ops[s][i];
			for (const struct op_field *f = op->code <= OP_LAST && op_fields[op->code] ? op_fields[op->code] : &(struct op_field){0, 0}; f->type != T_END; f++) {
				if (f->type == T_STRS)
					free(((struct strs *)((const char *)op + f->at))->v);
				if (f->type == T_PATCHES)
					free((void *)((struct patches *)((const char *)op + f->at))->v);
			}
		}
		free(plan->ops[s]);
	}
	memset(plan, 0, sizeof *plan);
}
