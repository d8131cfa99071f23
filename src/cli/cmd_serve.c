/* dayfly serve: the test server as a command. */
#include "base/units.h"
#include "cli/cmds.h"
#include "cli/exits.h"
#include "load/serve.h"
#include "os/address.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const struct opt OPTS[] = {
    {.name = "port",
     .letter = 'p',
     .kind = OPT_COUNT,
     .value = "PORT",
     .help = "port to listen on; 0: any free one, which is printed (8080)"},
    {.name = "listen",
     .kind = OPT_TEXT,
     .value = "ADDRESS",
     .help = "address to listen on, ADDRESS:PORT if you like (0.0.0.0: all of them)"},
    {.name = "threads", .letter = 't', .kind = OPT_COUNT, .value = "N", .help = "threads (1)"},
    {.name = "size", .kind = OPT_SIZE, .value = "SIZE", .help = "size of a body (7B)"},
    {.name = "latency", .kind = OPT_DURATION, .value = "TIME", .help = "delay of each answer (0s)"},
    {.name = "jitter",
     .kind = OPT_DURATION,
     .value = "TIME",
     .help = "makes the delay longer or shorter by up to this (0s)"},
    {.name = "errors",
     .kind = OPT_PERCENT,
     .value = "SHARE",
     .help = "share of answers with 500 (0%)"},
    {.name = "limit",
     .kind = OPT_RATE,
     .value = "RATE",
     .help = "answer 429 beyond this rate (token bucket)"},
    {.name = "burst",
     .kind = OPT_COUNT,
     .value = "N",
     .help = "size of that bucket (one second of the limit)"},
    {.name = "stall",
     .kind = OPT_TEXT,
     .value = "TIME/EVERY",
     .help = "stand still, 200ms/2s: for 200 ms every 2 s"},
    {.name = "access-log",
     .kind = OPT_TEXT,
     .value = "FILE",
     .help = "a line per request: read and written (monotonic ns), status, method, target"},
    {.name = "seed", .kind = OPT_COUNT, .value = "N", .help = "of delays and errors (1)"},
    {0},
};

static int stall_read(const char *text, struct serve_spec *spec, struct err *err) {
    if (!text)
        return 0;
    struct str rest = str_from(text), stall;
    if (!str_split(&rest, '/', &stall) || rest.len == 0)
        return err_set(err, ERR_USAGE, "--stall: '%s': write it as 200ms/2s", text);
    if (units_duration(stall, &spec->stall_ns, err) < 0 ||
        units_duration(rest, &spec->stall_every_ns, err) < 0) {
        ignore(err_wrap(err, "--stall"));
        err->code = ERR_USAGE;
        return -ERR_USAGE;
    }
    return 0;
}

/* "192.0.2.7", "192.0.2.7:8080", "::1", "[::1]:8080"; a port in the text wins. */
static int address_read(const char *text, uint16_t port, struct address *ret_address,
                        struct err *err) {
    struct str host = text ? str_from(text) : STR("0.0.0.0");
    if (address_parse_host(host, port, ret_address, NULL) == 0)
        return 0;
    return address_parse(host, ret_address, err);
}

static int spec_read(const struct args *args, struct serve_spec *spec, struct err *err) {
    uint64_t port = args_count(args, "port", 8080);
    uint64_t threads = args_count(args, "threads", 1);
    if (port > 65535)
        return err_set(err, ERR_USAGE, "--port: above 65535");
    if (threads == 0 || threads > SERVE_THREADS_MAX)
        return err_set(err, ERR_USAGE, "--threads: 1 to %d", SERVE_THREADS_MAX);
    struct address address;
    if (address_read(args_text(args, "listen"), (uint16_t)port, &address, err) < 0) {
        ignore(err_wrap(err, "--listen"));
        err->code = ERR_USAGE;
        return -ERR_USAGE;
    }
    *spec = (struct serve_spec){
        .address = address.storage,
        .address_size = address.size,
        .threads = (uint32_t)threads,
        .body_bytes = args_size(args, "size", 7),
        .latency_ns = args_duration_ns(args, "latency", 0),
        .jitter_ns = args_duration_ns(args, "jitter", 0),
        .errors_ppm = (uint32_t)MIN(args_percent_ppm(args, "errors", 0), 1000000),
        .limit_micro_per_s = args_rate_micro(args, "limit", 0),
        .burst = args_count(args, "burst", 0),
        .access_log_fd = -1,
        .seed = args_count(args, "seed", 1),
    };
    return stall_read(args_text(args, "stall"), spec, err);
}

