/*
 * What a name server may answer: the first byte chooses what was asked for, the rest is the packet.
 * What is kept of it is bounded, ends, and holds nothing that may not stand in a configuration
 * file.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dns_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_record(const struct dns_record *record)
{
	static const char host[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";

	if (memchr(record->host, '\0', sizeof(record->host)) == NULL ||
	    memchr(record->text, '\0', sizeof(record->text)) == NULL ||
	    record->host[strspn(record->host, host)] != '\0' || record->priority > UINT16_MAX ||
	    record->weight > UINT16_MAX || record->port > UINT16_MAX) {
		abort();
	}
	for (const char *c = record->text; *c; c++) {
		if (*c < ' ' || *c > '~') {
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_answer answer;
	struct err err;

	if (size == 0) {
		return 0;
	}
	dns_answer_init(&answer);
	int code = dns_answer_read(&answer, (enum dns_type)(data[0] % 3),
				   (struct span){(const char *)data + 1, size - 1}, &err);
	if (answer.count > DNS_RECORDS_MAX ||
	    (code == 0 && answer.is_no_name && answer.count > 0)) {
		abort();
	}
	for (size_t i = 0; i < answer.count; i++) {
		check_record(&answer.items[i]);
	}
	dns_answer_finish(&answer);
	return 0;
}
