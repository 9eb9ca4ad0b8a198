/* SPDX-License-Identifier: Apache-2.0 */
/* peer_puller.c - one easy handle of libcurl per node, kept with its connection; one multi handle for all.
 * Manual: libcurl-multi(3), curl_multi_poll(3), curl_multi_wakeup(3). */
#include "control/peer_puller.h"

#include "base/check.h"
#include "base/rand.h"
#include "base/str.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { TOKEN_MAX = 4096 };

struct pull {
    const struct peer_target *target;
    CURL *easy;
    struct curl_slist *fields;
    struct str body;
    char why[CURL_ERROR_SIZE];
    bool asking;
    bool too_long;
    unsigned failures; /* in a row */
    ns_t next;         /* when it is asked again */
};

void peer_list_free(struct peer_list *list)
{
    if (list)
        arena_free(&list->arena);
    free(list);
}

void peer_answer_free(struct peer_answer *answer)
{
    peer_counts_free(answer->counts);
    free(answer);
}

/* ---- one question */

static size_t take(char *bytes, size_t size, size_t count, void *pull)
{
    struct pull *p = pull;

    p->too_long |= p->body.n + size * count > PEER_BODY_MAX;
    if (p->too_long)
        return 0; /* anything but the number of bytes ends the transfer */
    str_put(&p->body, span_of(bytes, size * count));
    return size * count;
}

static err read_token_file(const char *path, char ret_token[TOKEN_MAX])
{
    FILE *f = fopen(path, "re");

    if (!f)
        return err_system(errno, "cannot read the token %s", path);
    size_t n = fread(ret_token, 1, TOKEN_MAX - 1, f);
    fclose(f);
    while (n > 0 && (ret_token[n - 1] == '\n' || ret_token[n - 1] == '\r'))
        n--;
    ret_token[n] = '\0';
    return OK;
}

/* Each time anew, so that a token may be changed under us. */
static err add_token(struct pull *p)
{
    const struct peer_target *t = p->target;
    char token[TOKEN_MAX] = "";
    char line[TOKEN_MAX + 32];

    curl_slist_free_all(p->fields);
    p->fields = NULL;
    if (t->token_file.n) {
        TRY(read_token_file(t->token_file.p, token));
    } else if (t->token_env.n) {
        const char *value = getenv(t->token_env.p);
        snprintf(token, sizeof(token), "%s", value ? value : "");
    } else {
        return OK;
    }
    for (const char *s = token; *s; s++) {
        if (*s <= ' ' || *s > '~')
            return err_make("the token for %s is none: it has blanks or control characters",
                            t->url.p);
    }
    if (!token[0])
        return err_make("the token for %s is empty", t->url.p);
    snprintf(line, sizeof(line), "Authorization: Bearer %s", token);
    p->fields = curl_slist_append(NULL, line);
    check(p->fields != NULL);
    return OK;
}

static err begin(struct peer_puller *puller, struct pull *p)
{
    str_free(&p->body);
    p->body = str_growing();
    p->why[0] = '\0';
    p->too_long = false;
    TRY(add_token(p));
    curl_easy_setopt(p->easy, CURLOPT_HTTPHEADER, p->fields);
    CURLMcode failed = curl_multi_add_handle(puller->multi, p->easy);
    if (failed)
        return err_make("libcurl: %s", curl_multi_strerror(failed));
    p->asking = true;
    return OK;
}

static err read_answer(struct pull *p, CURLcode failed, struct peer_counts **ret)
{
    long status = 0;

    if (p->too_long)
        return err_make("its answer is longer than %d MiB", PEER_BODY_MAX >> 20);
    if (failed)
        return err_make("%s", p->why[0] ? p->why : curl_easy_strerror(failed));
    curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200)
        return err_make("it answered %ld%s", status,
                        status == 404 ? ": is it an older version?" : "");
    return peer_counts_parse(str_span(&p->body), ret);
}

