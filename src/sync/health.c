#include "health.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "mailsync/base/clock.h"
#include "mailsync/base/file.h"

#include "waiting.h"

#define DAY_S     86400
#define NOTE_SIZE 200
#define MEGABYTE  1e6

static int add_line(struct strlist *lines, const char *text, struct err *err)
{
	return strlist_add(lines, span_of(text), err);
}

static void day_of(int64_t seconds, char day[16])
{
	time_t time = (time_t)seconds;
	struct tm parts;
	if (localtime_r(&time, &parts) == NULL || strftime(day, 16, "%Y-%m-%d", &parts) == 0) {
		snprintf(day, 16, "?");
	}
}

static int note_proofs(struct state *state, struct strlist *lines, struct err *err)
{
	struct state_proofs proofs = {0};
	char text[NOTE_SIZE], day[16];
	int code = state_proofs_count(state, &proofs, err);
	if (code < 0 || proofs.messages == 0) {
		return code;
	}
	if (proofs.unproven > 0) {
		snprintf(text, sizeof(text),
			 "%" PRIu64 " of %" PRIu64
			 " messages were never verified (mailsync verify)",
			 proofs.unproven, proofs.messages);
	} else {
		int64_t age = (clock_real_s() - proofs.oldest) / DAY_S;
		day_of(proofs.oldest, day);
		snprintf(text, sizeof(text),
			 "all messages were verified; the oldest proof is of %s, %" PRId64
			 " day%s ago",
			 day, age, age == 1 ? "" : "s");
	}
	return add_line(lines, text, err);
}

bool health_space(const struct account *account, uint64_t *bytes)
{
	struct err ignored; /* a Maildir that is still to be made */
	return file_free_space(account->maildir.root, bytes, &ignored) == 0;
}

int health_quota(struct state *state, struct status_quota *quota, struct err *err)
{
	char text[NOTE_SIZE];
	int code = state_get(state, "quota_bytes", text, sizeof(text), err);
	bool is_whole = code == 0 && sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNd64, &quota->used,
					    &quota->limit, &quota->at) == 3;
	if (!is_whole) {
		*quota = (struct status_quota){0};
	}
	return code;
}

int health_notes(struct state *state, struct strlist *lines, struct err *err)
{
	char quota[NOTE_SIZE];
	int code = note_proofs(state, lines, err);
	if (code < 0 || (code = state_get(state, "quota", quota, sizeof(quota), err)) < 0) {
		return code;
	}
	return quota[0] == '\0' ? 0 : add_line(lines, quota, err);
}

/* Into TEXT for people and BYTES; "" where the server tells of no limit. */
static int ask_quota(struct remote *remote, char text[NOTE_SIZE], char bytes[NOTE_SIZE],
		     struct err *err)
{
	struct remote_quota quota = {0};
	char day[16];
	int code = remote == NULL ? 0 : remote_quota(remote, "INBOX", &quota, err);
	text[0] = bytes[0] = '\0';
	if (code < 0) {
		return code;
	}
	day_of(clock_real_s(), day);
	if (quota.limit.is_told) {
		snprintf(bytes, NOTE_SIZE, "%" PRIu64 " %" PRIu64 " %" PRId64, quota.used.number,
			 quota.limit.number, clock_real_s());
		snprintf(text, NOTE_SIZE, "quota: %.1f of %.1f MB used on the server (%s)",
			 (double)quota.used.number / MEGABYTE,
			 (double)quota.limit.number / MEGABYTE, day);
	} else if (quota.messages_limit.is_told) {
		snprintf(text, NOTE_SIZE,
			 "quota: %" PRIu64 " of %" PRIu64 " messages on the server (%s)",
			 quota.messages.number, quota.messages_limit.number, day);
	}
	return 0;
}

int health_add_space(const struct account *account, struct strlist *lines, struct err *err)
{
	char text[NOTE_SIZE];
	uint64_t bytes = 0;
	if (!health_space(account, &bytes)) {
		return 0;
	}
	snprintf(text, sizeof(text), "%.1f MB free where the Maildir is", (double)bytes / MEGABYTE);
	return add_line(lines, text, err);
}

int health_check(const struct account *account, const struct sync_options *options,
		 struct remote *remote, struct strlist *lines, struct err *err)
{
	char path[FILE_PATH_SIZE], quota[NOTE_SIZE], bytes[NOTE_SIZE];
	struct state *there = NULL, *state = NULL;
	struct err ignored;
	int code;
	if ((code = ask_quota(remote, quota, bytes, err)) < 0 ||
	    (code = health_add_space(account, lines, err)) < 0) {
		return code;
	}
	account_path(account, options, ".db", path);
	/* A look must not make one; and a run that is under way has it for itself. */
	bool is_there = state_open(&there, path, STATE_READ, &ignored) == 0;
	state_close(&there);
	if (is_there && state_open(&state, path, STATE_WRITE, &ignored) == 0 &&
	    state_set(state, "quota", quota, &ignored) == 0 &&
	    state_set(state, "quota_bytes", bytes, &ignored) == 0) {
		code = health_notes(state, lines, err);
		code = code < 0 ? code : waiting_tell(state, lines, err);
	} else if (quota[0] != '\0') {
		code = add_line(lines, quota, err);
	}
	state_close(&state);
	return code;
}
