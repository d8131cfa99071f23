#include "node/host.h"

#include <sched.h>
#include <sys/utsname.h>

#include "base/units.h"
#include "os/file.h"

#define HOST_PROC_BYTES_MAX (1024 * 1024) /* the interrupt line of /proc/stat grows with CPUs */

static bool host_word(struct str *line, struct str *ret_word) {
    while (line->len > 0 && (line->ptr[0] == ' ' || line->ptr[0] == '\t'))
        *line = str_skip(*line, 1);
    size_t end = 0;
    while (end < line->len && line->ptr[end] != ' ' && line->ptr[end] != '\t')
        end++;
    *ret_word = str_slice(*line, 0, end);
    *line = str_skip(*line, end);
    return end > 0;
}

static uint64_t host_number(struct str *line) {
    struct str word;
    uint64_t value = 0;
    if (host_word(line, &word) && units_u64(word, &value, NULL) < 0)
        value = 0;
    return value;
}

/* cpu  user nice system idle iowait irq softirq steal guest guest_nice; guests are in user. */
void host_parse_stat(struct str text, struct host_numbers *n) {
    struct str line, word;
    if (!str_line(&text, &line) || !host_word(&line, &word) || !str_equal(word, STR("cpu")))
        return;
    uint64_t ticks[8];
    n->total = 0;
    for (size_t i = 0; i < ARRAY_LEN(ticks); i++) {
        ticks[i] = host_number(&line);
        n->total += ticks[i];
    }
    n->steal = ticks[7];
    n->busy = n->total - ticks[3] - ticks[4] - ticks[7];
}

void host_parse_meminfo(struct str text, struct host_numbers *n) {
    struct str line, word;
    uint64_t available = 0;
    while (str_line(&text, &line)) {
        ignore(!host_word(&line, &word)); /* an empty line is none of ours */
        if (str_equal(word, STR("MemTotal:")))
            n->memory_total = host_number(&line) * KIB;
        else if (str_equal(word, STR("MemAvailable:")))
            available = host_number(&line) * KIB;
    }
    n->memory_used = n->memory_total - MIN(available, n->memory_total);
}

void host_parse_net(struct str text, struct host_numbers *n) {
    struct str line;
    n->net_received = n->net_sent = 0;
    while (str_line(&text, &line)) {
        size_t colon = str_index_of(line, ':');
        struct str name = str_trim(str_slice(line, 0, colon));
        if (colon == line.len || str_equal(name, STR("lo")))
            continue;
        struct str rest = str_skip(line, colon + 1);
        n->net_received += host_number(&rest);
        for (int i = 0; i < 7; i++)
            ignore(host_number(&rest) == 0); /* packets, errors ... of the receiving side */
        n->net_sent += host_number(&rest);
    }
}

/* Two lines a protocol: names, then numbers in the same order. */
void host_parse_snmp(struct str text, struct host_numbers *n) {
    struct str names, numbers, name;
    while (str_line(&text, &names) && str_line(&text, &numbers)) {
        if (!str_starts_with(names, STR("Tcp:")))
            continue;
        ignore(!host_word(&names, &name));   /* "Tcp:" in both */
        ignore(!host_word(&numbers, &name)); /* dito */
        while (host_word(&names, &name)) {
            uint64_t value = host_number(&numbers);
            if (str_equal(name, STR("RetransSegs")))
                n->retransmits = value;
        }
    }
}

static void host_read(const char *path, struct buf *text,
                      void (*parse)(struct str text, struct host_numbers *n),
                      struct host_numbers *n) {
    buf_reset(text);
    if (file_read(path, text, NULL) == 0)
        parse(buf_str(text), n);
}

void host_read_facts(struct host_facts *ret_facts) {
    struct host_facts facts = {0};
    struct utsname name;
    cpu_set_t cpus;
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(HOST_PROC_BYTES_MAX);
    if (uname(&name) == 0) {
        str_copy(facts.arch, sizeof facts.arch, str_from(name.machine));
        str_copy(facts.kernel, sizeof facts.kernel, str_from(name.release));
    }
    facts.cpus = sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? (uint32_t)CPU_COUNT(&cpus) : 1;
    if (file_read("/proc/sys/kernel/random/boot_id", &text, NULL) == 0)
        str_copy(facts.boot_id, sizeof facts.boot_id, str_trim(buf_str(&text)));
    struct host_numbers numbers = {0};
    host_read("/proc/meminfo", &text, host_parse_meminfo, &numbers);
    facts.memory_bytes = numbers.memory_total;
    *ret_facts = facts;
}

static uint32_t host_share_ppm(uint64_t part, uint64_t whole) {
    if (whole == 0)
        return 0;
    return (uint32_t)MIN(part * 1000000 / whole, UINT64_C(1000000));
}

static uint64_t host_since(uint64_t now, uint64_t then) {
    return now > then ? now - then : 0;
}

void host_sample(struct host *h, uint64_t now_ns, struct wire_heartbeat *ret_heartbeat) {
    struct host_numbers n = {0};
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(HOST_PROC_BYTES_MAX);
    host_read("/proc/stat", &text, host_parse_stat, &n);
    host_read("/proc/meminfo", &text, host_parse_meminfo, &n);
    host_read("/proc/net/dev", &text, host_parse_net, &n);
    host_read("/proc/net/snmp", &text, host_parse_snmp, &n);
    if (!h->started) {
        h->net_received = n.net_received;
        h->net_sent = n.net_sent;
        h->retransmits = n.retransmits;
    }
    uint64_t total = host_since(n.total, h->total);
    *ret_heartbeat =
        (struct wire_heartbeat){.node_ns = now_ns,
                                .interval_ns = h->started ? host_since(now_ns, h->at_ns) : 0,
                                .cpu_ppm = host_share_ppm(host_since(n.busy, h->busy), total),
                                .steal_ppm = host_share_ppm(host_since(n.steal, h->steal), total),
                                .memory_used_bytes = n.memory_used,
                                .memory_total_bytes = n.memory_total,
                                .net_received_bytes = host_since(n.net_received, h->net_received),
                                .net_sent_bytes = host_since(n.net_sent, h->net_sent),
                                .tcp_retransmits = host_since(n.retransmits, h->retransmits)};
    h->at_ns = now_ns;
    h->busy = n.busy;
    h->steal = n.steal;
    h->total = n.total;
    h->started = true;
}
