/* A credential's insides, and those kinds of it that are a line of a command or a file. */
#ifndef STORE_CREDENTIAL_PRIVATE_H
#define STORE_CREDENTIAL_PRIVATE_H

#include <pthread.h>
#include <sys/types.h>

#include "mailsync/base/err.h"
#include "mailsync/base/secret.h"
#include "mailsync/base/stop.h"
#include "mailsync/store/credential.h"

struct credential {
	struct credential_params params;
	pthread_mutex_t mutex; /* guards `kept`, and is held while the command runs */
	struct secret refused; /* by the server; not set: none was */
	struct secret mark;    /* what stands for it (credential_identity) */
	struct secret kept;    /* what the command gave; not set: it is to be asked */
	pid_t pid;             /* of the command, which gave its line; 0: none runs */
	int out;    /* what else it prints; open, so that printing more does not end it */
	int errors; /* likewise; -1: these are ours */
};

/* The first line that the command printed, which runs where it is not known. */
int credential_command_secret(struct credential *credential, const stop_flag *stop,
			      struct secret *secret, struct err *err);
/* What the last command left running (an agent that it started, say) goes on without us. */
void credential_command_leave(struct credential *credential);
/* The first line of the file. */
int credential_file_secret(const struct credential *credential, struct secret *secret,
			   struct err *err);

#endif
