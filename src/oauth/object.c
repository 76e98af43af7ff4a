/*
 * Invariants:
 * 1. Memory that jansson gives back is wiped: it held tokens.
 * 2. Nothing is handed to jansson before its size and depth were looked at.
 */
#include "object.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "mailsync/base/secret.h"
#include "mailsync/oauth/token.h"
#include "members.h"

#define DEPTH_MAX 32

struct object {
	json_t *root;
};

/* --- memory --- */

/* Before each piece stands its size, in room that keeps the piece aligned. */
#define SIZE_ROOM 16

static void *wiped_malloc(size_t size)
{
	char *room = size <= SIZE_MAX - SIZE_ROOM ? malloc(size + SIZE_ROOM) : NULL;

	if (!room) {
		return NULL;
	}
	memcpy(room, &size, sizeof(size));
	return room + SIZE_ROOM;
}

static void wiped_free(void *piece)
{
	size_t size;

	if (piece) {
		char *room = (char *)piece - SIZE_ROOM;
		memcpy(&size, room, sizeof(size));
		secret_wipe(room, size + SIZE_ROOM);
		free(room);
	}
}

static void set_memory(void)
{
	json_set_alloc_funcs(wiped_malloc, wiped_free);
}

/* Before the first use. */
static void prepare(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, set_memory);
}

/* --- reading --- */

/* False where brackets are nested deeper than DEPTH_MAX. Counts no bracket that stands in a text.
 */
static bool is_shallow(struct span text)
{
	bool in_text = false;
	int depth = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (in_text && c == '\\') {
			i++;
		} else if (c == '"') {
			in_text = !in_text;
		} else if (!in_text && (c == '{' || c == '[')) {
			if (++depth > DEPTH_MAX) {
				return false;
			}
		} else if (!in_text && (c == '}' || c == ']')) {
			depth--;
		}
	}
	return true;
}

static int create(struct object **object, json_t *root, struct err *err)
{
	struct object *created = root ? calloc(1, sizeof(*created)) : NULL;

	if (!created) {
		json_decref(root);
		return err_nomem(err);
	}
	created->root = root;
	*object = created;
	return 0;
}

int object_create(struct object **object, struct err *err)
{
	prepare();
	return create(object, json_object(), err);
}

static struct span without_mark(struct span text)
{
	static const char mark[] = "\xEF\xBB\xBF"; /* that some servers begin with */
	size_t len = text.len >= 3 && memcmp(text.data, mark, 3) == 0 ? 3 : 0;

	return (struct span){text.data + len, text.len - len};
}

int object_read(struct object **object, struct span text, struct err *err)
{
	json_error_t error;

	prepare();
	text = without_mark(text);
	if (text.len > OAUTH_FILE_MAX) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT, "it is larger than %d bytes",
			       OAUTH_FILE_MAX);
	}
	if (!is_shallow(text)) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT, "it is nested too deeply");
	}
	json_t *root = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &error);
	if (!root && json_error_code(&error) == json_error_out_of_memory) {
		return err_nomem(err);
	}
	if (!json_is_object(root)) {
		json_decref(root);
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT, "it is no JSON object");
	}
	return create(object, root, err);
}

/* Puts what MEMBER says into OBJECT, where it says anything; a name given twice says nothing. */
static int add_member(struct object *object, struct span member, struct err *err)
{
	struct object *only = NULL;
	struct buf text;
	const char *key;
	json_t *value;

	buf_init(&text, OAUTH_FILE_MAX);
	buf_append_char(&text, '{');
	buf_append_span(&text, member);
	buf_append_char(&text, '}');
	int code = buf_status(&text, "a JSON object", err);
	code = code < 0 ? code : object_read(&only, buf_span(&text), err);
	buf_finish_secret(&text);
	if (code < 0) {
		return code == -ERR_NOMEM ? code : 0;
	}
	json_object_foreach(only->root, key, value)
	{
		const json_t *other = json_object_get(object->root, key);
		bool is_told = other == NULL || json_equal(other, value);
		/* False: what nobody asks for as a text or a number. */
		value = is_told ? json_incref(value) : json_false();
		if (json_object_set_new(object->root, key, value) != 0) {
			code = err_nomem(err);
		}
	}
	object_finish(&only);
	return code;
}

static int add_members(struct object *object, struct span text, struct err *err)
{
	struct span rest, member;
	int code = 0;

	if (members_begin(text, &rest)) {
		while (code == 0 && members_next(&rest, &member)) {
			code = add_member(object, member, err);
		}
	}
	return code;
}

