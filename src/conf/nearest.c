#include "mailsync/conf/nearest.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "mailsync/base/span.h"

#define WORD_MAX 64 /* bytes; longer words are never near anything */

void nearest_init(struct nearest *nearest, const char *word)
{
	nearest->word = word;
	nearest->best = NULL;
	nearest->distance = SIZE_MAX;
}

static char fold(char c)
{
	return c == '-' ? '_' : ascii_lower(c);
}

static size_t least(size_t x, size_t y)
{
	return x < y ? x : y;
}

/* Optimal string alignment distance; three rows of the usual matrix. */
static size_t distance_of(const char *x, size_t x_len, const char *y, size_t y_len)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= y_len; j++) {
		above[j] = j;
		before[j] = 0;
	}
	for (size_t i = 1; i <= x_len; i++) {
		row[0] = i;
		for (size_t j = 1; j <= y_len; j++) {
			char cx = fold(x[i - 1]), cy = fold(y[j - 1]);
			row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (cx != cy));
			if (i > 1 && j > 1 && cx == fold(y[j - 2]) && fold(x[i - 2]) == cy) {
				row[j] = least(row[j], before[j - 2] + 1);
			}
		}
		size_t *spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return above[y_len];
}

void nearest_offer(struct nearest *nearest, const char *name)
{
	size_t word_len = strlen(nearest->word), name_len = strlen(name);

	if (word_len == 0 || word_len > WORD_MAX || name_len > WORD_MAX) {
		return;
	}
	size_t distance = distance_of(nearest->word, word_len, name, name_len);
	/* Who errs twice has the first letter right; else "fetch" would be "watch". */
	bool begins_alike = fold(nearest->word[0]) == fold(name[0]);
	if (distance <= (begins_alike ? 1 + word_len / 4 : 1) && distance < name_len &&
	    distance < nearest->distance) {
		nearest->best = name;
		nearest->distance = distance;
	}
}
