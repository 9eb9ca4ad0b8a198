/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_protocol.h - what a load balancer says of the connection that it passes on, before the first byte
 * of it (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt, versions 1 and 2). Pure. */
#ifndef EK_IO_PROXY_PROTOCOL_H
#define EK_IO_PROXY_PROTOCOL_H

#include "base/span.h"

enum {
    PROXY_V1_MAX = 107,  /* section 2.1, with CR LF */
    PROXY_HEAD_MIN = 12, /* from so many bytes on the version is known; none is shorter */
    PROXY_V2_HEAD = 16,
    PROXY_V2_MAX = PROXY_V2_HEAD + 2048, /* addresses and TLVs; more than this is no balancer's */
};

enum proxy_family {
    PROXY_LOCAL, /* the balancer itself (a health check), or an address that we cannot use */
    PROXY_IPV4,
    PROXY_IPV6,
};

struct proxy_header {
    enum proxy_family family;
    uint8_t source[16]; /* 4 or 16 bytes, network order */
    uint16_t source_port;
};

enum proxy_progress { PROXY_MORE, PROXY_COMPLETE, PROXY_MALFORMED };

/* `bytes` is everything since the connection began. MORE: exactly *ret_need bytes in all may be read
 * before asking again, so that nothing behind the header is ever taken. COMPLETE: all of `bytes` is the
 * header. */
enum proxy_progress proxy_read(struct span bytes, size_t *ret_need,
                               struct proxy_header *ret_header);

#endif
