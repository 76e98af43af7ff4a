/*
 * Invariants:
 * 1. The result depends on the bytes, not on how they were cut into pieces.
 * 2. Of a line no more is held than LINE_HELD bytes and one run of white space of RUN_MAX.
 */
#include "mailsync/proto/header.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/digest.h"

/* Lines up to this are read in one go, where their end is known; so is the name of a field. */
#define LINE_HELD 1024
/* Of a longer run of white space inside a line the rest is not hashed. */
#define RUN_MAX  LINE_HELD
#define OUT_SIZE 4096
#define DATE_MAX 128

enum header_field {
	FIELD_OTHER,
	FIELD_LEFT_OUT,
	FIELD_MESSAGE_ID,
	FIELD_DATE
};

struct header_scan {
	struct digest *digest;
	bool is_from_mbox;
	enum header_field field; /* that the current line belongs to */
	bool has_ended;
	bool is_long;        /* the line outgrew `line`: its rest goes byte by byte */
	bool has_message_id; /* the first Message-ID was begun */
	bool has_date;
	char line[LINE_HELD];
	size_t line_len;
	char run[RUN_MAX]; /* white space of a long line that may be its end */
	size_t run_len;
	char out[OUT_SIZE]; /* on its way to the digest */
	size_t out_len;
	char message_id[HEADER_ID_MAX + 1];
	size_t message_id_len;
	char date[DATE_MAX];
	size_t date_len;
	uint64_t left_out_bytes;
};

static void scan_reset(struct header_scan *scan)
{
	scan->field = FIELD_OTHER;
	scan->has_ended = false;
	scan->is_long = false;
	scan->has_message_id = false;
	scan->has_date = false;
	scan->line_len = 0;
	scan->run_len = 0;
	scan->out_len = 0;
	scan->message_id_len = 0;
	scan->date_len = 0;
	scan->left_out_bytes = 0;
}

int header_scan_create(struct header_scan **scan, struct err *err)
{
	struct header_scan *created = malloc(sizeof(*created));
	if (created == NULL) {
		return err_nomem(err);
	}
	scan_reset(created);
	created->digest = NULL;
	created->is_from_mbox = false;
	int code = digest_create(&created->digest, DIGEST_SHA256, err);
	if (code != 0) {
		free(created);
		return code;
	}
	*scan = created;
	return 0;
}

void header_scan_destroy(struct header_scan **scan)
{
	if (*scan != NULL) {
		digest_destroy(&(*scan)->digest);
		free(*scan);
		*scan = NULL;
	}
}

void header_scan_set_mbox(struct header_scan *scan)
{
	scan->is_from_mbox = true;
}

static int out_flush(struct header_scan *scan, struct err *err)
{
	struct span out = {scan->out, scan->out_len};
	scan->out_len = 0;
	return out.len == 0 ? 0 : digest_update(scan->digest, out, err);
}

/* DATA is at most OUT_SIZE. */
static int out_append(struct header_scan *scan, struct span data, struct err *err)
{
	if (data.len > OUT_SIZE - scan->out_len) {
		int code = out_flush(scan, err);
		if (code != 0) {
			return code;
		}
	}
	if (data.len > 0) {
		memcpy(scan->out + scan->out_len, data.data, data.len);
		scan->out_len += data.len;
	}
	return 0;
}

static bool char_is_white(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void value_append(struct header_scan *scan, struct span text)
{
	if (scan->field != FIELD_DATE && scan->field != FIELD_MESSAGE_ID) {
		return;
	}
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		/* Line ends do not count: LF and CRLF are cut at the same place. */
		if (scan->field == FIELD_DATE && c != '\r' && scan->date_len < DATE_MAX) {
			scan->date[scan->date_len++] = (char)c;
		}
		if (scan->field == FIELD_MESSAGE_ID && c > ' ' && c != 0x7f &&
		    scan->message_id_len < HEADER_ID_MAX) {
			scan->message_id[scan->message_id_len++] = (char)c;
		}
	}
}

/* What programs put into the header of their copy. */
static bool is_left_out(const struct header_scan *scan, struct span name)
{
	static const char *const names[] = {"Status", "X-Status", "X-Keywords", "Content-Length"};

	if (span_equal_nocase(name, "X-TUID") || span_equal_nocase(name, "X-OfflineIMAP")) {
		return true;
	}
	if (!scan->is_from_mbox) {
		return false;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (span_equal_nocase(name, names[i])) {
			return true;
		}
	}
	return span_starts_nocase(name, "X-GM-") || span_starts_nocase(name, "X-Gmail-");
}

/* field = field-name ":" ...; white space may stand before the colon (RFC 5322 4.5). */
static void field_begin(struct header_scan *scan, struct span line)
{
	const char *colon = line.len == 0 ? NULL : memchr(line.data, ':', line.len);
	scan->field = FIELD_OTHER;
	if (colon == NULL) {
		return;
	}
	struct span name = {line.data, (size_t)(colon - line.data)};
	while (name.len > 0 && char_is_white(name.data[name.len - 1])) {
		name.len--;
	}
	if (is_left_out(scan, name)) {
		scan->field = FIELD_LEFT_OUT;
	} else if (!scan->has_message_id && span_equal_nocase(name, "Message-ID")) {
		scan->field = FIELD_MESSAGE_ID;
		scan->has_message_id = true;
	} else if (!scan->has_date && span_equal_nocase(name, "Date")) {
		scan->field = FIELD_DATE;
		scan->has_date = true;
	}
	value_append(scan, (struct span){colon + 1, (size_t)(line.data + line.len - colon) - 1});
}

/* The beginning of a line, at most LINE_HELD bytes of it: tells whose it is. */
static void line_begin(struct header_scan *scan, struct span line)
{
	if (line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t')) {
		value_append(scan, line);
	} else {
		field_begin(scan, line);
	}
}

