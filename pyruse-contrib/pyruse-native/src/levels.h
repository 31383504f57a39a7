/* Texts whose masks are the same, made the same. */
#ifndef PYRUSE_LEVELS_H
#define PYRUSE_LEVELS_H

#include <stddef.h>

#define LONGEST_LEVELLED 400 /* characters of a text that are looked at (pyruse/kinds/masks.py) */

/* Level a text in UTF-8: a number is one 0, and what nothing but the mask is left of is the same in all texts. What comes of
 * it is a text, too, and has the same mask; it is not longer. Gives its length. */
size_t level(const char *text, size_t length, char *levelled);

#endif
