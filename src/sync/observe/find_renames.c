/* Which mailboxes were renamed: what is gone is looked for in what is new on the same side. */
#include "observe.h"
#include "observe_private.h"

#include <stdlib.h>
#include <string.h>

#include "guard/guard.h"

#define SAMPLE_MAX 8

/* A mailbox that is gone from one side, or may be, and messages of it that must be found again. */
struct lost {
	struct mailbox *mailbox;
	struct mailbox *folder; /* that has its files: its own, or the new one (M59) */
	bool is_taken;
	struct row_list sample;
};

struct search {
	struct run *run;
	struct lost *lost;
	size_t lost_count;
	struct rename_pairs *pairs;
};

static bool is_new_on(const struct run *run, const struct mailbox *mailbox, enum side side)
{
	const struct mailbox_facts facts = mailbox_facts(run, mailbox);
	return mailbox_is_new(&facts, side);
}

void rename_pairs_finish(struct rename_pairs *pairs)
{
	free(pairs->items);
	*pairs = (struct rename_pairs){0};
}

static int lost_add(struct search *search, struct mailbox *mailbox, struct err *err)
{
	struct lost *lost = &search->lost[search->lost_count++];
	*lost = (struct lost){.mailbox = mailbox, .folder = mailbox};
	row_list_init(&lost->sample);
	return state_rows_sample(search->run->session->state, mailbox->base.id, SAMPLE_MAX,
				 &lost->sample, err);
}

static int lost_gather(struct search *search, enum side side, struct err *err)
{
	struct run *run = search->run;
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		const struct mailbox_facts facts = mailbox_facts(run, mailbox);
		bool is_wanted = side == SIDE_BOTH ? mailbox_is_lost_twice(&facts)
						   : mailbox_is_lost(&facts, side) ||
							     mailbox_may_be_lost(&facts, side);
		code = is_wanted ? lost_add(search, mailbox, err) : 0;
	}
	return code;
}

static void lost_finish(struct search *search)
{
	for (size_t i = 0; i < search->lost_count; i++) {
		row_list_finish(&search->lost[i].sample);
	}
	search->lost_count = 0;
}

static void pair_add(struct search *search, struct lost *lost, struct mailbox *to, enum side side)
{
	search->pairs->items[search->pairs->count++] =
		(struct rename_pair){.from = lost->mailbox, .to = to, .side = side};
	lost->is_taken = true;
}

static bool is_same_directory(const struct stamp_dir *one, const struct stamp_dir *two)
{
	return one->dev == two->dev && one->inode == two->inode;
}

/* How much of the sample is in SCAN, of the folder TO, by name; and whether one file at least holds
 * the message that it bears the name of. */
static int look_for_sample(const struct row_list *sample, const struct mailbox *to,
			   const struct maildir_scan *scan, struct sample_found *result,
			   struct err *err)
{
	int code = 0;
	for (size_t i = 0; i < sample->count; i++) {
		const struct row *row = &sample->items[i];
		const struct maildir_entry *entry = maildir_scan_find(scan, span_of(row->unique));
		struct file_look look;
		result->found += entry != NULL;
		if (entry == NULL || result->proven > 0) {
			continue;
		}
		int looked = observe_file(to->dir, row, entry, &look, err);
		result->proven += looked == 0 && look.verdict == CONTENT_SAME;
		code = looked < 0 && looked != -ERR_CHANGED ? looked : code;
	}
	return result->proven > 0 ? 0 : code;
}

static int compare_folder(const struct lost *lost, const struct mailbox *to,
			  const struct stamp *stamp, const struct maildir_scan *scan, bool *is_same,
			  struct err *err)
{
	const struct stamp_dir *dirs = lost->mailbox->base.stamp.dirs;
	bool has_stamp = lost->mailbox->base.has_stamp;
	struct folder_evidence evidence = {
		.is_same_directory = has_stamp && is_same_directory(&dirs[0], &stamp->dirs[0]),
		.is_same_cur = has_stamp && is_same_directory(&dirs[1], &stamp->dirs[1]),
		.sample.count = lost->sample.count,
	};
	int code = look_for_sample(&lost->sample, to, scan, &evidence.sample, err);
	*is_same = code == 0 && folder_likeness(&evidence);
	return code;
}

