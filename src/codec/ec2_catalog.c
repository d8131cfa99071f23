#include "codec/ec2_tables.h"

/* --- DescribeRegions --- */

FIELDS(ec2_describe_regions_in_fields, ec2_describe_regions_in,
       STRS_F(ec2_describe_regions_in, names, "RegionName", NULL),
       BOOL_F(ec2_describe_regions_in, all_regions, "AllRegions", NULL),
       FILTERS_F(ec2_describe_regions_in));

FIELDS_STATIC(region_fields, ec2_region, STR_F(ec2_region, opt_in_status, NULL, "optInStatus"),
              STR_F(ec2_region, name, NULL, "regionName"),
              STR_F(ec2_region, endpoint, NULL, "regionEndpoint"));

FIELDS(ec2_describe_regions_out_fields, ec2_describe_regions_out,
       LIST_OUT(ec2_describe_regions_out, regions, ec2_regions, "regionInfo", region_fields));

/* --- DescribeAvailabilityZones --- */

FIELDS(ec2_describe_availability_zones_in_fields, ec2_describe_availability_zones_in,
       STRS_F(ec2_describe_availability_zones_in, names, "ZoneName", NULL),
       STRS_F(ec2_describe_availability_zones_in, ids, "ZoneId", NULL),
       BOOL_F(ec2_describe_availability_zones_in, all_zones, "AllAvailabilityZones", NULL),
       FILTERS_F(ec2_describe_availability_zones_in));

FIELDS_STATIC(zone_fields, ec2_zone, STR_F(ec2_zone, opt_in_status, NULL, "optInStatus"),
              STR_F(ec2_zone, region, NULL, "regionName"), STR_F(ec2_zone, name, NULL, "zoneName"),
              STR_F(ec2_zone, id, NULL, "zoneId"), STR_F(ec2_zone, group, NULL, "groupName"),
              STR_F(ec2_zone, border_group, NULL, "networkBorderGroup"),
              STR_F(ec2_zone, type, NULL, "zoneType"), STR_F(ec2_zone, state, NULL, "zoneState"));

FIELDS(ec2_describe_availability_zones_out_fields, ec2_describe_availability_zones_out,
       LIST_OUT(ec2_describe_availability_zones_out, zones, ec2_zones, "availabilityZoneInfo",
                zone_fields));

/* --- DescribeImages --- */

FIELDS(ec2_describe_images_in_fields, ec2_describe_images_in,
       STRS_F(ec2_describe_images_in, executable_by, "ExecutableBy", NULL),
       STRS_F(ec2_describe_images_in, ids, "ImageId", NULL),
       STRS_F(ec2_describe_images_in, owners, "Owner", NULL),
       BOOL_F(ec2_describe_images_in, include_deprecated, "IncludeDeprecated", NULL),
       BOOL_F(ec2_describe_images_in, include_disabled, "IncludeDisabled", NULL),
       PAGING_F(ec2_describe_images_in), FILTERS_F(ec2_describe_images_in));

FIELDS_STATIC(image_ebs_fields, ec2_image_disk,
              FLAG_F(ec2_image_disk, delete_on_termination, NULL, "deleteOnTermination"),
              STR_F(ec2_image_disk, snapshot_id, NULL, "snapshotId"),
              INT_F(ec2_image_disk, size_gib, NULL, "volumeSize"),
              STR_F(ec2_image_disk, volume_type, NULL, "volumeType"),
              FLAG_F(ec2_image_disk, encrypted, NULL, "encrypted"));

FIELDS_STATIC(image_disk_fields, ec2_image_disk,
              STR_F(ec2_image_disk, device_name, NULL, "deviceName"),
              STR_F(ec2_image_disk, virtual_name, NULL, "virtualName"),
              NEST_F(NULL, "ebs", image_ebs_fields));

