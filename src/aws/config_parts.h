/* config_parts.h - what the files of aws/ share about configuration; nobody else includes it. */
#ifndef AWS_CONFIG_PARTS_H
#define AWS_CONFIG_PARTS_H

#include "aws/config.h"

#define AWS_CONFIG_BYTES_MAX (1 * MIB) /* a config file; larger is a mistake */

/* The variable's value, or the empty view. */
struct str aws_environment_get(const struct aws_environment *environment, const char *name);
/* "localhost", 127.0.0.0/8 and ::1, as text. */
bool aws_host_is_loopback(struct str host);

#endif
