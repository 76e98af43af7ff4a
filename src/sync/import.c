/* Mail into the Maildir from files. It is delivered as what comes from a server is; but it has no
 * rows: the next sync finds it as it finds what a MUA put there. */
#include "mailsync/sync/transfer.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/clock.h"
#include "mailsync/store/mail_source.h"

#include "fetch/fetch.h"
#include "guard/guard.h"
#include "rules/pop3_rules.h"
#include "run/run.h"
#include "twins.h"

#define FIRST_MAX ((size_t)256 * 1024) /* of a message, before it takes a file */
#define TOLD_MAX  1000

struct incoming {
	struct run *run;
	struct mailbox *mailbox;
	struct maildir_folder *folder;
	struct delivery *delivery;
	struct mail_scan *scan;
	struct twins twins;
	struct import_result *result;
	bool is_again;   /* this is the second look at the files */
	bool is_doubted; /* a message was taken for held that is still on its way */
	/* The message of now: */
	struct buf first; /* its beginning, while there is no draft */
	struct maildir_draft draft;
	bool has_draft;
	uint64_t size;
};

void import_result_init(struct import_result *result)
{
	*result = (struct import_result){0};
	strlist_init(&result->told);
}

void import_result_finish(struct import_result *result)
{
	strlist_finish(&result->told);
}

/* --- one message --- */

static int begin_draft(struct incoming *incoming, struct err *err)
{
	int code = maildir_draft_create(incoming->folder, &incoming->draft, err);

	if (code < 0) {
		return code;
	}
	incoming->has_draft = true;
	code = maildir_draft_write(&incoming->draft, buf_span(&incoming->first), err);
	buf_clear(&incoming->first);
	return code;
}

static int take_piece(struct incoming *incoming, struct span piece, struct err *err)
{
	int code = mail_scan_feed(incoming->scan, piece, err);

	incoming->size += piece.len;
	if (code < 0) {
		return code;
	}
	if (!incoming->has_draft && incoming->first.len + piece.len <= FIRST_MAX) {
		buf_append_span(&incoming->first, piece);
		return buf_status(&incoming->first, "a message", err);
	}
	code = incoming->has_draft ? 0 : begin_draft(incoming, err);
	return code < 0 ? code : maildir_draft_write(&incoming->draft, piece, err);
}

static int take_pieces(struct incoming *incoming, struct mail_source *source, struct err *err)
{
	struct span piece;
	int code;

	while ((code = mail_source_read(source, &piece, err)) == 0 && piece.len > 0) {
		if ((code = take_piece(incoming, piece, err)) < 0) {
			break;
		}
	}
	return code;
}

static int tell(struct incoming *incoming, const char *path, uint64_t number, const char *what,
		struct err *err)
{
	struct strlist *told = &incoming->result->told;
	struct buf line;
	int code = 0;

	buf_init(&line, 8192);
	if (told->count < TOLD_MAX && !incoming->is_again) {
		buf_printf(&line, "%s: message %llu %s", path, (unsigned long long)number, what);
		code = strlist_add(told, buf_span(&line), err);
	}
	buf_finish(&line);
	return code;
}

static int deliver(struct incoming *incoming, int64_t date, uint64_t flags, uint8_t *state,
		   struct err *err)
{
	int code;

	if ((!incoming->has_draft && (code = begin_draft(incoming, err)) < 0) ||
	    (code = maildir_draft_close(&incoming->draft, told_time(date), err)) < 0) {
		return code;
	}
	const struct delivery_item item = {
		.mailbox = incoming->mailbox,
		.folder = incoming->folder,
		.state = state,
		.draft = incoming->draft,
		.date = date,
		.flags = flags,
	};
	incoming->has_draft = false; /* it is the delivery's, whatever becomes of it */
	incoming->result->bytes += incoming->draft.size_bytes;
	return delivery_add(incoming->delivery, &item, err);
}

/* Whether the message of KEY is there, or on its way. *STATE: where what becomes of it is written,
 * where that is known: a delivery that failed has left nothing. */
static int find_twin(struct incoming *incoming, const struct mail_key *key, enum twin_kind *kind,
		     uint8_t **state, struct err *err)
{
	int code = twins_find(&incoming->twins, key, kind, state, err);

	if (code < 0 || *kind != TWIN_SAME || *state == NULL) {
		return code;
	}
	if (**state == WANT_FAILED) {
		*kind = TWIN_NONE;
	} else {
		incoming->is_doubted |= **state != WANT_DONE;
	}
	return 0;
}

static int64_t date_of(const struct mail_source_message *message, const struct mail_key *key)
{
	if (message->has_date || (!key->has_date && message->has_other_date)) {
		return message->date;
	}
	return key->has_date ? key->date : clock_real_s();
}

