/*
 * Invariants:
 * 1. What comes out does not depend on how the file was cut into pieces.
 * 2. A line's end is held until what follows it is known: the last one of a message may be none of
 *    its own.
 */
#include "mailsync/proto/mbox.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/model/flags.h"
#include "mailsync/proto/header.h"

#define FROM_LINE_MAX 1024
#define AHEAD         128 /* of the next line: whether it is a field's */
#define VALUE_MAX     64

enum place {
	PLACE_BEFORE, /* before the first message */
	PLACE_HEADER,
	PLACE_BODY,
	PLACE_COUNTED, /* in a body whose length is known */
	PLACE_BEHIND,  /* behind it */
	PLACE_AFTER    /* all is said */
};

struct mbox {
	char in[MBOX_ROOM];
	size_t begin, end;           /* of what is not used yet in `in` */
	bool is_over;                /* no more comes */
	uint64_t used;               /* bytes of the file */
	char out[MBOX_ROOM * 2 + 4]; /* a line behind what makes it due */
	size_t out_len;
	enum mbox_event due; /* to be told behind the data; MBOX_DATA: none */
	enum place place;
	struct mbox_message message;
	bool is_ending; /* its end was found */
	bool is_crlf;   /* this message's lines end so */
	bool is_first_field;
	bool is_undated;  /* the file's first From line */
	bool has_first;   /* it was seen */
	bool is_inside;   /* of a line whose beginning went out */
	bool was_empty;   /* the line before */
	unsigned held;    /* ends of lines, at most two */
	uint64_t counted; /* bytes left of PLACE_COUNTED */
	bool is_quoted;   /* in there */
};

int mbox_create(struct mbox **mbox, struct err *err)
{
	struct mbox *created = calloc(1, sizeof(*created));

	if (!created) {
		return err_nomem(err);
	}
	created->due = MBOX_DATA;
	*mbox = created;
	return 0;
}

void mbox_destroy(struct mbox **mbox)
{
	free(*mbox);
	*mbox = NULL;
}

char *mbox_room(struct mbox *mbox, size_t *room)
{
	memmove(mbox->in, mbox->in + mbox->begin, mbox->end - mbox->begin);
	mbox->end -= mbox->begin;
	mbox->begin = 0;
	*room = MBOX_ROOM - mbox->end;
	return mbox->in + mbox->end;
}

void mbox_feed(struct mbox *mbox, size_t len)
{
	mbox->end += len;
}

void mbox_feed_end(struct mbox *mbox)
{
	mbox->is_over = true;
}

const struct mbox_message *mbox_message(const struct mbox *mbox)
{
	return &mbox->message;
}

uint64_t mbox_offset(const struct mbox *mbox)
{
	return mbox->used;
}

void mbox_take_body(struct mbox *mbox, uint64_t len, bool is_quoted)
{
	mbox->place = PLACE_COUNTED;
	mbox->counted = len;
	mbox->is_quoted = is_quoted;
}

/* --- lines --- */

static bool is_digits(struct span word, size_t least, size_t most)
{
	size_t len = 0;

	while (len < word.len && word.data[len] >= '0' && word.data[len] <= '9') {
		len++;
	}
	return len == word.len && len >= least && len <= most;
}

/* The next word of *REST, up to a blank. */
static struct span next_word(struct span *rest)
{
	while (rest->len > 0 && (rest->data[0] == ' ' || rest->data[0] == '\t')) {
		*rest = (struct span){rest->data + 1, rest->len - 1};
	}
	size_t len = 0;
	while (len < rest->len && rest->data[len] != ' ' && rest->data[len] != '\t') {
		len++;
	}
	struct span word = {rest->data, len};
	*rest = (struct span){rest->data + len, rest->len - len};
	return word;
}

static bool is_clock(struct span word)
{
	return word.len >= 4 && word.len <= 8 && memchr(word.data, ':', word.len) != NULL &&
	       is_digits((struct span){word.data, 1}, 1, 1) &&
	       is_digits((struct span){word.data + word.len - 2, 2}, 2, 2);
}

static bool is_weekday(struct span word)
{
	static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

	for (size_t i = 0; i < 7; i++) {
		if (span_equal_nocase((struct span){word.data, word.len < 3 ? word.len : 3},
				      days[i])) {
			return true;
		}
	}
	return false;
}

