/* SPDX-License-Identifier: Apache-2.0 */
/* cases.h - messages on which parsers are known to disagree: kind, what ours must say of it ("good",
 * "more" or the code of a refusal), bytes. Adding one is adding a row; mutations start from them too. */
#ifndef EK_TEST_DIFFERENTIAL_CASES_H
#define EK_TEST_DIFFERENTIAL_CASES_H

#define G      "GET / HTTP/1.1\r\nHost: a\r\n"
#define P      "POST / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKS P "Transfer-Encoding: chunked\r\n\r\n"
#define OK     "HTTP/1.1 200 OK\r\n"
#define NEXT   "GET /next HTTP/1.1\r\nHost: b\r\n\r\n"
#define X16(s) s s s s s s s s s s s s s s s s

/* clang-format off */
#define CASES(X) \
    /* line ends */ \
    X(REQUEST, "bare_cr_or_lf", "GET / HTTP/1.1\nHost: a\n\n") \
    X(REQUEST, "bare_cr_or_lf", "GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n") \
    X(REQUEST, "bare_cr_or_lf", G "X: 1\r\n\n") \
    X(REQUEST, "field_value",   G "X: 1\rY: 2\r\n\r\n") \
    X(REQUEST, "field_value",   G "X: 1\r\r\n\r\n") \
    X(REQUEST, "version",       "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n") \
    X(REQUEST, "good",          "\r\n" G "\r\n") \
    X(REQUEST, "request_line",  "\r\n\r\n" G "\r\n") \
    X(REQUEST, "more",          G "X: 1\r\n") \
    X(REQUEST, "more",          G "X: 1\r\n\r") \
    X(REQUEST, "good",          G "\r\n" NEXT) \
    /* the request line */ \
    X(REQUEST, "version",       "GET / HTTP/1.2\r\nHost: a\r\n\r\n") \
    X(REQUEST, "version",       "GET / HTTP/2.0\r\nHost: a\r\n\r\n") \
    X(REQUEST, "version",       "GET / HTTP/0.9\r\nHost: a\r\n\r\n") \
    X(REQUEST, "version",       "GET / HTTP/1.10\r\nHost: a\r\n\r\n") \
    X(REQUEST, "request_line",  "GET / http/1.1\r\nHost: a\r\n\r\n") \
    X(REQUEST, "request_line",  "GET /\r\nHost: a\r\n\r\n") \
    X(REQUEST, "request_line",  "GET  / HTTP/1.1\r\nHost: a\r\n\r\n") \
    X(REQUEST, "request_line",  "GET /  HTTP/1.1\r\nHost: a\r\n\r\n") \
    X(REQUEST, "version",       "GET / HTTP/1.1 \r\nHost: a\r\n\r\n") \
    X(REQUEST, "request_line",  "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n") \
    X(REQUEST, "method_unknown", "get / HTTP/1.1\r\nHost: a\r\n\r\n") \
    X(REQUEST, "method_unknown", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n") \
    X(REQUEST, "good",          "BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n") \
    X(REQUEST, "target",        "GET a HTTP/1.1\r\nHost: a\r\n\r\n") \
    X(REQUEST, "target",        "GET * HTTP/1.1\r\nHost: a\r\n\r\n") \
    X(REQUEST, "target",        "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n") \
    X(REQUEST, "target",        "GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n") \
    X(REQUEST, "target",        "GET /\0x HTTP/1.1\r\nHost: a\r\n\r\n") \
    X(REQUEST, "target",        "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n") \
    X(REQUEST, "good",          "GET http://A/?x?y HTTP/1.1\r\nHost: a\r\n\r\n") \
    X(REQUEST, "host",          "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n") \
    X(REQUEST, "line_too_long", "GET /" X16(X16("xx")) " HTTP/1.1\r\nHost: a\r\n\r\n") \
    /* fields */ \
    X(REQUEST, "field_folded",  G "X: 1\r\n 2\r\n\r\n") \
    X(REQUEST, "field_folded",  G "X: 1\r\n\tY: 2\r\n\r\n") \
    X(REQUEST, "field_folded",  P "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n") \
    X(REQUEST, "field_folded",  "GET / HTTP/1.1\r\n X: 1\r\nHost: a\r\n\r\n") \
    X(REQUEST, "field_name",    G "X : 1\r\n\r\n") \
    X(REQUEST, "field_name",    P "Content-Length : 5\r\n\r\nhello") \
    X(REQUEST, "field_name",    G ": 1\r\n\r\n") \
    X(REQUEST, "field_name",    G "X\r\n\r\n") \
    X(REQUEST, "field_name",    G "X\0: 1\r\n\r\n") \
    X(REQUEST, "field_name",    G "X\xe9: 1\r\n\r\n") \
    X(REQUEST, "field_value",   G "X: 1\0" "2\r\n\r\n") \
    X(REQUEST, "field_value",   G "X: 1\x7f\r\n\r\n") \
    X(REQUEST, "field_value",   G "X: 1\x0b\r\n\r\n") \
    X(REQUEST, "good",          G "X:\t 1\t2 \t\r\nY:\r\nZ: \xe9\r\n\r\n") \
    X(REQUEST, "host_missing",  "GET / HTTP/1.1\r\n\r\n") \
    X(REQUEST, "host_missing",  G "Host: a\r\n\r\n") \
    X(REQUEST, "host",          "GET / HTTP/1.1\r\nHost:\r\n\r\n") \
    X(REQUEST, "host",          "GET / HTTP/1.1\r\nHost: a b\r\n\r\n") \
    X(REQUEST, "too_many_fields", G X16("X: 1\r\n") "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n") \
    X(REQUEST, "head_too_large", G "X: " X16(X16("xxxxxxxx")) "\r\n\r\n") \
    X(REQUEST, "connection",    G "Connection: close, host\r\n\r\n") \
    X(REQUEST, "connection",    P "Connection: content-length\r\nContent-Length: 5\r\n\r\nhello") \
    X(REQUEST, "good",          G "Connection: close, x\r\nX: 1\r\n\r\n") \
    X(REQUEST, "good",          G "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n" NEXT) \
    X(REQUEST, "good",          G "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n") \
    X(REQUEST, "good",          "GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n" NEXT) \
    X(REQUEST, "good",          G "Proxy-Connection: close\r\n\r\n" NEXT) \
    X(REQUEST, "good",          "GET / HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n" NEXT) \
    X(REQUEST, "good",          "GET / HTTP/1.0\r\nConnection: keep-alive\t\r\n\r\n" NEXT) \
    X(REQUEST, "upgrade",       P "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n") \
    X(REQUEST, "upgrade",       G "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello") \
    X(REQUEST, "field_underscore", P "Content_Length: 5\r\n\r\nhello") \
    X(REQUEST, "good",          G "Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\nhello" NEXT) \
    X(REQUEST, "good",          P "Content-Length: 5 \t\r\n\r\nhello") \
    X(REQUEST, "expectation",   P "Expect: 200-ok\r\nContent-Length: 0\r\n\r\n") \
    X(REQUEST, "good",          "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" NEXT) \
    /* how long */ \
    X(REQUEST, "good",          P "Content-Length: 5\r\n\r\nhello" NEXT) \
    X(REQUEST, "more",          P "Content-Length: 6\r\n\r\nhello") \
    X(REQUEST, "good",          G "Content-Length: 0005 \r\n\r\nhello" NEXT) \
    X(REQUEST, "length",        P "Content-Length: +5\r\n\r\nhello") \
    X(REQUEST, "length",        P "Content-Length: -5\r\n\r\nhello") \
    X(REQUEST, "length",        P "Content-Length: 0x5\r\n\r\nhello") \
    X(REQUEST, "length",        P "Content-Length: 5 5\r\n\r\nhello") \
    X(REQUEST, "length",        P "Content-Length: 5, 5\r\n\r\nhello") \
    X(REQUEST, "length",        P "Content-Length:\r\n\r\n" NEXT) \
    X(REQUEST, "length",        P "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello") \
    X(REQUEST, "length",        P "Content-Length: 5\r\ncontent-length: 6\r\n\r\nhello!") \
    X(REQUEST, "length",        P "Content-Length: 18446744073709551621\r\n\r\nhello") \
    X(REQUEST, "length",        P "Content-Length: 9223372036854775808\r\n\r\nhello") \
    X(REQUEST, "length_and_encoding", P "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") \
    X(REQUEST, "length_and_encoding", P "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n") \
    X(REQUEST, "encoding",      P "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n") \
    X(REQUEST, "encoding",      P "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") \
    X(REQUEST, "encoding",      P "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n") \
    X(REQUEST, "encoding",      P "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n") \
    X(REQUEST, "encoding",      P "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n") \
    X(REQUEST, "field_value",   P "Transfer-Encoding: \x0b" "chunked\r\n\r\n0\r\n\r\n") \
    X(REQUEST, "encoding",      P "Transfer-Encoding: identity\r\n\r\n") \
    X(REQUEST, "encoding",      P "Transfer-Encoding:\r\n\r\n") \
    X(REQUEST, "encoding",      P "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n") \
    X(REQUEST, "encoding_in_1_0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") \
    X(REQUEST, "good",          P "TRANSFER-ENCODING:\tChunked \r\n\r\n5\r\nhello\r\n0\r\n\r\n" NEXT) \
    /* chunks */ \
    X(REQUEST, "good",          CHUNKS "5\r\nhello\r\n00\r\n\r\n" NEXT) \
    X(REQUEST, "good",          CHUNKS "5;a;b=c;d=\"e f\"\r\nhello\r\n0\r\nT: 1\r\n\r\n" NEXT) \
    X(REQUEST, "good",          CHUNKS X16("0") "a\r\n0123456789\r\n0\r\n\r\n") \
    X(REQUEST, "more",          CHUNKS "5\r\nhello\r\n0\r\n") \
    X(REQUEST, "more",          CHUNKS "7fffffffffffffff\r\nhello") \
    X(REQUEST, "chunk",         CHUNKS "8000000000000000\r\nhello") \
    X(REQUEST, "chunk",         CHUNKS "10000000000000005\r\nhello\r\n0\r\n\r\n") \
    X(REQUEST, "chunk",         CHUNKS "0x5\r\nhello\r\n0\r\n\r\n") \
    X(REQUEST, "chunk",         CHUNKS "+5\r\nhello\r\n0\r\n\r\n") \
    X(REQUEST, "chunk",         CHUNKS " 5\r\nhello\r\n0\r\n\r\n") \
    X(REQUEST, "chunk",         CHUNKS "5 ;a\r\nhello\r\n0\r\n\r\n") \
    X(REQUEST, "chunk",         CHUNKS "5 \r\nhello\r\n0\r\n\r\n") \
    X(REQUEST, "chunk",         CHUNKS "\r\nhello\r\n0\r\n\r\n") \
    X(REQUEST, "chunk",         CHUNKS "5\nhello\r\n0\r\n\r\n") \
    X(REQUEST, "chunk",         CHUNKS "5\rhello\r\n0\r\n\r\n") \
    X(REQUEST, "chunk",         CHUNKS "5;a\nhello\r\n0\r\n\r\n") \
    X(REQUEST, "chunk",         CHUNKS "5;a\rb\r\nhello\r\n0\r\n\r\n") \
    X(REQUEST, "chunk",         CHUNKS "5;a=\"\x7f\"\r\nhello\r\n0\r\n\r\n") \
    X(REQUEST, "good",          CHUNKS "5;\r\nhello\r\n0\r\n\r\n" NEXT) \
    X(REQUEST, "good",          CHUNKS "5\r\nhello\r\n0\r\nno colon\r\n\r\n" NEXT) \
    X(REQUEST, "good",          CHUNKS "5\r\nhello\r\n0\r\nContent-Length: 9\r\nConnection: close\r\n\r\n" NEXT) \
    X(REQUEST, "chunk",         CHUNKS "5\r\nhelloX\r\n0\r\n\r\n") \
    X(REQUEST, "chunk",         CHUNKS "5\r\nhello0\r\n\r\n") \
    X(REQUEST, "chunk",         CHUNKS "5\r\nhello\n0\r\n\r\n") \
    X(REQUEST, "chunk",         CHUNKS "0\r\n\n") \
    X(REQUEST, "chunk",         CHUNKS "0\r\nT: 1\n\r\n") \
    X(REQUEST, "chunk",         CHUNKS "0\r\nT: 1\r\n 2\r\n\r\n") \
    X(REQUEST, "chunk",         CHUNKS "5;" X16(X16("xxxxx")) "\r\nhello\r\n0\r\n\r\n") \
    /* answers */ \
    X(ANSWER, "good",           OK "Content-Length: 2\r\n\r\nok" OK "\r\n") \
    X(ANSWER, "good",           OK "Transfer-Encoding: chunked\t\r\n\r\n2\r\nok\r\n0\r\n\r\n") \
    X(ANSWER, "chunk",          OK "Transfer-Encoding: chunked\t\r\n\r\nuntil the end") \
    X(ANSWER, "good",           OK "\r\nuntil the end") \
    X(ANSWER, "good",           OK "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n") \
    X(ANSWER, "good",           "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n") \
    X(ANSWER, "good",           "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n") \
    X(ANSWER, "good",           "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok") \
    X(ANSWER, "good",           "HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 2\r\n\r\nok") \
    X(ANSWER, "good",           "HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n" OK "\r\n") \
    X(ANSWER, "good",           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nraw") \
    X(ANSWER, "good",           "HTTP/1.1 204 No Content\r\n\r\n" OK "\r\n") \
    X(ANSWER, "good",           "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello") \
    X(ANSWER, "good",           "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") \
    X(ANSWER, "good",           "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n" OK "\r\n") \
    X(ANSWER_TO_HEAD, "good",   OK "Content-Length: 5\r\n\r\n" OK "\r\n") \
    X(ANSWER_TO_HEAD, "good",   OK "Transfer-Encoding: chunked\r\n\r\n" OK "\r\n") \
    X(ANSWER_TO_HEAD, "good",   OK "\r\n" OK "\r\n") \
    X(ANSWER, "length",         OK "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok") \
    X(ANSWER, "length_and_encoding", OK "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") \
    X(ANSWER, "encoding",       OK "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n") \
    X(ANSWER, "encoding",       OK "Transfer-Encoding: identity\r\n\r\nuntil the end") \
    X(ANSWER, "status_line",    "HTTP/1.1 20 OK\r\n\r\n") \
    X(ANSWER, "status_line",    "HTTP/1.1 2000 OK\r\n\r\n") \
    X(ANSWER, "status_line",    "HTTP/1.1 099 OK\r\n\r\n") \
    X(ANSWER, "status_line",    "HTTP/1.1 600 OK\r\n\r\n") \
    X(ANSWER, "status_line",    "HTTP/1.1  200 OK\r\n\r\n") \
    X(ANSWER, "status_line",    "HTTP/1.1 200 O\rK\r\n\r\n") \
    X(ANSWER, "status_line",    "HTTP/1.2 200 OK\r\n\r\n") \
    X(ANSWER, "status_line",    "http/1.1 200 OK\r\n\r\n") \
    X(ANSWER, "status_line",    "\r\n" OK "\r\n") \
    X(ANSWER, "bare_cr_or_lf",  "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n") \
    X(ANSWER, "field_folded",   OK "X: 1\r\n 2\r\n\r\n")
/* clang-format on */

#endif
