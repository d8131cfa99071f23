/* ec2_tables.h - the field tables of EC2, one file per theme; for ec2.c and those files only. */
#ifndef EC2_TABLES_H
#define EC2_TABLES_H

#include "codec/ec2.h"
#include "codec/fields.h"

/* shared */
extern const struct fields ec2_tag_fields;
extern const struct fields ec2_tag_spec_fields;
extern const struct fields ec2_filter_fields;
extern const struct fields ec2_reason_fields;

/* of a launch: instances, templates, fleets */
extern const struct fields ec2_block_device_fields;
extern const struct fields ec2_interface_spec_fields;
extern const struct fields ec2_placement_fields;
extern const struct fields ec2_profile_fields;
extern const struct fields ec2_metadata_options_fields;
extern const struct fields ec2_market_fields;
extern const struct fields ec2_template_ref_fields;

/* Parameters and reply of each call: ec2_run_instances_in_fields, ec2_run_instances_out_fields. */
#define EC2_ACTION_TABLES(name, wire, member)            \
    extern const struct fields ec2_##member##_in_fields; \
    extern const struct fields ec2_##member##_out_fields;
EC2_ACTION_MAP(EC2_ACTION_TABLES)
#undef EC2_ACTION_TABLES

/* Members that many requests have, under these names. */
#define FILTERS_F(s) LIST_F(s, filters, ec2_filters, "Filter", NULL, ec2_filter_fields)
#define PAGING_F(s) \
    INT_F(s, max_results, "MaxResults", NULL), STR_F(s, next_token, "NextToken", NULL)
#define NEXT_TOKEN_OUT(s) STR_F(s, next_token, NULL, "nextToken")
#define TAG_SPECS_F(s)                                                             \
    LIST_F(s, tag_specs, ec2_tag_specs, "TagSpecification", "tagSpecificationSet", \
           ec2_tag_spec_fields)
#define TAG_SET_OUT(s) LIST_F(s, tags, ec2_tags, NULL, "tagSet", ec2_tag_fields)

#endif
