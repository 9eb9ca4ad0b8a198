/* SPDX-License-Identifier: Apache-2.0 */
/* files.c - the thread's loop. It sleeps as long as the rings fill slowly, and less the faster they do. */
#include "control/files.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    SLEEP_MAX_MS = 200, /* so that who follows the log sees a line soon */
    SLEEP_MIN_MS = 4,
};

#define CERTIFICATES_EVERY (2 * NS_PER_S)

err files_open(struct files *f, struct access_writer *log, struct certificate_watch *certificates,
               struct life_sign *life)
{
    *f = (struct files){ .log = log, .certificates = certificates, .life = life };
    f->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return f->bell < 0 ? err_system(errno, "cannot make an eventfd") : OK;
}

static void ring(struct files *f)
{
    uint64_t one = 1;
    ssize_t n = write(f->bell, &one, sizeof(one));

    (void)n; /* a full counter rings as well */
}

void files_hurry(void *files)
{
    ring(files);
}

void files_reopen(struct files *f)
{
    atomic_store(&f->reopen, true);
    ring(f);
}

void files_stop(struct files *f)
{
    atomic_store(&f->stop, true);
    ring(f);
}

static void wait_for(struct files *f, int ms)
{
    struct pollfd p = { .fd = f->bell, .events = POLLIN };
    uint64_t count;

    if (poll(&p, 1, ms) > 0) {
        ssize_t n = read(f->bell, &count, sizeof(count));
        (void)n;
    }
}

static int next_sleep(const struct files *f, int ms)
{
    if (!f->log)
        return SLEEP_MAX_MS;
    if (f->log->most_waiting > LOG_RING_SIZE / 2)
        return ms / 2 > SLEEP_MIN_MS ? ms / 2 : SLEEP_MIN_MS;
    if (f->log->most_waiting < LOG_RING_SIZE / 8)
        return ms * 2 < SLEEP_MAX_MS ? ms * 2 : SLEEP_MAX_MS;
    return ms;
}

void *files_main(void *files)
{
    struct files *f = files;
    int sleep_ms = SLEEP_MAX_MS;
    ns_t look_at = 0;

    for (;;) {
        bool stop = atomic_load(&f->stop); /* before the last look at the rings */
        ns_t now = clock_monotonic();
        life_sign_tick(f->life, now, clock_wall());
        if (f->log && atomic_exchange(&f->reopen, false)) {
            access_writer_drain(f->log); /* what was logged before belongs into the old file */
            access_writer_reopen(f->log);
        }
        if (f->log)
            access_writer_drain(f->log);
        if (stop)
            return NULL;
        if (now >= look_at) {
            certificates_check(f->certificates, now);
            look_at = now + CERTIFICATES_EVERY;
        }
        sleep_ms = next_sleep(f, sleep_ms);
        wait_for(f, sleep_ms);
    }
}

void files_close(struct files *f)
{
    close(f->bell);
}
