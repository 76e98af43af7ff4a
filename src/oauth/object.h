/*
 * JSON objects from servers and from the token file: the one user of jansson. None of it is
 * trusted: at most OAUTH_FILE_MAX bytes and 32 levels deep, no key twice, no NUL; and a text that
 * has line ends or other control characters is as if it were not there.
 *
 *     object_read(&object, text, &err)       -ERR_PROTOCOL for what is no such object
 *     object_salvage(&object, text, &err)    what can be read of one
 *     object_text(object, "key")             borrowed from the object; NULL: none
 *     object_finish(&object)                 wipes all of it
 */
#ifndef OAUTH_OBJECT_H
#define OAUTH_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"
#include "mailsync/base/span.h"

struct object;

int object_create(struct object **object, struct err *err);
int object_read(struct object **object, struct span text, struct err *err);
/* For what is given once and not again. 1: TEXT is no such object, as ERR says; OBJECT has those of
 * its members that can be read and are not given twice. Errors as object_read, where none can. */
int object_salvage(struct object **object, struct span text, struct err *err);
void object_finish(struct object **object);

const char *object_text(const struct object *object, const char *key);
/* For people: control characters in it and all. */
const char *object_words(const struct object *object, const char *key);
/* A number, or a text that is one. False: there is none. */
bool object_number(const struct object *object, const char *key, int64_t *number);
bool object_is_true(const struct object *object, const char *key);
/* Item INDEX of the list KEY, where it is a text; NULL behind its end. */
const char *object_item(const struct object *object, const char *key, size_t index);
bool object_lists(const struct object *object, const char *key, const char *item);

/* The same of an object inside the object: PATH is the keys that lead there, NULL ends it. */
const char *object_text_at(const struct object *object, const char *const *path);
bool object_is_false_at(const struct object *object, const char *const *path);

/* Sets KEY; a NULL value leaves it out. -ERR_NOMEM, or -ERR_PROTOCOL for what is no UTF-8. */
int object_set_text(struct object *object, const char *key, const char *value, struct err *err);
int object_set_number(struct object *object, const char *key, int64_t value, struct err *err);
int object_set_true(struct object *object, const char *key, struct err *err);
/* ITEMS: NULL ends them. */
int object_set_list(struct object *object, const char *key, const char *const *items,
		    struct err *err);
/* Appends it as text, which holds what it holds. */
int object_write(const struct object *object, struct buf *text, struct err *err);

#endif
