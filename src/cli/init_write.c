/* SPDX-License-Identifier: Apache-2.0 */
/* init_write.c - YAML for a person: what was found, with its place, and what it was made from.
 * Next: init_journeys.c, the part about journeys. */
#include "cli/init_write.h"

#include "cli/init_parts.h"
#include "base/check.h"
#include "control/config_file.h"
#include "core/suggest_write.h"

#include <stdlib.h>

/* ---- words */

static void put_notes(struct str *out, const struct notes *notes, const char *indent)
{
    for (const struct note *n = notes->first; n; n = n->next)
        str_print(out, "%s# %s%s:%zu: %s\n", indent, n->lost ? "not translated: " : "", n->file,
                  n->line, n->text);
}

/* ---- what this version takes */

bool init_takes(const char *service_keys)
{
    struct str text = str_growing();
    struct config *c = NULL;
    struct config_report report;

    str_print(&text, "listen: { http: 127.0.0.1:8080 }\nservices: { a: { %s } }\n", service_keys);
    err e = config_read_text("init", str_span(&text), "", &c, &report);
    config_report_free(&report);
    str_free(&text);
    if (!e.failed)
        config_free(c);
    return !e.failed;
}

/* A line of a service: as a comment when this version of the language does not take it yet. */
static void put_perhaps(struct str *out, const char *line)
{
    struct str trial = str_growing();

    str_print(&trial, "instances: [127.0.0.1:1], %s", line);
    str_print(out, "    %s%s\n", init_takes(str_cstr(&trial)) ? "" : "# later: ", line);
    str_free(&trial);
}

struct writer {
    const struct adopted *a;
    struct str *out;
};

/* ---- the head */

/* On this machine, as far as the text says. */
static bool is_here(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strncmp(address, "localhost:", 10) == 0 ||
           strncmp(address, "[::1]:", 6) == 0;
}

static bool mentions_port(const struct adopted *a, unsigned port)
{
    char text[16];
    int n = snprintf(text, sizeof(text), "%u", port);

    for (const struct adopted_service *s = a->services; s; s = s->next) {
        for (const struct adopted_instance *in = s->instances; in; in = in->next) {
            const char *colon = strrchr(in->address, ':');
            if (is_here(in->address) && colon && strcmp(colon + 1, text) == 0)
                return true;
        }
    }
    for (const struct note *l = a->listens; l; l = l->next) {
        for (const char *at = l->text; (at = strstr(at, text)); at++) {
            if (at > l->text && !ascii_digit(at[-1]) && !ascii_digit(at[n]))
                return true;
        }
    }
    return false;
}

static unsigned free_port(const struct adopted *a, unsigned port)
{
    while (mentions_port(a, port))
        port++;
    return port;
}

static void put_made_from(struct writer *w, const struct observed *o)
{
    struct str *out = w->out;

    str_text(out, "# Written by `evenkeel init`");
    if (w->a->nginx)
        str_print(out, " from %s", comment_text(w->a->arena, span_from_text(w->a->nginx)));
    for (size_t i = 0; i < o->log_count; i++)
        str_print(out, "%s%s (%s)", i || w->a->nginx ? ", " : " from ",
                  strcmp(o->logs[i], "-") == 0
                      ? "standard input"
                      : comment_text(w->a->arena, span_from_text(o->logs[i])),
                  o->formats[i]);
    str_text(
        out,
        ".\n"
        "# Read it, correct what is guessed, then: evenkeel validate && evenkeel run\n"
        "# docs/configuration.md has every key; `evenkeel schema` lets editors complete them.\n");
    if (w->a->own.n > 0)
        str_print(out, "#\n# About nginx itself, or done here without being asked:%.*s.\n",
                  (int)w->a->own.n - 1, w->a->own.p);
    put_notes(out, &w->a->notes, "");
    if (w->a->note_count > NOTES_MAX)
        str_print(out, "# and %zu more that are not told\n", w->a->note_count - NOTES_MAX);
}

static void put_listen(struct writer *w)
{
    struct str *out = w->out;

    str_text(out, "\nlisten:\n");
    str_print(
        out,
        "  http: 127.0.0.1:%-4u         # beside what runs; 0.0.0.0:80 once it takes its place\n",
        free_port(w->a, 8080));
    for (const struct note *n = w->a->listens; n; n = n->next)
        str_print(out, "  # nginx: %s (%s:%zu)\n", n->text, n->file, n->line);
    str_print(out, "  admin: 127.0.0.1:%-4u        # API, metrics, dashboard\n",
              free_port(w->a, 9900));
    str_text(out, "store: evenkeel.db             # the counts; survives restarts\n");
    if (w->a->nginx)
        str_text(out,
                 "trusted: [127.0.0.0/8]         # nginx on this machine, whose X-Forwarded-* are "
                 "believed\n");
    str_text(out, "# log: { access: access.jsonl }   # a line of JSON per request\n");
}