/* A day of the week, and behind it a time of day and a year, in any order with other words. */
static bool is_date(struct span words)
{
	bool has_clock = false, has_year = false;

	if (!is_weekday(next_word(&words))) {
		return false;
	}
	for (struct span word = next_word(&words); word.len > 0; word = next_word(&words)) {
		has_clock = has_clock || is_clock(word);
		has_year = has_year || is_digits(word, 4, 4);
	}
	return has_clock && has_year;
}

bool mbox_is_from(struct span line, int64_t *date)
{
	struct span rest = line;

	if (line.len > FROM_LINE_MAX || !span_equal_cstr(next_word(&rest), "From") ||
	    line.data[4] != ' ') {
		return false;
	}
	/* The sender may have blanks in it, or be missing. */
	for (struct span at = rest; at.len > 0; (void)next_word(&at)) {
		if (is_date(at) && header_parse_date(at, date)) {
			return true;
		}
	}
	return false;
}

static bool starts_with_from(struct span line)
{
	return line.len >= 5 && memcmp(line.data, "From ", 5) == 0;
}

/* field-name ":" (RFC 5322 3.6.8), with blanks before the colon as old mail has it. */
static bool is_field(struct span line)
{
	size_t len = 0;

	while (len < line.len && line.data[len] > ' ' && line.data[len] < 0x7F &&
	       line.data[len] != ':') {
		len++;
	}
	size_t end = len;
	while (end < line.len && (line.data[end] == ' ' || line.data[end] == '\t')) {
		end++;
	}
	return len > 0 && end < line.len && line.data[end] == ':';
}

/* A line, or as much of one as there is room for. */
struct line {
	struct span text; /* without its end */
	size_t len;       /* with it */
	bool has_end;
	bool is_crlf;
};

/* False: more has to come first. */
static bool peek_line(const struct mbox *mbox, size_t from, struct line *line)
{
	const char *data = mbox->in + from;
	size_t len = mbox->end - from;
	const char *lf = len > 0 ? memchr(data, '\n', len) : NULL;

	*line = (struct line){.text = {data, len}, .len = len};
	if (lf) {
		size_t text_len = (size_t)(lf - data);
		line->len = text_len + 1;
		line->has_end = true;
		line->is_crlf = text_len > 0 && data[text_len - 1] == '\r';
		line->text.len = text_len;
		return true;
	}
	return mbox->is_over || len > MBOX_ROOM / 2;
}

static void use(struct mbox *mbox, size_t len)
{
	mbox->begin += len;
	mbox->used += len;
}

/* --- what comes out --- */

static void put(struct mbox *mbox, struct span text)
{
	memcpy(mbox->out + mbox->out_len, text.data, text.len);
	mbox->out_len += text.len;
}

static void let_go(struct mbox *mbox, unsigned count)
{
	for (; count > 0 && mbox->held > 0; count--, mbox->held--) {
		put(mbox, SPAN_LIT("\n"));
	}
}

/* Without the ">" that stands for none; elsewhere than in our files headers are not quoted. */
static struct span unquoted(const struct mbox *mbox, struct span text)
{
	bool is_quoted = mbox->place == PLACE_COUNTED
			       ? mbox->is_quoted
			       : mbox->message.is_ours || mbox->place == PLACE_BODY;
	size_t arrows = 0;

	while (arrows < text.len && text.data[arrows] == '>') {
		arrows++;
	}
	struct span rest = {text.data + arrows, text.len - arrows};
	if (is_quoted && arrows > 0 && starts_with_from(rest)) {
		return (struct span){text.data + 1, text.len - 1};
	}
	return text;
}

/* LINE, or a piece of one, belongs to the message. */
static void put_line(struct mbox *mbox, const struct line *line)
{
	bool was_inside = mbox->is_inside;
	struct span text = was_inside ? line->text : unquoted(mbox, line->text);
	bool is_empty = !was_inside && text.len == (mbox->is_crlf && line->is_crlf);

	if (line->has_end && line->is_crlf && mbox->is_crlf) {
		text.len--;
	}
	if (is_empty && line->has_end) {
		if (mbox->held == 2) {
			let_go(mbox, 1);
		}
		mbox->held++;
	} else {
		let_go(mbox, 2);
		put(mbox, text);
		mbox->held = line->has_end;
	}
	/* As a reader sees it: it ends the header whatever the lines of the file end with. */
	mbox->was_empty = !was_inside && line->has_end && line->text.len <= line->is_crlf;
	mbox->is_inside = !line->has_end;
	use(mbox, line->len);
}

