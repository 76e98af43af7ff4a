/*
 * Which mailboxes there are, and in which directory each is.
 *
 * Invariants:
 * 1. A name that maildir_list gave leads back to the directory that it was found in.
 * 2. Two directories never come to one name: the second is left out.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "maildir_dir.h"
#include "maildir_private.h"
#include "mailsync/base/array.h"
#include "mailsync/base/file.h"
#include "mailsync/base/there.h"
#include "mailsync/model/mutf7.h"

void maildir_aliases_finish(struct maildir_aliases *aliases)
{
	for (size_t i = 0; i < aliases->count; i++) {
		free(aliases->items[i].name);
		free(aliases->items[i].path);
	}
	free(aliases->items);
	*aliases = (struct maildir_aliases){0};
}

static int alias_add(struct maildir_aliases *aliases, const char *name, const char *path,
		     struct err *err)
{
	int code = ARRAY_RESERVE(&aliases->items, aliases->count + 1, &aliases->cap, err);

	if (code < 0) {
		return code;
	}
	struct maildir_alias *item = &aliases->items[aliases->count];
	item->name = strdup(name);
	item->path = strdup(path);
	if (!item->name || !item->path) {
		free(item->name);
		free(item->path);
		return err_nomem(err);
	}
	aliases->count++;
	return 0;
}

/* The alias of the first LEN bytes of NAME, or NULL. */
static const struct maildir_alias *alias_find(const struct maildir_aliases *aliases,
					      const char *name, size_t len)
{
	for (size_t i = 0; i < aliases->count; i++) {
		const struct maildir_alias *item = &aliases->items[i];
		if (strncmp(item->name, name, len) == 0 && item->name[len] == '\0') {
			return item;
		}
	}
	return NULL;
}

/* Where the last COUNT components of a path begin. */
static const char *path_tail(const char *path, char separator, size_t count)
{
	const char *at = path + strlen(path);

	while (at > path && count > 0) {
		at--;
		count -= *at == separator;
	}
	return *at == separator ? at + 1 : at;
}

/* A child of a mailbox that has an alias lies below that one's directory. */
static int path_below_alias(const struct maildir *maildir, const char *name, struct buf *out,
			    struct err *err)
{
	char separator = maildir->layout == LAYOUT_FS ? '/' : '.';
	size_t depth = 0;
	struct stat st;

