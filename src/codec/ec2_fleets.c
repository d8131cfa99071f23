#include "codec/ec2_tables.h"

/* --- what a fleet may be made of --- */

FIELDS_STATIC(range_fields, ec2_range, OPT_F(ec2_range, min, "Min", "min"),
              OPT_F(ec2_range, max, "Max", "max"));
FIELDS_STATIC(range_min_fields, ec2_range, OPT_REQ(ec2_range, min, "Min", "min"),
              OPT_F(ec2_range, max, "Max", "max"));
FIELDS_STATIC(range_micro_fields, ec2_range, OPTMICRO_F(ec2_range, min, "Min", "min"),
              OPTMICRO_F(ec2_range, max, "Max", "max"));

FIELDS_STATIC(
    requirements_fields, ec2_requirements,
    SUB_F(ec2_requirements, vcpus, "VCpuCount", "vCpuCount", range_min_fields),
    SUB_F(ec2_requirements, memory_mib, "MemoryMiB", "memoryMiB", range_min_fields),
    STRS_F(ec2_requirements, cpu_manufacturers, "CpuManufacturer", "cpuManufacturerSet"),
    SUB_F(ec2_requirements, memory_gib_per_vcpu_micro, "MemoryGiBPerVCpu", "memoryGiBPerVCpu",
          range_micro_fields),
    STRS_F(ec2_requirements, excluded_types, "ExcludedInstanceType", "excludedInstanceTypeSet"),
    STRS_F(ec2_requirements, generations, "InstanceGeneration", "instanceGenerationSet"),
    OPT_F(ec2_requirements, spot_price_over_lowest_percent, "SpotMaxPricePercentageOverLowestPrice",
          "spotMaxPricePercentageOverLowestPrice"),
    OPT_F(ec2_requirements, on_demand_price_over_lowest_percent,
          "OnDemandMaxPricePercentageOverLowestPrice", "onDemandMaxPricePercentageOverLowestPrice"),
    STR_F(ec2_requirements, bare_metal, "BareMetal", "bareMetal"),
    STR_F(ec2_requirements, burstable, "BurstablePerformance", "burstablePerformance"),
    FLAG_F(ec2_requirements, hibernation_required, "RequireHibernateSupport",
           "requireHibernateSupport"),
    SUB_F(ec2_requirements, interfaces, "NetworkInterfaceCount", "networkInterfaceCount",
          range_fields),
    STR_F(ec2_requirements, local_storage, "LocalStorage", "localStorage"),
    STRS_F(ec2_requirements, local_storage_types, "LocalStorageType", "localStorageTypeSet"),
    SUB_F(ec2_requirements, local_storage_gb_micro, "TotalLocalStorageGB", "totalLocalStorageGB",
          range_micro_fields),
    SUB_F(ec2_requirements, ebs_mbps, "BaselineEbsBandwidthMbps", "baselineEbsBandwidthMbps",
          range_fields),
    STRS_F(ec2_requirements, accelerator_types, "AcceleratorType", "acceleratorTypeSet"),
    SUB_F(ec2_requirements, accelerators, "AcceleratorCount", "acceleratorCount", range_fields),
    STRS_F(ec2_requirements, accelerator_manufacturers, "AcceleratorManufacturer",
           "acceleratorManufacturerSet"),
    STRS_F(ec2_requirements, accelerator_names, "AcceleratorName", "acceleratorNameSet"),
    SUB_F(ec2_requirements, accelerator_memory_mib, "AcceleratorTotalMemoryMiB",
          "acceleratorTotalMemoryMiB", range_fields),
    SUB_F(ec2_requirements, network_gbps_micro, "NetworkBandwidthGbps", "networkBandwidthGbps",
          range_micro_fields),
    STRS_F(ec2_requirements, allowed_types, "AllowedInstanceType", "allowedInstanceTypeSet"),
    OPT_F(ec2_requirements, spot_price_of_on_demand_percent,
          "MaxSpotPriceAsPercentageOfOptimalOnDemandPrice",
          "maxSpotPriceAsPercentageOfOptimalOnDemandPrice"));

/* An override takes fewer options than a launch, and shows even fewer of them. */
FIELDS_STATIC(override_placement_fields, ec2_placement,
              STR_F(ec2_placement, zone_id, "AvailabilityZoneId", NULL),
              STR_F(ec2_placement, affinity, "Affinity", NULL),
              STR_F(ec2_placement, group_name, "GroupName", "groupName"),
              INT_F(ec2_placement, partition, "PartitionNumber", NULL),
              STR_F(ec2_placement, host_id, "HostId", NULL),
              STR_F(ec2_placement, tenancy, "Tenancy", NULL),
              STR_F(ec2_placement, group_id, "GroupId", NULL),
              STR_F(ec2_placement, zone, "AvailabilityZone", NULL));
