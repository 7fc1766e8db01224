/* ETags, and the memory that answers 304 without a query. */
#ifndef API_VERSION_H
#define API_VERSION_H

#include "api/call.h"

struct version_cache;
struct version_cache *version_cache_new(size_t entries); /* 0: remembers nothing */
void version_cache_free(struct version_cache *cache);

/* Before the query of a GET: reads the version of its tables. True when If-None-Match names what this very
 * target last gave and no table has changed since: the answer is 304, with the ETag already in its header. */
bool version_unchanged(struct call *call);

/* After rendering, before gzip: sets the ETag header ("<row version>.<hash>" when row_version is not empty, "-gz"
 * behind what will be gzipped), remembers it and gives it, in quotes. */
const char *version_tag(struct call *call, struct span row_version);

/* The ETag of a stream, whose body is not known yet: from the shared version of its tables; NULL while that is
 * not known. */
const char *version_tag_stream(struct call *call);

/* The conditions of a GET against its tag (NULL: it has none), in the order of RFC 9110 13.2.2: PROBLEM_precondition_failed
 * where If-Match names another; else PROBLEM_NONE, with the answer made a 304 where If-None-Match names this one. */
enum problem_code version_judge(struct call *call, const char *tag);

#endif
