/* SPDX-License-Identifier: Apache-2.0 */
/* test_config.c - right files give what they say; wrong ones say where and what was meant. */
#include "configs.h"

#include "base/rand.h"

#include <stdlib.h>
#include <unistd.h>

#define LISTEN "listen: { http: 127.0.0.1:8080 }\n"
#define SHOP   "services: { shop: { instances: [127.0.0.1:9101] } }\n"
#define GOOD   LISTEN SHOP
#define TEN    "abcdefghij"

#define NO_INSTANCE \
    " is not an instance: host:port or \"unix:/path\" was expected, with a port from 1 to 65535\n"
#define NO_STATUS " is no status from 100 to 599 and no range of them, such as 500-599\n"

/* A file and its whole report: every error, in the order of the file. */
struct wrong {
    const char *text;
    const char *report;
};

static const struct wrong empty_files[] = {
    { "", "1:1: the file is empty; it needs at least `listen` and `services`\n" },
    { "# nothing\n", "1:1: the file is empty; it needs at least `listen` and `services`\n" },
    { "- a\n", "1:1: keys were expected here, such as `listen:` and `services:`\n" },
};

static const struct wrong wrong_bytes[] = {
    { GOOD "# \xC3\xA4 \xFF\n", "3:5: this byte is not UTF-8; save the file as UTF-8\n" },
    { GOOD "# \xC0\xAF\n", "3:3: this byte is not UTF-8; save the file as UTF-8\n" },
    { GOOD "# \xED\xA0\x80\n", "3:3: this byte is not UTF-8; save the file as UTF-8\n" },
    { "\xFF\xFEl\n", "1:1: the file is UTF-16; save it as UTF-8\n" },
    { GOOD "store: a\x1B[2J\n", "3:9: a control character cannot stand here\n" },
    { GOOD "store: \"a\\0b\"\n", "3:8: a value is one line of text, without control characters\n" },
    { GOOD "store: \"a\\x9Bb\"\n",
      "3:8: a value is one line of text, without control characters\n" },
    { GOOD "store: |\n  x\n", "3:8: a value is one line of text, without control characters\n" },
};

static const struct wrong wrong_yaml[] = {
    { "listen: [\n",
      "2:1: this is not YAML: did not find expected node content while parsing a flow node\n" },
    { "listen:\n\thttp: 1\n",
      "2:1: this is not YAML: found character that cannot start any token while scanning for "
      "the next token; indent with blanks, not with tabs\n" },
    { "listen: { http: [::]:80 }\n",
      "1:18: this is not YAML: did not find expected node content while parsing a flow node; "
      "an IPv6 address needs quotes, such as \"[::]:8080\"\n" },
    { GOOD "journeys: { j: { routes: [GET /p/{id}] } }\n",
      "3:34: this is not YAML: did not find expected ',' or ']' while parsing a flow sequence; "
      "text with { or } in it needs quotes, such as \"GET /product/{id}\"\n" },
    { GOOD "store: \"x\n", "4:1: this is not YAML: found unexpected end of stream while scanning "
                           "a quoted scalar, begun in line 3\n" },
    { GOOD "journeys: [\n  a\nb\n",
      "6:1: this is not YAML: did not find expected ',' or ']' while parsing a flow sequence, "
      "begun in line 3\n" },
    { GOOD "store: */x\n",
      "3:9: this is not YAML: did not find expected alphabetic or numeric character while "
      "scanning an alias; text that begins with * or & needs quotes\n" },
    { GOOD "workers: 1\n---\nworkers: 2\n",
      "4:1: a second document begins; one file is one configuration\n" },
    { GOOD "store: &a x\n",
      "3:8: YAML anchors are not used here; write the value out (text that begins with & needs "
      "quotes)\n" },
    { GOOD "store: !!str x\n",
      "3:8: YAML tags are not used here; write the value out (text that begins with ! needs "
      "quotes)\n" },
    { GOOD "store: *x\n",
      "3:8: YAML aliases are not used here; write the value out (text that begins with * needs "
      "quotes)\n" },
    { GOOD "? [a]\n: 1\n", "3:3: a key must be a plain name\n" },
    { GOOD "store: [[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]\n", "3:23: nested too deeply\n" },
};

