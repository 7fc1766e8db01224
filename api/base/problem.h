/* Everything that can be wrong with a request, as values. The list is problems.def; a code, once
 * published, keeps its name and status. Faults are the single errors of a body or of parameters. */
#ifndef BASE_PROBLEM_H
#define BASE_PROBLEM_H

#include "api/base/arena.h"
#include "api/base/span.h"

enum language { LANGUAGE_ID, LANGUAGE_EN };

/* PROBLEM(name, status, title_id, title_en, detail_id, detail_en)
 * The detail may hold {argument} places, filled from the problem's arguments. */
enum problem_code {
    PROBLEM_NONE,
#define PROBLEM(name, status, title_id, title_en, detail_id, detail_en) PROBLEM_##name,
#include "api/base/problems.def"
#undef PROBLEM
    PROBLEM_COUNT
};

/* FAULT(name, detail_id, detail_en): the `code` of one entry of `errors`. */
enum fault_code {
#define FAULT(name, detail_id, detail_en) FAULT_##name,
#include "api/base/faults.def"
#undef FAULT
    FAULT_COUNT
};

/* REASON(name, text_id, text_en): why, where a problem's detail says {reason}. Only what stands in reasons.def can be said there. */
enum reason {
    REASON_NONE,
#define REASON(name, text_id, text_en) REASON_##name,
#include "api/base/reasons.def"
#undef REASON
    REASON_COUNT
};

/* A reason with what fills the places of its text: {inner}, {header}, {line} and {column}; 0 and NULL are left out. */
struct said {
    enum reason reason, inner;
    const char *header; /* a name, as it stands in the standard */
    const char *scope;  /* names, as they stand in the contract */
    size_t line, column;
};

struct problem_text {
    const char *code; /* lower snake case, as on the wire */
    int status;
    const char *title[2], *detail[2]; /* by enum language */
};

struct fault_text {
    const char *code;
    const char *detail[2];
};

extern const struct problem_text problem_texts[PROBLEM_COUNT]; /* [PROBLEM_NONE] is empty */
extern const struct fault_text fault_texts[FAULT_COUNT];
extern const struct fault_text reason_texts[REASON_COUNT]; /* [REASON_NONE] is empty */

/* The code of that wire name, or PROBLEM_NONE. */
enum problem_code problem_find(struct span code);

/* One fault: where (a JSON pointer into the body, or the name of a query parameter), what, and the
 * argument that fills "{}" in its text (a limit, an allowed list). All in the call's arena. */
struct fault {
    struct span pointer;
    struct span parameter; /* of the query or path, instead of pointer */
    enum fault_code code;
    struct span argument;
};

#define FAULTS_MAX 100 /* further faults are counted, not kept */

struct faults {
    struct arena *arena;
    struct fault *list;
    size_t count, cap, dropped;
};

void faults_add(struct faults *faults, struct fault fault); /* copies its spans into the arena */

/* The arguments of a problem whose detail says {reason}, a JSON object in the arena. */
struct span reason_arguments(struct arena *arena, struct said said);

/* `text`, which is in that language, with every {name} replaced from `arguments`, a JSON object of
 * strings and numbers (or none: the place is then left out). {reason} and {inner} take the texts of
 * these reasons, in the language, and nothing that is no reason's name. `{}` takes the argument as
 * it is. In the arena. */
struct span problem_fill(struct arena *arena, const char *text, enum language language,
                         struct span arguments);

#endif
