/*
 * --repair: what is missing or damaged here is fetched again, where the server's bytes are the ones
 * that base knows. Nothing is deleted and nothing overwritten: a damaged file is first copied into
 * ACCOUNT.damaged beside the state, then changes places with the right one at once (I4: whenever it
 * is cut there is one of the two under that name, and base says the same of both).
 */
#include "verify.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mailsync/base/array.h"
#include "mailsync/base/clock.h"
#include "mailsync/base/digest.h"
#include "mailsync/base/file.h"

#include "fetch/fetch.h"
#include "guard/guard.h"
#include "observe/observe.h"
#include "pop3/pop3_run.h"

#define REPAIR_ROWS 100 /* fetched, and delivered, at a time */

struct repair {
	struct verify *verify;
	struct mailbox *mailbox;
	struct maildir_folder *folder;
	struct remote *remote;
	struct delivery *delivery;
	char key[MAILDIR_KEY_SIZE];
	/* Those of one fetch: */
	struct row_list rows; /* ascending by UID, as `wants` */
	struct row *of[REPAIR_ROWS];
	uint8_t states[REPAIR_ROWS];
	struct wants wants;
	const struct verify_wish *wishes[REPAIR_ROWS];
	struct delivery_repair repairs[REPAIR_ROWS];
	char uniques[REPAIR_ROWS][MAILDIR_NAME_MAX + 1];
	char files[REPAIR_ROWS][MAILDIR_NAME_MAX + 1];
	struct maildir_draft draft; /* of the body that is coming in */
	bool has_draft;
	bool is_whole;
	const struct pop3_rows *maildrop; /* POP3: base's rows; else NULL */
};

static void drop_draft(struct repair *repair)
{
	if (repair->has_draft) {
		maildir_draft_discard(repair->folder, &repair->draft);
	}
	repair->has_draft = false;
	repair->is_whole = false;
}

/* Why a wish stays one. */
static void tell(struct repair *repair, const struct row *row, const struct err *why)
{
	uint32_t uid = repair->maildrop != NULL ? 0 : row->uid;
	run_report_error(repair->verify->run, repair->mailbox, uid, why);
}

/* The directory of damaged files. */
static int open_aside(const struct repair *repair, int *fd, struct err *err)
{
	const struct run *run = repair->verify->run;
	char path[FILE_PATH_SIZE];
	account_path(run->account, run->options, ".damaged", path);
	int code = file_make_dirs(path, err);
	return code < 0 ? code : file_open_dir(AT_FDCWD, path, true, fd, err);
}

/* Copies the open file FD into DIR as NAME, durably. One that is there already is the same: its
 * name tells its content. */
static int copy_aside(int dir, int fd, const char *name, struct err *err)
{
	char temp[MAILDIR_NAME_MAX + 1];
	int copy = -1;
	int code;
	struct err ignored;
	snprintf(temp, sizeof(temp), ".%.200s.tmp", name);
	if ((code = file_unlink(dir, temp, err)) < 0 ||
	    (code = file_create(dir, temp, &copy, err)) < 0) {
		return code;
	}
	if ((code = file_copy(fd, copy, name, err)) == 0 && (code = file_sync(copy, err)) == 0) {
		code = file_publish(dir, temp, dir, name, err);
	}
	close(copy);
	if (code == -ERR_CHANGED) {
		code = file_unlink(dir, temp, err);
	} else if (code < 0) {
		(void)file_unlink(dir, temp, &ignored);
	}
	return code < 0 ? code : file_sync_dir(dir, err);
}

