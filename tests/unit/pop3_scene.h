/* A listing, rows and headers, for the tests of rules/pop3_rules.h. */
#ifndef TESTS_UNIT_POP3_SCENE_H
#define TESTS_UNIT_POP3_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "rules/pop3_rules.h"

#define MANY 8

/* A listing, rows and headers on the stack. */
struct scene {
	struct pop3_item items[MANY];
	struct pop3_row rows[MANY];
	struct pair_candidate headers[MANY];
	bool is_listed[MANY];
	enum pop3_news news[MANY];
	size_t header_count;
	struct pop3_view view;
};

static inline void scene_init(struct scene *scene)
{
	memset(scene, 0, sizeof(*scene));
	scene->view = (struct pop3_view){.items = scene->items,
					 .headers = scene->headers,
					 .rows = scene->rows,
					 .is_listed = scene->is_listed,
					 .news = scene->news,
					 .whose = WHOSE_OURS};
}

static inline struct pop3_item *add_item(struct scene *scene, const char *key, uint64_t size_bytes)
{
	struct pop3_item *item = &scene->items[scene->view.count++];

	*item = (struct pop3_item){.number = (uint32_t)scene->view.count,
				   .row = POP3_NO_ROW,
				   .header = POP3_NO_ROW,
				   .size = told_unless_0(size_bytes),
				   .key = key};
	return item;
}

static inline struct pop3_row *add_row(struct scene *scene, char *uidl, uint32_t occurrence,
				       uint64_t size_bytes)
{
	static char unique[] = "1.x";
	struct pop3_row *row = &scene->rows[scene->view.row_count++];

	*row = (struct pop3_row){.id = (int64_t)scene->view.row_count,
				 .uidl = uidl,
				 .occurrence = occurrence,
				 .size = told_unless_0(size_bytes),
				 .unique = unique};
	return row;
}

static inline void give_header(struct scene *scene, struct pop3_item *item, uint8_t digest)
{
	struct pair_candidate *header = &scene->headers[scene->header_count];

	*header = (struct pair_candidate){.header_date = INT64_MIN, .size = item->size};
	memset(header->digest, digest, ROW_DIGEST_SIZE);
	item->header = (uint32_t)scene->header_count++;
}

static inline void give_digest(struct pop3_row *row, uint8_t digest)
{
	memset(row->digest, digest, ROW_DIGEST_SIZE);
	row->has_digest = true;
}

static inline void match(struct scene *scene)
{
	struct err err;

	assert_int_equal(pop3_match(&scene->view, &err), 0);
	assert_int_equal(pop3_mark_doubts(&scene->view, false, &err), 0);
}

static inline void settle(struct scene *scene)
{
	struct err err;

	assert_int_equal(pop3_settle_doubts(&scene->view, &err), 0);
}

static const struct pop3_policy open_policy = {.now = 1000,
					       .leave = LEAVE_NO,
					       .may_delete = true,
					       .may_download = true,
					       .oldest = INT64_MIN};

#endif
