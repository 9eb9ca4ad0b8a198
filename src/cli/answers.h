/* SPDX-License-Identifier: Apache-2.0 */
/* answers.h - what the admin API answered, for the commands that show it: fetching, and reading fields that may be missing. */
#ifndef EK_CLI_ANSWERS_H
#define EK_CLI_ANSWERS_H

#include "control/client.h"

#include <jansson.h>
#include <stdio.h>

/* GET ADMIN/PATH as JSON; json_decref() it. */
static inline err answer_get(const char *admin, const char *path, json_t **ret_root)
{
    struct str body;
    json_error_t wrong;
    err e = client_get(admin, path, &body);

    if (!e.failed) {
        json_t *root = json_loadb(body.p ? body.p : "", body.n, 0, &wrong);
        if (root)
            *ret_root = root;
        else
            e = err_make("%s%s did not answer in JSON: %s", admin, path, wrong.text);
    }
    str_free(&body);
    return e;
}

/* "-" when there is none. */
static inline const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "-";
}

static inline json_int_t count_of(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

/* False: there is no number, which means that it is not known. */
static inline bool number_of(const json_t *o, const char *key, double *ret)
{
    const json_t *v = json_object_get(o, key);

    if (!json_is_number(v))
        return false;
    *ret = json_number_value(v);
    return true;
}

static inline void print_json(const json_t *root)
{
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    printf("\n");
}

#endif
