/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_proxy.c - a connection that begins with any bytes, read exactly as proxy_read() asks for them: it says
 * what a second, slower reading of the same bytes says, and takes not a byte behind the header. */
#include "fuzz.h"

#include "io/address.h"
#include "io/proxy_protocol.h"

#include <arpa/inet.h>
#include <stdlib.h>

#define SIGNATURE SPAN("\r\n\r\n\0\r\nQUIT\n")

struct said {
    enum proxy_progress progress;
    size_t size; /* of the header, when complete */
    struct proxy_header header;
};

static struct said feed(struct span wire)
{
    struct said s = {};
    size_t have = 0;

    for (;;) {
        /* a copy of exactly this size, so that a sanitizer sees a byte too far */
        char *bytes = malloc(have ? have : 1);
        check(bytes != NULL);
        memcpy(bytes, wire.n ? wire.p : "", have);
        size_t need = 0;
        s.progress = proxy_read(span_of(bytes, have), &need, &s.header);
        free(bytes);
        s.size = have;
        if (s.progress != PROXY_MORE)
            return s;
        check(need > have && need <= PROXY_V2_MAX);
        if (need > wire.n)
            return s;
        have = need;
    }
}

/* ---- the second reading: the whole at once, by words and by texts */

static bool word_is_port(const char *word, uint16_t *ret_port)
{
    char canonical[8];
    unsigned long port = strtoul(word, NULL, 10);

    snprintf(canonical, sizeof(canonical), "%lu", port > 65535 ? 0 : port);
    *ret_port = (uint16_t)port;
    return strcmp(word, canonical) == 0;
}

static enum proxy_progress words_say(char *line, struct proxy_header *h)
{
    char *words[7] = {};
    size_t count = 0;
    uint8_t destination[16];
    uint16_t port;

    for (char *word; count < 7 && (word = strsep(&line, " "));)
        words[count++] = word;
    if (count >= 2 && strcmp(words[1], "UNKNOWN") == 0)
        return PROXY_COMPLETE;
    if (count != 6)
        return PROXY_MALFORMED;
    bool v4 = strcmp(words[1], "TCP4") == 0;
    if (!v4 && strcmp(words[1], "TCP6") != 0)
        return PROXY_MALFORMED;
    int family = v4 ? AF_INET : AF_INET6;
    h->family = v4 ? PROXY_IPV4 : PROXY_IPV6;
    bool good = inet_pton(family, words[2], h->source) == 1 &&
                inet_pton(family, words[3], destination) == 1 &&
                word_is_port(words[4], &h->source_port) && word_is_port(words[5], &port);
    return good ? PROXY_COMPLETE : PROXY_MALFORMED;
}

static struct said line_says(struct span wire)
{
    struct said s = { .size = span_find(wire, '\n') + 1, .progress = PROXY_MALFORMED };
    char line[PROXY_V1_MAX + 1] = {};

    if (s.size > wire.n && wire.n < PROXY_V1_MAX) {
        s.progress = PROXY_MORE;
        return s;
    }
    if (s.size > PROXY_V1_MAX || s.size > wire.n || s.size < PROXY_HEAD_MIN)
        return s;
    memcpy(line, wire.p, s.size - 1);
    char *end = memchr(line, '\r', s.size - 1);
    if (!end || end != line + s.size - 2)
        return s;
    *end = '\0';
    for (size_t i = 0; i < s.size - 2; i++) {
        if (line[i] < ' ' || line[i] > '~')
            return s; /* no text */
    }
    s.progress = words_say(line, &s.header);
    return s;
}

/* What stands behind the addresses: types and lengths up to the very end. */
static bool tlvs_fit(const uint8_t *p, size_t n)
{
    size_t at = 0;

    while (at + 3 <= n)
        at += 3 + (size_t)p[at + 1] * 256 + p[at + 2];
    return at == n;
}

static struct said binary_says(struct span wire)
{
    const uint8_t *p = (const uint8_t *)wire.p;
    struct said s = { .progress = PROXY_MORE };

    if (wire.n < PROXY_V2_HEAD)
        return s;
    size_t n = (size_t)p[14] * 256 + p[15];
    s.size = PROXY_V2_HEAD + n;
    if ((p[12] != 0x20 && p[12] != 0x21) || s.size > PROXY_V2_MAX) {
        s.progress = PROXY_MALFORMED;
        return s;
    }
    if (wire.n < s.size)
        return s;
    s.progress = PROXY_COMPLETE;
    size_t size = p[13] == 0x11 ? 4 : p[13] == 0x21 ? 16 : 0;
    if (p[12] == 0x20 || size == 0)
        return s;
    p += PROXY_V2_HEAD;
    if (n < 2 * size + 4 || !tlvs_fit(p + 2 * size + 4, n - 2 * size - 4)) {
        s.progress = PROXY_MALFORMED;
        return s;
    }
    s.header.family = size == 4 ? PROXY_IPV4 : PROXY_IPV6;
    memcpy(s.header.source, p, size);
    s.header.source_port = (uint16_t)(p[2 * size] * 256 + p[2 * size + 1]);
    return s;
}

static struct said bytes_say(struct span wire)
{
    struct said s = { .progress = PROXY_MALFORMED };

    if (wire.n < PROXY_HEAD_MIN)
        s.progress = PROXY_MORE;
    else if (memcmp(wire.p, "PROXY ", 6) == 0)
        s = line_says(wire);
    else if (span_starts_with(wire, SIGNATURE))
        s = binary_says(wire);
    return s;
}

/* ---- */

static void check_address(const struct proxy_header *h)
{
    size_t size = h->family == PROXY_IPV4 ? 4 : 16;
    char text[ADDRESS_TEXT_MAX];
    uint8_t bytes[16];
    uint8_t bytes_again[16];
    struct address a;
    struct address b;

    address_from_bytes(h->source, size, h->source_port, &a);
    check(address_port(&a) == h->source_port);
    unsigned n = address_bytes(&a, bytes);
    check(n == size || (n == 4 && size == 16)); /* IPv4 in IPv6 clothes */
    check(memcmp(bytes, h->source + size - n, n) == 0);
    address_print(&a, text);
    check(!address_parse(span_from_text(text), &b) ? h->source_port == 0 : address_equal(&a, &b));
    check(address_parse_host(span_of(text, address_print_host(&a, text)), &b));
    check(address_bytes(&b, bytes_again) == n && memcmp(bytes, bytes_again, n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct proxy_header none;
    struct span wire = span_of(data, size);
    struct said fed = feed(wire);
    struct said expected = bytes_say(wire);

    check(fed.size <= size);
    check(fed.progress == expected.progress);
    if (fed.progress != PROXY_COMPLETE) {
        check(memcmp(&fed.header, &none, sizeof(none)) == 0); /* untouched */
        return 0;
    }
    check(fed.size == expected.size);
    check(fed.header.family == expected.header.family);
    check(memcmp(fed.header.source, expected.header.source, 16) == 0);
    check(fed.header.source_port == expected.header.source_port);
    if (fed.header.family != PROXY_LOCAL)
        check_address(&fed.header);
    return 0;
}
