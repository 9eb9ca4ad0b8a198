/* SPDX-License-Identifier: Apache-2.0 */
/* config_schema.c - the table as a JSON schema (draft 2020-12) for editors. It knows types, names, words
 * and the bounds of whole numbers; what concerns several values at once is told by `validate` only. */
#include "control/config_file.h"
#include "control/config_table.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static json_t *schema_of(const struct config_option *row);

static json_t *keys_of(const struct config_option *parent)
{
    json_t *properties = json_object();
    json_t *required = json_array();

    for (size_t i = 0; i < config_option_count; i++) {
        const struct config_option *row = &config_options[i];
        struct span key = config_key(row);
        if (!config_is_inside(row, parent) || row->since == CONFIG_LATER)
            continue;
        /* a key is the end of a literal, so it is terminated */
        json_object_set_new(properties, key.p, schema_of(row));
        if (row->standard[0] == '!')
            json_array_append_new(required, json_string(key.p));
    }
    json_t *o = json_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties,
                          "additionalProperties", 0);
    if (json_array_size(required))
        json_object_set(o, "required", required);
    json_decref(required);
    return o;
}

static json_t *words_of(const struct config_option *row)
{
    char words[256];
    char *rest = words;
    json_t *list = json_array();

    snprintf(words, sizeof(words), "%s", row->least);
    for (char *word = strsep(&rest, " "); word; word = strsep(&rest, " ")) {
        if (strncmp(word, "later:", 6) != 0)
            json_array_append_new(list, json_string(word));
    }
    return json_pack("{s:o}", "enum", list);
}

static json_t *text_like(const char *pattern)
{
    return json_pack("{s:s, s:s}", "type", "string", "pattern", pattern);
}

static json_t *whole_number(const struct config_option *row)
{
    return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum",
                     (json_int_t)strtoll(row->least, NULL, 10), "maximum",
                     (json_int_t)strtoll(row->most, NULL, 10));
}

static json_t *either(json_t *one, json_t *other)
{
    return json_pack("{s:[o,o]}", "anyOf", one, other);
}

static json_t *list_of(json_t *items)
{
    return json_pack("{s:s, s:o}", "type", "array", "items", items);
}

/* Text, or keys: an address or an instance. */
static json_t *element_of(const struct config_option *row)
{
    return either(text_like("^(unix:.+|.+:[0-9]+)$"), keys_of(row));
}

static json_t *type_schema(const struct config_option *row)
{
    switch (row->type) {
    case CONFIG_MAP: return keys_of(row);
    case CONFIG_NAMED:
        return json_pack("{s:s, s:{s:s}, s:o}", "type", "object", "propertyNames", "pattern",
                         "^[a-z0-9][a-z0-9._-]{0,63}$", "additionalProperties", keys_of(row));
    case CONFIG_LIST: return list_of(keys_of(row));
    case CONFIG_DURATION: return text_like("^[0-9]+(\\.[0-9]+)?(us|ms|s|m|h|d|w)$");
    case CONFIG_SHARE: return text_like("^[0-9]+(\\.[0-9]+)?%$");
    case CONFIG_SIZE:
        return either(json_pack("{s:i}", "const", 0),
                      text_like("^[0-9]+(\\.[0-9]+)?(B|KiB|MiB|GiB)$"));
    case CONFIG_COUNT: return whole_number(row);
    case CONFIG_WORKERS: return either(json_pack("{s:s}", "const", "auto"), whole_number(row));
    case CONFIG_BOOL: return json_pack("{s:s}", "type", "boolean");
    case CONFIG_CHOICE: return words_of(row);
    case CONFIG_BALANCE: return either(words_of(row), keys_of(row));
    case CONFIG_PLACE: return text_like("^(cookie|header):.+$");
    case CONFIG_ADDRESS:
    case CONFIG_INSTANCE: return text_like("^(unix:.+|.+:[0-9]+)$");
    case CONFIG_ADDRESSES: return either(element_of(row), list_of(element_of(row)));
    case CONFIG_ENDPOINT: return element_of(row);
    case CONFIG_HOSTS: return list_of(text_like("^[A-Za-z0-9._-]+$"));
    case CONFIG_INSTANCES: return list_of(element_of(row));
    case CONFIG_PEERS: return list_of(either(text_like(":[0-9]+$"), keys_of(row)));
    case CONFIG_PATTERN: return text_like("^/");
    case CONFIG_PATTERNS: return list_of(text_like("/"));
    case CONFIG_NETWORKS: return list_of(text_like("^(unix:|[0-9a-fA-F.:]+(/[0-9]+)?)$"));
    case CONFIG_WORDS: return list_of(words_of(row));
    case CONFIG_STATUSES:
        return list_of(
            either(json_pack("{s:s, s:i, s:i}", "type", "integer", "minimum", 100, "maximum", 599),
                   text_like("^[1-5][0-9][0-9](-[1-5][0-9][0-9])?$")));
    case CONFIG_TEXT: break;
    }
    /* YAML reads 42 as a number; as a text it is meant as it is written */
    return json_pack("{s:[s,s]}", "type", "string", "number");
}

static json_t *schema_of(const struct config_option *row)
{
    json_t *o = type_schema(row);

    json_object_set_new(o, "description", json_string(row->help));
    if (row->standard[0] && row->standard[0] != '!' && row->type != CONFIG_STATUSES &&
        row->type != CONFIG_WORDS)
        json_object_set_new(o, "default", json_string(row->standard));
    return o;
}

void config_write_schema(FILE *to)
{
    json_t *root = keys_of(NULL);

    json_object_set_new(root, "$schema",
                        json_string("https://json-schema.org/draft/2020-12/schema"));
    json_object_set_new(root, "title", json_string("evenkeel configuration"));
    json_dumpf(root, to, JSON_INDENT(2) | JSON_SORT_KEYS);
    fputc('\n', to);
    json_decref(root);
}
