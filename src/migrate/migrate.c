#include "mailsync/migrate/migrate.h"

#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "places.h"
#include "readers.h"
#include "source.h"

/* What gives each away: its name, and how a line begins (NULL ends them). */
static const struct kind {
	const char *name;
	const char *const *kinds; /* of its sections; NULL: no such lines */
	void (*read)(struct facts *facts);
	const char *begins[6];
} kinds[] = {
	[MIGRATE_UNKNOWN] = {"", NULL, NULL, {NULL}},
	[MIGRATE_MBSYNC] = {"mbsync",
			    mbsync_kinds,
			    migrate_mbsync,
			    {"imapaccount ", "imapstore ", "maildirstore ", "channel ", NULL}},
	[MIGRATE_OFFLINEIMAP] = {"offlineimap",
				 NULL,
				 migrate_offlineimap,
				 {"[account ", "[repository ", NULL}},
	[MIGRATE_MPOP] = {"mpop", mpop_kinds, migrate_mpop, {"account ", "delivery ", NULL}},
	[MIGRATE_GETMAIL] = {"getmail",
			     NULL,
			     migrate_getmail,
			     {"[retriever]", "[destination]", NULL}},
	[MIGRATE_FETCHMAIL] = {"fetchmail",
			       NULL,
			       migrate_fetchmail,
			       {"poll ", "skip ", "server ", "set ", "defaults ", NULL}},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const char *migrate_kind_name(enum migrate_kind kind)
{
	return kinds[kind].name;
}

static enum migrate_kind kind_of_line(struct span line)
{
	for (size_t kind = 1; kind < KINDS; kind++) {
		for (const char *const *begin = kinds[kind].begins; *begin; begin++) {
			if (span_starts_nocase(line, *begin)) {
				return (enum migrate_kind)kind;
			}
		}
	}
	return MIGRATE_UNKNOWN;
}

static enum migrate_kind kind_of_name(const char *file)
{
	for (size_t kind = 1; kind < KINDS; kind++) {
		if (span_contains_nocase(span_of(file), kinds[kind].name)) {
			return (enum migrate_kind)kind;
		}
	}
	return span_contains_nocase(span_of(file), "isync") ? MIGRATE_MBSYNC : MIGRATE_UNKNOWN;
}

/* The first line that tells, whatever the name; tabs are blanks. */
static enum migrate_kind find_kind(struct span text, const char *file)
{
	enum migrate_kind kind = MIGRATE_UNKNOWN;
	char head[32];

	while (kind == MIGRATE_UNKNOWN && text.len > 0) {
		const char *end = memchr(text.data, '\n', text.len);
		size_t len = end ? (size_t)(end - text.data) : text.len;
		struct span line = span_trim((struct span){text.data, len});
		size_t shown = line.len < sizeof(head) ? line.len : sizeof(head);
		for (size_t i = 0; i < shown; i++) {
			head[i] = line.data[i] == '\t' ? ' ' : line.data[i];
		}
		kind = kind_of_line((struct span){head, shown});
		text.data += len + (end != NULL);
		text.len -= len + (end != NULL);
	}
	return kind == MIGRATE_UNKNOWN ? kind_of_name(file) : kind;
}

static void account_finish(struct migrate_account *account)
{
	for (size_t i = 0; i < account->pair_count; i++) {
		free(account->pairs[i].key);
		free(account->pairs[i].value);
	}
	for (size_t i = 0; i < account->note_count; i++) {
		free(account->notes[i].word);
		free(account->notes[i].why);
	}
	free(account->pairs);
	free(account->notes);
	free(account->name);
	secret_finish(&account->password);
}

void migrate_init(struct migrate *migrate)
{
	*migrate = (struct migrate){.kind = MIGRATE_UNKNOWN};
	secret_init(&migrate->rest.password);
}

void migrate_finish(struct migrate *migrate)
{
	for (size_t i = 0; i < migrate->count; i++) {
		account_finish(&migrate->accounts[i]);
	}
	free(migrate->accounts);
	account_finish(&migrate->rest);
	migrate_init(migrate);
}

int migrate_rename(struct migrate_account *account, const char *name, struct err *err)
{
	char *made = span_dup(span_of(name));

	if (!made) {
		return err_nomem(err);
	}
	free(account->name);
	account->name = made;
	return 0;
}

static int read_source(const struct kind *kind, struct source *source, struct span text,
		       struct err *err)
{
	if (kind->kinds) {
		return source_read_words(source, text, kind->kinds, kind->read == migrate_mbsync,
					 err);
	}
	return kind->read == migrate_fetchmail ? source_read_fetchmail(source, text, err)
					       : source_read_ini(source, text, err);
}

/* What an account cannot do without. */
static void tell_missing(struct facts *facts)
{
	for (size_t i = 0; i < facts->migrate->count && facts->code == 0; i++) {
		facts->account = &facts->migrate->accounts[i];
		if (!facts_has(facts, "host") && !facts_has(facts, "tunnel")) {
			facts_note(facts, 0, "host", "it is not told there: put it into `host`");
		}
		if (!facts_has(facts, "user") && account_logs_in(facts->account)) {
			facts_note(facts, 0, "user", "it is not told there: put it into `user`");
		}
	}
}

int migrate_read(struct migrate *migrate, struct span text, const char *file, struct err *err)
{
	const struct kind *kind = &kinds[migrate->kind = find_kind(text, file)];
	struct source source;
	struct facts facts = {migrate, &source, &migrate->rest, 0, err};

	if (!kind->read) {
		return err_set(err, ERR_CONFIG, SCOPE_RUN,
			       "%s is no configuration of mbsync, offlineimap, mpop, getmail or "
			       "fetchmail",
			       file);
	}
	source_init(&source);
	facts.code = read_source(kind, &source, text, err);
	if (facts.code == 0) {
		kind->read(&facts);
		places_part(&facts);
		tell_missing(&facts);
	}
	source_finish(&source);
	if (facts.code == 0 && migrate->count == 0) {
		return err_set(
			err, ERR_CONFIG, SCOPE_RUN,
			"%s looks like %s's, but no account is in it that mailsync could sync%s%s",
			file, kind->name, migrate->rest.note_count > 0 ? ": " : "",
			migrate->rest.note_count > 0 ? migrate->rest.notes[0].why : "");
	}
	return facts.code;
}
