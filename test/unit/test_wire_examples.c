/* Requests that a real SDK sent (captured, outside of this repository): our decoder takes every one
 * of the calls that the cloud offers. Where the captures are not there, the test says so. */
#include "unit.h"

#include "codec/ec2.h"
#include "os/file.h"

#include <dirent.h>
#include <stdlib.h>

#define EXAMPLE_BYTES_MAX (1 * MIB)

/* The captures have one parameter per line; on the wire '&' stands between them. */
static struct str body_of(struct str text, struct buf *body) {
    struct str line;
    bool inside = false;
    while (str_split(&text, '\n', &line)) {
        if (str_starts_with(line, STR("--- response")))
            break;
        inside = inside || str_starts_with(line, STR("Action="));
        if (!inside || line.len == 0)
            continue;
        if (body->len > 0)
            buf_add_byte(body, '&');
        buf_add_str(body, line);
    }
    return buf_str(body);
}

static const char *shared(void) {
    static char path[512];
    const char *root = getenv("DAYFLY_SHARED_DATA");
    snprintf(path, sizeof path, "%s/wire-examples", root ? root : "");
    DIR *dir = root ? opendir(path) : NULL;
    if (!dir) {
        print_message("skipped: DAYFLY_SHARED_DATA has no wire-examples\n");
        skip();
    }
    closedir(dir);
    return path;
}

/* Action names of calls that the cloud has, and how often each was captured. */
struct seen {
    unsigned by_action[EC2_ACTION_COUNT];
    unsigned files, refused;
};

static void look_at_request(struct seen *seen, const char *name, struct str text) {
    CLEANUP(buf_deinit) struct buf body = BUF_INIT(EXAMPLE_BYTES_MAX);
    struct arena arena = {0};
    struct ec2_request request;
    struct ec2_fault fault;
    struct str bytes = body_of(text, &body);
    int result = ec2_request_decode(bytes, &arena, &request, &fault);
    if (result == 0) {
        seen->by_action[request.action]++;
    } else if (strcmp(fault.code, "InvalidAction") != 0) {
        seen->refused++;
        print_message("%s: %s: %s\n", name, fault.code, fault.message);
    }
    arena_deinit(&arena);
}

/* What was answered with 200 must be readable as a reply of that call. */
static void look_at_reply(struct seen *seen, const char *name, struct str text) {
    CLEANUP(buf_deinit) struct buf body = BUF_INIT(EXAMPLE_BYTES_MAX);
    struct arena arena = {0};
    struct ec2_request request;
    struct ec2_reply reply;
    struct ec2_fault fault;
    struct err err = {0};
    const char *xml = memmem(text.ptr, text.len, "<?xml", 5);
    if (!xml || !str_contains(text, STR("--- response 200")))
        return;
    if (ec2_request_decode(body_of(text, &body), &arena, &request, &fault) == 0 &&
        ec2_reply_decode(request.action, str_skip(text, (size_t)(xml - text.ptr)), &arena, &reply,
                         &fault, &err) < 0) {
        seen->refused++;
        print_message("%s: reply: %s\n", name, err.text);
    }
    arena_deinit(&arena);
}

static void look_at_all(struct seen *seen, void (*look)(struct seen *, const char *, struct str)) {
    const char *path = shared();
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir));) {
        char file[1024];
        CLEANUP(buf_deinit) struct buf text = BUF_INIT(EXAMPLE_BYTES_MAX);
        if (!str_contains(str_from(entry->d_name), STR("-ec2-")))
            continue;
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        assert_int_equal(file_read(file, &text, NULL), 0);
        seen->files++;
        look(seen, entry->d_name, buf_str(&text));
    }
    closedir(dir);
}

static void every_captured_request_of_a_known_call_is_taken(void **state) {
    (void)state;
    struct seen seen = {0};
    unsigned calls = 0;
    look_at_all(&seen, look_at_request);
    for (unsigned i = 0; i < EC2_ACTION_COUNT; i++)
        calls += seen.by_action[i] > 0;
    assert_true(seen.files >= 70);
    assert_true(calls >= 30);
    assert_int_equal(seen.refused, 0);
}

static void every_captured_reply_of_a_known_call_is_read(void **state) {
    (void)state;
    struct seen seen = {0};
    look_at_all(&seen, look_at_reply);
    assert_int_equal(seen.refused, 0);
}

UNIT_MAIN(T(every_captured_request_of_a_known_call_is_taken),
          T(every_captured_reply_of_a_known_call_is_read))
