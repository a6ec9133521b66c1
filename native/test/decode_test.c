/* Malformed plans: whatever the bytes are, they are refused before the first act, and nothing outside of them is read. */
#include "plan.h"
#include "../fields.gen.h"

static void put_field(struct buf *b, uint8_t type)
{
	switch (type) {
	case T_U32: put32(b, 7); break;
	case T_U64: put64(b, 7); break;
	case T_STR: put_text(b, "some text", 9); break;
	case T_BYTES: put_text(b, "any\0bytes", 9); break;
	case T_STRS:
		put32(b, 2);
		put_text(b, "one", 3);
		put_text(b, "", 0);
		break;
	case T_PATCHES:
		put32(b, 1);
		put32(b, 5); /* the last offset that fits the nine bytes of a netlink op's data */
		put32(b, NO_SLOT);
		break;
	default: put16(b, MAX_SLOTS - 1);
	}
}

/* Every op that there is, once in each section. */
static struct buf every_op(void)
{
	struct buf ops = {0}, b = {0};
	uint32_t count = 0;
	for (uint16_t code = 0; code <= OP_LAST; code++) {
		if (!op_fields[code])
			continue;
		count++;
		put16(&ops, code);
		put16(&ops, 0);
		for (const struct op_field *f = op_fields[code]; f->type != T_END; f++)
			put_field(&ops, f->type);
	}
	put32(&b, WIRE_VERSION);
	for (int s = 0; s < SECTIONS; s++) {
		put32(&b, count);
		buf_add(&b, ops.p, ops.n);
	}
	free(ops.p);
	return b;
}

static int one_op(uint16_t code, const struct buf *fields)
{
	struct buf ops = {0};
	put16(&ops, code);
	put16(&ops, 0);
	buf_add(&ops, fields->p, fields->n);
	struct buf b = plan_of(1, &ops);
	int r = decode_copy(b.p, b.n);
	free(ops.p);
	free(b.p);
	return r;
}

TEST(accepted, "decode: every op with every kind of field is read as it was written")
{
	struct buf b = every_op();
	struct plan plan;
	CHECK_EQ(plan_decode(&plan, b.p, b.n), 0);
	CHECK_EQ(plan.n[SETUP], plan.n[CLEANUP]);
	const struct op *first = &plan.ops[CHILD][0]; /* open */
	CHECK_EQ(first->code, OP_OPEN);
	CHECK_EQ(first->open.path.n, 9);
	CHECK(!strcmp(first->open.path.p, "some text"));
	CHECK_EQ(first->open.dir, MAX_SLOTS - 1);
	for (uint32_t i = 0; i < plan.n[SETUP]; i++) {
		const struct op *op = &plan.ops[SETUP][i];
		if (op->code == OP_EXEC)
			CHECK(op->exec.argv.n == 2 && !strcmp(op->exec.argv.v[0], "one") && !*op->exec.argv.v[1] && !op->exec.argv.v[2]);
		if (op->code == OP_NETLINK)
			CHECK(op->netlink.patches.n == 1 && op->netlink.patches.v[0].offset == 5 && op->netlink.patches.v[0].slot == NO_SLOT);
	}
	plan_free(&plan);
	plan_free(&plan); /* twice is harmless */
	free(b.p);
}

TEST(truncated, "decode: attack: a plan cut off at every byte")
{
	struct buf b = every_op();
	for (size_t n = 0; n < b.n; n++)
		CHECK_EQ(decode_copy(b.p, n), -EBADMSG);
	free(b.p);
}

TEST(trailing, "decode: attack: bytes after the end")
{
	struct buf b = every_op();
	buf_add(&b, "", 1);
	CHECK_EQ(decode_copy(b.p, b.n), -EBADMSG);
	free(b.p);
}

TEST(version, "decode: a plan of another version is not read")
{
	const uint32_t versions[] = {0, WIRE_VERSION + 1, 0x01000000, 0xffffffff};
	struct buf b = every_op();
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
		memcpy(b.p, &versions[i], 4);
		CHECK_EQ(decode_copy(b.p, b.n), -EBADMSG);
	}
	free(b.p);
}

TEST(unknown_ops, "decode: attack: ops that do not exist, next to those that do")
{
	struct buf none = {0};
	CHECK_EQ(one_op(OP_SIGNAL, &none), 0);
	CHECK_EQ(one_op(0, &none), -EBADMSG);
	CHECK_EQ(one_op(OP_LAST + 1, &none), -EBADMSG);
	CHECK_EQ(one_op(0x7fff, &none), -EBADMSG);
	CHECK_EQ(one_op(0xffff, &none), -EBADMSG);
	for (uint16_t code = 1; code <= OP_LAST; code++)
		if (!op_fields[code]) /* a number that was given up */
			CHECK_EQ(one_op(code, &none), -EBADMSG);
}