FIELDS_STATIC(
    image_fields, ec2_image, STR_F(ec2_image, id, NULL, "imageId"),
    STR_F(ec2_image, name, NULL, "name"), STR_F(ec2_image, description, NULL, "description"),
    STR_F(ec2_image, location, NULL, "imageLocation"), STR_F(ec2_image, state, NULL, "imageState"),
    STR_F(ec2_image, owner_id, NULL, "imageOwnerId"),
    STR_F(ec2_image, owner_alias, NULL, "imageOwnerAlias"),
    STR_F(ec2_image, architecture, NULL, "architecture"), STR_F(ec2_image, type, NULL, "imageType"),
    STR_F(ec2_image, platform, NULL, "platform"),
    STR_F(ec2_image, platform_details, NULL, "platformDetails"),
    STR_F(ec2_image, creation_date, NULL, "creationDate"),
    STR_F(ec2_image, deprecation_time, NULL, "deprecationTime"),
    STR_F(ec2_image, root_device_name, NULL, "rootDeviceName"),
    STR_F(ec2_image, root_device_type, NULL, "rootDeviceType"),
    STR_F(ec2_image, virtualization, NULL, "virtualizationType"),
    STR_F(ec2_image, hypervisor, NULL, "hypervisor"), STR_F(ec2_image, boot_mode, NULL, "bootMode"),
    STR_F(ec2_image, imds_support, NULL, "imdsSupport"),
    BOOL_F(ec2_image, is_public, NULL, "isPublic"),
    FLAG_F(ec2_image, ena_support, NULL, "enaSupport"),
    LIST_F(ec2_image, disks, ec2_image_disks, NULL, "blockDeviceMapping", image_disk_fields),
    TAG_SET_OUT(ec2_image));

FIELDS(ec2_describe_images_out_fields, ec2_describe_images_out,
       LIST_OUT(ec2_describe_images_out, images, ec2_images, "imagesSet", image_fields),
       NEXT_TOKEN_OUT(ec2_describe_images_out));

/* --- DescribeInstanceTypes --- */

FIELDS(ec2_describe_instance_types_in_fields, ec2_describe_instance_types_in,
       STRS_F(ec2_describe_instance_types_in, types, "InstanceType", NULL),
       FILTERS_F(ec2_describe_instance_types_in), PAGING_F(ec2_describe_instance_types_in));

FIELDS_STATIC(processor_fields, ec2_instance_type,
              STRS_F(ec2_instance_type, processor.architectures, NULL, "supportedArchitectures"),
              MICRO_F(ec2_instance_type, processor.clock_ghz_micro, NULL,
                      "sustainedClockSpeedInGhz"),
              STR_F(ec2_instance_type, processor.manufacturer, NULL, "manufacturer"));
FIELDS_STATIC(vcpu_fields, ec2_instance_type,
              INT_F(ec2_instance_type, vcpu.vcpus, NULL, "defaultVCpus"),
              INT_F(ec2_instance_type, vcpu.cores, NULL, "defaultCores"),
              INT_F(ec2_instance_type, vcpu.threads_per_core, NULL, "defaultThreadsPerCore"));
FIELDS_STATIC(memory_fields, ec2_instance_type,
              INT_F(ec2_instance_type, memory.size_mib, NULL, "sizeInMiB"));

FIELDS_STATIC(storage_disk_fields, ec2_storage_disk,
              INT_F(ec2_storage_disk, size_gb, NULL, "sizeInGB"),
              INT_F(ec2_storage_disk, count, NULL, "count"),
              STR_F(ec2_storage_disk, type, NULL, "type"));
FIELDS_STATIC(storage_fields, ec2_instance_type,
              INT_F(ec2_instance_type, storage.total_gb, NULL, "totalSizeInGB"),
              LIST_F(ec2_instance_type, storage.disks, ec2_storage_disks, NULL, "disks",
                     storage_disk_fields),
              STR_F(ec2_instance_type, storage.nvme_support, NULL, "nvmeSupport"));