/* The next is newer: an answer that finds no room is dropped. */
static void tell(struct peer_puller *puller, struct pull *p, struct peer_counts *counts, err e)
{
    struct peer_answer *a = calloc(1, sizeof(*a));

    check(a != NULL);
    *a = (struct peer_answer){
        .id = p->target->id, .at = clock_monotonic(), .counts = counts, .failed = e
    };
    struct message m = { .kind = MESSAGE_PEER_ANSWER, .job = a };
    if (mailbox_send(puller->control_mail, &m))
        reactor_wake(puller->control);
    else
        peer_answer_free(a);
}

/* Somewhere in the second half of the rest, so that nodes which began together do not go on so. */
static ns_t rest_of(struct peer_puller *puller, const struct pull *p)
{
    struct rng r = { puller->jitter++ };
    ns_t rest = PULL_EVERY;

    for (unsigned i = 1; i < p->failures && rest < PULL_REST_MAX; i++)
        rest *= 2;
    return p->failures ? rest / 2 + (ns_t)rng_below(&r, (uint64_t)rest / 2) : rest;
}

static void finish(struct peer_puller *puller, struct pull *p, struct peer_counts *counts, err e)
{
    p->failures = e.failed ? p->failures + 1 : 0;
    p->next = clock_monotonic() + rest_of(puller, p);
    tell(puller, p, counts, e);
}

/* ---- the list */

