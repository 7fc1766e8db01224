/* The compiled contract: what openapi/compile.py makes of openapi/ and db/queries/, as constant data.
 * An endpoint is a row of contract_operations and its rows of contract_statements; nothing else
 * knows which endpoints exist. All of it is immutable and lives as long as the process. */
#ifndef OPENAPI_CONTRACT_H
#define OPENAPI_CONTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- names: every parameter, body member and condition is one small number ------------------ */

enum builtin_name {
#define NAME(id, text, type) NAME_##id,
#include "openapi/builtin_names.def"
#undef NAME
    NAME_BUILTIN_COUNT
};
extern const char *const contract_names[]; /* [contract_name_count] */
extern const uint16_t contract_name_count;
#define NAME_NONE UINT16_MAX

/* The type of a bound value: gives the parameter its OID, so that SQL needs no casts. */
enum value_type {
    VALUE_TEXT,
    VALUE_INTEGER,
    VALUE_NUMBER,
    VALUE_BOOLEAN,
    VALUE_UUID,
    VALUE_DATE,
    VALUE_TIMESTAMP,
    VALUE_JSON,
    VALUE_TEXT_LIST,
    VALUE_INTEGER_LIST,
    VALUE_UUID_LIST
};

/* ---- schemas: the supported subset of JSON Schema (openapi/README.md) ----------------------- */

enum schema_type {
    SCHEMA_NULL = 1,
    SCHEMA_BOOLEAN = 2,
    SCHEMA_INTEGER = 4,
    SCHEMA_NUMBER = 8,
    SCHEMA_STRING = 16,
    SCHEMA_ARRAY = 32,
    SCHEMA_OBJECT = 64
};
enum schema_format {
    FORMAT_NONE,
    FORMAT_UUID,
    FORMAT_DATE,
    FORMAT_DATE_TIME,
    FORMAT_MONTH,
    FORMAT_EMAIL,
    FORMAT_URI,
    FORMAT_POINT,      /* "lat,lon" in decimal degrees */
    FORMAT_DOTTED_CODE /* a dotted Kemendagri region code; says why an undotted one is refused */
};
enum schema_has { /* which of the numbers below are set */
                  HAS_MINIMUM = 1,
                  HAS_MAXIMUM = 2,
                  HAS_EXCLUSIVE_MINIMUM = 4,
                  HAS_EXCLUSIVE_MAXIMUM = 8,
                  HAS_MIN_LENGTH = 16,
                  HAS_MAX_LENGTH = 32,
                  HAS_MIN_ITEMS = 64,
                  HAS_MAX_ITEMS = 128,
                  HAS_MIN_PROPERTIES = 256,
                  HAS_MAX_PROPERTIES = 512,
                  HAS_MULTIPLE_OF = 1024
};
struct schema;
struct schema_property {
    const char *name;
    const struct schema *schema;
};
struct schema {
    uint8_t types;  /* bits of enum schema_type; 0 = any */
    uint8_t format; /* enum schema_format */
    uint8_t text;   /* enum text_kind (api/base/text.h), of a string */
    uint16_t has;
    bool never; /* the schema `false` */
    bool unique_items;
    bool additional_refused; /* additionalProperties: false */
    double minimum, maximum, exclusive_minimum, exclusive_maximum, multiple_of;
    uint32_t min_length, max_length; /* code points */
    uint32_t min_items, max_items, min_properties, max_properties;
    const char *pattern;            /* PCRE2 with UTF, not anchored */
    uint16_t pattern_index;         /* into contract_patterns, when pattern is set */
    const char *const *enumeration; /* JSON texts (compact); `const` is an enumeration of one */
    uint16_t enumeration_count;
    const struct schema_property *properties; /* sorted by name (strcmp) */
    uint16_t property_count;
    const char *const *required;
    uint16_t required_count;
    const struct schema *additional; /* additionalProperties as a schema, or NULL */
    const struct schema *items;      /* or NULL */
    const struct schema *const *any_of, *const *all_of, *const *one_of;
    uint16_t any_of_count, all_of_count, one_of_count;
    const struct schema *negated; /* not, or NULL */
};
extern const char *const contract_patterns[]; /* every distinct pattern, compiled once at start */
extern const uint16_t contract_pattern_count;

