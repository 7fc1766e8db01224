/* What machines read first: the contract, the problems and the docs page. */
#include "api/docs.h"
#include "api/execute.h"
#include "api/handlers/handlers.h"
#include "api/problem_body.h"
#include "api/respond.h"
#include "api/version.h"

enum problem_code handle_openapi_json(struct call *call)
{
    return execute_constant(call, "application/json",
                            (struct span){contract_openapi_json, contract_openapi_json_len});
}

enum problem_code machine_made(struct call *call, const char *content_type)
{
    call->response.status = 200;
    call->response.content_type = content_type;
    enum problem_code code = version_judge(call, version_tag(call, SPAN("")));
    if (!code)
        respond_gzip(call);
    return code;
}

static enum problem_code made_page(struct call *call)
{
    if (call->media == MEDIA_HTML)
        response_header(call, "Content-Security-Policy", "%s", problem_page_policy);
    return machine_made(call, respond_media_type(call->media));
}

enum problem_code handle_problem_list(struct call *call)
{
    if (call->media == MEDIA_HTML)
        problem_list_html(&call->response.body);
    else
        problem_list_json(&call->response.body, span_of(call->service->base_url));
    return made_page(call);
}

enum problem_code handle_problem_page(struct call *call)
{
    enum problem_code code = problem_find(call->path_values[0]);
    if (code == PROBLEM_NONE)
        return PROBLEM_not_found;
    if (call->media == MEDIA_HTML)
        problem_document_html(&call->response.body, code);
    else
        problem_document_json(&call->response.body, code, span_of(call->service->base_url));
    return made_page(call);
}

static enum problem_code docs_send(struct call *call, struct span name)
{
    const struct docs_file *file = docs_find(name);
    if (!file)
        return PROBLEM_not_found;
    response_header(call, "Content-Security-Policy", "%s", docs_csp);
    if (file->gzip && !call->accepts_gzip) {
        docs_plain(file, &call->response.body);
        return machine_made(call, file->type);
    }
    respond_constant(call, 200, file->type, (struct span){(const char *)file->data, file->len});
    call->response.gzipped = file->gzip;
    return version_judge(call, version_tag(call, SPAN("")));
}

enum problem_code handle_docs(struct call *call)
{
    return docs_send(call, SPAN("index.html"));
}

enum problem_code handle_docs_file(struct call *call)
{
    return docs_send(call, call->path_values[0]);
}
