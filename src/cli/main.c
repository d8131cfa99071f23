#include "base/base.h"

#include <stdio.h>

int main(void) {
    puts("dayfly " DAYFLY_VERSION);
    return 0;
}
