#include "codec/ec2_tables.h"

/* --- shapes of a launch --- */

FIELDS_STATIC(ebs_fields, ec2_block_device,
              FLAG_F(ec2_block_device, ebs.delete_on_termination, "DeleteOnTermination",
                     "deleteOnTermination"),
              INT_F(ec2_block_device, ebs.iops, "Iops", "iops"),
              STR_F(ec2_block_device, ebs.snapshot_id, "SnapshotId", "snapshotId"),
              INT_F(ec2_block_device, ebs.size_gib, "VolumeSize", "volumeSize"),
              STR_F(ec2_block_device, ebs.volume_type, "VolumeType", "volumeType"),
              STR_F(ec2_block_device, ebs.kms_key_id, "KmsKeyId", "kmsKeyId"),
              INT_F(ec2_block_device, ebs.throughput_mibs, "Throughput", "throughput"),
              FLAG_F(ec2_block_device, ebs.encrypted, "Encrypted", "encrypted"));

FIELDS(ec2_block_device_fields, ec2_block_device,
       STR_F(ec2_block_device, device_name, "DeviceName", "deviceName"),
       STR_F(ec2_block_device, virtual_name, "VirtualName", "virtualName"),
       NEST_F("Ebs", "ebs", ebs_fields),
       STR_F(ec2_block_device, no_device, "NoDevice", "noDevice"));

FIELDS_STATIC(private_address_fields, ec2_private_address,
              FLAG_F(ec2_private_address, primary, "Primary", "primary"),
              STR_F(ec2_private_address, address, "PrivateIpAddress", "privateIpAddress"));

FIELDS(ec2_interface_spec_fields, ec2_interface_spec,
       FLAG_F(ec2_interface_spec, public_ip, "AssociatePublicIpAddress",
              "associatePublicIpAddress"),
       FLAG_F(ec2_interface_spec, delete_on_termination, "DeleteOnTermination",
              "deleteOnTermination"),
       STR_F(ec2_interface_spec, description, "Description", "description"),
       OPT_F(ec2_interface_spec, device_index, "DeviceIndex", "deviceIndex"),
       STRS_AS(ec2_interface_spec, group_ids, "SecurityGroupId", "groupSet", "groupId"),
       STR_F(ec2_interface_spec, interface_type, "InterfaceType", "interfaceType"),
       INT_F(ec2_interface_spec, ipv6_count, "Ipv6AddressCount", "ipv6AddressCount"),
       STR_F(ec2_interface_spec, interface_id, "NetworkInterfaceId", "networkInterfaceId"),
       STR_F(ec2_interface_spec, private_ip, "PrivateIpAddress", "privateIpAddress"),
       LIST_F(ec2_interface_spec, private_ips, ec2_private_addresses, "PrivateIpAddresses",
              "privateIpAddressesSet", private_address_fields),
       INT_F(ec2_interface_spec, secondary_ip_count, "SecondaryPrivateIpAddressCount",
             "secondaryPrivateIpAddressCount"),
       STR_F(ec2_interface_spec, subnet_id, "SubnetId", "subnetId"),
       OPT_F(ec2_interface_spec, network_card_index, "NetworkCardIndex", "networkCardIndex"));

FIELDS(ec2_placement_fields, ec2_placement,
       STR_F(ec2_placement, zone_id, "AvailabilityZoneId", "availabilityZoneId"),
       STR_F(ec2_placement, affinity, "Affinity", "affinity"),
       STR_F(ec2_placement, group_name, "GroupName", "groupName"),
       INT_F(ec2_placement, partition, "PartitionNumber", "partitionNumber"),
       STR_F(ec2_placement, host_id, "HostId", "hostId"),
       STR_F(ec2_placement, tenancy, "Tenancy", "tenancy"),
       STR_F(ec2_placement, group_id, "GroupId", "groupId"),
       STR_F(ec2_placement, zone, "AvailabilityZone", "availabilityZone"));

FIELDS(ec2_profile_fields, ec2_profile, STR_F(ec2_profile, arn, "Arn", "arn"),
       STR_F(ec2_profile, name, "Name", "name"));

