/* SPDX-License-Identifier: Apache-2.0 */
/* api_login.c - how a browser shows its token: a page that asks for it, and a session from then on. Without a script. */
#include "control/api.h"

#include "control/api_table.h"
#include "control/control.h"
#include "control/page.h"

#include <stdlib.h>

enum { FORM_MAX = 8 * 1024 };

static void add_field(struct api_call *k, const char *name, const char *value)
{
    exchange_add_field(k->exchange, span_from_text(name), span_from_text(value));
}

/* RFC 9110 section 15.4.4: what follows is a GET. */
static void go_to_page(struct api_call *k)
{
    add_field(k, "Location", "/");
    k->status = 303;
    k->type = API_TEXT;
}

/* ---- the page */

void api_write_login(struct api_call *k, const char *wrong)
{
    str_literal(
        &k->out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
        "<title>evenkeel</title><link rel=\"stylesheet\" href=\"/style.css\">"
        "<link rel=\"icon\" href=\"/icon.svg\"></head><body><header><h1>evenkeel</h1></header>"
        "<main><form class=\"login\" method=\"post\" action=\"/login\">");
    if (wrong) {
        str_literal(&k->out, "<p class=\"summary spent\" role=\"alert\">");
        page_escaped(&k->out, span_from_text(wrong));
        str_literal(&k->out, "</p>");
    }
    str_literal(
        &k->out,
        "<label for=\"token\">Token</label>"
        "<input id=\"token\" name=\"token\" type=\"password\" required autofocus "
        "autocomplete=\"current-password\" autocapitalize=\"off\" spellcheck=\"false\">"
        "<button>Log in</button><p class=\"note\">The view token or the operate token of this "
        "node.</p></form></main></body></html>\n");
    k->type = API_HTML;
}

void api_login_page(struct api_call *k)
{
    if (k->control->access.tokens.wanted)
        api_write_login(k, NULL);
    else
        go_to_page(k);
}

/* ---- reading the form */

static void put_decoded(struct str *out, struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        int high = s.p[i] == '%' && i + 2 < s.n ? ascii_hex(s.p[i + 1]) : -1;
        int low = high >= 0 ? ascii_hex(s.p[i + 2]) : -1;
        if (low >= 0) {
            str_char(out, (char)(high << 4 | low));
            i += 2;
        } else {
            str_char(out, s.p[i] == '+' ? ' ' : s.p[i]);
        }
    }
}

/* The value of `token` in application/x-www-form-urlencoded (https://url.spec.whatwg.org/#urlencoded-parsing); blanks that
 * were pasted with it do not count. */
static struct span read_form(struct span body, struct str *room)
{
    while (body.n > 0) {
        size_t n = span_find(body, '&');
        struct span pair = span_of(body.p, n);
        if (span_starts_with(pair, SPAN("token="))) {
            put_decoded(room, span_after(pair, 6));
            break;
        }
        body = span_after(body, n + 1);
    }
    return span_trim(str_span(room));
}

static bool is_form(const struct http_head *h)
{
    const struct http_field *type = http_head_find(h, HTTP_CONTENT_TYPE);
    struct span media = type ? field_value(type) : SPAN("");

    return span_equal_nocase(span_trim(span_of(media.p, span_find(media, ';'))),
                             SPAN("application/x-www-form-urlencoded"));
}

/* ---- in and out */

/* An empty id takes the cookie back. */
static void set_cookie(struct api_call *k, struct span id)
{
    bool secure = exchange_peer(k->exchange)->secure;
    struct str text = str_growing();

    str_put(&text, access_cookie(secure));
    str_print(&text, "=%.*s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%d%s", SPAN_ARG(id),
              id.n ? SESSION_LIFE_S : 0, secure ? "; Secure" : "");
    add_field(k, "Set-Cookie", str_cstr(&text));
    str_free(&text);
}

static struct access_question question_of(const struct api_call *k)
{
    return (struct access_question){ .head = k->head,
                                     .peer = &exchange_peer(k->exchange)->address,
                                     .secure = exchange_peer(k->exchange)->secure,
                                     .now = k->control->reactor->now };
}

static void open_session(struct api_call *k, bool operates)
{
    char id[SESSION_ID_SIZE];

    session_begin(&k->control->access.sessions, operates, k->control->reactor->now, id);
    set_cookie(k, span_of(id, sizeof(id)));
    go_to_page(k);
}

void api_login(struct api_call *k)
{
    struct access_question q = question_of(k);
    struct str token = str_growing();

    if (!k->control->access.tokens.wanted) {
        go_to_page(k);
        return;
    }
    if (api_from_elsewhere(k->head) || !is_form(k->head) || k->body.n > FORM_MAX) {
        api_refuse(k, 403, "not_this_page", "logging in is done by the form of this page");
        return;
    }
    struct access_answer a =
        access_judge_token(&k->control->access, &q, read_form(k->body, &token));
    str_free(&token);
    if (a.status) {
        api_add_challenge(k, &a);
        k->status = a.status;
        api_write_login(k, a.text);
        return;
    }
    open_session(k, a.right == ACCESS_OPERATE);
}

void api_logout(struct api_call *k)
{
    struct access_question q = question_of(k);

    if (api_from_elsewhere(k->head)) {
        api_refuse(k, 403, "not_this_page", "a page of another site changes nothing here");
        return;
    }
    session_end(&k->control->access.sessions, http_cookie(k->head, access_cookie(q.secure)), q.now);
    set_cookie(k, SPAN(""));
    go_to_page(k);
}
