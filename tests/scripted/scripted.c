/* The server's mailboxes, and what tests do to them. */
#include "scripted.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"
#include "mailsync/model/flags.h"

#include "scripted_private.h"

#define FIRST_DATE   1700000000
#define TEXT_MAX     (64u << 20)
#define UIDVALIDITY0 1000

void scripted_must(int code, const struct err *err)
{
	if (code < 0) {
		fprintf(stderr, "scripted: %s\n", err->text);
		abort();
	}
}

char *scripted_copy(struct span text)
{
	char *copy = span_dup(text);
	assert(copy != NULL);
	return copy;
}

static void message_finish(struct scripted_message *message)
{
	free(message->text);
}

static void mailbox_finish(struct scripted_mailbox *mailbox)
{
	for (size_t i = 0; i < mailbox->count; i++) {
		message_finish(&mailbox->messages[i]);
	}
	free(mailbox->wire);
	free(mailbox->messages);
	free(mailbox->gone);
	keywords_finish(&mailbox->keywords);
}

struct scripted *scripted_create(void)
{
	struct scripted *server = calloc(1, sizeof(*server));
	assert(server != NULL);
	server->facts = (struct remote_facts){
		.has_move = true,
		.has_uid_expunge = true,
		.takes_many_appends = true,
		.appends_without_wait = true,
		.tells_changes = true,
		.lists_counts = true,
		.has_message_ids = true,
		.is_tls = true,
		.login_name = "SCRIPTED",
	};
	server->tells_appended_uid = true;
	server->tells_gone = true;
	server->separator = '/';
	server->now = FIRST_DATE;
	server->last_uidvalidity = UIDVALIDITY0;
	buf_init(&server->heard, 16u << 20);
	scripted_make(server, "INBOX");
	return server;
}

void scripted_destroy(struct scripted **server)
{
	if (*server == NULL) {
		return;
	}
	for (size_t i = 0; i < (*server)->count; i++) {
		mailbox_finish(&(*server)->mailboxes[i]);
	}
	free((*server)->mailboxes);
	free((*server)->faults);
	buf_finish(&(*server)->heard);
	free(*server);
	*server = NULL;
}

struct scripted *scripted_behind_door(struct scripted *server)
{
	static struct scripted *behind;
	behind = server == NULL ? behind : server;
	return behind;
}

/* In any case, and with blanks behind it. */
static bool is_folded(const char *name, const char *wire)
{
	size_t len = strlen(wire);
	while (len > 0 && wire[len - 1] == ' ') {
		len--;
	}
	return span_equal_nocase((struct span){wire, len}, name);
}

struct scripted_mailbox *scripted_find(struct scripted *server, const char *wire)
{
	for (size_t i = 0; i < server->count; i++) {
		const char *name = server->mailboxes[i].wire;
		if (strcmp(name, wire) == 0 || (server->folds_names && is_folded(name, wire))) {
			return &server->mailboxes[i];
		}
	}
	return NULL;
}

static struct scripted_mailbox *mailbox_of(struct scripted *server, const char *wire)
{
	struct scripted_mailbox *mailbox = scripted_find(server, wire);
	if (mailbox == NULL) {
		fprintf(stderr, "scripted: there is no mailbox %s\n", wire);
		abort();
	}
	return mailbox;
}

struct scripted_mailbox *scripted_make(struct scripted *server, const char *wire)
{
	struct err err;
	assert(scripted_find(server, wire) == NULL);
	scripted_must(ARRAY_RESERVE(&server->mailboxes, server->count + 1, &server->cap, &err),
		      &err);
	struct scripted_mailbox *mailbox = &server->mailboxes[server->count++];
	*mailbox = (struct scripted_mailbox){
		.wire = scripted_copy(span_of(wire)),
		.attributes = REMOTE_SUBSCRIBED,
		.uidvalidity = ++server->last_uidvalidity,
		.uidnext = 1,
		.modseq = 1,
		.permanent_flags = FLAGS_SYSTEM,
	};
	snprintf(mailbox->mailboxid, sizeof(mailbox->mailboxid), "B%llu",
		 (unsigned long long)++server->last_id);
	keywords_init(&mailbox->keywords);
	return mailbox;
}

void scripted_remove(struct scripted *server, const char *wire)
{
	struct scripted_mailbox *mailbox = mailbox_of(server, wire);
	size_t at = (size_t)(mailbox - server->mailboxes);
	mailbox_finish(mailbox);
	server->count--;
	memmove(mailbox, mailbox + 1, (server->count - at) * sizeof(*mailbox));
}

void scripted_rename(struct scripted *server, const char *wire, const char *to)
{
	size_t len = strlen(wire);
	mailbox_of(server, wire);
	for (size_t i = 0; i < server->count; i++) {
		struct scripted_mailbox *mailbox = &server->mailboxes[i];
		struct buf name;
		if (strncmp(mailbox->wire, wire, len) != 0 ||
		    (mailbox->wire[len] != '\0' && mailbox->wire[len] != server->separator)) {
			continue;
		}
		buf_init(&name, MBNAME_MAX);
		buf_printf(&name, "%s%s", to, mailbox->wire + len);
		free(mailbox->wire);
		mailbox->wire = buf_steal(&name);
		assert(mailbox->wire != NULL);
	}
}

void scripted_renumber(struct scripted *server, const char *wire, uint32_t first)
{
	struct scripted_mailbox *mailbox = mailbox_of(server, wire);
	mailbox->uidvalidity = ++server->last_uidvalidity;
	mailbox->gone_count = 0;
	for (size_t i = 0; i < mailbox->count; i++) {
		mailbox->messages[i].uid = first + (uint32_t)i;
	}
	mailbox->uidnext = first + (uint32_t)mailbox->count;
}

