/*
 * Mailbox names as directories.
 *
 * Invariants:
 * 1. A path made here is relative, has no component "." (but INBOX's) or "..", and under fs
 *    none that begins with a dot or is a name that Maildir or mailsync gives its own files:
 *    whatever a server sends stays below the root and disturbs nothing there.
 * 2. mbname_from_path accepts a path only when mbname_to_path of the result gives it back.
 */
#include <stdio.h>
#include <string.h>

#include "mailsync/model/mbname.h"
#include "mbname_private.h"

#define DISK_COMPONENT_MAX 255

/* Names in or beside a mailbox's directory that are no child mailboxes. */
static const char *const reserved_names[] = {
	"cur",
	"new",
	"tmp",
	"lost+found",
	"mailsync-id",
	"maildirfolder",
	"dovecot-keywords",
	"dovecot-keywords.lock",
	"dovecot-uidlist",
	"dovecot-uidlist.lock",
};

static bool component_is_reserved(struct span component)
{
	for (size_t i = 0; i < sizeof(reserved_names) / sizeof(reserved_names[0]); i++) {
		if (span_equal_cstr(component, reserved_names[i])) {
			return true;
		}
	}
	return false;
}

/* A canonical component holds "%XX" only as "%25" and "%2F", so no escape made here is taken for
 * one of these, nor the other way round. */
static void disk_append(enum mbname_layout layout, struct span component, struct buf *out)
{
	bool hides_first = layout == LAYOUT_FS && component_is_reserved(component);
	for (size_t i = 0; i < component.len; i++) {
		bool hides_dot = component.data[i] == '.' && (i == 0 || layout == LAYOUT_MAILDIRPP);
		if (hides_dot || (i == 0 && hides_first)) {
			buf_printf(out, "%%%02X", (unsigned)(unsigned char)component.data[i]);
		} else {
			buf_append_char(out, component.data[i]);
		}
	}
}

static unsigned hex_value(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

/* The inverse of disk_append, for what it makes; mbname_from_path checks the rest. */
static void disk_decode(struct span component, struct buf *out)
{
	for (size_t i = 0; i < component.len; i++) {
		char c = component.data[i];
		if (c != '%' || !mbname_hex_at(component, i + 1)) {
			buf_append_char(out, c);
			continue;
		}
		unsigned value =
			hex_value(component.data[i + 1]) << 4 | hex_value(component.data[i + 2]);
		if (value == '.' || (value >= 'a' && value <= 'z')) {
			buf_append_char(out, (char)value);
		} else {
			buf_append(out, component.data + i, 3);
		}
		i += 2;
	}
}

static int disk_check(struct span component, struct span name, struct err *err)
{
	return component.len <= DISK_COMPONENT_MAX
		     ? 0
		     : mbname_refuse(name, "has a part of over 255 bytes on disk", err);
}

/* INBOX's children lie in its folder where that is an INBOX in some case, else in "INBOX": any
 * other folder could be another mailbox's. */
static struct span inbox_component(const char *inbox_folder)
{
	struct span folder = span_of(inbox_folder);
	return mbname_is_inbox(folder) ? folder : SPAN_LIT("INBOX");
}

static int fs_path(const char *inbox_folder, struct span name, struct buf *out, struct err *err)
{
	struct span rest = name;
	struct span component;
	size_t start = out->len;
	while (mbname_component_next(&rest, '/', &component)) {
		bool is_first = component.data == name.data;
		if (!is_first) {
			buf_append_char(out, '/');
		}
		size_t at = out->len;
		if (is_first && mbname_is_inbox(component)) {
			component = inbox_component(inbox_folder);
		}
		disk_append(LAYOUT_FS, component, out);
		int code = disk_check((struct span){out->data + at, out->len - at}, name, err);
		if (code != 0) {
			return code;
		}
	}
	struct span path = {out->data + start, out->len - start};
	if (span_equal_cstr(path, inbox_folder)) {
		return mbname_refuse(name, "would be the folder that is INBOX", err);
	}
	return 0;
}

static int maildirpp_path(struct span name, struct buf *out, struct err *err)
{
	struct span rest = name;
	struct span component;
	size_t start = out->len;
	while (mbname_component_next(&rest, '/', &component)) {
		buf_append_char(out, '.');
		disk_append(LAYOUT_MAILDIRPP, component, out);
	}
	return disk_check((struct span){out->data + start, out->len - start}, name, err);
}

int mbname_to_path(enum mbname_layout layout, const char *inbox_folder, const char *name,
		   struct buf *out, struct err *err)
{
	struct span canonical = span_of(name);
	size_t start = out->len;
	int code = mbname_check(canonical, err);
	if (code != 0) {
		return code;
	}
	if (mbname_is_inbox(canonical)) {
		buf_append_cstr(out, layout == LAYOUT_FS ? inbox_folder : ".");
	} else if (layout == LAYOUT_FS) {
		code = fs_path(inbox_folder, canonical, out, err);
	} else {
		code = maildirpp_path(canonical, out, err);
	}
	if (code == 0) {
		code = buf_status(out, "a mailbox's path", err);
	}
	if (code != 0) {
		buf_truncate(out, start);
	}
	return code;
}

/* The canonical name that PATH would have; not yet known to be one. */
static void path_decode(enum mbname_layout layout, const char *inbox_folder, struct span path,
			struct buf *out)
{
	char separator = layout == LAYOUT_FS ? '/' : '.';
	struct span rest = path;
	struct span component;
	if (span_equal_cstr(path, layout == LAYOUT_FS ? inbox_folder : ".")) {
		buf_append_cstr(out, "INBOX");
		return;
	}
	if (layout == LAYOUT_MAILDIRPP && path.len > 0 && path.data[0] == '.') {
		rest.data++;
		rest.len--;
	}
	bool is_first = true;
	while (mbname_component_next(&rest, separator, &component)) {
		if (!is_first) {
			buf_append_char(out, '/');
		}
		if (is_first && mbname_is_inbox(component)) {
			buf_append_cstr(out, "INBOX");
		} else {
			disk_decode(component, out);
		}
		is_first = false;
	}
}

int mbname_from_path(enum mbname_layout layout, const char *inbox_folder, struct span path,
		     struct buf *out, struct err *err)
{
	struct buf name;
	struct buf again;
	if (path.len == 0 || path.len > MBNAME_MAX || memchr(path.data, '\0', path.len) != NULL) {
		return mbname_refuse(path, "is empty, too long or holds NUL", err);
	}
	buf_init(&name, MBNAME_MAX);
	buf_init(&again, MBNAME_MAX * 3);
	path_decode(layout, inbox_folder, path, &name);
	int code = buf_status(&name, "a mailbox name", err);
	if (code == 0) {
		code = mbname_to_path(layout, inbox_folder, name.data, &again, err);
	}
	if (code == 0 && !span_equal(buf_span(&again), path)) {
		char reason[400];
		snprintf(reason, sizeof(reason),
			 "is a directory that no mailbox would have (it would be %.300s); rename "
			 "it",
			 again.data);
		code = mbname_refuse(path, reason, err);
	}
	if (code == 0) {
		buf_append_span(out, buf_span(&name));
		code = buf_status(out, "a mailbox name", err);
	}
	buf_finish(&again);
	buf_finish(&name);
	return code;
}