static void pull_open(struct pull *p, const struct peer_target *t)
{
    struct str url = str_growing();

    *p = (struct pull){ .target = t, .easy = curl_easy_init(), .body = str_growing() };
    check(p->easy != NULL);
    str_print(&url, "%s/api/v1/counters", t->url.p);
    curl_easy_setopt(p->easy, CURLOPT_URL, str_cstr(&url));
    str_free(&url);
    curl_easy_setopt(p->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(p->easy, CURLOPT_NOPROXY,
                     "*"); /* nodes are near: no proxy of the environment */
    curl_easy_setopt(p->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(p->easy, CURLOPT_TIMEOUT_MS, PULL_TIMEOUT_MS);
    if (t->ca.n)
        curl_easy_setopt(p->easy, CURLOPT_CAINFO, t->ca.p);
    curl_easy_setopt(p->easy, CURLOPT_WRITEFUNCTION, take);
}

/* Where it stands now, for it moves with the list. */
static void pull_place(struct pull *p, const struct peer_target *t)
{
    p->target = t;
    curl_easy_setopt(p->easy, CURLOPT_WRITEDATA, p);
    curl_easy_setopt(p->easy, CURLOPT_ERRORBUFFER, p->why);
    curl_easy_setopt(p->easy, CURLOPT_PRIVATE, p);
}

static void pull_close(struct peer_puller *puller, struct pull *p)
{
    if (p->asking)
        curl_multi_remove_handle(puller->multi, p->easy);
    curl_easy_cleanup(p->easy);
    curl_slist_free_all(p->fields);
    str_free(&p->body);
}

static struct pull *find_pull(struct peer_puller *puller, uint32_t id)
{
    for (size_t i = 0; i < puller->count; i++) {
        if (puller->pulls[i].easy && puller->pulls[i].target->id == id)
            return &puller->pulls[i];
    }
    return NULL;
}

/* Nodes that stay keep their connection, and the answer that is on its way. */
static void take_list(struct peer_puller *puller, struct peer_list *list)
{
    struct pull *pulls = calloc(list->count + 1, sizeof(pulls[0]));

    check(pulls != NULL);
    for (size_t i = 0; i < list->count; i++) {
        struct pull *old = find_pull(puller, list->targets[i].id);
        if (old) {
            pulls[i] = *old;
            old->easy = NULL;
        } else {
            pull_open(&pulls[i], &list->targets[i]);
        }
        pull_place(&pulls[i], &list->targets[i]);
    }
    for (size_t i = 0; i < puller->count; i++) {
        if (puller->pulls[i].easy)
            pull_close(puller, &puller->pulls[i]);
    }
    free(puller->pulls);
    peer_list_free(puller->list);
    puller->pulls = pulls;
    puller->count = list->count;
    puller->list = list;
}

/* ---- the thread */

static void read_mail(struct peer_puller *puller)
{
    struct message m;

    while (mailbox_receive(&puller->mail, &m)) {
        if (m.kind == MESSAGE_PEERS)
            take_list(puller, m.job);
        else
            puller->stopped = true;
    }
}

static void begin_due(struct peer_puller *puller)
{
    ns_t now = clock_monotonic();

    for (size_t i = 0; i < puller->count; i++) {
        struct pull *p = &puller->pulls[i];
        if (p->asking || p->next > now)
            continue;
        err e = begin(puller, p);
        if (e.failed)
            finish(puller, p, NULL, e);
    }
}

static void end_done(struct peer_puller *puller)
{
    int left;

    for (CURLMsg *m = curl_multi_info_read(puller->multi, &left); m;
         m = curl_multi_info_read(puller->multi, &left)) {
        struct pull *p = NULL;
        struct peer_counts *counts = NULL;
        CURLcode failed = m->data.result; /* gone with the handle */
        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &p);
        curl_multi_remove_handle(puller->multi, p->easy);
        p->asking = false;
        err e = read_answer(p, failed, &counts);
        finish(puller, p, counts, e);
    }
}

/* Until the next node is to be asked; mail and answers end it earlier. */
static int sleep_ms(const struct peer_puller *puller)
{
    ns_t now = clock_monotonic();
    ns_t least = 60 * NS_PER_S;

    for (size_t i = 0; i < puller->count; i++) {
        const struct pull *p = &puller->pulls[i];
        if (!p->asking && p->next - now < least)
            least = p->next > now ? p->next - now : 0;
    }
    return (int)((least + NS_PER_MS - 1) / NS_PER_MS);
}

void *peer_puller_main(void *puller)
{
    struct peer_puller *p = puller;
    int running;

    for (;;) {
        read_mail(p);
        if (p->stopped)
            break;
        begin_due(p);
        curl_multi_perform(p->multi, &running);
        end_done(p);
        curl_multi_poll(p->multi, NULL, 0, sleep_ms(p), NULL);
    }
    for (size_t i = 0; i < p->count; i++)
        pull_close(p, &p->pulls[i]);
    free(p->pulls);
    p->pulls = NULL;
    p->count = 0;
    return NULL;
}

/* ---- from outside */

err peer_puller_open(struct peer_puller *p, struct mailbox *control_mail, struct reactor *control)
{
    CURLcode failed = curl_global_init(CURL_GLOBAL_DEFAULT); /* before there are threads */

    *p = (struct peer_puller){ .control_mail = control_mail, .control = control };
    p->multi = failed ? NULL : curl_multi_init();
    if (!p->multi)
        return err_make("libcurl cannot be used");
    rand_secret(&p->jitter, sizeof(p->jitter));
    mailbox_init(&p->mail);
    return OK;
}

void peer_puller_free(struct peer_puller *p)
{
    struct message m;

    while (mailbox_receive(&p->mail, &m)) {
        if (m.kind == MESSAGE_PEERS)
            peer_list_free(m.job);
    }
    peer_list_free(p->list);
    mailbox_free(&p->mail);
    curl_multi_cleanup(p->multi);
}

static bool post(struct peer_puller *p, const struct message *m)
{
    bool sent = mailbox_send(&p->mail, m);

    curl_multi_wakeup(p->multi);
    return sent;
}

bool peer_puller_give(struct peer_puller *p, struct peer_list *list)
{
    struct message m = { .kind = MESSAGE_PEERS, .job = list };

    return post(p, &m);
}

bool peer_puller_ask_stop(struct peer_puller *p)
{
    struct message m = { .kind = MESSAGE_PEERS_STOP };

    return post(p, &m);
}