size_t scripted_place(const struct scripted_mailbox *mailbox, uint32_t uid)
{
	size_t at = 0;
	while (at < mailbox->count && mailbox->messages[at].uid < uid) {
		at++;
	}
	return at;
}

struct scripted_message *scripted_message(struct scripted *server, const char *wire, uint32_t uid)
{
	struct scripted_mailbox *mailbox = mailbox_of(server, wire);
	size_t at = scripted_place(mailbox, uid);
	bool is_there = at < mailbox->count && mailbox->messages[at].uid == uid;
	return is_there ? &mailbox->messages[at] : NULL;
}

static struct scripted_message *message_of(struct scripted *server, const char *wire, uint32_t uid)
{
	struct scripted_message *message = scripted_message(server, wire, uid);
	if (message == NULL) {
		fprintf(stderr, "scripted: there is no message %u in %s\n", (unsigned)uid, wire);
		abort();
	}
	return message;
}

struct scripted_message *scripted_put(struct scripted *server, struct scripted_mailbox *mailbox,
				      const struct scripted_message *like)
{
	struct err err;
	scripted_must(ARRAY_RESERVE(&mailbox->messages, mailbox->count + 1, &mailbox->cap, &err),
		      &err);
	struct scripted_message *message = &mailbox->messages[mailbox->count++];
	*message = *like;
	message->uid = mailbox->uidnext++;
	message->modseq = ++mailbox->modseq;
	message->text = malloc(like->len + 1);
	assert(message->text != NULL);
	memcpy(message->text, like->text, like->len);
	if (message->emailid[0] == '\0') {
		snprintf(message->emailid, sizeof(message->emailid), "M%llu",
			 (unsigned long long)++server->last_id);
	}
	return message;
}

uint32_t scripted_add(struct scripted *server, const char *wire, const char *flags,
		      const char *text)
{
	struct scripted_mailbox *mailbox = mailbox_of(server, wire);
	struct buf crlf;
	buf_init(&crlf, TEXT_MAX);
	for (const char *c = text; *c != '\0'; c++) {
		buf_append(&crlf, *c == '\n' ? "\r\n" : c, *c == '\n' ? 2 : 1);
	}
	struct scripted_message like = {
		.flags = flags_from_imap(span_of(flags), &mailbox->keywords, true, NULL),
		.date = server->now++,
		.size = crlf.len,
		.text = crlf.data,
		.len = crlf.len,
	};
	uint32_t uid = scripted_put(server, mailbox, &like)->uid;
	buf_finish(&crlf);
	return uid;
}

void scripted_flag(struct scripted *server, const char *wire, uint32_t uid, const char *flags)
{
	struct scripted_mailbox *mailbox = mailbox_of(server, wire);
	struct scripted_message *message = message_of(server, wire, uid);
	message->flags = flags_from_imap(span_of(flags), &mailbox->keywords, true, NULL);
	message->modseq = ++mailbox->modseq;
}

void scripted_drop(struct scripted_mailbox *mailbox, uint32_t uid)
{
	struct err err;
	size_t at = scripted_place(mailbox, uid);
	scripted_must(
		ARRAY_RESERVE(&mailbox->gone, mailbox->gone_count + 1, &mailbox->gone_cap, &err),
		&err);
	mailbox->gone[mailbox->gone_count++] = (struct scripted_gone){uid, ++mailbox->modseq};
	message_finish(&mailbox->messages[at]);
	mailbox->count--;
	memmove(mailbox->messages + at, mailbox->messages + at + 1,
		(mailbox->count - at) * sizeof(*mailbox->messages));
}

void scripted_expunge(struct scripted *server, const char *wire, uint32_t uid)
{
	message_of(server, wire, uid);
	scripted_drop(mailbox_of(server, wire), uid);
}

uint64_t scripted_translate(uint64_t flags, const struct keywords *from, struct keywords *to,
			    bool intern)
{
	struct buf names;
	buf_init(&names, 65536);
	flags_to_imap(flags, from, &names);
	uint64_t result = flags_from_imap(buf_span(&names), to, intern, NULL);
	buf_finish(&names);
	return result;
}

uint32_t scripted_move(struct scripted *server, const char *wire, uint32_t uid, const char *to)
{
	struct scripted_mailbox *source = mailbox_of(server, wire);
	struct scripted_mailbox *target = mailbox_of(server, to);
	struct scripted_message like = *message_of(server, wire, uid);
	like.flags = scripted_translate(like.flags, &source->keywords, &target->keywords, true);
	uint32_t result = scripted_put(server, target, &like)->uid;
	scripted_drop(source, uid);
	return result;
}

char *scripted_told(struct scripted *server, const char *wire)
{
	struct scripted_mailbox *mailbox = mailbox_of(server, wire);
	struct buf text;
	buf_init(&text, TEXT_MAX);
	for (size_t i = 0; i < mailbox->count; i++) {
		const struct scripted_message *message = &mailbox->messages[i];
		buf_printf(&text, "%s%u%s", i > 0 ? ", " : "", (unsigned)message->uid,
			   message->flags != 0 ? " " : "");
		flags_to_imap(message->flags, &mailbox->keywords, &text);
	}
	char *told = text.len == 0 ? scripted_copy(SPAN_LIT("")) : buf_steal(&text);
	buf_finish(&text);
	assert(told != NULL);
	return told;
}