/* The message has ended: is it new? */
static int settle(struct incoming *incoming, const struct mail_source *source, const char *path,
		  struct err *err)
{
	const struct mail_source_message *message = mail_source_message(source);
	struct import_result *result = incoming->result;
	enum twin_kind kind = TWIN_NONE;
	struct mail_key key;
	uint8_t *state = NULL;
	int code = mail_scan_result(incoming->scan, &key, err);

	result->cut += message->is_cut && !incoming->is_again;
	if (code == 0 && message->is_cut) {
		code = tell(incoming, path, message->number, "is cut off by the end of the file",
			    err);
	}
	if (code < 0 || incoming->size == 0 ||
	    (code = find_twin(incoming, &key, &kind, &state, err)) < 0) {
		return code;
	}
	if (kind == TWIN_SAME) {
		result->held += !incoming->is_again;
		return 0;
	}
	result->unlike += kind == TWIN_UNLIKE;
	if (kind == TWIN_UNLIKE &&
	    (code = tell(incoming, path, message->number,
			 "has the header of one that the mailbox holds, and another body; it is "
			 "imported, too",
			 err)) < 0) {
		return code;
	}
	uint64_t flags = keywords_translate(message->flags, mail_source_keywords(source),
					    &incoming->mailbox->base.keywords);
	if (state == NULL && (code = twins_add(&incoming->twins, &key, &state, err)) < 0) {
		return code;
	}
	return deliver(incoming, date_of(message, &key), flags, state, err);
}

static void forget_message(struct incoming *incoming)
{
	if (incoming->has_draft) {
		maildir_draft_discard(incoming->folder, &incoming->draft);
	}
	incoming->has_draft = false;
	incoming->size = 0;
	buf_clear(&incoming->first);
}

static int take_message(struct incoming *incoming, struct mail_source *source, const char *path,
			struct err *err)
{
	int code = run_check_stop(incoming->run, err);

	code = code < 0 ? code : take_pieces(incoming, source, err);
	code = code < 0 ? code : settle(incoming, source, path, err);
	forget_message(incoming);
	return code;
}

/* --- one file --- */

/* The table of keywords is read while a batch is delivered: it learns new ones in between. */
static int learn_keywords(struct incoming *incoming, const struct mail_source *source,
			  struct err *err)
{
	const struct keywords *keywords = mail_source_keywords(source);
	int code = keywords->count > 0 ? delivery_flush(incoming->delivery, err) : 0;

	for (int i = 0; code == 0 && i < keywords->count; i++) {
		(void)keywords_intern(&incoming->mailbox->base.keywords,
				      span_of(keywords->names[i]));
	}
	return code;
}

static int take_messages(struct incoming *incoming, struct mail_source *source, const char *path,
			 struct err *err)
{
	int code = learn_keywords(incoming, source, err);

	while (code == 0 && (code = mail_source_next(source, err)) > 0) {
		code = take_message(incoming, source, path, err);
	}
	return code;
}

/* What of a Maildir is passed over is said, lest somebody thinks that all of it came. */
static int tell_rest(struct incoming *incoming, struct mail_source *source, const char *path,
		     struct err *err)
{
	struct mail_source_rest rest;
	struct buf line;
	int code = mail_source_rest(source, &rest, err);

	if (code < 0 || rest.others + rest.folders == 0) {
		return code;
	}
	buf_init(&line, 8192);
	buf_printf(&line,
		   "%s: left out: %zu entries that are no regular files, %zu folders below it, "
		   "which have to be named",
		   path, rest.others, rest.folders);
	code = strlist_add(&incoming->result->told, buf_span(&line), err);
	buf_finish(&line);
	return code;
}

static int take_file(struct incoming *incoming, const char *path, struct err *err)
{
	struct mail_source *source = NULL;

	if (incoming->is_again && mail_source_is_stdin(path)) {
		return 0;
	}
	int code = mail_source_open(&source, path, err);
	if (code == -ERR_PARTIAL && incoming->is_again) {
		return 0;
	}
	if (code == -ERR_PARTIAL) {
		incoming->result->strange++;
		return strlist_add(&incoming->result->told, span_of(err->text), err);
	}
	code = code < 0 || incoming->is_again ? code : tell_rest(incoming, source, path, err);
	code = code < 0 ? code : take_messages(incoming, source, path, err);
	mail_source_close(&source);
	return code;
}

/* --- the mailbox --- */

