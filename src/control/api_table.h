/* SPDX-License-Identifier: Apache-2.0 */
/* api_table.h - every address of the admin API: method, path, what one must be allowed to do, and the function that
 * answers. A new address is a row here, a function in the file of its subject, its description in openapi.json (test/edge
 * finds a row without one, and a field that is not described), and a paragraph in docs/api.md.
 * Always: the first row with path and method answers; HEAD is answered as GET. */
#ifndef EK_CONTROL_API_TABLE_H
#define EK_CONTROL_API_TABLE_H

#include "base/str.h"
#include "proto/http.h"

#include <jansson.h>

struct arena;
struct control;
struct exchange;
struct journey;

/* clang-format off */
#define API_TABLE(X) \
    /* method    path                   right   answered by */ \
    X("GET",    "/",                    VIEW,   api_page) \
    X("GET",    "/login",               OPEN,   api_login_page) \
    X("POST",   "/login",               OPEN,   api_login) \
    X("POST",   "/logout",              OPEN,   api_logout) \
    X("GET",    "/healthz",             OPEN,   answer_health) \
    X("GET",    "/readyz",              OPEN,   answer_ready) \
    X("GET",    "/metrics",             VIEW,   api_metrics) \
    X("GET",    "/api/v1/openapi.json", VIEW,   answer_description) \
    X("GET",    "/api/v1/journeys",     VIEW,   api_journeys) \
    X("GET",    "/api/v1/journeys/*/history", VIEW, api_history) \
    X("GET",    "/api/v1/journeys/*/what-if", VIEW, api_what_if) \
    X("GET",    "/api/v1/journeys/*/dimensions", VIEW, api_dimensions) \
    X("GET",    "/api/v1/dimensions",   VIEW,   api_dimensions_of_some) \
    X("GET",    "/api/v1/services",     VIEW,   api_services) \
    X("GET",    "/api/v1/peers",        VIEW,   api_peers) \
    X("GET",    "/api/v1/counters",     VIEW,   api_counters) \
    X("GET",    "/api/v1/unclaimed",    VIEW,   api_unclaimed) \
    X("GET",    "/api/v1/changes",      VIEW,   api_changes) \
    X("GET",    "/api/v1/changes/history", VIEW, api_deeds) \
    X("POST",   "/api/v1/changes",      CHANGE, api_make_change) \
    X("DELETE", "/api/v1/changes/*",    CHANGE, api_take_back) \
    X("GET",    "/api/v1/backup",       VIEW,   api_backup_state) \
    X("POST",   "/api/v1/backup",       CHANGE, api_backup) \
    X("GET",    "/api/v1/events",       VIEW,   api_notices) \
    X("POST",   "/api/v1/events",       CHANGE, api_take_events) \
    X("GET",    "/api/v1/reload",       VIEW,   api_reload_state) \
    X("POST",   "/api/v1/reload",       CHANGE, api_reload)
/* clang-format on */

enum api_right {
    API_OPEN,   /* needs no token */
    API_VIEW,   /* looks */
    API_CHANGE, /* changes something */
};

/* One request and its answer in the making. Begins as 200, JSON, empty. */
struct api_call {
    struct control *control;
    struct exchange *exchange;
    const struct http_head *head;
    struct span body;
    struct span part; /* what stands for the star of the path, not decoded */
    struct str out;   /* grows; the answer's body */
    unsigned status;
    struct span type;
    const char *by; /* what let it in, for who looks later: deeds.h */
    bool session;   /* asked by a browser that has logged in */
    bool held;      /* answered later: exchange_hold() was called, nothing of the above matters */
};

#define API_JSON SPAN("application/json")
#define API_TEXT SPAN("text/plain; charset=utf-8")
#define API_HTML SPAN("text/html; charset=utf-8")

enum {
    API_TASKS_MAX =
        16, /* of the scribe under way, of whatever kind: more questions are turned away */
};

/* ---- api.c */

struct access_answer;

/* Instead of an answer: {"error": text, "reason": reason}. */
void api_refuse(struct api_call *k, unsigned status, const char *reason, const char *text);

/* The fields that tell browsers what not to do with the answer, of the type that is set. api.c adds them, unless it is held. */
void api_protect(const struct api_call *k);

/* The fields that a 401, 403 or 429 has for programs. */
void api_add_challenge(struct api_call *k, const struct access_answer *a);

/* ---- api_login.c */
void api_login_page(struct api_call *k);
void api_login(struct api_call *k);
void api_logout(struct api_call *k);

/* The page that asks for a token; `wrong`: what was not right before, or NULL. */
void api_write_login(struct api_call *k, const char *wrong);

/* ---- api_json.c */
void api_journeys(struct api_call *k);
void api_services(struct api_call *k);

/* Takes the object. */
void api_put_json(struct str *out, json_t *root);

/* An objective with its figures over all windows. */
json_t *api_objective(const struct control *c, const struct journey *journey, unsigned number);

/* ---- api_steps.c */

/* The funnel of a journey of steps. */
json_t *api_funnel(const struct control *c, const struct journey *j);

/* What ends without a farewell cost this node between two times (unix seconds), newest first. */
json_t *api_losses(const struct control *c, int64_t from, int64_t to);

struct metrics_text;
void metrics_write_steps(const struct control *c, struct metrics_text *t);

/* ---- metrics_dimensions.c */

/* Bits of enum dimension that a scraper asks for; NULL, or what is wrong with the question. */
const char *metrics_asked(struct span query, struct arena *memory, uint32_t *ret_asked);
void metrics_write_dimensions(const struct control *c, struct metrics_text *t, uint32_t asked);

/* ---- api_queries.c */

/* How its query goes; null: it has none. */
json_t *api_job_query(const struct control *c, const struct journey *j);
void metrics_write_queries(const struct control *c, struct metrics_text *t);

/* ---- api_history.c */
void api_history(struct api_call *k);

/* ---- api_what_if.c */
void api_what_if(struct api_call *k);

/* NULL: there is no such journey. api_question.c */
const struct journey *api_find_journey(const struct control *c, struct span name);

/* ---- api_dimensions.c */
void api_dimensions(struct api_call *k);
void api_dimensions_of_some(struct api_call *k);

/* ---- page.c */
void api_page(struct api_call *k);

/* ---- peer_show.c */
void api_peers(struct api_call *k);

/* ---- peer_serve.c */
void api_counters(struct api_call *k);

/* ---- backups.c */
void api_backup(struct api_call *k);
void api_backup_state(struct api_call *k);

/* ---- api_unclaimed.c */
void api_unclaimed(struct api_call *k);

/* ---- metrics.c */
void api_metrics(struct api_call *k);

/* ---- api_changes.c */
void api_changes(struct api_call *k);
void api_make_change(struct api_call *k);
void api_take_back(struct api_call *k);
void api_reload_state(struct api_call *k);
void api_reload(struct api_call *k);

/* ---- api_deeds.c */
void api_deeds(struct api_call *k);

/* ---- api_notices.c */
void api_notices(struct api_call *k);

/* ---- api_take_events.c */
void api_take_events(struct api_call *k);

#endif