static const struct wrong wrong_keys[] = {
    { GOOD "workers: 1\nworkers: 2\n",
      "4:1: 'workers' is given twice; the first one is in line 3\n" },
    { GOOD "wrokers: 1\n", "3:1: unknown key 'wrokers', did you mean 'workers'?\n" },
    { GOOD "foo: 1\n", "3:1: unknown key 'foo'; known here: listen, admin, store, peers, workers, "
                       "user, zone, trusted, "
                       "limits, log, trace, "
                       "identity, services, routes, journeys\n" },
    { GOOD "objectives: {}\n",
      "3:1: unknown key 'objectives' here; it belongs to journeys.*.objectives\n" },
    { GOOD "cluster: a\n", "3:1: 'cluster' is not in this version: What nodes must agree on.\n" },
    { GOOD "peers: [a]\n", "3:9: 'a' is no node: host:port was expected, or a URL such as "
                           "https://node3.internal:9900\n" },
    { GOOD "peers: [10.0.0.2:9900, { address: \"http://10.0.0.2:9900\" }]\n",
      "3:35: the node http://10.0.0.2:9900 is given twice\n" },
    { GOOD "peers: [\"unix:/run/a\"]\n", "3:9: 'unix:/run/a' is no node: host:port was expected, "
                                         "or a URL such as https://node3.internal:9900\n" },
    { GOOD "peers: [{ address: 10.0.0.2:9900, ca: ca.pem }]\n",
      "3:39: 'ca' is about https, which the address does not say\n" },
    { GOOD "peers: [{ address: \"https://a:1\", token: {} }]\n",
      "3:42: a token comes from a file or from env, one of them\n" },
    { GOOD "\"" TEN TEN TEN TEN TEN TEN "1234\xC3\xA4\": 1\n",
      "3:1: unknown key '" TEN TEN TEN TEN TEN TEN
      "1234...'; known here: listen, admin, store, peers, workers, user, zone, trusted, limits, "
      "log, trace, identity, services, routes, journeys\n" },
    { "services: { s: { instances: [127.0.0.1:1] } }\n",
      "1:1: 'listen' is missing: Where evenkeel takes connections.\n" },
    { "listen:\nservices: { s: { instances: [127.0.0.1:1] } }\n", "1:8: 'listen' has no value\n" },
    { GOOD "limits: 3\n",
      "3:9: 'limits' takes keys of its own: connections, connections-per-address, connection-age, "
      "connection-requests, memory, head, fields, line, body, header-time, body-rate\n" },
    { GOOD "journeys: [a]\n",
      "3:11: 'journeys' takes names that you choose, each with keys: "
      "owner, runbook, priority, kind, routes, steps, deadline, query, bad, objectives\n" },
    { GOOD "store: [a]\n", "3:8: 'store' takes text, not a list; for example storefront\n" },
    { GOOD "store: ~\n", "3:8: 'store' has no value; for example storefront\n" },
};

static const struct wrong wrong_values[] = {
    { GOOD "workers: many\n", "3:10: 'many' is not auto or a number; for example auto\n" },
    { GOOD "workers: Auto\n", "3:10: 'Auto' is not auto or a number; did you mean auto?\n" },
    { GOOD "workers: 65\n", "3:10: workers = 65 is out of bounds: from 1 to 64\n" },
    { GOOD "workers: 99999999999999999999\n",
      "3:10: '99999999999999999999' is not auto or a number; for example auto\n" },
    { GOOD "limits: { head: 32kb }\n", "3:17: '32kb' is not a size; did you mean 32KiB?\n" },
    { GOOD "limits: { head: 1B, fields: -1 }\n",
      "3:17: head = 1B is out of bounds: from 1KiB to 64KiB\n"
      "3:29: '-1' is not a whole number; for example 100\n" },
    { GOOD "limits: { body: 99999999999999999GiB }\n",
      "3:17: '99999999999999999GiB' is not a size; for example 32KiB\n" },
    { GOOD "limits: { header-time: 10 }\n", "3:24: '10' is not a duration; did you mean 10s?\n" },
    { GOOD "limits: { header-time: 500 }\n",
      "3:24: '500' is not a duration; did you mean 500ms?\n" },
    { GOOD "limits: { header-time: soon }\n",
      "3:24: 'soon' is not a duration; for example 300ms, 5s, 10m, 2h, 28d\n" },
    { GOOD "limits: { head: 4KiB, line: 5KiB }\n",
      "3:29: limits.line is 5120 bytes, more than limits.head (4096), of which it is a "
      "part\n" },
    { GOOD "log: { level: warning }\n",
      "3:15: 'warning' is not one of: error, warn, info, debug; did you mean warn?\n" },
    { GOOD "log: { level: { info: 1 } }\n",
      "3:15: 'level' takes one of: error, warn, info, debug\n" },
};

