#include "aws/client.h"

#include "aws/client_parts.h"
#include "codec/form.h"

/* A listing in progress; owned by the client. */
struct aws_list {
    struct aws_client *client;
    struct aws_list *next, *previous;
    enum ec2_action action;
    unsigned flags;
    char *body; /* of the first page; NextToken is appended for the others */
    size_t body_size;
    unsigned pages, pages_max;
    uint64_t *seen; /* hashes of the tokens so far */
    aws_ec2_page *page;
    aws_ec2_done *done;
    void *user;
};

static void list_unlink(struct aws_list *list) {
    if (list->previous)
        list->previous->next = list->next;
    else
        list->client->lists = list->next;
    if (list->next)
        list->next->previous = list->previous;
}

static void list_release(struct aws_list *own_list) {
    mem_free(own_list->body);
    mem_free(own_list->seen);
    mem_free(own_list);
}

void aws_list_free(struct aws_list *own_list) {
    list_unlink(own_list);
    list_release(own_list);
}

static void list_end(struct aws_list *list, const struct aws_result *result) {
    list_unlink(list);
    list->done(list->user, result, NULL);
    list_release(list);
}

static void list_on_page(void *user, const struct aws_result *result,
                         const struct ec2_reply *reply);

/* Ask for the page behind `token` (empty: the first). */
static void list_ask(struct aws_list *list, struct str token) {
    struct buf body;
    buf_init(&body, list->body_size + 3 * token.len + 64);
    buf_add(&body, list->body, list->body_size);
    if (token.len > 0)
        form_add(&body, STR("NextToken"), token);
    must(buf_ok(&body));
    struct aws_call *call =
        aws_ec2_call_body(list->client, list->action, buf_str(&body), list_on_page, list);
    call->flags = list->flags;
    buf_deinit(&body);
    aws_call_start(call);
}

/* Whether the token is new; it is remembered. */
static bool list_note_token(struct aws_list *list, struct str token) {
    uint64_t hash = str_hash(token);
    must(list->pages >= 1 && list->pages <= list->pages_max);
    for (unsigned i = 0; i + 1 < list->pages; i++)
        if (list->seen[i] == hash)
            return false;
    list->seen[list->pages - 1] = hash;
    return true;
}

static void list_fail(struct aws_list *list, const struct aws_result *from, enum err_code code,
                      const char *what) {
    struct aws_result result = *from;
    result.class = AWS_INVALID;
    err_set(&result.err, code, "%s: %s after %u pages", ec2_action_name(list->action).ptr, what,
            list->pages);
    list_end(list, &result);
}

static void list_on_page(void *user, const struct aws_result *result,
                         const struct ec2_reply *reply) {
    struct aws_list *list = user;
    if (result->class != AWS_OK) {
        list_end(list, result);
        return;
    }
    list->pages++;
    list->page(list->user, reply);
    struct str token = ec2_reply_next_token(reply);
    if (token.len == 0)
        list_end(list, result);
    else if (list->pages == list->pages_max)
        list_fail(list, result, ERR_LIMIT, "there is more");
    else if (!list_note_token(list, token))
        list_fail(list, result, ERR_PROTOCOL, "the same NextToken again");
    else
        list_ask(list, token);
}

void aws_ec2_list(struct aws_client *client, const struct ec2_request *request, unsigned flags,
                  unsigned pages_max, aws_ec2_page *page, aws_ec2_done *done, void *user) {
    must(pages_max >= 1 && page && done && !ec2_action_mutates(request->action));
    struct aws_list *list = mem_new(sizeof *list);
    struct buf body = BUF_INIT(1 * MIB);
    ec2_request_encode(request, &body);
    must(buf_ok(&body));
    list->client = client;
    list->action = request->action;
    list->flags = flags;
    list->body_size = body.len;
    list->body = buf_detach(&body);
    list->pages_max = pages_max;
    list->seen = mem_new_array(pages_max, sizeof *list->seen);
    list->page = page;
    list->done = done;
    list->user = user;
    list->next = client->lists;
    if (list->next)
        list->next->previous = list;
    client->lists = list;
    list_ask(list, STR_EMPTY);
}
