#include "codec/ec2_tables.h"

/* --- DescribeVpcs, DescribeSubnets --- */

FIELDS(ec2_describe_vpcs_in_fields, ec2_describe_vpcs_in, FILTERS_F(ec2_describe_vpcs_in),
       STRS_F(ec2_describe_vpcs_in, ids, "VpcId", NULL), PAGING_F(ec2_describe_vpcs_in));

FIELDS_STATIC(vpc_fields, ec2_vpc, STR_F(ec2_vpc, owner_id, NULL, "ownerId"),
              STR_F(ec2_vpc, tenancy, NULL, "instanceTenancy"),
              BOOL_F(ec2_vpc, is_default, NULL, "isDefault"), TAG_SET_OUT(ec2_vpc),
              STR_F(ec2_vpc, id, NULL, "vpcId"), STR_F(ec2_vpc, state, NULL, "state"),
              STR_F(ec2_vpc, cidr, NULL, "cidrBlock"),
              STR_F(ec2_vpc, dhcp_options_id, NULL, "dhcpOptionsId"));

FIELDS(ec2_describe_vpcs_out_fields, ec2_describe_vpcs_out,
       LIST_OUT(ec2_describe_vpcs_out, vpcs, ec2_vpcs, "vpcSet", vpc_fields),
       NEXT_TOKEN_OUT(ec2_describe_vpcs_out));

FIELDS(ec2_describe_subnets_in_fields, ec2_describe_subnets_in, FILTERS_F(ec2_describe_subnets_in),
       STRS_F(ec2_describe_subnets_in, ids, "SubnetId", NULL), PAGING_F(ec2_describe_subnets_in));

FIELDS_STATIC(subnet_fields, ec2_subnet, STR_F(ec2_subnet, zone_id, NULL, "availabilityZoneId"),
              STR_F(ec2_subnet, owner_id, NULL, "ownerId"),
              BOOL_F(ec2_subnet, ipv6_on_creation, NULL, "assignIpv6AddressOnCreation"),
              TAG_SET_OUT(ec2_subnet), STR_F(ec2_subnet, arn, NULL, "subnetArn"),
              STR_F(ec2_subnet, id, NULL, "subnetId"), STR_F(ec2_subnet, state, NULL, "state"),
              STR_F(ec2_subnet, vpc_id, NULL, "vpcId"), STR_F(ec2_subnet, cidr, NULL, "cidrBlock"),
              OPT_F(ec2_subnet, free_addresses, NULL, "availableIpAddressCount"),
              STR_F(ec2_subnet, zone, NULL, "availabilityZone"),
              BOOL_F(ec2_subnet, default_for_zone, NULL, "defaultForAz"),
              BOOL_F(ec2_subnet, public_ip_on_launch, NULL, "mapPublicIpOnLaunch"));

FIELDS(ec2_describe_subnets_out_fields, ec2_describe_subnets_out,
       LIST_OUT(ec2_describe_subnets_out, subnets, ec2_subnets, "subnetSet", subnet_fields),
       NEXT_TOKEN_OUT(ec2_describe_subnets_out));

/* --- security groups --- */

FIELDS_STATIC(range_v4_fields, ec2_ip_range,
              STR_F(ec2_ip_range, description, "Description", "description"),
              STR_F(ec2_ip_range, cidr, "CidrIp", "cidrIp"));
FIELDS_STATIC(range_v6_fields, ec2_ip_range,
              STR_F(ec2_ip_range, description, "Description", "description"),
              STR_F(ec2_ip_range, cidr, "CidrIpv6", "cidrIpv6"));
FIELDS_STATIC(group_pair_fields, ec2_group_pair,
              STR_F(ec2_group_pair, description, "Description", "description"),
              STR_F(ec2_group_pair, user_id, "UserId", "userId"),
              STR_F(ec2_group_pair, group_name, "GroupName", "groupName"),
              STR_F(ec2_group_pair, group_id, "GroupId", "groupId"),
              STR_F(ec2_group_pair, vpc_id, "VpcId", "vpcId"));
FIELDS_STATIC(prefix_list_fields, ec2_prefix_list,
              STR_F(ec2_prefix_list, description, "Description", "description"),
              STR_F(ec2_prefix_list, id, "PrefixListId", "prefixListId"));

