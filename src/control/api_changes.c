/* SPDX-License-Identifier: Apache-2.0 */
/* api_changes.c - changing the running program over the admin address: changes at run time, and reading the file
 * again. A request has a JSON body and says so, which a page of another site cannot make a browser do
 * without asking us first (CORS); access.h has the rest. */
#include "control/api.h"

#include "base/log.h"
#include "control/api_table.h"
#include "control/control.h"

#include <jansson.h>
#include <stdlib.h>

static void write_json(json_t *root, struct str *out)
{
    char *dump = json_dumps(root, JSON_COMPACT);

    check(dump != NULL);
    str_text(out, dump);
    str_char(out, '\n');
    free(dump);
    json_decref(root);
}

static void answer_text(struct api_call *k, unsigned status, const char *text)
{
    json_t *words = json_string(text);

    write_json(json_pack("{s:o}", status < 300 ? "done" : "error",
                         words ? words : json_string("the request is not UTF-8")),
               &k->out);
    k->status = status;
}

/* ---- who may */

/* What a browser says of the page that makes the request (RFC 6454 section 7, Fetch Metadata); programs say nothing. */
bool api_from_elsewhere(const struct http_head *h)
{
    struct span origin = http_head_named(h, SPAN("origin"));
    struct span site = http_head_named(h, SPAN("sec-fetch-site"));
    size_t slashes = span_starts_with(origin, SPAN("https://")) ? 8 : 7;

    if (site.n && !span_equal(site, SPAN("same-origin")) && !span_equal(site, SPAN("none")))
        return true;
    return origin.n && (origin.n <= slashes || !span_equal(span_after(origin, slashes), h->host) ||
                        !(slashes == 8 || span_starts_with(origin, SPAN("http://"))));
}

const char *api_may_change(const struct http_head *h)
{
    const struct http_field *type = http_head_find(h, HTTP_CONTENT_TYPE);
    struct span media = type ? field_value(type) : SPAN("");

    media = span_trim(span_of(media.p, span_find(media, ';')));
    if (!span_equal_nocase(media, SPAN("application/json")))
        return "changes need Content-Type: application/json";
    if (api_from_elsewhere(h))
        return "a page of another site changes nothing here";
    return NULL;
}

/* ---- reading a wish */

struct wish {
    struct change change;
    bool force;
    const char *wrong; /* a sentence, or NULL */
};

static struct span text_of(struct wish *w, const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    struct span s = { json_string_value(v), json_string_length(v) };

    if (!v || json_is_null(v))
        return SPAN("");
    if (!json_is_string(v) || s.n > CHANGE_TEXT_MAX)
        w->wrong = "service, instance, zone, release, who and why are texts of at most 256 bytes";
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            w->wrong = "a text holds a control character";
    }
    return s.p ? s : SPAN("");
}

static int64_t number_of(struct wish *w, const json_t *o, const char *key, int64_t least,
                         int64_t most, int64_t standard)
{
    const json_t *v = json_object_get(o, key);

    if (!v || json_is_null(v))
        return standard;
    if (!json_is_integer(v) || json_integer_value(v) < least || json_integer_value(v) > most) {
        w->wrong = "weight is from 1 to 1000, for_s from 1 to 31622400 seconds";
        return standard;
    }
    return json_integer_value(v);
}

static bool known_keys_only(const json_t *o)
{
    static const char *const keys[] = { "change",  "service", "instance", "weight", "zone",
                                        "release", "who",     "why",      "for_s",  "force" };
    const char *key;
    const json_t *ignored;

    json_object_foreach ((json_t *)(uintptr_t)o, key, ignored) {
        bool known = false;
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
            known |= strcmp(key, keys[i]) == 0;
        if (!known)
            return false;
    }
    return true;
}

static struct wish read_wish(const struct control *c, const json_t *o)
{
    struct wish w = {};

    if (!json_is_object(o) || !known_keys_only(o)) {
        w.wrong = "an object was expected with change (drain, undrain, add, remove, weight), "
                  "instance, and perhaps service, weight, zone, release, who, why, for_s, force";
        return w;
    }
    struct span kind = text_of(&w, o, "change");
    w.change = (struct change){ .service = text_of(&w, o, "service"),
                                .instance = text_of(&w, o, "instance"),
                                .zone = text_of(&w, o, "zone"),
                                .release = text_of(&w, o, "release"),
                                .who = text_of(&w, o, "who"),
                                .why = text_of(&w, o, "why") };
    w.change.weight = (uint32_t)number_of(&w, o, "weight", 1, 1000, 1);
    int64_t for_s = number_of(&w, o, "for_s", 1, INT64_C(366) * 86400, 0);
    w.change.expires = for_s ? c->parts.wall() / NS_PER_S + for_s : 0;
    const json_t *force = json_object_get(o, "force");
    w.force = json_is_true(force);
    if (force && !json_is_boolean(force))
        w.wrong = "force is true or false";
    else if (w.wrong)
        return w;
    else if (!change_kind_parse(kind, &w.change.kind))
        w.wrong = "change is one of: drain, undrain, add, remove, weight";
    else if (w.change.instance.n == 0)
        w.wrong = "instance is missing";
    else if (w.change.kind == CHANGE_WEIGHT && !json_object_get(o, "weight"))
        w.wrong = "weight is missing";
    return w;
}