FIELDS_STATIC(ebs_fields, ec2_instance_type,
              STR_F(ec2_instance_type, ebs.optimized_support, NULL, "ebsOptimizedSupport"),
              STR_F(ec2_instance_type, ebs.encryption_support, NULL, "encryptionSupport"),
              STR_F(ec2_instance_type, ebs.nvme_support, NULL, "nvmeSupport"));

FIELDS_STATIC(network_card_fields, ec2_network_card,
              INT_F(ec2_network_card, index, NULL, "networkCardIndex"),
              STR_F(ec2_network_card, performance, NULL, "networkPerformance"),
              INT_F(ec2_network_card, interfaces_max, NULL, "maximumNetworkInterfaces"),
              MICRO_F(ec2_network_card, baseline_gbps_micro, NULL, "baselineBandwidthInGbps"),
              MICRO_F(ec2_network_card, peak_gbps_micro, NULL, "peakBandwidthInGbps"));
FIELDS_STATIC(network_fields, ec2_instance_type,
              STR_F(ec2_instance_type, network.performance, NULL, "networkPerformance"),
              INT_F(ec2_instance_type, network.interfaces_max, NULL, "maximumNetworkInterfaces"),
              INT_F(ec2_instance_type, network.cards_max, NULL, "maximumNetworkCards"),
              LIST_F(ec2_instance_type, network.cards, ec2_network_cards, NULL, "networkCards",
                     network_card_fields),
              INT_F(ec2_instance_type, network.ipv4_per_interface, NULL,
                    "ipv4AddressesPerInterface"),
              INT_F(ec2_instance_type, network.ipv6_per_interface, NULL,
                    "ipv6AddressesPerInterface"),
              BOOL_F(ec2_instance_type, network.ipv6_supported, NULL, "ipv6Supported"),
              STR_F(ec2_instance_type, network.ena_support, NULL, "enaSupport"),
              BOOL_F(ec2_instance_type, network.efa_supported, NULL, "efaSupported"));

FIELDS_STATIC(gpu_memory_fields, ec2_gpu, INT_F(ec2_gpu, memory_mib, NULL, "sizeInMiB"));
FIELDS_STATIC(gpu_item_fields, ec2_gpu, STR_F(ec2_gpu, name, NULL, "name"),
              STR_F(ec2_gpu, manufacturer, NULL, "manufacturer"),
              INT_F(ec2_gpu, count, NULL, "count"), NEST_F(NULL, "memoryInfo", gpu_memory_fields));
FIELDS_STATIC(gpu_fields, ec2_instance_type,
              LIST_F(ec2_instance_type, gpu.gpus, ec2_gpus, NULL, "gpus", gpu_item_fields),
              INT_F(ec2_instance_type, gpu.total_memory_mib, NULL, "totalGpuMemoryInMiB"));
FIELDS_STATIC(placement_group_fields, ec2_instance_type,
              STRS_F(ec2_instance_type, placement_groups.strategies, NULL, "supportedStrategies"));

FIELDS_STATIC(instance_type_fields, ec2_instance_type,
              STR_F(ec2_instance_type, name, NULL, "instanceType"),
              BOOL_F(ec2_instance_type, current_generation, NULL, "currentGeneration"),
              BOOL_F(ec2_instance_type, free_tier, NULL, "freeTierEligible"),
              STRS_F(ec2_instance_type, usage_classes, NULL, "supportedUsageClasses"),
              STRS_F(ec2_instance_type, root_device_types, NULL, "supportedRootDeviceTypes"),
              STRS_F(ec2_instance_type, virtualization_types, NULL, "supportedVirtualizationTypes"),
              BOOL_F(ec2_instance_type, bare_metal, NULL, "bareMetal"),
              STR_F(ec2_instance_type, hypervisor, NULL, "hypervisor"),
              NEST_F(NULL, "processorInfo", processor_fields),
              NEST_F(NULL, "vCpuInfo", vcpu_fields), NEST_F(NULL, "memoryInfo", memory_fields),
              BOOL_F(ec2_instance_type, storage_supported, NULL, "instanceStorageSupported"),
              NEST_F(NULL, "instanceStorageInfo", storage_fields),
              NEST_F(NULL, "ebsInfo", ebs_fields), NEST_F(NULL, "networkInfo", network_fields),
              NEST_F(NULL, "gpuInfo", gpu_fields),
              NEST_F(NULL, "placementGroupInfo", placement_group_fields),
              BOOL_F(ec2_instance_type, hibernation, NULL, "hibernationSupported"),
              BOOL_F(ec2_instance_type, burstable, NULL, "burstablePerformanceSupported"),
              BOOL_F(ec2_instance_type, dedicated_hosts, NULL, "dedicatedHostsSupported"),
              BOOL_F(ec2_instance_type, auto_recovery, NULL, "autoRecoverySupported"),
              STRS_F(ec2_instance_type, boot_modes, NULL, "supportedBootModes"));

