#include "node/outbox.h"

void outbox_deinit(struct outbox *o) {
    while (o->first != NULL) {
        struct outbox_entry *next = o->first->next;
        mem_free(o->first);
        o->first = next;
    }
    *o = (struct outbox){0};
}

uint64_t outbox_next_seq(const struct outbox *o) {
    return o->last_seq + 1;
}

void outbox_add(struct outbox *o, struct str bytes) {
    struct outbox_entry *entry = mem_new(sizeof *entry + bytes.len);
    entry->seq = ++o->last_seq;
    entry->size = bytes.len;
    memcpy(entry->bytes, bytes.ptr, bytes.len);
    if (o->last != NULL)
        o->last->next = entry;
    else
        o->first = entry;
    o->last = entry;
    if (o->unsent == NULL)
        o->unsent = entry;
    o->bytes += bytes.len;
}

bool outbox_ack(struct outbox *o, uint64_t seq) {
    if (seq > o->last_seq)
        return false;
    while (o->first != NULL && o->first->seq <= seq) {
        struct outbox_entry *entry = o->first;
        if (o->unsent == entry)
            o->unsent = entry->next;
        o->first = entry->next;
        o->bytes -= entry->size;
        mem_free(entry);
    }
    if (o->first == NULL)
        o->last = NULL;
    o->acked_seq = MAX(o->acked_seq, seq);
    return true;
}

void outbox_rewind(struct outbox *o) {
    o->unsent = o->first;
}

const struct outbox_entry *outbox_peek(const struct outbox *o) {
    return o->unsent;
}

void outbox_sent(struct outbox *o) {
    must(o->unsent != NULL);
    o->unsent = o->unsent->next;
}
