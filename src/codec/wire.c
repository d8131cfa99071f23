#include "codec/wire.h"

#include "codec/wire_table.h"

/* protobuf-c takes its memory from the caller's arena, which has a limit: a frame that wants more
 * fails to parse. */
static void *wire_alloc(void *data, size_t size) {
    return arena_try(data, size);
}

static void wire_unalloc(void *data, void *ptr) {
    (void)data;
    (void)ptr; /* the arena ends all at once */
}

static const ProtobufCFieldDescriptor *wire_field_of(const struct wire_table *table,
                                                     const struct wire_field *field) {
    const ProtobufCFieldDescriptor *found =
        protobuf_c_message_descriptor_get_field_by_name(table->descriptor, field->name);
    must(found != NULL);
    return found;
}

static int wire_refuse_field(const struct wire_table *table, const struct wire_field *field,
                             const char *what, struct err *err) {
    return err_set(err, ERR_LIMIT, "%s.%s %s", table->descriptor->short_name, field->name, what);
}

static int wire_check_size(const struct wire_table *table, const struct wire_field *field,
                           uint64_t value, struct err *err) {
    if (value < field->min)
        return wire_refuse_field(table, field, "is missing or too small", err);
    if (value > field->max)
        return wire_refuse_field(table, field, "is too large", err);
    return 0;
}

/* Text is one line that a terminal can show: no control characters. */
static int wire_check_text(const struct wire_table *table, const struct wire_field *field,
                           struct str text, struct err *err) {
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return wire_refuse_field(table, field, "has a control character", err);
    return 0;
}

static void *wire_at(void *base, size_t offset) {
    return (char *)base + offset;
}

static const void *wire_in(const void *base, size_t offset) {
    return (const char *)base + offset;
}

static int wire_encode_table(const struct wire_table *table, const void *plain, struct arena *arena,
                             ProtobufCMessage **ret_message, struct err *err);
static int wire_decode_table(const struct wire_table *table, const ProtobufCMessage *message,
                             struct arena *arena, void *plain, struct err *err);

static int wire_encode_str(const struct wire_table *table, const struct wire_field *field,
                           const ProtobufCFieldDescriptor *form, struct str value,
                           struct arena *arena, void *into, struct err *err) {
    if (form->type == PROTOBUF_C_TYPE_STRING) {
        TRY(wire_check_text(table, field, value, err));
        *(char **)into = arena_text(arena, value);
    } else {
        *(ProtobufCBinaryData *)into = (ProtobufCBinaryData){
            .len = value.len, .data = (uint8_t *)(uintptr_t)(value.ptr ? value.ptr : "")};
    }
    return 0;
}

static int wire_encode_list(const struct wire_table *table, const struct wire_field *field,
                            const ProtobufCFieldDescriptor *form, const void *plain,
                            struct arena *arena, void *message, struct err *err) {
    size_t count = *(const size_t *)wire_in(plain, field->count_offset);
    const void *items = *(const void *const *)wire_in(plain, field->offset);
    TRY(wire_check_size(table, field, count, err));
    *(size_t *)wire_at(message, form->quantifier_offset) = count;
    size_t size = form->type == PROTOBUF_C_TYPE_BYTES ? sizeof(ProtobufCBinaryData) : 8;
    void *list = arena_new_array(arena, count, size);
    *(void **)wire_at(message, form->offset) = list;
    for (size_t i = 0; i < count; i++) {
        if (form->type == PROTOBUF_C_TYPE_UINT64) {
            ((uint64_t *)list)[i] = ((const uint64_t *)items)[i];
        } else if (form->type == PROTOBUF_C_TYPE_MESSAGE) {
            TRY(wire_encode_table(field->sub, wire_in(items, i * field->sub->size), arena,
                                  &((ProtobufCMessage **)list)[i], err));
        } else {
            struct str value = ((const struct str *)items)[i];
            if (value.len > field->item_max)
                return wire_refuse_field(table, field, "has an entry that is too long", err);
            TRY(wire_encode_str(table, field, form, value, arena, wire_at(list, i * size), err));
        }
    }
    return 0;
}