FIELDS(ec2_metadata_options_fields, ec2_metadata_options,
       STR_F(ec2_metadata_options, state, NULL, "state"),
       STR_F(ec2_metadata_options, http_tokens, "HttpTokens", "httpTokens"),
       INT_F(ec2_metadata_options, hop_limit, "HttpPutResponseHopLimit", "httpPutResponseHopLimit"),
       STR_F(ec2_metadata_options, http_endpoint, "HttpEndpoint", "httpEndpoint"),
       STR_F(ec2_metadata_options, http_ipv6, "HttpProtocolIpv6", "httpProtocolIpv6"),
       STR_F(ec2_metadata_options, instance_tags, "InstanceMetadataTags", "instanceMetadataTags"));

FIELDS_STATIC(market_spot_fields, ec2_market,
              STR_F(ec2_market, spot.max_price, "MaxPrice", "maxPrice"),
              STR_F(ec2_market, spot.type, "SpotInstanceType", "spotInstanceType"),
              INT_F(ec2_market, spot.block_minutes, "BlockDurationMinutes", "blockDurationMinutes"),
              TIME_F(ec2_market, spot.valid_until_unix_ms, "ValidUntil", "validUntil"),
              STR_F(ec2_market, spot.interruption, "InstanceInterruptionBehavior",
                    "instanceInterruptionBehavior"));
FIELDS(ec2_market_fields, ec2_market, STR_F(ec2_market, type, "MarketType", "marketType"),
       NEST_F("SpotOptions", "spotOptions", market_spot_fields));

FIELDS(ec2_template_ref_fields, ec2_template_ref,
       STR_F(ec2_template_ref, id, "LaunchTemplateId", "launchTemplateId"),
       STR_F(ec2_template_ref, name, "LaunchTemplateName", "launchTemplateName"),
       STR_F(ec2_template_ref, version, "Version", "version"),
       BLOB_F(ec2_template_ref, user_data, "LaunchTemplateSpecificationUserData", NULL));

/* Fleets alone may replace the template's user data. */
FIELDS_STATIC(run_template_fields, ec2_template_ref,
              STR_F(ec2_template_ref, id, "LaunchTemplateId", NULL),
              STR_F(ec2_template_ref, name, "LaunchTemplateName", NULL),
              STR_F(ec2_template_ref, version, "Version", NULL));

/* --- an instance in a reply --- */

FIELDS_STATIC(instance_profile_fields, ec2_profile, STR_F(ec2_profile, arn, NULL, "arn"),
              STR_F(ec2_profile, id, NULL, "id"));

FIELDS_STATIC(state_fields, ec2_instance_state, OPT_F(ec2_instance_state, code, NULL, "code"),
              STR_F(ec2_instance_state, name, NULL, "name"));

FIELDS_STATIC(group_name_fields, ec2_group_name, STR_F(ec2_group_name, id, NULL, "groupId"),
              STR_F(ec2_group_name, name, NULL, "groupName"));

FIELDS_STATIC(attached_ebs_fields, ec2_attached_disk,
              TIME_F(ec2_attached_disk, attached_unix_ms, NULL, "attachTime"),
              FLAG_F(ec2_attached_disk, delete_on_termination, NULL, "deleteOnTermination"),
              STR_F(ec2_attached_disk, status, NULL, "status"),
              STR_F(ec2_attached_disk, volume_id, NULL, "volumeId"));
FIELDS_STATIC(attached_disk_fields, ec2_attached_disk,
              STR_F(ec2_attached_disk, device_name, NULL, "deviceName"),
              NEST_F(NULL, "ebs", attached_ebs_fields));

FIELDS_STATIC(attachment_fields, ec2_interface,
              TIME_F(ec2_interface, attachment.attached_unix_ms, NULL, "attachTime"),
              STR_F(ec2_interface, attachment.id, NULL, "attachmentId"),
              FLAG_F(ec2_interface, attachment.delete_on_termination, NULL, "deleteOnTermination"),
              OPT_F(ec2_interface, attachment.device_index, NULL, "deviceIndex"),
              STR_F(ec2_interface, attachment.status, NULL, "status"),
              OPT_F(ec2_interface, attachment.network_card_index, NULL, "networkCardIndex"));
