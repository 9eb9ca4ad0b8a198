/* SPDX-License-Identifier: Apache-2.0 */
/* completion.c - what makes bash, zsh and fish complete our commands and options, out of the tables. Names of journeys and
 * instances are asked for when they are wanted. */
#include "cli/answers.h"
#include "cli/options.h"
#include "control/config_file.h"

#include <stdio.h>
#include <string.h>

static bool takes(int command, int option)
{
    return option_rows[option].of >> command & 1;
}

static void put_commands(struct str *out)
{
    for (int i = 0; i < COMMAND_COUNT; i++)
        str_print(out, "%s%s", i ? " " : "", command_rows[i].name);
}

/* Within single quotes of a shell; `escaped`: characters that also need a backslash. */
static void put_quoted(struct str *out, const char *text, const char *quote, const char *escaped)
{
    for (; *text; text++) {
        if (*text == '\'') {
            str_text(out, quote);
            continue;
        }
        if (strchr(escaped, *text))
            str_char(out, '\\');
        str_char(out, *text);
    }
}

/* ---- bash(1), Programmable Completion */

/* Sets `files` or `list`. */
static void put_bash_values(struct str *out, const char *completes)
{
    if (!completes)
        str_literal(out, "list=");
    else if (strcmp(completes, "@file") == 0)
        str_literal(out, "files=1");
    else if (strcmp(completes, "@command") == 0)
        str_literal(out, "list=$commands");
    else if (completes[0] == '@')
        str_print(out, "list=$(evenkeel completion %ss -- \"${words[@]:2}\" 2>/dev/null)",
                  completes + 1);
    else
        str_print(out, "list='%s'", completes);
}

static void put_bash_command(struct str *out, int command)
{
    str_print(out, "    %s)\n        options='", command_rows[command].name);
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (takes(command, i))
            str_print(out, "--%s ", option_rows[i].name);
    }
    str_literal(out, "'\n        case $prev in\n");
    for (int i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *o = &option_rows[i];
        if (!takes(command, i) || !o->argument || o->argument[0] == '[')
            continue;
        str_literal(out, "        ");
        if (o->letter)
            str_print(out, "-%c|", o->letter);
        str_print(out, "--%s) ", o->name);
        put_bash_values(out, o->completes);
        str_literal(out, " ;;\n");
    }
    str_literal(out, "        *) if [[ $cur == -* ]]; then list=$options; else ");
    put_bash_values(out, command_rows[command].completes);
    str_literal(out, "; fi ;;\n        esac ;;\n");
}

/* Words are cut at spaces only: COMP_WORDS has addresses in pieces, for a colon breaks words there. */
static void put_bash(struct str *out)
{
    str_literal(out, "# completion of evenkeel for bash; made by `evenkeel completion bash`\n"
                     "_evenkeel()\n{\n    local line=${COMP_LINE:0:COMP_POINT} commands='");
    put_commands(out);
    str_literal(out, "'\n    local words cur prev files='' list='' options=''\n"
                     "    read -ra words <<< \"$line\"\n"
                     "    [[ $line == *[[:space:]] ]] && words+=('')\n"
                     "    ((${#words[@]} > 1)) || return\n"
                     "    cur=${words[-1]} prev=${words[-2]}\n    COMPREPLY=()\n"
                     "    if ((${#words[@]} == 2)); then\n        list=$commands\n    else\n"
                     "    case ${words[1]} in\n");
    for (int i = 0; i < COMMAND_COUNT; i++)
        put_bash_command(out, i);
    str_literal(out,
                "    esac\n    fi\n    if [[ $files ]]; then\n"
                "        compopt -o filenames 2>/dev/null\n"
                "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n        return\n    fi\n"
                "    mapfile -t COMPREPLY < <(compgen -W \"$list\" -- \"$cur\")\n"
                "    # what stands before the last colon is on the line already\n"
                "    if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then\n"
                "        COMPREPLY=(\"${COMPREPLY[@]#\"${cur%\"${cur##*:}\"}\"}\")\n    fi\n}\n"
                "complete -F _evenkeel evenkeel\n");
}

/* ---- zshcompsys(1) */

#define ZSH_QUOTE "'\\''"