static int wire_encode_sub(const struct wire_field *field, const void *from, struct arena *arena,
                           void *into, struct err *err) {
    const void *plain = field->by_pointer ? *(const void *const *)from : from;
    if (plain == NULL)
        return 0;
    return wire_encode_table(field->sub, plain, arena, into, err);
}

/* A number is the same in a plain struct and in a message; unsigned ones have a bound. */
static int wire_copy_number(const struct wire_table *table, const struct wire_field *field,
                            const ProtobufCFieldDescriptor *form, const void *from, void *into,
                            struct err *err) {
    switch ((int)form->type) {
    case PROTOBUF_C_TYPE_UINT32:
        *(uint32_t *)into = *(const uint32_t *)from;
        return wire_check_size(table, field, *(const uint32_t *)from, err);
    case PROTOBUF_C_TYPE_UINT64:
        *(uint64_t *)into = *(const uint64_t *)from;
        return wire_check_size(table, field, *(const uint64_t *)from, err);
    case PROTOBUF_C_TYPE_INT32:
        *(int32_t *)into = *(const int32_t *)from;
        return 0;
    default:
        must(form->type == PROTOBUF_C_TYPE_INT64);
        *(int64_t *)into = *(const int64_t *)from;
        return 0;
    }
}

static int wire_encode_field(const struct wire_table *table, const struct wire_field *field,
                             const void *plain, struct arena *arena, void *message,
                             struct err *err) {
    const ProtobufCFieldDescriptor *form = wire_field_of(table, field);
    const void *from = wire_in(plain, field->offset);
    void *into = wire_at(message, form->offset);
    if (form->label == PROTOBUF_C_LABEL_REPEATED)
        return wire_encode_list(table, field, form, plain, arena, message, err);
    switch ((int)form->type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_INT64:
        return wire_copy_number(table, field, form, from, into, err);
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)into = *(const bool *)from;
        return 0;
    case PROTOBUF_C_TYPE_MESSAGE:
        return wire_encode_sub(field, from, arena, into, err);
    default:
        must(form->type == PROTOBUF_C_TYPE_STRING || form->type == PROTOBUF_C_TYPE_BYTES);
        TRY(wire_check_size(table, field, ((const struct str *)from)->len, err));
        return wire_encode_str(table, field, form, *(const struct str *)from, arena, into, err);
    }
}

static int wire_encode_table(const struct wire_table *table, const void *plain, struct arena *arena,
                             ProtobufCMessage **ret_message, struct err *err) {
    must(table->count == table->descriptor->n_fields); /* table and schema say the same */
    ProtobufCMessage *message = arena_new(arena, table->descriptor->sizeof_message);
    protobuf_c_message_init(table->descriptor, message);
    for (size_t i = 0; i < table->count; i++)
        TRY(wire_encode_field(table, &table->fields[i], plain, arena, message, err));
    *ret_message = message;
    return 0;
}

static struct str wire_decode_str(const ProtobufCFieldDescriptor *form, const void *from) {
    if (form->type == PROTOBUF_C_TYPE_STRING)
        return str_from(*(char *const *)from);
    const ProtobufCBinaryData *bytes = from;
    return (struct str){(const char *)bytes->data, bytes->len};
}

static int wire_decode_list(const struct wire_table *table, const struct wire_field *field,
                            const ProtobufCFieldDescriptor *form, const void *message,
                            struct arena *arena, void *plain, struct err *err) {
    size_t count = *(const size_t *)wire_in(message, form->quantifier_offset);
    void *list = *(void *const *)wire_in(message, form->offset);
    TRY(wire_check_size(table, field, count, err));
    size_t size = form->type == PROTOBUF_C_TYPE_MESSAGE  ? field->sub->size
                  : form->type == PROTOBUF_C_TYPE_UINT64 ? sizeof(uint64_t)
                                                         : sizeof(struct str);
    char *items = arena_try(arena, MAX(count, (size_t)1) * size);
    if (items == NULL)
        return wire_refuse_field(table, field, "is too large", err);
    for (size_t i = 0; i < count; i++) {
        if (form->type == PROTOBUF_C_TYPE_UINT64) {
            ((uint64_t *)items)[i] = ((const uint64_t *)list)[i];
        } else if (form->type == PROTOBUF_C_TYPE_MESSAGE) {
            TRY(wire_decode_table(field->sub, ((ProtobufCMessage *const *)list)[i], arena,
                                  items + i * size, err));
        } else {
            size_t form_size =
                form->type == PROTOBUF_C_TYPE_BYTES ? sizeof(ProtobufCBinaryData) : sizeof(char *);
            struct str value = wire_decode_str(form, wire_in(list, i * form_size));
            if (value.len > field->item_max)
                return wire_refuse_field(table, field, "has an entry that is too long", err);
            if (form->type == PROTOBUF_C_TYPE_STRING)
                TRY(wire_check_text(table, field, value, err));
            ((struct str *)items)[i] = value;
        }
    }
    *(void **)wire_at(plain, field->offset) = items;
    *(size_t *)wire_at(plain, field->count_offset) = count;
    return 0;
}