FIELDS_STATIC(association_fields, ec2_interface,
              STR_F(ec2_interface, association.owner_id, NULL, "ipOwnerId"),
              STR_F(ec2_interface, association.public_dns, NULL, "publicDnsName"),
              STR_F(ec2_interface, association.public_ip, NULL, "publicIp"));
FIELDS_STATIC(interface_fields, ec2_interface, NEST_F(NULL, "association", association_fields),
              NEST_F(NULL, "attachment", attachment_fields),
              STR_F(ec2_interface, description, NULL, "description"),
              LIST_F(ec2_interface, groups, ec2_group_names, NULL, "groupSet", group_name_fields),
              STR_F(ec2_interface, mac, NULL, "macAddress"),
              STR_F(ec2_interface, id, NULL, "networkInterfaceId"),
              STR_F(ec2_interface, owner_id, NULL, "ownerId"),
              STR_F(ec2_interface, private_dns, NULL, "privateDnsName"),
              STR_F(ec2_interface, private_ip, NULL, "privateIpAddress"),
              LIST_F(ec2_interface, private_ips, ec2_private_addresses, NULL,
                     "privateIpAddressesSet", private_address_fields),
              FLAG_F(ec2_interface, source_dest_check, NULL, "sourceDestCheck"),
              STR_F(ec2_interface, status, NULL, "status"),
              STR_F(ec2_interface, subnet_id, NULL, "subnetId"),
              STR_F(ec2_interface, vpc_id, NULL, "vpcId"),
              STR_F(ec2_interface, type, NULL, "interfaceType"));

FIELDS_STATIC(monitoring_state_fields, ec2_instance,
              STR_F(ec2_instance, monitoring, NULL, "state"));
FIELDS_STATIC(cpu_fields, ec2_instance, INT_F(ec2_instance, cpu.cores, NULL, "coreCount"),
              INT_F(ec2_instance, cpu.threads_per_core, NULL, "threadsPerCore"));

FIELDS_STATIC(
    instance_fields, ec2_instance, STR_F(ec2_instance, id, NULL, "instanceId"),
    STR_F(ec2_instance, image_id, NULL, "imageId"),
    SUB_F(ec2_instance, state, NULL, "instanceState", state_fields),
    STR_F(ec2_instance, private_dns, NULL, "privateDnsName"),
    STR_F(ec2_instance, public_dns, NULL, "dnsName"),
    STR_F(ec2_instance, transition_reason, NULL, "reason"),
    STR_F(ec2_instance, key_name, NULL, "keyName"),
    OPT_F(ec2_instance, launch_index, NULL, "amiLaunchIndex"),
    STR_F(ec2_instance, type, NULL, "instanceType"),
    TIME_F(ec2_instance, launched_unix_ms, NULL, "launchTime"),
    SUB_F(ec2_instance, placement, NULL, "placement", ec2_placement_fields),
    STR_F(ec2_instance, platform, NULL, "platform"),
    NEST_F(NULL, "monitoring", monitoring_state_fields),
    STR_F(ec2_instance, subnet_id, NULL, "subnetId"), STR_F(ec2_instance, vpc_id, NULL, "vpcId"),
    STR_F(ec2_instance, private_ip, NULL, "privateIpAddress"),
    STR_F(ec2_instance, public_ip, NULL, "ipAddress"),
    SUB_F(ec2_instance, state_reason, NULL, "stateReason", ec2_reason_fields),
    STR_F(ec2_instance, architecture, NULL, "architecture"),
    STR_F(ec2_instance, root_device_type, NULL, "rootDeviceType"),
    STR_F(ec2_instance, root_device_name, NULL, "rootDeviceName"),
    LIST_F(ec2_instance, disks, ec2_attached_disks, NULL, "blockDeviceMapping",
           attached_disk_fields),
    STR_F(ec2_instance, virtualization, NULL, "virtualizationType"),
    STR_F(ec2_instance, lifecycle, NULL, "instanceLifecycle"),
    STR_F(ec2_instance, spot_request_id, NULL, "spotInstanceRequestId"),
    STR_F(ec2_instance, client_token, NULL, "clientToken"), TAG_SET_OUT(ec2_instance),
    LIST_F(ec2_instance, groups, ec2_group_names, NULL, "groupSet", group_name_fields),
    FLAG_F(ec2_instance, source_dest_check, NULL, "sourceDestCheck"),
    STR_F(ec2_instance, hypervisor, NULL, "hypervisor"),
    LIST_F(ec2_instance, interfaces, ec2_interfaces, NULL, "networkInterfaceSet", interface_fields),
    SUB_F(ec2_instance, profile, NULL, "iamInstanceProfile", instance_profile_fields),
    FLAG_F(ec2_instance, ebs_optimized, NULL, "ebsOptimized"),
    FLAG_F(ec2_instance, ena_support, NULL, "enaSupport"), NEST_F(NULL, "cpuOptions", cpu_fields),
    SUB_F(ec2_instance, metadata, NULL, "metadataOptions", ec2_metadata_options_fields),
    STR_F(ec2_instance, boot_mode, NULL, "bootMode"),
    STR_F(ec2_instance, platform_details, NULL, "platformDetails"));

