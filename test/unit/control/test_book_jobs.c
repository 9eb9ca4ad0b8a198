/* SPDX-License-Identifier: Apache-2.0 */
/* test_book_jobs.c - what goes to the scribe a few accounts at a time comes to all of them. */
#include "configs.h"

#include "control/book.h"
#include "control/registry.h"

enum { MANY = 90, START = 1800000000 }; /* more than one job looks at, by far */

static struct config *config_of_many(void)
{
    struct str text = str_growing();

    str_literal(&text, "listen: { http: 127.0.0.1:8080 }\n"
                       "services: { shop: { instances: [127.0.0.1:9101] } }\njourneys:\n");
    for (unsigned i = 0; i < MANY; i++)
        str_print(&text, "  j%u: { routes: [GET /%u], objectives: { a: { target: 99%% } } }\n", i,
                  i);
    struct config *c = read_good(str_cstr(&text));
    str_free(&text);
    return c;
}

struct world {
    struct registry registry;
    struct book book;
    struct counter_page page;
    struct config *config;
};

static void begin(struct world *w)
{
    *w = (struct world){ .config = config_of_many() };
    counter_page_open(&w->page);
    registry_open(&w->registry);
    assert_false(registry_assign(&w->registry, w->config).failed);
    book_open(&w->book, 0, NS_PER_S, START);
    book_add_page(&w->book, &w->page);
    book_adopt(&w->book, w->config, NULL, NS_PER_S, START);
}

static void end(struct world *w)
{
    book_close(&w->book);
    counter_page_close(&w->page);
    registry_close(&w->registry);
    config_free(w->config);
}

/* Jobs that come a minute apart, as behind a slow store: a round that is not over goes on where it was. */
static void all_are_asked_where_their_windows_begin(void **state)
{
    struct world w;
    unsigned asked[MANY + 1] = {};

    (void)state;
    begin(&w);
    for (unsigned t = 1; t <= 12; t++) {
        struct scribe_job *job = book_job(&w.book, START + 60 * (int64_t)t, false);
        assert_non_null(job);
        for (size_t i = 0; i < job->question_count; i++) {
            const struct scribe_question *q = &job->questions[i];
            asked[q->account] += q->start == 0;
            assert_int_equal(q->at,
                             START + 60 * (int64_t)t -
                                 w.book.accounts[q->account].starts->list[q->start].window_s);
        }
        book_job_done(&w.book, job);
    }
    for (unsigned i = 0; i < MANY; i++)
        assert_in_range(asked[i], 2, 3);
    end(&w);
}

/* Whatever was counted in a bin is stored within some jobs, whosever it is. */
static void all_histograms_have_their_turn(void **state)
{
    struct world w;
    bool put[MANY + 1] = {};
    size_t most = 0;

    (void)state;
    begin(&w);
    for (unsigned i = 0; i < MANY; i++) {
        counter_add(&w.page, w.config->journeys[i].slots.verdicts + VERDICT_MISSED, 1);
        counter_add(&w.page, w.config->journeys[i].slots.histogram + i, 1);
    }
    for (unsigned t = 1; t <= 4; t++) {
        struct scribe_job *job = book_job(&w.book, START + (int64_t)t, false);
        assert_non_null(job);
        for (size_t i = 0; i < job->slot_count; i++)
            put[job->slots[i].lineage] = true;
        assert_int_equal(job->batch.histogram_count, job->slot_count);
        most = job->slot_count > most ? job->slot_count : most;
        job->stored = true;
        book_job_done(&w.book, job);
    }
    for (unsigned i = 0; i < MANY; i++)
        assert_true(put[i]);
    assert_true(most < MANY / 2); /* not all of them in one tick */
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_asked_where_their_windows_begin),
        cmocka_unit_test(all_histograms_have_their_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