FIELDS_STATIC(override_metadata_fields, ec2_metadata_options,
              STR_F(ec2_metadata_options, http_tokens, "HttpTokens", NULL),
              INT_F(ec2_metadata_options, hop_limit, "HttpPutResponseHopLimit", NULL),
              STR_F(ec2_metadata_options, http_endpoint, "HttpEndpoint", NULL));

FIELDS_STATIC(override_fields, ec2_fleet_override,
              STR_F(ec2_fleet_override, instance_type, "InstanceType", "instanceType"),
              STR_F(ec2_fleet_override, max_price, "MaxPrice", "maxPrice"),
              STR_F(ec2_fleet_override, subnet_id, "SubnetId", "subnetId"),
              STR_F(ec2_fleet_override, zone, "AvailabilityZone", "availabilityZone"),
              OPTMICRO_F(ec2_fleet_override, weight_micro, "WeightedCapacity", "weightedCapacity"),
              OPTMICRO_F(ec2_fleet_override, priority_micro, "Priority", "priority"),
              SUB_F(ec2_fleet_override, placement, "Placement", "placement",
                    override_placement_fields),
              STR_F(ec2_fleet_override, key_name, "KeyName", NULL),
              LIST_F(ec2_fleet_override, disks, ec2_block_devices, "BlockDeviceMapping",
                     "blockDeviceMappingSet", ec2_block_device_fields),
              SUB_F(ec2_fleet_override, profile, "IamInstanceProfile", NULL, ec2_profile_fields),
              SUB_F(ec2_fleet_override, metadata, "MetadataOptions", NULL,
                    override_metadata_fields),
              SUB_F(ec2_fleet_override, requirements, "InstanceRequirements",
                    "instanceRequirements", requirements_fields),
              STR_F(ec2_fleet_override, image_id, "ImageId", "imageId"),
              STR_F(ec2_fleet_override, zone_id, "AvailabilityZoneId", "availabilityZoneId"));

FIELDS_STATIC(config_fields, ec2_fleet_config,
              SUB_F(ec2_fleet_config, template, "LaunchTemplateSpecification",
                    "launchTemplateSpecification", ec2_template_ref_fields),
              LIST_F(ec2_fleet_config, overrides, ec2_fleet_overrides, "Overrides", "overrides",
                     override_fields));

FIELDS_STATIC(rebalance_fields, ec2_fleet_spot_options,
              STR_F(ec2_fleet_spot_options, rebalance_strategy, "ReplacementStrategy",
                    "replacementStrategy"),
              INT_F(ec2_fleet_spot_options, rebalance_delay_s, "TerminationDelay",
                    "terminationDelay"));
FIELDS_STATIC(maintenance_fields, ec2_fleet_spot_options,
              NEST_F("CapacityRebalance", "capacityRebalance", rebalance_fields));
FIELDS_STATIC(spot_options_fields, ec2_fleet_spot_options,
              STR_F(ec2_fleet_spot_options, strategy, "AllocationStrategy", "allocationStrategy"),
              NEST_F("MaintenanceStrategies", "maintenanceStrategies", maintenance_fields),
              STR_F(ec2_fleet_spot_options, interruption, "InstanceInterruptionBehavior",
                    "instanceInterruptionBehavior"),
              INT_F(ec2_fleet_spot_options, pools_to_use, "InstancePoolsToUseCount",
                    "instancePoolsToUseCount"),
              BOOL_F(ec2_fleet_spot_options, single_type, "SingleInstanceType",
                     "singleInstanceType"),
              BOOL_F(ec2_fleet_spot_options, single_zone, "SingleAvailabilityZone",
                     "singleAvailabilityZone"),
              INT_F(ec2_fleet_spot_options, target_min, "MinTargetCapacity", "minTargetCapacity"),
              STR_F(ec2_fleet_spot_options, max_total_price, "MaxTotalPrice", "maxTotalPrice"));

FIELDS_STATIC(reservation_usage_fields, ec2_fleet_on_demand_options,
              STR_F(ec2_fleet_on_demand_options, reservation_usage, "UsageStrategy",
                    "usageStrategy"));
