#include "cloud/catalog.h"

/* Regions, their zone letters and the prefix of zone ids, as DescribeAvailabilityZones lists them.
 */
const struct catalog_region catalog_regions[] = {
    {"ap-northeast-1", "acd", "apne1"}, {"ap-northeast-2", "abcd", "apne2"},
    {"ap-south-1", "abc", "aps1"},      {"ap-southeast-1", "abc", "apse1"},
    {"ap-southeast-2", "abc", "apse2"}, {"ca-central-1", "abd", "cac1"},
    {"eu-central-1", "abc", "euc1"},    {"eu-north-1", "abc", "eun1"},
    {"eu-west-1", "abc", "euw1"},       {"eu-west-2", "abc", "euw2"},
    {"eu-west-3", "abc", "euw3"},       {"sa-east-1", "abc", "sae1"},
    {"us-east-1", "abcdef", "use1"},    {"us-east-2", "abc", "use2"},
    {"us-west-1", "ac", "usw1"},        {"us-west-2", "abcd", "usw2"},
};
const size_t catalog_region_count = ARRAY_LEN(catalog_regions);

const struct catalog_type *catalog_find(struct str name) {
    size_t low = 0;
    size_t high = catalog_type_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_compare(str_from(catalog_types[middle].name), name);
        if (order == 0)
            return &catalog_types[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const char *catalog_arch_name(enum catalog_arch arch) {
    must(arch == CATALOG_X86_64 || arch == CATALOG_ARM64);
    return arch == CATALOG_ARM64 ? "arm64" : "x86_64";
}

const struct catalog_region *catalog_region_find(struct str name) {
    for (size_t i = 0; i < catalog_region_count; i++)
        if (str_equal(str_from(catalog_regions[i].name), name))
            return &catalog_regions[i];
    return NULL;
}