FIELDS_STATIC(reservation_fields, ec2_reservation,
              STR_F(ec2_reservation, id, NULL, "reservationId"),
              STR_F(ec2_reservation, owner_id, NULL, "ownerId"),
              STR_F(ec2_reservation, requester_id, NULL, "requesterId"),
              LIST_OUT(ec2_reservation, groups, ec2_group_names, "groupSet", group_name_fields),
              LIST_OUT(ec2_reservation, instances, ec2_instances, "instancesSet", instance_fields));

/* --- RunInstances --- */

FIELDS_STATIC(run_monitoring_fields, ec2_run_instances_in,
              FLAG_F(ec2_run_instances_in, monitoring, "Enabled", NULL));
FIELDS_STATIC(run_credit_fields, ec2_run_instances_in,
              STR_F(ec2_run_instances_in, cpu_credits, "CpuCredits", NULL));

FIELDS(ec2_run_instances_in_fields, ec2_run_instances_in,
       LIST_F(ec2_run_instances_in, disks, ec2_block_devices, "BlockDeviceMapping", NULL,
              ec2_block_device_fields),
       STR_F(ec2_run_instances_in, image_id, "ImageId", NULL),
       STR_F(ec2_run_instances_in, instance_type, "InstanceType", NULL),
       STR_F(ec2_run_instances_in, key_name, "KeyName", NULL),
       INT_REQ(ec2_run_instances_in, max_count, "MaxCount"),
       INT_REQ(ec2_run_instances_in, min_count, "MinCount"),
       NEST_F("Monitoring", NULL, run_monitoring_fields),
       SUB_F(ec2_run_instances_in, placement, "Placement", NULL, ec2_placement_fields),
       STRS_F(ec2_run_instances_in, group_ids, "SecurityGroupId", NULL),
       STRS_F(ec2_run_instances_in, group_names, "SecurityGroup", NULL),
       STR_F(ec2_run_instances_in, subnet_id, "SubnetId", NULL),
       BLOB_F(ec2_run_instances_in, user_data, "UserData", NULL), TAG_SPECS_F(ec2_run_instances_in),
       SUB_F(ec2_run_instances_in, template, "LaunchTemplate", NULL, run_template_fields),
       SUB_F(ec2_run_instances_in, market, "InstanceMarketOptions", NULL, ec2_market_fields),
       NEST_F("CreditSpecification", NULL, run_credit_fields),
       SUB_F(ec2_run_instances_in, metadata, "MetadataOptions", NULL, ec2_metadata_options_fields),
       FLAG_F(ec2_run_instances_in, api_stop_disabled, "DisableApiStop", NULL),
       FLAG_F(ec2_run_instances_in, api_termination_disabled, "DisableApiTermination", NULL),
       STR_F(ec2_run_instances_in, shutdown_behavior, "InstanceInitiatedShutdownBehavior", NULL),
       STR_F(ec2_run_instances_in, private_ip, "PrivateIpAddress", NULL),
       STR_F(ec2_run_instances_in, client_token, "ClientToken", NULL),
       LIST_F(ec2_run_instances_in, interfaces, ec2_interface_specs, "NetworkInterface", NULL,
              ec2_interface_spec_fields),
       SUB_F(ec2_run_instances_in, profile, "IamInstanceProfile", NULL, ec2_profile_fields),
       FLAG_F(ec2_run_instances_in, ebs_optimized, "EbsOptimized", NULL));