/* ---- services */

static void put_instance(struct str *out, const struct adopted_instance *in)
{
    struct str trial = str_growing();

    str_print(&trial, "instances: [{ address: 127.0.0.1:1, weight: %u }]", in->weight);
    bool key = in->weight > 1 && init_takes(str_cstr(&trial));
    str_free(&trial);
    str_text(out, key ? "      - { address: " : "      - ");
    suggest_put_text(out, span_from_text(in->address));
    if (key)
        str_print(out, ", weight: %u }", in->weight);
    else if (in->weight > 1)
        str_print(out, "   # later: weight: %u", in->weight);
    str_char(out, '\n');
}

static void put_timeout(struct str *out, const struct adopted_timeouts *t)
{
    const char *comma = "";

    str_text(out, "timeout: { ");
    if (t->connect) {
        str_text(out, "connect: ");
        suggest_put_time(out, t->connect);
        comma = ", ";
    }
    if (t->read) {
        str_print(out, "%shead: ", comma);
        suggest_put_time(out, t->read);
        str_text(out, ", idle: ");
        suggest_put_time(out, t->read);
    }
    str_text(out, " }");
}

static void put_tls(struct str *out, const struct adopted_service *s)
{
    str_text(out, "    tls: {");
    if (s->tls_ca) {
        str_text(out, " ca: ");
        suggest_put_text(out, span_from_text(s->tls_ca));
    }
    if (s->tls_name) {
        str_text(out, s->tls_ca ? ", server-name: " : " server-name: ");
        suggest_put_text(out, span_from_text(s->tls_name));
    }
    str_text(out, s->tls_ca || s->tls_name ? " }" : "}");
    str_text(out, "   # always verified, unlike in nginx unless it is told to\n");
}

static void put_service(struct writer *w, const struct adopted_service *s)
{
    struct str *out = w->out;

    str_print(out, "  %s:", s->name);
    if (s->file)
        str_print(out, "   # %s:%zu", s->file, s->line);
    str_text(
        out,
        "\n    mode: observe   # forwards and counts; `act` once its counts are what you expect\n");
    put_notes(out, &s->notes, "    ");
    str_text(out, "    instances:\n");
    for (const struct adopted_instance *in = s->instances; in; in = in->next)
        put_instance(out, in);
    if (s->balance)
        put_perhaps(out, arena_print(w->a->arena, "balance: %s", s->balance));
    if (s->attempts)
        put_perhaps(out, arena_print(w->a->arena, "retry: { attempts: %u }", s->attempts));
    if (s->tls)
        put_tls(out, s);
    if (s->timed) {
        str_text(out, "    ");
        put_timeout(out, &s->timeout);
        str_text(out, "   # as nginx has them; unless said: 500ms, 15s, 60s\n");
    }
}

static void put_services(struct writer *w)
{
    str_text(w->out, "\nservices:\n");
    for (const struct adopted_service *s = w->a->services; s; s = s->next)
        put_service(w, s);
}

/* ---- routes */

static void put_routes(struct writer *w)
{
    struct str *out = w->out;

    if (!w->a->routes && !w->a->servers.first)
        return;
    str_text(out, "\n# The first route that matches wins.\n");
    put_notes(out, &w->a->servers, "");
    if (!w->a->routes)
        return;
    str_text(out, "routes:\n");
    for (const struct adopted_route *r = w->a->routes; r; r = r->next) {
        put_notes(out, &r->notes, "  ");
        str_text(out, "  - { ");
        if (r->host) {
            str_text(out, "host: ");
            suggest_put_text(out, span_from_text(r->host));
            str_text(out, ", ");
        }
        str_text(out, "path: ");
        suggest_put_text(out, span_from_text(r->path));
        str_print(out, ", service: %s", r->service->name);
        if (r->timeout.connect || r->timeout.read) {
            str_text(out, ", ");
            put_timeout(out, &r->timeout);
        }
        str_print(out, " }   # %s:%zu\n", r->file, r->line);
    }
}

/* ---- all of it */

static void read_back(const struct str *out)
{
    struct config *c = NULL;
    struct config_report report;
    err e = config_read_text("what init wrote", str_span(out), "", &c, &report);

    config_report_print(&report, stderr); /* nothing, unless we are wrong */
    config_report_free(&report);
    check(!e.failed);
    config_free(c);
}

err init_write(const struct adopted *a, const struct observed *o, struct str *out)
{
    struct writer w = { .a = a, .out = out };

    put_made_from(&w, o);
    put_listen(&w);
    put_services(&w);
    put_routes(&w);
    put_journeys(o, out);
    if (out->n > CONFIG_BYTES_MAX)
        return err_make("what was found makes %zu KiB; a configuration holds %d at most",
                        out->n >> 10, CONFIG_BYTES_MAX >> 10);
    read_back(out);
    return OK;
}