int object_salvage(struct object **object, struct span text, struct err *err)
{
	struct object *parts = NULL;
	struct err why;
	int code = object_read(object, text, err);

	text = without_mark(text);
	if (code != -ERR_PROTOCOL || text.len > OAUTH_FILE_MAX) {
		return code;
	}
	if ((code = object_create(&parts, &why)) < 0 ||
	    (code = add_members(parts, text, &why)) < 0) {
		object_finish(&parts);
		*err = why;
		return code;
	}
	if (json_object_size(parts->root) == 0) {
		object_finish(&parts);
		return -(int)err->code;
	}
	*object = parts;
	return 1;
}

void object_finish(struct object **object)
{
	if (*object) {
		json_decref((*object)->root);
		free(*object);
		*object = NULL;
	}
}

/* --- asking --- */

static bool is_one_line(const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c < ' ' || c == 0x7F) {
			return false;
		}
	}
	return true;
}

/* NULL: none, or not to be used. */
static const char *text_of(const json_t *value)
{
	const char *text = json_string_value(value);

	return text && is_one_line(text) ? text : NULL;
}

const char *object_text(const struct object *object, const char *key)
{
	return text_of(json_object_get(object->root, key));
}

const char *object_words(const struct object *object, const char *key)
{
	return json_string_value(json_object_get(object->root, key));
}

bool object_number(const struct object *object, const char *key, int64_t *number)
{
	const json_t *value = json_object_get(object->root, key);
	const char *text = text_of(value);
	uint64_t unsign;

	if (json_is_integer(value)) {
		*number = (int64_t)json_integer_value(value);
		return true;
	}
	if (json_is_real(value) && json_real_value(value) > -1e15 &&
	    json_real_value(value) < 1e15) {
		*number = (int64_t)json_real_value(value);
		return true;
	}
	if (text && span_to_u64(span_of(text), &unsign) && unsign <= INT64_MAX) {
		*number = (int64_t)unsign;
		return true;
	}
	return false;
}

bool object_is_true(const struct object *object, const char *key)
{
	return json_is_true(json_object_get(object->root, key));
}

const char *object_item(const struct object *object, const char *key, size_t index)
{
	return text_of(json_array_get(json_object_get(object->root, key), index));
}

bool object_lists(const struct object *object, const char *key, const char *item)
{
	size_t count = json_array_size(json_object_get(object->root, key));

	for (size_t i = 0; i < count; i++) {
		const char *text = object_item(object, key, i);
		if (text && strcmp(text, item) == 0) {
			return true;
		}
	}
	return false;
}

/* NULL: it leads nowhere. */
static const json_t *value_at(const struct object *object, const char *const *path)
{
	const json_t *value = object->root;

	for (; value && *path; path++) {
		value = json_object_get(value, *path);
	}
	return value;
}

const char *object_text_at(const struct object *object, const char *const *path)
{
	return text_of(value_at(object, path));
}

bool object_is_false_at(const struct object *object, const char *const *path)
{
	return json_is_false(value_at(object, path));
}

/* --- writing --- */

static int set(struct object *object, const char *key, json_t *value, struct err *err)
{
	if (!value || json_object_set_new(object->root, key, value) != 0) {
		return err_nomem(err);
	}
	return 0;
}

int object_set_text(struct object *object, const char *key, const char *value, struct err *err)
{
	if (!value) {
		return 0;
	}
	json_t *text = json_string(value);
	if (!text) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the text for \"%s\" is not UTF-8, or there is no memory for it",
			       key);
	}
	return set(object, key, text, err);
}

int object_set_number(struct object *object, const char *key, int64_t value, struct err *err)
{
	return set(object, key, json_integer(value), err);
}

int object_set_true(struct object *object, const char *key, struct err *err)
{
	return set(object, key, json_true(), err);
}

int object_set_list(struct object *object, const char *key, const char *const *items,
		    struct err *err)
{
	json_t *list = json_array();

	for (; list && *items; items++) {
		if (json_array_append_new(list, json_string(*items)) != 0) {
			json_decref(list);
			return err_nomem(err);
		}
	}
	return set(object, key, list, err);
}

static int append(const char *text, size_t len, void *context)
{
	struct buf *out = context;

	buf_append(out, text, len);
	return out->failed;
}

int object_write(const struct object *object, struct buf *text, struct err *err)
{
	if (json_dump_callback(object->root, append, text, JSON_INDENT(1) | JSON_SORT_KEYS) != 0 &&
	    text->failed == 0) {
		return err_nomem(err);
	}
	return buf_status(text, "a JSON object", err);
}