static const struct wrong wrong_addresses[] = {
    { "listen: { http: 127.0.0.1:8080, admin: 0.0.0.0:9900 }\n" SHOP,
      "1:40: other machines reach the admin address 0.0.0.0:9900, so it needs TLS and tokens: "
      "listen.admin as { address: ..., certificate: cert.pem, key: key.pem }, and "
      "admin.view-token and admin.operate-token; or a loopback address (127.0.0.1, [::1])\n" },
    { "listen: { http: 127.0.0.1:8080, admin: { address: 10.0.0.1:9900, certificate: c, key: k } "
      "}\n" SHOP,
      "1:51: other machines reach the admin address 10.0.0.1:9900, so it needs TLS and tokens: "
      "admin.view-token and admin.operate-token; or a loopback address (127.0.0.1, [::1])\n" },
    { "listen: { http: 127.0.0.1:8080, admin: \"[::]:9900\" }\nadmin: { view-token: { env: V }, "
      "operate-token: { file: o } }\n" SHOP,
      "1:40: other machines reach the admin address [::]:9900, so it needs TLS and tokens: "
      "listen.admin as { address: ..., certificate: cert.pem, key: key.pem }; or a loopback "
      "address (127.0.0.1, [::1])\n" },
    { "listen: { http: 127.0.0.1:8080, admin: { address: 127.0.0.1:1, certificate: c } }\n" SHOP,
      "1:40: a certificate and its key belong together; 'key' is missing\n" },
    { "listen: { http: 127.0.0.1:8080, admin: [127.0.0.1:1] }\n" SHOP,
      "1:40: 'admin' takes an address, or keys with one, not a list; for example 127.0.0.1:9900, { "
      "address: 0.0.0.0:9900, certificate: cert.pem, key: key.pem }\n" },
    { GOOD "admin: { view-token: { env: V } }\n",
      "3:22: admin.operate-token is missing: view-token is for who may look, operate-token for who "
      "may also change something; give both, or none on a loopback address\n" },
    { GOOD "admin: { operate-token: { file: o } }\n",
      "3:25: admin.view-token is missing: view-token is for who may look, operate-token for who "
      "may also change something; give both, or none on a loopback address\n" },
    { GOOD "admin: { view-token: { env: V, file: v }, operate-token: { env: O } }\n",
      "3:22: a token comes from a file or from env, one of them\n" },
    { GOOD "admin: { hosts: [a.example, \"b.example:9900\"] }\n",
      "3:29: 'b.example:9900' is no host name, without a port; for example evenkeel.internal\n" },
    { GOOD "admin: { hosts: [{ a: b }] }\n",
      "3:18: 'hosts' takes a list of host names, without keys\n" },
    { "listen: { http: [127.0.0.1:1, 127.0.0.1:1] }\n" SHOP,
      "1:31: the address 127.0.0.1:1 is given twice\n" },
    { "listen: { http: [127.0.0.1:1, 0.0.0.0:1] }\n" SHOP,
      "1:31: 0.0.0.0:1 and 127.0.0.1:1 overlap: one of them is every address of the port\n" },
    { "listen: { http: 0.0.0.0:9900 }\n" SHOP,
      "1:17: listen.http takes the address of listen.admin, which is 127.0.0.1:9900 unless "
      "said\n" },
    { "listen: { http: 127.0.0.1:1, admin: 127.0.0.1:1 }\n" SHOP,
      "1:37: listen.http takes the address of listen.admin, which is 127.0.0.1:1\n" },
    { "listen: { http: [] }\n" SHOP, "1:17: at least one address is needed\n" },
    { "listen: { http: localhost:80 }\n" SHOP,
      "1:17: 'localhost:80' is not an address or a list of them; for example [0.0.0.0:8080, "
      "\"[::]:8080\"]\n" },
    { "listen: { http: { address: 127.0.0.1:1, proxy-protocol: true } }\n" SHOP,
      "1:57: proxy-protocol needs `trusted`: the networks of the load balancers that may speak "
      "it\n" },
    { "listen: { http: { proxy-protocl: true } }\n" SHOP,
      "1:17: 'address' is missing: The address, when it is given with keys. For example: "
      "127.0.0.1:9900, \"[::1]:9900\", \"unix:/run/evenkeel.sock\"\n"
      "1:19: unknown key 'proxy-protocl', did you mean 'proxy-protocol'?\n" },
};

static const struct wrong wrong_services[] = {
    { LISTEN "services: {}\n", "2:11: 'services' is empty\n" },
    { LISTEN "services: { Shop: { instances: [127.0.0.1:1] } }\n",
      "2:13: 'Shop' is no good name: up to 64 of a-z 0-9 - _ . and a letter or digit first\n" },
    { LISTEN "services: { s: 1 }\n", "2:16: 's' takes keys of its own: owner, environment, class, "
                                     "mode, instances, balance, slow-start, tls, health, eject, "
                                     "timeout, retry\n" },
    { LISTEN "services: { s: { instances: [] } }\n",
      "2:29: service 's' needs from 1 to 1024 instances\n" },
    { LISTEN "services: { s: { instances: [a, 1.2.3:80, \"[fe80::1%eth0]:80\", \"unix:\"] } }\n",
      "2:30: 'a'" NO_INSTANCE "2:33: '1.2.3:80'" NO_INSTANCE "2:43: '[fe80::1%eth0]:80'" NO_INSTANCE
      "2:64: 'unix:' is no unix socket: its path, with its folder, has from 1 to 107 bytes\n" },
    { LISTEN "services: { s: { instances: [a:1, A:1] } }\n",
      "2:35: the instance A:1 is given twice\n" },
    { LISTEN "services: { s: { instances: [127.0.0.1:80, 127.0.0.1:080] } }\n",
      "2:44: the instance 127.0.0.1:080 is given twice\n" },
    { LISTEN "services: { s: { instances: [{ address: a:1, release: [1], weight: 2 }] } }\n",
      "2:55: 'release' takes text, not a list; for example storefront\n" },
    { LISTEN "services: { s: { instances: [{ address: a:1, weight: 0 }], mode: obsrve } }\n",
      "2:54: weight = 0 is out of bounds: from 1 to 1000\n"
      "2:66: 'obsrve' is not one of: act, observe; did you mean observe?\n" },
    { LISTEN "services: { s: { instances: [a:1], balance: p2, class: cron } }\n",
      "2:45: 'p2' is not one of: p2c, least-requests, round-robin; did you mean p2c?\n"
      "2:56: 'cron' is not one of: web, worker, batch, dev\n" },
    { LISTEN "services: { s: { instances: [a:1], balance: { hash: subdomain } } }\n",
      "2:53: 'subdomain': cookie:NAME or header:NAME was expected\n" },
    { LISTEN "services: { s: { instances: [a:1], balance: { hsh: \"cookie:uid\" } } }\n",
      "2:45: 'hash' is missing: cookie:NAME or header:NAME: the same value goes to the same "
      "instance, unless that has a quarter more than its share in flight. For example: cookie:uid, "
      "header:X-Account\n"
      "2:47: unknown key 'hsh', did you mean 'hash'?\n" },
    { LISTEN "services: { s: { instances: [a:1], health: { statuses: [200], interval: 11m } } }\n",
      "2:44: 'path' is missing: statuses, body and host are about a check that asks for one\n"
      "2:73: interval = 11m is out of bounds: from 0s to 10m\n" },
    { LISTEN "services: { s: { instances: [a:1], health: { path: \"/a b\" }, retry: { attempts: 9, "
             "statuses: [99] } } }\n",
      "2:52: '/a b': a path begins with '/' and holds no blanks\n"
      "2:81: attempts = 9 is out of bounds: from 1 to 8\n"
      "2:95: '99' is no status from 100 to 599 and no range of them, such as 500-599\n" },
    { LISTEN "services: { a: { instances: [a:1] }, b: { instances: [b:1] } }\n",
      "2:11: there are 2 services but no `routes` that say which requests go to which\n" },
};

