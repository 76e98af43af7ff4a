#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

#define FIRST_SLOTS 1024 /* a power of two, as all that follow */

struct twin {
	uint8_t header[HEADER_DIGEST_SIZE];
	uint8_t body[CONTENT_DIGEST_SIZE];
	const struct maildir_entry *file; /* whose body is not read yet; NULL: BODY is known */
	bool is_gone;                     /* it went away meanwhile */
	uint8_t *state;                   /* NULL: it was there before */
};

#define STATES_MAX 4000
struct twin_states {
	struct twin_states *next;
	size_t count;
	uint8_t items[STATES_MAX];
};

static size_t slot_of(const struct twins *twins, const uint8_t header[HEADER_DIGEST_SIZE])
{
	uint64_t hash;

	memcpy(&hash, header, sizeof(hash));
	return (size_t)hash & (twins->slot_count - 1);
}

static void place(struct twins *twins, size_t index)
{
	size_t slot = slot_of(twins, twins->items[index].header);

	while (twins->slots[slot] != 0) {
		slot = (slot + 1) & (twins->slot_count - 1);
	}
	twins->slots[slot] = (uint32_t)index + 1;
}

/* Room for one more, at most every second slot taken. */
static int reserve(struct twins *twins, struct err *err)
{
	if (ARRAY_RESERVE(&twins->items, twins->count + 1, &twins->cap, err) < 0) {
		return -ERR_NOMEM;
	}
	if (twins->count + 1 <= twins->slot_count / 2) {
		return 0;
	}
	size_t slot_count = twins->slot_count > 0 ? twins->slot_count * 2 : FIRST_SLOTS;
	uint32_t *slots = calloc(slot_count, sizeof(*slots));
	if (slots == NULL) {
		return err_nomem(err);
	}
	free(twins->slots);
	twins->slots = slots;
	twins->slot_count = slot_count;
	for (size_t i = 0; i < twins->count; i++) {
		place(twins, i);
	}
	return 0;
}

static int add(struct twins *twins, const struct mail_key *key, const struct maildir_entry *file,
	       struct err *err)
{
	int code = reserve(twins, err);

	if (code < 0) {
		return code;
	}
	struct twin *twin = &twins->items[twins->count];
	*twin = (struct twin){.file = file};
	memcpy(twin->header, key->header, sizeof(twin->header));
	memcpy(twin->body, key->body, sizeof(twin->body));
	place(twins, twins->count++);
	return 0;
}

static int add_file(struct twins *twins, const struct maildir_entry *entry, struct err *err)
{
	struct mail_key key = {.has_date = false};
	int code = mail_key_of_file(twins->folder, entry, twins->scan, false, &key, err);

	if (code == -ERR_CHANGED) {
		return 0; /* it went away meanwhile */
	}
	return code < 0 ? code : add(twins, &key, entry, err);
}

int twins_init(struct twins *twins, struct maildir_folder *folder, struct mail_scan *scan,
	       struct err *err)
{
	*twins = (struct twins){.folder = folder, .scan = scan};
	keywords_init(&twins->keywords);
	int code = maildir_folder_scan(folder, &twins->keywords, &twins->files, err);
	for (size_t i = 0; code == 0 && i < twins->files.count; i++) {
		code = add_file(twins, &twins->files.entries[i], err);
	}
	for (size_t i = 0; code == 0 && i < twins->files.double_count; i++) {
		code = add_file(twins, &twins->files.doubles[i], err);
	}
	return code;
}

void twins_finish(struct twins *twins)
{
	maildir_scan_finish(&twins->files);
	keywords_finish(&twins->keywords);
	while (twins->states != NULL) {
		struct twin_states *next = twins->states->next;
		free(twins->states);
		twins->states = next;
	}
	free(twins->items);
	free(twins->slots);
	*twins = (struct twins){0};
}

/* Reads the body that is not known yet. */
static int know_body(struct twins *twins, struct twin *twin, struct err *err)
{
	struct mail_key key;
	int code = mail_key_of_file(twins->folder, twin->file, twins->scan, true, &key, err);

	twin->file = NULL;
	if (code == 0) {
		memcpy(twin->body, key.body, sizeof(twin->body));
	}
	twin->is_gone = code == -ERR_CHANGED;
	return twin->is_gone ? 0 : code;
}

int twins_find(struct twins *twins, const struct mail_key *key, enum twin_kind *kind,
	       uint8_t **state, struct err *err)
{
	size_t slot = twins->slot_count > 0 ? slot_of(twins, key->header) : 0;
	int code = 0;

	*kind = TWIN_NONE;
	*state = NULL;
	while (code == 0 && twins->slot_count > 0 && twins->slots[slot] != 0 &&
	       *kind != TWIN_SAME) {
		struct twin *twin = &twins->items[twins->slots[slot] - 1];
		slot = (slot + 1) & (twins->slot_count - 1);
		if (memcmp(twin->header, key->header, sizeof(twin->header)) != 0) {
			continue;
		}
		code = twin->file != NULL ? know_body(twins, twin, err) : 0;
		if (code == 0 && !twin->is_gone) {
			bool is_same = memcmp(twin->body, key->body, sizeof(twin->body)) == 0;
			*kind = is_same ? TWIN_SAME : TWIN_UNLIKE;
			*state = is_same ? twin->state : NULL;
		}
	}
	return code;
}

static uint8_t *new_state(struct twins *twins)
{
	struct twin_states *states = twins->states;

	if (states == NULL || states->count == STATES_MAX) {
		states = calloc(1, sizeof(*states));
		if (states == NULL) {
			return NULL;
		}
		states->next = twins->states;
		twins->states = states;
	}
	return &states->items[states->count++];
}

int twins_add(struct twins *twins, const struct mail_key *key, uint8_t **state, struct err *err)
{
	*state = new_state(twins);
	if (*state == NULL) {
		return err_nomem(err);
	}
	int code = add(twins, key, NULL, err);
	if (code == 0) {
		twins->items[twins->count - 1].state = *state;
	}
	return code;
}
