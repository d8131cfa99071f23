#include "plan/plan_keys.h"

#define MINUTE (60 * NS_PER_S)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define RATE_MAX (UINT64_C(1000000000) * 1000000) /* 1e9/s, in micro */
#define END \
    { .name = NULL }
#define LATER(key, text) \
    { .name = key, .type = TYPE_TEXT, .flags = KEY_LATER, .help = text }

#define AT(field) offsetof(struct raw_local, field)
static const struct plan_key local_keys[] = {
    {"nodes_max", TYPE_INT, 0, AT(nodes_max), "500", NULL, 1, NODES_MAX, NULL, NULL, NULL,
     "Most instances that a rehearsal starts on this machine.", "300"},
    {"isolate", TYPE_WORD, 0, AT(isolate), "process", NULL, 0, 0, "process|namespace", NULL, NULL,
     "What an instance is in a rehearsal: a group of processes with an address of its own in "
     "127.0.0.0/8 (no rights needed), or namespaces with a network of their own (root).",
     "namespace"},
    {"boot", TYPE_DURATIONS, 0, AT(boot), "1s-3s", NULL, 0, HOUR, NULL, NULL, NULL,
     "Time from launch to the first line of user-data, drawn evenly from the range.", "1s-3s"},
    {"dud", TYPE_PERCENT, 0, AT(dud), "0%", NULL, 0, 1000000, NULL, NULL, NULL,
     "Share of instances that boot and never call home.", "1%"},
    {"slow", TYPE_PERCENT, 0, AT(slow), "0%", NULL, 0, 1000000, NULL, NULL, NULL,
     "Share of instances that take ten times as long to boot.", "2%"},
    {"interrupt", TYPE_FREQUENCY, 0, AT(interrupt), NULL, "none", 0, 0, NULL, NULL, NULL,
     "Spot interruptions: so many in such a time.", "1/2m"},
    {"speed", TYPE_FACTOR, 0, AT(speed), "1", NULL, 1, 1000000, NULL, NULL, NULL,
     "How much faster than a real cloud the delays of the rehearsal's cloud are.", "10"},
    {"capacity", TYPE_INT, 0, AT(capacity), NULL, "no limit", 0, 1000000, NULL, NULL, NULL,
     "Instances that the rehearsal's cloud has in all; beyond them launches answer "
     "InsufficientInstanceCapacity.",
     "4"},
    END,
};
#undef AT

const struct plan_section PLAN_LOCAL = {"fleet.local", "how the rehearsal's cloud behaves",
                                        local_keys, sizeof(struct raw_local)};