FIELDS(ec2_describe_instance_types_out_fields, ec2_describe_instance_types_out,
       LIST_OUT(ec2_describe_instance_types_out, types, ec2_instance_types, "instanceTypeSet",
                instance_type_fields),
       NEXT_TOKEN_OUT(ec2_describe_instance_types_out));

/* --- DescribeInstanceTypeOfferings --- */

FIELDS(ec2_describe_instance_type_offerings_in_fields, ec2_describe_instance_type_offerings_in,
       STR_F(ec2_describe_instance_type_offerings_in, location_type, "LocationType", NULL),
       FILTERS_F(ec2_describe_instance_type_offerings_in),
       PAGING_F(ec2_describe_instance_type_offerings_in));

FIELDS_STATIC(offering_fields, ec2_offering,
              STR_F(ec2_offering, instance_type, NULL, "instanceType"),
              STR_F(ec2_offering, location_type, NULL, "locationType"),
              STR_F(ec2_offering, location, NULL, "location"));

FIELDS(ec2_describe_instance_type_offerings_out_fields, ec2_describe_instance_type_offerings_out,
       LIST_OUT(ec2_describe_instance_type_offerings_out, offerings, ec2_offerings,
                "instanceTypeOfferingSet", offering_fields),
       NEXT_TOKEN_OUT(ec2_describe_instance_type_offerings_out));

/* --- DescribeSpotPriceHistory --- */

FIELDS(ec2_describe_spot_price_history_in_fields, ec2_describe_spot_price_history_in,
       STR_F(ec2_describe_spot_price_history_in, zone_id, "AvailabilityZoneId", NULL),
       TIME_F(ec2_describe_spot_price_history_in, start_unix_ms, "StartTime", NULL),
       TIME_F(ec2_describe_spot_price_history_in, end_unix_ms, "EndTime", NULL),
       STRS_F(ec2_describe_spot_price_history_in, instance_types, "InstanceType", NULL),
       STRS_F(ec2_describe_spot_price_history_in, products, "ProductDescription", NULL),
       FILTERS_F(ec2_describe_spot_price_history_in),
       STR_F(ec2_describe_spot_price_history_in, zone, "AvailabilityZone", NULL),
       PAGING_F(ec2_describe_spot_price_history_in));

FIELDS_STATIC(spot_price_fields, ec2_spot_price,
              STR_F(ec2_spot_price, zone, NULL, "availabilityZone"),
              STR_F(ec2_spot_price, zone_id, NULL, "availabilityZoneId"),
              STR_F(ec2_spot_price, instance_type, NULL, "instanceType"),
              STR_F(ec2_spot_price, product, NULL, "productDescription"),
              PRICE_F(ec2_spot_price, price_usd_micro, "spotPrice"),
              TIME_F(ec2_spot_price, since_unix_ms, NULL, "timestamp"));

FIELDS(ec2_describe_spot_price_history_out_fields, ec2_describe_spot_price_history_out,
       LIST_OUT(ec2_describe_spot_price_history_out, prices, ec2_spot_prices, "spotPriceHistorySet",
                spot_price_fields),
       NEXT_TOKEN_OUT(ec2_describe_spot_price_history_out));
