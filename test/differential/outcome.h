/* SPDX-License-Identifier: Apache-2.0 */
/* outcome.h - one message, and what a parser made of it. Both parsers fill the same struct, each in its
 * own file because their headers define the same names (ours.c, theirs.c). The texts are copies in
 * `room`, so that a message that came in pieces looks like one that came whole. Next: differences.h. */
#ifndef EK_TEST_DIFFERENTIAL_OUTCOME_H
#define EK_TEST_DIFFERENTIAL_OUTCOME_H

#include "base/span.h"

/* The limits that our parser is given; small, so that short cases reach them. */
enum { HEAD_MAX = 2048, LINE_MAX = 512, FIELDS_MAX = 20 };

enum { MESSAGE_MAX = 16384, TAKEN_MAX = 1024 /* fields; theirs has no limit of its own */ };

enum kind { REQUEST, ANSWER, ANSWER_TO_HEAD };

struct message {
    enum kind kind;
    const char *bytes;
    size_t n;
};

/* A message is handed over in `count` pieces, which end at these offsets; the last is m->n. */
enum { PIECES_MAX = 8 };
struct pieces {
    unsigned count;
    size_t end[PIECES_MAX];
};

enum verdict {
    MORE_HEAD, /* the bytes ended in the head: nothing was accepted yet */
    MORE_BODY, /* the head was accepted, the body goes on */
    COMPLETE,
    REFUSED,
};

struct text {
    uint32_t at;
    uint32_t n;
};

struct taken_field {
    struct text name;
    struct text value;
};

struct outcome {
    enum verdict verdict;
    bool head;          /* the head was accepted, whatever came then */
    const char *reason; /* when REFUSED */
    struct text method;
    struct text target; /* theirs: as it came; ours: path and query */
    struct text host;   /* ours only */
    unsigned major;
    unsigned minor;
    unsigned status;
    struct text words; /* the reason phrase */
    bool keep_alive;   /* when COMPLETE */
    struct text body;
    size_t end; /* when COMPLETE: bytes of the whole message */
    unsigned field_count;
    struct taken_field fields[TAKEN_MAX];
    size_t room_n;
    char room[2 * MESSAGE_MAX];
};

static inline struct span text_of(const struct outcome *o, struct text t)
{
    return span_of(o->room + t.at, t.n);
}

/* Adds bytes to a text; nothing else may have been added to the outcome since it began. */
void outcome_add(struct outcome *o, struct text *t, const char *bytes, size_t n);

void outcome_begin(struct outcome *o);

void ours_read(const struct message *m, const struct pieces *pieces, struct outcome *o);
void theirs_read(const struct message *m, const struct pieces *pieces, struct outcome *o);

/* llhttp keeps a list of methods; ours does not. */
bool theirs_knows_method(struct span method);

const char *theirs_version(void);

#endif
