/*
 * The members of a JSON object one by one, for what cannot be read as a whole: only where strings
 * and brackets end is looked at, so that a member that makes no sense costs no other. Pure.
 *
 *     members_begin(text, &rest)
 *     while (members_next(&rest, &member))
 *             ... "{" member "}" may be an object
 */
#ifndef OAUTH_MEMBERS_H
#define OAUTH_MEMBERS_H

#include <stdbool.h>

#include "mailsync/base/span.h"

/* False where TEXT does not begin as an object. */
bool members_begin(struct span text, struct span *rest);
/* The next member of *REST, without the comma. False at the end, and for one that is cut off. */
bool members_next(struct span *rest, struct span *member);

#endif
