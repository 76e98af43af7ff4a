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

/* Of one account: its first channel, beside which a value for all is told no more. */
struct reading {
	struct facts *facts;
	const struct channel *channel;
	bool is_first;
};

/* *IS_TOLD: what is said of it is not said yet. */
static const struct entry *policy_entry(const struct reading *reading, const char *key,
					bool *is_told)
{
	const struct entry *own = section_take(reading->channel->section, key);
	const struct entry *global = section_take(&reading->facts->source->sections[0], key);

	*is_told = own || reading->is_first;
	return own ? own : global;
}

/* Near and far as the Maildir and the server. */
static unsigned sides_here(const struct channel *channel, unsigned sides)
{
	unsigned near = channel->is_swapped ? SIDE_REMOTE : SIDE_LOCAL;

	return (sides & NEAR ? near : SIDE_NONE) |
	       (sides & FAR ? side_other((enum side)near) : SIDE_NONE);
}

static unsigned sides_of(const char *word)
{
	return strcasecmp(word, "both") == 0                                   ? NEAR | FAR
	     : strcasecmp(word, "near") == 0 || strcasecmp(word, "slave") == 0 ? NEAR
	     : strcasecmp(word, "far") == 0 || strcasecmp(word, "master") == 0 ? FAR
									       : 0;
}

static unsigned read_sides(const struct reading *reading, const char *key)
{
	bool is_told;
	const struct entry *entry = policy_entry(reading, key, &is_told);
	return sides_here(reading->channel, entry ? sides_of(entry->value) : 0);
}

static void read_sync(const struct reading *reading, struct matrix *matrix)
{
	bool is_told;
	const struct entry *entry = policy_entry(reading, "sync", &is_told);
	struct span rest = span_of(entry ? entry->value : "");
	struct buf word;

	*matrix = (struct matrix){0};
	buf_init(&word, TEXT_MAX);
	for (; source_next_word(&rest, &word) && word.failed == 0; buf_clear(&word)) {
		if (word.len > 0 && !matrix_add(matrix, word.data) && is_told) {
			facts_note(reading->facts, entry->line, "sync",
				   "a word that is not known here");
		}
	}
	buf_finish(&word);
}

static void tell_limits(const struct reading *reading)
{
	static const struct rule rules[] = {
		{"expireunread", FATE_TELL, NULL, "see maxmessages"},
		{"maxsize", FATE_TELL, NULL, MBSYNC_PLACEHOLDERS},
		{"syncstate", FATE_TELL, NULL, "mailsync keeps its own state, in state_dir"},
	};
	bool is_told;

	(void)policy_entry(reading, "copyarrivaldate", &is_told); /* always */
	facts_apply(reading->facts, reading->channel->section, RULES(rules));
	const struct entry *most = policy_entry(reading, "maxmessages", &is_told);
	if (most && is_told && strcmp(most->value, "0") != 0) {
		facts_note(reading->facts, most->line, "maxmessages",
			   "mailsync does not count messages: what is on the server and not here "
			   "will be downloaded, unless you limit it by max_age");
	}
}

static void tell_remove(const struct reading *reading)
{
	bool is_told;
	const struct entry *entry = policy_entry(reading, "remove", &is_told);

	if (entry && is_told && sides_of(entry->value)) {
		facts_note(
			reading->facts, entry->line, "remove",
			"mbsync removes only mailboxes that are empty, mailsync what is in them, "
			"too: see the key `remove_mailboxes`, without which it removes none");
	}
}

/* --- what an account's channels all allow --- */

enum policy_key {
	KEY_COPY,
	KEY_FLAGS,
	KEY_DELETE,
	KEY_EXPUNGE,
	KEY_CREATE,
	KEYS
};

static const struct {
	const char *word;
	unsigned usual;
} policy_keys[] = {
	[KEY_COPY] = {"copy", SIDE_BOTH},     [KEY_FLAGS] = {"flags", SIDE_BOTH},
	[KEY_DELETE] = {"delete", SIDE_BOTH}, [KEY_EXPUNGE] = {"expunge", SIDE_NONE},
	[KEY_CREATE] = {"create", SIDE_BOTH},
};

struct policy {
	unsigned sides[KEYS];
};

static void read_policy(const struct reading *reading, struct policy *policy)
{
	const struct channel *channel = reading->channel;
	struct matrix matrix;

	read_sync(reading, &matrix);
	*policy = (struct policy){{
		[KEY_COPY] = sides_here(channel, matrix_sides(&matrix, TYPE_NEW)),
		[KEY_FLAGS] = sides_here(channel, matrix_sides(&matrix, TYPE_FLAGS)),
		[KEY_DELETE] = sides_here(channel, matrix_sides(&matrix, TYPE_DELETE)),
		[KEY_EXPUNGE] = read_sides(reading, "expunge"),
		[KEY_CREATE] = read_sides(reading, "create"),
	}};
	tell_limits(reading);
	tell_remove(reading);
}

/* OTHER is of CHANNEL, FIRST of the account's first. */
static void tell_differences(struct facts *facts, const struct channel *channel,
			     const struct policy *other, const struct channel *first,
			     const struct policy *wanted)
{
	for (int key = 0; key < KEYS; key++) {
		if (other->sides[key] != wanted->sides[key]) {
			facts_note(facts, channel->section->line, policy_keys[key].word,
				   "channel %s differs in this from channel %s: the account does "
				   "only what all of its channels do",
				   channel->section->name, first->section->name);
		}
	}
}

static void narrow_policy(struct policy *policy, const struct policy *other)
{
	for (int key = 0; key < KEYS; key++) {
		policy->sides[key] &= other->sides[key];
	}
}

/* What mbsync marks as deleted goes only where it expunges, too. */
static void narrow_deletions(struct facts *facts, int line, struct policy *policy)
{
	if (policy->sides[KEY_DELETE] & ~policy->sides[KEY_EXPUNGE]) {
		facts_note(
			facts, line, "expunge",
			"without it mbsync only marks as deleted what is gone from the other side; "
			"mailsync leaves it alone there (`delete`)");
	}
	policy->sides[KEY_DELETE] &= policy->sides[KEY_EXPUNGE];
}

static void set_policy(struct facts *facts, int line, const struct policy *policy)
{
	static const char *const words[] = {[SIDE_NONE] = "none",
					    [SIDE_LOCAL] = "local",
					    [SIDE_REMOTE] = "remote",
					    [SIDE_BOTH] = "both"};
	unsigned all = SIDE_NONE;

	for (int key = 0; key < KEYS; key++) {
		all |= policy->sides[key];
	}
	if (!(all & SIDE_REMOTE)) {
		facts_set(facts, line, "direction", "pull");
	}
	for (int key = 0; key < KEYS; key++) {
		if (policy->sides[key] != policy_keys[key].usual) {
			facts_set(facts, line, policy_keys[key].word, words[policy->sides[key]]);
		}
	}
}

void channels_set_policy(struct facts *facts, const struct channels *channels, size_t at)
{
	const struct channel *first = &channels->items[at];
	const struct reading reading = {facts, first, true};
	struct policy wanted, all, other;

	read_policy(&reading, &wanted);
	all = wanted;
	for (size_t i = at + 1; i < channels->count; i++) {
		const struct channel *channel = &channels->items[i];
		if (channel_is_like(channel, first)) {
			read_policy(&(struct reading){facts, channel, false}, &other);
			tell_differences(facts, channel, &other, first, &wanted);
			narrow_policy(&all, &other);
		}
	}
	narrow_deletions(facts, first->section->line, &all);
	set_policy(facts, first->section->line, &all);
}
