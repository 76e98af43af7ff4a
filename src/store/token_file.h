/*
 * ACCOUNT.token in the state directory: who may read it, who may change it.
 *
 *     token_file_init(&file, state_dir, account)
 *     token_file_read(&file, &token, &err)          without the lock, too: it is replaced whole
 *     token_file_lock(&file, stop, &err)            before it is changed
 *     token_file_write(&file, &token, &err)         durable when it returns
 *     token_file_finish(&file)                      gives the lock back
 */
#ifndef STORE_TOKEN_FILE_H
#define STORE_TOKEN_FILE_H

#include "mailsync/base/file.h"
#include "mailsync/base/stop.h"
#include "mailsync/oauth/token.h"

struct token_file {
	const char *account;
	char dir[FILE_PATH_SIZE];
	char path[FILE_PATH_SIZE];
	struct file_lock lock;
};

int token_file_init(struct token_file *file, const char *state_dir, const char *account,
		    struct err *err);
void token_file_finish(struct token_file *file);

/* The kernel's lock on ACCOUNT.token.lock, which ends with the process; waits for it. Makes the
 * state directory where it is missing. */
int token_file_lock(struct token_file *file, const stop_flag *stop, struct err *err);

/* TOKEN is to be finished in any case. -ERR_LOGIN, with the command to run, when there is none or
 * it makes no sense; -ERR_CONFIG when others can read it. */
int token_file_read(const struct token_file *file, struct oauth_token *token, struct err *err);
/* Its text alone: what tells whether it is another one. */
int token_file_text(const struct token_file *file, struct buf *text, struct err *err);
int token_file_write(const struct token_file *file, const struct oauth_token *token,
		     struct err *err);
/* 0, too, when there is none. */
int token_file_remove(const struct token_file *file, struct err *err);
bool token_file_is_there(const struct token_file *file);

#endif
