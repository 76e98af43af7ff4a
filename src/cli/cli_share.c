#include "cli_share.h"

#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include "mailsync/base/digest.h"
#include "mailsync/base/span.h"
#include "cli_options.h"

#define DESCRIPTORS 65536 /* hooks inherit the limit; some programs go through all below it */

bool cli_read_number(const char *text, size_t len, unsigned most, unsigned *number)
{
	uint64_t value = 0;
	bool is_number = len > 0 && span_to_u64((struct span){text, len}, &value) && value > 0 &&
			 value <= most;

	*number = is_number ? (unsigned)value : 0;
	return is_number;
}

bool cli_share_read(const char *text, struct cli_share *share)
{
	const char *slash = strchr(text, '/');

	return slash &&
	       cli_read_number(slash + 1, strlen(slash + 1), CLI_SHARES_MAX, &share->count) &&
	       cli_read_number(text, (size_t)(slash - text), share->count, &share->index);
}

int cli_share_holds(const struct cli_share *share, const char *name, bool *is_held, struct err *err)
{
	uint8_t digest[DIGEST_MAX_SIZE];
	uint64_t number = 0;

	*is_held = true;
	if (share->count <= 1) {
		return 0;
	}
	int code = digest_of(DIGEST_SHA256, span_of(name), digest, err);
	for (size_t i = 0; code == 0 && i < sizeof(number); i++) {
		number = number << 8 | digest[i];
	}
	*is_held = code == 0 && number % share->count + 1 == share->index;
	return code;
}

int cli_share_take(struct cli_options *options, const char *text, struct err *err)
{
	if (cli_share_read(text, &options->shard)) {
		return 0;
	}
	return err_set(err, ERR_USAGE, SCOPE_RUN,
		       "--shard has to be I/N with I from 1 to N, such as 3/8, not %s", text);
}

int cli_share_take_jobs(struct cli_options *options, const char *text, struct err *err)
{
	if (cli_read_number(text, strlen(text), CLI_JOBS_MAX, &options->jobs)) {
		return 0;
	}
	return err_set(err, ERR_USAGE, SCOPE_RUN, "--jobs has to be a number from 1 to %d, not %s",
		       CLI_JOBS_MAX, text);
}

void cli_allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < DESCRIPTORS) {
		limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}