static int log_open(const char *path, struct serve_spec *spec, struct err *err) {
    if (!path)
        return 0;
    spec->access_log_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (spec->access_log_fd < 0)
        return err_set_errno(err, ERR_IO, errno, "%s", path);
    return 0;
}

static void say_where(const struct args *args, const struct serve_spec *spec,
                      const struct serve *serve) {
    struct address address = {.storage = spec->address, .size = spec->address_size};
    char host[64];
    address_host(&address, host, sizeof host);
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(1024);
    CLEANUP(buf_deinit) struct buf url = BUF_INIT(512);
    buf_printf(&url, strchr(host, ':') ? "http://[%s]:%u/" : "http://%s:%u/", host,
               serve_port(serve));
    if (args_flag(args, "json"))
        buf_printf(&out, "{\"schema\": \"dayfly.serve/1\", \"url\": \"%s\", \"port\": %u}\n",
                   buf_text(&url), serve_port(serve));
    else
        buf_printf(&out, "listening on %s\n", buf_text(&url));
    cli_print(buf_str(&out));
}

static void say_counts(const struct serve *serve) {
    struct serve_counts counts = serve_counts(serve);
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(1024);
    buf_add_text(&out, "served ");
    units_add_count(&out, counts.requests);
    buf_add_text(&out, " requests on ");
    units_add_count(&out, counts.connections);
    buf_add_text(&out, " connections: ");
    units_add_count(&out, counts.ok);
    buf_add_text(&out, " ok, ");
    units_add_count(&out, counts.limited);
    buf_add_text(&out, " over the limit, ");
    units_add_count(&out, counts.errors);
    buf_add_text(&out, " errors\n");
    fputs(buf_text(&out), stderr);
}

static int serve_until_signal(const struct args *args, const struct serve_spec *spec) {
    CLEANUP(serve_freep) struct serve *serve = NULL;
    struct err err = {0};
    sigset_t ends;
    int number = 0;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    must(sigprocmask(SIG_BLOCK, &ends, NULL) == 0);
    if (serve_start(spec, &serve, &err) < 0) {
        cli_error(&err, NULL);
        return exit_of_err(&err);
    }
    say_where(args, spec, serve);
    while (sigwait(&ends, &number) != 0)
        continue;
    serve_stop(serve);
    if (!args_flag(args, "quiet"))
        say_counts(serve);
    return EXIT_OK;
}

static int run(const struct args *args) {
    struct serve_spec spec;
    struct err err = {0};
    if (spec_read(args, &spec, &err) < 0 ||
        log_open(args_text(args, "access-log"), &spec, &err) < 0) {
        cli_error(&err, NULL);
        return exit_of_err(&err);
    }
    int code = serve_until_signal(args, &spec);
    if (spec.access_log_fd >= 0 && close(spec.access_log_fd) < 0) {
        err_set_errno(&err, ERR_IO, errno, "the access log");
        cli_error(&err, NULL);
        return EXIT_ERROR;
    }
    return code;
}

const struct cmd cmd_serve = {
    .name = "serve",
    .summary = "a test server: fast, slow, failing or limited, as asked",
    .group = CMD_TOOLS,
    .opts = OPTS,
    .examples =
        (const char *const[]){"dayfly serve -p 8080 --latency 5ms --jitter 2ms --errors 1%",
                              "dayfly serve -p 0 --limit 5/s",
                              "dayfly serve --stall 200ms/2s --access-log served.log", NULL},
    .details = "Every request is answered with 200, whatever its path. Ends cleanly on Ctrl-C or\n"
               "SIGTERM.",
    .run = run,
};
