/* ec2_catalog.h - what a region offers: regions, zones, images, instance types, Spot prices.
 *
 * Each call has `struct ec2_<call>_in` (parameters) and `struct ec2_<call>_out` (reply).
 * Absence is described in ec2_common.h.  Wire names: ec2_catalog.c.
 */
#ifndef EC2_CATALOG_H
#define EC2_CATALOG_H

#include "codec/ec2_common.h"

struct ec2_describe_regions_in {
    struct ec2_strs names;
    bool all_regions;
    struct ec2_filters filters;
};
struct ec2_region {
    struct str name;
    struct str endpoint;
    struct str opt_in_status; /* "opt-in-not-required", ... */
};
EC2_LIST_OF(ec2_regions, struct ec2_region);
struct ec2_describe_regions_out {
    struct ec2_regions regions;
};

struct ec2_describe_availability_zones_in {
    struct ec2_strs names;
    struct ec2_strs ids;
    bool all_zones;
    struct ec2_filters filters;
};
struct ec2_zone {
    struct str name;   /* us-east-1a */
    struct str id;     /* use1-az6: the same place in every account */
    struct str region; /* us-east-1 */
    struct str state;  /* "available", ... */
    struct str type;   /* "availability-zone", "local-zone", ... */
    struct str group;  /* us-east-1 */
    struct str border_group;
    struct str opt_in_status;
};
EC2_LIST_OF(ec2_zones, struct ec2_zone);
struct ec2_describe_availability_zones_out {
    struct ec2_zones zones;
};

struct ec2_describe_images_in {
    struct ec2_strs ids;
    struct ec2_strs owners;
    struct ec2_strs executable_by;
    struct ec2_filters filters;
    bool include_deprecated;
    bool include_disabled;
    int64_t max_results;
    struct str next_token;
};
struct ec2_image_disk {
    struct str device_name;
    struct str virtual_name;
    struct str snapshot_id;
    int64_t size_gib;
    struct str volume_type;
    enum ec2_flag delete_on_termination;
    enum ec2_flag encrypted;
};
EC2_LIST_OF(ec2_image_disks, struct ec2_image_disk);
struct ec2_image {
    struct str id;
    struct str name;
    struct str description;
    struct str location;
    struct str state; /* "available", "pending", ... */
    struct str owner_id;
    struct str owner_alias;  /* "amazon" */
    struct str architecture; /* "x86_64", "arm64" */
    struct str type;         /* "machine" */
    struct str platform;     /* "Windows", or absent */
    struct str platform_details;
    struct str creation_date; /* text on the wire: "2026-11-20T16:08:03.000Z" */
    struct str deprecation_time;
    struct str root_device_name;
    struct str root_device_type;
    struct str virtualization;
    struct str hypervisor;
    struct str boot_mode;
    struct str imds_support; /* "v2.0", or absent */
    bool is_public;
    enum ec2_flag ena_support;
    struct ec2_image_disks disks;
    struct ec2_tags tags;
};
EC2_LIST_OF(ec2_images, struct ec2_image);
struct ec2_describe_images_out {
    struct ec2_images images;
    struct str next_token;
};

struct ec2_describe_instance_types_in {
    struct ec2_strs types;
    struct ec2_filters filters;
    int64_t max_results; /* 5..100 */
    struct str next_token;
};
struct ec2_network_card {
    int64_t index;
    struct str performance;
    int64_t interfaces_max;
    int64_t baseline_gbps_micro;
    int64_t peak_gbps_micro;
};
EC2_LIST_OF(ec2_network_cards, struct ec2_network_card);
struct ec2_gpu {
    struct str name;
    struct str manufacturer;
    int64_t count;
    int64_t memory_mib;
};
EC2_LIST_OF(ec2_gpus, struct ec2_gpu);
struct ec2_storage_disk {
    int64_t size_gb;
    int64_t count;
    struct str type; /* "ssd", "hdd" */
};
EC2_LIST_OF(ec2_storage_disks, struct ec2_storage_disk);
struct ec2_instance_type {
    struct str name;
    bool current_generation;
    bool free_tier;
    bool bare_metal;
    struct ec2_strs usage_classes; /* "on-demand", "spot" */
    struct ec2_strs root_device_types;
    struct ec2_strs virtualization_types;
    struct str hypervisor; /* "nitro", "xen", or absent */
    struct {
        struct ec2_strs architectures;
        int64_t clock_ghz_micro;
        struct str manufacturer;
    } processor;
    struct {
        int64_t vcpus;
        int64_t cores;
        int64_t threads_per_core;
    } vcpu;
    struct {
        int64_t size_mib;
    } memory;
    bool storage_supported;
    struct {
        int64_t total_gb;
        struct ec2_storage_disks disks;
        struct str nvme_support;
    } storage;
    struct {
        struct str optimized_support;
        struct str encryption_support;
        struct str nvme_support;
    } ebs;
    struct {
        struct str performance; /* "Up to 10 Gigabit" */
        int64_t interfaces_max;
        int64_t cards_max;
        struct ec2_network_cards cards;
        int64_t ipv4_per_interface;
        int64_t ipv6_per_interface;
        bool ipv6_supported;
        struct str ena_support;
        bool efa_supported;
    } network;
    struct {
        struct ec2_gpus gpus;
        int64_t total_memory_mib;
    } gpu;
    struct {
        struct ec2_strs strategies;
    } placement_groups;
    bool hibernation;
    bool burstable;
    bool dedicated_hosts;
    bool auto_recovery;
    struct ec2_strs boot_modes;
};
EC2_LIST_OF(ec2_instance_types, struct ec2_instance_type);
struct ec2_describe_instance_types_out {
    struct ec2_instance_types types;
    struct str next_token;
};

struct ec2_describe_instance_type_offerings_in {
    struct str location_type; /* "region" (default), "availability-zone", "availability-zone-id" */
    struct ec2_filters filters;
    int64_t max_results; /* 5..1000 */
    struct str next_token;
};
struct ec2_offering {
    struct str instance_type;
    struct str location_type;
    struct str location;
};
EC2_LIST_OF(ec2_offerings, struct ec2_offering);
struct ec2_describe_instance_type_offerings_out {
    struct ec2_offerings offerings;
    struct str next_token;
};

struct ec2_describe_spot_price_history_in {
    struct ec2_strs instance_types;
    struct ec2_strs products; /* "Linux/UNIX", ... */
    struct str zone;
    struct str zone_id;
    int64_t start_unix_ms;
    int64_t end_unix_ms;
    struct ec2_filters filters;
    int64_t max_results;
    struct str next_token;
};
struct ec2_spot_price {
    struct str zone;
    struct str zone_id;
    struct str instance_type;
    struct str product;
    int64_t price_usd_micro; /* per hour; "0.035200" on the wire */
    int64_t since_unix_ms;   /* one entry per change */
};
EC2_LIST_OF(ec2_spot_prices, struct ec2_spot_price);
struct ec2_describe_spot_price_history_out {
    struct ec2_spot_prices prices;
    struct str next_token;
};

#endif
