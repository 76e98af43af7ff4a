#include "cli_watched_say.h"

#include <stdio.h>

#include "mailsync/base/clock.h"
#include "cli_json.h"

static const char *const state_words[] = {
	[WATCHED_NEW] = "waiting",
	[WATCHED_SYNCING] = "syncing",
	[WATCHED_WATCHING] = "watching",
	[WATCHED_WAITING] = "waiting",
};

static const char *how_word(const struct watched *watched)
{
	static const char *const words[] = {
		[HEARS_NOTHING] = "poll",
		[HEARS_BY_IDLE] = "idle",
		[HEARS_BY_NOTIFY] = "notify",
	};
	return words[watched->hearing ? hearing_how(watched->hearing) : HEARS_NOTHING];
}

void watched_say(struct watched *watched, enum watched_state state, const char *message)
{
	const char *name = watched->job->conf->name;
	struct cli_output output;

	watched->state = state;
	cli_output_init(&output, watched->options->json, false);
	if (watched->options->json) {
		event_begin(&output.out, "watch");
		event_text(&output.out, "account", name);
		event_text(&output.out, "state", state_words[state]);
		event_text(&output.out, "how", how_word(watched));
		event_text(&output.out, "message", message);
		event_end(&output.out);
	} else if (watched->options->level >= LOG_INFO) {
		buf_printf(&output.err, "mailsync: %s: %s (%s): %s\n", name, state_words[state],
			   how_word(watched), message);
	}
	cli_run_say(watched->run, &output);
	cli_output_finish(&output);
}

void watched_say_why(struct watched *watched, enum watched_state state, const char *why,
		     int64_t due_ms)
{
	int64_t left_ms = due_ms - clock_monotonic_ms();
	char message[ERR_TEXT_SIZE + 64];

	snprintf(message, sizeof(message), "%s; the next try is in %lld s", why,
		 left_ms > 0 ? (long long)((left_ms + 999) / 1000) : 0LL);
	watched_say(watched, state, message);
}

void watched_say_syncing(struct watched *watched)
{
	char message[sizeof(watched->changed) + 64];

	snprintf(message, sizeof(message), "looking at both sides%s%s%s",
		 watched->changed_count > 0 ? "; changed here: " : "", watched->changed,
		 watched->changed_count > 1 ? " and more" : "");
	watched_say(watched, WATCHED_SYNCING, message);
	watched->changed[0] = '\0';
	watched->changed_count = 0;
}
