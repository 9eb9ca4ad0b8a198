/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_forwarded.c - a list of proxies comes apart into as many elements as it has commas outside of quotes,
 * each within the list, from the end on; addresses are made of digits, points and colons. */
#include "fuzz.h"

#include "proto/forwarded.h"

static bool within(struct span inner, struct span outer)
{
    return inner.n == 0 || (inner.p >= outer.p && inner.p + inner.n <= outer.p + outer.n);
}

static size_t commas(struct span list)
{
    size_t count = 0;
    bool quoted = false;

    for (size_t i = 0; i < list.n; i++) {
        if (quoted && list.p[i] == '\\')
            i++;
        else if (list.p[i] == '"')
            quoted = !quoted;
        else if (list.p[i] == ',' && !quoted)
            count++;
    }
    return count;
}

static void check_address(struct span node)
{
    struct span address = forwarded_address(node);

    check(within(address, node));
    for (size_t i = 0; i < address.n; i++)
        check(ascii_hex(address.p[i]) >= 0 || address.p[i] == '.' || address.p[i] == ':');
    if (address.n > 0) /* no less an address without what stood around it, but for a port's look */
        check(forwarded_address(address).n > 0 || address.p[0] == ':');
}

static void check_parameter(struct span element, struct span name)
{
    struct span value = forwarded_parameter(element, name);

    check(within(value, element));
    check(!memchr(value.n ? value.p : "", ';', value.n));
    check_address(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span whole = span_of(data, size);
    struct span list = whole;
    struct span element;
    size_t elements = 0;

    while (list.n > 0) {
        size_t left = commas(list);
        const char *end = list.p + list.n;
        check(forwarded_pop(&list, &element));
        check(within(list, whole) && within(element, whole) && element.p >= list.p + list.n);
        check(list.p == whole.p && element.p + element.n <= end && list.p + list.n < end);
        check(commas(list) == (left ? left - 1 : 0) && commas(element) == 0);
        check(element.n == span_trim(element).n);
        check_address(element);
        check_parameter(element, SPAN("for"));
        check_parameter(element, SPAN("proto"));
        elements++;
    }
    check(!forwarded_pop(&list, &element));
    /* an empty first element ends the list as no element does */
    size_t expected = size ? commas(whole) + 1 : 0;
    check(elements == expected || (whole.p[0] == ',' && elements + 1 == expected));
    return 0;
}