FIELDS_STATIC(permission_fields, ec2_ip_permission,
              STR_F(ec2_ip_permission, protocol, "IpProtocol", "ipProtocol"),
              OPT_F(ec2_ip_permission, from_port, "FromPort", "fromPort"),
              OPT_F(ec2_ip_permission, to_port, "ToPort", "toPort"),
              LIST_F(ec2_ip_permission, groups, ec2_group_pairs, "Groups", "groups",
                     group_pair_fields),
              LIST_F(ec2_ip_permission, ranges, ec2_ip_ranges, "IpRanges", "ipRanges",
                     range_v4_fields),
              LIST_F(ec2_ip_permission, ranges_v6, ec2_ip_ranges, "Ipv6Ranges", "ipv6Ranges",
                     range_v6_fields),
              LIST_F(ec2_ip_permission, prefix_lists, ec2_prefix_lists, "PrefixListIds",
                     "prefixListIds", prefix_list_fields));

FIELDS_STATIC(group_fields, ec2_security_group, STR_F(ec2_security_group, id, NULL, "groupId"),
              LIST_OUT(ec2_security_group, egress, ec2_ip_permissions, "ipPermissionsEgress",
                       permission_fields),
              TAG_SET_OUT(ec2_security_group), STR_F(ec2_security_group, vpc_id, NULL, "vpcId"),
              STR_F(ec2_security_group, arn, NULL, "securityGroupArn"),
              STR_F(ec2_security_group, owner_id, NULL, "ownerId"),
              STR_F(ec2_security_group, name, NULL, "groupName"),
              STR_F(ec2_security_group, description, NULL, "groupDescription"),
              LIST_OUT(ec2_security_group, ingress, ec2_ip_permissions, "ipPermissions",
                       permission_fields));

FIELDS(ec2_describe_security_groups_in_fields, ec2_describe_security_groups_in,
       STRS_F(ec2_describe_security_groups_in, ids, "GroupId", NULL),
       STRS_F(ec2_describe_security_groups_in, names, "GroupName", NULL),
       PAGING_F(ec2_describe_security_groups_in), FILTERS_F(ec2_describe_security_groups_in));
FIELDS(ec2_describe_security_groups_out_fields, ec2_describe_security_groups_out,
       LIST_OUT(ec2_describe_security_groups_out, groups, ec2_security_groups, "securityGroupInfo",
                group_fields),
       NEXT_TOKEN_OUT(ec2_describe_security_groups_out));

FIELDS(ec2_create_security_group_in_fields, ec2_create_security_group_in,
       STR_REQ(ec2_create_security_group_in, description, "GroupDescription"),
       STR_REQ(ec2_create_security_group_in, name, "GroupName"),
       STR_F(ec2_create_security_group_in, vpc_id, "VpcId", NULL),
       TAG_SPECS_F(ec2_create_security_group_in));
FIELDS(ec2_create_security_group_out_fields, ec2_create_security_group_out,
       STR_F(ec2_create_security_group_out, id, NULL, "groupId"),
       TAG_SET_OUT(ec2_create_security_group_out),
       STR_F(ec2_create_security_group_out, arn, NULL, "securityGroupArn"));

FIELDS(ec2_delete_security_group_in_fields, ec2_delete_security_group_in,
       STR_F(ec2_delete_security_group_in, id, "GroupId", NULL),
       STR_F(ec2_delete_security_group_in, name, "GroupName", NULL));
FIELDS(ec2_delete_security_group_out_fields, ec2_delete_security_group_out,
       BOOL_F(ec2_delete_security_group_out, done, NULL, "return"),
       STR_F(ec2_delete_security_group_out, id, NULL, "groupId"));

FIELDS(ec2_authorize_security_group_ingress_in_fields, ec2_authorize_security_group_ingress_in,
       STR_F(ec2_authorize_security_group_ingress_in, cidr, "CidrIp", NULL),
       OPT_F(ec2_authorize_security_group_ingress_in, from_port, "FromPort", NULL),
       STR_F(ec2_authorize_security_group_ingress_in, id, "GroupId", NULL),
       STR_F(ec2_authorize_security_group_ingress_in, name, "GroupName", NULL),
       LIST_F(ec2_authorize_security_group_ingress_in, permissions, ec2_ip_permissions,
              "IpPermissions", NULL, permission_fields),
       STR_F(ec2_authorize_security_group_ingress_in, protocol, "IpProtocol", NULL),
       STR_F(ec2_authorize_security_group_ingress_in, source_group_name, "SourceSecurityGroupName",
             NULL),
       STR_F(ec2_authorize_security_group_ingress_in, source_group_owner,
             "SourceSecurityGroupOwnerId", NULL),
       OPT_F(ec2_authorize_security_group_ingress_in, to_port, "ToPort", NULL),
       TAG_SPECS_F(ec2_authorize_security_group_ingress_in));