FIELDS_STATIC(
    on_demand_options_fields, ec2_fleet_on_demand_options,
    STR_F(ec2_fleet_on_demand_options, strategy, "AllocationStrategy", "allocationStrategy"),
    NEST_F("CapacityReservationOptions", "capacityReservationOptions", reservation_usage_fields),
    BOOL_F(ec2_fleet_on_demand_options, single_type, "SingleInstanceType", "singleInstanceType"),
    BOOL_F(ec2_fleet_on_demand_options, single_zone, "SingleAvailabilityZone",
           "singleAvailabilityZone"),
    INT_F(ec2_fleet_on_demand_options, target_min, "MinTargetCapacity", "minTargetCapacity"),
    STR_F(ec2_fleet_on_demand_options, max_total_price, "MaxTotalPrice", "maxTotalPrice"));

FIELDS_STATIC(target_fields, ec2_fleet_target,
              OPT_REQ(ec2_fleet_target, total, "TotalTargetCapacity", "totalTargetCapacity"),
              OPT_F(ec2_fleet_target, on_demand, "OnDemandTargetCapacity",
                    "onDemandTargetCapacity"),
              OPT_F(ec2_fleet_target, spot, "SpotTargetCapacity", "spotTargetCapacity"),
              STR_F(ec2_fleet_target, default_type, "DefaultTargetCapacityType",
                    "defaultTargetCapacityType"),
              STR_F(ec2_fleet_target, unit, "TargetCapacityUnitType", "targetCapacityUnitType"));

/* --- what came of it --- */

FIELDS_STATIC(choice_fields, ec2_fleet_choice,
              SUB_F(ec2_fleet_choice, template, NULL, "launchTemplateSpecification",
                    ec2_template_ref_fields),
              SUB_F(ec2_fleet_choice, override, NULL, "overrides", override_fields));

FIELDS_STATIC(error_fields, ec2_fleet_error,
              SUB_F(ec2_fleet_error, choice, NULL, "launchTemplateAndOverrides", choice_fields),
              STR_F(ec2_fleet_error, lifecycle, NULL, "lifecycle"),
              STR_F(ec2_fleet_error, code, NULL, "errorCode"),
              STR_F(ec2_fleet_error, message, NULL, "errorMessage"));

FIELDS_STATIC(instances_fields, ec2_fleet_instances,
              SUB_F(ec2_fleet_instances, choice, NULL, "launchTemplateAndOverrides", choice_fields),
              STR_F(ec2_fleet_instances, lifecycle, NULL, "lifecycle"),
              STRS_F(ec2_fleet_instances, ids, NULL, "instanceIds"),
              STR_F(ec2_fleet_instances, instance_type, NULL, "instanceType"),
              STR_F(ec2_fleet_instances, platform, NULL, "platform"),
              STR_F(ec2_fleet_instances, zone_id, NULL, "availabilityZoneId"),
              STR_F(ec2_fleet_instances, zone, NULL, "availabilityZone"),
              STR_F(ec2_fleet_instances, subnet_id, NULL, "subnetId"));

/* --- CreateFleet --- */

FIELDS(ec2_create_fleet_in_fields, ec2_create_fleet_in,
       STR_F(ec2_create_fleet_in, client_token, "ClientToken", NULL),
       SUB_F(ec2_create_fleet_in, spot, "SpotOptions", NULL, spot_options_fields),
       SUB_F(ec2_create_fleet_in, on_demand, "OnDemandOptions", NULL, on_demand_options_fields),
       STR_F(ec2_create_fleet_in, excess_policy, "ExcessCapacityTerminationPolicy", NULL),
       LIST_REQ(ec2_create_fleet_in, configs, ec2_fleet_configs, "LaunchTemplateConfigs",
                config_fields),
       SUB_REQ(ec2_create_fleet_in, target, "TargetCapacitySpecification", target_fields),
       FLAG_F(ec2_create_fleet_in, terminate_with_expiration, "TerminateInstancesWithExpiration",
              NULL),
       STR_F(ec2_create_fleet_in, type, "Type", NULL),
       TIME_F(ec2_create_fleet_in, valid_from_unix_ms, "ValidFrom", NULL),
       TIME_F(ec2_create_fleet_in, valid_until_unix_ms, "ValidUntil", NULL),
       FLAG_F(ec2_create_fleet_in, replace_unhealthy, "ReplaceUnhealthyInstances", NULL),
       TAG_SPECS_F(ec2_create_fleet_in), STR_F(ec2_create_fleet_in, context, "Context", NULL));
