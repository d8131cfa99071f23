#include "os/random.h"

#include <errno.h>
#include <sys/random.h>

void random_bytes(void *into, size_t size) {
    uint8_t *at = into;
    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        must(got > 0);
        at += got;
        size -= (size_t)got;
    }
}

uint64_t random_u64(void) {
    uint64_t value;
    random_bytes(&value, sizeof value);
    return value;
}

/* `alphabet` has 16 or 32 letters, so each takes whole bits of a byte: no bias. */
static void random_letters(char *into, size_t size, const char *alphabet, unsigned mask) {
    must(size >= 2);
    random_bytes(into, size - 1);
    for (size_t i = 0; i < size - 1; i++)
        into[i] = alphabet[(unsigned char)into[i] & mask];
    into[size - 1] = 0;
}

void random_hex(char *into, size_t size) {
    random_letters(into, size, "0123456789abcdef", 15);
}

void random_id(char *into, size_t size) {
    random_letters(into, size, "abcdefghijkmnpqrstuvwxyz23456789", 31);
}
