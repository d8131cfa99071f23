/* fuzz.h - what a fuzz target defines: run one input; abort when a property does not hold. */
#ifndef FUZZ_H
#define FUZZ_H

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
