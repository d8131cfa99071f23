/* make_report DIR [hostile|large|passing|leak|rehearsal]...: the files of a run that never
 * happened, for looking at them in a browser and for measuring. */
#include "../unit/fake_result.h"

#include <time.h>

#include "base/err.h"

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: make_report DIR [hostile|large|passing|leak|rehearsal]...\n");
        return 2;
    }
    struct fake_options options = {.seed = 7, .servers = 2, .clients = 6, .seconds = 900};
    for (int i = 2; i < argc; i++) {
        options.hostile |= strcmp(argv[i], "hostile") == 0;
        options.passing |= strcmp(argv[i], "passing") == 0;
        options.leak |= strcmp(argv[i], "leak") == 0;
        options.rehearsal |= strcmp(argv[i], "rehearsal") == 0;
        if (strcmp(argv[i], "large") == 0) {
            options.servers = 60;
            options.clients = 240;
            options.seconds = 7200;
        }
    }
    CLEANUP(fake_result_freep) struct fake_result *fake = fake_result_new(&options);
    struct err err = {0};
    double start_s = now_s();
    int result = result_write_all(&fake->result, argv[1], &err);
    if (result < 0) {
        fprintf(stderr, "error: %s\n", err.text);
        return 1;
    }
    printf("%.3f\n", now_s() - start_s);
    return 0;
}
