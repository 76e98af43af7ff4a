/*
 * When an account that is watched is synced, and when a connection is made that hears of its
 * server. Pure: the time comes in, and what is due comes out. Times are of clock_monotonic_ms();
 * SCHEDULE_NEVER is later than all.
 *
 *     schedule_init(&schedule, &params, now, seed)
 *     schedule_event(&schedule, now, from)            somebody said "look there"
 *     schedule_task(&schedule, now)                   what is to be begun now, if anything
 *     schedule_begun(&schedule, task), schedule_synced(...) or schedule_connected(...)
 *     schedule_next_ms(&schedule)                     when to ask again
 *
 * An account does one thing at a time. A look that finds nothing costs little, so an event that was
 * for nothing, or twice, does no harm.
 */
#ifndef MAILSYNC_WATCH_SCHEDULE_H
#define MAILSYNC_WATCH_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#define SCHEDULE_NEVER INT64_MAX

enum schedule_task {
	TASK_NONE,
	TASK_SYNC,
	TASK_CONNECT /* the connection that hears of the server */
};

enum schedule_from {
	FROM_SERVER,
	FROM_HERE,
	FROM_USER, /* at once, whatever is waited for */
	FROM_WAKE  /* the machine slept or has another address: what is waited for may be over */
};

/* How a sync or a connection ended, as far as it matters for when to try again. */
enum schedule_end {
	END_WELL,      /* the server was reached */
	END_LOCKED,    /* another run holds the lock */
	END_TEMPORARY, /* network, disk: soon, then less and less often */
	END_REFUSED,   /* the server wants fewer, or none of us */
	END_LOGIN      /* the login; the run itself knows when the next try is due */
};

struct schedule_params {
	int64_t interval_ms; /* between two looks that nothing calls for */
	bool hears;          /* a connection that hears is wanted */
};

/* Tries that failed one after another, and when the next is due. */
struct schedule_retry {
	unsigned failures;
	int64_t not_before_ms; /* 0: at any time */
};

struct schedule {
	struct schedule_params params;
	enum schedule_task running;
	int64_t first_ms; /* of the events that no sync took up; SCHEDULE_NEVER: there is none */
	int64_t quiet_ms; /* how long none may follow the last one */
	int64_t last_ms;
	int64_t look_ms;      /* the next look of the interval */
	int64_t ended_ms;     /* of the last sync */
	int64_t connected_ms; /* since when it hears */
	struct schedule_retry sync;
	struct schedule_retry connect;
	bool has_synced; /* once, and the last time well */
	bool is_hearing;
	uint64_t random; /* for the jitter: many that lost one server shall not come back at once */
};

void schedule_init(struct schedule *schedule, const struct schedule_params *params, int64_t now,
		   uint64_t seed);
void schedule_event(struct schedule *schedule, int64_t now, enum schedule_from from);
enum schedule_task schedule_task(const struct schedule *schedule, int64_t now);
/* When schedule_task is to be asked again if nothing happens before. */
int64_t schedule_next_ms(const struct schedule *schedule);
/* TASK is under way: what was told until now is taken up by it. */
void schedule_begun(struct schedule *schedule, enum schedule_task task);
/* The sync is over. WAIT_MS: for how long the server asks to be left alone; 0: it does not. */
void schedule_synced(struct schedule *schedule, int64_t now, enum schedule_end end,
		     int64_t wait_ms);
/* It went well, and looked at everything: the next look of the interval counts from now. */
void schedule_looked(struct schedule *schedule, int64_t now);
/* The sync was not needed after all. */
void schedule_spared(struct schedule *schedule);
/* The connection is there (END_WELL), or is not. */
void schedule_connected(struct schedule *schedule, int64_t now, enum schedule_end end,
			int64_t wait_ms);
/* It is gone again. PAUSE_MS: it is not worth to be made anew before; 0: as after any failure. */
void schedule_lost(struct schedule *schedule, int64_t now, int64_t pause_ms);

#endif
