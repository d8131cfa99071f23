/* dayfly bench: the load engine on this machine, alone. */
#include "base/units.h"
#include "cli/bench_report.h"
#include "cli/cmds.h"
#include "cli/exits.h"
#include "codec/hlog.h"
#include "codec/url.h"
#include "os/clock.h"
#include "os/dns.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define HEADERS_MAX 64
#define LEAD_NS (200 * NS_PER_MS) /* to open the connections in */
#define HDR_BYTES_MAX (256 * MIB)

static const struct opt OPTS[] = {
    {.name = "rate",
     .letter = 'r',
     .kind = OPT_RATE,
     .value = "RATE",
     .help = "requests per second at planned instants; without it: as fast as the replies come"},
    {.name = "duration",
     .letter = 'd',
     .kind = OPT_DURATION,
     .value = "TIME",
     .help = "length (10s)"},
    {.name = "ramp",
     .kind = OPT_DURATION,
     .value = "TIME",
     .help = "go from 0 to the rate in this time first (0s)"},
    {.name = "connections",
     .letter = 'c',
     .kind = OPT_COUNT,
     .value = "N",
     .help = "open connections; without --rate: users, one request each at a time (64)"},
    {.name = "threads", .letter = 't', .kind = OPT_COUNT, .value = "N", .help = "threads (1)"},
    {.name = "think",
     .kind = OPT_DURATION,
     .value = "TIME",
     .help = "without --rate: pause of a user between requests (0s)"},
    {.name = "timeout", .kind = OPT_DURATION, .value = "TIME", .help = "of one request (30s)"},
    {.name = "method", .kind = OPT_TEXT, .value = "METHOD", .help = "GET, or POST with --body"},
    {.name = "header",
     .letter = 'H',
     .kind = OPT_LIST,
     .value = "'NAME: TEXT'",
     .help = "a header of each request"},
    {.name = "body", .kind = OPT_TEXT, .value = "TEXT", .help = "body of each request"},
    {.name = "expect",
     .kind = OPT_TEXT,
     .value = "STATUS",
     .help = "status or range that is no error (200-399)"},
    {.name = "no-keepalive", .kind = OPT_FLAG, .help = "a new connection for each request"},
    {.name = "insecure", .kind = OPT_FLAG, .help = "do not verify the server's certificate"},
    {.name = "hdr",
     .kind = OPT_TEXT,
     .value = "FILE",
     .help = "write latency and service time of each second as HdrHistogram log"},
    {0},
};

struct bench {
    const struct args *args;
    struct url url;
    struct load_spec spec;
    struct load_request request;
    struct load_header headers[HEADERS_MAX];
    struct load_address addresses[DNS_ADDRESSES_MAX];
    struct load_sample sum;
    struct buf hdr;
    unsigned signals;
    int last_signal;
    uint64_t last_ns; /* when the load was over */
};

static int headers_read(struct bench *b, struct err *err) {
    for (unsigned i = 0; args_list(b->args, "header", i); i++) {
        struct str rest = str_from(args_list(b->args, "header", i)), name;
        if (i == HEADERS_MAX)
            return err_set(err, ERR_USAGE, "--header: more than %d", HEADERS_MAX);
        if (!str_contains(rest, STR(":")) || !str_split(&rest, ':', &name))
            return err_set(err, ERR_USAGE, "--header: '%.*s': write it as 'Name: text'",
                           STR_ARG(rest));
        b->headers[i] = (struct load_header){str_trim(name), str_trim(rest)};
        b->spec.header_count = i + 1;
    }
    b->spec.headers = b->headers;
    return 0;
}

static int expect_read(struct bench *b, struct err *err) {
    const char *text = args_text(b->args, "expect");
    if (!text)
        return 0;
    struct str rest = str_from(text), low;
    uint64_t from = 0, to = 0;
    must(str_split(&rest, '-', &low));
    bool good = units_u64(low, &from, NULL) == 0;
    to = from;
    if (good && rest.len > 0)
        good = units_u64(rest, &to, NULL) == 0;
    if (!good || from < 100 || to > 999 || from > to)
        return err_set(err, ERR_USAGE, "--expect: '%s': write it as 200 or 200-299", text);
    b->request.status_min = (uint16_t)from;
    b->request.status_max = (uint16_t)to;
    return 0;
}

