/* A channel: which mailboxes, where on disk, and what goes where. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mailsync/base/buf.h"
#include "mbsync.h"

#define TEXT_MAX 65536

/* --- the two sides --- */

/* ":STORE:MAILBOX", in STORE and MAILBOX. */
static bool split_side(const struct entry *entry, struct buf *store, struct buf *mailbox)
{
	struct span rest = span_of(entry ? entry->value : "");
	struct buf word;

	buf_init(&word, TEXT_MAX);
	bool is_good = source_next_word(&rest, &word) && word.len > 1 && word.data[0] == ':' &&
		       strchr(word.data + 1, ':') && word.failed == 0;
	if (is_good) {
		const char *end = strchr(word.data + 1, ':');
		buf_append(store, word.data + 1, (size_t)(end - word.data - 1));
		buf_append_cstr(mailbox, end + 1);
	}
	buf_finish(&word);
	return is_good && store->len > 0 && store->failed == 0 && mailbox->failed == 0;
}

static const struct entry *take_side(struct section *section, const char *now, const char *before)
{
	const struct entry *side = section_take(section, now);
	return side ? side : section_take(section, before);
}

static struct section *find_store(struct facts *facts, const char *kind, const struct buf *name)
{
	return name->len > 0 ? source_find(facts->source, kind, name->data) : NULL;
}

/* The names of stores are known: which of them is the server? */
static bool assign(struct facts *facts, struct channel *channel, struct buf *far, struct buf *near)
{
	struct buf path;
	int line;

	channel->imap = find_store(facts, "imapstore", &far[0]);
	channel->maildir = find_store(facts, "maildirstore", &near[0]);
	if (!channel->imap || !channel->maildir) {
		channel->is_swapped = true;
		channel->imap = find_store(facts, "imapstore", &near[0]);
		channel->maildir = find_store(facts, "maildirstore", &far[0]);
	}
	if (!channel->imap || !channel->maildir) {
		return false;
	}
	buf_init(&path, TEXT_MAX);
	channel->remote = buf_steal(channel->is_swapped ? &near[1] : &far[1]);
	channel->local = buf_steal(channel->is_swapped ? &far[1] : &near[1]);
	(void)section_take_word(channel->imap, "path", &path, &line);
	channel->prefix = buf_steal(&path);
	buf_finish(&path);
	if (!channel->remote || !channel->local || !channel->prefix) {
		facts->code = err_nomem(facts->err);
	}
	return facts->code == 0;
}

bool channel_read(struct facts *facts, struct section *section, struct channel *channel)
{
	const struct entry *far = take_side(section, "far", "master");
	const struct entry *near = take_side(section, "near", "slave");
	struct buf far_words[2], near_words[2];

	*channel = (struct channel){.section = section, .line = near ? near->line : section->line};
	for (int i = 0; i < 2; i++) {
		buf_init(&far_words[i], TEXT_MAX);
		buf_init(&near_words[i], TEXT_MAX);
	}
	channel->has_patterns =
		section_look(section, "patterns") || section_look(section, "pattern");
	bool is_good = split_side(far, &far_words[0], &far_words[1]) &&
		       split_side(near, &near_words[0], &near_words[1]) &&
		       assign(facts, channel, far_words, near_words);
	if (!is_good) {
		facts_rest(facts);
		facts_tell_section(facts, section, "not between an IMAP store and a Maildir store");
		channel_finish(channel);
	}
	for (int i = 0; i < 2; i++) {
		buf_finish(&far_words[i]);
		buf_finish(&near_words[i]);
	}
	return is_good;
}

void channel_finish(struct channel *channel)
{
	free(channel->remote);
	free(channel->local);
	free(channel->prefix);
	channel->remote = channel->local = channel->prefix = NULL;
}

/* BOX, of one side; none is INBOX, but where patterns come behind it. */
static const char *box_of(const struct channel *channel, const char *box)
{
	return *box || channel->has_patterns ? box : "INBOX";
}

