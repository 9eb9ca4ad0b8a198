/* SPDX-License-Identifier: Apache-2.0 */
/* config_read.c - the whole way: a file, its text, the tree, the checks, the configuration. */
#include "control/config_build.h"

#include "base/check.h"
#include "io/tls.h"

#include <errno.h>
#include <stdlib.h>

void config_free(struct config *c)
{
    for (size_t i = 0; i < c->service_count; i++)
        tls_client_free(c->services[i].tls_client);
    arena_free(&c->arena);
    free(c);
}

static err read_text(struct span text, const char *folder, struct config **ret_config,
                     struct config_report *r)
{
    struct arena tree = {};
    struct config *c = calloc(1, sizeof(*c));
    struct builder b = { .c = c, .r = r, .folder = folder };

    check(c != NULL);
    struct node *root = config_parse(&tree, text, r);
    if (root) {
        config_check(root, r);
        c->path = arena_span(&c->arena, span_from_text(r->file));
        c->folder = arena_span(&c->arena, span_from_text(folder));
        c->source = arena_span(&c->arena, text);
        config_build(&b, root);
    }
    arena_free(&tree);
    report_finish(r);
    if (root && !r->errors) {
        *ret_config = c;
        return OK;
    }
    check(r->errors > 0);
    config_free(c);
    return err_make("%s has %u error%s; nothing of it is in force", r->file, r->errors,
                    r->errors == 1 ? "" : "s");
}

err config_read_text(const char *name, struct span text, const char *folder,
                     struct config **ret_config, struct config_report *report)
{
    report_init(report, name);
    return read_text(text, folder, ret_config, report);
}

static err read_file(const char *path, struct str *text)
{
    FILE *f = fopen(path, "re");
    char piece[4096];
    size_t n;

    if (!f)
        return err_system(errno, "cannot read the configuration %s", path);
    errno = 0;
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0 && text->n <= CONFIG_BYTES_MAX)
        str_put(text, span_of(piece, n));
    int error_number = ferror(f) ? errno : 0;
    fclose(f);
    return error_number ? err_system(error_number, "cannot read the configuration %s", path) : OK;
}

/* "" when the path has none, so that what is made from it stays as short as it was written. */
static const char *folder_of(struct arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == path)
        return "/";
    return slash ? arena_text(a, span_of(path, (size_t)(slash - path))) : "";
}

err config_read_file(const char *path, struct config **ret_config, struct config_report *report)
{
    struct str text = str_growing();

    report_init(report, path);
    err e = read_file(path, &text);
    if (!e.failed)
        e = read_text(str_span(&text), folder_of(&report->arena, path), ret_config, report);
    if (!e.failed) {
        check(*ret_config != NULL);
        (*ret_config)->from_file = true;
    }
    str_free(&text);
    return e;
}

static bool is_instance(struct span target)
{
    struct address address;
    struct span host;
    uint16_t port;

    return !text_has_control(target) &&
           (address_parse(target, &address) || address_split(target, &host, &port));
}

/* In YAML's single quotes, in which only the quote itself is doubled. */
static void put_quoted(struct str *s, struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        str_char(s, text.p[i]);
        if (text.p[i] == '\'')
            str_char(s, '\'');
    }
}

err config_for_target(const char *target, struct config **ret_config, struct config_report *report)
{
    struct str text = str_growing();

    report_init(report, "--to");
    if (!is_instance(span_from_text(target)))
        return err_make("--to %s: HOST:PORT was expected, such as 127.0.0.1:3000",
                        shown(span_from_text(target)).text);
    str_text(&text, "listen: { http: 127.0.0.1:8080 }\n"
                    "services: { app: { instances: ['");
    put_quoted(&text, span_from_text(target));
    str_text(&text, "'] } }\n"
                    "journeys:\n"
                    "  everything:\n"
                    "    routes: [/*]\n"
                    "    objectives:\n"
                    "      available: { target: 99.9% }\n"
                    "      fast: { target: 95%, under: 500ms }\n");
    err e = read_text(str_span(&text), "", ret_config, report);
    str_free(&text);
    return e;
}

const char *config_admin_of(struct arena *a, const char *path)
{
    struct config *c = NULL;
    struct config_report report;
    char text[ADDRESS_TEXT_MAX];
    err e = config_read_file(path, &c, &report);
    const char *admin = NULL;

    if (!e.failed)
        admin = arena_print(a, "%s%s", c->admin.certificates ? "https://" : "",
                            address_print(&c->admin.address, text));
    config_report_free(&report);
    if (!e.failed)
        config_free(c);
    return admin;
}
