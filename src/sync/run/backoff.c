/* Patience with a server that is busy. */
#include "run.h"

#include "mailsync/base/clock.h"

#define SLICE_MS     50 /* a signal ends the wait that soon */
#define UNTOLD_SHARE 10 /* of the timeout, where the server names no time */

void backoff_note(struct run *run, struct remote *remote)
{
	int64_t wanted_ms = 0;
	if (remote_busy_take(remote, &wanted_ms)) {
		run->done.was_put_off = true;
	}
}

int backoff_wait(struct run *run, struct remote *remote, bool *again, struct err *err)
{
	int64_t wanted_ms = 0;
	int64_t limit_ms = (int64_t)run->account->server.timeout_s * 1000;
	*again = false;
	if (!remote_busy_take(remote, &wanted_ms)) {
		return 0;
	}
	if (wanted_ms <= 0) {
		wanted_ms = limit_ms / UNTOLD_SHARE;
	}
	if (wanted_ms > limit_ms - run->done.backoff_ms) {
		run->done.was_put_off = true;
		return 0;
	}
	log_line(run->log, LOG_INFO, "%s: the server is busy; waiting %lld ms", run->account->name,
		 (long long)wanted_ms);
	run->done.backoff_ms += wanted_ms;
	int64_t end_ms = clock_monotonic_ms() + wanted_ms;
	int code = 0;
	for (int64_t left_ms = wanted_ms; code == 0 && left_ms > 0;
	     left_ms = end_ms - clock_monotonic_ms()) {
		code = run_check_stop(run, err);
		if (code == 0) {
			clock_sleep_ms(left_ms < SLICE_MS ? left_ms : SLICE_MS);
		}
	}
	*again = code == 0;
	return code;
}
