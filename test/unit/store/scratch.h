/* SPDX-License-Identifier: Apache-2.0 */
/* scratch.h - a folder of its own for each test of the store, gone afterwards; and small helpers
 * that open a store or fail the test. Include after cmocka.h. */
#ifndef EK_TEST_STORE_SCRATCH_H
#define EK_TEST_STORE_SCRATCH_H

#include "store/catalog.h"
#include "store/history.h"
#include "store/retention.h"
#include "store/store.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOON = 1700049600 }; /* 2023-11-15 12:00:00 UTC, a whole hour */

struct scratch_folder {
    char folder[200];
    char path[256]; /* where the store goes */
};

#define must(call)                                        \
    do {                                                  \
        err must_result_ = (call);                        \
        if (must_result_.failed)                          \
            fail_msg("%s: %s", #call, must_result_.text); \
    } while (0)

[[maybe_unused]] static int scratch_make(void **state)
{
    struct scratch_folder *s = calloc(1, sizeof(*s));
    const char *tmp = getenv("TMPDIR");

    assert_non_null(s);
    snprintf(s->folder, sizeof(s->folder), "%s/evenkeel-store-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(s->folder));
    snprintf(s->path, sizeof(s->path), "%s/evenkeel.db", s->folder);
    *state = s;
    return 0;
}

[[maybe_unused]] static int scratch_remove(void **state)
{
    struct scratch_folder *s = *state;
    DIR *d = opendir(s->folder);
    struct dirent *e;
    char path[600];

    while (d && (e = readdir(d))) {
        snprintf(path, sizeof(path), "%s/%s", s->folder, e->d_name);
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && remove(path) != 0)
            perror(path);
    }
    if (d)
        closedir(d);
    rmdir(s->folder);
    free(s);
    return 0;
}

/* Opens at noon; the result of opening goes to *ret_opened unless NULL. */
[[maybe_unused]] static struct store *open_at(const char *path, struct store_opened *ret_opened)
{
    struct store_options o = { .path = path, .now = NOON };
    struct store_opened opened;
    struct store *s = NULL;

    must(store_open(&o, &s, ret_opened ? ret_opened : &opened));
    return s;
}

[[maybe_unused]] static int64_t begin(struct store *s, int64_t now)
{
    int64_t epoch = 0;

    must(epoch_begin(s, now, SPAN("test"), &epoch));
    return epoch;
}

/* A journey that has no objectives; each definition is a basis of its own. */
[[maybe_unused]] static err enter_journey(struct store *s, struct span name, uint64_t definition,
                                          int64_t now, struct journey_version *ret)
{
    return journey_version(
        s, &(struct journey_meaning){ .name = name, .definition = definition, .basis = definition },
        NULL, now, ret);
}

[[maybe_unused]] static uint32_t version_of(struct store *s, const char *name, uint64_t definition)
{
    struct journey_version v;

    must(enter_journey(s, span_from_text(name), definition, NOON, &v));
    return v.id;
}

[[maybe_unused]] static void write_one(struct store *s, struct sample sample)
{
    must(samples_write(s, &(struct sample_batch){ .samples = &sample, .sample_count = 1 }));
}

[[maybe_unused]] static uint64_t total_good(struct store *s, uint32_t version)
{
    struct sample total;

    must(samples_total(s, version, &total));
    return total.counts[SERIES_GOOD];
}

#endif