FIELDS_STATIC(referenced_fields, ec2_security_group_rule,
              STR_F(ec2_security_group_rule, referenced.group_id, NULL, "groupId"),
              STR_F(ec2_security_group_rule, referenced.user_id, NULL, "userId"),
              STR_F(ec2_security_group_rule, referenced.vpc_id, NULL, "vpcId"));
FIELDS_STATIC(rule_fields, ec2_security_group_rule,
              STR_F(ec2_security_group_rule, rule_id, NULL, "securityGroupRuleId"),
              STR_F(ec2_security_group_rule, group_id, NULL, "groupId"),
              STR_F(ec2_security_group_rule, group_owner, NULL, "groupOwnerId"),
              BOOL_F(ec2_security_group_rule, is_egress, NULL, "isEgress"),
              STR_F(ec2_security_group_rule, protocol, NULL, "ipProtocol"),
              OPT_F(ec2_security_group_rule, from_port, NULL, "fromPort"),
              OPT_F(ec2_security_group_rule, to_port, NULL, "toPort"),
              STR_F(ec2_security_group_rule, cidr_v4, NULL, "cidrIpv4"),
              STR_F(ec2_security_group_rule, cidr_v6, NULL, "cidrIpv6"),
              STR_F(ec2_security_group_rule, prefix_list, NULL, "prefixListId"),
              NEST_F(NULL, "referencedGroupInfo", referenced_fields),
              STR_F(ec2_security_group_rule, description, NULL, "description"),
              TAG_SET_OUT(ec2_security_group_rule));
FIELDS(ec2_authorize_security_group_ingress_out_fields, ec2_authorize_security_group_ingress_out,
       BOOL_F(ec2_authorize_security_group_ingress_out, done, NULL, "return"),
       LIST_OUT(ec2_authorize_security_group_ingress_out, rules, ec2_security_group_rules,
                "securityGroupRuleSet", rule_fields));

FIELDS(ec2_revoke_security_group_ingress_in_fields, ec2_revoke_security_group_ingress_in,
       STR_F(ec2_revoke_security_group_ingress_in, cidr, "CidrIp", NULL),
       OPT_F(ec2_revoke_security_group_ingress_in, from_port, "FromPort", NULL),
       STR_F(ec2_revoke_security_group_ingress_in, id, "GroupId", NULL),
       STR_F(ec2_revoke_security_group_ingress_in, name, "GroupName", NULL),
       LIST_F(ec2_revoke_security_group_ingress_in, permissions, ec2_ip_permissions,
              "IpPermissions", NULL, permission_fields),
       STR_F(ec2_revoke_security_group_ingress_in, protocol, "IpProtocol", NULL),
       STR_F(ec2_revoke_security_group_ingress_in, source_group_name, "SourceSecurityGroupName",
             NULL),
       STR_F(ec2_revoke_security_group_ingress_in, source_group_owner, "SourceSecurityGroupOwnerId",
             NULL),
       OPT_F(ec2_revoke_security_group_ingress_in, to_port, "ToPort", NULL),
       STRS_F(ec2_revoke_security_group_ingress_in, rule_ids, "SecurityGroupRuleId", NULL));
FIELDS(ec2_revoke_security_group_ingress_out_fields, ec2_revoke_security_group_ingress_out,
       BOOL_F(ec2_revoke_security_group_ingress_out, done, NULL, "return"),
       LIST_F(ec2_revoke_security_group_ingress_out, unknown, ec2_ip_permissions, NULL,
              "unknownIpPermissionSet", permission_fields));

/* --- key pairs --- */

FIELDS(ec2_create_key_pair_in_fields, ec2_create_key_pair_in,
       STR_REQ(ec2_create_key_pair_in, name, "KeyName"),
       STR_F(ec2_create_key_pair_in, type, "KeyType", NULL), TAG_SPECS_F(ec2_create_key_pair_in),
       STR_F(ec2_create_key_pair_in, format, "KeyFormat", NULL));
FIELDS(ec2_create_key_pair_out_fields, ec2_create_key_pair_out,
       STR_F(ec2_create_key_pair_out, id, NULL, "keyPairId"), TAG_SET_OUT(ec2_create_key_pair_out),
       STR_F(ec2_create_key_pair_out, name, NULL, "keyName"),
       STR_F(ec2_create_key_pair_out, fingerprint, NULL, "keyFingerprint"),
       STR_F(ec2_create_key_pair_out, material, NULL, "keyMaterial"));