static int wire_decode_sub(const struct wire_table *table, const struct wire_field *field,
                           const ProtobufCMessage *message, struct arena *arena, void *into,
                           struct err *err) {
    if (message == NULL && !field->by_pointer)
        return wire_refuse_field(table, field, "is missing", err);
    if (message == NULL)
        return 0;
    void *plain = into;
    if (field->by_pointer) {
        plain = arena_try(arena, field->sub->size);
        if (plain == NULL)
            return wire_refuse_field(table, field, "is too large", err);
        *(void **)into = plain;
    }
    return wire_decode_table(field->sub, message, arena, plain, err);
}

static int wire_decode_field(const struct wire_table *table, const struct wire_field *field,
                             const void *message, struct arena *arena, void *plain,
                             struct err *err) {
    const ProtobufCFieldDescriptor *form = wire_field_of(table, field);
    const void *from = wire_in(message, form->offset);
    void *into = wire_at(plain, field->offset);
    if (form->label == PROTOBUF_C_LABEL_REPEATED)
        return wire_decode_list(table, field, form, message, arena, plain, err);
    switch ((int)form->type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_INT64:
        return wire_copy_number(table, field, form, from, into, err);
    case PROTOBUF_C_TYPE_BOOL:
        *(bool *)into = *(const protobuf_c_boolean *)from != 0;
        return 0;
    case PROTOBUF_C_TYPE_MESSAGE:
        return wire_decode_sub(table, field, *(ProtobufCMessage *const *)from, arena, into, err);
    default: {
        struct str value = wire_decode_str(form, from);
        TRY(wire_check_size(table, field, value.len, err));
        if (form->type == PROTOBUF_C_TYPE_STRING)
            TRY(wire_check_text(table, field, value, err));
        *(struct str *)into = value;
        return 0;
    }
    }
}

static int wire_decode_table(const struct wire_table *table, const ProtobufCMessage *message,
                             struct arena *arena, void *plain, struct err *err) {
    must(table->count == table->descriptor->n_fields);
    for (size_t i = 0; i < table->count; i++)
        TRY(wire_decode_field(table, &table->fields[i], message, arena, plain, err));
    return 0;
}

bool wire_type_is_numbered(enum wire_type type) {
    switch (type) {
    case WIRE_JOIN:
    case WIRE_WELCOME:
    case WIRE_REFUSE:
    case WIRE_PING:
    case WIRE_PONG:
    case WIRE_HEARTBEAT:
    case WIRE_ACK:
    case WIRE_BYE:
        return false;
    default:
        return true;
    }
}

/* A relative path that stays beneath the directory that it is joined to. */
static bool wire_path_is_safe(struct str path) {
    struct str part;
    if (path.len == 0 || path.ptr[path.len - 1] == '/')
        return false;
    while (str_split(&path, '/', &part))
        if (part.len == 0 || str_equal(part, STR(".")) || str_equal(part, STR("..")))
            return false;
    return true;
}

static int wire_check_load(const struct wire_load *load, struct err *err) {
    bool http = str_starts_with(load->origin, STR("http://"));
    if (!http && !str_starts_with(load->origin, STR("https://")))
        return err_set(err, ERR_LIMIT, "Load.origin is not an http URL");
    if (load->shard_index >= load->shard_count)
        return err_set(err, ERR_LIMIT, "Load.shard_index is beyond shard_count");
    if (load->think_ns_min > load->think_ns_max)
        return err_set(err, ERR_LIMIT, "Load.think_ns_min is above think_ns_max");
    if ((load->stages_count > 0) == (load->users > 0))
        return err_set(err, ERR_LIMIT, "Load has not exactly one of stages and users");
    for (size_t i = 0; i < load->requests_count; i++)
        if (load->requests[i].status_min > load->requests[i].status_max)
            return err_set(err, ERR_LIMIT, "LoadRequest.status_min is above status_max");
    return 0;
}