static const struct wrong wrong_routes[] = {
    { GOOD "routes: [{ path: /*, service: shpo }]\n",
      "3:31: there is no service 'shpo', did you mean 'shop'?\n" },
    { GOOD "routes: [{ path: x, service: shop }, 1]\n",
      "3:18: 'x': a path begins with '/'; method and host have keys of their own\n"
      "3:38: keys belong here, such as { path: /*, service: shop }\n" },
    { GOOD "routes: [{ path: /*, service: shop, method: get, host: \"a:80\" }]\n",
      "3:45: 'get': a method is written in capitals, such as GET\n"
      "3:56: 'a:80': a host is written without scheme and port\n" },
    { GOOD "routes: [{ service: shop }]\n",
      "3:10: 'path' is missing: The path, without query. For example: /cart, "
      "\"/product/{id}\", /api/*\n" },
};

static const struct wrong wrong_journeys[] = {
    { GOOD "journeys: { j: { owner: x } }\n",
      "3:16: 'routes' is missing: Method, host (optional) and path of its requests. For "
      "example: [POST /cart, \"GET /product/{id}\"]\n" },
    { GOOD "journeys: { unclaimed: { routes: [/x] } }\n",
      "3:13: 'unclaimed' is the implicit journey of all requests that no other takes; choose "
      "another name\n" },
    { GOOD "journeys: { j: { routes: [fetch /x, GET/x, [a], { b: c }] } }\n",
      "3:27: 'fetch /x': a method is written in capitals, such as GET\n"
      "3:37: 'GET/x': a blank is missing between the method and the path\n"
      "3:44: '': a route is text, such as \"GET /product/{id}\" (with quotes)\n"
      "3:49: '': a route is text, such as \"GET /product/{id}\" (with quotes)\n" },
    { GOOD "journeys: { j: { routes: [/x], bad: { statuses: [5xx, 99, 600, 404-400, [1]], "
           "client-gone: yes } } }\n",
      "3:50: '5xx'" NO_STATUS "3:55: '99'" NO_STATUS "3:59: '600'" NO_STATUS
      "3:64: '404-400'" NO_STATUS "3:73: ''" NO_STATUS
      "3:92: 'yes' is not true or false; did you mean true?\n" },
    { GOOD "journeys: { j: { routes: [/x], objectives: { o: { under: 1s } } } }\n",
      "3:49: 'target' is missing: Share of good events. For example: 99.9%\n" },
    { GOOD "journeys: { j: { routes: [/x], objectives: { o: { target: 0.999 }, p: { target: "
           "100% } } } }\n",
      "3:59: '0.999' is not a share; did you mean 99.9%?\n"
      "3:81: target = 100% is out of bounds: from 1% to 99.9999%\n" },
    { GOOD "journeys: { j: { routes: [/x], objectives: { o: { target: 99%, of: first-byte } } } "
           "}\n",
      "3:64: 'journeys.*.objectives.*.of' is not in this version: first-byte: where the clock "
      "of `under` stops.\n" },
};

/* From every pass of the reader, in the order of the file. */
static const struct wrong several_errors[] = {
    { "wrokers: 1\nlisten: { http: 0.0.0.0:80, admin: 10.0.0.1:1 }\nservices:\n  a: { "
      "instances: [x] }\nroutes: [{ path: /, service: b }]\nlog: { level: loud }\n",
      "1:1: unknown key 'wrokers', did you mean 'workers'?\n"
      "2:36: other machines reach the admin address 10.0.0.1:1, so it needs TLS and tokens: "
      "listen.admin as { address: ..., certificate: cert.pem, key: key.pem }, and "
      "admin.view-token and admin.operate-token; or a loopback address (127.0.0.1, [::1])\n"
      "4:20: 'x'" NO_INSTANCE "5:30: there is no service 'b'\n"
      "6:15: 'loud' is not one of: error, warn, info, debug\n" },
};