static void put_zsh_action(struct str *out, const char *completes)
{
    if (!completes)
        return;
    if (strcmp(completes, "@file") == 0)
        str_literal(out, "_files");
    else if (strcmp(completes, "@command") == 0)
        str_literal(out, "{_describe command commands}");
    else if (completes[0] == '@')
        str_print(out, "{compadd -- ${(f)\"$(evenkeel completion %ss -- $words 2>/dev/null)\"}}",
                  completes + 1);
    else
        str_print(out, "(%s)", completes);
}

static void put_zsh_option(struct str *out, const struct option_row *o)
{
    bool optional = o->argument && o->argument[0] == '[';

    if (o->letter)
        str_print(out, " \\\n            '(-%c --%s)'{-%c,--%s}'[", o->letter, o->name, o->letter,
                  o->name);
    else
        str_print(out, " \\\n            '*--%s%s[", o->name, optional ? "=-" : "");
    put_quoted(out, o->help, ZSH_QUOTE, "[]\\");
    str_char(out, ']');
    if (o->argument) {
        str_text(out, optional ? "::" : ":");
        put_quoted(out, o->argument, ZSH_QUOTE, ":[]");
        str_char(out, ':');
        put_zsh_action(out, o->completes);
    }
    str_char(out, '\'');
}

static void put_zsh(struct str *out)
{
    str_literal(out, "#compdef evenkeel\n# made by `evenkeel completion zsh`\n_evenkeel()\n{\n"
                     "    local -a commands=(\n");
    for (int i = 0; i < COMMAND_COUNT; i++) {
        str_print(out, "        '%s:", command_rows[i].name);
        put_quoted(out, command_rows[i].summary, ZSH_QUOTE, ":");
        str_literal(out, "'\n");
    }
    str_literal(out, "    )\n    if ((CURRENT == 2)); then\n        _describe command commands\n"
                     "        return\n    fi\n    shift words\n    ((CURRENT--))\n"
                     "    case $words[1] in\n");
    for (int i = 0; i < COMMAND_COUNT; i++) {
        str_print(out, "    %s)\n        _arguments", command_rows[i].name);
        for (int k = 0; k < OPTION_COUNT; k++) {
            if (takes(i, k))
                put_zsh_option(out, &option_rows[k]);
        }
        if (command_rows[i].completes) {
            str_literal(out, " \\\n            '1:what:");
            put_zsh_action(out, command_rows[i].completes);
            str_char(out, '\'');
        }
        str_literal(out, " ;;\n");
    }
    str_literal(out, "    esac\n}\nif [[ $funcstack[1] == _evenkeel ]]; then\n"
                     "    _evenkeel \"$@\"\nelse\n    compdef _evenkeel evenkeel\nfi\n");
}

/* ---- fish, complete(1) */

#define FISH_QUOTE "\\'"

static void put_fish_values(struct str *out, const char *completes)
{
    if (completes && strcmp(completes, "@command") == 0) {
        str_literal(out, " -a '");
        put_commands(out);
        str_char(out, '\'');
    } else if (completes && completes[0] == '@') {
        str_print(out, " -a '(evenkeel completion %ss -- (commandline -opc) 2>/dev/null)'",
                  completes + 1);
    } else if (completes) {
        str_print(out, " -a '%s'", completes);
    }
}

static void put_fish_option(struct str *out, int command, const struct option_row *o)
{
    bool file = o->completes && strcmp(o->completes, "@file") == 0;

    str_print(out, "complete -c evenkeel -n '__fish_seen_subcommand_from %s' -l %s",
              command_rows[command].name, o->name);
    if (o->letter)
        str_print(out, " -s %c", o->letter);
    if (o->argument && o->argument[0] != '[') {
        str_text(out, file ? " -r -F" : " -x");
        if (!file)
            put_fish_values(out, o->completes);
    }
    str_literal(out, " -d '");
    put_quoted(out, o->help, FISH_QUOTE, "\\");
    str_literal(out, "'\n");
}

