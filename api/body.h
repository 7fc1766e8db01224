/* Request bodies: media type, size, JSON, schema, and the binding of every member present. */
#ifndef API_BODY_H
#define API_BODY_H

#include "api/call.h"

size_t body_most_bytes(void); /* that any operation of the contract takes */

/* May so many bytes come, by their number alone? Problems: body_too_large, bad_request where none belong. */
enum problem_code body_admit(struct call *call, size_t bytes);

/* Takes a body that was admitted. Problems: unsupported_media_type, invalid_json, invalid_body. Absent members stay absent
 * (RFC 7396), null is NULL, nested objects flatten, arrays are bound as a whole. */
enum problem_code body_bind(struct call *call);

/* SHA-256 of path and body, as 64 hexadecimal digits in the arena: what makes "the same request again". */
struct span request_digest(struct call *call);

#endif
