#include <inttypes.h>

#include "codec/hlog.h"
#include "os/file.h"
#include "report/csv.h"
#include "report/html.h"
#include "report/junit.h"
#include "report/result.h"
#include "report/result_json.h"
#include "report/story.h"
#include "report/summary.h"

#define FILE_BYTES_MAX                                                        \
    (256 * MIB) /* 10,000 nodes for a day; a result larger than that is a bug \
                 */
#define FILE_MODE 0644
#define PATH_BYTES_MAX 4096

struct output {
    const char *dir;
    struct err *err;
    int first; /* the first error, or 0 */
};

/* Write one file; a failure is kept and the others are written all the same. */
static void put(struct output *out, const char *name, const struct buf *b) {
    char path[PATH_BYTES_MAX];
    struct err err = {0};
    int result = 0;
    if (snprintf(path, sizeof path, "%s/%s", out->dir, name) >= (int)sizeof path)
        result = err_set(&err, ERR_LIMIT, "path too long: %s/%s", out->dir, name);
    else if (!buf_ok(b))
        result = err_set(&err, ERR_LIMIT, "%s would be larger than %" PRIu64 " MB", path,
                         (uint64_t)(FILE_BYTES_MAX / 1000000));
    else
        result = file_write(path, buf_str(b), FILE_MODE, &err);
    if (result < 0 && out->first == 0) {
        out->first = result;
        if (out->err)
            *out->err = err;
    }
}

static void add_events(struct buf *b, const struct result *r) {
    story_add_json_version(b, r->start_unix_ms, r->run);
    buf_add_byte(b, '\n');
    for (size_t i = 0; i < r->event_count; i++) {
        story_add_json(b, r->events[i]);
        buf_add_byte(b, '\n');
    }
}

static void add_summary(struct buf *b, const struct result *r) {
    char dir[PATH_BYTES_MAX];
    snprintf(dir, sizeof dir, "results/%s-%s", r->name, r->run);
    summary_add(b, r, &(struct summary_style){.dir = dir});
}

static void add_interval(struct buf *b, const struct result *r, const struct result_phase *p,
                         const char *request, const struct hist *h) {
    if (!h || h->count == 0)
        return;
    char tag[HLOG_TAG_BYTES_MAX];
    snprintf(tag, sizeof tag, "%s%s%s", p->name, request ? "/" : "", request ? request : "");
    struct hlog_line line = {.tag = str_from(tag),
                             .start_ns =
                                 (uint64_t)MAX(p->start_unix_ms - r->start_unix_ms, 0) * NS_PER_MS,
                             .length_ns = p->duration_ns};
    hlog_add_interval(b, &line, h);
}

/* One interval per phase and request, latency and service time. */
static void add_hlog(struct buf *b, const struct result *r) {
    hlog_add_head(b, r->start_unix_ms);
    for (size_t i = 0; i < r->phase_count; i++) {
        const struct result_phase *p = &r->phases[i];
        if (!p->has_load)
            continue;
        add_interval(b, r, p, NULL, p->latency);
        add_interval(b, r, p, "service", p->service);
        for (size_t k = 0; k < p->request_count; k++)
            add_interval(b, r, p, p->requests[k].name, p->requests[k].latency);
    }
}

static const struct {
    const char *name;
    void (*add)(struct buf *b, const struct result *r);
} FILES[] = {
    {"result.json", result_add_json},   {"summary.txt", add_summary},
    {"timeline.csv", csv_add_timeline}, {"requests.csv", csv_add_requests},
    {"nodes.csv", csv_add_nodes},       {"events.ndjson", add_events},
    {"junit.xml", junit_add},           {"report.html", html_add},
    {"latency.hlog", add_hlog},
};

int result_write_all(const struct result *r, const char *dir, struct err *err) {
    must(r->run != NULL);
    must(r->name != NULL);
    struct output out = {.dir = dir, .err = err};
    struct buf b = BUF_INIT(FILE_BYTES_MAX);
    for (size_t i = 0; i < ARRAY_LEN(FILES); i++) {
        buf_reset(&b);
        FILES[i].add(&b, r);
        put(&out, FILES[i].name, &b);
    }
    const char *const texts[][2] = {{"config.yaml", r->config_text},
                                    {"config.resolved.yaml", r->config_resolved_text}};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i][1]) {
            buf_reset(&b);
            buf_add_text(&b, texts[i][1]);
            put(&out, texts[i][0], &b);
        }
    buf_deinit(&b);
    return out.first;
}