static void check_report(const struct wrong *w)
{
    struct config *c = (struct config *)(uintptr_t)1;
    struct config_report r;
    struct str got = str_growing();

    err e = config_read_text("f.yaml", span_from_text(w->text), "", &c, &r);
    for (size_t k = 0; k < r.count; k++)
        str_print(&got, "%zu:%zu: %s\n", r.findings[k].line, r.findings[k].column,
                  r.findings[k].text);
    if (!e.failed || strcmp(str_cstr(&got), w->report) != 0)
        fail_msg("%s\ngave\n%s\nnot\n%s", w->text, str_cstr(&got), w->report);
    assert_int_equal((uintptr_t)c, 1); /* untouched */
    assert_true(span_starts_with(str_span(&r.text), SPAN("f.yaml:")));
    str_free(&got);
    config_report_free(&r);
}

static void wrong_files(void **state)
{
    static const struct {
        const struct wrong *cases;
        size_t count;
    } tables[] = {
        { empty_files, COUNT(empty_files) },       { wrong_bytes, COUNT(wrong_bytes) },
        { wrong_yaml, COUNT(wrong_yaml) },         { wrong_keys, COUNT(wrong_keys) },
        { wrong_values, COUNT(wrong_values) },     { wrong_addresses, COUNT(wrong_addresses) },
        { wrong_services, COUNT(wrong_services) }, { wrong_routes, COUNT(wrong_routes) },
        { wrong_journeys, COUNT(wrong_journeys) }, { several_errors, COUNT(several_errors) },
    };

    (void)state;
    for (size_t t = 0; t < COUNT(tables); t++) {
        for (size_t i = 0; i < tables[t].count; i++)
            check_report(&tables[t].cases[i]);
    }
}

