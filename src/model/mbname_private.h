/* What the files of mbname share: canonical names, taken apart and checked. */
#ifndef MAILSYNC_MODEL_MBNAME_PRIVATE_H
#define MAILSYNC_MODEL_MBNAME_PRIVATE_H

#include "mailsync/model/mbname.h"

/* The next component of *REST, which begins behind a separator; false when there is none. An
 * empty component is a component. *REST.data is NULL behind the last. */
bool mbname_component_next(struct span *rest, char separator, struct span *component);

/* Two hexadecimal digits of either case at TEXT's byte AT. */
bool mbname_hex_at(struct span text, size_t at);

/* 0 when NAME is canonical, else -ERR_PARTIAL with the reason. */
int mbname_check(struct span name, struct err *err);

/* -ERR_PARTIAL, scope mailbox: "the mailbox name NAME REASON". */
int mbname_refuse(struct span name, const char *reason, struct err *err);

#endif
