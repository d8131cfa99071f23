/* Client tokens: the same token with the same parameters gives the first result again. */
#include "cloud/state.h"

static struct str token_key(struct ctx *x, struct str scope) {
    struct str action = ec2_action_name(x->in->action);
    struct str token = ec2_request_client_token(x->in);
    return str_from(
        arena_printf(x->arena, "%.*s %.*s %.*s", STR_ARG(action), STR_ARG(scope), STR_ARG(token)));
}

static bool token_is_ascii(struct str token) {
    for (size_t i = 0; i < token.len; i++)
        if (token.ptr[i] < 0x20 || token.ptr[i] > 0x7e)
            return false;
    return true;
}

int token_check(struct ctx *x, struct str scope, struct token *ret_token) {
    struct str token = ec2_request_client_token(x->in);
    if (token.len == 0)
        return 0;
    if (token.len > TOKEN_BYTES_MAX || !token_is_ascii(token))
        return ec2_fault_set(x->fault, "InvalidParameterValue",
                             "The client token must have at most %d ASCII characters",
                             TOKEN_BYTES_MAX);
    const struct token *known = table_find(&x->c->tokens, token_key(x, scope));
    if (!known)
        return 0;
    if (known->request_hash != ec2_request_hash(x->in))
        return ec2_fault_set(x->fault, "IdempotentParameterMismatch",
                             "The client token '%.*s' was used with other parameters",
                             STR_ARG(token));
    *ret_token = *known;
    return 1;
}

void token_keep(struct ctx *x, struct str scope, const char *result, uint32_t version) {
    if (ec2_request_client_token(x->in).len == 0)
        return;
    struct token *own_token = mem_new(sizeof *own_token);
    own_token->request_hash = ec2_request_hash(x->in);
    must(str_copy(own_token->result, sizeof own_token->result, str_from(result)));
    own_token->version = version;
    const void *before = table_set(&x->c->tokens, token_key(x, scope), own_token);
    must(!before);
}