/* All of the server's names lie in one folder of the Maildir store: Near ":local:work/". */
static bool has_folder(const struct channel *channel)
{
	size_t len = strlen(channel->local);
	return channel->has_patterns && !*channel->remote && len > 0 &&
	       channel->local[len - 1] == '/';
}

/* INBOX alone, in a folder of another name. */
static bool is_inbox_alone(const struct channel *channel)
{
	return !channel->has_patterns && strcmp(box_of(channel, channel->remote), "INBOX") == 0 &&
	       strcmp(box_of(channel, channel->local), "INBOX") != 0;
}

bool channel_is_like(const struct channel *channel, const struct channel *other)
{
	bool is_apart = has_folder(channel) || has_folder(other);

	return channel->imap == other->imap && channel->maildir == other->maildir &&
	       (!is_apart || strcmp(channel->local, other->local) == 0);
}

/* --- the Maildir --- */

/* INBOX by PATH, a store's folder that ends with "/": "." is that folder, NULL lies elsewhere. */
static const char *below(const char *path, const char *inbox)
{
	size_t len = strlen(path);

	if (strncmp(path, inbox, len) == 0) {
		return inbox[len] ? inbox + len : ".";
	}
	return strncmp(path, inbox, len - 1) == 0 && strlen(inbox) == len - 1 ? "." : NULL;
}

/* Sets the folder, which is PATH and may have a further part; true where INBOX is elsewhere. */
static bool set_tree(struct facts *facts, const struct channel *channel, const char *path,
		     const char *inbox)
{
	const char *part = has_folder(channel) ? channel->local : "";
	const char *relative = below(path, inbox);
	struct buf root;

	buf_init(&root, TEXT_MAX);
	buf_printf(&root, "%s%s", path, part);
	if (buf_status(&root, "a path", facts->err) == 0) {
		facts_set_path(facts, channel->maildir->line, "maildir", root.data);
	}
	buf_finish(&root);
	if (*part) {
		return false;
	}
	if (is_inbox_alone(channel)) {
		facts_set(facts, channel->line, "inbox", channel->local);
	} else if (relative && strcmp(relative, "INBOX") != 0) {
		struct span name = span_of(relative);
		name.len -= name.data[name.len - 1] == '/';
		char *made = span_dup(name);
		facts_set(facts, channel->maildir->line, "inbox", made ? made : "");
		free(made);
	}
	return !relative && !is_inbox_alone(channel);
}

/* Neither lies in the other. */
static bool are_apart(const char *path, const char *inbox)
{
	size_t len = strlen(inbox);
	return strncmp(path, inbox, len) != 0 || (path[len] != '/' && inbox[len - 1] != '/');
}

static void set_delimiter(struct facts *facts, struct section *store)
{
	static const struct rule rules[] = {
		{"infodelimiter", FATE_COPY, "info_delimiter", NULL},
		{"altmap", FATE_TELL, NULL, "not needed: messages are found by what is in them"},
		{"account", FATE_TELL, NULL, "a Maildir store has none"},
		{"maxsize", FATE_TELL, NULL, MBSYNC_PLACEHOLDERS},
		{"trash", FATE_TELL, NULL,
		 "mailsync deletes here without a trash; `trash` is the server's"},
		{"trashnewonly", FATE_TELL, NULL, "mailsync deletes here without a trash"},
		{"trashremotenew", FATE_TELL, NULL, "mailsync deletes here without a trash"},
		{"mapinbox", FATE_TELL, NULL,
		 "mbsync had the server's mailbox of that name in INBOX's folder: it is left out"},
	};
	facts_apply(facts, store, RULES(rules));
}