FIELDS(ec2_create_fleet_out_fields, ec2_create_fleet_out,
       STR_F(ec2_create_fleet_out, fleet_id, NULL, "fleetId"),
       LIST_OUT(ec2_create_fleet_out, errors, ec2_fleet_errors, "errorSet", error_fields),
       LIST_OUT(ec2_create_fleet_out, instances, ec2_fleet_instance_sets, "fleetInstanceSet",
                instances_fields));

/* --- DeleteFleets --- */

FIELDS(ec2_delete_fleets_in_fields, ec2_delete_fleets_in,
       STRS_REQ(ec2_delete_fleets_in, ids, "FleetId"),
       FLAG_REQ(ec2_delete_fleets_in, terminate_instances, "TerminateInstances"));
FIELDS_STATIC(deletion_fields, ec2_fleet_deletion,
              STR_F(ec2_fleet_deletion, current, NULL, "currentFleetState"),
              STR_F(ec2_fleet_deletion, previous, NULL, "previousFleetState"),
              STR_F(ec2_fleet_deletion, fleet_id, NULL, "fleetId"));
FIELDS_STATIC(deletion_failure_fields, ec2_fleet_deletion_failure,
              SUB_F(ec2_fleet_deletion_failure, reason, NULL, "error", ec2_reason_fields),
              STR_F(ec2_fleet_deletion_failure, fleet_id, NULL, "fleetId"));
FIELDS(ec2_delete_fleets_out_fields, ec2_delete_fleets_out,
       LIST_OUT(ec2_delete_fleets_out, done, ec2_fleet_deletions, "successfulFleetDeletionSet",
                deletion_fields),
       LIST_OUT(ec2_delete_fleets_out, failed, ec2_fleet_deletion_failures,
                "unsuccessfulFleetDeletionSet", deletion_failure_fields));

/* --- DescribeFleets --- */

FIELDS(ec2_describe_fleets_in_fields, ec2_describe_fleets_in, PAGING_F(ec2_describe_fleets_in),
       STRS_F(ec2_describe_fleets_in, ids, "FleetId", NULL), FILTERS_F(ec2_describe_fleets_in));
FIELDS_STATIC(
    fleet_fields, ec2_fleet, STR_F(ec2_fleet, activity, NULL, "activityStatus"),
    TIME_F(ec2_fleet, created_unix_ms, NULL, "createTime"), STR_F(ec2_fleet, id, NULL, "fleetId"),
    STR_F(ec2_fleet, state, NULL, "fleetState"),
    STR_F(ec2_fleet, client_token, NULL, "clientToken"),
    STR_F(ec2_fleet, excess_policy, NULL, "excessCapacityTerminationPolicy"),
    OPTMICRO_F(ec2_fleet, fulfilled_micro, NULL, "fulfilledCapacity"),
    OPTMICRO_F(ec2_fleet, fulfilled_on_demand_micro, NULL, "fulfilledOnDemandCapacity"),
    LIST_F(ec2_fleet, configs, ec2_fleet_configs, NULL, "launchTemplateConfigs", config_fields),
    SUB_F(ec2_fleet, target, NULL, "targetCapacitySpecification", target_fields),
    FLAG_F(ec2_fleet, terminate_with_expiration, NULL, "terminateInstancesWithExpiration"),
    STR_F(ec2_fleet, type, NULL, "type"), TIME_F(ec2_fleet, valid_from_unix_ms, NULL, "validFrom"),
    TIME_F(ec2_fleet, valid_until_unix_ms, NULL, "validUntil"),
    FLAG_F(ec2_fleet, replace_unhealthy, NULL, "replaceUnhealthyInstances"),
    SUB_F(ec2_fleet, spot, NULL, "spotOptions", spot_options_fields),
    SUB_F(ec2_fleet, on_demand, NULL, "onDemandOptions", on_demand_options_fields),
    TAG_SET_OUT(ec2_fleet),
    LIST_F(ec2_fleet, errors, ec2_fleet_errors, NULL, "errorSet", error_fields),
    LIST_F(ec2_fleet, instances, ec2_fleet_instance_sets, NULL, "fleetInstanceSet",
           instances_fields),
    STR_F(ec2_fleet, context, NULL, "context"));
FIELDS(ec2_describe_fleets_out_fields, ec2_describe_fleets_out,
       NEXT_TOKEN_OUT(ec2_describe_fleets_out),
       LIST_OUT(ec2_describe_fleets_out, fleets, ec2_fleets, "fleetSet", fleet_fields));