static int match_folder(struct search *search, struct mailbox *to, struct err *err)
{
	struct maildir_scan scan = {0};
	struct keywords keywords;
	struct stamp stamp;
	bool is_same = false;
	int code;
	keywords_init(&keywords);
	if ((code = maildir_stat(search->run->session->maildir, to->name, &stamp, err)) < 0 ||
	    (code = mailbox_open_dir(search->run, to, err)) < 0 ||
	    (code = maildir_folder_scan(to->dir, &keywords, &scan, err)) < 0) {
		goto finish;
	}
	for (size_t i = 0; code == 0 && !is_same && i < search->lost_count; i++) {
		struct lost *lost = &search->lost[i];
		if (!lost->is_taken &&
		    (code = compare_folder(lost, to, &stamp, &scan, &is_same, err)) == 0 &&
		    is_same) {
			pair_add(search, lost, to, SIDE_REMOTE);
		}
	}
finish:
	maildir_scan_finish(&scan);
	keywords_finish(&keywords);
	mailbox_release(to);
	return code;
}

/* What a message of the sample says of itself: by base's digest, else by its file, which cannot
 * tell while it cannot be read; *IS_HERE: it is there. */
static enum there is_message_of(struct run *run, struct mailbox *mailbox, const struct row *row,
				const struct header_identity *seen, bool *is_here)
{
	struct header_identity own;
	struct err why;
	char name[MAILDIR_NAME_MAX + 1];
	bool in_new = false;
	*is_here = true;
	if (row->has_digest && memcmp(row->digest, seen->digest, ROW_DIGEST_SIZE) == 0) {
		return THERE_YES;
	}
	if (mailbox_open_dir(run, mailbox, &why) < 0 ||
	    maildir_folder_find(mailbox->dir, span_of(row->unique), name, &in_new, &why) < 0 ||
	    maildir_folder_identify(mailbox->dir, name, in_new, &own, &why) < 0) {
		*is_here = why.code != ERR_CHANGED;
		return THERE_UNTOLD;
	}
	if (memcmp(own.digest, seen->digest, HEADER_DIGEST_SIZE) == 0) {
		return THERE_YES;
	}
	/* Servers rewrite headers of what is uploaded. */
	bool is_same = own.has_message_id && seen->has_message_id &&
		       strcmp(own.message_id, seen->message_id) == 0 &&
		       own.has_date == seen->has_date && (!own.has_date || own.date == seen->date);
	return is_same ? THERE_YES : THERE_NO;
}

static int cannot_tell(struct err *err)
{
	return err_set(
		err, ERR_PARTIAL, SCOPE_MAILBOX,
		"the server does not tell whether this is a mailbox that was renamed; it waits, "
		"and so does what is missing");
}

/* The sample's UIDs of which nothing was told but that may be in the mailbox that is open: all, but
 * where UID SEARCH proves some of them gone. */
static int count_untold(struct remote *remote, const struct uidset *uids, size_t *untold,
			struct err *err)
{
	struct uidset listed;
	struct uidset_cursor cursor = {0};
	struct told exists;
	uint32_t uid = 0;
	uidset_init(&listed);
	int code = remote_uids(remote, REMOTE_UIDS_ALL, &listed, &exists, err);
	bool is_proof = told_is(exists, uidset_size(&listed));
	while (code == 0 && uidset_next(uids, &cursor, &uid)) {
		*untold += !is_proof || uidset_contains(&listed, uid);
	}
	uidset_finish(&listed);
	return code;
}

