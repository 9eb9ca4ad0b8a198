/* SPDX-License-Identifier: Apache-2.0 */
/* privileges.c - limits and users. */
#include "control/privileges.h"

#include "base/log.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { FILES_BESIDES = 512 }; /* the store, logs, listeners, and the admin address's connections */

static void fit_connections(struct config *c, rlim_t files)
{
    uint32_t fit = files > FILES_BESIDES + 2 ? (uint32_t)((files - FILES_BESIDES) / 2) : 1;

    log_warn("only %lu files may be open: limits.connections is %u instead of %u; raise the limit "
             "(ulimit -n, LimitNOFILE=) or lower limits.connections",
             (unsigned long)files, fit, c->limits.connections);
    c->limits.connections = fit;
}

err raise_descriptors(struct config *c)
{
    struct rlimit l;
    rlim_t want = (rlim_t)c->limits.connections * 2 + FILES_BESIDES;

    if (getrlimit(RLIMIT_NOFILE, &l))
        return err_system(errno, "cannot read the limit of open files");
    if (l.rlim_cur >= want)
        return OK;
    l.rlim_cur = l.rlim_max < want ? l.rlim_max : want;
    if (setrlimit(RLIMIT_NOFILE, &l))
        return err_system(errno, "cannot raise the limit of open files");
    if (l.rlim_cur < want)
        fit_connections(c, l.rlim_cur);
    return OK;
}

void forbid_core(void)
{
    /* one byte: zero does not hold for a core that is piped to a program, one does (core(5), and
     * do_coredump() of the kernel) */
    struct rlimit none = { 1, 1 };

    setrlimit(RLIMIT_CORE, &none);
}

err become_user(struct span user)
{
    if (user.n == 0) {
        if (geteuid() == 0)
            log_warn("running as root; `user:` names one with fewer rights");
        return OK;
    }
    errno = 0;
    const struct passwd *p = getpwnam(user.p);
    if (!p)
        return err_make("there is no user '%s' (user:)", user.p);
    if (geteuid() == p->pw_uid)
        return OK;
    if (geteuid() != 0)
        return err_make("only root can become the user '%s' (user:); start as root or as that user",
                        user.p);
    if (initgroups(user.p, p->pw_gid) || setresgid(p->pw_gid, p->pw_gid, p->pw_gid) ||
        setresuid(p->pw_uid, p->pw_uid, p->pw_uid))
        return err_system(errno, "cannot become the user '%s'", user.p);
    if (p->pw_uid != 0 && setuid(0) == 0)
        return err_make("the rights of root could not be given up");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return err_system(errno, "cannot give up new rights");
    log_info("running as %s", user.p);
    return OK;
}
