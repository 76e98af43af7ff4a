/* The file of mbsync (isync 1.3 to 1.5): accounts and stores, put together by channels. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"
#include "mailsync/base/buf.h"
#include "mbsync.h"
#include "readers.h"

#define TEXT_MAX 65536

const char *const mbsync_kinds[] = {"imapaccount", "imapstore", "maildirstore",
				    "channel",     "group",     NULL};

static const struct rule store_rules[] = {
	{"subscribedonly", FATE_YES, "subscribed_only", NULL},
	{"trash", FATE_COPY, "trash", NULL},
	{"pathdelimiter", FATE_TELL, NULL, "the server tells its own"},
	{"maxsize", FATE_TELL, NULL,
	 "see the key `max_message_size`, by which larger messages go nowhere at all, not even "
	 "their beginning"},
	{"mapinbox", FATE_TELL, NULL,
	 "the folder of that name has INBOX's mail: it is left out; name it in `inbox`"},
	{"trashnewonly", FATE_TELL, NULL, "`trash` is for whatever is deleted on the server"},
	{"trashremotenew", FATE_TELL, NULL, "`trash` is for whatever is deleted on the server"},
};

static const struct rule global_rules[] = {
	{"fsync", FATE_TELL, NULL, "see the key `durability`"},
	{"syncstate", FATE_TELL, NULL, "mailsync keeps its own state, in state_dir"},
	{"bufferlimit", FATE_TELL, NULL, "not needed: bodies go through in pieces"},
	{"fielddelimiter", FATE_TELL, NULL, "see the key `info_delimiter`"},
};

/* Values that are one word, and are read as they stand. */
static bool is_one_word(const char *key)
{
	static const char *const keys[] = {"account",
					   "subfolders",
					   "flatten",
					   "usenamespace",
					   "create",
					   "expunge",
					   "remove",
					   "maxmessages",
					   "timeout",
					   "subscribedonly",
					   "useimaps",
					   "maxsize",
					   "infodelimiter",
					   "systemcertificates",
					   "requiressl",
					   "syncstate",
					   NULL};

	for (const char *const *word = keys; *word; word++) {
		if (strcmp(*word, key) == 0) {
			return true;
		}
	}
	return false;
}

/* TEXT's first word in its place; a comment may stand behind it. */
static void keep_word(struct facts *facts, char **text)
{
	struct span rest = span_of(*text);
	struct buf word;

	buf_init(&word, TEXT_MAX);
	(void)source_next_word(&rest, &word);
	char *made = span_dup(buf_span(&word));
	if (made && word.failed == 0) {
		free(*text);
		*text = made;
	} else {
		free(made);
		facts->code = buf_status(&word, "a word", facts->err);
		facts->code = facts->code < 0 ? facts->code : err_nomem(facts->err);
	}
	buf_finish(&word);
}

/* Quotes and comments are taken off, as mbsync does. */
static void keep_words(struct facts *facts)
{
	for (size_t i = 0; i < facts->source->count; i++) {
		struct section *section = &facts->source->sections[i];
		keep_word(facts, &section->name);
		for (size_t k = 0; k < section->count; k++) {
			if (is_one_word(section->entries[k].key)) {
				keep_word(facts, &section->entries[k].value);
			}
		}
	}
}

/* --- accounts --- */

static struct section *login_of(struct facts *facts, struct section *store)
{
	const char *name = section_value(store, "account");
	struct section *login = name ? source_find(facts->source, "imapaccount", name) : NULL;
	return login ? login : store;
}

static void tell_prefix(struct facts *facts, const struct channel *channel)
{
	const struct entry *path = section_take(channel->imap, "path");

	if (*channel->prefix) {
		facts_note(
			facts, path->line, path->key,
			"on the server the names of all mailboxes but INBOX begin with it, and "
			"here they do not: they are left out. Where it is the server's own prefix "
			"(NAMESPACE), which mailsync leaves out of names, too, put the patterns "
			"into `mailboxes`; else rename the folders before");
	}
}

static void open_account(struct facts *facts, const struct channel *channel, const char *suffix)
{
	struct section *login = login_of(facts, channel->imap);
	char name[256];

	section_again(login);
	section_again(channel->imap);
	section_again(channel->maildir);
	(void)section_take(channel->imap, "account");
	(void)section_take(channel->imap, "usenamespace");
	snprintf(name, sizeof(name), "%s%s", login->name, suffix);
	facts_begin(facts, name);
	mbsync_set_login(facts, login);
	mbsync_apply(facts, channel->imap, RULES(store_rules));
	tell_prefix(facts, channel);
	facts_tell_left(facts, login);
	facts_tell_left(facts, channel->imap);
}

/* Those like the first of CHANNELS from AT on; those that leave something out come first, since the
 * last pattern that matches wins. */
static void add_channels(struct facts *facts, const struct channels *channels, size_t at)
{
	const struct channel *first = &channels->items[at];

	for (int turn = 0; turn < 2; turn++) {
		for (size_t i = at; i < channels->count; i++) {
			const struct channel *channel = &channels->items[i];
			const char *patterns = section_value(channel->section, "patterns");
			const char *pattern = section_value(channel->section, "pattern");
			bool leaves_out = (patterns && strchr(patterns, '!')) ||
					  (pattern && strchr(pattern, '!'));
			if (channel_is_like(channel, first) && leaves_out == (turn == 0)) {
				channel_add_mailboxes(facts, channel);
			}
		}
	}
	for (size_t i = at; i < channels->count; i++) {
		if (channel_is_like(&channels->items[i], first)) {
			channel_leave_renamed(facts, &channels->items[i]);
		}
	}
}

