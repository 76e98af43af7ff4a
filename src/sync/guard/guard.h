/*
 * May we at all? Is the Maildir this account's, and is what is there the account that base knows?
 * An unmounted disk shows in that there is no folder; another server behind the same account (a
 * changed host or user, a server set up anew) in that no mailbox kept its UIDVALIDITY. A server
 * that really renumbered everything still holds the messages: a sample of what it holds is looked
 * for among base's rows. Rules: rules/guard_rules.h.
 *
 *     run_open_lock, run_open_local    on this machine
 *     login_check, login_note          around the first connection
 *     accident_check_...               before anything is done; -ERR_BRAKE stops the account
 *     run_claim, run_begin             before the first change
 *     run_release                      at a proper end
 */
#ifndef SYNC_GUARD_GUARD_H
#define SYNC_GUARD_GUARD_H

#include "rules/guard_rules.h"
#include "run/run.h"

/* The account's lock. A dry run changes nothing, so it need not wait for anyone and leaves this
 * out. The session closes it, as it does what is opened below. */
int run_open_lock(struct run *run, struct err *err);
/* State database (for a dry run a scratch copy of it) and Maildir, and whether they belong
 * together: fills the session's state, maildir, is_scratch, pair_all, was_unclean and lost_power,
 * and forgets base where the verdict is so. -ERR_CONFIG: the Maildir is another account's. */
int run_open_local(struct run *run, struct err *err);

/* Before a connection is made: -ERR_LOGIN where the server refused the same login not long ago
 * (Q1 to Q5). */
int login_check(struct run *run, struct err *err);
/* After it: OUTCOME is noted, and returned. */
int login_note(struct run *run, int outcome, struct err *err);
/* A login outside of a run succeeded: what is noted goes. Not while a run is under way, which notes
 * for itself. */
void login_forget(const struct account *account, const struct sync_options *options);

/* Before the first row of a run that changes something: makes the root where it is missing, makes
 * this run's generation durable in database and file, and marks the database as under work. Again,
 * or where rows are a scratch copy: nothing. */
int run_claim(struct run *run, struct err *err);
/* Claims, and begins a transaction, which state_end ends. */
int run_begin(struct run *run, struct err *err);
/* Where it was claimed: what was left to the system to write out is made durable, and the database
 * is marked clean. */
int run_release(struct run *run, struct err *err);

/* What base says of MAILBOX's messages is void: its files become new, to be paired with what the
 * server has. */
int mailbox_forget_base(struct run *run, struct mailbox *mailbox, struct err *err);

/* An unmounted root, an empty mailbox list. */
int accident_check_mailboxes(struct run *run, struct err *err);
/* POP3: a root without INBOX. */
int accident_check_inbox(struct run *run, struct err *err);
/* Where host, user or tunnel are not what they were, equal numbers prove nothing (UIDVALIDITY is a
 * second on many servers, UIDs start at 1): a message has to be found again. With leave, where none
 * is, base is forgotten and all is paired. */
int accident_check_address(struct run *run, struct err *err);
/* Another server, by the numbers of its mailboxes. Those that the listing gave none for are asked
 * after when another one gives reason to. */
int accident_check_server(struct run *run, struct remote *remote, struct err *err);

/* The numbers of a mailbox that the listing told nothing of, by opening it. */
int server_ask_numbers(struct remote *remote, struct mailbox *mailbox, struct err *err);

/* Of which server and user are the rows? By a fingerprint of host, user and tunnel that is noted
 * with them. */
int whose_rows(struct run *run, enum whose *whose, struct err *err);
/* They are this account's from now on. */
int whose_note(struct run *run, struct err *err);
/* What STATE has noted of special uses, into USES, whatever these had: nothing where it is of
 * another server. */
int whose_uses(const struct account *account, struct state *state, struct state_uses *uses,
	       struct err *err);
/* The same where patterns are for special uses, for what needs no state: one that cannot be read is
 * a warning. USES is zeroed before. */
int whose_uses_if_any(const struct account *account, const struct sync_options *options,
		      struct state_uses *uses, struct err *err);

#endif
