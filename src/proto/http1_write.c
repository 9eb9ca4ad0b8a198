/* SPDX-License-Identifier: Apache-2.0 */
/* http1_write.c - heads and chunk lines in canonical form. */
#include "proto/http1.h"

static void write_field(struct str *out, struct span name, struct span value)
{
    size_t n = name.n + value.n + 4;

    if (!str_reserve(out, n))
        return;
    char *p = out->p + out->n;
    memcpy(p, name.p, name.n);
    p += name.n;
    *p++ = ':';
    *p++ = ' ';
    if (value.n)
        memcpy(p, value.p, value.n);
    p += value.n;
    *p++ = '\r';
    *p = '\n';
    out->n += n;
}

/* It was received as we would write it: name, colon, blank, value. */
static bool is_canonical(const struct http_field *f)
{
    const char *behind = f->name + f->name_n;

    return f->value == behind + 2 && behind[0] == ':' && behind[1] == ' ';
}

/* How many of these stand one behind the other in what was received, as we would write them: most of all fields do, and one
 * copy costs less than one for each. */
static uint32_t run_of_received(const struct http_field *f, uint32_t most)
{
    uint32_t n = 0;

    while (n < most && !f[n].hop && is_canonical(&f[n])) {
        const char *end = f[n].value + f[n].value_n;
        n++;
        if (n == most || f[n].name != end + 2 || end[0] != '\r' || end[1] != '\n')
            break;
    }
    return n;
}

static void write_received(struct str *out, const struct http_field *f, uint32_t count)
{
    const struct http_field *last = &f[count - 1];
    size_t n = (size_t)(last->value + last->value_n - f->name);

    if (!str_reserve(out, n + 2))
        return;
    memcpy(out->p + out->n, f->name, n);
    memcpy(out->p + out->n + n, "\r\n", 2);
    out->n += n + 2;
}

static void write_fields(struct str *out, const struct http_head *h)
{
    for (uint32_t i = 0; i < h->field_count;) {
        const struct http_field *f = &h->fields[i];
        uint32_t run = run_of_received(f, h->field_count - i);
        if (run)
            write_received(out, f, run);
        else if (!f->hop)
            write_field(out, field_name(f), field_value(f));
        i += run ? run : 1;
    }
    for (uint32_t i = 0; i < h->extra_count; i++)
        write_field(out, h->extra[i].name, h->extra[i].value);
}

static void write_end(struct str *out, const struct http_head *h, enum http1_connection c)
{
    if (h->body == HTTP_BODY_LENGTH) {
        str_literal(out, "Content-Length: ");
        str_u64(out, h->length);
        str_literal(out, "\r\n");
    } else if (h->body == HTTP_BODY_CHUNKED) {
        str_literal(out, "Transfer-Encoding: chunked\r\n");
    }
    if (h->expect_continue)
        str_literal(out, "Expect: 100-continue\r\n");
    if (h->upgrade)
        str_literal(out, "Connection: upgrade\r\nUpgrade: websocket\r\n");
    else if (c == HTTP1_CLOSE)
        str_literal(out, "Connection: close\r\n");
    else if (c == HTTP1_KEEP_ALIVE)
        str_literal(out, "Connection: keep-alive\r\n");
    str_literal(out, "\r\n");
}

void http1_write_request(struct str *out, const struct http_head *h, enum http1_connection c)
{
    str_put(out, h->method);
    str_char(out, ' ');
    str_put(out, h->path);
    if (h->has_query) {
        str_char(out, '?');
        str_put(out, h->query);
    }
    str_literal(out, " HTTP/1.1\r\n");
    if (!http_head_find(h, HTTP_HOST)) /* HTTP/1.0 clients need not have sent one, we must */
        write_field(out, SPAN("Host"), h->host);
    write_fields(out, h);
    write_end(out, h, c);
}

void http1_write_answer(struct str *out, const struct http_head *h, enum http1_connection c)
{
    str_literal(out, "HTTP/1.1 ");
    str_u64(out, h->status);
    str_char(out, ' ');
    str_put(out, h->reason);
    str_literal(out, "\r\n");
    write_fields(out, h);
    write_end(out, h, c);
}

size_t http1_head_size(const struct http_head *h)
{
    size_t n = 200; /* versions, blanks, our own framing, Expect and Connection lines */

    n += h->method.n + h->path.n + h->query.n + h->host.n + h->reason.n;
    for (uint32_t i = 0; i < h->field_count; i++)
        n += (size_t)h->fields[i].name_n + h->fields[i].value_n + 4;
    for (uint32_t i = 0; i < h->extra_count; i++)
        n += h->extra[i].name.n + h->extra[i].value.n + 4;
    return n;
}

size_t http1_chunk_head(char ret_line[HTTP1_CHUNK_HEAD_MAX], uint64_t n)
{
    struct str s = str_fixed(ret_line, HTTP1_CHUNK_HEAD_MAX);

    str_hex(&s, n);
    str_literal(&s, "\r\n");
    return s.n;
}
