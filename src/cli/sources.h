/* sources.h - every place where something of ours may be up: AWS and the rehearsals here. */
#ifndef SOURCES_H
#define SOURCES_H

#include "cli/session.h"
#include "head/fleets.h"

struct source {
    char name[96]; /* "us-east-1", "rehearsal 3f2a" */
    struct aws_config aws;
    struct emu_endpoint *cloud; /* NULL: AWS */
    struct fleets fleets;
};

struct sources {
    struct source *items;
    size_t count;
    unsigned failed; /* places that could not be asked: what they hold is unknown, not nothing */
};

/* Find the places and list them.  With --endpoint-url only that one; otherwise every rehearsal
 * cloud of this machine and, when there are credentials, AWS.  Failures are said on stderr.
 * Memory is the session's. */
void sources_find(struct session *s, struct sources *ret_sources);

#endif
