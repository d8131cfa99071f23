#include "report/live_phase.h"

#include <inttypes.h>

#include "base/units.h"
#include "report/say.h"

#define SMALL_BYTES_MAX 512
#define BAR_COLUMNS_MIN 10

/* "5:58 / 10:00" */
static void add_progress(struct buf *b, const struct live_phase *phase) {
    units_add_clock(b, phase->elapsed_ns);
    if (phase->total_ns) {
        buf_add_text(b, " / ");
        units_add_clock(b, phase->total_ns);
    }
}

static void emit_head(struct live_block *block, const struct live_phase *phase) {
    struct live_line line;
    live_line_init(&line, block->style);
    live_line_label(&line, block->style->ascii ? ">" : "\u25b6", phase->name);
    struct buf text = BUF_INIT(SMALL_BYTES_MAX);
    buf_add_text(&text, phase->detail);
    if (phase->trials > 1)
        buf_printf(&text, "%strial %" PRIu32 "/%" PRIu32,
                   !text.len             ? ""
                   : block->style->ascii ? " - "
                                         : " \u00b7 ",
                   phase->trial, phase->trials);
    struct buf clock = BUF_INIT(SMALL_BYTES_MAX);
    add_progress(&clock, phase);
    unsigned keep = (unsigned)clock.len + 2;
    if (text.len) {
        live_line_text(&line, 0, buf_text(&text), keep + BAR_COLUMNS_MIN + 2);
        live_line_part(&line, 2, INK_NONE, "");
    }
    /* The bar takes what the name of the phase leaves. */
    unsigned room = live_line_left(&line) > keep ? live_line_left(&line) - keep : 0;
    if (phase->total_ns)
        live_line_bar(&line, MIN(room, live_bar_width(block->style->columns)), phase->elapsed_ns,
                      phase->total_ns);
    live_line_right(&line, buf_text(&clock));
    buf_deinit(&clock);
    buf_deinit(&text);
    live_emit(block, &line);
}

static uint64_t spark_top(const struct live_phase *phase) {
    uint64_t top = phase->rate_asked_micro_per_s;
    must(phase->spark_count <= LIVE_SPARK_MAX);
    for (uint32_t i = 0; i < phase->spark_count; i++)
        top = MAX(top, phase->spark_micro_per_s[i]);
    return top;
}

static void emit_rate(struct live_block *block, const struct live_phase *phase) {
    struct live_line line;
    live_line_init(&line, block->style);
    live_line_label(&line, "", "rate");
    struct buf text = BUF_INIT(SMALL_BYTES_MAX);
    say_rate(&text, phase->rate_micro_per_s);
    if (phase->rate_asked_micro_per_s) {
        buf_add_text(&text, "  of ");
        say_rate(&text, phase->rate_asked_micro_per_s);
    }
    live_line_part(&line, 0, INK_NONE, buf_text(&text));
    buf_reset(&text);
    if (phase->rate_asked_micro_per_s)
        say_percent(&text, MIN(phase->rate_micro_per_s, phase->rate_asked_micro_per_s),
                    phase->rate_asked_micro_per_s);
    live_line_part(&line, 3, INK_NONE, "");
    unsigned room = live_line_left(&line) > 12 ? live_line_left(&line) - 12 : 0;
    live_line_spark(&line, MIN(room, 60), phase->spark_micro_per_s, phase->spark_count,
                    spark_top(phase));
    live_line_right(&line, buf_text(&text));
    buf_deinit(&text);
    live_emit(block, &line);
}

static void latency_part(struct live_line *line, const char *name, uint64_t ns, const char *unit) {
    struct buf text = BUF_INIT(SMALL_BYTES_MAX);
    buf_printf(&text, "%s ", name);
    say_ms_short(&text, ns);
    buf_add_text(&text, unit);
    unsigned gap = line->used <= 14 ? 0 : line->style->columns >= 100 ? 3 : 2;
    live_line_part(line, gap, INK_NONE, buf_text(&text));
    buf_deinit(&text);
}

static void emit_latency(struct live_block *block, const struct live_phase *phase) {
    const struct live_latency *latency = &phase->latency;
    struct live_line line;
    live_line_init(&line, block->style);
    live_line_label(&line, "", "latency");
    if (latency->known) {
        latency_part(&line, "p50", latency->p50_ns, "");
        latency_part(&line, "p95", latency->p95_ns, "");
        latency_part(&line, "p99", latency->p99_ns, "");
        latency_part(&line, "p99.9", latency->p999_ns, "");
        latency_part(&line, "max", latency->max_ns, " ms");
        if (latency->service_p99_ns)
            latency_part(&line, "service p99", latency->service_p99_ns, "");
    } else {
        live_line_part(&line, 0, INK_NONE, "no answer yet");
    }
    live_emit(block, &line);
}