/* What SEEN, one message of the mailbox that is open, is to the sample; UIDS: those not told. */
static int take_seen(struct run *run, struct lost *lost, const struct remote_identity *seen,
		     struct sample_found *sample, struct uidset *uids, struct err *err)
{
	for (size_t i = 0; i < lost->sample.count; i++) {
		const struct row *row = &lost->sample.items[i];
		if (row->uid != seen->uid) {
			continue;
		}
		bool is_here = true;
		enum there there = is_message_of(run, lost->folder, row, &seen->identity, &is_here);
		sample->found += there == THERE_YES;
		sample->untold += there == THERE_UNTOLD && is_here;
		sample->count -= !is_here; /* there is nothing to compare it with */
	}
	return uidset_remove(uids, seen->uid, seen->uid, err);
}

/* How many of the sample are in the mailbox that is open, under base's UIDs. */
static int count_same(struct run *run, struct lost *lost, struct sample_found *sample,
		      struct err *err)
{
	struct remote *remote = run->session->remote;
	struct remote_identity seen = {0};
	struct uidset uids;
	int code = 0;
	uidset_init(&uids);
	for (size_t i = 0; code == 0 && i < lost->sample.count; i++) {
		uint32_t uid = lost->sample.items[i].uid;
		code = uidset_add(&uids, uid, uid, err);
	}
	code = code < 0 ? code : remote_headers_begin(remote, &uids, err);
	while (code == 0 && (code = remote_headers_next(remote, &seen, err)) == 0 &&
	       !seen.is_done) {
		code = take_seen(run, lost, &seen, sample, &uids, err);
	}
	if (code == 0 && !seen.is_whole) {
		code = cannot_tell(err);
	}
	if (code == 0 && uids.count > 0) {
		code = count_untold(remote, &uids, &sample->untold, err);
	}
	mailbox_release(lost->folder);
	uidset_finish(&uids);
	return code;
}

static bool is_only_one(const struct search *search, const struct mailbox *to)
{
	const struct run *run = search->run;
	size_t lost = 0;
	size_t found = 0;
	for (size_t i = 0; i < search->lost_count; i++) {
		lost += told_equal(search->lost[i].mailbox->base.numbers.uidvalidity,
				   to->seen.numbers.uidvalidity);
	}
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		found +=
			is_new_on(run, mailbox, SIDE_REMOTE) &&
			told_equal(mailbox->seen.numbers.uidvalidity, to->seen.numbers.uidvalidity);
	}
	return lost == 1 && found == 1;
}

static struct mailbox_evidence evidence_of(const struct search *search, const struct lost *lost,
					   const struct mailbox *to)
{
	struct mailbox_evidence evidence = mailbox_evidence_of(lost->mailbox, to);
	evidence.is_only_one = lost->sample.count == 0 && is_only_one(search, to);
	evidence.sample.count = lost->sample.count;
	return evidence;
}

/* Whether LOST is TO; what the listing did not tell is asked for. */
static int compare(struct search *search, struct lost *lost, struct mailbox *to, bool *is_same,
		   struct err *err)
{
	struct run *run = search->run;
	struct remote *remote = run->session->remote;
	struct mailbox_evidence evidence = evidence_of(search, lost, to);
	enum likeness likeness = mailbox_likeness(&evidence);
	int code = 0;
	if (likeness == LIKENESS_BY_SAMPLE &&
	    !told_equal(remote_selected(remote, to->wire, false), to->seen.numbers.uidvalidity)) {
		code = server_ask_numbers(remote, to, err);
		evidence = evidence_of(search, lost, to);
		likeness = mailbox_likeness(&evidence);
	}
	if (code == 0 && likeness == LIKENESS_BY_SAMPLE) {
		code = count_same(run, lost, &evidence.sample, err);
		evidence.has_looked = true;
		likeness = mailbox_likeness(&evidence);
	}
	*is_same = code == 0 && likeness == LIKENESS_YES;
	return code == 0 && likeness == LIKENESS_UNTOLD ? cannot_tell(err) : code;
}

int mailbox_compare_sample(struct run *run, struct mailbox *known, struct mailbox *mailbox,
			   bool *is_same, struct err *err)
{
	struct search search = {.run = run};
	struct lost lost = {.mailbox = known, .folder = known};
	row_list_init(&lost.sample);
	int code = state_rows_sample(run->session->state, known->base.id, SAMPLE_MAX, &lost.sample,
				     err);
	code = code < 0 ? code : compare(&search, &lost, mailbox, is_same, err);
	row_list_finish(&lost.sample);
	return code;
}

