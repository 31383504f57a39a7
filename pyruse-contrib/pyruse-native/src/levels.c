/* Levelling. Of ids there is no end, and a text that is like another one but for its ids need not be masked once more. What
 * is known here of the masks (pyruse/kinds/masks.py) is which words are certain to be nothing but one, wherever they stand.
 * All else is left as it is: it is masked for itself. */
#include "levels.h"

#include <string.h>

enum {
    DIGIT = 1,
    HEX_CAPITAL = 2,
    HEX_SMALL = 4,
    CAPITAL = 8,
    SMALL = 16,
    PLUS = 32,
    SLASH = 64,
    DOT = 128,               /* in a word; at its end, it is none of it */
    MARK = 256,              /* another character that paths and addresses have */
    BETWEEN = 512,           /* it stands between words */
    SPACE = 1024,
    QUOTE = 2048,            /* it ends a URL, as spaces do */
};
#define HEX (DIGIT | HEX_CAPITAL | HEX_SMALL)
#define LETTER (HEX_CAPITAL | HEX_SMALL | CAPITAL | SMALL)
#define IN_WORDS (DIGIT | LETTER | PLUS | SLASH | DOT | MARK)
#define SHORTEST 4
#define SHORTEST_SMALL_HEX 6
#define SHORTEST_ID 8
#define LONGEST_GROUP 12
#define LONGEST_SCHEME 21
#define LONGEST_AT_ONCE 200  /* in quotes or brackets */

/* What stands for all that is masked: a word that is, too, and is not longer. */
static const char filler[SHORTEST] = "0A0A";

static const unsigned short kinds[256] = {
    [0x1c] = SPACE, [0x1d] = SPACE, [0x1e] = SPACE, [0x1f] = SPACE,
    ['\t'] = BETWEEN | SPACE, ['\n'] = BETWEEN | SPACE, ['\v'] = BETWEEN | SPACE, ['\f'] = BETWEEN | SPACE, ['\r'] = BETWEEN | SPACE, [' '] = BETWEEN | SPACE,
    ['"'] = BETWEEN | QUOTE, ['\''] = BETWEEN | QUOTE, ['('] = BETWEEN, [')'] = BETWEEN, [','] = BETWEEN, [';'] = BETWEEN,
    ['='] = BETWEEN, ['['] = BETWEEN, [']'] = BETWEEN, ['{'] = BETWEEN,
    ['|'] = BETWEEN, ['}'] = BETWEEN, ['+'] = PLUS, ['/'] = SLASH, ['.'] = DOT,
    ['-'] = MARK, ['@'] = MARK, ['_'] = MARK, ['~'] = MARK, ['%'] = MARK,
    ['<'] = BETWEEN | QUOTE, ['>'] = BETWEEN | QUOTE,
    ['0'] = DIGIT, ['1'] = DIGIT, ['2'] = DIGIT, ['3'] = DIGIT, ['4'] = DIGIT, ['5'] = DIGIT, ['6'] = DIGIT,
    ['7'] = DIGIT, ['8'] = DIGIT, ['9'] = DIGIT,
    ['A'] = HEX_CAPITAL, ['B'] = HEX_CAPITAL, ['C'] = HEX_CAPITAL, ['D'] = HEX_CAPITAL, ['E'] = HEX_CAPITAL,
    ['F'] = HEX_CAPITAL, ['G'] = CAPITAL, ['H'] = CAPITAL, ['I'] = CAPITAL, ['J'] = CAPITAL, ['K'] = CAPITAL,
    ['L'] = CAPITAL, ['M'] = CAPITAL, ['N'] = CAPITAL, ['O'] = CAPITAL, ['P'] = CAPITAL, ['Q'] = CAPITAL,
    ['R'] = CAPITAL, ['S'] = CAPITAL, ['T'] = CAPITAL, ['U'] = CAPITAL, ['V'] = CAPITAL, ['W'] = CAPITAL,
    ['X'] = CAPITAL, ['Y'] = CAPITAL, ['Z'] = CAPITAL,
    ['a'] = HEX_SMALL, ['b'] = HEX_SMALL, ['c'] = HEX_SMALL, ['d'] = HEX_SMALL, ['e'] = HEX_SMALL, ['f'] = HEX_SMALL,
    ['g'] = SMALL, ['h'] = SMALL, ['i'] = SMALL, ['j'] = SMALL, ['k'] = SMALL, ['l'] = SMALL, ['m'] = SMALL,
    ['n'] = SMALL, ['o'] = SMALL, ['p'] = SMALL, ['q'] = SMALL, ['r'] = SMALL, ['s'] = SMALL, ['t'] = SMALL,
    ['u'] = SMALL, ['v'] = SMALL, ['w'] = SMALL, ['x'] = SMALL, ['y'] = SMALL, ['z'] = SMALL,
};

