/* host.h - what this machine is and how busy it is, from /proc. */
#ifndef HOST_H
#define HOST_H

#include "base/base.h"
#include "codec/wire.h"

struct host_facts {
    char arch[32], kernel[128], boot_id[64];
    uint32_t cpus; /* that we may run on */
    uint64_t memory_bytes;
};

struct host {
    uint64_t at_ns;                               /* of the last sample */
    uint64_t busy, steal, total;                  /* ticks of all CPUs then */
    uint64_t net_received, net_sent, retransmits; /* at the start */
    bool started;
};

void host_read_facts(struct host_facts *ret_facts);
/* Fill the sample since the last one (the first one is since boot for shares, 0 for counters).
 * What cannot be read stays 0. */
void host_sample(struct host *h, uint64_t now_ns, struct wire_heartbeat *ret_heartbeat);

/* Parts of host_sample, for tests. */
struct host_numbers {
    uint64_t busy, steal, total;
    uint64_t memory_total, memory_used;
    uint64_t net_received, net_sent;
    uint64_t retransmits;
};
void host_parse_stat(struct str text, struct host_numbers *n);    /* /proc/stat */
void host_parse_meminfo(struct str text, struct host_numbers *n); /* /proc/meminfo */
void host_parse_net(struct str text, struct host_numbers *n);     /* /proc/net/dev; not lo */
void host_parse_snmp(struct str text, struct host_numbers *n);    /* /proc/net/snmp */

#endif
