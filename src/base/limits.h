/* limits.h - every maximum that more than one folder must agree on, with its reason. */
#ifndef LIMITS_H
#define LIMITS_H

#include "base/base.h"

#define NODES_MAX 10000      /* one head; the scale goal of the design */
#define SLOTS_MAX 12000      /* nodes plus spares and replacements wanted at one time */
#define ROLES_MAX 64         /* of a plan; people read the list */
#define PHASES_MAX 256       /* of a plan, after repetition */
#define THRESHOLDS_MAX 256   /* of a plan */
#define REQUESTS_MAX 200     /* named requests of a phase; more are folded into "other" */
#define POOLS_MAX 64         /* instance type x zone considered for one role */
#define INTENTS_MAX 4096     /* calls that cost money, per run */
#define NAME_BYTES_MAX 40    /* plan, role, phase and request names */
#define TOKEN_BYTES_MAX 64   /* client token: EC2's limit, ASCII */
#define INSTANCE_ID_BYTES 24 /* "i-" + 17 hex digits + NUL, rounded up */
#define USER_DATA_BYTES_MAX (16 * 1024)    /* raw, before base64: EC2's limit */
#define PLAN_BYTES_MAX (1 * 1024 * 1024)   /* a plan file; larger is a mistake */
#define FRAME_BYTES_MAX (1 * 1024 * 1024)  /* one message between head and agent */
#define REPLY_BYTES_MAX (16 * 1024 * 1024) /* one reply of an AWS service */

_Static_assert(SLOTS_MAX >= NODES_MAX, "every node has a slot");

#endif