/* PLACE: of INBOX. True where it is elsewhere than the rest, and neither lies in the other. */
static bool set_place(struct facts *facts, const struct channel *channel, const char *path,
		      const char *place)
{
	struct section *store = channel->maildir;
	const char *style = section_value(store, "subfolders");

	if (style && strcasecmp(style, "maildir++") == 0) {
		facts_set_path(facts, store->line, "maildir", place);
		facts_set(facts, store->line, "layout", "maildir++");
	} else if (!*path) {
		facts_set_path(facts, store->line, "maildir", place);
		facts_set(facts, store->line, "inbox", ".");
	} else if (path[strlen(path) - 1] != '/') {
		facts_note(
			facts, store->line, "path",
			"it does not end with /, so that the names of folders begin with it: move "
			"them into a folder of their own, and name that in `maildir`");
	} else if (set_tree(facts, channel, path, place)) {
		if (are_apart(path, place)) {
			return true;
		}
		facts_note(
			facts, store->line, "inbox",
			"one of Path and Inbox lies in the other: move INBOX to INBOX below Path");
	}
	return false;
}

bool channel_set_maildir(struct facts *facts, const struct channel *channel, char **inbox)
{
	struct buf path, place;
	int line;

	buf_init(&path, TEXT_MAX);
	buf_init(&place, TEXT_MAX);
	(void)section_take_word(channel->maildir, "path", &path, &line);
	(void)section_take_word(channel->maildir, "inbox", &place, &line);
	if (place.len == 0) {
		buf_append_cstr(&place, "~/Maildir");
	}
	bool is_apart = set_place(facts, channel, path.data, place.data);
	set_delimiter(facts, channel->maildir);
	*inbox = is_apart ? buf_steal(&place) : NULL;
	buf_finish(&place);
	buf_finish(&path);
	return is_apart && *inbox;
}

/* --- mailboxes --- */

/* What both sides call by one name, but for what `Path` puts before the server's. */
static bool is_equal_behind_prefix(const struct channel *channel)
{
	return has_folder(channel) ||
	       strcmp(box_of(channel, channel->remote), box_of(channel, channel->local)) == 0;
}

static bool is_equal(const struct channel *channel)
{
	bool is_inbox =
		!channel->has_patterns && strcmp(box_of(channel, channel->remote), "INBOX") == 0;

	return is_equal_behind_prefix(channel) && (is_inbox || !*channel->prefix);
}

bool channel_is_renamed(const struct facts *facts, const struct channel *channel)
{
	const char *inbox = facts_value(facts, "inbox");
	bool is_inbox = is_inbox_alone(channel) && inbox && strcmp(inbox, channel->local) == 0;

	return !is_equal(channel) && !is_inbox;
}

static void tell_renamed(struct facts *facts, const struct channel *channel)
{
	const char *remote = box_of(channel, channel->remote);
	const char *local = box_of(channel, channel->local);
	const char *prefix = strcmp(remote, "INBOX") == 0 ? "" : channel->prefix;

	if (channel->has_patterns) {
		facts_note(facts, channel->line, channel->section->name,
			   "what is %s%s... on the server is %s... here; mailsync has equal names "
			   "only. Rename the folders, then put the names into `mailboxes`",
			   prefix, remote, local);
		return;
	}
	facts_note(
		facts, channel->line, channel->section->name,
		"the server's %s%s is %s here; mailsync has equal names only. Rename the folder %s "
		"to %s%s, then put \"%s%s\" into `mailboxes`",
		prefix, remote, local, local, prefix, remote, prefix, remote);
}

/* mbsync selects nothing before the first pattern that takes in (*HAS_ANY): what leaves out says
 * nothing there. Of a server's Path there is INBOX alone. */
static void add_patterns(struct facts *facts, const struct channel *channel,
			 const struct entry *entry, bool *has_any)
{
	struct span rest = span_of(entry->value);
	struct buf word, name;

	buf_init(&word, TEXT_MAX);
	buf_init(&name, TEXT_MAX);
	for (; source_next_word(&rest, &word) && word.failed == 0; buf_clear(&word)) {
		bool is_out = word.len > 0 && word.data[0] == '!';
		buf_clear(&name);
		buf_printf(&name, "%s%s", channel->remote, word.len > 0 ? word.data + is_out : "");
		bool is_known = !*channel->prefix || strcmp(name.data, "INBOX") == 0;
		if (name.failed == 0 && name.len > 0 && is_known && (*has_any || !is_out)) {
			facts_add_pattern(facts, entry->line, name.data, is_out);
			*has_any = true;
		}
	}
	buf_finish(&name);
	buf_finish(&word);
}

