#include "mailsync/watch/schedule.h"

#define QUIET_HERE_MS   200 /* a program that moves or marks many does it file by file */
#define QUIET_SERVER_MS 20  /* lines that come together; servers gather, too */
#define QUIET_BUSY_MS   200 /* after a sync that has just been */
#define QUIET_MAX_MS    2000
#define BUSY_MS         1000

#define LOCKED_FIRST_MS  250
#define LOCKED_MAX_MS    5000
#define FAILED_FIRST_MS  1000
#define FAILED_MAX_MS    300000
#define REFUSED_FIRST_MS 30000
#define REFUSED_MAX_MS   900000
#define LOGIN_MAX_MS     300000 /* whether the secret is another one; nothing is sent for that */
#define WAKE_MS          1000   /* until a new address can be used */
#define STEADY_MS        60000  /* a connection that lived so long was a good one */

void schedule_init(struct schedule *schedule, const struct schedule_params *params, int64_t now,
		   uint64_t seed)
{
	*schedule = (struct schedule){
		.params = *params,
		.first_ms = SCHEDULE_NEVER,
		.look_ms = now,
		.random = seed * 2 + 1,
	};
}

static int64_t earlier(int64_t one, int64_t two)
{
	return one < two ? one : two;
}

static int64_t later(int64_t one, int64_t two)
{
	return one > two ? one : two;
}

/* Between half of MS and all of it. */
static int64_t jittered(struct schedule *schedule, int64_t ms)
{
	schedule->random = schedule->random * 6364136223846793005u + 1442695040888963407u;
	return ms - (int64_t)((schedule->random >> 33) % ((uint64_t)ms / 2 + 1));
}

/* FIRST_MS, doubled for each failure before, but at most MAX_MS. */
static int64_t doubled(int64_t first_ms, unsigned failures, int64_t max_ms)
{
	int64_t ms = first_ms;
	for (unsigned i = 1; i < failures && ms < max_ms; i++) {
		ms *= 2;
	}
	return earlier(ms, max_ms);
}

static int64_t pause_of(struct schedule *schedule, enum schedule_end end, unsigned failures)
{
	switch (end) {
	case END_WELL:
		break;
	case END_LOCKED:
		return doubled(LOCKED_FIRST_MS, failures, LOCKED_MAX_MS);
	case END_TEMPORARY:
		return jittered(schedule, doubled(FAILED_FIRST_MS, failures, FAILED_MAX_MS));
	case END_REFUSED:
		return jittered(schedule, doubled(REFUSED_FIRST_MS, failures, REFUSED_MAX_MS));
	case END_LOGIN:
		return earlier(schedule->params.interval_ms, LOGIN_MAX_MS);
	}
	return 0;
}

static void note_end(struct schedule *schedule, struct schedule_retry *retry, int64_t now,
		     enum schedule_end end, int64_t wait_ms)
{
	retry->failures = end == END_WELL ? 0 : retry->failures + 1;
	retry->not_before_ms = now + later(pause_of(schedule, end, retry->failures), wait_ms);
}

void schedule_event(struct schedule *schedule, int64_t now, enum schedule_from from)
{
	bool is_busy = schedule->running == TASK_SYNC || now - schedule->ended_ms < BUSY_MS;
	int64_t quiet_ms = from == FROM_HERE ? QUIET_HERE_MS
			 : from == FROM_WAKE ? WAKE_MS
			 : from == FROM_USER ? 0
			 : is_busy           ? QUIET_BUSY_MS
					     : QUIET_SERVER_MS;
	bool is_first = schedule->first_ms == SCHEDULE_NEVER;
	schedule->first_ms = is_first ? now : schedule->first_ms;
	schedule->quiet_ms =
		is_first || from == FROM_USER ? quiet_ms : later(schedule->quiet_ms, quiet_ms);
	schedule->last_ms = now;
	if (from == FROM_USER || from == FROM_WAKE) {
		schedule->sync = (struct schedule_retry){0};
		schedule->connect = (struct schedule_retry){0};
	}
}

static int64_t sync_ms(const struct schedule *schedule)
{
	int64_t due_ms = schedule->look_ms;
	if (schedule->first_ms != SCHEDULE_NEVER) {
		int64_t last_ms = schedule->last_ms + schedule->quiet_ms;
		due_ms = earlier(due_ms, earlier(last_ms, schedule->first_ms + QUIET_MAX_MS));
	}
	if (schedule->sync.failures > 0) { /* what failed is tried again */
		due_ms = earlier(due_ms, schedule->sync.not_before_ms);
	}
	return later(due_ms, schedule->sync.not_before_ms);
}

/* Only a server that was reached is connected to once more. */
static int64_t connect_ms(const struct schedule *schedule)
{
	bool is_wanted = schedule->params.hears && !schedule->is_hearing && schedule->has_synced;
	return is_wanted ? schedule->connect.not_before_ms : SCHEDULE_NEVER;
}

enum schedule_task schedule_task(const struct schedule *schedule, int64_t now)
{
	if (schedule->running != TASK_NONE) {
		return TASK_NONE;
	}
	if (sync_ms(schedule) <= now) {
		return TASK_SYNC;
	}
	return connect_ms(schedule) <= now ? TASK_CONNECT : TASK_NONE;
}

int64_t schedule_next_ms(const struct schedule *schedule)
{
	if (schedule->running != TASK_NONE) {
		return SCHEDULE_NEVER;
	}
	return earlier(sync_ms(schedule), connect_ms(schedule));
}

void schedule_begun(struct schedule *schedule, enum schedule_task task)
{
	schedule->running = task;
	if (task == TASK_SYNC) {
		schedule->first_ms = SCHEDULE_NEVER;
	}
}

void schedule_synced(struct schedule *schedule, int64_t now, enum schedule_end end, int64_t wait_ms)
{
	schedule->running = TASK_NONE;
	schedule->ended_ms = now;
	schedule->has_synced = end == END_WELL || (end == END_LOCKED && schedule->has_synced);
	note_end(schedule, &schedule->sync, now, end, wait_ms);
}

void schedule_looked(struct schedule *schedule, int64_t now)
{
	schedule->look_ms = now + schedule->params.interval_ms;
}

void schedule_spared(struct schedule *schedule)
{
	schedule->running = TASK_NONE;
}

void schedule_connected(struct schedule *schedule, int64_t now, enum schedule_end end,
			int64_t wait_ms)
{
	schedule->running = TASK_NONE;
	schedule->is_hearing = end == END_WELL;
	if (schedule->is_hearing) {
		schedule->connected_ms = now;
	} else {
		note_end(schedule, &schedule->connect, now, end, wait_ms);
	}
}

void schedule_lost(struct schedule *schedule, int64_t now, int64_t pause_ms)
{
	schedule->is_hearing = false;
	if (now - schedule->connected_ms >= STEADY_MS) {
		schedule->connect.failures = 0;
	}
	note_end(schedule, &schedule->connect, now, END_TEMPORARY, pause_ms);
}