static unsigned kind_at(const char *text, size_t at, size_t length) {
    return at < length ? kinds[(unsigned char)text[at]] : BETWEEN;
}

/* Make each digit a 0, and a number that touches no letter a single one; gives the new length. */
static size_t numbered(const char *text, size_t length, char *levelled) {
    size_t to = 0;
    unsigned before = BETWEEN;
    for (size_t at = 0; at < length;) {
        unsigned kind = kinds[(unsigned char)text[at]];
        if (!(kind & DIGIT)) {
            levelled[to++] = text[at++];
            before = kind;
            continue;
        }
        size_t begin = at;
        while (kind_at(text, at, length) & DIGIT)
            at++;
        size_t digits = before & LETTER || kind_at(text, at, length) & LETTER ? at - begin : 1;
        memset(levelled + to, '0', digits);
        to += digits;
        before = DIGIT;
    }
    return to;
}

/* Whether all that is in quotes, or between spaces, is so short that it makes no difference how long it is. */
static int is_short(const char *text, size_t length) {
    const char *quote = memchr(text, '"', length), *end = text + length;
    while (quote != NULL) {
        const char *next = memchr(quote + 1, '"', (size_t)(end - quote - 1));
        if (next != NULL && next - quote > LONGEST_AT_ONCE)
            return 0;
        quote = next;
    }
    size_t run = 0;
    for (size_t at = 0; at < length && length > LONGEST_AT_ONCE; at++)
        if (kinds[(unsigned char)text[at]] & SPACE)
            run = 0;
        else if (++run > LONGEST_AT_ONCE)
            return 0;
    return 1;
}

/* Whether a word may end here; `*asks`: there is a question mark, and what follows it is masked together with a path. */
static int ends_at(const char *text, size_t at, size_t length, int *asks) {
    *asks = 0;
    while (at < length && (text[at] == '.' || text[at] == ':' || text[at] == '!' || text[at] == '?'))
        *asks |= text[at++] == '?';
    return (kind_at(text, at, length) & BETWEEN) != 0;
}

/* The end of hexadecimal groups with colons between, as addresses are: three of them at least. 0: it is something else. */
static size_t end_of_groups(const char *text, size_t begin, size_t length) {
    size_t at = begin, end = begin;
    unsigned seen = 0, groups = 0;
    int asks;
    for (;;) {
        size_t group = at;
        for (unsigned kind; (kind = kind_at(text, at, length)) & HEX; at++)
            seen |= kind;
        if (at == group || at - group > LONGEST_GROUP)
            break;
        groups++;
        end = at;
        while (at < length && text[at] == ':')
            at++;
    }
    return groups > 2 && seen & DIGIT && ends_at(text, end, length, &asks) ? end : 0;
}

/* The end of a URL whose scheme ends here. 0: it is none. */
static size_t end_of_url(const char *text, size_t begin, size_t at, size_t length) {
    if (at - begin < 2 || at - begin > LONGEST_SCHEME || length - at < 4 || memcmp(text + at, "://", 3) != 0)
        return 0;
    size_t end = at + 3;
    while (end < length && !(kinds[(unsigned char)text[end]] & (SPACE | QUOTE)))
        if (text[end++] & 0x80)
            return 0;        /* it may be a space of another kind */
    if (end < length && (text[end] == '<' || text[end] == '\''))
        return 0;            /* its last character may say what these begin */
    return end > at + 3 ? end : 0;
}

/* Where brackets end whose content is masked: behind an equals sign, with characters of words alone. 0: it is not certain. */
static size_t end_of_brackets(const char *text, size_t begin, size_t length) {
    size_t at = begin;
    int slashes = 0;
    for (; kind_at(text, at, length) & IN_WORDS; at++)  /* a colon before slashes does not end the key of something */
        slashes |= text[at] == '/' && at + 1 < length && text[at + 1] == '/';
    return at < length && text[at] == '>' && at - begin >= SHORTEST && !slashes ? at : 0;
}

