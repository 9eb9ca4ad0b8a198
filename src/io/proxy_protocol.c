/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_protocol.c - both versions. Strict: a header with a mistake comes from somebody who should not be
 * talking here. */
#include "io/proxy_protocol.h"

#include <arpa/inet.h>

#define V2_SIGNATURE SPAN("\r\n\r\n\0\r\nQUIT\n")
#define V1_SIGNATURE SPAN("PROXY ")

/* ---- version 1: one line of text */

static struct span take_word(struct span *rest)
{
    size_t space = span_find(*rest, ' ');
    struct span word = span_of(rest->p, space);

    *rest = span_after(*rest, space + 1);
    return word;
}

/* Canonical decimal: no sign, no leading zero (section 2.1). */
static bool read_port(struct span word, uint16_t *ret_port)
{
    uint64_t port;

    if (!span_to_u64(word, &port) || port > 65535 || (word.n > 1 && word.p[0] == '0'))
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

static bool read_address(struct span word, int family, uint8_t *ret_bytes)
{
    char text[INET6_ADDRSTRLEN];

    if (word.n == 0 || word.n >= sizeof(text))
        return false;
    memcpy(text, word.p, word.n);
    text[word.n] = '\0';
    return inet_pton(family, text, ret_bytes) == 1;
}

/* A line of text holds nothing else. */
static bool is_printable(struct span line)
{
    for (size_t i = 0; i < line.n; i++) {
        if (line.p[i] < ' ' || line.p[i] > '~')
            return false;
    }
    return true;
}

static enum proxy_progress read_line(struct span line, struct proxy_header *h)
{
    struct span rest = span_after(line, V1_SIGNATURE.n);
    struct span protocol = take_word(&rest);
    uint8_t destination[16];
    uint16_t port;
    int family;

    if (!is_printable(line))
        return PROXY_MALFORMED;
    if (span_equal(protocol, SPAN("UNKNOWN")))
        return PROXY_COMPLETE; /* whatever follows is to be ignored */
    if (span_equal(protocol, SPAN("TCP4")))
        family = AF_INET;
    else if (span_equal(protocol, SPAN("TCP6")))
        family = AF_INET6;
    else
        return PROXY_MALFORMED;
    h->family = family == AF_INET ? PROXY_IPV4 : PROXY_IPV6;
    if (!read_address(take_word(&rest), family, h->source) ||
        !read_address(take_word(&rest), family, destination) ||
        !read_port(take_word(&rest), &h->source_port) || !read_port(take_word(&rest), &port) ||
        rest.n > 0)
        return PROXY_MALFORMED;
    /* "take_word" also ends at the line's end: a line with a blank behind its last port is longer */
    return line.p[line.n - 1] == ' ' ? PROXY_MALFORMED : PROXY_COMPLETE;
}

static enum proxy_progress read_v1(struct span bytes, size_t *ret_need, struct proxy_header *h)
{
    size_t end = span_find(bytes, '\n');

    if (end == bytes.n) {
        *ret_need = bytes.n + 1; /* it ends where it ends: not a byte more may be taken */
        return bytes.n < PROXY_V1_MAX ? PROXY_MORE : PROXY_MALFORMED;
    }
    if (end + 1 != bytes.n || bytes.p[end - 1] != '\r' || span_find(bytes, '\r') != end - 1)
        return PROXY_MALFORMED;
    return read_line(span_of(bytes.p, end - 1), h);
}

/* ---- version 2: binary */

enum { V2_LOCAL = 0x20, V2_PROXY = 0x21, V2_TCP4 = 0x11, V2_TCP6 = 0x21 };

static bool tlvs_whole(struct span rest)
{
    while (rest.n > 0) {
        if (rest.n < 3)
            return false;
        size_t n = (size_t)(uint8_t)rest.p[1] << 8 | (uint8_t)rest.p[2];
        if (n > rest.n - 3)
            return false;
        rest = span_after(rest, 3 + n);
    }
    return true;
}

static enum proxy_progress read_addresses(uint8_t what, struct span rest, struct proxy_header *h)
{
    size_t size = what == V2_TCP4 ? 4 : 16;

    if (what != V2_TCP4 && what != V2_TCP6)
        return PROXY_COMPLETE; /* UNSPEC, datagrams, unix sockets: nothing that we can use */
    if (rest.n < 2 * size + 4)
        return PROXY_MALFORMED;
    h->family = what == V2_TCP4 ? PROXY_IPV4 : PROXY_IPV6;
    memcpy(h->source, rest.p, size);
    const uint8_t *port = (const uint8_t *)rest.p + 2 * size;
    h->source_port = (uint16_t)(port[0] << 8 | port[1]);
    return tlvs_whole(span_after(rest, 2 * size + 4)) ? PROXY_COMPLETE : PROXY_MALFORMED;
}

static enum proxy_progress read_v2(struct span bytes, size_t *ret_need, struct proxy_header *h)
{
    if (bytes.n < PROXY_V2_HEAD) {
        *ret_need = PROXY_V2_HEAD;
        return PROXY_MORE;
    }
    uint8_t command = (uint8_t)bytes.p[12];
    size_t size = PROXY_V2_HEAD + ((size_t)(uint8_t)bytes.p[14] << 8 | (uint8_t)bytes.p[15]);
    if (size > PROXY_V2_MAX || (command != V2_LOCAL && command != V2_PROXY))
        return PROXY_MALFORMED;
    if (bytes.n < size) {
        *ret_need = size;
        return PROXY_MORE;
    }
    if (bytes.n > size)
        return PROXY_MALFORMED;
    if (command == V2_LOCAL)
        return PROXY_COMPLETE;
    return read_addresses((uint8_t)bytes.p[13], span_after(bytes, PROXY_V2_HEAD), h);
}

enum proxy_progress proxy_read(struct span bytes, size_t *ret_need, struct proxy_header *ret_header)
{
    struct proxy_header h = {};
    enum proxy_progress p;

    if (bytes.n < PROXY_HEAD_MIN) {
        *ret_need = PROXY_HEAD_MIN;
        return PROXY_MORE;
    }
    if (span_starts_with(bytes, V1_SIGNATURE))
        p = read_v1(bytes, ret_need, &h);
    else if (span_starts_with(bytes, V2_SIGNATURE))
        p = read_v2(bytes, ret_need, &h);
    else
        return PROXY_MALFORMED;
    if (p == PROXY_COMPLETE)
        *ret_header = h;
    return p;
}