FIELDS(ec2_import_key_pair_in_fields, ec2_import_key_pair_in, TAG_SPECS_F(ec2_import_key_pair_in),
       STR_REQ(ec2_import_key_pair_in, name, "KeyName"),
       BLOB_REQ(ec2_import_key_pair_in, public_key, "PublicKeyMaterial"));
FIELDS(ec2_import_key_pair_out_fields, ec2_import_key_pair_out,
       STR_F(ec2_import_key_pair_out, fingerprint, NULL, "keyFingerprint"),
       STR_F(ec2_import_key_pair_out, name, NULL, "keyName"),
       STR_F(ec2_import_key_pair_out, id, NULL, "keyPairId"), TAG_SET_OUT(ec2_import_key_pair_out));

FIELDS(ec2_delete_key_pair_in_fields, ec2_delete_key_pair_in,
       STR_F(ec2_delete_key_pair_in, name, "KeyName", NULL),
       STR_F(ec2_delete_key_pair_in, id, "KeyPairId", NULL));
FIELDS(ec2_delete_key_pair_out_fields, ec2_delete_key_pair_out,
       BOOL_F(ec2_delete_key_pair_out, done, NULL, "return"),
       STR_F(ec2_delete_key_pair_out, id, NULL, "keyPairId"));

FIELDS(ec2_describe_key_pairs_in_fields, ec2_describe_key_pairs_in,
       STRS_F(ec2_describe_key_pairs_in, names, "KeyName", NULL),
       STRS_F(ec2_describe_key_pairs_in, ids, "KeyPairId", NULL),
       BOOL_F(ec2_describe_key_pairs_in, include_public_key, "IncludePublicKey", NULL),
       FILTERS_F(ec2_describe_key_pairs_in));
FIELDS_STATIC(key_pair_fields, ec2_key_pair, STR_F(ec2_key_pair, id, NULL, "keyPairId"),
              STR_F(ec2_key_pair, type, NULL, "keyType"), TAG_SET_OUT(ec2_key_pair),
              STR_F(ec2_key_pair, public_key, NULL, "publicKey"),
              TIME_F(ec2_key_pair, created_unix_ms, NULL, "createTime"),
              STR_F(ec2_key_pair, name, NULL, "keyName"),
              STR_F(ec2_key_pair, fingerprint, NULL, "keyFingerprint"));
FIELDS(ec2_describe_key_pairs_out_fields, ec2_describe_key_pairs_out,
       LIST_OUT(ec2_describe_key_pairs_out, pairs, ec2_key_pairs, "keySet", key_pair_fields));

/* --- tags --- */

FIELDS(ec2_create_tags_in_fields, ec2_create_tags_in,
       STRS_REQ(ec2_create_tags_in, resource_ids, "ResourceId"),
       LIST_REQ(ec2_create_tags_in, tags, ec2_tags, "Tag", ec2_tag_fields));
FIELDS(ec2_create_tags_out_fields, ec2_create_tags_out,
       BOOL_F(ec2_create_tags_out, done, NULL, "return"));

FIELDS(ec2_delete_tags_in_fields, ec2_delete_tags_in,
       STRS_REQ(ec2_delete_tags_in, resource_ids, "ResourceId"),
       LIST_F(ec2_delete_tags_in, tags, ec2_tags, "Tag", NULL, ec2_tag_fields));
FIELDS(ec2_delete_tags_out_fields, ec2_delete_tags_out,
       BOOL_F(ec2_delete_tags_out, done, NULL, "return"));

FIELDS(ec2_describe_tags_in_fields, ec2_describe_tags_in, FILTERS_F(ec2_describe_tags_in),
       PAGING_F(ec2_describe_tags_in));
FIELDS_STATIC(resource_tag_fields, ec2_resource_tag, STR_F(ec2_resource_tag, key, NULL, "key"),
              STR_F(ec2_resource_tag, resource_id, NULL, "resourceId"),
              STR_F(ec2_resource_tag, resource_type, NULL, "resourceType"),
              STR_F(ec2_resource_tag, value, NULL, "value"));
FIELDS(ec2_describe_tags_out_fields, ec2_describe_tags_out,
       LIST_OUT(ec2_describe_tags_out, tags, ec2_resource_tags, "tagSet", resource_tag_fields),
       NEXT_TOKEN_OUT(ec2_describe_tags_out));
