#include "report/say.h"

#include <inttypes.h>

#include "base/units.h"

void say_rate(struct buf *b, uint64_t micro_per_s) {
    double rate = (double)micro_per_s / 1e6;
    if (micro_per_s == 0)
        buf_add_text(b, "0/s");
    else if (rate < 9.95)
        buf_printf(b, "%.1f/s", rate);
    else if (rate < 9999.5) {
        units_add_count(b, (micro_per_s + MICRO / 2) / MICRO);
        buf_add_text(b, "/s");
    } else if (rate < 999950)
        buf_printf(b, "%.1fk/s", rate / 1e3);
    else
        buf_printf(b, "%.2fM/s", rate / 1e6);
}

void say_ms(struct buf *b, uint64_t ns) {
    double ms = (double)ns / 1e6;
    if (ms < 0.9995)
        buf_printf(b, "%.3f", ms);
    else if (ms < 9.995)
        buf_printf(b, "%.2f", ms);
    else if (ms < 99.95)
        buf_printf(b, "%.1f", ms);
    else
        units_add_count(b, (ns + NS_PER_MS / 2) / NS_PER_MS);
}

void say_ms_short(struct buf *b, uint64_t ns) {
    double ms = (double)ns / 1e6;
    if (ms < 0.995)
        buf_printf(b, "%.2f", ms);
    else if (ms < 99.95)
        buf_printf(b, "%.1f", ms);
    else
        units_add_count(b, (ns + NS_PER_MS / 2) / NS_PER_MS);
}

void say_percent(struct buf *b, uint64_t part, uint64_t whole) {
    if (whole == 0) {
        buf_add_byte(b, '-');
        return;
    }
    double percent = 100.0 * (double)part / (double)whole;
    if (part == 0)
        buf_add_text(b, "0 %");
    else if (percent < 0.005)
        buf_add_text(b, "<0.01 %");
    else if (percent < 9.995)
        buf_printf(b, "%.2f %%", percent);
    else if (part != whole && percent > 99.9 && percent < 100.0)
        buf_add_text(b, ">99.9 %");
    else if (part == whole)
        buf_add_text(b, "100 %");
    else
        buf_printf(b, "%.1f %%", percent);
}

void say_money(struct buf *b, int64_t usd_micro) {
    if (usd_micro < 0)
        buf_add_byte(b, '-');
    units_add_money(b, usd_micro < 0 ? (uint64_t)-usd_micro : (uint64_t)usd_micro);
}

void say_money_round(struct buf *b, int64_t usd_micro) {
    if (usd_micro > 0 && usd_micro % (int64_t)MICRO == 0)
        buf_printf(b, "$%" PRId64, usd_micro / (int64_t)MICRO);
    else
        say_money(b, usd_micro);
}

void say_span(struct buf *b, uint64_t ns) {
    uint64_t s = (ns + NS_PER_S / 2) / NS_PER_S;
    if (ns < 10 * NS_PER_S)
        buf_printf(b, "%.1fs", (double)ns / 1e9);
    else if (s < 60)
        buf_printf(b, "%" PRIu64 "s", s);
    else if (s < 3600)
        buf_printf(b, "%" PRIu64 "m%02us", s / 60, (unsigned)(s % 60));
    else
        buf_printf(b, "%" PRIu64 "h%02um", s / 3600, (unsigned)(s / 60 % 60));
}

void say_count_short(struct buf *b, uint64_t count) {
    if (count < 100000)
        units_add_count(b, count);
    else if (count < 999500)
        buf_printf(b, "%.0fk", (double)count / 1e3);
    else if (count < UINT64_C(999950000))
        buf_printf(b, "%.1fM", (double)count / 1e6);
    else
        buf_printf(b, "%.1fG", (double)count / 1e9);
}
