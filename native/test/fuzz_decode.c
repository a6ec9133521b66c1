/* libFuzzer's entry to the decoder; also called by decode_test.c with changes of its own.
 * clang -g -fsanitize=fuzzer,address,undefined -std=gnu17 -o fuzz native/test/fuzz_decode.c native/decode.c */
#include "../hoist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct plan plan;
	plan_decode(&plan, (const char *)data, n);
	plan_free(&plan);
	return 0;
}
