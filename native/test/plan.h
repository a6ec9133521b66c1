/* Writes the wire of plans by hand, so that a test can write it wrong. */
#pragma once
#include "test.h"

static inline void put16(struct buf *b, uint16_t v) { buf_add(b, &v, 2); }
static inline void put32(struct buf *b, uint32_t v) { buf_add(b, &v, 4); }
static inline void put64(struct buf *b, uint64_t v) { buf_add(b, &v, 8); }
static inline void put_text(struct buf *b, const char *p, uint32_t n)
{
	put32(b, n);
	buf_add(b, p, n);
	buf_add(b, "", 1);
}

/* Version and the counts around `ops`, which stand in the first section. */
static inline struct buf plan_of(uint32_t count, const struct buf *ops)
{
	struct buf b = {0};
	put32(&b, WIRE_VERSION);
	put32(&b, count);
	buf_add(&b, ops->p, ops->n);
	put32(&b, 0);
	put32(&b, 0);
	return b;
}

/* Decodes a copy that ends where the plan ends: the sanitizer sees a byte read beyond it. */
static inline int decode_copy(const char *p, size_t n)
{
	char *copy = malloc(n ? n : 1);
	struct plan plan;
	if (n)
		memcpy(copy, p, n);
	int r = plan_decode(&plan, n ? copy : copy + 1, n);
	plan_free(&plan);
	free(copy);
	return r;
}
