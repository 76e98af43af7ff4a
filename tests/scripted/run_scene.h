/*
 * A run against the scripted server, with a Maildir and a database in a folder of its own, for the
 * tests of what lies in src/sync: a whole run, or the steps of one that a test takes by itself.
 *
 *     scripted_add(scene->server, "INBOX", "", "...");
 *     RUN_OK(scene, run_scene_begin(scene));           all is open, the mailboxes are known
 *     RUN_OK(scene, observe_remote(&scene->run, &scene->err));
 *     run_scene_expect_rows(scene, "INBOX", "...");
 *     run_scene_end(scene);                            and a second run may begin
 *
 * The account's keys are the defaults of a configuration; a test changes them before it begins. A
 * test program includes scripted_door.h, too.
 */
#ifndef TESTS_RUN_SCENE_H
#define TESTS_RUN_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "plan/plan.h"
#include "run/run.h"
#include "scripted.h"

struct run_scene {
	struct scripted *server;
	char root[64]; /* holds "mail", the Maildir, and "state" */
	char maildir[96];
	char state_dir[96];
	struct account account;
	struct sync_options options;
	struct strlist only;
	struct log log;
	FILE *quiet;
	struct report report;
	struct session session;
	struct run run;
	struct plan plan;
	bool is_begun;
	struct err err;
};

#define RUN_OK(scene, call)                                           \
	do {                                                          \
		if ((call) < 0) {                                     \
			fail_msg("%s: %s", #call, (scene)->err.text); \
		}                                                     \
	} while (0)

/* For cmocka_unit_test_setup_teardown: INBOX is there on both sides, empty. */
int run_scene_open(void **state);
int run_scene_close(void **state);
#define RUN_TEST(name) cmocka_unit_test_setup_teardown(name, run_scene_open, run_scene_close)

/* Session and run, up to the mailboxes being known. Where it fails run_scene_end is due, too. */
int run_scene_begin(struct run_scene *scene);
/* As a run that ended well. */
void run_scene_end(struct run_scene *scene);
/* All of a run. The report is the scene's until the next one. */
int run_scene_sync(struct run_scene *scene);
/* Between runs: nothing is known of what both sides agreed on. */
void run_scene_forget_base(struct run_scene *scene);

/* A folder of the Maildir, made. */
void run_scene_folder(struct run_scene *scene, const char *folder);
/* A file of one ("INBOX/cur/1.x:2,S"). */
void run_scene_write(struct run_scene *scene, const char *path, const char *text);
/* The names in the folder's cur and new, sorted, with a space between. The caller frees it. */
char *run_scene_files(struct run_scene *scene, const char *folder);

/*
 * The rows of a mailbox, one with a UID first, as lines "UID UNIQUE REMOTE LOCAL BASE": a side is
 * -, + or x (absent, present, gone) with its flags, base is = with its flags where both agreed.
 *
 *     1 - +(\Seen) -()
 *     - 17.a -() +(\Flagged $x)
 *     3 18.a +() x() =()
 */
void run_scene_expect_rows(struct run_scene *scene, const char *mailbox, const char *expected);

/*
 * The messages of a mailbox as people see them: their subjects, with which their texts begin, each
 * with its flags as letters, sorted, a space between: "1/ 2/S 3/FR".
 */
void run_scene_expect_there(struct run_scene *scene, const char *mailbox, const char *expected);
void run_scene_expect_here(struct run_scene *scene, const char *mailbox, const char *expected);
void run_scene_expect_both(struct run_scene *scene, const char *mailbox, const char *expected);

/* What somebody does here with the one that bears this subject. TO may be the same folder. */
void run_scene_move_file(struct run_scene *scene, const char *folder, const char *subject,
			 const char *to, const char *letters);
void run_scene_remove_file(struct run_scene *scene, const char *folder, const char *subject);

/* One more run, which ends with STATUS: it changes nothing there, fetches nothing and touches no
 * file (I5). */
void run_scene_expect_idle(struct run_scene *scene, int status);

#endif