/* --- the header --- */

static void take_letters(struct mbox *mbox, struct span value, const char *letters,
			 const uint64_t *flags)
{
	for (size_t i = 0; letters[i]; i++) {
		if (value.len > 0 && memchr(value.data, letters[i], value.len)) {
			mbox->message.flags |= flags[i];
		}
	}
}

/* What is of use in a field of the header. */
static void look_at_field(struct mbox *mbox, struct span text)
{
	static const uint64_t status[] = {FLAG_SEEN},
			      more[] = {FLAG_ANSWERED, FLAG_FLAGGED, FLAG_DRAFT};
	const char *colon = text.len > 0 ? memchr(text.data, ':', text.len) : NULL;

	if (!colon) {
		return;
	}
	struct span name = {text.data, (size_t)(colon - text.data)};
	struct span rest = {colon + 1, text.len - name.len - 1};
	struct span value = next_word(&rest);
	while (value.len > 0 && value.data[value.len - 1] == '\r') {
		value.len--;
	}
	if (span_equal_nocase(name, "Status")) {
		take_letters(mbox, value, "R", status);
	} else if (span_equal_nocase(name, "X-Status")) {
		take_letters(mbox, value, "AFT", more);
	} else if (span_equal_nocase(name, "Content-Length") && value.len < VALUE_MAX) {
		mbox->message.has_length = span_to_u64(value, &mbox->message.length);
	}
}

/* --- where messages begin and end --- */

/* True where LINE begins a message; false with *MORE where the next line has to be seen first. */
static bool begins_message(const struct mbox *mbox, const struct line *line, bool *more)
{
	bool is_first = !mbox->has_first;
	struct line next;
	int64_t date;

	*more = false;
	if (mbox->is_inside || !starts_with_from(line->text)) {
		return false;
	}
	if (is_first || (mbox->message.is_ours && mbox->place != PLACE_COUNTED)) {
		return true;
	}
	if (!line->has_end || line->len > FROM_LINE_MAX) {
		/* Cut off in that line: what stands before it is whole. */
		return mbox->is_over && mbox->was_empty && line->len <= FROM_LINE_MAX;
	}
	struct span text = {line->text.data, line->text.len - line->is_crlf};
	bool is_dated = mbox_is_from(text, &date);
	bool is_apart = mbox->was_empty || mbox->place == PLACE_BEHIND;
	if (is_dated && is_apart) {
		return true;
	}
	if (!is_dated && !(mbox->is_undated && is_apart)) {
		return false;
	}
	size_t from = (size_t)(line->text.data - mbox->in) + line->len;
	if (!peek_line(mbox, from, &next) && mbox->end - from < AHEAD) {
		*more = true;
		return false;
	}
	return is_field(next.text);
}

static void begin_message(struct mbox *mbox, const struct line *line)
{
	static const char ours[] = "From mailsync ";
	struct span text = {line->text.data, line->text.len - line->is_crlf};
	struct mbox_message *message = &mbox->message;

	*message = (struct mbox_message){.is_cut = !line->has_end};
	message->has_date = mbox_is_from(text, &message->date);
	message->is_ours = message->has_date && text.len > sizeof(ours) - 1 &&
			   memcmp(text.data, ours, sizeof(ours) - 1) == 0;
	if (!mbox->has_first) {
		mbox->has_first = true;
		mbox->is_undated = !message->has_date;
	}
	mbox->is_crlf = line->is_crlf;
	mbox->is_first_field = true;
	mbox->place = PLACE_HEADER;
	mbox->held = 0;
	mbox->was_empty = false;
	mbox->is_ending = false;
	use(mbox, line->len);
}