static int match_mailbox(struct search *search, struct mailbox *to, struct err *err)
{
	bool is_same = false;
	int code =
		to->seen.has_counts ? 0 : server_ask_numbers(search->run->session->remote, to, err);
	for (size_t i = 0; code == 0 && !is_same && i < search->lost_count; i++) {
		struct lost *lost = &search->lost[i];
		if (!lost->is_taken && lost->mailbox != to &&
		    (code = compare(search, lost, to, &is_same, err)) == 0 && is_same) {
			pair_add(search, lost, to, SIDE_LOCAL);
		}
	}
	return code;
}

/* M38, of all that were not found. */
static void leave_lost(struct search *search, enum side side)
{
	for (size_t i = 0; i < search->lost_count; i++) {
		if (!search->lost[i].is_taken) {
			search->lost[i].mailbox->seen.untold |= side;
		}
	}
}

/* M38. One that is set aside in this pass fails at nothing: its turn comes, or it is `skipped`. */
static void leave_untold(struct search *search, struct mailbox *to, enum side side,
			 const struct err *why)
{
	if (to->seen.place == SUSPECT_GOES) {
		run_report_error(search->run, to, 0, why);
	}
	to->seen.untold |= side;
	leave_lost(search, side);
}

/* That was looked for in vain, and of which it is told that it is not there. */
static bool is_gone(const struct lost *lost)
{
	return !lost->is_taken && lost->mailbox->seen.untold == SIDE_NONE;
}

static bool has_gone(const struct search *search)
{
	bool is_any = false;
	for (size_t i = 0; i < search->lost_count; i++) {
		is_any |= is_gone(&search->lost[i]);
	}
	return is_any;
}

/* M38. Where not all mailboxes of the side were told one may have its new name there. Folders that
 * could not be looked into are reported already, lines of a listing are not. */
static int leave_unlisted(struct search *search, enum side side, struct err *err)
{
	const struct run_seen *seen = &search->run->seen;
	bool is_read = side == SIDE_LOCAL ? seen->is_tree_read : seen->is_list_read;
	bool is_same = true;
	struct err why;
	if (is_read && side == SIDE_REMOTE && has_gone(search)) {
		int code = observe_listed_again(search->run, &is_same, err); /* M58 */
		if (code < 0) {
			return code;
		}
	}
	if (is_read && is_same) {
		return 0;
	}
	err_set(&why, ERR_PARTIAL, SCOPE_MAILBOX,
		"the server does not list the mailbox any more, but %s, in which it may have "
		"another name; it waits",
		is_read ? "does not list the same ones twice either"
			: "a line of its listing cannot be read");
	for (size_t i = 0; i < search->lost_count; i++) {
		struct lost *lost = &search->lost[i];
		if (is_gone(lost) && side == SIDE_REMOTE) {
			run_report_error(search->run, lost->mailbox, 0, &why);
		}
	}
	leave_lost(search, side);
	return 0;
}

/* It was reported. */
static bool may_be_new_on(const struct run *run, const struct mailbox *mailbox, enum side side)
{
	const struct mailbox_facts facts = mailbox_facts(run, mailbox);
	return mailbox_may_be_new(&facts, side);
}

static int search_side(struct search *search, enum side side, struct err *err)
{
	struct run *run = search->run;
	bool has_doubt = false;
	int code = 0;
	for (size_t i = 0; code == 0 && search->lost_count > 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (!is_new_on(run, mailbox, side)) {
			has_doubt |= may_be_new_on(run, mailbox, side);
			continue;
		}
		code = side == SIDE_LOCAL ? match_folder(search, mailbox, err)
					  : match_mailbox(search, mailbox, err);
		if (code < 0 && !run_is_fatal(err)) {
			leave_untold(search, mailbox, side, err);
			code = 0;
		}
	}
	if (has_doubt) {
		leave_lost(search, side);
	}
	return code < 0 ? code : leave_unlisted(search, side, err);
}

