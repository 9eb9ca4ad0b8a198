/* SPDX-License-Identifier: Apache-2.0 */
/* test_address_counts.c - connections of each address: counted, given back, refused, by many threads. */
#include "unit.h"

#include "bus/address_counts.h"

#include <pthread.h>

static struct address_counts counts;

static struct address address_of(const char *text)
{
    struct address a;

    assert_true(address_parse(span_from_text(text), &a));
    return a;
}

static uint32_t add(const char *text, uint32_t limit, struct address_place *ret_place)
{
    struct address a = address_of(text);

    return address_counts_add(&counts, &a, limit, ret_place);
}

static bool all_zero(void)
{
    for (size_t i = 0; i < ADDRESS_CELLS; i++) {
        if (counts.cells[0][i] || counts.cells[1][i])
            return false;
    }
    return true;
}

static int begin(void **state)
{
    (void)state;
    memset(&counts, 0, sizeof(counts));
    counts.key = 7;
    return 0;
}

static void a_limit_is_kept(void **state)
{
    struct address_place places[4];

    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(add("192.0.2.1:1000", 3, &places[i]), i + 1);
        assert_true(places[i].counted);
    }
    for (int again = 0; again < 5; again++) { /* who is refused leaves nothing behind */
        assert_int_equal(add("192.0.2.1:1001", 3, &places[3]), 4);
        assert_false(places[3].counted);
        address_counts_sub(&counts, &places[3]); /* and gives nothing back */
    }
    address_counts_sub(&counts, &places[0]);
    assert_false(places[0].counted);
    address_counts_sub(&counts, &places[0]); /* once only */
    assert_int_equal(add("192.0.2.1:1001", 3, &places[0]), 3);
    for (size_t i = 0; i < 3; i++)
        address_counts_sub(&counts, &places[i]);
    assert_true(all_zero());
}

/* Whether both count as the same one. */
static bool same(const char *a, const char *b)
{
    struct address_place first;
    struct address_place second;

    assert_int_equal(add(a, 10, &first), 1);
    uint32_t n = add(b, 10, &second);
    address_counts_sub(&counts, &first);
    address_counts_sub(&counts, &second);
    assert_true(all_zero());
    return n == 2;
}

static void what_counts_as_one(void **state)
{
    (void)state;
    assert_true(same("192.0.2.1:1", "192.0.2.1:2"));
    assert_true(same("192.0.2.1:1", "[::ffff:192.0.2.1]:1"));
    assert_true(same("[2001:db8::1]:1", "[2001:db8::ffff:ffff:ffff:ffff]:2")); /* a /64 */
    assert_true(same("unix:/a", "unix:/b"));
    assert_false(same("192.0.2.1:1", "192.0.2.2:1"));
    assert_false(same("[2001:db8::1]:1", "[2001:db8:0:1::1]:1"));
    assert_false(same("[2001:db8::1]:1", "[2001:db9::1]:1"));
    assert_false(same("192.0.2.1:1", "unix:/a"));
    /* the same bytes in another family: c000:0201 */
    assert_false(same("192.0.2.1:1", "[c000:201::]:1"));
}

enum { MANY = 2000 };

/* Never too small, and hardly ever too large: cells are shared by chance only. */
static void many_addresses(void **state)
{
    static struct address_place places[MANY][2];
    unsigned wrong = 0;

    (void)state;
    for (uint32_t i = 0; i < MANY; i++) {
        uint8_t bytes[4] = { 10, 0, (uint8_t)(i >> 8), (uint8_t)i };
        struct address a;
        address_from_bytes(bytes, 4, 1, &a);
        uint32_t first = address_counts_add(&counts, &a, UINT32_MAX, &places[i][0]);
        uint32_t second = address_counts_add(&counts, &a, UINT32_MAX, &places[i][1]);
        assert_true(first >= 1 && second >= first + 1);
        wrong += second != 2;
    }
    /* both cells taken already: at most (2000 / 32768)^2 each, 3 of the 2000 on average */
    assert_true(wrong < 20);
    for (uint32_t i = 0; i < MANY; i++) {
        address_counts_sub(&counts, &places[i][0]);
        address_counts_sub(&counts, &places[i][1]);
    }
    assert_true(all_zero());
}

static void the_key_decides(void **state)
{
    struct address_place one;
    struct address_place other;

    (void)state;
    add("192.0.2.1:1", 1, &one);
    address_counts_sub(&counts, &one);
    counts.key = 1000;
    add("192.0.2.1:1", 1, &other);
    address_counts_sub(&counts, &other);
    assert_true(one.cell[0] != other.cell[0] || one.cell[1] != other.cell[1]);
    assert_true(one.cell[0] != one.cell[1] || other.cell[0] != other.cell[1]); /* two hashes */
}

enum { THREADS = 8, EACH = 25000, LIMIT = 3 };

static _Atomic uint32_t inside;
static _Atomic uint32_t most_inside;
static _Atomic uint32_t entered;

static void *come_and_go(void *unused)
{
    struct address a = address_of("192.0.2.1:1");

    for (int i = 0; i < EACH; i++) {
        struct address_place place;
        if (address_counts_add(&counts, &a, LIMIT, &place) > LIMIT)
            continue;
        uint32_t now = atomic_fetch_add(&inside, 1) + 1;
        uint32_t most = atomic_load(&most_inside);
        while (now > most && !atomic_compare_exchange_weak(&most_inside, &most, now))
            ;
        atomic_fetch_add(&entered, 1);
        atomic_fetch_sub(&inside, 1);
        address_counts_sub(&counts, &place);
    }
    return unused;
}

static void threads_keep_the_limit(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_true(most_inside >= 1 && most_inside <= 2 * LIMIT); /* of eight that would like to */
    assert_true(entered >= EACH);                              /* somebody always gets in */
    assert_true(all_zero());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_limit_is_kept, begin),
        cmocka_unit_test_setup(what_counts_as_one, begin),
        cmocka_unit_test_setup(many_addresses, begin),
        cmocka_unit_test_setup(the_key_decides, begin),
        cmocka_unit_test_setup(threads_keep_the_limit, begin),
    };
    return RUN(tests);
}
