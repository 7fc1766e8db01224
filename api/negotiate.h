/* What a request's headers ask for (RFC 9110 8.3, 12.5, 13.1) and the form a body may come in.
 * Knows no contract but the media bits, touches no memory but the arena's. */
#ifndef API_NEGOTIATE_H
#define API_NEGOTIATE_H

#include "api/base/problem.h"
#include "api/frame.h"
#include "openapi/contract.h"

const char *media_name(enum media media); /* "application/json" */
/* "application/json, text/csv": for the {available} and {expected} of problems. */
struct span media_list(struct arena *arena, uint8_t bits);

/* The best of what is produced, or false: 406. An absent or empty Accept takes anything. By
 * quality, then by how exactly it was asked for, then by the order of Accept, then JSON before the
 * others. */
bool accept_media(struct span accept, uint8_t produces, enum media *ret_media);
/* Indonesian unless English is preferred over it. */
enum language accept_language(struct span accept_language);
/* True when gzip was asked for and is not worse than the plain body; false without the header. */
bool accept_gzip(struct span accept_encoding);

/* A body's Content-Type: application/json, application/merge-patch+json or
 * application/x-www-form-urlencoded, with no charset but UTF-8. False for all others: 415. */
bool content_media(struct span content_type, enum media *ret_media);

/* If-Match and If-None-Match. `W/` before a tag is forgiven and the suffix of a gzipped body's tag
 * is taken off. The tags are without quotes and lie in the header's bytes. */
#define ETAGS_MAX 32
struct etags {
    bool any; /* "*" */
    size_t count;
    struct span tags[ETAGS_MAX];
};
bool etags_parse(struct span value,
                 struct etags *ret_etags); /* false: malformed, or more than ETAGS_MAX */
bool etags_match(const struct etags *etags, struct span tag); /* tag without quotes */
/* The same of a tag in quotes, perhaps with the suffix of a gzipped body. */
bool etags_match_quoted(const struct etags *etags, const char *tag);
/* The row versions (what stands before the dot) as a PostgreSQL array, "{7,9}". A tag without one,
 * such as that of a list, is left out. Not for "*". */
struct span etags_versions(struct arena *arena, const struct etags *etags);

/* application/x-www-form-urlencoded. PROBLEM_NONE, or PROBLEM_bad_request with its `what`. */
enum problem_code form_decode(struct arena *arena, struct span body,
                              struct query_pair ret_pairs[PAIRS_MAX], size_t *ret_count,
                              struct span *ret_arguments);

#endif
