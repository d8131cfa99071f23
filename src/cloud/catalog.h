/* catalog.h - instance types with their prices, regions and images: facts, as tables.
 *
 * catalog_data.c is written by script/make-catalog from published facts (on-demand Linux prices of
 * us-east-1, vCPU, memory and network as DescribeInstanceTypes reports them, mean spot saving and
 * reclaim class of the spot advisor; c6g and m6in from the tables of the EC2 user guide).  Sorted
 * by name.
 *
 * Tests: test/unit/test_catalog.c
 */
#ifndef CLOUD_CATALOG_H
#define CLOUD_CATALOG_H

#include "base/base.h"
#include "base/str.h"

enum catalog_arch { CATALOG_X86_64, CATALOG_ARM64 };

struct catalog_type {
    const char *name; /* "c7g.large" */
    enum catalog_arch arch;
    uint32_t vcpus;
    uint32_t cores;
    uint32_t memory_mib;
    uint32_t clock_mhz;  /* sustained; 0: not published */
    uint32_t storage_gb; /* instance store; 0: none */
    uint32_t network_mbps_base;
    uint32_t network_mbps_peak;
    const char *network;          /* "Up to 12.5 Gigabit" */
    uint32_t on_demand_usd_micro; /* per hour, Linux, us-east-1 */
    uint8_t spot_saving_percent;  /* mean, against on-demand */
    uint8_t reclaim_class;        /* 0: < 5 % a month ... 4: > 20 % */
    bool bare_metal;
    bool burstable;
    bool current_generation;
};

extern const struct catalog_type catalog_types[];
extern const size_t catalog_type_count;

/* The type of this name, or NULL. */
const struct catalog_type *catalog_find(struct str name);
const char *catalog_arch_name(enum catalog_arch arch); /* "x86_64", "arm64" */

struct catalog_region {
    const char *name;         /* "us-east-1" */
    const char *zone_letters; /* "abcdef" */
    const char *zone_id;      /* "use1": zone ids are use1-az1, ... */
};
extern const struct catalog_region catalog_regions[];
extern const size_t catalog_region_count;
const struct catalog_region *catalog_region_find(struct str name);

#endif
