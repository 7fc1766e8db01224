/* If-Match and If-None-Match. Rule: a condition that was sent is never dropped. What cannot be evaluated is refused before
 * anything is done, and what is evaluated is compared behind the gate, whose lock holds the object until the write. */
#include "api/precondition.h"

#include "api/negotiate.h"

struct preconditions {
    bool match, none_match; /* was it sent? */
    struct etags if_match, if_none_match;
};

static enum problem_code unsupported(struct call *call, const char *header)
{
    return call_refuse(call, PROBLEM_condition_unsupported, "header", span_of(header));
}

static enum problem_code tags_take(struct call *call, const char *header, bool *ret_sent,
                                   struct etags *ret_tags)
{
    struct span value = call_header_list(call, header);
    *ret_sent = value.ptr != NULL;
    if (!value.ptr)
        return PROBLEM_NONE;
    if (!etags_parse(value, ret_tags))
        return call_refuse_for(call, PROBLEM_bad_request,
                               (struct said){.reason = REASON_tags, .header = header});
    if (call->method == METHOD_GET ? call->operation->tagged : call->operation->current != NULL)
        return PROBLEM_NONE;
    return unsupported(call, header);
}

enum problem_code precondition_take(struct call *call)
{
    const struct operation *operation = call->operation;
    struct preconditions *sent = arena_alloc(call->arena, sizeof(*sent));
    bool reads = call->method == METHOD_GET;
    memset(sent, 0, sizeof(*sent));
    enum problem_code code = tags_take(call, "If-Match", &sent->match, &sent->if_match);
    if (!code && (!reads || !operation->tagged)) /* of other reads: version.c */
        code = tags_take(call, "If-None-Match", &sent->none_match, &sent->if_none_match);
    if (code)
        return code;
    if (!sent->match && operation->match_required)
        return PROBLEM_precondition_required;
    if (!sent->match && !reads && call_header(call, "If-Unmodified-Since").ptr)
        return unsupported(call, "If-Unmodified-Since");
    if (sent->match && operation->match_gated && !sent->if_match.any)
        call_set(call, NAME_IF_MATCH, etags_versions(call->arena, &sent->if_match));
    call->preconditions = sent;
    return PROBLEM_NONE;
}

/* A gate that compares versions knows no "*": it says itself that there is nothing (404). Of what a PUT makes it does not. */
bool precondition_waits(const struct call *call)
{
    const struct preconditions *sent = call->preconditions;
    if (!sent || !call->operation->current)
        return false;
    bool gated = call->operation->match_gated &&
                 !(sent->if_match.any && call->method == METHOD_PUT);
    return sent->none_match || (sent->match && !gated);
}

bool precondition_exists(const struct rows *current)
{
    if (!current || rows_count(current) == 0)
        return false;
    struct span cell;
    int column = rows_column(current, "@exists");
    return column < 0 || (rows_cell(current, 0, (size_t)column, &cell) && span_is(cell, "t"));
}

/* Is one of the tags of the version that was found? Of "*": is the object there at all? */
static bool matches(const struct etags *tags, const struct rows *current)
{
    if (tags->any)
        return precondition_exists(current);
    struct span version;
    int column = current ? rows_column(current, "@version") : -1;
    if (column < 0 || rows_count(current) == 0 || !rows_cell(current, 0, (size_t)column, &version))
        return false;
    for (size_t i = 0; i < tags->count; i++) {
        struct span tag = tags->tags[i];
        if (tag.len > version.len && tag.ptr[version.len] == '.' &&
            memcmp(tag.ptr, version.ptr, version.len) == 0)
            return true;
    }
    return false;
}

enum problem_code precondition_judge(const struct call *call, const struct rows *current)
{
    const struct preconditions *sent = call->preconditions;
    if (sent->match && !matches(&sent->if_match, current))
        return PROBLEM_precondition_failed;
    if (sent->none_match && matches(&sent->if_none_match, current))
        return PROBLEM_exists_already;
    return PROBLEM_NONE;
}

bool precondition_reads(struct call *call, const char *tag)
{
    const struct preconditions *sent = call->preconditions;
    return !sent || !sent->match || sent->if_match.any ||
           (tag && etags_match_quoted(&sent->if_match, tag));
}