static void put_fish(struct str *out)
{
    str_literal(out, "# completion of evenkeel for fish; made by `evenkeel completion fish`\n"
                     "complete -c evenkeel -f\n");
    for (int i = 0; i < COMMAND_COUNT; i++) {
        str_print(out, "complete -c evenkeel -n __fish_use_subcommand -a %s -d '",
                  command_rows[i].name);
        put_quoted(out, command_rows[i].summary, FISH_QUOTE, "\\");
        str_literal(out, "'\n");
        for (int k = 0; k < OPTION_COUNT; k++) {
            if (takes(i, k))
                put_fish_option(out, i, &option_rows[k]);
        }
        if (command_rows[i].completes) {
            str_print(out, "complete -c evenkeel -n '__fish_seen_subcommand_from %s'",
                      command_rows[i].name);
            put_fish_values(out, command_rows[i].completes);
            str_char(out, '\n');
        }
    }
}

void completion_write(enum shell shell, struct str *out)
{
    static void (*const write[])(struct str * out) = { put_bash, put_zsh, put_fish };

    write[shell](out);
}

/* ---- the command */

static void print_names(const json_t *list, const char *key)
{
    size_t i;
    json_t *o;

    json_array_foreach (list, i, o)
        printf("%s\n", text_of(o, key));
}

static void print_journeys(const char *admin)
{
    json_t *root = NULL;
    err e = answer_get(admin, "/api/v1/journeys", &root);

    if (!e.failed)
        print_names(json_object_get(root, "journeys"), "name");
    json_decref(root);
}

static void print_instances(const char *admin)
{
    json_t *root = NULL;
    size_t i;
    json_t *service;
    err e = answer_get(admin, "/api/v1/services", &root);

    if (!e.failed) {
        json_array_foreach (json_object_get(root, "services"), i, service)
            print_names(json_object_get(service, "instances"), "address");
    }
    json_decref(root);
}

/* The value of an option among the words of a line that may not be finished: "--admin X", "--admin=X", "-c X", "-cX". The last
 * one counts, as for the commands. NULL: it is not there. */
static const char *value_among(char *const *words, int count, const struct option_row *o)
{
    const char *value = NULL;
    size_t n = strlen(o->name);

    for (int i = 0; i < count; i++) {
        const char *w = words[i];
        bool longs = strncmp(w, "--", 2) == 0 && strncmp(w + 2, o->name, n) == 0;
        bool letter = o->letter && w[0] == '-' && w[1] == o->letter;
        if (longs && w[2 + n] == '=')
            value = w + 3 + n;
        else if (letter && w[2])
            value = w + 2;
        else if (((longs && !w[2 + n]) || letter) && i + 1 < count)
            value = words[++i];
    }
    return value && *value ? value : NULL;
}

/* Where the command that is being typed would ask. */
static const char *admin_of(char *const *words, int count, struct arena *a)
{
    const char *admin = value_among(words, count, &option_rows[OPTION_admin]);
    const char *file = value_among(words, count, &option_rows[OPTION_config]);

    if (!admin && file)
        admin = config_admin_of(a, file);
    return admin ? admin : CLIENT_DEFAULT_ADMIN;
}

static int print_names_of(const char *what, char *const *words, int count)
{
    struct arena arena = {};
    const char *admin = admin_of(words, count, &arena);

    client_use_token_file(value_among(words, count, &option_rows[OPTION_token_file]));
    client_use_ca(value_among(words, count, &option_rows[OPTION_ca]));
    if (strcmp(what, "journeys") == 0)
        print_journeys(admin);
    else
        print_instances(admin);
    arena_free(&arena);
    return EXIT_DONE;
}

int cmd_completion(int argc, char **argv)
{
    static const char *const shells[] = { "bash", "zsh", "fish" };
    struct option_reader r = { .argc = argc, .argv = argv };
    struct str out = str_growing();
    enum option_id o;

    while ((o = option_next(&r)) != OPTION_END) {
        if (o == OPTION_WRONG)
            return EXIT_USAGE;
    }
    const char *what = optind < argc ? argv[optind] : "";
    int more = argc - optind - 1;
    if (strcmp(what, "journeys") == 0 || strcmp(what, "instances") == 0)
        return print_names_of(what, argv + optind + 1, more);
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]) && more == 0; i++) {
        if (strcmp(what, shells[i]) != 0)
            continue;
        completion_write((enum shell)i, &out);
        fwrite(out.p, 1, out.n, stdout);
        str_free(&out);
        return EXIT_DONE;
    }
    fprintf(stderr, "evenkeel completion: which shell: bash, zsh or fish?\n");
    return EXIT_USAGE;
}
