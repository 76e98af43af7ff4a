/*
 * IMAP behind the seam, against a server that is a shell script: what is sent, and what is made of
 * the answers. A dialogue is steps: so many lines are read, then something is said.
 *
 *     DIALOGUE(&dialogue, "MOVE UIDPLUS", {1, "m1 OK x\\r\\n"});
 *     OK(&dialogue, remote_...(dialogue.remote, ..., &dialogue.err));
 *     expect_heard(&dialogue, "m1 ...\n");
 *     dialogue_close(&dialogue);
 */
#ifndef TESTS_IMAP_DIALOGUE_H
#define TESTS_IMAP_DIALOGUE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mailsync/base/buf.h"
#include "mailsync/model/flags.h"
#include "mailsync/store/remote.h"

struct step {
	int lines;
	const char *reply;
};

struct dialogue {
	struct buf script;
	char heard[64]; /* the file with the lines that came */
	struct server server;
	struct log log;
	FILE *quiet;
	struct remote *remote;
	struct err err;
};

#define OK(dialogue, call)                                               \
	do {                                                             \
		if ((call) < 0) {                                        \
			fail_msg("%s: %s", #call, (dialogue)->err.text); \
		}                                                        \
	} while (0)

static inline void dialogue_open(struct dialogue *dialogue, const char *caps,
				 const struct step *steps, size_t count)
{
	memset(dialogue, 0, sizeof(*dialogue));
	snprintf(dialogue->heard, sizeof(dialogue->heard), "/tmp/mailsync-heard-XXXXXX");
	int file = mkstemp(dialogue->heard);
	assert_true(file >= 0);
	close(file);
	buf_init(&dialogue->script, 1u << 20);
	buf_printf(&dialogue->script,
		   "l() { IFS= read -r x; printf \"%%s\\n\" \"$x\" >>%s; }\n"
		   "printf '* PREAUTH [CAPABILITY IMAP4rev1 %s] hi\\r\\n'\n",
		   dialogue->heard, caps);
	for (size_t i = 0; i < count; i++) {
		for (int line = 0; line < steps[i].lines; line++) {
			buf_append_cstr(&dialogue->script, "l\n");
		}
		buf_printf(&dialogue->script, "printf '%s'\n", steps[i].reply);
	}
	buf_append_cstr(&dialogue->script, "l\n");
	dialogue->server = (struct server){.host = "script",
					   .tunnel = dialogue->script.data,
					   .timeout_s = 10,
					   .tls = SERVER_TLS_NONE};
	dialogue->quiet = fopen("/dev/null", "w");
	assert_non_null(dialogue->quiet);
	assert_int_equal(log_init(&dialogue->log, dialogue->quiet, LOG_ERROR), 0);
	struct remote_params params = {
		.server = &dialogue->server, .log = &dialogue->log, .label = "t#1"};
	OK(dialogue, remote_open_imap(&dialogue->remote, &params, &dialogue->err));
}

#define DIALOGUE(dialogue, caps, ...)                                                      \
	do {                                                                               \
		const struct step steps_[] = {__VA_ARGS__};                                \
		dialogue_open(dialogue, caps, steps_, sizeof(steps_) / sizeof(steps_[0])); \
	} while (0)

static inline void dialogue_close(struct dialogue *dialogue)
{
	remote_close(&dialogue->remote);
	unlink(dialogue->heard);
	log_finish(&dialogue->log);
	fclose(dialogue->quiet);
	buf_finish(&dialogue->script);
}

/* All that was sent, without CRs. */
static inline char *heard(const struct dialogue *dialogue)
{
	struct buf text;
	char block[4096];
	size_t len;
	FILE *file = fopen(dialogue->heard, "rb");
	assert_non_null(file);
	buf_init(&text, 1u << 20);
	while ((len = fread(block, 1, sizeof(block), file)) > 0) {
		for (size_t i = 0; i < len; i++) {
			if (block[i] != '\r') {
				buf_append_char(&text, block[i]);
			}
		}
	}
	fclose(file);
	return buf_steal(&text);
}

static inline void expect_heard(const struct dialogue *dialogue, const char *expected)
{
	char *text = heard(dialogue);
	assert_string_equal(text, expected);
	free(text);
}

#endif