/* ---- statements (db/queries) ----------------------------------------------------------------- */

enum cardinality { CARDINALITY_ONE, CARDINALITY_MANY, CARDINALITY_EXEC };

struct condition {     /* all of them hold; a bit of the statement's mask */
    uint16_t names[3]; /* NAME_NONE ends */
    bool negated[3];
};
struct
    fragment { /* literal text, then perhaps a parameter; stands only where its condition holds */
    const char *text;
    uint32_t len;
    int16_t parameter; /* index into the statement's parameters, -1 = none */
    int8_t condition;  /* index into the statement's conditions, -1 = always */
};
struct statement_parameter {
    uint16_t name;
    uint8_t type; /* enum value_type; for key.N the type comes with the value */
};
struct statement {
    const char *name, *file;
    uint16_t line;
    uint16_t index; /* its own place in contract_statements */
    uint8_t cardinality;
    uint8_t condition_count;
    uint16_t fragment_count, parameter_count, table_count;
    const struct condition *conditions; /* at most 64 */
    const struct fragment *fragments;
    const struct statement_parameter *parameters; /* at most 64 */
    const uint16_t *tables; /* every table it, or a function or view it calls, names */
};
extern const struct statement contract_statements[];
extern const uint16_t contract_statement_count;
extern const char *const contract_tables[]; /* names; index = table id */
extern const uint16_t contract_table_count;
/* The statement of that name (those marked `internal`, used by C, included), or NULL. */
const struct statement *contract_statement(const char *name);

/* ---- operations ------------------------------------------------------------------------------ */

enum method {
    METHOD_GET,
    METHOD_HEAD,
    METHOD_POST,
    METHOD_PUT,
    METHOD_PATCH,
    METHOD_DELETE,
    METHOD_OPTIONS,
    METHOD_COUNT
};
enum media {
    MEDIA_JSON = 1,
    MEDIA_MERGE_PATCH = 2,
    MEDIA_FORM = 4,
    MEDIA_CSV = 8,
    MEDIA_GEOJSON = 16,
    MEDIA_HTML = 32,
    MEDIA_TEXT = 64
};

