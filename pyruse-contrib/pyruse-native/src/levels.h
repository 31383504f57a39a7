/* Texts whose masks are the same, made the same. */
#ifndef PYRUSE_LEVELS_H
#define PYRUSE_LEVELS_H

#include <stddef.h>

#define LONGEST_LEVELLED 400 /* characters of a text that are looked at (pyruse/kinds/masks.py) */

/* Level a text in ASCII: each digit is a 0, and what nothing but the mask is left of is as long, and the same in all texts.
 * It still is a text, and its mask is that of the text that is given. */
void level(const char *text, size_t length, char *levelled);

#endif
