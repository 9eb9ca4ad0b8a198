/* SPDX-License-Identifier: Apache-2.0 */
/* config_docs.c - the table as a page for people. */
#include "control/config_file.h"
#include "control/config_table.h"

#include <string.h>

static void print_default(const struct config_option *row, FILE *to)
{
    if (row->standard[0] == '!')
        fprintf(to, "must be given");
    else if (row->standard[0])
        fprintf(to, "`%s`", row->standard);
}

static void print_kind(const struct config_option *row, FILE *to)
{
    if (row->type != CONFIG_CHOICE) { /* the words of a balance are in its type's */
        fprintf(to, "%s", config_type_words(row->type));
        if (row->least[0] && row->type != CONFIG_BALANCE)
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

/* Words of a choice that are known and refused: "services.*.balance: p2c". */
static void print_later_words(FILE *to)
{
    for (size_t i = 0; i < config_option_count; i++) {
        const struct config_option *row = &config_options[i];
        const char *word = row->type == CONFIG_CHOICE ? strstr(row->least, "later:") : NULL;
        for (; word; word = strstr(word + 1, "later:"))
            fprintf(to, "| `%.*s: %.*s` | %s |\n", SPAN_ARG(row->path), (int)strcspn(word + 6, " "),
                    word + 6, row->help);
    }
}

void config_write_markdown(FILE *to)
{
    fprintf(
        to,
        "# Configuration\n\n"
        "<!-- Written by `evenkeel schema --markdown` from src/control/config_table.h. -->\n\n"
        "One YAML file. `evenkeel validate -c FILE` checks it and says at which line and "
        "column something is wrong and what was meant. Relative paths are relative to the "
        "file. An unknown key is an error, and so is a key of a later version.\n\n"
        "In the table `*` stands for a name that you choose and `[]` for each element of a "
        "list. The last but one column says what it takes for a change to come into force: "
        "`evenkeel reload` (or SIGHUP) checks the whole file first and takes over what a reload "
        "can; what takes a restart is named and stays as it was.\n\n"
        "| key | value | default | change by | meaning |\n|---|---|---|---|---|\n");
    print_rows(CONFIG_NOW, to);
    fprintf(to, "\n## How values are written\n\n| value | for example |\n|---|---|\n");
    for (int t = CONFIG_MAP; t <= CONFIG_STATUSES; t++) {
        if (*config_type_example((enum config_type)t))
            fprintf(to, "| %s | `%s` |\n", config_type_words((enum config_type)t),
                    config_type_example((enum config_type)t));
    }
    fprintf(
        to,
        "\n## Not in this version\n\n"
        "These keys and words are known and refused, so that a file never promises what does not "
        "happen.\n\n| key | meaning |\n|---|---|\n");
    print_rows(CONFIG_LATER, to);
    print_later_words(to);
}
