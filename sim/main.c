/* main.c - sim: thousands of lives of a run, each from one seed.
 *
 *   sim                      2,000 seeds from 1, the figures at the end
 *   sim --seeds N --first N  how many, from which
 *   sim --seed N             one life; it prints SEED=N and replays exactly
 *   sim --seed N --trace     ... as a story
 *   sim --must-fail          exit 0 when a check fails, 1 when none does (planted bugs)
 *   sim --sometimes          fail when something that must happen in some life never did
 */
#include "sim.h"

#include "base/units.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define REPLAY_EVERY 50 /* each so manieth seed is lived twice, and the hashes compared */

static uint64_t current_seed;
static bool must_fail;

/* A failed check aborts: say which seed it was, and how to see it again. */
static void on_abort(int number) {
    char line[128];
    (void)number;
    int size = snprintf(line, sizeof line,
                        "SEED=%" PRIu64 " failed; replay: sim --seed %" PRIu64 " --trace\n",
                        current_seed, current_seed);
    ignore(write(STDERR_FILENO, line, (size_t)size) < 0); /* nothing to do about it here */
    _exit(must_fail ? 0 : 3);
}

struct options {
    uint64_t first, count;
    bool trace, one, sometimes;
};

static int parse(int argc, char **argv, struct options *o) {
    *o = (struct options){.first = 1, .count = 2000};
    for (int i = 1; i < argc; i++) {
        struct str word = str_from(argv[i]);
        uint64_t *number = NULL;
        if (str_equal(word, STR("--trace"))) {
            o->trace = true;
        } else if (str_equal(word, STR("--must-fail"))) {
            must_fail = true;
        } else if (str_equal(word, STR("--sometimes"))) {
            o->sometimes = true;
        } else if (str_equal(word, STR("--seed"))) {
            number = &o->first;
            o->one = true;
        } else if (str_equal(word, STR("--first"))) {
            number = &o->first;
        } else if (str_equal(word, STR("--seeds"))) {
            number = &o->count;
        } else {
            fprintf(stderr, "sim: unknown option %s\n", argv[i]);
            return -1;
        }
        if (!number)
            continue;
        if (++i == argc || units_u64(str_from(argv[i]), number, NULL) < 0) {
            fprintf(stderr, "sim: %.*s needs a number\n", STR_ARG(word));
            return -1;
        }
    }
    if (o->one)
        o->count = 1;
    return 0;
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool replays(uint64_t seed, const struct sim_result *before) {
    struct sim_result again;
    sim_live(seed, false, &again);
    if (again.trace_hash == before->trace_hash)
        return true;
    fprintf(stderr, "SEED=%" PRIu64 " does not replay: %016" PRIx64 " and %016" PRIx64 "\n", seed,
            before->trace_hash, again.trace_hash);
    return false;
}

static bool print_probes(const uint64_t probes[SIM_PROBE_COUNT], bool demand) {
    bool all = true;
    for (int i = 0; i < SIM_PROBE_COUNT; i++) {
        printf("%8" PRIu64 "  %s%s\n", probes[i], sim_probe_texts[i],
               probes[i] ? "" : "   <- never");
        all &= probes[i] > 0;
    }
    if (demand && !all)
        fprintf(stderr, "sim: something that must happen sometimes never did\n");
    return all || !demand;
}

int main(int argc, char **argv) {
    struct options o;
    uint64_t probes[SIM_PROBE_COUNT] = {0}, steps = 0;
    double virtual_s = 0, began_s = seconds_now();
    if (parse(argc, argv, &o) < 0)
        return 2;
    signal(SIGABRT, on_abort);
    setvbuf(stdout, NULL, _IOLBF, 0); /* a story that breaks off shows its last line */
    for (uint64_t seed = o.first; seed < o.first + o.count; seed++) {
        struct sim_result result;
        current_seed = seed;
        if (o.one)
            printf("SEED=%" PRIu64 " dayfly %s\n", seed, DAYFLY_VERSION);
        sim_live(seed, o.trace, &result);
        if ((o.one || seed % REPLAY_EVERY == 0) && !replays(seed, &result))
            return 3;
        for (int i = 0; i < SIM_PROBE_COUNT; i++)
            probes[i] += result.probes[i];
        steps += result.steps;
        virtual_s += (double)result.virtual_ns / 1e9;
    }
    double took_s = seconds_now() - began_s;
    if (must_fail) {
        fprintf(stderr, "sim: the planted bug lived through %" PRIu64 " seeds\n", o.count);
        return 1;
    }
    bool fine = print_probes(probes, o.sometimes);
    printf("SEEDS=%" PRIu64 "..%" PRIu64 " all good: %.1f seeds/s, %" PRIu64
           " steps, %.0f h of virtual time, %.0f times real time\n",
           o.first, o.first + o.count - 1, (double)o.count / took_s, steps, virtual_s / 3600,
           virtual_s / took_s);
    return fine ? 0 : 4;
}
