/* The two sides of an account. A set of sides is their OR; what the keys `copy`, `flags`, `delete`
 * and the like say is such a set. */
#ifndef MAILSYNC_BASE_SIDE_H
#define MAILSYNC_BASE_SIDE_H

enum side {
	SIDE_NONE = 0,
	SIDE_LOCAL = 1,  /* the Maildir */
	SIDE_REMOTE = 2, /* the server */
	SIDE_BOTH = 3
};

/* Where something happens, for sentences. SIDE: SIDE_LOCAL or SIDE_REMOTE. */
static inline const char *side_text(enum side side)
{
	return side == SIDE_LOCAL ? "locally" : "on the server";
}
/* The one across from SIDE, one of the two. */
static inline enum side side_other(enum side side)
{
	return side == SIDE_LOCAL ? SIDE_REMOTE : SIDE_LOCAL;
}

#endif
