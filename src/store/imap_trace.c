#include "imap_trace.h"

#include <string.h>

/* The size of a literal that LINE announces at its end, or 0. */
static uint64_t announced_literal(const struct imap_trace *trace)
{
	size_t end = trace->len;
	if (end == 0 || trace->line[end - 1] != '}') {
		return 0;
	}
	end--;
	if (end > 0 && (trace->line[end - 1] == '+' || trace->line[end - 1] == '-')) {
		end--;
	}
	size_t start = end;
	while (start > 0 && trace->line[start - 1] >= '0' && trace->line[start - 1] <= '9') {
		start--;
	}
	uint64_t size = 0;
	if (start == 0 || trace->line[start - 1] != '{' ||
	    !span_to_u64((struct span){trace->line + start, end - start}, &size)) {
		return 0;
	}
	return size;
}

static void trace_line_end(struct imap_trace *trace, struct log *log, const char *who)
{
	if (trace->len > 0 && trace->line[trace->len - 1] == '\r') {
		trace->len--;
	}
	bool is_hidden = trace->hides_challenges && trace->len > 2 && trace->line[0] == '+';
	log_wire(log, who, is_hidden ? SPAN_LIT("+ ...") : (struct span){trace->line, trace->len},
		 trace->blot);
	trace->literal = announced_literal(trace);
	trace->len = 0;
}

void imap_trace_feed(struct imap_trace *trace, struct log *log, const char *who, struct span data)
{
	if (log == NULL || !log_enabled(log, LOG_WIRE)) {
		return;
	}
	while (data.len > 0) {
		if (trace->literal > 0) {
			size_t skip = data.len;
			if (skip > trace->literal) {
				skip = (size_t)trace->literal;
			}
			trace->literal -= skip;
			data.data += skip;
			data.len -= skip;
			continue;
		}
		char c = data.data[0];
		data.data++;
		data.len--;
		if (c == '\n') {
			trace_line_end(trace, log, who);
		} else if (trace->len < IMAP_TRACE_LINE) {
			trace->line[trace->len++] = c;
		} else {
			/* A long line: keep its end, where a literal would be announced. */
			memmove(trace->line + IMAP_TRACE_LINE / 2,
				trace->line + IMAP_TRACE_LINE / 2 + 1, IMAP_TRACE_LINE / 2 - 1);
			trace->line[IMAP_TRACE_LINE - 1] = c;
		}
	}
}
