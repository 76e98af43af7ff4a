/* The readers, one for each program. Each takes SOURCE apart and adds accounts to the facts. */
#ifndef MAILSYNC_MIGRATE_READERS_H
#define MAILSYNC_MIGRATE_READERS_H

#include "facts.h"

void migrate_mbsync(struct facts *facts);
void migrate_offlineimap(struct facts *facts);
void migrate_mpop(struct facts *facts);
void migrate_getmail(struct facts *facts);
void migrate_fetchmail(struct facts *facts);

/* What opens a section: of mbsync, and of mpop. */
extern const char *const mbsync_kinds[];
extern const char *const mpop_kinds[];
/* fetchmail's words know no lines: a section for each user of each server. */
int source_read_fetchmail(struct source *source, struct span text, struct err *err);

#endif
