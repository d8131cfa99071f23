/* outbox.h - results until the head has said that it has them.
 *
 * Numbers results from 1 without gaps, keeps their bytes in order, forgets them at an
 * acknowledgement.  After a new join sending starts again behind what the head has.
 * Tests: test/unit/test_outbox.c
 */
#ifndef OUTBOX_H
#define OUTBOX_H

#include "base/base.h"
#include "base/str.h"

struct outbox_entry {
    struct outbox_entry *next;
    uint64_t seq;
    size_t size;
    char bytes[];
};

struct outbox {
    struct outbox_entry *first, *last;
    struct outbox_entry *unsent; /* first that was not sent on this link */
    uint64_t last_seq;           /* given out */
    uint64_t acked_seq;
    size_t bytes;
};

/* A zeroed struct is a valid empty outbox. */
void outbox_deinit(struct outbox *o);
/* The number of the result to be added next. */
uint64_t outbox_next_seq(const struct outbox *o);
/* Add the encoded result with that number. */
void outbox_add(struct outbox *o, struct str bytes);
/* Forget all up to `seq`; false, and nothing changed, when that was never given out. */
NODISCARD bool outbox_ack(struct outbox *o, uint64_t seq);
/* A new link: all that is left is unsent. */
void outbox_rewind(struct outbox *o);
/* The next to send, or NULL; outbox_sent moves on. */
const struct outbox_entry *outbox_peek(const struct outbox *o);
void outbox_sent(struct outbox *o);

#endif
