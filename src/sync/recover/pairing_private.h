/*
 * A mailbox that is being paired, for the files of pairing: pairing_gather.c finds the candidates,
 * pairing_headers.c learns who the messages are, pairing.c matches them and writes down what came
 * of it. Mailboxes of any size are paired, so no row is held: candidates are small, and the rows of
 * what pairs are loaded one by one.
 */
#ifndef SYNC_RECOVER_PAIRING_PRIVATE_H
#define SYNC_RECOVER_PAIRING_PRIVATE_H

#include "pairing.h"

#include "rules/match.h"

#define PAIR_NO_ENTRY SIZE_MAX

/* What a candidate's `index` refers to. */
struct pair_ref {
	int64_t row;
	size_t entry; /* local: in the scan; PAIR_NO_ENTRY: the file is gone */
};

/* One side's candidates and what they are. */
struct pair_side {
	struct pair_candidate *items; /* in any order */
	size_t count;
	size_t cap;
	struct pair_ref *refs; /* by index */
	size_t ref_count;
	size_t ref_cap;
};

struct pairing {
	struct run *run;
	struct remote *remote;
	struct mailbox *mailbox;
	struct intents intents; /* those that are not of the trash */
	struct pair_side locals;
	struct pair_side remotes;
	bool has_base;
	bool headers_missing; /* some could not be had: intents stay open */
	bool is_late;         /* the intents are those of a run that died */
};

/* --- pairing.c --- */
const struct pair_ref *pair_ref(const struct pair_side *side,
				const struct pair_candidate *candidate);
/* Forgets the candidates whose header is not known. */
void pair_keep_identified(struct pair_side *side);

/* --- pairing_gather.c: from rows and files; where there are any of both, who the files are --- */
int pairing_gather(struct pairing *pairing, struct err *err);

/* --- pairing_headers.c: who those messages are that can have a partner; the others go --- */
int pairing_identify_remotes(struct pairing *pairing, struct err *err);

#endif
