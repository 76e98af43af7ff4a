#include "cli_init_next.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mailsync/base/file.h"
#include "mailsync/base/shell.h"
#include "mailsync/conf/conf.h"

#define TEXT_MAX 65536

/* The folder of PATH, absolute, and with "~" for the user's own. */
static int find_folder(const char *path, char **folder, struct err *err)
{
	struct buf text, home;
	char cwd[FILE_PATH_SIZE];
	const char *slash = strrchr(path, '/');
	struct err ignored;

	buf_init(&text, TEXT_MAX);
	buf_init(&home, TEXT_MAX);
	if (path[0] != '/' && getcwd(cwd, sizeof(cwd))) {
		buf_append_cstr(&text, cwd);
		buf_append_cstr(&text, slash ? "/" : "");
	}
	buf_append(&text, path, slash ? (size_t)(slash - path) : 0);
	int code = buf_status(&text, "a path", err);
	if (code == 0 && file_expand("~", &home, &ignored) == 0 && home.len > 1 &&
	    strncmp(text.data, home.data, home.len) == 0 &&
	    (text.data[home.len] == '/' || text.data[home.len] == '\0')) {
		struct buf whole = text;
		buf_init(&text, TEXT_MAX);
		buf_printf(&text, "~%s", whole.data + home.len);
		buf_finish(&whole);
	}
	if (code == 0) {
		*folder = buf_steal(&text);
		code = *folder ? 0 : err_nomem(err);
	}
	buf_finish(&home);
	buf_finish(&text);
	return code;
}

int cli_place_find(struct cli_place *place, const char *option, struct err *err)
{
	int code;

	place->option = option;
	if ((code = conf_path(option, &place->path, err)) < 0) {
		return code;
	}
	return find_folder(place->path, &place->folder, err);
}

void cli_place_finish(struct cli_place *place)
{
	free(place->path);
	free(place->folder);
	*place = (struct cli_place){.path = NULL};
}

/* WORD for a shell; a "~" at its beginning stays one. */
static void append_word(struct buf *out, const char *word)
{
	size_t tilde = word[0] == '~' ? strspn(word, "~/") : 0;

	buf_append(out, word, tilde);
	if (tilde == 0 || word[tilde] != '\0') {
		shell_append_word(out, word + tilde);
	}
}

void cli_next_command(struct buf *out, const struct cli_place *place, const char *command,
		      const char *account)
{
	buf_append_cstr(out, "  mailsync");
	if (place->option) {
		buf_append_cstr(out, " -c ");
		append_word(out, place->option);
	}
	buf_printf(out, "%s%s%s%s\n", *command ? " " : "", command, *account ? " " : "", account);
}

static bool is_there(const char *folder)
{
	struct buf path;
	struct err ignored;

	buf_init(&path, TEXT_MAX);
	bool is_found = *folder == '\0' ||
			(file_expand(folder, &path, &ignored) == 0 && access(path.data, F_OK) == 0);
	buf_finish(&path);
	return is_found;
}

void cli_next_password(struct buf *out, const char *folder, const char *file)
{
	if (!is_there(folder)) {
		buf_append_cstr(out, "  mkdir -p -m 700 ");
		append_word(out, folder);
		buf_append_char(out, '\n');
	}
	buf_append_cstr(out, "  (umask 077; cat >");
	append_word(out, file);
	buf_append_cstr(out, ")    and type the password, Enter, Ctrl-D\n");
}

void cli_next_begin(struct buf *out, const struct cli_place *place, bool is_written)
{
	if (is_written) {
		buf_printf(out, "Written to %s. Next:\n", place->path);
	} else {
		buf_printf(out, "Put this into %s (the option --write does it), and then:\n",
			   place->path);
	}
}

static void append_password(struct buf *out, const struct cli_section *section)
{
	struct buf file;

	buf_init(&file, TEXT_MAX);
	cli_section_append_password_file(section, &file);
	cli_next_password(out, section->folder, buf_span(&file).len > 0 ? file.data : "");
	buf_finish(&file);
}

void cli_init_next(const struct cli_place *place, const struct cli_section *section,
		   bool is_written)
{
	struct buf text;

	buf_init(&text, TEXT_MAX);
	cli_next_begin(&text, place, is_written);
	if (cli_section_signs_in(section)) {
		cli_next_command(&text, place, "login", section->name);
	} else {
		append_password(&text, section);
	}
	cli_next_command(&text, place, "check", section->name);
	cli_next_command(&text, place, "", "");
	if (text.failed == 0) {
		fwrite(text.data, 1, text.len, stderr);
	}
	buf_finish(&text);
}