static bool has_inbox_alone(const struct facts *facts)
{
	const char *mailboxes = facts_value(facts, "mailboxes");
	return mailboxes && strcmp(mailboxes, "INBOX") == 0;
}

static bool has_renamed(const struct facts *facts, const struct channels *channels, size_t at)
{
	for (size_t i = at; i < channels->count; i++) {
		if (channel_is_like(&channels->items[i], &channels->items[at]) &&
		    channel_is_renamed(facts, &channels->items[i])) {
			return true;
		}
	}
	return false;
}

/* Other accounts have folders in the Maildir store of the one AT. */
static bool is_shared(const struct channels *channels, size_t at)
{
	const struct channel *first = &channels->items[at];

	for (size_t i = 0; i < channels->count; i++) {
		if (channels->items[i].maildir == first->maildir &&
		    !channel_is_like(&channels->items[i], first)) {
			return true;
		}
	}
	return false;
}

/* INBOX alone, in a folder of a store that may be others' too: that folder is the Maildir. What is
 * to be renamed has its place beside it, where nobody else has his. */
static void narrow(struct facts *facts, const struct channels *channels, size_t at)
{
	const struct channel *channel = &channels->items[at];
	const char *root = facts_value(facts, "maildir"), *folder = facts_value(facts, "inbox");
	bool is_to_be_more = has_renamed(facts, channels, at);
	struct buf path;

	if (!has_inbox_alone(facts) || *channel->prefix || !root || !folder ||
	    strcmp(folder, ".") == 0 || (is_to_be_more && !is_shared(channels, at))) {
		return;
	}
	buf_init(&path, TEXT_MAX);
	buf_printf(&path, "%s/%s", root, folder);
	if (buf_status(&path, "a path", facts->err) == 0) {
		facts_set_path(facts, channel->line, "maildir", path.data);
		facts_set(facts, channel->line, "inbox", ".");
	}
	buf_finish(&path);
	if (is_to_be_more) {
		facts_note(facts, channel->line, "maildir",
			   "what is to be renamed goes below it, since the folder around it is "
			   "other accounts', too");
	}
}

static void set_inbox_alone(struct facts *facts, const struct channel *channel, const char *inbox)
{
	facts_set_path(facts, channel->line, "maildir", inbox);
	facts_set(facts, channel->line, "inbox", ".");
	facts_set(facts, channel->line, "mailboxes", "INBOX");
}

/* INBOX lies elsewhere, and mbsync has what is below it there: the account does without them. True
 * where INBOX was among its mailboxes. */
static bool leave_inbox(struct facts *facts, const struct channel *channel)
{
	bool is_selected = facts_selects(facts, "INBOX");

	if (is_selected) {
		facts_add_pattern(facts, channel->line, "INBOX", true);
	}
	facts_add_pattern(facts, channel->line, "INBOX/*", true);
	return is_selected;
}

static void add_account(struct facts *facts, const struct channels *channels, size_t at)
{
	const struct channel *first = &channels->items[at];
	char *inbox = NULL;

	open_account(facts, first, "");
	bool is_apart = channel_set_maildir(facts, first, &inbox);
	add_channels(facts, channels, at);
	bool is_split = false;
	if (is_apart && has_inbox_alone(facts)) {
		set_inbox_alone(facts, first, inbox);
	} else if (is_apart) {
		is_split = leave_inbox(facts, first);
	} else {
		narrow(facts, channels, at);
	}
	channels_set_policy(facts, channels, at);
	channel_guard_names(facts, first);
	facts_tell_left(facts, first->maildir);
	for (size_t i = at; i < channels->count; i++) {
		if (channel_is_like(&channels->items[i], first)) {
			facts_tell_left(facts, channels->items[i].section);
		}
	}
	if (is_split) {
		open_account(facts, first, "-inbox");
		set_inbox_alone(facts, first, inbox);
		channels_set_policy(facts, channels, at);
	}
	free(inbox);
}

static void gather(struct facts *facts, struct channels *channels)
{
	for (size_t i = 0; i < facts->source->count && facts->code == 0; i++) {
		struct section *section = &facts->source->sections[i];
		struct channel channel;
		if (strcmp(section->kind, "channel") != 0 ||
		    !channel_read(facts, section, &channel)) {
			continue;
		}
		if (ARRAY_RESERVE(&channels->items, channels->count + 1, &channels->cap,
				  facts->err) < 0) {
			facts->code = -ERR_NOMEM;
			channel_finish(&channel);
			return;
		}
		channels->items[channels->count++] = channel;
	}
}

static bool is_first(const struct channels *channels, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (channel_is_like(&channels->items[i], &channels->items[at])) {
			return false;
		}
	}
	return true;
}

static void tell_rest(struct facts *facts)
{
	facts_rest(facts);
	for (size_t i = 0; i < facts->source->count; i++) {
		struct section *section = &facts->source->sections[i];
		if (strcmp(section->kind, "group") == 0) {
			facts_tell_section(
				facts, section,
				"there are no groups; name the accounts to be synced, or none "
				"for all");
		} else if (!section->is_taken && *section->kind &&
			   strcmp(section->kind, "channel") != 0) {
			facts_tell_section(facts, section, "no channel needs it");
		}
	}
	facts_apply(facts, &facts->source->sections[0], RULES(global_rules));
	facts_tell_left(facts, &facts->source->sections[0]);
}

void migrate_mbsync(struct facts *facts)
{
	struct channels channels = {0};

	keep_words(facts);
	gather(facts, &channels);
	for (size_t i = 0; i < channels.count && facts->code == 0; i++) {
		if (is_first(&channels, i)) {
			add_account(facts, &channels, i);
		}
	}
	tell_rest(facts);
	for (size_t i = 0; i < channels.count; i++) {
		channel_finish(&channels.items[i]);
	}
	free(channels.items);
}