/* Keeps a copy of the damaged file of place INDEX, and notes what it is. */
static int keep_damaged(struct repair *repair, size_t index, struct err *err)
{
	struct delivery_repair *damage = &repair->repairs[index];
	struct maildir_proof proof;
	char hex[2 * CONTENT_DIGEST_SIZE + 1];
	char name[MAILDIR_NAME_MAX + 1];
	struct maildir_file file;
	int fd = -1, dir = -1;
	int code;
	if ((code = maildir_prover_read(repair->verify->prover, repair->folder, damage->damaged,
					damage->in_new, &proof, err)) < 0 ||
	    (code = maildir_folder_open_file(repair->folder, damage->damaged, damage->in_new, &fd,
					     &file, err)) < 0) {
		return code;
	}
	damage->mark = maildir_file_mark(&proof.file);
	hex_encode(proof.content, sizeof(proof.content), hex);
	snprintf(name, sizeof(name), "%.180s.%.16s", damage->unique, hex);
	if ((code = open_aside(repair, &dir, err)) == 0) {
		code = copy_aside(dir, fd, name, err);
		close(dir);
	}
	close(fd);
	return code;
}

/* Base's digest decides; where there is none, the header's. */
static bool is_right(const struct row *row, const struct maildir_draft *draft)
{
	if (row->has_content) {
		return memcmp(row->content, draft->content, ROW_CONTENT_SIZE) == 0;
	}
	return row->has_digest && memcmp(row->digest, draft->digest, ROW_DIGEST_SIZE) == 0;
}

static int deliver(struct repair *repair, size_t index, struct told_time date, struct err *err)
{
	struct row *row = repair->wants.rows[index];
	int64_t seconds = told_time_or(row->date.is_told ? row->date : date, clock_real_s());
	int code = maildir_draft_close(&repair->draft, told_time(seconds), err);
	if (code == 0 && !is_right(row, &repair->draft)) {
		err_set(err, ERR_PARTIAL, SCOPE_MESSAGE,
			"the server's message is not the one that was here, so it is not repaired");
		tell(repair, row, err);
		repair->states[index] = WANT_FAILED;
		return 0;
	}
	if (code == 0 && repair->repairs[index].damaged != NULL) {
		code = keep_damaged(repair, index, err);
	}
	if (code < 0) {
		return code;
	}
	const struct delivery_item item = {
		.mailbox = repair->mailbox,
		.folder = repair->folder,
		.state = &repair->states[index],
		.draft = repair->draft,
		.date = seconds,
		.flags = row->local_flags,
		.row = repair->maildrop != NULL ? NULL : row,
		.repair = &repair->repairs[index],
		.key = repair->key,
	};
	repair->has_draft = false;
	return delivery_add(repair->delivery, &item, err);
}

static int take_message(struct repair *repair, const struct remote_body *body, struct err *err)
{
	size_t index = body->uid == 0 ? WANT_NONE : wants_find(&repair->wants, body->uid);
	int code = 0;
	if (index != WANT_NONE && repair->states[index] == WANT_OPEN && repair->is_whole &&
	    body->has_body) {
		code = deliver(repair, index, body->date, err);
		if (code < 0 && !run_is_fatal(err)) {
			tell(repair, repair->wants.rows[index], err);
			repair->states[index] = WANT_FAILED;
			code = 0;
		}
	}
	drop_draft(repair);
	return code;
}

static int take(struct repair *repair, const struct remote_body *body, struct err *err)
{
	int code;
	switch (body->type) {
	case REMOTE_FETCHED_BEGIN:
		drop_draft(repair);
		repair->draft = (struct maildir_draft){.fd = -1};
		code = maildir_draft_create(repair->folder, &repair->draft, err);
		repair->has_draft = code == 0;
		return code;
	case REMOTE_FETCHED_DATA:
		return repair->has_draft ? maildir_draft_write(&repair->draft, body->data, err) : 0;
	case REMOTE_FETCHED_END:
		repair->is_whole = true;
		break;
	case REMOTE_FETCHED_MESSAGE:
		return take_message(repair, body, err);
	case REMOTE_FETCHED_OPENED:
	case REMOTE_FETCHED_DONE:
		break;
	}
	return 0;
}

