#include "codec/ec2_tables.h"

FIELDS(ec2_tag_fields, ec2_tag, STR_F(ec2_tag, key, "Key", "key"),
       STR_F(ec2_tag, value, "Value", "value"));

FIELDS(ec2_tag_spec_fields, ec2_tag_spec,
       STR_F(ec2_tag_spec, resource_type, "ResourceType", "resourceType"),
       LIST_F(ec2_tag_spec, tags, ec2_tags, "Tag", "tagSet", ec2_tag_fields));

FIELDS(ec2_filter_fields, ec2_filter, STR_F(ec2_filter, name, "Name", NULL),
       STRS_F(ec2_filter, values, "Value", NULL));

FIELDS(ec2_reason_fields, ec2_reason, STR_F(ec2_reason, code, NULL, "code"),
       STR_F(ec2_reason, message, NULL, "message"));