/* The end of a word that is nothing but a mask. 0: it is not certain. */
static size_t end_of_masked(const char *text, size_t begin, size_t length, size_t *url) {
    unsigned seen = 0, run = 0, dots = 0;
    size_t at = begin, runs = 0, slashes = 0;
    *url = 0;
    for (unsigned kind; (kind = kind_at(text, at, length)) & IN_WORDS; at++) {
        if (kind & DOT) {
            dots++;
            run = DOT;
            continue;
        }
        if (kind & SLASH) {
            if (run == SLASH)
                return 0;
            slashes++;
        }
        seen |= kind | (dots > 0 ? DOT : 0);
        dots = 0;
        /* Letters of one size are one run, and so are digits. */
        unsigned new = kind & (HEX_CAPITAL | CAPITAL) ? CAPITAL : kind & (HEX_SMALL | SMALL) ? SMALL : kind;
        runs += new != run && new & (DIGIT | CAPITAL | SMALL);
        run = new;
    }
    if (!(seen & ~LETTER) && dots == 0 && (*url = end_of_url(text, begin, at, length)) != 0)
        return at;
    size_t end = at - dots, size = end - begin;
    int asks;
    if (size < SHORTEST || !ends_at(text, end, length, &asks))
        return 0;
    if (seen & SLASH)        /* a path */
        return !asks && (text[begin] == '/' || seen & (DIGIT | DOT) || slashes > 1) ? end : 0;
    if (seen & (DOT | MARK))
        return 0;
    if (size >= SHORTEST_ID && runs * 2 > size)
        return end;
    if (!(seen & DIGIT) || seen & (PLUS | SMALL | CAPITAL))
        return 0;
    return size >= SHORTEST_SMALL_HEX || !(seen & HEX_SMALL) ? end : 0;
}

/* The end of a word of small letters that is left as it is; 0: it is another one. */
static size_t end_of_plain(const char *text, size_t begin, size_t length) {
    size_t at = begin;
    while (kind_at(text, at, length) & (SMALL | HEX_SMALL))
        at++;
    return kind_at(text, at, length) & IN_WORDS || (at < length && text[at] == ':') ? 0 : at;
}

/* What stands for something that begins here, and where that ends; `*to` is moved behind it. 0: it is left as it is. */
static size_t stand_in(char *levelled, size_t at, size_t length, size_t *to) {
    size_t end = 0, url = 0;
    if (at > 1 && levelled[at - 1] == '<' && levelled[at - 2] == '=')
        end = end_of_brackets(levelled, at, length);
    if (end == 0 && kinds[(unsigned char)levelled[at]] & HEX)
        end = end_of_groups(levelled, at, length);
    if (end == 0)
        end = end_of_masked(levelled, at, length, &url);
    if (url != 0) {          /* of it, the scheme stays */
        memmove(levelled + *to, levelled + at, end + 3 - at);
        *to += end + 3 - at;
        levelled[(*to)++] = '0';
        return url;
    }
    if (end != 0) {
        memcpy(levelled + *to, filler, sizeof filler);
        *to += sizeof filler;
    }
    return end;
}

size_t level(const char *text, size_t length, char *levelled) {
    length = numbered(text, length, levelled);
    if (!is_short(levelled, length))
        return length;
    size_t to = 0, at = 0;
    while (at < length) {
        /* A dot says that what is quoted before it ends: it begins no word. */
        unsigned kind = kinds[(unsigned char)levelled[at]];
        size_t end = kind & IN_WORDS & ~DOT ? end_of_plain(levelled, at, length) : at;
        if (end == 0 && (end = stand_in(levelled, at, length, &to)) != 0)
            at = end;
        else                 /* as it is, up to what may be another word */
            for (end = end > at ? end : at; at < length && (at < end || !(kinds[(unsigned char)levelled[at]] & BETWEEN));)
                levelled[to++] = levelled[at++];
        while (at < length && kinds[(unsigned char)levelled[at]] & BETWEEN)
            levelled[to++] = levelled[at++];
    }
    return to;
}
