#include "plan/nodeset.h"
#include "base/units.h"

#include <inttypes.h>

static bool is_alpha(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name_byte(char c) {
    return is_alpha(c) || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static bool name_ok(struct str name) {
    if (name.len == 0 || name.len > NAME_BYTES_MAX || !is_alpha(name.ptr[0]))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!is_name_byte(name.ptr[i]))
            return false;
    return true;
}

bool nodeset_role_name_ok(struct str name) {
    return name_ok(name) && !str_equal(name, STR("all")) && !str_equal(name, STR("state")) &&
           !str_equal(name, STR("zone"));
}

struct parser {
    struct str text;
    struct nodeset set;
    size_t at; /* where the current piece starts */
};

static int add_part(struct parser *p, struct nodeset_part part, struct err *err) {
    if (p->set.count == NODESET_PARTS_MAX)
        return err_set(err, ERR_LIMIT, "a nodeset has at most %d parts", NODESET_PARTS_MAX);
    p->set.parts[p->set.count++] = part;
    return 0;
}

static int parse_index(struct str text, uint32_t *ret, struct err *err) {
    uint64_t value;
    if (units_u64(text, &value, NULL) < 0)
        return err_set(err, ERR_PARSE, "not a node number: \"%.*s\" (write db:0-3,7)",
                       STR_ARG(text));
    if (value > NODESET_INDEX_MAX)
        return err_set(err, ERR_LIMIT, "node number beyond %d: \"%.*s\"", NODESET_INDEX_MAX,
                       STR_ARG(text));
    *ret = (uint32_t)value;
    return 0;
}

/* "0-3,7" behind "db:". */
static int parse_indexes(struct parser *p, struct str name, struct str list, struct err *err) {
    struct str piece;
    if (list.len == 0)
        return err_set(err, ERR_PARSE, "a node number is missing after \"%.*s:\"", STR_ARG(name));
    if (list.ptr[list.len - 1] == ',')
        return err_set(err, ERR_PARSE, "a node number is missing after the last comma");
    while (str_split(&list, ',', &piece)) {
        struct nodeset_part part = {.kind = NODESET_ROLE, .name = name};
        p->at = (size_t)(piece.ptr - p->text.ptr);
        size_t dash = str_index_of(piece, '-');
        TRY(parse_index(str_slice(piece, 0, dash), &part.first, err));
        part.last = part.first;
        if (dash < piece.len)
            TRY(parse_index(str_skip(piece, dash + 1), &part.last, err));
        if (part.last < part.first)
            return err_set(err, ERR_PARSE, "the range runs backwards: \"%.*s\"", STR_ARG(piece));
        TRY(add_part(p, part, err));
    }
    return 0;
}

static int parse_piece(struct parser *p, struct str piece, struct err *err) {
    size_t colon = str_index_of(piece, ':');
    struct str name = str_slice(piece, 0, colon);
    if (str_equal(piece, STR("all")))
        return add_part(p, (struct nodeset_part){.kind = NODESET_ALL, .last = NODESET_INDEX_MAX},
                        err);
    if (!name_ok(name))
        return err_set(err, ERR_PARSE,
                       "not a nodeset: \"%.*s\" (write db, db:0-3,7, all, or db+client)",
                       STR_ARG(piece));
    bool state = str_equal(name, STR("state")), zone = str_equal(name, STR("zone"));
    if (state || zone) {
        struct str value = str_skip(piece, colon + 1);
        if (!name_ok(value))
            return err_set(err, ERR_PARSE, "\"%.*s:\" needs a name behind it", STR_ARG(name));
        return add_part(
            p, (struct nodeset_part){.kind = state ? NODESET_STATE : NODESET_ZONE, .name = value},
            err);
    }
    if (str_equal(name, STR("all")))
        return err_set(err, ERR_PARSE, "\"all\" takes no numbers");
    if (colon == piece.len)
        return add_part(
            p, (struct nodeset_part){.kind = NODESET_ROLE, .name = name, .last = NODESET_INDEX_MAX},
            err);
    return parse_indexes(p, name, str_skip(piece, colon + 1), err);
}

static int parse_all(struct parser *p, struct err *err) {
    struct str rest = p->text, piece;
    if (str_trim(rest).len == 0)
        return err_set(err, ERR_PARSE, "the nodeset is empty");
    if (rest.ptr[rest.len - 1] == '+')
        return err_set(err, ERR_PARSE, "a nodeset is missing after the last +");
    while (str_split(&rest, '+', &piece)) {
        piece = str_trim(piece);
        if (piece.ptr)
            p->at = (size_t)(piece.ptr - p->text.ptr);
        TRY(parse_piece(p, piece, err));
    }
    return 0;
}

int nodeset_parse(struct str text, struct nodeset *ret, size_t *ret_at, struct err *err) {
    struct parser p = {.text = text};
    must(ret != NULL);
    int result = parse_all(&p, err);
    if (result < 0) {
        if (ret_at)
            *ret_at = MIN(p.at, text.len);
        return result;
    }
    must(p.set.count > 0);
    *ret = p.set;
    return 0;
}

bool nodeset_has(const struct nodeset *set, const struct nodeset_node *node) {
    must(set->count <= NODESET_PARTS_MAX);
    for (uint32_t i = 0; i < set->count; i++) {
        const struct nodeset_part *part = &set->parts[i];
        bool hit = false;
        switch (part->kind) {
        case NODESET_ALL:
            hit = true;
            break;
        case NODESET_ROLE:
            hit = str_equal(part->name, node->role) && node->index >= part->first &&
                  node->index <= part->last;
            break;
        case NODESET_STATE:
            hit = str_equal(part->name, node->state);
            break;
        case NODESET_ZONE:
            hit = str_equal(part->name, node->zone);
            break;
        }
        if (hit)
            return true;
    }
    return false;
}

static void add_span(struct buf *b, uint32_t first, uint32_t last) {
    buf_printf(b, "%" PRIu32, first);
    if (last > first)
        buf_printf(b, "-%" PRIu32, last);
}

static bool is_whole(const struct nodeset_part *part) {
    return part->first == 0 && part->last == NODESET_INDEX_MAX;
}

void nodeset_add_text(struct buf *b, const struct nodeset *set) {
    for (uint32_t i = 0; i < set->count; i++) {
        const struct nodeset_part *part = &set->parts[i];
        const struct nodeset_part *before = i ? part - 1 : NULL;
        if (part->kind == NODESET_ROLE && before && before->kind == NODESET_ROLE &&
            !is_whole(part) && !is_whole(before) && str_equal(part->name, before->name)) {
            buf_add_byte(b, ',');
            add_span(b, part->first, part->last);
            continue;
        }
        if (i)
            buf_add_byte(b, '+');
        switch (part->kind) {
        case NODESET_ALL:
            buf_add_text(b, "all");
            break;
        case NODESET_STATE:
        case NODESET_ZONE:
            buf_add_text(b, part->kind == NODESET_STATE ? "state:" : "zone:");
            buf_add_str(b, part->name);
            break;
        case NODESET_ROLE:
            buf_add_str(b, part->name);
            if (!is_whole(part)) {
                buf_add_byte(b, ':');
                add_span(b, part->first, part->last);
            }
            break;
        }
    }
}

void nodeset_add_folded(struct buf *b, struct str role, const uint32_t *indexes, size_t count) {
    if (count == 0)
        return;
    buf_add_str(b, role);
    buf_add_byte(b, ':');
    for (size_t i = 0; i < count;) {
        size_t end = i;
        while (end + 1 < count && indexes[end + 1] == indexes[end] + 1)
            end++;
        must(end + 1 == count || indexes[end + 1] > indexes[end]);
        if (i)
            buf_add_byte(b, ',');
        add_span(b, indexes[i], indexes[end]);
        i = end + 1;
    }
}
