/*
 * Which messages a mailbox holds already, for `import`: those of its files, by their headers alone
 * until one of the same header comes in, and those that came in. Some 70 bytes each.
 */
#ifndef SYNC_TWINS_H
#define SYNC_TWINS_H

#include <stdint.h>

#include "mailsync/store/mail_key.h"

enum twin_kind {
	TWIN_NONE,
	TWIN_SAME,
	TWIN_UNLIKE /* the same header, another body */
};

struct twin;
struct twins {
	struct maildir_folder *folder; /* borrowed, as is what stands in it: */
	struct mail_scan *scan;
	struct maildir_scan files;
	struct keywords keywords; /* of their letters: nobody asks */
	struct twin *items;
	size_t count, cap;
	uint32_t *slots; /* of a hash table: an item's index and 1; 0: none */
	size_t slot_count;
	struct twin_states *states; /* what became of those that came in, where they stay */
};

/* All that lies in FOLDER. TWINS is to be finished in any case. */
int twins_init(struct twins *twins, struct maildir_folder *folder, struct mail_scan *scan,
	       struct err *err);
void twins_finish(struct twins *twins);
/* *STATE, of one of TWIN_SAME: enum want_state of that which came in; NULL: it was there before. */
int twins_find(struct twins *twins, const struct mail_key *key, enum twin_kind *kind,
	       uint8_t **state, struct err *err);
/* KEY came in; what becomes of it is to be written to *STATE. */
int twins_add(struct twins *twins, const struct mail_key *key, uint8_t **state, struct err *err);

#endif