/* Where mail was before and the root is gone now, its disk may not be mounted. */
static int check_root(struct run *run, struct err *err)
{
	struct state_mailboxes known = {0};

	if (run->account->is_pop3 || maildir_exists(run->session->maildir)) {
		return run->account->is_pop3 ? accident_check_inbox(run, err) : 0;
	}
	int code = state_mailboxes_load(run->session->state, &known, err);
	if (code == 0 && known.count > 0) {
		code = err_set(err, ERR_BRAKE, SCOPE_ACCOUNT,
			       "%s is not there, though mail was in it; is a disk not mounted?",
			       run->account->maildir.root);
	}
	state_mailboxes_finish(&known);
	return code;
}

static int check_mailbox(const struct run *run, const char *name, struct err *err)
{
	const struct account *account = run->account;
	struct state_uses uses = {0};
	int code;

	if (account->is_pop3) {
		return strcmp(name, "INBOX") == 0 ? 0
						  : err_set(err, ERR_USAGE, SCOPE_ACCOUNT,
							    "POP3 has no mailbox but INBOX");
	}
	code = whose_uses_if_any(account, run->options, &uses, err);
	if (code == 0 && !uses_select(&uses, account, name)) {
		code = err_set(err, ERR_USAGE, SCOPE_ACCOUNT,
			       "the key `mailboxes` leaves %s out, so nothing would upload it",
			       name);
	}
	state_uses_finish(&uses);
	return code;
}

/* Before anything is made or taken. */
static int check_arguments(const struct run *run, const struct import_files *files, struct err *err)
{
	int code = check_mailbox(run, files->mailbox, err);

	for (size_t i = 0; code == 0 && i < files->count; i++) {
		code = mail_source_check(files->paths[i], err);
	}
	return code;
}

static int open_mailbox(struct incoming *incoming, const char *name, struct err *err)
{
	struct run *run = incoming->run;
	struct maildir *maildir;
	int code;

	if ((code = run_open_lock(run, err)) < 0 || (code = run_open_local(run, err)) < 0 ||
	    (code = check_root(run, err)) < 0 || (code = run_claim(run, err)) < 0) {
		return code;
	}
	maildir = run->session->maildir;
	if ((code = maildir_create_folder(maildir, name, err)) < 0 ||
	    (code = maildir_folder_open(maildir, name, &incoming->folder, err)) < 0 ||
	    (code = maildir_folder_sweep(incoming->folder, err)) < 0 ||
	    (code = mail_scan_create(&incoming->scan, err)) < 0) {
		return code;
	}
	incoming->mailbox = run_mailbox_add(run, name, err);
	incoming->delivery = incoming->mailbox ? delivery_create(run, err) : NULL;
	return incoming->delivery
		     ? twins_init(&incoming->twins, incoming->folder, incoming->scan, err)
		     : -(int)err->code;
}

static int look_at_files(struct incoming *incoming, const struct import_files *files,
			 struct err *err)
{
	struct err why;
	int code = 0;

	for (size_t i = 0; code == 0 && i < files->count; i++) {
		code = take_file(incoming, files->paths[i], err);
	}
	/* What came is kept, whatever ended it. */
	int flushed = delivery_flush(incoming->delivery, &why);
	if (code == 0 && flushed < 0) {
		*err = why;
		code = flushed;
	}
	return code;
}

static int take_files(struct incoming *incoming, const struct import_files *files,
		      const struct report *report, struct err *err)
{
	int code = look_at_files(incoming, files, err);

	/* Of what could not be delivered another copy was passed over. */
	if (code == 0 && incoming->is_doubted && report->error_count > 0) {
		incoming->is_again = true;
		code = look_at_files(incoming, files, err);
	}
	incoming->result->imported = incoming->mailbox->done.counts.downloaded;
	return code == 0 ? run_release(incoming->run, err) : code;
}

int sync_import(const struct account *account, const struct sync_options *options,
		const struct import_files *files, struct import_result *result, struct err *err)
{
	struct account own = account->is_pop3 ? pop3_account_of(account) : *account;
	struct incoming incoming = {.result = result};
	struct session session;
	struct report report;
	struct run run;

	session_init(&session, &own, options);
	report_init(&report);
	run_init(&run, &session, &report);
	incoming.run = &run;
	buf_init(&incoming.first, FIRST_MAX);
	int code = check_arguments(&run, files, err);
	code = code < 0 ? code : open_mailbox(&incoming, files->mailbox, err);
	code = code < 0 ? code : take_files(&incoming, files, &report, err);
	delivery_destroy(incoming.delivery);
	result->failed = report.error_count;
	for (size_t i = 0; i < report.error_count && result->told.count < TOLD_MAX; i++) {
		struct err ignored;
		(void)strlist_add(&result->told, span_of(report.errors[i].text), &ignored);
	}
	twins_finish(&incoming.twins);
	mail_scan_destroy(&incoming.scan);
	maildir_folder_close(&incoming.folder);
	buf_finish(&incoming.first);
	run_finish(&run);
	report_finish(&report);
	session_finish(&session);
	return code;
}