static int fetch_numbered(struct repair *repair, struct err *err)
{
	struct uidset uids;
	bool is_done = false;
	int code = 0;
	uidset_init(&uids);
	for (size_t i = 0; code == 0 && i < repair->wants.count; i++) {
		uint32_t uid = repair->wants.rows[i]->uid;
		code = uidset_add(&uids, uid, uid, err);
	}
	code = code < 0 ? code : remote_fetch_queue(repair->remote, REMOTE_WHOLE, &uids, 1, err);
	while (code == 0 && !is_done) {
		struct remote_body body;
		if ((code = remote_fetch_next(repair->remote, &body, err)) == 0 &&
		    (code = take(repair, &body, err)) == 0) {
			is_done = body.type == REMOTE_FETCHED_DONE;
			code = run_check_stop(repair->verify->run, err);
		}
	}
	drop_draft(repair);
	uidset_finish(&uids);
	return code;
}

/* --- over POP3 --- */

static size_t place_of(const struct repair *repair, int64_t row)
{
	for (size_t i = 0; i < repair->wants.count; i++) {
		if (repair->of[i]->id == row && repair->states[i] == WANT_OPEN) {
			return i;
		}
	}
	return WANT_NONE;
}

static bool wants(void *context, const struct pop3_row *row)
{
	return place_of(context, row->id) != WANT_NONE;
}

static int begin(void *context, const struct pop3_row *row, struct err *err)
{
	(void)row;
	return take(context, &(struct remote_body){.type = REMOTE_FETCHED_BEGIN}, err);
}

static int feed(void *context, struct span data, struct err *err)
{
	return take(context, &(struct remote_body){.type = REMOTE_FETCHED_DATA, .data = data}, err);
}

/* Base's digest decides whether it is whole. */
static int end(void *context, const struct pop3_row *row, bool is_whole, struct err *err)
{
	struct repair *repair = context;
	size_t place = place_of(repair, row->id);
	(void)is_whole;
	repair->is_whole = true;
	return take(context,
		    &(struct remote_body){
			    .type = REMOTE_FETCHED_MESSAGE,
			    .uid = place == WANT_NONE ? 0 : repair->of[place]->uid,
			    .has_body = true,
		    },
		    err);
}

static int refused(void *context, const struct pop3_row *row, struct span words, struct err *err)
{
	(void)context;
	(void)row;
	(void)words;
	(void)err;
	return 0; /* note() tells */
}

static int fetch_maildrop(struct repair *repair, struct err *err)
{
	const struct pop3_reader reader = {
		.context = repair,
		.wants = wants,
		.begin = begin,
		.data = feed,
		.end = end,
		.refused = refused,
	};
	int code = pop3_look_read(repair->verify->run, &reader, err);
	drop_draft(repair);
	return code;
}

static int fetch(struct repair *repair, struct err *err)
{
	return repair->maildrop != NULL ? fetch_maildrop(repair, err) : fetch_numbered(repair, err);
}

/* What came of it: the findings say so, and the messages are proven. */
static int note(struct repair *repair, struct err *err)
{
	struct verify *verify = repair->verify;
	int code = 0;
	for (size_t i = 0; code == 0 && i < repair->wants.count; i++) {
		const struct state_proof shown = {
			.id = repair->of[i]->id,
			.is_pop3 = repair->maildrop != NULL,
			.now = verify->now,
		};
		if (repair->states[i] == WANT_OPEN) {
			struct err why;
			err_set(&why, ERR_PARTIAL, SCOPE_MESSAGE,
				"the server did not give the message, so it is not repaired");
			tell(repair, repair->of[i], &why);
		}
		if (repair->states[i] == WANT_DONE) {
			verify->report->findings[repair->wishes[i]->finding].is_repaired = true;
			verify->report->repaired++;
			code = state_prove(verify->run->session->state, &shown, err);
		}
	}
	return code;
}