static void emit_errors(struct live_block *block, const struct live_phase *phase) {
    struct live_line line;
    live_line_init(&line, block->style);
    live_line_label(&line, "", "errors");
    struct buf text = BUF_INIT(SMALL_BYTES_MAX);
    if (phase->requests)
        say_percent(&text, phase->errors_total, phase->requests);
    else
        buf_add_text(&text, "none");
    live_line_part(&line, 0, phase->errors_total ? INK_BAD : INK_NONE, buf_text(&text));
    must(phase->error_count <= LIVE_ERRORS_MAX);
    for (uint32_t i = 0; i < phase->error_count; i++) {
        buf_reset(&text);
        buf_printf(&text, "%s ", phase->errors[i].name);
        say_count_short(&text, phase->errors[i].count);
        live_line_text(&line, i ? 2 : 3, buf_text(&text), 0);
    }
    if (phase->reporters && phase->reporting < phase->reporters) {
        buf_reset(&text);
        buf_printf(&text, "from %" PRIu32 "/%" PRIu32, phase->reporting, phase->reporters);
        live_line_right(&line, buf_text(&text));
    }
    buf_deinit(&text);
    live_emit(block, &line);
}

static void emit_thresholds(struct live_block *block, const struct live_view *view) {
    static const enum live_ink inks[] = {INK_NONE, INK_GOOD, INK_BAD};
    static const char *const signs[] = {"\u00b7 ", "\u2713 ", "\u2717 "};
    static const char *const letters[] = {"- ", "ok ", "FAIL "};
    if (view->threshold_count == 0)
        return;
    must(view->threshold_count <= LIVE_THRESHOLDS_MAX);
    struct live_line line;
    live_line_init(&line, block->style);
    live_line_label(&line, "", "thresholds");
    for (uint32_t i = 0; i < view->threshold_count; i++) {
        const struct live_threshold *threshold = &view->thresholds[i];
        must(threshold->state < ARRAY_LEN(inks));
        const char *sign = (block->style->ascii ? letters : signs)[threshold->state];
        char text[LIVE_NAME_BYTES + 16];
        snprintf(text, sizeof text, "%s%s", sign, threshold->text);
        if (!live_line_part(&line, i ? 3 : 0, inks[threshold->state], text)) {
            live_line_part(&line, 1, INK_NONE, block->style->ascii ? "~" : "\u2026");
            break;
        }
    }
    live_emit(block, &line);
}

static void emit_generators(struct live_block *block, const struct live_view *view) {
    if (!view->cpu_known)
        return;
    struct live_line line;
    live_line_init(&line, block->style);
    live_line_label(&line, "", "generators");
    char text[LIVE_NAME_BYTES + 64];
    snprintf(text, sizeof text, "cpu %" PRIu32 " %%", view->cpu_percent);
    live_line_part(&line, 0, view->cpu_percent >= 90 ? INK_WARN : INK_NONE, text);
    if (view->cpu_worst[0]) {
        snprintf(text, sizeof text, "worst %s %" PRIu32 " %%", view->cpu_worst,
                 view->cpu_worst_percent);
        live_line_text(&line, 3, text, 0);
    }
    live_emit(block, &line);
}

void live_phase_block(struct live_block *block, const struct live_view *view) {
    const struct live_phase *phase = &view->phase;
    emit_head(block, phase);
    if (phase->has_load) {
        emit_rate(block, phase);
        emit_latency(block, phase);
        emit_errors(block, phase);
    }
    emit_thresholds(block, view);
    emit_generators(block, view);
    live_emit_text(block, "slowest", view->slowest);
    live_emit_text_wrapped(block, "!", view->warning);
    if (!phase->has_load)
        live_emit_text(block, "until", view->until);
    live_emit_money(block, view, true);
}

void live_phase_single(struct live_block *block, const struct live_view *view) {
    const struct live_phase *phase = &view->phase;
    struct live_line line;
    live_line_init(&line, block->style);
    live_line_part(&line, 0, INK_BAR, block->style->ascii ? ">" : "\u25b6");
    struct buf text = BUF_INIT(SMALL_BYTES_MAX);
    add_progress(&text, phase);
    /* The clock says that it lives: a long name gives way. */
    live_line_text(&line, 1, phase->name, MIN((unsigned)text.len + 2, live_line_left(&line) / 2));
    live_line_part(&line, 2, INK_NONE, buf_text(&text));
    if (phase->has_load) {
        buf_reset(&text);
        say_rate(&text, phase->rate_micro_per_s);
        live_line_part(&line, 2, INK_NONE, buf_text(&text));
    }
    if (phase->has_load && phase->latency.known)
        latency_part(&line, "p99", phase->latency.p99_ns, "");
    if (phase->errors_total) {
        buf_reset(&text);
        buf_add_text(&text, "err ");
        say_percent(&text, phase->errors_total, phase->requests);
        live_line_part(&line, 2, INK_BAD, buf_text(&text));
    }
    buf_deinit(&text);
    live_emit(block, &line);
}
