/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_nginx_conf.c - any bytes as an nginx configuration: the tree is whole (each directive is reached once,
 * below its parent, in the order of lines), or there is a mistake with its line. */
#include "fuzz.h"

#include "proto/nginx_conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = {};
    struct nginx_tree t;
    struct nginx_mistake m = {};
    size_t lines = 1;
    size_t count = 0;
    size_t line = 1;
    int64_t ms;

    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    nginx_tree_init(&t, &a);
    if (!nginx_conf_read(&t, &t.root, "f", span_of(data, size), &m))
        check(m.text && m.line >= 1 && m.line <= lines);
    for (const struct nginx_directive *d = &t.root; (d = nginx_next(&t.root, d, false));) {
        count++;
        check(d->line >= line && d->line <= lines && nginx_parent(d));
        line = d->line;
        for (size_t i = 0; i < d->argument_count; i++) {
            if (nginx_time(d->arguments[i], &ms))
                check(ms >= 0);
        }
    }
    check(count <= t.count);
    arena_free(&a);
    return 0;
}