void channel_add_mailboxes(struct facts *facts, const struct channel *channel)
{
	struct section *section = channel->section;
	bool has_any = false;

	section->is_taken = true;
	for (size_t i = 0; i < section->count; i++) {
		struct entry *entry = &section->entries[i];
		if (strcmp(entry->key, "pattern") != 0 && strcmp(entry->key, "patterns") != 0) {
			continue;
		}
		entry->is_taken = true;
		if (is_equal_behind_prefix(channel)) {
			add_patterns(facts, channel, entry, &has_any);
		}
	}
	if (channel_is_renamed(facts, channel)) {
		tell_renamed(facts, channel);
	} else if (!channel->has_patterns) {
		facts_add_name(facts, channel->line, box_of(channel, channel->remote), false);
	}
}

void channel_leave_renamed(struct facts *facts, const struct channel *channel)
{
	struct buf names;

	if (!channel_is_renamed(facts, channel)) {
		return;
	}
	if (!channel->has_patterns) {
		const char *local = box_of(channel, channel->local);
		if (facts_selects(facts, local)) {
			facts_add_name(facts, channel->line, local, true);
		}
		return;
	}
	buf_init(&names, TEXT_MAX);
	buf_printf(&names, "%s*", channel->local);
	if (*channel->local && buf_status(&names, "a pattern", facts->err) == 0) {
		facts_add_pattern(facts, channel->line, names.data, true);
	}
	buf_finish(&names);
}

/* A name for INBOX beside INBOX. */
static void leave_mapped(struct facts *facts, struct section *store)
{
	struct buf name;
	int line;

	buf_init(&name, TEXT_MAX);
	if (section_take_word(store, "mapinbox", &name, &line) && name.len > 0) {
		facts_add_name(facts, line, name.data, true);
	}
	buf_finish(&name);
}

/* Of a server with a prefix of its own, names have it here, and with mailsync they do not. */
static void guard_namespace(struct facts *facts, const struct channel *channel)
{
	const struct entry *wanted = section_look(channel->imap, "usenamespace");

	if (entry_is_no(wanted) && !*channel->prefix) {
		facts_note(facts, wanted->line, wanted->key,
			   "the server's own prefix (NAMESPACE) is left out of names. Where it has "
			   "one, rename the folders; until then no mailbox is made on either side "
			   "(`create = none`)");
		facts_set(facts, wanted->line, "create", "none");
	}
}

void channel_guard_names(struct facts *facts, const struct channel *channel)
{
	struct section *store = channel->maildir;
	const struct entry *flat = section_take(store, "flatten");
	const struct entry *style = section_take(store, "subfolders");
	bool is_legacy = !flat && style && strcasecmp(style->value, "legacy") == 0;

	if (flat && strcmp(flat->value, ".") == 0) {
		facts_note(facts, flat->line, "flatten",
			   "folders a.b that are there stay a/b's; a new mailbox a/b gets a folder "
			   "a/b");
	} else if (flat || is_legacy) {
		facts_note(facts, flat ? flat->line : style->line, flat ? "flatten" : "subfolders",
			   "the folder of a mailbox a/b is not a/b here: these mailboxes are left "
			   "out, and "
			   "none is made, until you rename the folders; then take \"!*/*\" and "
			   "`create` "
			   "away");
		facts_add_pattern(facts, channel->line, "*/*", true);
		facts_set(facts, channel->line, "create", "none");
	}
	guard_namespace(facts, channel);
	leave_mapped(facts, channel->imap);
	leave_mapped(facts, channel->maildir);
	if (!facts_has(facts, "mailboxes")) {
		/* All that it has is named otherwise: nothing, until somebody renames it. */
		facts_set(facts, channel->line, "mailboxes", "!*");
	}
}
