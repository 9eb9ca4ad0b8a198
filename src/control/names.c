/* SPDX-License-Identifier: Apache-2.0 */
/* names.c - getaddrinfo, and what it said last. */
#include "control/names.h"

#include "base/check.h"
#include "base/log.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct known_name *find(const struct names *n, struct span text)
{
    for (size_t i = 0; i < n->count; i++) {
        if (span_equal(span_from_text(n->list[i]->text), text))
            return n->list[i];
    }
    return NULL;
}

/* ---- looking up */

static int by_bytes(const void *a, const void *b)
{
    const struct address *x = a;
    const struct address *y = b;
    int family = x->storage.ss_family - y->storage.ss_family;

    return family ? family : memcmp(&x->storage, &y->storage, sizeof(x->storage));
}

static size_t take_addresses(const struct addrinfo *found, struct address *ret_list)
{
    size_t count = 0;

    for (; found && count < ADDRESSES_PER_NAME_MAX; found = found->ai_next) {
        struct address *a = &ret_list[count];
        *a = (struct address){ .length = found->ai_addrlen };
        memcpy(&a->storage, found->ai_addr, found->ai_addrlen);
        bool twice = false;
        for (size_t i = 0; i < count && !twice; i++)
            twice = address_equal(&ret_list[i], a);
        count += !twice;
    }
    qsort(ret_list, count, sizeof(ret_list[0]), by_bytes);
    return count;
}

static bool same(const struct known_name *k, const struct address *list, size_t count)
{
    for (size_t i = 0; i < count && count == k->count; i++) {
        if (!address_equal(&k->addresses[i], &list[i]))
            return false;
    }
    return count == k->count;
}

static void tell_failure(struct known_name *k, const char *why)
{
    if (!k->failing)
        log_warn("the name of instance %s cannot be looked up: %s; %s", k->text, why,
                 k->count ? "its last addresses stay" : "tried again every ten seconds");
    k->failing = true;
}

/* True when something is different now. */
static bool look_up(struct known_name *k)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    struct address list[ADDRESSES_PER_NAME_MAX];
    struct span host;
    uint16_t port;
    char name[256];
    char service[8];

    bool good = address_split(span_from_text(k->text), &host, &port) && host.n < sizeof(name);
    if (!good) {
        tell_failure(k, "it is too long");
        return false;
    }
    snprintf(name, sizeof(name), "%.*s", SPAN_ARG(host));
    snprintf(service, sizeof(service), "%u", (unsigned)port);
    int failed = getaddrinfo(name, service, &hints, &found);
    if (failed) {
        tell_failure(k, gai_strerror(failed));
        return false;
    }
    size_t count = take_addresses(found, list);
    freeaddrinfo(found);
    if (k->failing)
        log_info("the name of instance %s can be looked up again", k->text);
    k->failing = false;
    if (same(k, list, count))
        return false;
    memcpy(k->addresses, list, count * sizeof(list[0]));
    k->count = count;
    log_info("instance %s stands for %zu address%s", k->text, count, count == 1 ? "" : "es");
    return true;
}

static struct known_name *add(struct names *n, struct span text)
{
    struct known_name *k = calloc(1, sizeof(*k));

    n->list = realloc(n->list, (n->count + 1) * sizeof(n->list[0]));
    check(k && n->list);
    n->list[n->count++] = k;
    k->text = strndup(text.p, text.n);
    check(k->text != NULL);
    look_up(k);
    return k;
}

/* A name that no configuration has any more is not asked for for ever. */
static void forget_unwanted(struct names *n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n->count; i++) {
        struct known_name *k = n->list[i];
        if (k->wanted) {
            n->list[kept++] = k;
            continue;
        }
        free(k->text);
        free(k);
    }
    n->count = kept;
}

void names_learn(struct names *n, const struct config *c)
{
    for (size_t i = 0; i < n->count; i++)
        n->list[i]->wanted = false;
    for (size_t s = 0; s < c->service_count; s++) {
        for (size_t i = 0; i < c->services[s].instance_count; i++) {
            const struct instance *in = &c->services[s].instances[i];
            if (in->address.length)
                continue;
            struct known_name *k = find(n, in->from);
            (k ? k : add(n, in->from))->wanted = true;
        }
    }
    forget_unwanted(n);
}

bool names_refresh(struct names *n)
{
    bool changed = false;

    for (size_t i = 0; i < n->count; i++)
        changed |= look_up(n->list[i]);
    return changed;
}

/* ---- into a configuration */

static bool has_address(const struct instance *list, size_t count, const struct address *a)
{
    for (size_t i = 0; i < count; i++) {
        if (address_equal(&list[i].address, a))
            return true;
    }
    return false;
}

static size_t expand_one(struct arena *a, const struct known_name *k, const struct instance *named,
                         struct instance *list, size_t count)
{
    char text[ADDRESS_TEXT_MAX];

    for (size_t i = 0; k && i < k->count && count < INSTANCES_MAX; i++) {
        if (has_address(list, count, &k->addresses[i]))
            continue; /* two names for one place */
        struct instance *in = &list[count++];
        *in = *named;
        in->address = k->addresses[i];
        in->text = arena_span(a, span_from_text(address_print(&in->address, text)));
        in->hash = span_hash(in->text, 0);
        in->origin = in->origin == ORIGIN_API ? ORIGIN_API : ORIGIN_DNS;
    }
    return count;
}

static size_t room_for(const struct names *n, const struct service *s)
{
    size_t room = s->instance_count;

    for (size_t i = 0; i < s->instance_count; i++) {
        const struct known_name *k =
            s->instances[i].address.length ? NULL : find(n, s->instances[i].from);
        room += k ? k->count : 0;
    }
    return room;
}

void names_expand(const struct names *n, struct config *c)
{
    for (size_t s = 0; s < c->service_count; s++) {
        struct service *service = &c->services[s];
        struct instance *list = arena_array(&c->arena, struct instance, room_for(n, service));
        size_t count = 0;
        for (size_t i = 0; i < service->instance_count; i++) {
            const struct instance *in = &service->instances[i];
            if (in->address.length == 0)
                count = expand_one(&c->arena, find(n, in->from), in, list, count);
            else if (count < INSTANCES_MAX && !has_address(list, count, &in->address))
                list[count++] = *in;
        }
        service->instances = list;
        service->instance_count = count;
    }
}

void names_free(struct names *n)
{
    for (size_t i = 0; i < n->count; i++)
        n->list[i]->wanted = false;
    forget_unwanted(n);
    free(n->list);
    *n = (struct names){};
}
