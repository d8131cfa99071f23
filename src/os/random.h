/* random.h - unpredictable bytes from the kernel: ids, tokens, seeds of base/prng.h. */
#ifndef RANDOM_H
#define RANDOM_H

#include "base/base.h"

/* Fill with bytes fit for secrets; aborts when the kernel has none. */
void random_bytes(void *into, size_t size);
uint64_t random_u64(void);
/* `size - 1` lower-case hex digits and a NUL; size >= 2. */
void random_hex(char *into, size_t size);
/* `size - 1` characters of a-z and 2-7 without look-alikes, and a NUL: ids that people type. */
void random_id(char *into, size_t size);

#endif
