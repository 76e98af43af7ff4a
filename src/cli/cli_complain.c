#include "cli_complain.h"

#include <stdio.h>

#include "cli_print.h"
#include "cli_progress.h"

void cli_complain(const struct cli_options *options, enum err_code code, const char *text)
{
	struct cli_output output;
	const struct cli_trouble trouble = {NULL, NULL, 0, code, text};

	cli_output_init(&output, options->json, false);
	output.colours = cli_has_colours(stderr);
	cli_print_error(&output, &trouble);
	fwrite(output.err.data, 1, output.err.len, stderr);
	if (output.out.len > 0) {
		fwrite(output.out.data, 1, output.out.len, stdout);
	}
	(void)fflush(stdout);
	cli_output_finish(&output);
}