/* The row of WISH, at the end of the list; *ROW is NULL where its message is not to be had. */
static int load_row(struct repair *repair, const struct verify_wish *wish, struct row **row,
		    struct err *err)
{
	struct row_list *rows = &repair->rows;
	const struct pop3_rows *maildrop = repair->maildrop;
	bool found = false;
	int code = 0;
	*row = NULL;
	for (size_t i = 0; maildrop != NULL && code == 0 && !found && i < maildrop->count; i++) {
		found = maildrop->items[i].id == wish->row;
		code = found ? verify_pop3_row(rows, wish->mailbox, &maildrop->items[i], err) : 0;
	}
	if (maildrop == NULL) {
		struct row *added = row_list_add(rows, err);
		code = added == NULL ? -ERR_NOMEM
				     : state_row_by_id(repair->verify->run->session->state,
						       wish->row, added, &found, err);
	}
	if (code < 0 || !found) {
		return code;
	}
	*row = &rows->items[rows->count - 1];
	if (maildrop != NULL) { /* it has no UID: its place tells it */
		(*row)->uid = (uint32_t)repair->wants.count + 1;
	} else if ((*row)->remote != MESSAGE_PRESENT || (*row)->uid == 0) {
		*row = NULL;
	}
	return 0;
}

/* Whether WISH can be fetched; then it has a place of its own. */
static int add(struct repair *repair, const struct verify_wish *wish, struct err *err)
{
	size_t index = repair->wants.count;
	struct row *row = NULL;
	struct delivery_repair *damage = &repair->repairs[index];
	int code = load_row(repair, wish, &row, err);
	if (code < 0 || row == NULL) {
		return code;
	}
	snprintf(repair->uniques[index], sizeof(repair->uniques[index]), "%s", row->unique);
	*damage = (struct delivery_repair){.unique = repair->uniques[index]};
	if (wish->is_damaged) {
		code = maildir_folder_find(repair->folder, span_of(row->unique),
					   repair->files[index], &damage->in_new, err);
		damage->damaged = repair->files[index];
	}
	if (code < 0) {
		return code == -ERR_CHANGED ? 0 : code;
	}
	repair->of[index] = row;
	repair->states[index] = WANT_OPEN;
	repair->wishes[index] = wish;
	repair->wants.count++;
	return 0;
}

/* COUNT wishes of the mailbox, at most REPAIR_ROWS. */
static int repair_some(struct repair *repair, const struct verify_wish *const *wishes, size_t count,
		       struct err *err)
{
	row_list_finish(&repair->rows);
	/* At once: rows are pointed to. */
	int code = ARRAY_RESERVE(&repair->rows.items, count, &repair->rows.cap, err);
	repair->wants.count = 0;
	repair->wants.rows = repair->of;
	repair->wants.states = repair->states;
	for (size_t i = 0; code == 0 && i < count; i++) {
		code = add(repair, wishes[i], err);
	}
	if (code == 0 && repair->wants.count > 0 && (code = fetch(repair, err)) == 0 &&
	    (code = delivery_flush(repair->delivery, err)) == 0) {
		code = note(repair, err);
	}
	return code;
}

static int open_mailbox(struct repair *repair, const char *wire, struct err *err)
{
	struct run *run = repair->verify->run;
	struct mailbox *mailbox = repair->mailbox;
	int code;
	if ((code = run_claim(run, err)) < 0) {
		return code;
	}
	if (!(mailbox->seen.in & SIDE_LOCAL) &&
	    (code = maildir_create_folder(run->session->maildir, mailbox->name, err)) < 0) {
		return code;
	}
	if ((code = mailbox_open_folder(run, mailbox, &repair->folder, err)) < 0 ||
	    (repair->maildrop == NULL &&
	     (code = remote_open(repair->remote, wire, REMOTE_READ,
				 mailbox->base.numbers.uidvalidity, NULL, err)) < 0)) {
		return code;
	}
	repair->delivery = delivery_create(run, err);
	return repair->delivery == NULL
		     ? -ERR_NOMEM
		     : maildir_folder_key(run->account->name, mailbox->name, repair->key, err);
}

