/* A Maildir, or a folder of files with a message each. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mail_source_private.h"

static bool is_there(const struct mail_source *source, const char *name)
{
	struct stat status;

	return fstatat(source->fd, name, &status, 0) == 0 && S_ISDIR(status.st_mode);
}

static int open_maildir(struct mail_source *source, struct err *err)
{
	const struct maildir_params params = {
		.root = source->path,
		.layout = LAYOUT_MAILDIRPP,
		.inbox_folder = "INBOX",
		.info_delimiter = ':',
		.keywords = true,
	};
	int code;

	if ((code = maildir_open(&source->maildir, &params, false, err)) < 0 ||
	    (code = maildir_folder_open(source->maildir, "INBOX", &source->folder, err)) < 0) {
		return code;
	}
	return maildir_folder_scan(source->folder, &source->keywords, &source->scan, err);
}

int mail_source_rest(struct mail_source *source, struct mail_source_rest *rest, struct err *err)
{
	struct strlist names;
	int code = 0;

	*rest = (struct mail_source_rest){.others = source->scan.others.count};
	strlist_init(&names);
	if (source->maildir && (code = maildir_list(source->maildir, &names, err)) == 0) {
		rest->folders = names.count > 0 ? names.count - 1 : 0;
	}
	strlist_finish(&names);
	return code;
}

static bool is_message_name(const char *name)
{
	size_t len = strlen(name);

	return len > 4 && span_equal_nocase(span_of(name + len - 4), ".eml");
}

static int list_files(struct mail_source *source, struct err *err)
{
	DIR *dir = opendir(source->path);
	struct dirent *entry;
	int code = 0;

	if (!dir) {
		return err_set_errno(err, ERR_LOCAL, SCOPE_RUN, errno, "cannot read %s",
				     source->path);
	}
	while (code == 0 && (errno = 0, entry = readdir(dir)) != NULL) {
		if (is_message_name(entry->d_name)) {
			code = strlist_add(&source->files, span_of(entry->d_name), err);
		}
	}
	if (code == 0 && errno != 0) {
		code = err_set_errno(err, ERR_LOCAL, SCOPE_RUN, errno, "cannot read %s",
				     source->path);
	}
	(void)closedir(dir);
	strlist_sort(&source->files);
	if (code == 0 && source->files.count == 0) {
		return err_set(err, ERR_PARTIAL, SCOPE_RUN,
			       "%s is no Maildir, and holds no file *.eml", source->path);
	}
	return code;
}

int source_folder_open(struct mail_source *source, struct err *err)
{
	bool is_maildir = is_there(source, "cur") || is_there(source, "new");

	return is_maildir ? open_maildir(source, err) : list_files(source, err);
}

void source_folder_finish(struct mail_source *source)
{
	if (source->folder) {
		maildir_scan_finish(&source->scan);
	}
	maildir_folder_close(&source->folder);
	maildir_close(&source->maildir);
	strlist_finish(&source->files);
}

static void close_file(struct mail_source *source)
{
	if (source->fd >= 0) {
		(void)close(source->fd);
	}
	source->fd = -1;
	source->is_ended = false;
	source->first = 0;
}

/* The message at INDEX of all files of the scan: those that share their names, too. */
static const struct maildir_entry *entry_at(const struct maildir_scan *scan, size_t index)
{
	return index < scan->count ? &scan->entries[index] : &scan->doubles[index - scan->count];
}

static int next_of_maildir(struct mail_source *source, struct err *err)
{
	struct maildir_file file;
	int code = -ERR_CHANGED;

	/* One that went away meanwhile is passed over. */
	while (code == -ERR_CHANGED &&
	       source->next < source->scan.count + source->scan.double_count) {
		const struct maildir_entry *entry = entry_at(&source->scan, source->next++);
		code = maildir_folder_open_file(source->folder, entry->name, entry->in_new,
						&source->fd, &file, err);
		source->message.flags = entry->flags;
	}
	if (code == -ERR_CHANGED) {
		return 0;
	}
	source->mtime = file.mtime;
	return code < 0 ? code : 1;
}

int source_folder_next(struct mail_source *source, struct err *err)
{
	uint64_t number = source->message.number + 1;
	int code;

	close_file(source);
	source->message = (struct mail_source_message){.number = number};
	if (source->maildir) {
		code = next_of_maildir(source, err);
	} else if (source->next == source->files.count) {
		code = 0;
	} else {
		code = source_open_file(source, source->files.items[source->next++], err);
		code = code < 0 ? code : 1;
		source->is_folder = true;
	}
	source->message.has_other_date = true;
	source->message.date = source->mtime;
	return code;
}
