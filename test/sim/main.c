/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - runs scenarios with many seeds; a failing seed prints the command that replays it.
 * Each scenario runs in a process of its own, so that one which stops on a check is told as well. */
#include "kit.h"

#include "base/log.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct options {
    const char *scenario; /* NULL: all */
    uint64_t seed;        /* the first */
    uint64_t seeds;
    bool trace;
    bool list;
    const char *program;
};

/* For the signal handler: what is running. */
static const struct scenario *running;
static uint64_t running_seed;
static const char *program;

static void print_replay(const char *name, uint64_t seed)
{
    printf("  replay: %s --scenario %s --seed %lu --trace\n", program, name, (unsigned long)seed);
}

static void on_abort(int sig)
{
    char line[256];
    int n = snprintf(line, sizeof(line),
                     "FAIL %s: seed %lu stopped the program\n  replay: %s "
                     "--scenario %s --seed %lu --trace\n",
                     running->name, (unsigned long)running_seed, program, running->name,
                     (unsigned long)running_seed);
    ssize_t done = write(STDOUT_FILENO, line, (size_t)n);

    (void)done;
    signal(sig, SIG_DFL);
    raise(sig);
}

static bool run_seed(const struct scenario *sc, uint64_t seed, bool trace)
{
    static struct sim sim; /* large */

    running_seed = seed;
    sim_open(&sim, seed, trace);
    sc->run(&sim);
    bool failed = sim.failure[0];
    if (failed) {
        printf("FAIL %s: seed %lu: %s\n", sc->name, (unsigned long)seed, sim.failure);
        print_replay(sc->name, seed);
    }
    sim_close(&sim);
    return !failed;
}

static int run_scenario(const struct scenario *sc, const struct options *o)
{
    uint64_t answers = 0;

    running = sc;
    signal(SIGABRT, on_abort);
    signal(SIGSEGV, on_abort);
    (void)answers;
    for (uint64_t i = 0; i < o->seeds; i++) {
        if (!run_seed(sc, o->seed + i, o->trace))
            return 1;
    }
    printf("ok %s (%lu seeds)\n", sc->name, (unsigned long)o->seeds);
    return 0;
}

static bool run_apart(const struct scenario *sc, const struct options *o)
{
    int status;

    fflush(stdout);
    pid_t pid = fork();
    check(pid >= 0);
    if (pid == 0) {
        int failed = run_scenario(sc, o);
        fflush(stdout);
        exit(failed);
    }
    pid_t ended = waitpid(pid, &status, 0);
    check(ended == pid);
    return status == 0;
}

static void usage(FILE *to)
{
    fprintf(to, "usage: sim [--scenario NAME] [--seed N] [--seeds N] [--trace] [--list]\n"
                "Runs scenarios of a whole evenkeel on a virtual clock; --seeds is for each.\n");
}

static struct options read_options(int argc, char **argv)
{
    struct options o = { .seed = 1, .seeds = 100, .program = argv[0] };
    bool seeds_given = false;

    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--trace") == 0) {
            o.trace = true;
        } else if (strcmp(argv[i], "--list") == 0) {
            o.list = true;
        } else if (strcmp(argv[i], "--help") == 0) {
            usage(stdout);
            exit(0);
        } else if (strcmp(argv[i], "--scenario") == 0) {
            o.scenario = value;
            i++;
        } else if (strcmp(argv[i], "--seed") == 0) {
            o.seed = strtoull(value, NULL, 10);
            if (!seeds_given)
                o.seeds = 1;
            i++;
        } else if (strcmp(argv[i], "--seeds") == 0) {
            o.seeds = strtoull(value, NULL, 10);
            seeds_given = true;
            i++;
        } else {
            usage(stderr);
            exit(2);
        }
    }
    return o;
}

int main(int argc, char **argv)
{
    struct options o = read_options(argc, argv);
    unsigned passed = 0;
    unsigned failed = 0;

    program = argv[0];
    log_set_level(o.trace ? LOG_DEBUG : LOG_ERROR);
    for (size_t i = 0; i < scenario_count; i++) {
        const struct scenario *sc = &scenarios[i];
        if (o.scenario && strcmp(o.scenario, sc->name) != 0)
            continue;
        if (o.list)
            printf("%-24s %s\n", sc->name, sc->story);
        else if (run_apart(sc, &o))
            passed++;
        else
            failed++;
    }
    if (o.list)
        return 0;
    if (passed + failed == 0) {
        fprintf(stderr, "no scenario is called '%s'; --list shows them\n", o.scenario);
        return 2;
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed > 0;
}