static int compare_rows(const void *x, const void *y)
{
	const struct verify_wish *one = *(const struct verify_wish *const *)x;
	const struct verify_wish *other = *(const struct verify_wish *const *)y;
	return (one->uid > other->uid) - (one->uid < other->uid);
}

/* MAILDROP: NULL over IMAP, where WIRE is its name. */
static int repair_mailbox(struct verify *verify, struct mailbox *mailbox, const char *wire,
			  const struct pop3_rows *maildrop, struct err *err)
{
	struct repair *repair = calloc(1, sizeof(*repair));
	const struct verify_wish **wishes =
		calloc(verify->wishes.count + 1, sizeof(struct verify_wish *));
	size_t count = 0;
	int code = repair == NULL || wishes == NULL ? err_nomem(err) : 0;
	for (size_t i = 0; code == 0 && i < verify->wishes.count; i++) {
		if (verify->wishes.items[i].mailbox == mailbox->base.id) {
			wishes[count++] = &verify->wishes.items[i];
		}
	}
	if (code == 0 && count > 0) {
		repair->verify = verify;
		repair->mailbox = mailbox;
		repair->maildrop = maildrop;
		repair->remote = verify->run->session->remote;
		qsort(wishes, count, sizeof(*wishes), compare_rows);
		code = open_mailbox(repair, wire, err);
		for (size_t i = 0; code == 0 && i < count; i += REPAIR_ROWS) {
			size_t rest = count - i;
			code = repair_some(repair, wishes + i,
					   rest < REPAIR_ROWS ? rest : REPAIR_ROWS, err);
		}
		delivery_destroy(repair->delivery);
		maildir_folder_close(&repair->folder);
		row_list_finish(&repair->rows);
	}
	free(wishes);
	free(repair);
	return code;
}

/* The names that the server has for the mailboxes are known from the look ahead; all else that the
 * run knows is of the scratch copy, and is gathered anew. */
static int gather_anew(struct run *run, struct strlist *wires, struct strlist *names,
		       struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		if (mailbox->wire != NULL &&
		    (code = strlist_add(names, span_of(mailbox->name), err)) == 0) {
			code = strlist_add(wires, span_of(mailbox->wire), err);
		}
	}
	return code < 0 ? code : observe_mailboxes_here(run, err);
}

/* The look at the maildrop is still open (maildrop.c), unless INBOX could not be proven. */
static int repair_maildrop(struct verify *verify, struct err *err)
{
	struct run *run = verify->run;
	struct mailbox *inbox = run_mailbox(run, "INBOX");
	struct pop3_rows rows = {0};
	int code = state_pop3_load(run->session->state, &rows, err);
	if (code == 0 && inbox != NULL && run->pop3 != NULL) {
		mailbox_release(inbox);
		code = repair_mailbox(verify, inbox, NULL, &rows, err);
		code = run_outlives(run, inbox, code, NULL, err);
	}
	state_pop3_finish(&rows);
	return code < 0 ? code : run_release(run, err);
}

int verify_repair(struct verify *verify, struct err *err)
{
	struct run *run = verify->run;
	if (run->account->is_pop3) {
		return repair_maildrop(verify, err);
	}
	struct strlist wires, names;
	strlist_init(&wires);
	strlist_init(&names);
	int code = gather_anew(run, &wires, &names, err);
	for (size_t i = 0; code == 0 && i < names.count; i++) {
		struct mailbox *mailbox = run_mailbox(run, names.items[i]);
		if (mailbox == NULL || !mailbox->in_base) {
			continue;
		}
		code = repair_mailbox(verify, mailbox, wires.items[i], NULL, err);
		code = run_outlives(run, mailbox, code, NULL, err);
	}
	strlist_finish(&wires);
	strlist_finish(&names);
	return code < 0 ? code : run_release(run, err);
}