FIELDS(ec2_run_instances_out_fields, ec2_run_instances_out,
       INLINE_F(ec2_run_instances_out, reservation, reservation_fields));

/* --- DescribeInstances, DescribeInstanceStatus --- */

FIELDS(ec2_describe_instances_in_fields, ec2_describe_instances_in,
       STRS_F(ec2_describe_instances_in, ids, "InstanceId", NULL),
       FILTERS_F(ec2_describe_instances_in), PAGING_F(ec2_describe_instances_in));
FIELDS(ec2_describe_instances_out_fields, ec2_describe_instances_out,
       LIST_OUT(ec2_describe_instances_out, reservations, ec2_reservations, "reservationSet",
                reservation_fields),
       NEXT_TOKEN_OUT(ec2_describe_instances_out));

FIELDS(ec2_describe_instance_status_in_fields, ec2_describe_instance_status_in,
       STRS_F(ec2_describe_instance_status_in, ids, "InstanceId", NULL),
       PAGING_F(ec2_describe_instance_status_in), FILTERS_F(ec2_describe_instance_status_in),
       BOOL_F(ec2_describe_instance_status_in, include_all, "IncludeAllInstances", NULL));

FIELDS_STATIC(status_detail_fields, ec2_status_detail,
              TIME_F(ec2_status_detail, impaired_since_unix_ms, NULL, "impairedSince"),
              STR_F(ec2_status_detail, name, NULL, "name"),
              STR_F(ec2_status_detail, status, NULL, "status"));
FIELDS_STATIC(status_summary_fields, ec2_status_summary,
              LIST_F(ec2_status_summary, details, ec2_status_details, NULL, "details",
                     status_detail_fields),
              STR_F(ec2_status_summary, status, NULL, "status"));
FIELDS_STATIC(status_event_fields, ec2_status_event,
              STR_F(ec2_status_event, id, NULL, "instanceEventId"),
              STR_F(ec2_status_event, code, NULL, "code"),
              STR_F(ec2_status_event, description, NULL, "description"),
              TIME_F(ec2_status_event, not_after_unix_ms, NULL, "notAfter"),
              TIME_F(ec2_status_event, not_before_unix_ms, NULL, "notBefore"));
FIELDS_STATIC(status_fields, ec2_instance_status,
              STR_F(ec2_instance_status, zone, NULL, "availabilityZone"),
              STR_F(ec2_instance_status, zone_id, NULL, "availabilityZoneId"),
              LIST_F(ec2_instance_status, events, ec2_status_events, NULL, "eventsSet",
                     status_event_fields),
              STR_F(ec2_instance_status, instance_id, NULL, "instanceId"),
              SUB_F(ec2_instance_status, state, NULL, "instanceState", state_fields),
              SUB_F(ec2_instance_status, instance, NULL, "instanceStatus", status_summary_fields),
              SUB_F(ec2_instance_status, system, NULL, "systemStatus", status_summary_fields));
FIELDS(ec2_describe_instance_status_out_fields, ec2_describe_instance_status_out,
       LIST_OUT(ec2_describe_instance_status_out, statuses, ec2_instance_statuses,
                "instanceStatusSet", status_fields),
       NEXT_TOKEN_OUT(ec2_describe_instance_status_out));

/* --- TerminateInstances, StopInstances, GetConsoleOutput --- */

FIELDS_STATIC(state_change_fields, ec2_state_change,
              STR_F(ec2_state_change, instance_id, NULL, "instanceId"),
              SUB_F(ec2_state_change, current, NULL, "currentState", state_fields),
              SUB_F(ec2_state_change, previous, NULL, "previousState", state_fields));

