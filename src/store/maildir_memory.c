/*
 * What is remembered of the letters of mailboxes, beside their dovecot-keywords. Guarded by the
 * Maildir's mutex, since several handles of one folder learn and look.
 *
 * Invariant: a letter keeps its remembered name, until maildir_folder_adopt_letters() finds that no
 * file bears the letter.
 */
#include <stdlib.h>
#include <string.h>

#include "maildir_keywords.h"
#include "mailsync/base/array.h"

static void memory_finish(struct maildir_memory *memory)
{
	free(memory->mailbox);
	for (int i = 0; i < MAILDIR_LETTERS; i++) {
		free(memory->names[i]);
	}
}

void maildir_memories_finish(struct maildir_memories *memories)
{
	for (size_t i = 0; i < memories->count; i++) {
		memory_finish(&memories->items[i]);
	}
	free(memories->items);
	*memories = (struct maildir_memories){0};
}

void maildir_memories_forget(struct maildir *maildir)
{
	pthread_mutex_lock(&maildir->mutex);
	maildir_memories_finish(&maildir->memories);
	pthread_mutex_unlock(&maildir->mutex);
}

static int compare_to_mailbox(const void *key, const void *item)
{
	return strcmp(key, ((const struct maildir_memory *)item)->mailbox);
}

static struct maildir_memory *memory_find(const struct maildir *maildir, const char *mailbox)
{
	const struct maildir_memories *memories = &maildir->memories;

	return array_find(memories->items, memories->count, sizeof(*memories->items), mailbox,
			  compare_to_mailbox);
}

static struct maildir_memory *memory_add(struct maildir *maildir, const char *mailbox,
					 struct err *err)
{
	struct maildir_memories *memories = &maildir->memories;
	size_t at = array_lower_bound(memories->items, memories->count, sizeof(*memories->items),
				      mailbox, compare_to_mailbox);
	if (ARRAY_RESERVE(&memories->items, memories->count + 1, &memories->cap, err) < 0) {
		return NULL;
	}
	struct maildir_memory made = {.mailbox = span_dup(span_of(mailbox))};
	if (made.mailbox == NULL) {
		err_nomem(err);
		return NULL;
	}
	struct maildir_memory *memory = &memories->items[at];
	memmove(memory + 1, memory, (memories->count - at) * sizeof(*memory));
	memories->count++;
	*memory = made;
	return memory;
}

/* That of MAILBOX, made where there is none; NULL: no memory. */
static struct maildir_memory *memory_of(struct maildir *maildir, const char *mailbox,
					struct err *err)
{
	struct maildir_memory *memory = memory_find(maildir, mailbox);

	return memory != NULL ? memory : memory_add(maildir, mailbox, err);
}

static int remember(struct maildir *maildir, const char *mailbox, const char *letters,
		    struct err *err)
{
	struct maildir_table table = {.cut = -1};
	struct maildir_memory *memory = memory_of(maildir, mailbox, err);
	int code = memory == NULL ? -(int)err->code
				  : maildir_table_parse(&table, span_of(letters), err);

	for (int i = 0; code == 0 && i < MAILDIR_LETTERS; i++) {
		if (memory->names[i] == NULL) {
			memory->names[i] = table.names[i];
			table.names[i] = NULL;
		}
	}
	maildir_table_clear(&table);
	return code;
}

int maildir_remember(struct maildir *maildir, const char *mailbox, const char *letters,
		     struct err *err)
{
	pthread_mutex_lock(&maildir->mutex);
	int code = remember(maildir, mailbox, letters, err);
	pthread_mutex_unlock(&maildir->mutex);
	return code;
}

int maildir_remembered(struct maildir *maildir, const char *mailbox, char **letters,
		       struct err *err)
{
	struct buf text;
	int code = 0;

	*letters = NULL;
	buf_init(&text, TABLE_SIZE_MAX);
	pthread_mutex_lock(&maildir->mutex);
	const struct maildir_memory *memory = memory_find(maildir, mailbox);
	buf_append_cstr(&text, "");
	for (int i = 0; memory != NULL && i < MAILDIR_LETTERS; i++) {
		if (memory->names[i] != NULL) {
			buf_printf(&text, "%d %s\n", i, memory->names[i]);
		}
	}
	pthread_mutex_unlock(&maildir->mutex);
	if (memory != NULL && (code = buf_status(&text, TABLE_FILE, err)) == 0) {
		*letters = buf_steal(&text);
	}
	buf_finish(&text);
	return code;
}

static bool is_cut_off(struct span name, const char *whole)
{
	struct span begin = {whole, name.len};

	return strlen(whole) > name.len && span_compare(begin, name.data) == 0;
}

/* Whether the file gives NAME to some letter. */
static bool is_named(char *const names[MAILDIR_LETTERS], const char *name)
{
	for (int i = 0; i < MAILDIR_LETTERS; i++) {
		if (names[i] != NULL && span_equal_nocase(span_of(name), names[i])) {
			return true;
		}
	}
	return false;
}

