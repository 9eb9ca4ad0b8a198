/* SPDX-License-Identifier: Apache-2.0 */
/* resolve.c - getaddrinfo, once. */
#include "control/resolve.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

static err resolve(const struct service *s, struct instance *in)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    struct span host;
    uint16_t port;
    char name[256];
    char service[8];

    if (!address_split(in->text, &host, &port) || host.n >= sizeof(name))
        return err_make("service %.*s: '%.*s' is not host:port", SPAN_ARG(s->name),
                        SPAN_ARG(in->text));
    snprintf(name, sizeof(name), "%.*s", SPAN_ARG(host));
    snprintf(service, sizeof(service), "%u", (unsigned)port);
    int failed = getaddrinfo(name, service, &hints, &found);
    if (failed)
        return err_make("service %.*s: the name of instance %.*s cannot be resolved: %s",
                        SPAN_ARG(s->name), SPAN_ARG(in->text), gai_strerror(failed));
    memcpy(&in->address.storage, found->ai_addr, found->ai_addrlen);
    in->address.length = found->ai_addrlen;
    freeaddrinfo(found);
    return OK;
}

err resolve_instances(struct config *c)
{
    for (size_t s = 0; s < c->service_count; s++) {
        for (size_t i = 0; i < c->services[s].instance_count; i++) {
            struct instance *in = &c->services[s].instances[i];
            if (in->address.length == 0)
                TRY(resolve(&c->services[s], in));
        }
    }
    return OK;
}