enum parameter_role { /* what the engine itself does with a query parameter */
                      PARAMETER_PLAIN,
                      PARAMETER_PATH,
                      PARAMETER_LIMIT,
                      PARAMETER_CURSOR,
                      PARAMETER_FIELDS,
                      PARAMETER_EXPAND,
                      PARAMETER_SORT,
                      PARAMETER_COUNT,
                      PARAMETER_FORMAT,
                      PARAMETER_SEPARATOR,
                      PARAMETER_NEAR,
                      PARAMETER_DELETED
};
struct parameter {
    const char *name;
    uint16_t name_id;
    uint8_t role, type;  /* enum parameter_role, enum value_type */
    bool required, list; /* list: comma separated, the schema is that of one item */
    uint16_t list_max;   /* most items of a list */
    uint16_t cost;       /* x-cost: requests that it costs beside its operation */
    uint16_t needs;      /* name id of the parameter without which it means nothing, or NAME_NONE */
    const char *initial; /* the schema's default, or NULL */
    const struct statement *refers; /* x-refers: finds values that name nothing; or NULL */
    uint16_t references;            /* the name under which that statement takes the values */
    const struct schema *schema;
    const uint16_t *
        choice_names; /* expand and sort: the condition of each enumeration value ("expand.region") */
};
struct member {       /* a leaf of the request body, nested objects flattened */
    const char *path; /* "commitment.number" */
    uint16_t name_id;
    uint8_t type;
};
struct operation;
struct reference_kind {               /* of records that bodies name (openapi/references.yaml) */
    const char *name;                 /* "person" */
    const struct operation *shown_by; /* the GET of one: who may see it there may name it */
};
struct reference {    /* x-refers: a member of the request body that names a record */
    const char *path; /* "member.person_id"; a segment "*" is every item of a list */
    const struct reference_kind *kind;
};
struct order_key {
    const char *column; /* alias in the result; hidden ones begin with '@' */
    uint8_t type;
};
struct order {
    const char *name;
    uint16_t condition; /* name id of "sort.<name>" */
    uint16_t needs; /* name id of the parameter it needs and is the default with, or NAME_NONE */
    uint8_t key_count;
    struct order_key keys[4];
};
struct security {    /* one alternative: all its scopes are needed */
    uint32_t scopes; /* bits by place in contract_scopes */
};
struct operation {
    const char *id, *path; /* "list_libraries", "/v1/libraries/{id}" */
    uint16_t index;
    uint8_t method;
    bool open;    /* security: [] said in the contract */
    bool audited; /* x-audited: a read that runs as a write */
    bool unkept;  /* no cache may keep its answer: it is audited, or reads what is not published */
    bool idempotent;     /* takes Idempotency-Key: every POST under /v1 behind a token */
    bool recent_login;   /* x-recent-login: a person must have logged in a short while ago */
    bool secret;         /* x-secret: its answer shows what is shown once */
    bool lenient;        /* x-lenient: its handler reads the query itself, unknown parameters too */
    bool creates;        /* answers 201 with Location */
    bool match_required; /* If-Match: 428 without */
    bool match_gated;    /* its gate compares If-Match itself */
    bool tagged;         /* its 200 has an ETag; a read without one takes no condition */
    bool optional_body;
    bool
        unwatched; /* it reads a table that is not audited: no watch can tell whether its answer is stale */
    uint16_t success;           /* the first 2xx of its responses */
    uint8_t produces, consumes; /* bits of enum media */
    uint16_t cost;              /* x-cost, for quotas; 1 unless told */
    uint32_t timeout_ms, body_max_bytes;
    const struct security *security;
    uint8_t security_count, order_count;
    const struct security
        *reach; /* x-reach: the scopes whose reach is bound, else those of security */
    uint8_t reach_count;
    const char *place; /* x-place: the rule of place that its gate asks, "untold", or NULL */
    uint16_t key;      /* creates: the name whose value ends Location; NAME_ID unless x-key says */
    uint16_t parameter_count, member_count, reference_count, field_count, table_count;
    const struct parameter
        *parameters;           /* of the path first, in the path's order; then of the query */
    const struct schema *body; /* or NULL */
    const struct member *members;
    const struct reference *references;
    const struct order *orders; /* the first is the default */
    const char *const
        *fields; /* top-level names of its answer (of an item of a list), for fields= */
    const struct statement *gate, *write, *answer; /* each or NULL; answer is :many for a list */
    const struct statement *
        current; /* of a write: its object as it stands, with "@version"; NULL: no condition is taken */
    const char *handler;       /* name of a handler in C, or NULL */
    const char *prepare;       /* x-prepare: a function in C before the statements, or NULL */
    const char *body_constant; /* x-constant: the whole answer, JSON, or NULL */
    const uint16_t *tables;    /* union of the tables its answer (and gate) reads */
};
extern const struct operation contract_operations[];
extern const uint16_t contract_operation_count;
extern const char *const contract_scopes[]; /* "published:read", ...; at most 32 */
extern const uint8_t contract_scope_count;

/* ---- routes: a trie over path segments -------------------------------------------------------- */

struct route {
    const char *literal;          /* of the edge that leads here; NULL for a parameter */
    const struct route *children; /* literals sorted by strcmp, then at most one parameter */
    uint16_t child_count;
    const struct operation *operations[METHOD_COUNT]; /* NULL where there is none */
};
extern const struct route contract_root; /* its children are the first segments */

/* ---- the contract itself ----------------------------------------------------------------------- */

extern const char contract_openapi_json[]; /* what /openapi.json serves, bundled, minified */
extern const size_t contract_openapi_json_len;
extern const char contract_version[]; /* info.version */

#endif