/* The message ends here: of the ends of lines that are held one is not its own. */
static void end_message(struct mbox *mbox, bool is_end_of_file)
{
	struct mbox_message *message = &mbox->message;
	bool is_missing = is_end_of_file && !message->is_ours && mbox->held == 1;

	if (is_end_of_file) {
		/* In the middle of a line, or before the header ended. */
		message->is_cut =
			message->is_cut || mbox->is_inside ||
			(!message->is_ours && mbox->place == PLACE_HEADER && mbox->held == 1) ||
			mbox->place == PLACE_COUNTED;
	}
	if (mbox->place != PLACE_BEHIND) {
		let_go(mbox, mbox->held == 2 || is_missing ? 1 : 0);
	}
	mbox->held = 0;
	mbox->is_inside = false;
	mbox->is_ending = true;
}

/* --- one step --- */

/* A body of known length: as it stands. */
static bool step_counted(struct mbox *mbox)
{
	struct line line;

	let_go(mbox, 2);
	if (mbox->counted == 0) {
		mbox->place = PLACE_BEHIND;
		mbox->is_inside = false;
		return true;
	}
	if (!peek_line(mbox, mbox->begin, &line)) {
		return false;
	}
	if (line.len == 0) {
		return false; /* the file ends first */
	}
	if (line.len > mbox->counted) {
		line.len = (size_t)mbox->counted;
		line.text.len = line.text.len < line.len ? line.text.len : line.len;
		line.has_end = line.text.len < line.len;
		line.is_crlf = line.is_crlf && line.has_end;
	}
	put_line(mbox, &line);
	mbox->counted -= line.len;
	return true;
}

/* MORE: whatever is there was looked at. */
static enum mbox_event step(struct mbox *mbox)
{
	enum place before = mbox->place;
	struct line line;
	bool more;

	if (before == PLACE_COUNTED && step_counted(mbox)) {
		return MBOX_DATA;
	}
	if (before == PLACE_COUNTED || !peek_line(mbox, mbox->begin, &line)) {
		return MBOX_MORE;
	}
	if (line.len == 0) {
		return MBOX_MORE;
	}
	bool begins = begins_message(mbox, &line, &more);
	if (more && !mbox->is_over) {
		return MBOX_MORE;
	}
	if (begins && before != PLACE_BEFORE && !mbox->is_ending) {
		end_message(mbox, false);
		return MBOX_END;
	}
	if (begins) {
		begin_message(mbox, &line);
		return MBOX_BEGIN;
	}
	if (before == PLACE_BEFORE || (before == PLACE_BEHIND && line.text.len <= line.is_crlf)) {
		use(mbox, line.len);
		return MBOX_DATA;
	}
	if (before == PLACE_BEHIND) {
		mbox->place = PLACE_BODY; /* it was longer than told */
	}
	if (before == PLACE_HEADER && !mbox->is_inside) {
		/* Some write From lines of their own kind between messages as they came. */
		mbox->is_crlf = mbox->is_first_field && !mbox->message.is_ours ? line.is_crlf
									       : mbox->is_crlf;
		mbox->is_first_field = false;
		look_at_field(mbox, line.text);
	}
	put_line(mbox, &line);
	if (before == PLACE_HEADER && mbox->was_empty) {
		mbox->place = PLACE_BODY;
		return MBOX_BODY;
	}
	return MBOX_DATA;
}

/* The file is over, and all of it was looked at. */
static enum mbox_event step_end(struct mbox *mbox)
{
	if (mbox->place == PLACE_BEFORE || mbox->place == PLACE_AFTER) {
		return MBOX_DONE;
	}
	end_message(mbox, true);
	mbox->place = PLACE_AFTER;
	return MBOX_END;
}

enum mbox_event mbox_next(struct mbox *mbox, struct span *data)
{
	enum mbox_event event = mbox->due;

	mbox->due = MBOX_DATA;
	while (event == MBOX_DATA && mbox->out_len < MBOX_ROOM) {
		event = step(mbox);
		event = event == MBOX_MORE && mbox->is_over ? step_end(mbox) : event;
	}
	if (event != MBOX_MORE && mbox->out_len > 0) {
		*data = (struct span){mbox->out, mbox->out_len};
		mbox->out_len = 0;
		mbox->due = event;
		return MBOX_DATA;
	}
	return event;
}
