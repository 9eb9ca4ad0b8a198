/* SPDX-License-Identifier: Apache-2.0 */
/* config_docs.c - the table as a page for people and as a JSON schema for editors. */
#include "control/config_file.h"
#include "control/config_table.h"

#include <jansson.h>
#include <string.h>

/* ---- Markdown */

static void print_default(const struct config_option *row, FILE *to)
{
    if (row->standard[0] == '!')
        fprintf(to, "must be given");
    else if (row->standard[0])
        fprintf(to, "`%s`", row->standard);
}

static void print_kind(const struct config_option *row, FILE *to)
{
    if (row->type != CONFIG_CHOICE) {
        fprintf(to, "%s", config_type_words(row->type));
        if (row->least[0])
            fprintf(to, ", %s to %s", row->least, row->most);
        return;
    }
    char words[256];
    char *rest = words;
    bool first = true;
    snprintf(words, sizeof(words), "%s", row->least);
    for (char *word = strsep(&rest, " "); word; word = strsep(&rest, " ")) {
        if (strncmp(word, "later:", 6) == 0)
            continue;
        fprintf(to, "%s`%s`", first ? "" : ", ", word);
        first = false;
    }
}

static void print_rows(enum config_since since, FILE *to)
{
    for (size_t i = 0; i < config_option_count; i++) {
        const struct config_option *row = &config_options[i];
        if (row->since != since)
            continue;
        fprintf(to, "| `%.*s` | ", SPAN_ARG(row->path));
        if (since == CONFIG_NOW) {
            print_kind(row, to);
            fprintf(to, " | ");
            print_default(row, to);
            fprintf(to, " | %s | ", row->when == CONFIG_LIVE ? "reload" : "restart");
        }
        fprintf(to, "%s |\n", row->help);
    }
}

void config_write_markdown(FILE *to)
{
    fprintf(to,
            "# Configuration\n\n"
            "<!-- Written by `evenkeel schema --markdown` from src/control/config_table.h. -->\n\n"
            "One YAML file. `evenkeel validate -c FILE` checks it and says at which line and "
            "column something is wrong and what was meant. Relative paths are relative to the "
            "file. An unknown key is an error, and so is a key of a later version.\n\n"
            "In the table `*` stands for a name that you choose and `[]` for each element of a "
            "list. The last but one column says what it takes for a change to come into force; "
            "this version has no reload yet, so today that is a restart.\n\n"
            "| key | value | default | change by | meaning |\n|---|---|---|---|---|\n");
    print_rows(CONFIG_NOW, to);
    fprintf(to, "\n## How values are written\n\n| value | for example |\n|---|---|\n");
    for (int t = CONFIG_MAP; t <= CONFIG_STATUSES; t++) {
        if (*config_type_example((enum config_type)t))
            fprintf(to, "| %s | `%s` |\n", config_type_words((enum config_type)t),
                    config_type_example((enum config_type)t));
    }
    fprintf(to, "\n## Not in this version\n\n"
                "These keys are known and refused, so that a file never promises what does not "
                "happen.\n\n| key | meaning |\n|---|---|\n");
    print_rows(CONFIG_LATER, to);
}

/* ---- JSON schema (draft 2020-12) */

static json_t *schema_of(const struct config_option *row);

static json_t *keys_of(const struct config_option *parent)
{
    json_t *properties = json_object();
    json_t *required = json_array();

    for (size_t i = 0; i < config_option_count; i++) {
        const struct config_option *row = &config_options[i];
        char key[64];
        if (!config_is_inside(row, parent) || row->since == CONFIG_LATER)
            continue;
        snprintf(key, sizeof(key), "%.*s", SPAN_ARG(config_key(row)));
        json_object_set_new(properties, key, schema_of(row));
        if (row->standard[0] == '!')
            json_array_append_new(required, json_string(key));
    }
    json_t *o = json_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties,
                          "additionalProperties", 0);
    if (json_array_size(required))
        json_object_set_new(o, "required", required);
    else
        json_decref(required);
    return o;
}

static json_t *choices_of(const struct config_option *row)
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

static json_t *pattern_of(const char *pattern)
{
    return json_pack("{s:[s,s], s:s}", "type", "string", "number", "pattern", pattern);
}

static json_t *type_schema(const struct config_option *row)
{
    switch (row->type) {
    case CONFIG_MAP: return keys_of(row);
    case CONFIG_NAMED:
        return json_pack("{s:s, s:o}", "type", "object", "additionalProperties", keys_of(row));
    case CONFIG_LIST: return json_pack("{s:s, s:o}", "type", "array", "items", keys_of(row));
    case CONFIG_DURATION: return pattern_of("^[0-9.]+(us|ms|s|m|h|d|w)$");
    case CONFIG_SHARE: return pattern_of("^[0-9.]+%$");
    case CONFIG_SIZE: return pattern_of("^(0|[0-9.]+(B|KiB|MiB|GiB))$");
    case CONFIG_COUNT: return json_pack("{s:s}", "type", "integer");
    case CONFIG_WORKERS:
        return json_pack("{s:[{s:s},{s:s}]}", "anyOf", "const", "auto", "type", "integer");
    case CONFIG_BOOL: return json_pack("{s:s}", "type", "boolean");
    case CONFIG_CHOICE: return choices_of(row);
    case CONFIG_ADDRESSES:
        return json_pack("{s:[s,s], s:{s:s}}", "type", "string", "array", "items", "type",
                         "string");
    case CONFIG_INSTANCES:
        return json_pack("{s:s, s:{s:[s,s]}}", "type", "array", "items", "type", "string",
                         "object");
    case CONFIG_PATTERNS:
        return json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "string");
    case CONFIG_STATUSES:
        return json_pack("{s:s, s:{s:[s,s]}}", "type", "array", "items", "type", "string",
                         "integer");
    case CONFIG_TEXT:
    case CONFIG_ADDRESS:
    case CONFIG_PATTERN: break;
    }
    return json_pack("{s:s}", "type", "string");
}

static json_t *schema_of(const struct config_option *row)
{
    json_t *o = type_schema(row);

    json_object_set_new(o, "description", json_string(row->help));
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