FIELDS(ec2_terminate_instances_in_fields, ec2_terminate_instances_in,
       STRS_REQ(ec2_terminate_instances_in, ids, "InstanceId"),
       BOOL_F(ec2_terminate_instances_in, force, "Force", NULL),
       BOOL_F(ec2_terminate_instances_in, skip_os_shutdown, "SkipOsShutdown", NULL));
FIELDS(ec2_terminate_instances_out_fields, ec2_terminate_instances_out,
       LIST_OUT(ec2_terminate_instances_out, changes, ec2_state_changes, "instancesSet",
                state_change_fields));

FIELDS(ec2_stop_instances_in_fields, ec2_stop_instances_in,
       STRS_REQ(ec2_stop_instances_in, ids, "InstanceId"),
       BOOL_F(ec2_stop_instances_in, hibernate, "Hibernate", NULL),
       BOOL_F(ec2_stop_instances_in, skip_os_shutdown, "SkipOsShutdown", NULL),
       BOOL_F(ec2_stop_instances_in, force, "Force", NULL));
FIELDS(ec2_stop_instances_out_fields, ec2_stop_instances_out,
       LIST_OUT(ec2_stop_instances_out, changes, ec2_state_changes, "instancesSet",
                state_change_fields));

FIELDS(ec2_get_console_output_in_fields, ec2_get_console_output_in,
       STR_REQ(ec2_get_console_output_in, instance_id, "InstanceId"),
       BOOL_F(ec2_get_console_output_in, latest, "Latest", NULL));
FIELDS(ec2_get_console_output_out_fields, ec2_get_console_output_out,
       STR_F(ec2_get_console_output_out, instance_id, NULL, "instanceId"),
       TIME_F(ec2_get_console_output_out, at_unix_ms, NULL, "timestamp"),
       BLOB_F(ec2_get_console_output_out, output, NULL, "output"));

/* --- DescribeVolumes --- */

FIELDS(ec2_describe_volumes_in_fields, ec2_describe_volumes_in,
       STRS_F(ec2_describe_volumes_in, ids, "VolumeId", NULL), FILTERS_F(ec2_describe_volumes_in),
       PAGING_F(ec2_describe_volumes_in));
FIELDS_STATIC(volume_attachment_fields, ec2_volume_attachment,
              BOOL_F(ec2_volume_attachment, delete_on_termination, NULL, "deleteOnTermination"),
              STR_F(ec2_volume_attachment, volume_id, NULL, "volumeId"),
              STR_F(ec2_volume_attachment, instance_id, NULL, "instanceId"),
              STR_F(ec2_volume_attachment, device, NULL, "device"),
              STR_F(ec2_volume_attachment, status, NULL, "status"),
              TIME_F(ec2_volume_attachment, attached_unix_ms, NULL, "attachTime"));
FIELDS_STATIC(volume_fields, ec2_volume, STR_F(ec2_volume, id, NULL, "volumeId"),
              STR_F(ec2_volume, zone, NULL, "availabilityZone"),
              STR_F(ec2_volume, zone_id, NULL, "availabilityZoneId"),
              STR_F(ec2_volume, status, NULL, "status"),
              STR_F(ec2_volume, type, NULL, "volumeType"),
              STR_F(ec2_volume, snapshot_id, NULL, "snapshotId"),
              INT_F(ec2_volume, size_gib, NULL, "size"), INT_F(ec2_volume, iops, NULL, "iops"),
              INT_F(ec2_volume, throughput_mibs, NULL, "throughput"),
              TIME_F(ec2_volume, created_unix_ms, NULL, "createTime"),
              BOOL_F(ec2_volume, encrypted, NULL, "encrypted"),
              LIST_OUT(ec2_volume, attachments, ec2_volume_attachments, "attachmentSet",
                       volume_attachment_fields),
              TAG_SET_OUT(ec2_volume));
FIELDS(ec2_describe_volumes_out_fields, ec2_describe_volumes_out,
       LIST_OUT(ec2_describe_volumes_out, volumes, ec2_volumes, "volumeSet", volume_fields),
       NEXT_TOKEN_OUT(ec2_describe_volumes_out));