/* What was lost on SIDE, and became what. */
static int search_lost(struct search *search, enum side side, struct err *err)
{
	int code = lost_gather(search, side, err);
	code = code < 0 ? code : search_side(search, side, err);
	lost_finish(search);
	return code;
}

/* M59. Leaves of the lost those whose folder was found, to be looked for on the server. */
static void keep_found_here(struct search *search)
{
	size_t kept = 0;
	for (size_t i = 0; i < search->lost_count; i++) {
		struct lost *lost = &search->lost[i];
		for (size_t k = 0; lost->is_taken && k < search->pairs->count; k++) {
			if (search->pairs->items[k].from == lost->mailbox) {
				lost->folder = search->pairs->items[k].to;
			}
		}
		if (!lost->is_taken) {
			row_list_finish(&lost->sample);
			continue;
		}
		lost->is_taken = false;
		search->lost[kept++] = *lost;
	}
	search->lost_count = kept;
}

/* M59. Base follows where it was found twice; else PAIRS keeps nothing of it. */
static void keep_found_twice(const struct run *run, struct rename_pairs *pairs)
{
	size_t kept = 0;
	for (size_t i = 0; i < pairs->count; i++) {
		const struct rename_pair here = pairs->items[i];
		for (size_t k = i + 1; here.side == SIDE_REMOTE && k < pairs->count; k++) {
			const struct rename_pair *there = &pairs->items[k];
			enum side side = rename_twice(&run->policy.mailboxes);
			if (there->side == SIDE_LOCAL && there->from == here.from &&
			    side != SIDE_NONE) {
				pairs->items[kept++] = (struct rename_pair){
					.from = here.from,
					.to = side == SIDE_LOCAL ? here.to : there->to,
					.side = side};
			}
		}
	}
	pairs->count = kept;
}

static int compare_pair(const void *x, const void *y)
{
	return strcmp(((const struct rename_pair *)x)->from->name,
		      ((const struct rename_pair *)y)->from->name);
}

static int search_begin(struct search *search, struct run *run, struct rename_pairs *pairs,
			struct err *err)
{
	size_t most = run->mailboxes.count + 1;
	*pairs = (struct rename_pairs){.items = calloc(2 * most, sizeof(*pairs->items))};
	*search = (struct search){
		.run = run, .pairs = pairs, .lost = calloc(most, sizeof(*search->lost))};
	if (search->lost == NULL || pairs->items == NULL) {
		return err_nomem(err);
	}
	return mailboxes_note_replaced(run, err);
}

int rename_find(struct run *run, struct rename_pairs *pairs, struct err *err)
{
	struct search search;
	int code;
	if ((code = search_begin(&search, run, pairs, err)) == 0 &&
	    (code = search_lost(&search, SIDE_LOCAL, err)) == 0 &&
	    (code = search_lost(&search, SIDE_REMOTE, err)) == 0) {
		qsort(pairs->items, pairs->count, sizeof(*pairs->items), compare_pair);
	}
	free(search.lost);
	return code;
}

bool rename_may_be_twice(const struct run *run)
{
	bool is_any = false;
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		const struct mailbox_facts facts = mailbox_facts(run, &run->mailboxes.items[i]);
		is_any |= mailbox_is_lost_twice(&facts);
	}
	return is_any;
}

int rename_find_twice(struct run *run, struct rename_pairs *pairs, struct err *err)
{
	struct search search;
	int code;
	if ((code = search_begin(&search, run, pairs, err)) == 0 &&
	    (code = lost_gather(&search, SIDE_BOTH, err)) == 0 &&
	    (code = search_side(&search, SIDE_LOCAL, err)) == 0) {
		keep_found_here(&search);
		code = search_side(&search, SIDE_REMOTE, err);
	}
	keep_found_twice(run, pairs);
	lost_finish(&search);
	free(search.lost);
	return code;
}
