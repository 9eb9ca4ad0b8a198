/* SPDX-License-Identifier: Apache-2.0 */
/* config_text.c - which bytes a configuration may have at all: UTF-8 (RFC 3629) without control
 * characters. Looked at before YAML is read, because libyaml gives no place for these. */
#include "control/config_tree.h"

/* Length of the character at p, 0 when it is not UTF-8; *ret is the code point. */
static size_t decode(const unsigned char *p, size_t n, uint32_t *ret)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 }; /* by length: no longer forms */
    size_t length = p[0] < 0x80 ? 1 : p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;

    if (length == 0 || length > n || p[0] > 0xF4)
        return 0;
    uint32_t code = length == 1 ? p[0] : p[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3Fu);
    }
    if (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return 0;
    *ret = code;
    return length;
}

static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

/* Beyond control characters, what YAML 1.1 section 5.1 leaves out. */
static const char *wrong_character(uint32_t code)
{
    if (code == '\t' || code == '\n' || code == '\r')
        return NULL;
    if (code == 0)
        return "a zero byte; the file is cut, or not text";
    if (is_control(code))
        return "a control character cannot stand here";
    if (code == 0xFEFF)
        return "a byte order mark stands only at the beginning";
    return code == 0xFFFE || code == 0xFFFF ? "this is no character" : NULL;
}

const char *text_find_wrong(struct span text, size_t *ret_line, size_t *ret_column)
{
    const unsigned char *p = (const unsigned char *)text.p;
    size_t line = 1;
    size_t column = 1;
    const char *wrong = NULL;

    if (text.n >= 2 && ((p[0] == 0xFF && p[1] == 0xFE) || (p[0] == 0xFE && p[1] == 0xFF)))
        wrong = "the file is UTF-16; save it as UTF-8";
    for (size_t i = 0; i < text.n && !wrong;) {
        uint32_t code = 0;
        size_t length = decode(p + i, text.n - i, &code);
        wrong = length ? wrong_character(code) : "this byte is not UTF-8; save the file as UTF-8";
        if (wrong)
            break;
        bool ends = code == '\n' || (code == '\r' && !(i + 1 < text.n && p[i + 1] == '\n'));
        line += ends;
        column = ends ? 1 : column + 1;
        i += length;
    }
    if (wrong) {
        *ret_line = line;
        *ret_column = column;
    }
    return wrong;
}

bool text_has_control(struct span s)
{
    for (size_t i = 0; i < s.n;) {
        uint32_t code = 0;
        size_t length = decode((const unsigned char *)s.p + i, s.n - i, &code);
        if (length == 0 || is_control(code))
            return true;
        i += length;
    }
    return false;
}

bool text_has_blank(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
            return true;
    }
    return false;
}
