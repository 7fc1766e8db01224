/* Binds request bodies. Rule: nothing of a body is used before all of it has been validated. */
#include "api/body.h"

#include "api/base/digest.h"
#include "api/bind.h"
#include "api/json_scan.h"
#include "api/negotiate.h"
#include "api/references.h"
#include "api/text_form.h"
#include "api/validate.h"

/* The member at a dotted path; NULL when it, or an object above it, is absent. *ret_null: an object above it
 * is null, which makes the whole of it null. */
static const json_t *member_find(const json_t *body, const char *path, bool *ret_null)
{
    const json_t *at = body;
    *ret_null = false;
    while (at && *path) {
        size_t len = strcspn(path, ".");
        if (json_is_null(at)) {
            *ret_null = true;
            return NULL;
        }
        at = json_object_getn(at, path, len);
        path += len + (path[len] == '.');
    }
    return at;
}

static void members_set(struct call *call, const json_t *body)
{
    for (size_t i = 0; i < call->operation->member_count; i++) {
        const struct member *member = &call->operation->members[i];
        bool null;
        const json_t *value = member_find(body, member->path, &null);
        if (null || (value && json_is_null(value)))
            call_set(call, member->name_id, SPAN_NONE);
        else if (value)
            call_set(call, member->name_id,
                     bind_json(call->arena, value, (enum value_type)member->type));
    }
}

static enum problem_code media_check(struct call *call)
{
    enum media media;
    if (!content_media(call_header(call, "Content-Type"), &media) ||
        !(media & call->operation->consumes))
        return call_refuse(call, PROBLEM_unsupported_media_type, "expected",
                           media_list(call->arena, call->operation->consumes));
    struct span encoding = call_header(call, "Content-Encoding");
    if (encoding.ptr && !span_is_case(encoding, "identity"))
        return call_refuse(
            call, PROBLEM_unsupported_media_type, "expected",
            span_of(arena_printf(call->arena, "%.*s, Content-Encoding: identity",
                                 SPAN_ARG(media_list(call->arena, call->operation->consumes)))));
    return PROBLEM_NONE;
}

size_t body_most_bytes(void)
{
    size_t most = 0;
    for (size_t i = 0; i < contract_operation_count; i++)
        if (contract_operations[i].body_max_bytes > most)
            most = contract_operations[i].body_max_bytes;
    return most;
}

enum problem_code body_admit(struct call *call, size_t bytes)
{
    const struct operation *operation = call->operation;
    size_t most = operation ? operation->body_max_bytes : body_most_bytes();
    if (operation && !operation->consumes && bytes)
        return call_refuse_for(call, PROBLEM_bad_request,
                               (struct said){.reason = REASON_body_unwanted});
    if (bytes <= most)
        return PROBLEM_NONE;
    call->response.close = true; /* so much is not even thrown away */
    return call_refuse(call, PROBLEM_body_too_large, "limit",
                       span_of(arena_printf(call->arena, "%zu", most)));
}

enum problem_code body_bind(struct call *call)
{
    const struct operation *operation = call->operation;
    if (!operation->consumes || (call->body.len == 0 && operation->optional_body))
        return PROBLEM_NONE;
    enum problem_code code = media_check(call);
    if (code || !(operation->consumes & (MEDIA_JSON | MEDIA_MERGE_PATCH)))
        return code; /* forms are read by their handler */
    json_t *body = NULL;
    code = json_scan(call->arena, call->body, &body, &call->faults, &call->arguments);
    if (code)
        return code;
    text_form(call->arena, operation->body, body);
    validate_json(operation->body, body, call->method == METHOD_PATCH, &call->faults);
    if (call->faults.count == 0) {
        members_set(call, body);
        references_bind(call, body);
    }
    json_decref(body);
    return call->faults.count ? PROBLEM_invalid_body : PROBLEM_NONE;
}

struct span request_digest(struct call *call)
{
    unsigned char hash[32];
    char *hex = arena_alloc(call->arena, 65);
    struct buffer text = {0};
    buffer_span(&text, call->target.path);
    buffer_char(&text, '\n'); /* no path has one */
    buffer_span(&text, call->body);
    digest_sha256((struct span){text.data, text.len}, hash);
    buffer_free(&text);
    hex_encode(hash, sizeof(hash), hex);
    return (struct span){hex, 64};
}
