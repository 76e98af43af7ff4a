/* What a channel passes on, and where to: Sync, Create, Remove, Expunge and the like. */
#include <string.h>
#include <strings.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/side.h"
#include "mbsync.h"

#define TEXT_MAX 65536

enum type {
	TYPE_NEW,
	TYPE_DELETE,
	TYPE_FLAGS,
	TYPE_OTHER, /* placeholders */
	TYPES
};

/* Words of Sync, alone or together: "PullNew". */
static const struct {
	const char *word;
	enum type type;
} type_words[] = {
	{"new", TYPE_NEW},     {"delete", TYPE_DELETE}, {"gone", TYPE_DELETE},
	{"flags", TYPE_FLAGS}, {"renew", TYPE_OTHER},   {"upgrade", TYPE_OTHER},
	{"old", TYPE_OTHER},
};
#define TYPE_WORDS (sizeof(type_words) / sizeof(type_words[0]))

#define NEAR 1u
#define FAR  2u

/* What a line of Sync asserts: cells, and what rows and columns it names alone. */
struct matrix {
	unsigned cells[TYPES]; /* sides to which it goes */
	unsigned sides;
	bool types[TYPES];
	bool has_cells, has_types, is_all, is_none;
};

static bool find_type(const char *word, enum type *type)
{
	for (size_t i = 0; i < TYPE_WORDS; i++) {
		if (strcasecmp(word, type_words[i].word) == 0) {
			*type = type_words[i].type;
			return true;
		}
	}
	return false;
}

static bool matrix_add(struct matrix *matrix, const char *word)
{
	bool is_pull = strncasecmp(word, "pull", 4) == 0;
	unsigned side = is_pull ? NEAR : strncasecmp(word, "push", 4) == 0 ? FAR : 0;
	enum type type;

	if (strcasecmp(word, "none") == 0) {
		matrix->is_none = true;
	} else if (strcasecmp(word, "all") == 0 || strcasecmp(word, "full") == 0) {
		matrix->is_all = true;
	} else if (side && !word[4]) {
		matrix->sides |= side;
	} else if (find_type(side ? word + 4 : word, &type)) {
		matrix->cells[type] |= side;
		matrix->types[type] |= !side;
		matrix->has_types |= !side;
		matrix->has_cells |= side != 0;
	} else {
		return false;
	}
	return true;
}

/* The sides to which changes of TYPE go. */
static unsigned matrix_sides(const struct matrix *matrix, enum type type)
{
	bool is_empty = !matrix->has_cells && !matrix->has_types && !matrix->sides;

	if (matrix->is_none) {
		return 0;
	}
	if (matrix->is_all || is_empty) {
		return NEAR | FAR;
	}
	if (matrix->has_cells) {
		return matrix->cells[type] | matrix->sides | (matrix->types[type] ? NEAR | FAR : 0);
	}
	if (matrix->has_types && !matrix->types[type]) {
		return 0;
	}
	return matrix->sides ? matrix->sides : NEAR | FAR;
}

/* --- from the channel, or from before all sections --- */

static const struct entry *policy_entry(struct facts *facts, const struct channel *channel,
					const char *key)
{
	const struct entry *own = section_take(channel->section, key);
	const struct entry *global = section_take(&facts->source->sections[0], key);
	return own ? own : global;
}

static unsigned sides_of(struct facts *facts, const struct channel *channel, const char *key)
{
	const struct entry *entry = policy_entry(facts, channel, key);
	const char *word = entry ? entry->value : "none";

	return strcasecmp(word, "both") == 0                                   ? NEAR | FAR
	     : strcasecmp(word, "near") == 0 || strcasecmp(word, "slave") == 0 ? NEAR
	     : strcasecmp(word, "far") == 0 || strcasecmp(word, "master") == 0 ? FAR
									       : 0;
}

static void read_sync(struct facts *facts, const struct channel *channel, struct matrix *matrix)
{
	const struct entry *entry = policy_entry(facts, channel, "sync");
	struct span rest = span_of(entry ? entry->value : "");
	struct buf word;

	*matrix = (struct matrix){0};
	buf_init(&word, TEXT_MAX);
	for (; source_next_word(&rest, &word) && word.failed == 0; buf_clear(&word)) {
		if (word.len > 0 && !matrix_add(matrix, word.data)) {
			facts_note(facts, entry->line, "sync", "a word that is not known here");
		}
	}
	buf_finish(&word);
}

/* near and far as local and remote */
static const char *word_of_sides(const struct channel *channel, unsigned sides)
{
	unsigned local = channel->is_swapped ? FAR : NEAR;

	return sides == (NEAR | FAR) ? "both"
	     : sides == 0            ? "none"
	     : sides == local        ? "local"
				     : "remote";
}

static void set_sides(struct facts *facts, const struct channel *channel, const char *key,
		      unsigned sides)
{
	const char *usual = strcmp(key, "expunge") == 0 || strcmp(key, "remove_mailboxes") == 0
				  ? "none"
				  : "both";
	const char *word = word_of_sides(channel, sides);

	if (strcmp(word, usual) != 0) {
		facts_set(facts, channel->section->line, key, word);
	}
}

/* What mbsync marks as deleted goes only where it expunges, too. */
static unsigned deletions(struct facts *facts, const struct channel *channel, unsigned gone,
			  unsigned expunged)
{
	if (gone & ~expunged) {
		facts_note(
			facts, channel->section->line, "expunge",
			"without it mbsync only marks as deleted what is gone from the other side; "
			"mailsync leaves it alone there (`delete`)");
	}
	return gone & expunged;
}

static void tell_limits(struct facts *facts, const struct channel *channel)
{
	static const struct rule rules[] = {
		{"expireunread", FATE_TELL, NULL, "see maxmessages"},
		{"maxsize", FATE_TELL, NULL, MBSYNC_PLACEHOLDERS},
		{"syncstate", FATE_TELL, NULL, "mailsync keeps its own state, in state_dir"},
	};
	const struct entry *most = policy_entry(facts, channel, "maxmessages");

	(void)policy_entry(facts, channel, "copyarrivaldate"); /* always */
	facts_apply(facts, channel->section, RULES(rules));
	if (most && strcmp(most->value, "0") != 0) {
		facts_note(facts, most->line, "maxmessages",
			   "mailsync does not count messages: what is on the server and not here "
			   "will be "
			   "downloaded, unless you limit it by max_age");
	}
}

void channel_set_policy(struct facts *facts, const struct channel *channel)
{
	unsigned expunge = sides_of(facts, channel, "expunge");
	unsigned create = sides_of(facts, channel, "create");
	unsigned remove_sides = sides_of(facts, channel, "remove");
	unsigned remote = channel->is_swapped ? NEAR : FAR;
	struct matrix matrix;

	read_sync(facts, channel, &matrix);
	unsigned new = matrix_sides(&matrix, TYPE_NEW), flags = matrix_sides(&matrix, TYPE_FLAGS);
	unsigned gone = deletions(facts, channel, matrix_sides(&matrix, TYPE_DELETE), expunge);
	if (!((new | flags | gone | create | remove_sides | expunge) & remote)) {
		facts_set(facts, channel->section->line, "direction", "pull");
	}
	set_sides(facts, channel, "copy", new);
	set_sides(facts, channel, "flags", flags);
	set_sides(facts, channel, "delete", gone);
	set_sides(facts, channel, "expunge", expunge);
	set_sides(facts, channel, "create", create);
	set_sides(facts, channel, "remove_mailboxes", remove_sides);
	tell_limits(facts, channel);
}
