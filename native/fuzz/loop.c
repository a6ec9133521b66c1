/* A mutator for fuzz targets where there is no libFuzzer: LOOP SECONDS SEED FILE… changes the files' bytes at random and
 * hands them to the target, until the time is over; the sanitizers end it when something is wrong, and the input that
 * did it is left in ./crash. Prints how many inputs it tried. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define ROOM (1u << 20)
#define SEEDS 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint64_t state;

static uint32_t any(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return below ? (uint32_t)(state >> 16) % below : 0;
}

static struct seed {
	uint8_t *p;
	uint32_t n;
} seeds[SEEDS];
static uint32_t count;

static void load(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f || count == SEEDS)
		return;
	uint8_t *p = malloc(ROOM);
	size_t n = p ? fread(p, 1, ROOM, f) : 0;
	fclose(f);
	if (n)
		seeds[count++] = (struct seed){p, (uint32_t)n};
}

static uint32_t change(uint8_t *p, uint32_t n)
{
	static const uint32_t words[] = {0, 1, 2, 0x7f, 0xff, 0xfffe, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
	uint32_t at = any(n), length = 1 + any(64), from = any(n), word;
	const struct seed *other = &seeds[any(count)];
	switch (n ? any(8) : 6) {
	case 0:
		p[at] ^= (uint8_t)(1u << any(8));
		break;
	case 1:
		p[at] = (uint8_t)any(256);
		break;
	case 2: case 3: /* where a length, a count or a slot may stand */
		word = any(2) ? words[any(sizeof words / sizeof *words)] : any(n + 2);
		if (at + 4 <= n)
			memcpy(p + at, &word, any(2) ? 4 : 2);
		break;
	case 4: /* out */
		length = length > n - at ? n - at : length;
		memmove(p + at, p + at + length, n - at - length);
		return n - length;
	case 5: /* a part once more */
		length = length > n - from ? n - from : length;
		if (n + length > ROOM)
			break;
		memmove(p + at + length, p + at, n - at);
		memmove(p + at, p + (from >= at ? from + length : from), length);
		return n + length;
	case 6: /* the end of another one */
		from = any(other->n);
		length = other->n - from;
		if (at + length > ROOM)
			break;
		memcpy(p + at, other->p + from, length);
		return at + length;
	default:
		return at; /* cut off */
	}
	return n;
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	time_t until = time(NULL) + atoi(argv[1]);
	state = strtoull(argv[2], NULL, 10) * 0x9e3779b97f4a7c15u + 1;
	for (int i = 3; i < argc; i++)
		load(argv[i]);
	/* a file that is mapped: it is there after the sanitizer has ended us */
	int fd = open("crash", O_RDWR | O_CREAT | O_TRUNC, 0644);
	if (!count || fd < 0 || ftruncate(fd, ROOM + 4))
		return 2;
	uint8_t *input = mmap(NULL, ROOM + 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (input == MAP_FAILED)
		return 2;
	uint64_t tried = 0;
	do {
		const struct seed *s = &seeds[any(count)];
		uint32_t n = s->n;
		memcpy(input + 4, s->p, n);
		for (uint32_t changes = 1 + any(6); changes; changes--)
			n = change(input + 4, n);
		memcpy(input, &n, 4);
		uint8_t *exact = malloc(n ? n : 1); /* so that reading past its end is seen */
		if (!exact)
			return 2;
		memcpy(exact, input + 4, n);
		LLVMFuzzerTestOneInput(exact, n);
		free(exact);
	} while (++tried % 256 || time(NULL) < until);
	unlink("crash");
	printf("%llu inputs\n", (unsigned long long)tried);
	return 0;
}