static int plan_read(struct bench *b, struct err *err) {
    struct load_spec *spec = &b->spec;
    uint64_t rate = args_rate_micro(b->args, "rate", 0);
    uint64_t duration_ns = args_duration_ns(b->args, "duration", 10 * NS_PER_S);
    uint64_t ramp_ns = args_duration_ns(b->args, "ramp", 0);
    pace_plan_init(&spec->plan);
    if (rate == 0) {
        spec->users = spec->connections;
        spec->duration_ns = duration_ns;
        spec->think_ns_min = spec->think_ns_max = args_duration_ns(b->args, "think", 0);
        return 0;
    }
    if (ramp_ns > 0)
        TRY(pace_plan_add(&spec->plan, (struct pace_stage){ramp_ns, 0, rate}, err));
    return pace_plan_add(&spec->plan, (struct pace_stage){duration_ns, rate, rate}, err);
}

static int spec_read(struct bench *b, struct err *err) {
    const struct args *args = b->args;
    const char *method = args_text(args, "method"), *body = args_text(args, "body");
    TRY(url_parse(str_from(args_operand(args, 0)), &b->url, err));
    uint64_t connections = args_count(args, "connections", 64);
    uint64_t threads = args_count(args, "threads", 1);
    if (connections == 0 || connections > LOAD_CONNECTIONS_MAX)
        return err_set(err, ERR_USAGE, "--connections: 1 to %d", LOAD_CONNECTIONS_MAX);
    if (threads == 0 || threads > LOAD_THREADS_MAX)
        return err_set(err, ERR_USAGE, "--threads: 1 to %d", LOAD_THREADS_MAX);
    b->request = (struct load_request){
        .name = STR("all"),
        .method = str_from(method ? method
                           : body ? "POST"
                                  : "GET"),
        .target = b->url.target,
        .body = str_from(body),
        .weight = 1,
    };
    b->spec = (struct load_spec){
        .host = b->url.host,
        .port = b->url.port,
        .tls = b->url.tls,
        .tls_insecure = args_flag(args, "insecure"),
        .addresses = b->addresses,
        .requests = &b->request,
        .request_count = 1,
        .connections = (uint32_t)connections,
        .threads = (uint32_t)MIN(threads, connections),
        .close_each = args_flag(args, "no-keepalive"),
        .timeout_ns = args_duration_ns(args, "timeout", 30 * NS_PER_S),
        .seed = 1,
    };
    TRY(headers_read(b, err));
    TRY(expect_read(b, err));
    return plan_read(b, err);
}

static int addresses_find(struct bench *b, struct err *err) {
    struct address found[DNS_ADDRESSES_MAX];
    size_t count = 0;
    TRY(dns_lookup_wait(b->url.host, b->url.port, found, &count, err));
    for (size_t i = 0; i < MIN(count, LOAD_ADDRESSES_MAX); i++)
        b->addresses[i] = (struct load_address){found[i].storage, found[i].size};
    b->spec.address_count = (uint32_t)MIN(count, LOAD_ADDRESSES_MAX);
    return 0;
}

/* ---- running ---- */

static void hdr_add(struct bench *b, const struct load *load, const struct load_sample *sample) {
    if (!args_text(b->args, "hdr"))
        return;
    struct hlog_line line = {.start_ns = sample->from_ns - load_start_ns(load),
                             .length_ns = sample->until_ns - sample->from_ns};
    line.tag = STR("latency");
    hlog_add_interval(&b->hdr, &line, &sample->requests[0].latency);
    line.tag = STR("service");
    hlog_add_interval(&b->hdr, &line, &sample->requests[0].service);
}

static void progress(const struct bench *b, const struct load *load,
                     const struct load_sample *sample) {
    if (args_flag(b->args, "quiet") || args_flag(b->args, "json") || !isatty(STDERR_FILENO))
        return;
    CLEANUP(buf_deinit) struct buf line = BUF_INIT(512);
    buf_add_text(&line, "\r");
    bench_add_progress(&line, sample, load_start_ns(load));
    buf_add_text(&line, "\033[K");
    fputs(buf_text(&line), stderr);
}