static void warnings_leave_a_file_right(void **state)
{
    static const struct {
        const char *text;
        const char *report;
    } cases[] = {
        { GOOD "routes: [{ path: /*, service: shop },\n  { method: GET, path: \"/x/{y}\", service: "
               "shop }]\n",
          "f:4:3: warning: this route is never reached: the one in line 3 takes all of its "
          "requests\n" },
        { GOOD "routes: [{ host: \"*.a.b\", path: /*, service: shop },\n  { host: c.a.b, path: /x, "
               "service: shop },\n  { host: a.b, path: /x, service: shop }]\n",
          "f:4:3: warning: this route is never reached: the one in line 3 takes all of its "
          "requests\n" },
        { GOOD "journeys: { a: { routes: [GET /x] },\n  b: { routes: [HEAD /x, GET  /x, /x] } }\n",
          "f:4:17: warning: 'HEAD /x' is counted by journey 'a' already, which comes first and has "
          "'GET /x'\n"
          "f:4:26: warning: 'GET  /x' is counted by journey 'a' already, which comes first and has "
          "'GET /x'\n" },
        { LISTEN "services: { a: { instances: [a:1] }, b: { instances: [b:1] } }\nroutes: [{ path: "
                 "/*, service: a }]\n",
          "f:2:38: warning: no route leads to service 'b'\n" },
        { GOOD "journeys: {}\nroutes: []\n", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct config *c = NULL;
        struct config_report r;
        err e = config_read_text("f", span_from_text(cases[i].text), "", &c, &r);
        if (e.failed)
            fail_msg("%s", str_cstr(&r.text));
        assert_string_equal(str_cstr(&r.text), cases[i].report);
        config_free(c);
        config_report_free(&r);
    }
}

/* Twenty are told, all are counted; a hostile file is refused without being unfolded. */
static void many_errors_and_large_files(void **state)
{
    struct str text = str_growing();
    struct config *c = NULL;
    struct config_report r;

    (void)state;
    str_text(&text, GOOD);
    for (int i = 0; i < 1000; i++)
        str_print(&text, "k%d: 1\n", i);
    err e = config_read_text("f", str_span(&text), "", &c, &r);
    assert_true(e.failed);
    assert_int_equal(r.errors, 1000);
    assert_int_equal(r.count, CONFIG_ERRORS_MAX);
    assert_int_equal(r.findings[0].line, 3);
    assert_string_equal(e.text, "f has 1000 errors; nothing of it is in force");
    config_report_free(&r);

    text.n = 0;
    str_text(&text, GOOD "journeys: { j: { routes: [");
    for (int i = 0; i < 110000; i++)
        str_text(&text, "/,");
    str_text(&text, "] } }\n");
    e = config_read_text("f", str_span(&text), "", &c, &r);
    assert_true(e.failed);
    assert_string_equal(r.findings[0].text, "more than 100000 values; that is no configuration");
    config_report_free(&r);

    text.n = 0;
    str_text(&text, GOOD "journeys:\n");
    for (int i = 0; i < 33; i++) {
        str_print(&text, "  j%d: { routes: [", i);
        for (int k = 0; k < JOURNEY_ROUTES_MAX; k++)
            str_print(&text, "/%d/%d,", i, k);
        str_text(&text, "] }\n");
    }
    e = config_read_text("f", str_span(&text), "", &c, &r);
    assert_true(e.failed);
    assert_int_equal(r.errors, 1);
    assert_string_equal(r.findings[0].text, "at most 8192 routes of all journeys together");
    config_report_free(&r);

    text.n = 0;
    str_text(&text, GOOD);
    while (text.n <= CONFIG_BYTES_MAX)
        str_text(&text, "# a comment that fills the file without saying anything at all\n");
    e = config_read_text("f", str_span(&text), "", &c, &r);
    assert_true(e.failed);
    assert_string_equal(r.findings[0].text, "larger than 1024 KiB; that is no configuration");
    config_report_free(&r);
    str_free(&text);
}

static void a_right_file_gives_what_it_says(void **state)
{
    struct config *c =
        read_good("listen: { http: [127.0.0.1:8080, \"[::1]:8080\"], admin: \"[::1]:9900\" }\n"
                  "store: counts.db\nworkers: 3\nlimits: { body: 1.5MiB, header-time: 2s }\n"
                  "services:\n"
                  "  shop:\n    instances: [127.0.0.1:1, app.local:2, \"unix:/run/s\", { address: "
                  "127.0.0.1:4, release: \"42\" }]\n"
                  "    timeout: { head: 3s }\n"
                  "  api: { instances: [127.0.0.1:9] }\n"
                  "routes:\n  - { host: \"*.example.com\", method: GET, path: /a/*, service: api, "
                  "timeout: { idle: 5s } }\n"
                  "  - { path: /*, service: shop }\n"
                  "journeys:\n  checkout:\n    priority: nice-to-have\n    routes: [POST /cart]\n"
                  "    bad: { statuses: [500-599, 429], client-gone: true }\n"
                  "    objectives: { ok: { target: 99.95% }, fast: { target: 90%, under: 1.2s, "
                  "window: 7d } }\n");

    (void)state;
    assert_int_equal(c->http_count, 2);
    assert_span(c->store, "/etc/ek/counts.db");
    assert_int_equal(c->workers, 3);
    assert_int_equal(c->limits.body, 1536 * 1024);
    assert_int_equal(c->limits.header_time, 2 * NS_PER_S);
    assert_int_equal(c->limits.head, 32 * 1024);
    assert_int_equal(c->services[0].instance_count, 4);
    assert_span(c->services[0].instances[1].host, "app.local");
    assert_span(c->services[0].instances[3].release, "42");
    assert_int_equal(c->services[0].timeout.head, 3 * NS_PER_S);
    assert_int_equal(c->services[0].timeout.connect, 500 * NS_PER_MS);
    assert_ptr_equal(c->routes[0].service, &c->services[1]);
    assert_int_equal(c->routes[0].timeout.idle, 5 * NS_PER_S);
    assert_int_equal(c->routes[0].timeout.head, 15 * NS_PER_S);
    assert_int_equal(c->journey_count, 2);
    const struct journey *j = &c->journeys[0];
    assert_int_equal(j->priority, PRIORITY_NICE_TO_HAVE);
    assert_true(j->client_gone_bad && status_set_has(&j->bad, 429) &&
                !status_set_has(&j->bad, 404));
    assert_int_equal(j->objectives[1].under, 1200 * NS_PER_MS);
    assert_int_equal(j->objectives[1].window_s, 7 * 86400);
    assert_int_equal(j->objectives[0].window_s, 28 * 86400);
    assert_span(c->journeys[1].name, "unclaimed");
    assert_int_equal(c->journeys[1].priority, PRIORITY_NICE_TO_HAVE);
    assert_int_equal(c->journeys[1].objective_count, 0);
    assert_span(c->routes[0].pattern.text, "GET *.example.com/a/*");
    assert_span(c->services[0].class_, "web");
    config_free(c);
}

/* Nothing but what must be given; all else as docs/configuration.md says. */
static void defaults(void **state)
{
    struct config *c = read_good("\xEF\xBB\xBF" GOOD);
    char text[ADDRESS_TEXT_MAX];

    (void)state;
    assert_string_equal(address_print(&c->admin.address, text), "127.0.0.1:9900");
    assert_span(c->store, "/etc/ek/evenkeel.db");
    assert_in_range(c->workers, 1, WORKERS_MAX);
    assert_int_equal(c->limits.connections, 20000);
    assert_int_equal(c->limits.head, 32 << 10);
    assert_int_equal(c->limits.fields, 100);
    assert_int_equal(c->limits.line, 8 << 10);
    assert_int_equal(c->limits.body, 0);
    assert_int_equal(c->limits.header_time, 10 * NS_PER_S);
    assert_int_equal(c->services[0].timeout.connect, 500 * NS_PER_MS);
    assert_int_equal(c->services[0].timeout.head, 15 * NS_PER_S);
    assert_int_equal(c->services[0].timeout.idle, 60 * NS_PER_S);
    assert_int_equal(c->services[0].instances[0].weight, 1);
    assert_int_equal(c->route_count, 1);
    assert_span(c->routes[0].pattern.text, "/*");
    assert_int_equal(c->journey_count, 1);
    assert_true(status_set_has(&c->journeys[0].bad, 500));
    assert_false(status_set_has(&c->journeys[0].bad, 499));
    config_free(c);
    c = read_good(GOOD "limits: { head: 4KiB }\n"); /* the line is a part of it */
    assert_int_equal(c->limits.line, 4 << 10);
    config_free(c);
}

static void paths_are_relative_to_the_file(void **state)
{
    struct config *c =
        read_good("listen: { http: { address: \"unix:in.sock\" }, admin: \"unix:/run/a\" }\n"
                  "store: \":memory:\"\nservices: { s: { instances: [\"unix:out.sock\"] } }\n");
    char text[ADDRESS_TEXT_MAX];

    (void)state;
    assert_string_equal(address_print(&c->http[0].address, text), "unix:/etc/ek/in.sock");
    assert_string_equal(address_print(&c->admin.address, text), "unix:/run/a");
    assert_string_equal(address_print(&c->services[0].instances[0].address, text),
                        "unix:/etc/ek/out.sock");
    assert_span(c->services[0].instances[0].text, "unix:out.sock");
    assert_span(c->store, ":memory:");
    config_free(c);
}

static void files(void **state)
{
    char folder[] = "/tmp/evenkeel-test-XXXXXX";
    char path[64];
    struct config *c = NULL;
    struct config_report r;

    (void)state;
    assert_non_null(mkdtemp(folder));
    err e = config_read_file(folder, &c, &r);
    assert_true(e.failed && strstr(e.text, "Is a directory"));
    assert_int_equal(r.errors, 0);
    config_report_free(&r);
    snprintf(path, sizeof(path), "%s/f.yaml", folder);
    e = config_read_file(path, &c, &r);
    assert_true(e.failed && strstr(e.text, "No such file"));
    config_report_free(&r);

    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
    e = config_read_file(path, &c, &r); /* nothing at all in it */
    assert_true(e.failed && strstr(str_cstr(&r.text), "f.yaml:1:1: the file is empty"));
    config_report_free(&r);

    f = fopen(path, "w");
    assert_non_null(f);
    fputs(GOOD, f);
    fclose(f);
    e = config_read_file(path, &c, &r);
    assert_false(e.failed);
    assert_true(span_starts_with(c->store, span_from_text(folder)));
    assert_span(c->path, path);
    config_free(c);
    config_report_free(&r);
    unlink(path);
    rmdir(folder);
}

static uint64_t definition_of(const char *journey)
{
    struct str text = str_growing();
    str_print(&text, GOOD "journeys: { j: %s }\n", journey);
    struct config *c = read_good(str_cstr(&text));
    uint64_t d = c->journeys[0].definition;
    config_free(c);
    str_free(&text);
    return d;
}

/* Who answers for it and what is promised may change and keep the counts; what is counted may not. */
static void a_definition_is_what_is_counted(void **state)
{
    uint64_t d = definition_of(
        "{ routes: [/x], objectives: { a: { target: 99% }, f: { target: 90%, under: 1s } } }");

    (void)state;
    assert_int_equal(
        d, definition_of(
               "{ owner: me, runbook: r, priority: nice-to-have, routes: [/x], objectives: { a: "
               "{ target: 50%, window: 7d }, f: { target: 91%, under: 1000ms } } }"));
    assert_int_not_equal(
        d,
        definition_of(
            "{ routes: [/y], objectives: { a: { target: 99% }, f: { target: 90%, under: 1s } } }"));
    assert_int_not_equal(
        d,
        definition_of(
            "{ routes: [/x], objectives: { a: { target: 99% }, f: { target: 90%, under: 2s } } }"));
    assert_int_not_equal(
        d,
        definition_of(
            "{ routes: [/x], objectives: { f: { target: 90%, under: 1s }, a: { target: 99% } } }"));
    assert_int_equal(
        d,
        definition_of("{ routes: [\" /x \"], objectives: { renamed: { target: 99% }, f: { target: "
                      "90%, under: 1s } } }"));
    assert_int_not_equal(
        d, definition_of("{ routes: [/x], bad: { client-gone: true }, objectives: { a: { target: "
                         "99% }, f: { target: 90%, under: 1s } } }"));
    assert_int_not_equal(
        d, definition_of(
               "{ routes: [/x], bad: { statuses: [500] }, objectives: { a: { target: 99% }, f: { "
               "target: 90%, under: 1s } } }"));
}

static void so_it_is_for_steps(void **state)
{
    uint64_t d = definition_of("{ steps: [/x, /y] } }\nidentity: { user: subdomain");
    static const char *const others[] = {
        "{ steps: [/y, /x] } }\nidentity: { user: subdomain",
        "{ steps: [/x, /y, /z] } }\nidentity: { user: subdomain",
        "{ steps: [/x, /y], deadline: 31m } }\nidentity: { user: subdomain",
        "{ steps: [/x, /y], bad: { abandoned: true } } }\nidentity: { user: subdomain",
        "{ steps: [/x, /y], bad: { client-gone: true } } }\nidentity: { user: subdomain",
        "{ routes: [/x, /y] }",
    };

    (void)state;
    assert_int_equal(
        d, definition_of("{ kind: steps, steps: [\" /x \", /y], deadline: 30m, owner: a } "
                         "}\nidentity: { user: subdomain"));
    for (size_t i = 0; i < COUNT(others); i++) {
        if (definition_of(others[i]) == d)
            fail_msg("%s", others[i]);
    }
}

static void without_a_file(void **state)
{
    struct config *c = NULL;
    struct config_report r;
    err e = config_for_target("127.0.0.1:3000", &c, &r);

    (void)state;
    assert_false(e.failed);
    assert_int_equal(c->route_count, 1);
    assert_span(c->journeys[0].name, "everything");
    assert_int_equal(c->journeys[0].objective_count, 2);
    assert_span(c->journeys[1].name, "unclaimed");
    assert_int_equal(c->http_count, 1);
    assert_true(address_loopback(&c->http[0].address));
    config_free(c);
    config_report_free(&r);
    e = config_for_target("3000", &c, &r);
    assert_true(e.failed && strstr(e.text, "HOST:PORT was expected"));
    config_report_free(&r);
    e = config_for_target("a\"]: x:1", &c, &r);
    assert_true(e.failed);
    config_report_free(&r);
    e = config_for_target("unix:/it's \"here\", [x", &c, &r);
    assert_false(e.failed);
    assert_span(c->services[0].instances[0].text, "unix:/it's \"here\", [x");
    config_free(c);
    config_report_free(&r);
}

static const char large[] =
    "listen:\n  http: [127.0.0.1:8080, { address: \"[::1]:8081\" }]\n  admin: 127.0.0.1:9900\n"
    "store: counts.db\nworkers: 2\nlimits: { connections: 100, head: 16KiB, body: 1.5MiB }\n"
    "log: { level: info }\nservices:\n  shop:\n    owner: me\n    mode: act\n    instances:\n"
    "      - app.local:80\n      - { address: \"unix:/s\", zone: a, release: \"42\" }\n"
    "    timeout: { head: 3s }\n  api: { instances: [127.0.0.1:9], balance: round-robin }\n"
    "routes:\n  - { host: \"*.a.b\", method: GET, path: /a/*, service: api }\n"
    "  - { path: /*, service: shop, timeout: { idle: 5s } }\njourneys:\n  buy:\n"
    "    priority: nice-to-have\n    routes: [POST /cart, \"GET /p/{id}\", /x]\n"
    "    bad: { statuses: [500-599, 429], client-gone: true }\n"
    "    objectives: { ok: { target: 99.95% }, fast: { target: 90%, under: 1.2s, window: 7d } }\n";

/* One edit: a byte changed, put in or taken out, or a piece copied elsewhere. */
static size_t damage(char *text, size_t n, size_t room, struct rng *rng)
{
    static const char odd[] = "{}[]:,-&*!|>'\"%@`#?~\n\t \x01\xFF\xC3"
                              "09azKs";
    char byte = odd[rng_below(rng, sizeof(odd) - 1)];
    size_t at = rng_below(rng, n);

    switch (rng_below(rng, 4)) {
    case 0: text[at] = byte; return n;
    case 1: memmove(text + at, text + at + 1, n - at - 1); return n - 1;
    case 2:
        if (n == room)
            return n;
        memmove(text + at + 1, text + at, n - at);
        text[at] = byte;
        return n + 1;
    default: {
        size_t to = rng_below(rng, n);
        size_t longest = n - (at > to ? at : to);
        memmove(text + to, text + at, 1 + rng_below(rng, longest < 40 ? longest : 40));
        return n;
    }
    }
}

/* A file with any damage gives a configuration or says where it is wrong; it never stops the program. */
static void damaged_files(void **state)
{
    struct rng rng = { 5 };
    unsigned right = 0;

    (void)state;
    struct config *whole = read_good(large); /* else the damage proves nothing */
    config_free(whole);
    for (int i = 0; i < 20000; i++) {
        char text[sizeof(large) + 16];
        size_t n = sizeof(large) - 1;
        memcpy(text, large, n);
        for (uint64_t edits = 1 + rng_below(&rng, 4); edits > 0; edits--)
            n = damage(text, n, sizeof(text), &rng);
        struct config *c = NULL;
        struct config_report r;
        err e = config_read_text("f", span_of(text, n), "", &c, &r);
        assert_int_equal(e.failed, c == NULL);
        assert_int_equal(e.failed, r.errors > 0);
        for (size_t k = 0; k < r.count; k++) {
            assert_true(r.findings[k].line > 0 && r.findings[k].column > 0);
            assert_true(k == 0 || r.findings[k - 1].line <= r.findings[k].line);
        }
        if (c) {
            right++;
            config_free(c);
        }
        config_report_free(&r);
    }
    assert_in_range(right, 200, 19000); /* damage in a name or a comment may be right */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_files),
        cmocka_unit_test(warnings_leave_a_file_right),
        cmocka_unit_test(many_errors_and_large_files),
        cmocka_unit_test(a_right_file_gives_what_it_says),
        cmocka_unit_test(defaults),
        cmocka_unit_test(paths_are_relative_to_the_file),
        cmocka_unit_test(files),
        cmocka_unit_test(a_definition_is_what_is_counted),
        cmocka_unit_test(so_it_is_for_steps),
        cmocka_unit_test(without_a_file),
        cmocka_unit_test(damaged_files),
    };
    return RUN(tests);
}