/* What the field table cannot say; on encode and on decode. */
static int wire_check(const struct wire_message *m, struct err *err) {
    if (wire_type_is_numbered(m->type) != (m->seq != 0))
        return err_set(err, ERR_LIMIT, "%s has %s number", wire_type_name(m->type),
                       m->seq != 0 ? "a" : "no");
    if (m->type == WIRE_PHASE_PREPARE) {
        const struct wire_phase_prepare *p = &m->phase_prepare;
        if ((p->load != NULL) == (p->command.len > 0))
            return err_set(err, ERR_LIMIT, "PhasePrepare has not exactly one of command and load");
        if (p->load != NULL)
            TRY(wire_check_load(p->load, err));
    }
    if (m->type == WIRE_FILE && !wire_path_is_safe(m->file.path))
        return err_set(err, ERR_LIMIT, "File.path leads out of its directory");
    if (m->type == WIRE_FILE_CHUNK && m->file_chunk.sha256.len != (m->file_chunk.last ? 32u : 0u))
        return err_set(err, ERR_LIMIT, "FileChunk.sha256 has the wrong length");
    if (m->type == WIRE_SAMPLE && m->sample.from_ns > m->sample.until_ns)
        return err_set(err, ERR_LIMIT, "Sample ends before it starts");
    return 0;
}

int wire_encode(const struct wire_message *message, struct buf *into, struct err *err) {
    const struct wire_table *table = wire_table_get(message->type);
    const ProtobufCFieldDescriptor *body = protobuf_c_message_descriptor_get_field(
        &wire__message__descriptor, (unsigned)message->type);
    CLEANUP(arena_deinit) struct arena arena = {0};
    Wire__Message frame = WIRE__MESSAGE__INIT;
    TRY(wire_check(message, err));
    frame.seq = message->seq;
    frame.body_case = (Wire__Message__BodyCase)message->type;
    TRY(wire_encode_table(table, &message->join, &arena, wire_at(&frame, body->offset), err));
    size_t size = wire__message__get_packed_size(&frame);
    if (size > FRAME_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "%s is too long for one frame",
                       wire_type_name(message->type));
    char *room = buf_reserve(into, size);
    if (room == NULL)
        return err_set(err, ERR_LIMIT, "no room for a message of %zu bytes", size);
    must(wire__message__pack(&frame, (uint8_t *)room) == size);
    buf_commit(into, size);
    return 0;
}

int wire_decode(struct str frame, struct arena *arena, struct wire_message *ret_message,
                struct err *err) {
    struct err why = {0};
    struct wire_message message = {0};
    ProtobufCAllocator allocator = {
        .alloc = wire_alloc, .free = wire_unalloc, .allocator_data = arena};
    const Wire__Message *parsed =
        wire__message__unpack(&allocator, frame.len, (const uint8_t *)frame.ptr);
    if (parsed == NULL)
        return err_set(err, ERR_PROTOCOL, "not a message");
    if (parsed->body_case == WIRE__MESSAGE__BODY__NOT_SET)
        return err_set(err, ERR_PROTOCOL, "a message of no kind that we know");
    message.type = (enum wire_type)parsed->body_case;
    message.seq = parsed->seq;
    const ProtobufCFieldDescriptor *body =
        protobuf_c_message_descriptor_get_field(&wire__message__descriptor, (unsigned)message.type);
    const ProtobufCMessage *inner = *(ProtobufCMessage *const *)wire_in(parsed, body->offset);
    if (inner == NULL ||
        wire_decode_table(wire_table_get(message.type), inner, arena, &message.join, &why) < 0 ||
        wire_check(&message, &why) < 0)
        return err_set(err, ERR_PROTOCOL, "%s", why.text);
    *ret_message = message;
    return 0;
}