static void signal_take(struct bench *b, struct load *load, int signal_fd) {
    struct signalfd_siginfo info;
    if (read(signal_fd, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    b->signals++;
    b->last_signal = (int)info.ssi_signo;
    fputs(b->signals == 1 ? "\nstopping: waiting for outstanding replies (again: at once)\n" : "\n",
          stderr);
    load_stop(load);
}

static void follow(struct bench *b, struct load *load, int signal_fd) {
    struct load_sample sample;
    load_sample_init(&sample, 1);
    while (!load_finished(load)) {
        struct pollfd fds[] = {{.fd = load_fd(load), .events = POLLIN},
                               {.fd = signal_fd, .events = POLLIN}};
        ignore(poll(fds, ARRAY_LEN(fds), 1000) < 0); /* both are looked at anyway */
        if (fds[1].revents & POLLIN)
            signal_take(b, load, signal_fd);
        while (load_take_sample(load, &sample)) {
            b->last_ns = clock_monotonic_ns();
            load_sample_merge(&b->sum, &sample);
            hdr_add(b, load, &sample);
            progress(b, load, &sample);
        }
    }
    load_sample_deinit(&sample);
    if (!args_flag(b->args, "quiet") && !args_flag(b->args, "json") && isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

static int hdr_write(struct bench *b, struct err *err) {
    const char *path = args_text(b->args, "hdr");
    if (!path)
        return 0;
    if (!buf_ok(&b->hdr))
        return err_set(err, ERR_LIMIT, "%s: more than 256 MiB of histograms", path);
    FILE *file = fopen(path, "w");
    if (!file)
        return err_set_errno(err, ERR_IO, errno, "%s", path);
    bool written = fwrite(b->hdr.ptr, 1, b->hdr.len, file) == b->hdr.len;
    if (fclose(file) != 0 || !written)
        return err_set_errno(err, ERR_IO, errno, "%s", path);
    return 0;
}

static int report(struct bench *b, const struct load *load) {
    uint64_t start_ns = load_start_ns(load);
    struct bench_result result = {
        .url = args_operand(b->args, 0),
        .sample = &b->sum,
        .open_loop = b->spec.users == 0,
        .planned = b->spec.plan.count,
        .duration_ns = b->spec.users ? b->spec.duration_ns : b->spec.plan.duration_ns,
        .cpu_ns = load_cpu_ns(load),
        .connections = b->spec.connections,
        .threads = b->spec.threads,
        .start_ns = start_ns,
        .stopped = b->signals > 0,
    };
    uint64_t took_ns = b->last_ns > start_ns ? b->last_ns - start_ns : 1;
    result.took_ns = result.stopped ? took_ns : MAX(took_ns, result.duration_ns);
    load_sample_total(&b->sum, &result.total);
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(64 * KIB);
    if (args_flag(b->args, "json"))
        bench_add_json(&out, &result);
    else
        bench_add_text(&out, &result);
    cli_print(buf_str(&out));
    bool answered = result.total.counts.done > 0;
    load_request_sample_deinit(&result.total);
    if (b->signals > 0)
        return b->last_signal == SIGTERM ? EXIT_TERMINATED : EXIT_INTERRUPTED;
    return answered ? EXIT_OK : EXIT_ERROR;
}

static int bench_run(struct bench *b) {
    CLEANUP(load_freep) struct load *load = NULL;
    struct err err = {0};
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    must(sigprocmask(SIG_BLOCK, &ends, NULL) == 0);
    int signal_fd = signalfd(-1, &ends, SFD_CLOEXEC);
    must(signal_fd >= 0);
    b->spec.start_ns = clock_monotonic_ns() + LEAD_NS;
    if (load_start(&b->spec, &load, &err) < 0) {
        cli_error(&err, NULL);
        close(signal_fd);
        return exit_of_err(&err);
    }
    hlog_add_head(&b->hdr, clock_wall_unix_ms() + (int64_t)(LEAD_NS / NS_PER_MS));
    follow(b, load, signal_fd);
    close(signal_fd);
    int code = report(b, load);
    if (hdr_write(b, &err) < 0) {
        cli_error(&err, NULL);
        return EXIT_ERROR;
    }
    return code;
}

static int run(const struct args *args) {
    struct bench bench = {.args = args};
    struct err err = {0};
    if (spec_read(&bench, &err) < 0) {
        cli_error(&err, NULL);
        return EXIT_USAGE;
    }
    if (addresses_find(&bench, &err) < 0) {
        cli_error(&err, NULL);
        return exit_of_err(&err);
    }
    load_sample_init(&bench.sum, 1);
    buf_init(&bench.hdr, HDR_BYTES_MAX);
    int code = bench_run(&bench);
    buf_deinit(&bench.hdr);
    load_sample_deinit(&bench.sum);
    return code;
}

const struct cmd cmd_bench = {
    .name = "bench",
    .summary = "load one URL from this machine and measure it honestly",
    .operands = "URL",
    .operands_min = 1,
    .operands_max = 1,
    .group = CMD_TOOLS,
    .opts = OPTS,
    .examples =
        (const char *const[]){"dayfly bench http://127.0.0.1:8080/ -r 2000/s -d 30s",
                              "dayfly bench http://127.0.0.1:8080/ -c 100 -d 30s --json",
                              "dayfly bench http://127.0.0.1:8080/ -r 500/s --hdr out.hlog", NULL},
    .details =
        "With --rate, requests are due at planned instants and latency counts from those, so a\n"
        "target that stalls cannot hide it. Without, each of N users sends when its last reply is\n"
        "in.\n"
        "Exit code 1 when no request was answered at all; 130 or 143 when stopped.",
    .run = run,
};