#define MARKETS "spot|on-demand|spot-then-on-demand"
#define AT(field) offsetof(struct raw_fleet, field)
static const struct plan_key fleet_keys[] = {
    {"profile", TYPE_TEXT, 0, AT(profile), NULL, "as AWS tools choose", 0, 0, NULL, NULL, NULL,
     "AWS profile whose credentials are used.", "perf"},
    {"region", TYPE_NAME, 0, AT(region), NULL, "as AWS tools choose", 0, 0, NULL, NULL, NULL,
     "AWS region.", "us-east-1"},
    {"endpoint", TYPE_TEXT, 0, AT(endpoint), NULL, "AWS", 0, 0, NULL, NULL, NULL,
     "URL of another service that speaks the API of AWS.", "http://127.0.0.1:4566"},
    {"zones", TYPE_ZONES, 0, AT(zones), "any", NULL, 0, 0, NULL, NULL, NULL,
     "Availability zones: any of the region, one (a single zone with room for all), or a list.",
     "one"},
    {"market", TYPE_WORD, 0, AT(market), "spot", NULL, 0, 0, MARKETS, NULL, NULL,
     "How capacity is bought.", "spot-then-on-demand"},
    {"max_price", TYPE_PRICE, 0, AT(max_price), "on-demand", NULL, 0, 0, NULL, NULL, NULL,
     "The most that a node may cost per hour: on-demand, a percentage of the on-demand price, or "
     "money.",
     "60%"},
    {"ttl", TYPE_DURATION, 0, AT(ttl), NULL, "1.5 x the planned time + 30m, within 1h and 12h",
     5 * MINUTE, 7 * DAY, NULL, NULL, NULL,
     "Every node ends itself this long after its start, whatever happens to anything else.", "4h"},
    {"budget", TYPE_MONEY, 0, AT(budget), NULL, "none", 1, 0, NULL, NULL, NULL,
     "Refuse to start above this estimate, and stop at it.", "$5"},
    {"launch_timeout", TYPE_DURATION, 0, AT(launch_timeout), "10m", NULL, NS_PER_S, DAY, NULL, NULL,
     NULL, "Give up launching below quorum after this.", "10m"},
    {"rollcall_timeout", TYPE_DURATION, 0, AT(rollcall_timeout), "5m", NULL, NS_PER_S, DAY, NULL,
     NULL, NULL, "Give up waiting for the quorum this long after the last launch.", "5m"},
    {"image", TYPE_TEXT, 0, AT(image), "al2023", NULL, 0, 0, NULL, NULL, NULL,
     "Machine image: an alias (al2023, ubuntu-24.04, debian-12), ami-..., or ssm:/path.",
     "ubuntu-24.04"},
    {"tags", TYPE_PAIRS, 0, AT(tags), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Extra tags on everything that is created.", "{team: perf}"},
    {"local", TYPE_MAP, KEY_ALWAYS, AT(local), NULL, NULL, 0, 0, NULL, &PLAN_LOCAL, NULL,
     "How the rehearsal's cloud behaves; ignored by a run on AWS.", "{isolate: process, dud: 1%}"},
    LATER("provider", "aws or local."),
    LATER("user", "Login and default command user."),
    LATER("network", "auto, or VPC, subnets and security groups."),
    LATER("access", "Who may reach exposed ports."),
    LATER("placement", "none, cluster or spread."),
    LATER("iam_profile", "Instance profile of the nodes."),
    LATER("ssh_key", "Key pair for ssh."),
    LATER("controller", "Where the head of the run lives."),
    END,
};
#undef AT

const struct plan_section PLAN_FLEET = {"fleet", "where, market, lifetime, budget", fleet_keys,
                                        sizeof(struct raw_fleet)};

#define AT(field) offsetof(struct raw_instances, field)
static const struct plan_key instances_keys[] = {
    {"types", TYPE_TEXTS, KEY_HIDDEN, AT(types), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Types in order of preference.", "[c7g.large, c6g.large]"},
    {"vcpus", TYPE_INTS, 0, AT(vcpus), NULL, "any", 1, 1024, NULL, NULL, NULL,
     "Virtual CPUs: a number, a range, or a least value with +.", "4-8"},
    {"memory", TYPE_SIZES, 0, AT(memory), NULL, "any", 1, 0, NULL, NULL, NULL,
     "Memory: a size, a range, or a least value with +.", "16GiB+"},
    {"arch", TYPE_WORD, 0, AT(arch), NULL, "any", 0, 0, "any|x86_64|arm64", NULL, NULL,
     "Processor architecture.", "arm64"},
    {"exclude", TYPE_TEXTS, 0, AT(exclude), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Types that are not wanted; * stands for anything.", "[t*, *.metal]"},
    LATER("network", "Network bandwidth."),
    LATER("local_disk", "Local disks."),
    END,
};
#undef AT

const struct plan_section PLAN_INSTANCES = {"roles.NAME.instances",
                                            "what a role needs of a machine", instances_keys,
                                            sizeof(struct raw_instances)};

#define AT(field) offsetof(struct raw_service, field)
static const struct plan_key service_keys[] = {
    {"run", TYPE_TEXT, KEY_REQUIRED | KEY_NODE, AT(run), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "The command, run by sh; it stays in the foreground.", "nginx -g 'daemon off;'"},
    {"env", TYPE_PAIRS, KEY_NODE, AT(env), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Environment of the service, over that of the role.", "{HEAP: 4G}"},
    {"restart", TYPE_WORD, 0, AT(restart), "never", NULL, 0, 0, "never|on-failure|always", NULL,
     NULL, "What happens when it ends.", "always"},
    {"stop_timeout", TYPE_DURATION, 0, AT(stop_timeout), "10s", NULL, 0, HOUR, NULL, NULL, NULL,
     "Time between SIGTERM and SIGKILL when it is stopped.", "30s"},
    LATER("user", "User of the service."),
    LATER("cwd", "Working directory."),
    LATER("stop_signal", "Signal that stops it."),
    END,
};
#undef AT

const struct plan_section PLAN_SERVICE = {"roles.NAME.service",
                                          "a long-running command on every node of the role",
                                          service_keys, sizeof(struct raw_service)};

#define AT(field) offsetof(struct raw_ready, field)
static const struct plan_key ready_keys[] = {
    {"tcp", TYPE_INT, 0, AT(tcp), NULL, NULL, 1, 65535, NULL, NULL, NULL,
     "Ready when this port of the node accepts a connection.", "9042"},
    {"http", TYPE_TEXT, KEY_NODE, AT(http), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Ready when this URL answers with a status from 200 to 399, asked on the node.",
     "http://127.0.0.1/"},
    {"run", TYPE_TEXT, KEY_NODE, AT(run), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Ready when this command exits with 0.", "pgrep nginx"},
    {"every", TYPE_DURATION, 0, AT(every), "2s", NULL, 100 * NS_PER_MS, HOUR, NULL, NULL, NULL,
     "Time between tries.", "2s"},
    {"timeout", TYPE_DURATION, 0, AT(timeout), "5m", NULL, NS_PER_S, DAY, NULL, NULL, NULL,
     "Not ready by then: the node is a dud.", "2m"},
    END,
};
#undef AT

const struct plan_section PLAN_READY = {"roles.NAME.ready", "when the service of a role is up",
                                        ready_keys, sizeof(struct raw_ready)};

#define AT(field) offsetof(struct raw_role, field)
static const struct plan_key role_keys[] = {
    {"count", TYPE_INT, 0, AT(count), "1", NULL, 1, NODES_MAX, NULL, NULL, NULL, "Nodes wanted.",
     "20"},
    {"min", TYPE_COUNT, 0, AT(min), "100%", NULL, 0, 0, NULL, NULL, NULL,
     "Quorum: go on with so many. A share is rounded up.", "95%"},
    {"spare", TYPE_COUNT, 0, AT(spare), NULL, "0 below 20 nodes, else 2%", 0, 0, NULL, NULL, NULL,
     "Nodes launched beyond count and released after the roll call.", "1"},
    {"instances", TYPE_MAP, KEY_ALWAYS, AT(instances), NULL, "c7g.large, c6g.large, c7i.large", 0,
     0, NULL, &PLAN_INSTANCES, "types",
     "A list of types, the first that has capacity is used; or what a machine needs.",
     "[c7g.large, c6g.large]"},
    {"market", TYPE_WORD, 0, AT(market), NULL, "the fleet's", 0, 0, MARKETS, NULL, NULL,
     "How capacity of this role is bought.", "on-demand"},
    {"max_price", TYPE_PRICE, 0, AT(max_price), NULL, "the fleet's", 0, 0, NULL, NULL, NULL,
     "The most that a node of this role may cost per hour.", "$0.10"},
    {"image", TYPE_TEXT, 0, AT(image), NULL, "the fleet's", 0, 0, NULL, NULL, NULL,
     "Machine image of this role.", "ubuntu-24.04"},
    {"zones", TYPE_ZONES, 0, AT(zones), NULL, "the fleet's", 0, 0, NULL, NULL, NULL,
     "Availability zones of this role.", "[us-east-1a, us-east-1b]"},
    {"tags", TYPE_PAIRS, 0, AT(tags), NULL, "the fleet's", 0, 0, NULL, NULL, NULL,
     "Extra tags, beside the fleet's.", "{part: client}"},
    {"setup", TYPE_TEXT, KEY_NODE, AT(setup), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Script that runs once on every node, as root, before the service; its output is kept.",
     "apt-get install -y nginx"},
    {"env", TYPE_PAIRS, KEY_NODE, AT(env), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Environment of setup, service and commands.", "{THREADS: \"64\"}"},
    {"service", TYPE_MAP, 0, AT(service), NULL, NULL, 0, 0, NULL, &PLAN_SERVICE, "run",
     "A long-running command; a text alone is its run.", "{run: redis-server, restart: always}"},
    {"ready", TYPE_MAP, 0, AT(ready), NULL, "the process of the service lives", 0, 0, NULL,
     &PLAN_READY, NULL, "The service is up when this succeeds.", "{tcp: 9042, timeout: 10m}"},
    {"replace_after", TYPE_DURATION, 0, AT(replace_after), "2m", NULL, NS_PER_S, DAY, NULL, NULL,
     NULL,
     "A node that runs and says nothing for so long is a dud; its replacement is launched before "
     "it is ended.",
     "90s"},
    {"on_interrupt", TYPE_WORD, 0, AT(on_interrupt), "replace", NULL, 0, 0,
     "replace|continue|abort", NULL, NULL, "What follows a Spot notice or the loss of a node.",
     "continue"},
    LATER("user", "Login and default command user."),
    LATER("placement", "none, cluster or spread."),
    LATER("iam_profile", "Instance profile of the nodes."),
    LATER("disk", "Root volume."),
    LATER("ephemeral", "Local disks."),
    LATER("packages", "OS packages to install."),
    LATER("files", "Files to copy to the nodes."),
    LATER("same_as", "Another role whose settings are taken."),
    LATER("start", "Start services together or one by one."),
    LATER("depends_on", "Roles that must be ready first."),
    LATER("expose", "Ports to open."),
    LATER("interrupt_hook", "Command that runs at a Spot notice."),
    LATER("rehearse", "Keys for rehearsals only."),
    END,
};
#undef AT

const struct plan_section PLAN_ROLE = {"roles.NAME", "a group of equal nodes", role_keys,
                                       sizeof(struct raw_role)};

#define AT(field) offsetof(struct raw_expect, field)
static const struct plan_key expect_keys[] = {
    {"status", TYPE_INTS, 0, AT(status), NULL, "200-399", 100, 599, NULL, NULL, NULL,
     "Status codes that count as good: one or a range.", "201"},
    {"body", TYPE_TEXT, 0, AT(body), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Text that the body must contain.", "'\"ok\"'"},
    {"max_time", TYPE_DURATION, 0, AT(max_time), NULL, NULL, NS_PER_US, HOUR, NULL, NULL, NULL,
     "An answer that takes longer counts as an error.", "2s"},
    END,
};
#undef AT

const struct plan_section PLAN_EXPECT = {"phases[].http.expect",
                                         "what an answer must be to count as good", expect_keys,
                                         sizeof(struct raw_expect)};

#define METHOD(word, number)                                                                      \
    {                                                                                             \
        word, TYPE_TEXT, KEY_NODE,                                                                \
            offsetof(struct raw_request, method) + number * sizeof(struct str), NULL, NULL, 0, 0, \
            NULL, NULL, NULL, "Path (or URL) that is asked with this method.", "/cart"            \
    }
#define AT(field) offsetof(struct raw_request, field)
static const struct plan_key request_keys[] = {
    {"name", TYPE_NAME, KEY_REQUIRED | KEY_LABEL, AT(name), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Name in results and thresholds.", "buy"},
    METHOD("get", PLAN_GET),
    METHOD("post", PLAN_POST),
    METHOD("put", PLAN_PUT),
    METHOD("patch", PLAN_PATCH),
    METHOD("delete", PLAN_DELETE),
    METHOD("head", PLAN_HEAD),
    {"headers", TYPE_PAIRS, KEY_NODE, AT(headers), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Headers of this request, over those of the phase.", "{Content-Type: application/json}"},
    {"body", TYPE_TEXT, KEY_NODE, AT(body), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Body that is sent.", "'{\"sku\": 1}'"},
    {"expect", TYPE_MAP, KEY_ALWAYS, AT(expect), NULL, "the phase's", 0, 0, NULL, &PLAN_EXPECT,
     NULL, "What an answer must be to count as good.", "{status: 201}"},
    {"weight", TYPE_INT, 0, AT(weight), "1", NULL, 1, 1000000, NULL, NULL, NULL,
     "Share of this request among all: weight over the sum of weights.", "3"},
    LATER("body_file", "File with the body."),
    END,
};
#undef AT

const struct plan_section PLAN_REQUEST = {"phases[].http.requests[]", "one kind of request",
                                          request_keys, sizeof(struct raw_request)};

#define AT(field) offsetof(struct raw_stage, field)
static const struct plan_key stage_keys[] = {
    {"to", TYPE_RATE, 0, AT(to), NULL, NULL, 0, RATE_MAX, NULL, NULL, NULL,
     "Rate of the whole fleet at the end of the stage; the way there is even.", "2000/s"},
    {"over", TYPE_DURATION, 0, AT(over), NULL, NULL, 0, 7 * DAY, NULL, NULL, NULL,
     "Length of the way to `to`.", "5m"},
    {"hold", TYPE_DURATION, 0, AT(hold), NULL, NULL, NS_PER_MS, 7 * DAY, NULL, NULL, NULL,
     "Keep the rate for so long.", "10m"},
    END,
};
#undef AT

const struct plan_section PLAN_STAGE = {"phases[].http.stages[]", "one piece of the load's shape",
                                        stage_keys, sizeof(struct raw_stage)};

#define AT(field) offsetof(struct raw_http, field)
static const struct plan_key http_keys[] = {
    {"url", TYPE_TEXT, KEY_NODE, AT(url), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "The one address that is asked with GET; or write base and requests.",
     "\"http://${{ roles.web[0].private_ip }}:8080/\""},
    {"base", TYPE_TEXT, KEY_NODE, AT(base), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Scheme, host and port that the paths of requests are put behind.", "http://shop.example.com"},
    {"requests", TYPE_LIST, 0, AT(requests), NULL, NULL, 0, REQUESTS_MAX, NULL, &PLAN_REQUEST, NULL,
     "Kinds of requests, drawn by weight.", "[{name: home, get: /, weight: 8}]"},
    {"rate", TYPE_RATE, 0, AT(rate), NULL, NULL, 1, RATE_MAX, NULL, NULL, NULL,
     "Open loop: requests per second of the whole fleet, sent whether or not answers come.",
     "500/s"},
    {"stages", TYPE_LIST, 0, AT(stages), NULL, NULL, 0, 1000, NULL, &PLAN_STAGE, NULL,
     "Open loop: the rate over time, starting at 0/s.", "[{to: 2000/s, over: 1m}, {hold: 5m}]"},
    {"users", TYPE_INT, 0, AT(users), NULL, NULL, 1, 10000000, NULL, NULL, NULL,
     "Closed loop: users in the whole fleet, each waiting for its answer before the next request.",
     "200"},
    {"think", TYPE_DURATIONS, 0, AT(think), NULL, "0s", 0, HOUR, NULL, NULL, NULL,
     "Closed loop: pause between requests, drawn evenly from the range.", "500ms-2s"},
    {"connections", TYPE_INT, 0, AT(connections), "64", NULL, 1, 100000, NULL, NULL, NULL,
     "Open connections per node, at most.", "200"},
    {"timeout", TYPE_DURATION, 0, AT(timeout), "30s", NULL, NS_PER_MS, HOUR, NULL, NULL, NULL,
     "A request without an answer by then is an error.", "5s"},
    {"headers", TYPE_PAIRS, KEY_NODE, AT(headers), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Headers of every request.", "{Accept: text/html}"},
    {"expect", TYPE_MAP, KEY_ALWAYS, AT(expect), NULL, NULL, 0, 0, NULL, &PLAN_EXPECT, NULL,
     "What an answer must be to count as good.", "{status: 200-299}"},
    {"keepalive", TYPE_BOOL, 0, AT(keepalive), "true", NULL, 0, 0, NULL, NULL, NULL,
     "Use a connection for more than one request.", "false"},
    {"seed", TYPE_INT, 0, AT(seed), NULL, "from the run id", 0, 0, NULL, NULL, NULL,
     "Makes random choices repeat.", "42"},
    LATER("http_version", "1.1 or 2."),
    LATER("tls_verify", "Whether certificates are checked."),
    LATER("redirects", "Redirects to follow."),
    LATER("compression", "Whether compressed answers are asked for."),
    END,
};
#undef AT

const struct plan_section PLAN_HTTP = {"phases[].http", "load over HTTP by the built-in engine",
                                       http_keys, sizeof(struct raw_http)};

#define AT(field) offsetof(struct raw_phase, field)
static const struct plan_key phase_keys[] = {
    {"name", TYPE_NAME, KEY_REQUIRED | KEY_LABEL, AT(name), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Unique name; thresholds use it.", "ramp"},
    {"nodes", TYPE_NODESET, 0, AT(nodes), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Who takes part: a role, role:0-3,7, all, or several joined by +. Needed except for wait.",
     "client:0-3"},
    {"run", TYPE_TEXT, KEY_NODE, AT(run), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Command on every node, run by sh, all starting together.", "./load.sh"},
    {"http", TYPE_MAP, 0, AT(http), NULL, NULL, 0, 0, NULL, &PLAN_HTTP, NULL,
     "Load over HTTP by the built-in engine.", "{url: \"http://shop.example.com/\", rate: 500/s}"},
    {"wait", TYPE_DURATION, 0, AT(wait), NULL, NULL, NS_PER_MS, 7 * DAY, NULL, NULL, NULL,
     "Do nothing for so long.", "2m"},
    {"duration", TYPE_DURATION, 0, AT(duration), NULL,
     "http: from stages; run: until the command ends", NS_PER_MS, 7 * DAY, NULL, NULL, NULL,
     "Length of the phase; commands get SIGTERM then.", "10m"},
    {"timeout", TYPE_DURATION, 0, AT(timeout), NULL, "duration + 2m, else 1h", NS_PER_S, 14 * DAY,
     NULL, NULL, NULL, "Hard limit; a phase that takes longer has failed.", "40m"},
    {"warmup", TYPE_BOOL, 0, AT(warmup), "false", NULL, 0, 0, NULL, NULL, NULL,
     "Keep the phase out of statistics and thresholds.", "true"},
    {"on_fail", TYPE_WORD, 0, AT(on_fail), "abort", NULL, 0, 0, "abort|continue|ask", NULL, NULL,
     "What follows a failed phase; ask is abort where nobody can be asked.", "continue"},
    {"env", TYPE_PAIRS, KEY_NODE, AT(env), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Environment of this phase's commands, over that of the role.", "{MIX: read}"},
    {"collect", TYPE_TEXTS, 0, AT(collect), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Files to bring home after this phase, from its directory on the nodes.", "[\"out*.csv\"]"},
    LATER("download", "The built-in download engine."),
    LATER("tasks", "A list of independent tasks."),
    LATER("prompt", "Ask a person to continue."),
    LATER("repeat", "Trials of this phase."),
    LATER("matrix", "Run once for each combination of values."),
    LATER("rounds", "Rounds with growing numbers of nodes."),
    LATER("retry", "Attempts after a failure."),
    LATER("user", "User of the commands."),
    LATER("cwd", "Working directory of the commands."),
    LATER("barrier", "Which ends of the phase are common to all nodes."),
    LATER("background", "Whether the next phase starts at once."),
    LATER("parse", "How to read the output of a tool."),
    END,
};
#undef AT

const struct plan_section PLAN_PHASE = {"phases[]", "a step that its nodes start together",
                                        phase_keys, sizeof(struct raw_phase)};

#define AT(field) offsetof(struct raw_collect, field)
static const struct plan_key collect_keys[] = {
    {"nodes", TYPE_NODESET, KEY_REQUIRED, AT(nodes), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Whose files.", "db"},
    {"from", TYPE_TEXT, KEY_REQUIRED | KEY_NODE, AT(from), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Path on the node; * and ? match.", "/var/log/app/*.log"},
    {"to", TYPE_TEXT, 0, AT(to), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Subdirectory of the node's results.", "logs"},
    {"max", TYPE_SIZE, 0, AT(max), "100MiB", NULL, 1, 0, NULL, NULL, NULL, "The most per node.",
     "20MiB"},
    {"when", TYPE_WORD, 0, AT(when), "always", NULL, 0, 0, "always|fail", NULL, NULL,
     "Always, or only when the run has failed.", "fail"},
    END,
};
#undef AT

const struct plan_section PLAN_COLLECT = {"collect[]", "files to bring home", collect_keys,
                                          sizeof(struct raw_collect)};

#define OUTPUT(word, text)                                                                       \
    {                                                                                            \
#word, TYPE_BOOL, 0, offsetof(struct raw_outputs, word), "true", NULL, 0, 0, NULL, NULL, \
            NULL, text, "false"                                                                  \
    }
static const struct plan_key outputs_keys[] = {
    {"dir", TYPE_TEXT, 0, offsetof(struct raw_outputs, dir), "./results", NULL, 0, 0, NULL, NULL,
     NULL, "Folder in which the run's own folder is made.", "./results"},
    OUTPUT(html, "Write report.html."),
    OUTPUT(json, "Write result.json."),
    OUTPUT(csv, "Write timeline.csv and nodes.csv."),
    OUTPUT(junit, "Write junit.xml."),
    OUTPUT(hdr, "Write latency.hlog."),
    OUTPUT(events, "Write events.ndjson."),
    LATER("baseline", "Run to compare with."),
    LATER("s3", "Bucket for a copy of the results."),
    LATER("grafana", "Dashboard and annotations."),
    LATER("prometheus", "Metrics endpoint."),
    LATER("otlp", "OpenTelemetry endpoint."),
    LATER("github", "Step summary and annotations."),
    LATER("notify", "Webhook."),
    END,
};

const struct plan_section PLAN_OUTPUTS = {"outputs", "what is written", outputs_keys,
                                          sizeof(struct raw_outputs)};

#define AT(field) offsetof(struct raw_plan, field)
static const struct plan_key plan_keys[] = {
    {"dayfly", TYPE_INT, KEY_REQUIRED, AT(dayfly), NULL, NULL, 1, 1, NULL, NULL, NULL,
     "Version of this file's form.", "1"},
    {"name", TYPE_NAME, KEY_REQUIRED, AT(name), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Name of the test; names of the fleet and of results derive from it.", "shop-http"},
    {"description", TYPE_TEXT, 0, AT(description), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Shown in the report.", "How does the shop behave?"},
    {"vars", TYPE_PAIRS, 0, AT(vars), NULL, NULL, 0, 0, NULL, NULL, NULL,
     "Parameters of your own, used as ${{ vars.x }} and set by --set vars.x=...", "{peak: 500/s}"},
    {"fleet", TYPE_MAP, KEY_ALWAYS, AT(fleet), NULL, NULL, 0, 0, NULL, &PLAN_FLEET, NULL,
     "Where, market, lifetime, budget.", "{region: us-east-1, ttl: 1h, budget: $5}"},
    {"roles", TYPE_NAMED, KEY_REQUIRED, AT(roles), NULL, NULL, 0, ROLES_MAX, NULL, &PLAN_ROLE, NULL,
     "Groups of equal nodes.", "{load: {count: 20}}"},
    {"phases", TYPE_LIST, KEY_REQUIRED, AT(phases), NULL, NULL, 0, PHASES_MAX, NULL, &PLAN_PHASE,
     NULL, "What happens, in order; all nodes of a phase start together.",
     "[{name: settle, wait: 1m}]"},
    {"thresholds", TYPE_THRESHOLDS, 0, AT(thresholds), NULL, NULL, 0, THRESHOLDS_MAX, NULL, NULL,
     NULL,
     "Sentences that decide pass or fail: METRIC [of REQUEST] OP VALUE [in PHASE] [over WINDOW] "
     "[after DELAY] [, abort] [, warn]. METRIC: p50 to p99.9999, mean, max, service_p99, rate, "
     "errors, error_count, phase_time, lost_nodes, failed_nodes, cpu, cost.",
     "[p99 of buy < 800ms in ramp]"},
    {"collect", TYPE_LIST, 0, AT(collect), NULL, NULL, 0, 1000, NULL, &PLAN_COLLECT, NULL,
     "Files to bring home at the end.", "[{nodes: db, from: /var/log/db.log}]"},
    {"teardown", TYPE_WORD, 0, AT(teardown), "always", NULL, 0, 0, "always|on-pass|never", NULL,
     NULL, "Whether nodes are given back at the end, or kept until ttl.", "on-pass"},
    {"disturbed", TYPE_WORD, 0, AT(disturbed), "mark", NULL, 0, 0, "mark|fail|~repeat", NULL, NULL,
     "What an interruption in a measured phase does to the verdict.", "fail"},
    {"outputs", TYPE_MAP, KEY_ALWAYS, AT(outputs), NULL, NULL, 0, 0, NULL, &PLAN_OUTPUTS, NULL,
     "What is written.", "{dir: ./results}"},
    LATER("include", "Other files merged underneath this one."),
    LATER("checks", "What must hold before load."),
    LATER("chaos", "Faults on the timeline."),
    LATER("metrics", "Measurements of the nodes."),
    END,
};
#undef AT

const struct plan_section PLAN_SECTION = {"", "the plan file", plan_keys, sizeof(struct raw_plan)};

const struct plan_key *plan_key_find(const struct plan_section *section, struct str name,
                                     uint32_t *ret_index) {
    for (uint32_t i = 0; section->keys[i].name; i++) {
        must(i < 64);
        if (!str_equal(str_from(section->keys[i].name), name))
            continue;
        if (ret_index)
            *ret_index = i;
        return &section->keys[i];
    }
    return NULL;
}

const struct plan_key *plan_key_suggest(const struct plan_section *section, struct str word) {
    const struct plan_key *best = NULL;
    unsigned least = 1 + MAX(1u, MIN((unsigned)word.len / 3, 3u));
    for (const struct plan_key *key = section->keys; key->name; key++) {
        unsigned distance = str_distance(str_from(key->name), word);
        if (distance < least && !(key->flags & KEY_HIDDEN)) {
            least = distance;
            best = key;
        }
    }
    return best;
}

const struct plan_key *plan_key_at(struct str path, const struct plan_section **ret_section) {
    const struct plan_section *section = &PLAN_SECTION, *inside = NULL;
    const struct plan_key *key = NULL;
    bool items = false; /* the next part may be the name or number of an item */
    struct str part;
    while (str_split(&path, '.', &part)) {
        if (str_ends_with(part, STR("[]")))
            part.len -= 2;
        const struct plan_key *next = section ? plan_key_find(section, part, NULL) : NULL;
        if (!next && items && part.len && path.ptr) {
            items = false;
            continue;
        }
        if (!next)
            return NULL;
        key = next;
        inside = section;
        section = key->section;
        items = key->type == TYPE_NAMED || key->type == TYPE_LIST;
    }
    if (key && ret_section)
        *ret_section = inside;
    return key;
}

static uint64_t key_bit(const struct plan_section *section, const char *name) {
    uint32_t index = 0;
    must(plan_key_find(section, str_from(name), &index) != NULL);
    return UINT64_C(1) << index;
}

bool raw_has(const struct plan_section *section, const struct raw_head *head, const char *name) {
    return (head->present & key_bit(section, name)) != 0;
}

bool raw_is_bad(const struct plan_section *section, const struct raw_head *head, const char *name) {
    return (head->bad & key_bit(section, name)) != 0;
}

void raw_mark(const struct plan_section *section, struct raw_head *head, const char *name) {
    head->present |= key_bit(section, name);
}
