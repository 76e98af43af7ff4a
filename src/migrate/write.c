/* Accounts of other programs as sections of a configuration. */
#include <string.h>

#include "facts.h"
#include "places.h"

bool migrate_needs_password(const struct migrate_account *account)
{
	return account_logs_in(account) && migrate_value(account, "user") &&
	       !migrate_value(account, "password_command") &&
	       !migrate_value(account, "password_file") && !migrate_value(account, "oauth");
}

void migrate_append_password_file(const struct migrate_account *account, const char *folder,
				  struct buf *out)
{
	buf_printf(out, "%s/%s.password", folder, account->name);
}

static void write_password(const struct migrate_account *account, const struct migrate_place *place,
			   struct buf *out)
{
	if (account->password_line > 0) {
		buf_printf(out,
			   "# The password stands in clear in %s, line %d, and is not shown here;\n"
			   "# with --write it is copied to this file, which nobody else may read.\n"
			   "# Better: password_command, such as `pass NAME`.\n",
			   place->source, account->password_line);
	}
	buf_append_cstr(out, "password_file = ");
	migrate_append_password_file(account, place->folder, out);
	buf_append_char(out, '\n');
}

static void write_notes(const struct migrate_account *account, const struct migrate_place *place,
			struct buf *out)
{
	for (size_t i = 0; i < account->note_count; i++) {
		const struct migrate_note *note = &account->notes[i];
		if (i == 0) {
			buf_printf(out, "# Not carried over from %s, or to be looked at:\n",
				   place->source);
		}
		buf_append_cstr(out, "#   ");
		if (note->line > 0) {
			buf_printf(out, "line %d, ", note->line);
		}
		buf_printf(out, "%s: %s\n", note->word, note->why);
	}
}

void migrate_write(const struct migrate_account *account, enum migrate_kind kind,
		   const struct migrate_place *place, struct buf *out)
{
	buf_printf(out, "# From %s's %s\n[account %s]\n", migrate_kind_name(kind), place->source,
		   account->name);
	for (size_t i = 0; i < account->pair_count; i++) {
		const struct migrate_pair *pair = &account->pairs[i];
		buf_printf(out, "%s = %s\n", pair->key, pair->value);
		if (strcmp(pair->key, "user") == 0 && migrate_needs_password(account)) {
			write_password(account, place, out);
		}
	}
	if (!migrate_value(account, "maildir")) {
		buf_printf(out, "maildir = " PLACE_BY_NAME "\n", account->name);
	}
	write_notes(account, place, out);
}

void migrate_write_rest(const struct migrate *migrate, const struct migrate_place *place,
			struct buf *out)
{
	write_notes(&migrate->rest, place, out);
}