/* One letter that is remembered as KNOWN. IS_MOVED: the file gives that name to another letter. */
static int join_letter(struct maildir_table *table, int letter, const char *known, bool is_moved,
		       struct err *err)
{
	char **name = &table->names[letter];

	if (*name != NULL && table->cut == letter && is_cut_off(span_of(*name), known)) {
		free(*name);
		*name = NULL;
	}
	if (*name != NULL) {
		if (!span_equal_nocase(span_of(*name), known)) {
			table->others[letter] = *name;
			*name = NULL;
		}
		return 0;
	}
	if (letter >= table->next) {
		table->next = letter + 1;
	}
	*name = span_dup(span_of(known));
	table->lost |= is_moved ? 0 : UINT32_C(1) << letter;
	return *name == NULL ? err_nomem(err) : 0;
}

static int learn(struct maildir_memory *memory, int letter, const char *name, struct err *err)
{
	return (memory->names[letter] = span_dup(span_of(name))) == NULL ? err_nomem(err) : 0;
}

static void doubt(struct maildir_table *table, const struct maildir_memory *memory)
{
	table->doubted = 0;
	for (int i = 0; i < MAILDIR_LETTERS; i++) {
		for (int j = 0; j < MAILDIR_LETTERS && table->names[i] != NULL; j++) {
			if (table->others[j] != NULL &&
			    span_equal_nocase(span_of(table->names[i]), memory->names[j])) {
				table->doubted |= UINT32_C(1) << i;
			}
		}
	}
}

static int join(struct maildir *maildir, struct maildir_folder *folder, struct err *err)
{
	struct maildir_table *table = &folder->table;
	struct maildir_memory *memory = memory_of(maildir, folder->name, err);
	bool is_moved[MAILDIR_LETTERS] = {false};
	int code = memory == NULL ? -(int)err->code : 0;

	if (code < 0) {
		return code;
	}
	for (int i = 0; i < MAILDIR_LETTERS; i++) {
		is_moved[i] = memory->names[i] != NULL && is_named(table->names, memory->names[i]);
	}
	for (int i = 0; code == 0 && i < MAILDIR_LETTERS; i++) {
		if (memory->names[i] != NULL) {
			code = join_letter(table, i, memory->names[i], is_moved[i], err);
		} else if (table->names[i] != NULL) {
			code = learn(memory, i, table->names[i], err);
		}
	}
	if (code == 0) {
		doubt(table, memory);
	}
	return code;
}

int maildir_table_join(struct maildir_folder *folder, struct err *err)
{
	pthread_mutex_lock(&folder->maildir->mutex);
	int code = join(folder->maildir, folder, err);
	pthread_mutex_unlock(&folder->maildir->mutex);
	return code;
}

static bool tells_first(struct maildir_folder *folder, int what)
{
	struct err ignored; /* said again, then */
	struct maildir_memory *memory = memory_of(folder->maildir, folder->name, &ignored);
	const uint32_t bit = UINT32_C(1) << what;

	if (memory == NULL) {
		return true;
	}
	bool is_first = (memory->told & bit) == 0;
	memory->told |= bit;
	return is_first;
}

bool maildir_tells_first(struct maildir_folder *folder, int what)
{
	pthread_mutex_lock(&folder->maildir->mutex);
	bool is_first = tells_first(folder, what);
	pthread_mutex_unlock(&folder->maildir->mutex);
	return is_first;
}

static int adopt(struct maildir_folder *folder, int letter, struct err *err)
{
	struct maildir_table *table = &folder->table;
	struct maildir_memory *memory = memory_find(folder->maildir, folder->name);

	if (memory == NULL) {
		return 0;
	}
	free(memory->names[letter]);
	table->names[letter] = table->others[letter];
	table->others[letter] = NULL;
	int code = learn(memory, letter, table->names[letter], err);
	if (code == 0) {
		doubt(table, memory);
	}
	return code;
}

int maildir_folder_adopt_letters(struct maildir_folder *folder, struct err *err)
{
	struct maildir_table *table = &folder->table;
	bool has_adopted = false;
	int code = 0;

	pthread_mutex_lock(&folder->maildir->mutex);
	for (int i = 0; code == 0 && i < MAILDIR_LETTERS; i++) {
		if (table->others[i] == NULL) {
			continue;
		}
		if (table->knows_borne && (table->borne >> i & 1) == 0) {
			code = adopt(folder, i, err);
			has_adopted = true;
			continue;
		}
		if (!tells_first(folder, i)) {
			continue;
		}
		log_line(
			folder->maildir->log, LOG_WARN,
			"mailbox %s: dovecot-keywords calls letter %c \"%s\" now, but files may "
			"bear it for what it meant before; it changes nothing until it has its old "
			"name again or no file bears it",
			folder->name, 'a' + i, table->others[i]);
	}
	pthread_mutex_unlock(&folder->maildir->mutex);
	return code < 0 ? code : has_adopted;
}
