#include "cli_progress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_terminal(FILE *stream)
{
	const char *term = getenv("TERM");

	return isatty(fileno(stream)) && term && strcmp(term, "dumb") != 0;
}

enum cli_progress_kind cli_progress_kind(const struct cli_options *options, FILE *stream)
{
	bool is_wanted = options->progress == CLI_PROGRESS_ALWAYS ||
			 (options->progress == CLI_PROGRESS_AUTO && options->level > LOG_ERROR);

	if (options->command != CLI_SYNC || !is_wanted) {
		return CLI_PROGRESS_NONE;
	}
	if (is_terminal(stream)) {
		return CLI_PROGRESS_LINE;
	}
	return options->progress == CLI_PROGRESS_ALWAYS ? CLI_PROGRESS_LINES : CLI_PROGRESS_NONE;
}

static void print_bytes(struct buf *out, uint64_t bytes)
{
	static const char *const units[] = {"kB", "MB", "GB", "TB"};
	size_t unit = 0;
	uint64_t tenths = bytes / 100;

	while (tenths >= 9999 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		tenths /= 1000;
		unit++;
	}
	buf_printf(out, "%" PRIu64 ".%u %s", tenths / 10, (unsigned)(tenths % 10), units[unit]);
}

void cli_progress_print(struct buf *out, const char *account, struct progress *progress)
{
	uint64_t planned = atomic_load_explicit(&progress->planned, memory_order_relaxed);
	uint64_t copied = atomic_load_explicit(&progress->copied, memory_order_relaxed);

	buf_printf(out, "%s: ", account);
	if (planned > 0) {
		buf_printf(out, "%" PRIu64 " of %" PRIu64 " messages, ",
			   copied < planned ? copied : planned, planned);
	}
	print_bytes(out, atomic_load_explicit(&progress->bytes, memory_order_relaxed));
}
