/* Levelling. Of ids there is no end, and a text that is like another one but for its ids need not be masked once more. What
 * is known here of the masks (pyruse/kinds/masks.py) is which words, and which brackets, are certain to be nothing but one,
 * wherever they stand. All else is left as it is: it is masked for itself. */
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
    BETWEEN = 128,           /* it stands between words */
    IN_ADDRESSES = 256,
};
#define LETTER (HEX_CAPITAL | HEX_SMALL | CAPITAL | SMALL)
#define IN_WORDS (DIGIT | LETTER | PLUS | SLASH)
#define SHORTEST 4
#define SHORTEST_SMALL_HEX 6
#define SHORTEST_ID 8
#define LONGEST_IN_BRACKETS 200

static const unsigned short kinds[256] = {
    ['\t'] = BETWEEN, ['\n'] = BETWEEN, ['\v'] = BETWEEN, ['\f'] = BETWEEN, ['\r'] = BETWEEN, [' '] = BETWEEN,
    ['"'] = BETWEEN, ['\''] = BETWEEN, ['('] = BETWEEN, [')'] = BETWEEN, [','] = BETWEEN, [';'] = BETWEEN,
    ['<'] = BETWEEN, ['='] = BETWEEN, ['>'] = BETWEEN, ['['] = BETWEEN, [']'] = BETWEEN, ['{'] = BETWEEN,
    ['|'] = BETWEEN, ['}'] = BETWEEN, ['+'] = PLUS, ['/'] = SLASH, ['@'] = IN_ADDRESSES,
    ['-'] = IN_ADDRESSES, ['.'] = IN_ADDRESSES, ['_'] = IN_ADDRESSES,
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

/* Letters of one size are one run, and so are digits. */
static unsigned run_of(unsigned kind) {
    return kind & (HEX_CAPITAL | CAPITAL) ? CAPITAL : kind & (HEX_SMALL | SMALL) ? SMALL : kind;
}

/* What a word is made of. */
typedef struct {
    unsigned seen;           /* kinds */
    size_t runs;             /* of letters or digits */
    int has_number;          /* of several digits that touch no letter: these are as one digit, and the word gets shorter */
    int has_slashes;         /* two of them: a colon before them does not end the key of something */
} Word;

/* Look through a word; gives where it ends. */
static size_t look_through(const char *text, size_t begin, size_t length, char *levelled, Word *word) {
    unsigned before = BETWEEN, kind;
    size_t at = begin;
    *word = (Word){0};
    while ((kind = kind_at(text, at, length)) & IN_WORDS) {
        unsigned run = run_of(kind);
        size_t end = at;
        while (end < length && run_of(kind_at(text, end, length)) == run) {
            word->seen |= kind_at(text, end, length);
            levelled[end] = run == DIGIT ? '0' : text[end];
            end++;
        }
        word->runs += run != PLUS && run != SLASH;
        word->has_number |= run == DIGIT && end - at > 1 && !(before & LETTER) && !(kind_at(text, end, length) & LETTER);
        word->has_slashes |= run == SLASH && end - at > 1;
        before = kind;
        at = end;
    }
    return at;
}

/* Whether a word that ends here is nothing but a mask. */
static int is_masked(const Word *word, size_t size, const char *text, size_t end, size_t length) {
    if (size < SHORTEST || word->has_number || word->has_slashes)
        return 0;
    int asks = 0;            /* what follows a question mark is masked together with a path before it */
    while (end < length && strchr(".:!?", text[end]) != NULL && text[end] != '\0')
        asks |= text[end++] == '?';
    if (!(kind_at(text, end, length) & BETWEEN))
        return 0;
    if (word->seen & SLASH)
        return word->seen & DIGIT && !asks;  /* a path */
    if (size >= SHORTEST_ID && word->runs * 2 > size)
        return 1;
    if (!(word->seen & DIGIT) || word->seen & (PLUS | SMALL | CAPITAL))
        return 0;
    return size >= SHORTEST_SMALL_HEX || !(word->seen & HEX_SMALL);
}

/* Where brackets end, of which nothing but a mask is left: they begin behind an equals sign, and in them are words and what
 * addresses have. 0: it is not certain. */
static size_t end_of_brackets(const char *text, size_t begin, size_t length) {
    if (begin < 2 || text[begin - 2] != '=')
        return 0;
    size_t at = begin;
    while (at < length && at - begin <= LONGEST_IN_BRACKETS && kinds[(unsigned char)text[at]] & (IN_WORDS | IN_ADDRESSES))
        at++;
    return at < length && text[at] == '>' && at - begin <= LONGEST_IN_BRACKETS ? at : 0;
}

static void fill(char *levelled, size_t begin, size_t end) {
    for (size_t at = begin; at < end; at++)
        levelled[at] = (at - begin) % 2 ? 'A' : '0';
}

void level(const char *text, size_t length, char *levelled) {
    unsigned before = BETWEEN;
    size_t brackets = 0;
    for (size_t at = 0; at < length;) {
        unsigned kind = kinds[(unsigned char)text[at]];
        if (text[at] == '<')
            brackets = end_of_brackets(text, at + 1, length);
        if (!(kind & IN_WORDS) || !(before & BETWEEN || at < brackets)) {
            levelled[at] = kind & DIGIT ? '0' : text[at];
            before = kind;
            at++;
            continue;
        }
        Word word;
        size_t end = look_through(text, at, length, levelled, &word);
        if (at < brackets ? word.seen & LETTER && !word.has_number && !word.has_slashes
                          : is_masked(&word, end - at, text, end, length))
            fill(levelled, at, end);
        before = IN_WORDS;
        at = end;
    }
}