static bool line_is_empty(struct span line)
{
	for (size_t i = 0; i < line.len; i++) {
		if (line.data[i] != '\r') {
			return false;
		}
	}
	return true;
}

/* A whole line of at most LINE_HELD bytes, without its LF. */
static int line_take(struct header_scan *scan, struct span line, struct err *err)
{
	if (line_is_empty(line)) {
		scan->has_ended = true;
		return 0;
	}
	line_begin(scan, line);
	if (scan->field == FIELD_LEFT_OUT) {
		bool has_cr = line.data[line.len - 1] == '\r';
		scan->left_out_bytes += line.len + (has_cr ? 1 : 2);
		return 0;
	}
	while (line.len > 0 && char_is_white(line.data[line.len - 1])) {
		line.len--;
	}
	int code = out_append(scan, line, err);
	return code != 0 ? code : out_append(scan, SPAN_LIT("\n"), err);
}

/* Hashes a piece of a long line, but for the white space that may end it. */
static int long_append(struct header_scan *scan, struct span text, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < text.len; i++) {
		char c = text.data[i];
		if (char_is_white(c)) {
			if (scan->run_len < RUN_MAX) {
				scan->run[scan->run_len++] = c;
			}
			continue;
		}
		if (scan->run_len > 0) {
			code = out_append(scan, (struct span){scan->run, scan->run_len}, err);
			scan->run_len = 0;
		}
		if (code == 0) {
			code = out_append(scan, (struct span){&c, 1}, err);
		}
	}
	return code;
}

/* More than LINE_HELD bytes without an end: what is held goes on its way. */
static int long_begin(struct header_scan *scan, struct err *err)
{
	struct span held = {scan->line, scan->line_len};
	scan->is_long = true;
	scan->line_len = 0;
	scan->run_len = 0;
	line_begin(scan, held);
	return scan->field == FIELD_LEFT_OUT ? 0 : long_append(scan, held, err);
}

static int long_continue(struct header_scan *scan, struct span text, struct err *err)
{
	value_append(scan, text);
	return scan->field == FIELD_LEFT_OUT ? 0 : long_append(scan, text, err);
}

/* A part of a line that has no end yet. */
static int part_take(struct header_scan *scan, struct span part, struct err *err)
{
	if (!scan->is_long) {
		size_t room = LINE_HELD - scan->line_len;
		size_t len = part.len < room ? part.len : room;
		if (len > 0) {
			memcpy(scan->line + scan->line_len, part.data, len);
		}
		scan->line_len += len;
		part.data += len;
		part.len -= len;
		if (part.len == 0) {
			return 0;
		}
		int code = long_begin(scan, err);
		if (code != 0) {
			return code;
		}
	}
	return long_continue(scan, part, err);
}

/* The end of the line whose parts were taken. */
static int line_close(struct header_scan *scan, struct err *err)
{
	if (!scan->is_long) {
		struct span line = {scan->line, scan->line_len};
		scan->line_len = 0;
		return line_take(scan, line, err);
	}
	scan->is_long = false;
	scan->run_len = 0;
	return scan->field == FIELD_LEFT_OUT ? 0 : out_append(scan, SPAN_LIT("\n"), err);
}

int header_scan_feed(struct header_scan *scan, struct span data, struct err *err)
{
	int code = 0;
	while (code == 0 && !scan->has_ended && data.len > 0) {
		const char *lf = memchr(data.data, '\n', data.len);
		size_t len = lf == NULL ? data.len : (size_t)(lf - data.data);
		struct span part = {data.data, len};
		if (lf != NULL && len <= LINE_HELD && scan->line_len == 0 && !scan->is_long) {
			code = line_take(scan, part, err);
		} else {
			code = part_take(scan, part, err);
			if (code == 0 && lf != NULL) {
				code = line_close(scan, err);
			}
		}
		size_t used = lf == NULL ? len : len + 1;
		data.data += used;
		data.len -= used;
	}
	return code;
}

/* msg-id = [CFWS] "<" ... ">" [CFWS]: what is in brackets, else all there is. */
static void message_id_read(const struct header_scan *scan, struct header_identity *identity)
{
	struct span id = {scan->message_id, scan->message_id_len};
	const char *open = id.len == 0 ? NULL : memchr(id.data, '<', id.len);
	if (open != NULL) {
		size_t left = id.len - (size_t)(open - id.data);
		const char *close = memchr(open, '>', left);
		if (close != NULL) {
			id = (struct span){open, (size_t)(close - open) + 1};
		}
	}
	identity->has_message_id = id.len > 0;
	if (id.len > 0) {
		memcpy(identity->message_id, id.data, id.len);
	}
	identity->message_id[id.len] = '\0';
}

int header_scan_result(struct header_scan *scan, struct header_identity *identity, struct err *err)
{
	uint8_t digest[DIGEST_MAX_SIZE];
	bool is_complete = scan->has_ended;
	int code = 0;
	if (!scan->has_ended && (scan->line_len > 0 || scan->is_long)) {
		code = line_close(scan, err);
		is_complete = false;
	}
	if (code == 0) {
		code = out_flush(scan, err);
	}
	if (code == 0) {
		code = digest_result(scan->digest, digest, err);
	}
	if (code == 0) {
		memset(identity, 0, sizeof(*identity));
		memcpy(identity->digest, digest, HEADER_DIGEST_SIZE);
		message_id_read(scan, identity);
		identity->is_complete = is_complete;
		identity->left_out_bytes = scan->left_out_bytes;
		identity->has_date = header_parse_date((struct span){scan->date, scan->date_len},
						       &identity->date);
	}
	scan_reset(scan);
	return code;
}