/* ---- answers */

static void answer_reply(struct api_call *k, const struct change_reply *r)
{
    json_t *text = json_string(r->text);

    write_json(json_pack("{s:o, s:o}", r->status < 300 ? "done" : "error",
                         text ? text : json_string("?"), "id",
                         r->id ? json_integer(r->id) : json_null()),
               &k->out);
    k->status = r->status;
}

void api_make_change(struct api_call *k)
{
    json_error_t wrong;
    json_t *o = json_loadb(k->body.p ? k->body.p : "", k->body.n, JSON_REJECT_DUPLICATES, &wrong);
    struct change_reply reply;

    if (!o) {
        answer_text(k, 400, "the body is not JSON");
        return;
    }
    struct wish w = read_wish(k->control, o);
    if (w.wrong) {
        json_decref(o);
        answer_text(k, 400, w.wrong);
        return;
    }
    w.change.by = k->by;
    changes_make(k->control, &w.change, w.force, &reply);
    json_decref(o);
    answer_reply(k, &reply);
}

/* Of a request whose body says no more than who asks and why; no body says neither. NULL: it is written that it is wrong.
 * json_decref() it; the texts of *ret are in it. */
static json_t *read_asker(struct api_call *k, struct asker *ret)
{
    static const char *const keys[] = { "who", "why" };
    json_t *o =
        k->body.n ? json_loadb(k->body.p, k->body.n, JSON_REJECT_DUPLICATES, NULL) : json_object();
    struct wish w = {};
    size_t known = 0;

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        known += json_object_get(o, keys[i]) != NULL;
    if (!json_is_object(o) || json_object_size(o) != known)
        w.wrong = "an object was expected with perhaps who and why";
    else
        *ret = (struct asker){ .who = text_of(&w, o, "who"),
                               .why = text_of(&w, o, "why"),
                               .by = k->by };
    if (!w.wrong)
        return o;
    json_decref(o);
    answer_text(k, 400, w.wrong);
    return NULL;
}

void api_take_back(struct api_call *k)
{
    struct change_reply reply;
    struct asker by;
    uint64_t number;

    if (!span_to_u64(k->part, &number) || number > INT64_MAX) {
        answer_text(k, 404, "a change is named by its number");
        return;
    }
    json_t *o = read_asker(k, &by);
    if (!o)
        return;
    changes_take_back(k->control, (int64_t)number, &by, &reply);
    json_decref(o);
    answer_reply(k, &reply);
}

static json_t *text(struct span s)
{
    return s.n ? json_stringn(s.p, s.n) : json_null();
}

static json_t *change_json(const struct change *k)
{
    bool sized = k->kind == CHANGE_ADD || k->kind == CHANGE_WEIGHT;

    return json_pack("{s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:b, s:b}", "id",
                     (json_int_t)k->id, "change", change_word(k->kind), "service", text(k->service),
                     "instance", text(k->instance), "weight",
                     sized ? json_integer(k->weight) : json_null(), "zone", text(k->zone), "who",
                     text(k->who), "why", text(k->why), "at", (json_int_t)k->at, "expires_at",
                     k->expires ? json_integer((json_int_t)k->expires) : json_null(), "file_says",
                     text(k->file_value), "in_force", k->in_force != 0, "stored", k->stored);
}

void api_changes(struct api_call *k)
{
    struct control *c = k->control;
    json_t *list = json_array();

    for (size_t i = 0; i < c->overlay.count; i++)
        json_array_append_new(list, change_json(c->overlay.list[i]));
    write_json(json_pack("{s:o, s:s, s:I}", "changes", list, "reload",
                         reload_words(c->reload.state), "generation",
                         (json_int_t)control_config(c)->generation),
               &k->out);
}

/* ---- reading the file again */

void api_reload(struct api_call *k)
{
    struct control *c = k->control;
    struct asker by;

    if (!control_config(c)->from_file) {
        answer_text(k, 409, "there is no file to read again: this was started with --to");
        return;
    }
    if (c->state != CONTROL_SERVING) {
        answer_text(k, 409, "this node is stopping");
        return;
    }
    json_t *o = read_asker(k, &by);
    if (!o)
        return;
    uint64_t serial = reload_want_by(c, &by);
    json_decref(o);
    write_json(
        json_pack("{s:s, s:I}", "done", "the file is read again", "serial", (json_int_t)serial),
        &k->out);
    k->status = 202;
}

void api_reload_state(struct api_call *k)
{
    struct control *c = k->control;
    const struct reload_outcome *o = &c->reload.last;
    json_t *last = json_null();

    if (o->at)
        last = json_pack("{s:I, s:b, s:I, s:o, s:o, s:o, s:o, s:o}", "serial",
                         (json_int_t)o->serial, "good", o->good, "at", (json_int_t)o->at, "error",
                         text(str_span(&o->error)), "changed", text(str_span(&o->changed)),
                         "needs_restart", text(str_span(&o->restart)), "counts",
                         text(o->good ? str_span(&o->counts) : SPAN("")), "findings",
                         text(str_span(&o->findings)));
    write_json(json_pack("{s:s, s:o, s:o}", "state", reload_words(c->reload.state), "file",
                         text(control_config(c)->path), "last", last),
               &k->out);
}
