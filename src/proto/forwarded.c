/* SPDX-License-Identifier: Apache-2.0 */
/* forwarded.c - elements of forwarding lists. */
#include "proto/forwarded.h"

/* Where the last element begins: behind the last comma outside quotes. */
static size_t last_begins(struct span list)
{
    bool quoted = false;
    size_t begins = 0;

    for (size_t i = 0; i < list.n; i++) {
        if (quoted && list.p[i] == '\\')
            i++;
        else if (list.p[i] == '"')
            quoted = !quoted;
        else if (list.p[i] == ',' && !quoted)
            begins = i + 1;
    }
    return begins;
}

bool forwarded_pop(struct span *list, struct span *ret_element)
{
    if (list->n == 0)
        return false;
    size_t at = last_begins(*list);
    *ret_element = span_trim(span_after(*list, at));
    *list = span_of(list->p, at ? at - 1 : 0);
    return true;
}

static struct span unquoted(struct span value)
{
    if (value.n < 2 || value.p[0] != '"')
        return value;
    if (value.p[value.n - 1] != '"' || memchr(value.p, '\\', value.n))
        return span_of(NULL, 0);
    return span_of(value.p + 1, value.n - 2);
}

struct span forwarded_parameter(struct span element, struct span name)
{
    while (element.n > 0) {
        size_t end = span_find(element, ';');
        struct span pair = span_trim(span_of(element.p, end));
        size_t equals = span_find(pair, '=');
        if (equals < pair.n && span_equal_nocase(span_of(pair.p, equals), name))
            return unquoted(span_after(pair, equals + 1));
        element = span_after(element, end + 1);
    }
    return span_of(NULL, 0);
}

static bool address_bytes(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (ascii_hex(s.p[i]) < 0 && s.p[i] != '.' && s.p[i] != ':')
            return false;
    }
    return s.n > 0;
}

struct span forwarded_address(struct span node)
{
    struct span none = span_of(NULL, 0);

    if (node.n > 0 && node.p[0] == '[') {
        size_t end = span_find(node, ']');
        node = end < node.n ? span_of(node.p + 1, end - 1) : none;
    } else {
        /* one colon is a port's, more are an IPv6 address without brackets */
        size_t colon = span_find(node, ':');
        if (colon < node.n && span_find(span_after(node, colon + 1), ':') == node.n - colon - 1)
            node = span_of(node.p, colon);
    }
    return address_bytes(node) ? node : none;
}