TEST(slots, "decode: attack: slots out of range")
{
	const struct {
		uint16_t code, slot;
		int expected;
	} cases[] = {
		{OP_CLOSE, 0, 0}, {OP_CLOSE, MAX_SLOTS - 1, 0}, {OP_CLOSE, NO_SLOT, 0},
		{OP_CLOSE, MAX_SLOTS, -EBADMSG}, {OP_CLOSE, 0x7fff, -EBADMSG}, {OP_CLOSE, NO_SLOT - 1, -EBADMSG},
		{OP_RECV_FD, MAX_SLOTS - 1, 0}, {OP_RECV_FD, MAX_SLOTS, -EBADMSG},
		{OP_RECV_FD, NO_SLOT, -EBADMSG}, /* a slot that is filled must be one */
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf b = {0};
		put16(&b, cases[i].slot);
		CHECK_EQ(one_op(cases[i].code, &b), cases[i].expected);
		free(b.p);
	}
}

TEST(nul, "decode: attack: a NUL inside a path hides what follows it")
{
	struct buf b = {0};
	put_text(&b, "/safe\0/../etc", 13);
	CHECK_EQ(one_op(OP_UNLINK, &b), -EBADMSG);
	b.n = 0;
	put32(&b, 4); /* no NUL after the last byte */
	buf_add(&b, "/etcX", 5);
	CHECK_EQ(one_op(OP_UNLINK, &b), -EBADMSG);
	b.n = 0;
	put_text(&b, "/etc", 4);
	CHECK_EQ(one_op(OP_UNLINK, &b), 0);
	b.n = 0;
	put16(&b, 0);
	put_text(&b, "\0\0\0", 3); /* data may hold any byte */
	CHECK_EQ(one_op(OP_WRITE, &b), 0);
	free(b.p);
}

TEST(lengths, "decode: attack: lengths beyond the body")
{
	const uint32_t lengths[] = {4, 5, 12, 13, 14, 0x7fffffff, 0x80000000, 0xfffffffb, 0xffffffff};
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		struct buf b = {0};
		put32(&b, lengths[i]);
		buf_add(&b, "abc", 4);
		CHECK_EQ(one_op(OP_UNLINK, &b), -EBADMSG);
		free(b.p);
	}
}

TEST(counts, "decode: attack: absurd counts ask for no memory")
{
	const uint32_t counts[] = {4097, 65536, 0x10000000, 0x40000000, 0xffffffff};
	struct buf none = {0};
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		struct buf b = plan_of(counts[i], &none), strs = {0}, patches = {0};
		CHECK_EQ(decode_copy(b.p, b.n), -EBADMSG);
		put32(&strs, counts[i]);
		CHECK_EQ(one_op(OP_EXEC, &strs), -EBADMSG);
		put32(&patches, 0);
		put_text(&patches, "12345678", 8);
		put32(&patches, 0);
		put32(&patches, counts[i]);
		CHECK_EQ(one_op(OP_NETLINK, &patches), -EBADMSG);
		free(b.p);
		free(strs.p);
		free(patches.p);
	}
}

static int patched(uint32_t offset, uint32_t slot, uint32_t data)
{
	struct buf b = {0};
	put32(&b, 0);
	put_text(&b, "0123456789abcdef", data);
	put32(&b, 0);
	put32(&b, 1);
	put32(&b, offset);
	put32(&b, slot);
	int r = one_op(OP_NETLINK, &b);
	free(b.p);
	return r;
}

TEST(patches, "decode: attack: patches outside of their message")
{
	CHECK_EQ(patched(0, 0, 16), 0);
	CHECK_EQ(patched(12, MAX_SLOTS - 1, 16), 0);
	CHECK_EQ(patched(13, 0, 16), -EBADMSG);
	CHECK_EQ(patched(16, 0, 16), -EBADMSG);
	CHECK_EQ(patched(0xfffffffc, 0, 16), -EBADMSG);
	CHECK_EQ(patched(0xffffffff, 0, 16), -EBADMSG);
	CHECK_EQ(patched(0, 0, 3), -EBADMSG);
	CHECK_EQ(patched(0, 0, 0), -EBADMSG);
	CHECK_EQ(patched(0, MAX_SLOTS, 16), -EBADMSG);
	CHECK_EQ(patched(0, 0x1ffff, 16), -EBADMSG); /* would be "no slot" in 16 bits */
}

TEST(mutated, "decode: attack: every byte of a plan replaced")
{
	const unsigned char values[] = {0, 1, 0x3f, 0x7f, 0x80, 0xff};
	struct buf b = every_op();
	for (size_t i = 0; i < b.n / SECTIONS; i++) {
		char old = b.p[i];
		for (size_t v = 0; v < sizeof values; v++) {
			b.p[i] = (char)values[v];
			int r = decode_copy(b.p, b.n);
			CHECK(r == 0 || r == -EBADMSG);
		}
		b.p[i] = old;
	}
	free(b.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

TEST(fuzzed, "decode: attack: forty thousand random changes")
{
	struct buf b = every_op();
	char *copy = malloc(b.n);
	uint32_t seed = 20190211;
	for (int round = 0; round < 40000; round++) {
		memcpy(copy, b.p, b.n);
		for (int changes = 0; changes < 4; changes++) {
			seed = seed * 1664525 + 1013904223;
			copy[(seed >> 8) % b.n] = (char)(seed >> 24);
		}
		LLVMFuzzerTestOneInput((const uint8_t *)copy, (seed >> 4) % (b.n + 1));
	}
	free(copy);
	free(b.p);
}