	if (fstatat(maildir->root_fd, out->data, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		return 0;
	}
	for (size_t len = strlen(name); len > 0; len--) {
		if (name[len] != '/') {
			continue;
		}
		depth++;
		const struct maildir_alias *alias = alias_find(&maildir->aliases, name, len);
		if (!alias) {
			continue;
		}
		char *tail = strdup(path_tail(out->data, separator, depth));
		if (!tail) {
			return err_nomem(err);
		}
		buf_clear(out);
		buf_append_cstr(out, alias->path);
		buf_append_char(out, separator);
		buf_append_cstr(out, tail);
		free(tail);
		return buf_status(out, "a path", err);
	}
	return 0;
}

int maildir_path(struct maildir *maildir, const char *name, struct buf *out, struct err *err)
{
	int code;

	pthread_mutex_lock(&maildir->mutex);
	const struct maildir_alias *alias = alias_find(&maildir->adopted, name, strlen(name));
	if (!alias) {
		alias = alias_find(&maildir->aliases, name, strlen(name));
	}
	if (alias) {
		buf_append_cstr(out, alias->path);
		code = buf_status(out, "a path", err);
	} else {
		code = mbname_to_path(maildir->layout, maildir->inbox_folder, name, out, err);
		if (code == 0 && maildir->aliases.count > 0 && maildir->root_fd >= 0) {
			code = path_below_alias(maildir, name, out, err);
		}
	}
	pthread_mutex_unlock(&maildir->mutex);
	return code;
}

int maildir_adopt(struct maildir *maildir, const char *name, const char *listed, struct err *err)
{
	struct buf path;

	buf_init(&path, MBNAME_MAX);
	int code = maildir_path(maildir, listed, &path, err);
	if (code == 0) {
		pthread_mutex_lock(&maildir->mutex);
		code = alias_add(&maildir->adopted, name, path.data, err);
		pthread_mutex_unlock(&maildir->mutex);
	}
	buf_finish(&path);
	return code;
}

/* Appends COMPONENT, decoded where it is modified UTF-7; true when that made a difference. */
static bool component_decode(struct span component, struct buf *out)
{
	struct err ignored;
	size_t before = out->len;

	if (memchr(component.data, '&', component.len) &&
	    mutf7_decode(component, out, &ignored) == 0 && out->failed == 0) {
		struct span decoded = {out->data + before, out->len - before};
		if (!memchr(decoded.data, '/', decoded.len)) {
			return !span_equal(decoded, component);
		}
	}
	buf_truncate(out, before);
	buf_append_span(out, component);
	return false;
}

/* True when NAME can be a mailbox's with a directory: to no other name is one decoded. */
static bool name_survives(const struct maildir *maildir, const char *name)
{
	struct err ignored;
	struct buf path, again;

	buf_init(&path, MBNAME_MAX);
	buf_init(&again, MBNAME_MAX);
	bool survives = mbname_to_path(maildir->layout, maildir->inbox_folder, name, &path,
				       &ignored) == 0 &&
			mbname_from_path(maildir->layout, maildir->inbox_folder, buf_span(&path),
					 &again, &ignored) == 0 &&
			strcmp(again.data, name) == 0;
	buf_finish(&again);
	buf_finish(&path);
	return survives;
}

bool maildir_name_decode(const struct maildir *maildir, const char *name, struct buf *out)
{
	bool is_other = false;

	if (!strchr(name, '&')) {
		return false;
	}
	for (const char *at = name;;) {
		size_t len = strcspn(at, "/");
		is_other = component_decode((struct span){at, len}, out) || is_other;
		if (at[len] == '\0') {
			break;
		}
		buf_append_char(out, '/');
		at += len + 1;
	}
	return is_other && out->failed == 0 && name_survives(maildir, out->data);
}

/* What a listing gathers. */
struct walk {
	struct maildir *maildir;
	struct maildir_blind *blind; /* NULL: what cannot be looked at ends it */
	struct strlist queue;        /* paths of directories to look into */
	struct strlist names;
	struct maildir_aliases candidates; /* their decoded names and paths */
	char *other_inbox;                 /* path of what INBOX may be; NULL: none */
	bool has_dotted;                   /* fs: the root holds Maildir++'s folders */
};

static void walk_init(struct walk *walk, struct maildir *maildir, struct maildir_blind *blind)
{
	*walk = (struct walk){.maildir = maildir, .blind = blind};
	strlist_init(&walk->queue);
	strlist_init(&walk->names);
}

static void walk_finish(struct walk *walk)
{
	strlist_finish(&walk->queue);
	strlist_finish(&walk->names);
	maildir_aliases_finish(&walk->candidates);
	free(walk->other_inbox);
}

static int walk_left_out(struct walk *walk, const char *path, const char *why, struct err *err)
{
	struct err text;
	err_set(&text, ERR_PARTIAL, SCOPE_MAILBOX, "directory %s in %s is left out: %s", path,
		walk->maildir->root, why);
	if (walk->blind == NULL) {
		log_line(walk->maildir->log, LOG_INFO, "%s", text.text);
		return 0;
	}
	return strlist_add(&walk->blind->left_out, span_of(text.text), err);
}

/* Whether PATH, which holds a mailbox and is not INBOX's folder, may be meant to be. */
static bool is_like_inbox(const struct walk *walk, const char *path)
{
	return walk->other_inbox == NULL &&
	       (strcmp(path, ".") == 0 || mbname_is_inbox(span_of(path)));
}

static int walk_note_inbox(struct walk *walk, const char *path, struct err *err)
{
	walk->other_inbox = strdup(path);
	return walk->other_inbox ? 0 : err_nomem(err);
}

/* PATH holds a mailbox. */
static int walk_found(struct walk *walk, const char *path, struct err *err)
{
	const struct maildir *maildir = walk->maildir;
	struct buf name, decoded;
	struct err reason;
	int code = 0;

	buf_init(&name, MBNAME_MAX);
	buf_init(&decoded, MBNAME_MAX);
	if (mbname_from_path(maildir->layout, maildir->inbox_folder, span_of(path), &name,
			     &reason) < 0) {
		if (reason.code == ERR_NOMEM) {
			code = err_nomem(err);
		} else if (is_like_inbox(walk, path)) {
			code = walk_note_inbox(walk, path, err);
		} else {
			code = walk_left_out(walk, path, reason.text, err);
		}
	} else if (maildir_name_decode(maildir, name.data, &decoded)) {
		code = buf_status(&decoded, "a mailbox name", err);
		if (code == 0) {
			code = alias_add(&walk->candidates, decoded.data, path, err);
		}
	} else if (decoded.failed == -ERR_NOMEM) {
		code = err_nomem(err);
	} else {
		code = strlist_add(&walk->names, buf_span(&name), err);
	}
	buf_finish(&decoded);
	buf_finish(&name);
	return code;
}

static bool is_maildir_part(const char *name)
{
	return strcmp(name, "cur") == 0 || strcmp(name, "new") == 0 || strcmp(name, "tmp") == 0;
}

int maildir_name_of_path(const struct maildir *maildir, const char *path, struct buf *name,
			 struct err *reason)
{
	struct buf decoded;
	buf_init(&decoded, MBNAME_MAX);
	int code = mbname_from_path(maildir->layout, maildir->inbox_folder, span_of(path), name,
				    reason);
	if (code == 0 && maildir_name_decode(maildir, name->data, &decoded)) {
		buf_clear(name);
		buf_append_span(name, buf_span(&decoded));
		code = buf_status(name, "a mailbox name", reason);
	}
	buf_finish(&decoded);
	return code;
}

/* PATH could not be looked at, as ERR tells. */
static int walk_blinded(struct walk *walk, const char *path, struct err *err)
{
	struct err reason;
	struct buf name;
	int code = 0;

	if (walk->blind == NULL || err->code != ERR_LOCAL) {
		return -(int)err->code;
	}
	buf_init(&name, MBNAME_MAX);
	if (maildir_name_of_path(walk->maildir, path, &name, &reason) < 0) {
		struct err why = *err;
		code = walk_left_out(walk, path, why.text, err);
	} else {
		struct err why = *err;
		code = strlist_add(&walk->blind->names, buf_span(&name), err);
		code = code < 0 ? code : strlist_add(&walk->blind->why, span_of(why.text), err);
	}
	buf_finish(&name);
	return code;
}

/* Notes whether the lost+found in DIRFD holds anything that can be seen. */
static void walk_lost_found(struct walk *walk, int dirfd)
{
	struct dir_stream stream;
	enum dir_kind kind;
	const char *name;
	struct err ignored;
	int fd;

	if (walk->blind == NULL ||
	    file_open_dir(dirfd, MAILDIR_LOST_FOUND, true, &fd, &ignored) < 0 ||
	    dir_stream_adopt(&stream, fd, MAILDIR_LOST_FOUND, &ignored) < 0) {
		return;
	}
	walk->blind->has_lost_found |= dir_stream_next(&stream, &name, &kind, &ignored) > 0;
	dir_stream_close(&stream);
}

/* A mailbox that is not listed counts as removed: what cannot be looked at is noted, or fails the
 * listing. */
static int look_failed(int errnum, const char *path, struct err *err)
{
	return maildir_fail(err, SCOPE_ACCOUNT, errnum, "look at directory", path);
}

/* An entry NAME of the directory PATH, below which mailboxes may lie. */
static int walk_queue(struct walk *walk, const char *path, const char *name, struct err *err)
{
	struct buf child;
	int code = 0;

	buf_init(&child, MBNAME_MAX);
	if (strcmp(path, ".") != 0) {
		buf_printf(&child, "%s/", path);
	}
	buf_append_cstr(&child, name);
	if (child.failed == -ERR_LIMIT) {
		code = walk_left_out(walk, path, "a path in it is too long", err);
	} else if ((code = buf_status(&child, "a path", err)) == 0) {
		code = strlist_add(&walk->queue, buf_span(&child), err);
	}
	buf_finish(&child);
	return code;
}

/* The root is a Maildir, though INBOX has a folder of its own below it. */
static int walk_root_found(struct walk *walk, struct err *err)
{
	return maildir_has_mail(walk->maildir, ".") && is_like_inbox(walk, ".")
		     ? walk_note_inbox(walk, ".", err)
		     : 0;
}

/* Looks into one directory of the fs layout, queueing those in it. Closes FD. */
static int walk_directory(struct walk *walk, int fd, const char *path, struct err *err)
{
	bool is_mailbox = false, is_root = strcmp(path, ".") == 0;
	struct dir_stream stream;
	enum dir_kind kind;
	const char *name;

	int code = dir_stream_adopt(&stream, fd, path, err);
	if (code < 0) {
		return code;
	}
	while ((code = dir_stream_next(&stream, &name, &kind, err)) > 0) {
		if (is_root && name[0] == '.' && kind == DIR_KIND_DIR && !walk->has_dotted) {
			struct err ignored;
			walk->has_dotted = maildir_has_parts(walk->maildir, name, &ignored) > 0;
		}
		if (name[0] == '.' || kind == DIR_KIND_FILE || kind == DIR_KIND_OTHER) {
			continue;
		}
		if (kind == DIR_KIND_UNKNOWN && is_maildir_part(name)) {
			code = look_failed(stream.errnum, path, err);
			break;
		}
		if (is_maildir_part(name)) {
			is_mailbox = true;
		} else if (strcmp(name, MAILDIR_LOST_FOUND) == 0) {
			walk_lost_found(walk, fd);
		} else if ((code = walk_queue(walk, path, name, err)) < 0) {
			break;
		}
	}
	dir_stream_close(&stream);
	if (code < 0 || !is_mailbox) {
		return code;
	}
	return is_root && strcmp(walk->maildir->inbox_folder, ".") != 0
		     ? walk_root_found(walk, err)
		     : walk_found(walk, path, err);
}

static int walk_fs(struct walk *walk, struct err *err)
{
	int code = strlist_add(&walk->queue, SPAN_LIT("."), err);

	for (size_t i = 0; code == 0 && i < walk->queue.count; i++) {
		const char *path = walk->queue.items[i];
		int fd;
		code = maildir_open_path(walk->maildir, path, &fd, err);
		if (code == -ERR_CHANGED) { /* removed meanwhile */
			code = 0;
			continue;
		}
		if (code == 0) {
			code = walk_directory(walk, fd, path, err);
		}
		if (code < 0 && i > 0) {
			code = walk_blinded(walk, path, err);
		}
	}
	return code;
}

/* Notes PATH where it holds a mailbox. */
static int walk_look(struct walk *walk, const char *path, struct err *err)
{
	int code = maildir_has_parts(walk->maildir, path, err);

	code = code > 0 ? walk_found(walk, path, err) : code;
	return code < 0 ? walk_blinded(walk, path, err) : 0;
}

static int walk_maildirpp(struct walk *walk, struct err *err)
{
	struct dir_stream stream;
	enum dir_kind kind;
	const char *name;

	int code = dir_stream_open(&stream, walk->maildir->root_fd, walk->maildir->root, err);
	if (code < 0) {
		return code;
	}
	code = walk_look(walk, ".", err);
	while (code == 0 && (code = dir_stream_next(&stream, &name, &kind, err)) > 0) {
		bool may_be_one = kind == DIR_KIND_DIR || kind == DIR_KIND_UNKNOWN;
		code = 0;
		if (name[0] == '.' && may_be_one) {
			code = walk_look(walk, name, err);
		} else if (strcmp(name, MAILDIR_LOST_FOUND) == 0 && may_be_one) {
			walk_lost_found(walk, walk->maildir->root_fd);
		} else if (is_like_inbox(walk, name) && maildir_has_mail(walk->maildir, name)) {
			code = walk_note_inbox(walk, name, err);
		}
	}
	dir_stream_close(&stream);
	return code;
}

/* Adds the decoded names that nothing else bears, and drops the other candidates. */
static int walk_settle_aliases(struct walk *walk, struct err *err)
{
	struct maildir_aliases *all = &walk->candidates;
	struct maildir_aliases kept = {0};
	int code = 0;

	strlist_sort(&walk->names);
	for (size_t i = 0; i < all->count && code == 0; i++) {
		const struct maildir_alias *item = &all->items[i];
		if (strlist_find(&walk->names, item->name) >= 0 ||
		    alias_find(&kept, item->name, strlen(item->name))) {
			code = walk_left_out(walk, item->path,
					     "it is another spelling of a mailbox", err);
		} else {
			code = alias_add(&kept, item->name, item->path, err);
		}
	}
	for (size_t i = 0; i < kept.count && code == 0; i++) {
		code = strlist_add(&walk->names, span_of(kept.items[i].name), err);
	}
	strlist_sort(&walk->names);
	maildir_aliases_finish(all);
	*all = kept;
	return code;
}

/* What there is of INBOX, where another directory may be its folder. */
static int walk_settle_inbox(struct walk *walk, struct err *err)
{
	const char *path = walk->other_inbox;
	struct buf text;

	if (path == NULL) {
		return 0;
	}
	buf_init(&text, ERR_TEXT_SIZE);
	if (walk->blind != NULL && strlist_find(&walk->names, "INBOX") < 0 &&
	    !strlist_has(&walk->blind->names, "INBOX")) {
		maildir_inbox_advice(walk->maildir, path, walk->has_dotted, &text);
		walk->blind->other_inbox = buf_steal(&text);
		return walk->blind->other_inbox ? 0 : err_nomem(err);
	}
	/* It is there, or nobody asks what is untold: the other one is one that no mailbox has, or
	 * a root that is a Maildir for others. */
	int code = 0;
	if (walk->maildir->layout == LAYOUT_FS && strcmp(path, ".") != 0) {
		buf_printf(&text,
			   "INBOX is the folder %s there; rename this one, or if it holds INBOX's "
			   "mail set `inbox = %s`",
			   walk->maildir->inbox_folder, path);
		code = text.failed ? err_nomem(err) : walk_left_out(walk, path, text.data, err);
	}
	buf_finish(&text);
	return code;
}

int maildir_list(struct maildir *maildir, struct strlist *names, struct err *err)
{
	return maildir_list_seen(maildir, names, NULL, err);
}

int maildir_list_seen(struct maildir *maildir, struct strlist *names, struct maildir_blind *blind,
		      struct err *err)
{
	struct walk walk;
	int code = 0;

	if (maildir->root_fd < 0) {
		return 0;
	}
	walk_init(&walk, maildir, blind);
	code = maildir->layout == LAYOUT_FS ? walk_fs(&walk, err) : walk_maildirpp(&walk, err);
	if (code == 0) {
		code = walk_settle_aliases(&walk, err);
	}
	code = code < 0 ? code : walk_settle_inbox(&walk, err);
	for (size_t i = 0; i < walk.names.count && code == 0; i++) {
		code = strlist_add(names, span_of(walk.names.items[i]), err);
	}
	if (code == 0) {
		struct maildir_aliases old;
		pthread_mutex_lock(&maildir->mutex);
		old = maildir->aliases;
		maildir->aliases = walk.candidates;
		pthread_mutex_unlock(&maildir->mutex);
		walk.candidates = old;
	}
	walk_finish(&walk);
	return code;
}
