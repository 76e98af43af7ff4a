"""Which stories `make check` leaves to `make check-all` (tests/run, tier `wide`): those that take long
and are one of many alike, of which others stay; and of a story of many rows seven in eight."""

import collections
import re

# Of a story of so many rows or more, each so many-th stays.
MANY, EACH = 3, 8

# Looked for in FILE::NAME[PARAMETERS].

ALIKE = [
    # One extension stands for the other two, but for what is deleted.
    r"test_pending.*::test_a_(push|pull)_leaves.*\[condstore-",
    r"test_pending.*::test_a_(push|pull)_leaves.*\[neither-.*_(new|flag|unflag|keyword)\]",
    r"test_pending.*::test_a_change_that_no_key_covers.*\[(condstore|neither)-.*(new|flag|keyword)",
    r"test_gone.*::test_(a_bare_no|a_listing_that_lacks).*-(both|none)\]",
    r"test_disk.*::.*next_best_way\[[a-z0-9]+-(EACCES|ENOTSUP|EINVAL)\]",
    r"test_main_job.*::test_changes_on_both.*\[1-(tls=implicit-sep|layout=maildir\+\+-sep|durability=file)",
    r"test_main_job.*::test_changes_on_both.*\[1---format",
    r"test_other_servers.*\[cyrus-dots",
    r"test_neighbours.*::.*during_runs\[.*2\]",
    r"test_neighbours.*::test_a_clock_that_jumps\[.*-20\]",
    r"test_crash.*::test_(a_mua_at_work_at_a_step|bringing_back|.*nothing_to_the_trash_twice).*\[none\]",
    r"test_crash.*::test_a_run_amid_poison.*\[poisoned-acts",
    r"test_crash.*::test_histories_that_once_went_wrong\[(369|2000740|5000039)\]",
    # "close" stands for the other ends, and six hours for one.
    r"test_poison.*goes_on_past_it\[.*-(reset|bye|silence)\]",
    r"test_poison.*rests.*-(3600\]|3600-|1800-)",
    r"test_rig_poison.*ends_where",
    r"test_bad_line.*many_runs",
    r"test_bad_line.*at_whatever_mailbox\[(False|.*close)",
    r"test_suspects.*::test_(nor_does_it_however|a_message_that_comes_over_a_further)",
    r"test_suspects.*::test_a_listing.*\[(reset|bye|silence)",
    r"test_suspects.*::test_a_server_that_dies.*\[.*silence",
    r"test_pop3\.py::test_stopped_after_any_step_and_told.*\[size\]",
    r"test_pop3\.py::test_stopped_after_any_step.*\[yes\]",
    r"test_pop3\.py::test_50_000_messages",
    r"test_pop3_untold.*::test_stopped_in_a_proof.*\[whole\]",
    r"test_verify_wide",
    r"test_restore\.py::test_a_restore_(over_quota|after_the_sync)",
    r"test_restore\.py::test_nothing_is_sent_to_a_mailbox_of_which",
    r"test_restore\.py::test_another_server.*same",
    r"test_restore\.py::test_of_an_archive_of_40000",
    r"test_verify_pop3\.py::test_what_is_missing_or_damaged.*(files|server)",
    r"test_restore\.py::test_a_copy_that_was_there_before",
    r"test_(verify|verify_pop3|restore)\.py::.*stopped_at_any_step.*\[1\]",
    r"test_verify\.py::test_what_verify_does_not_know.*(--sample)",
    r"test_verify\.py::test_a_clean_account.*\[both\]",
    r"test_restore\.py::test_an_emptied_server.*\[emptied\]",
    r"test_races.*::test_a_file_that_is_moved_while.*\[Fresh\]",
    r"test_races.*::test_a_file_that_goes_before_its_uid.*\[moved-",
    # What is cut behind a literal stands for what is cut in and before it, MOVE for COPY, FETCH for what
    # is met with silence, STORE for what is met with a reset or BYE.
    r"test_suspects.*no_other\[APPEND.*(before the continuation|in the literal|asked for|singly).*-",
    r"test_suspects.*no_other\[(APPEND|COPY|EXPUNGE)-close",
    r"test_suspects.*no_other\[(?!FETCH-).*-silence",
    r"test_suspects.*no_other\[(?!STORE-).*-(reset|bye)",
    # Ten seconds for an answer, three for a server that does not tell.
    r"test_watch.*::test_(idle_is_begun_anew|a_deaf_watch|a_burst|one_connection|killed_at)",
    r"test_watch_weeks",
    r"test_watch_where.*::test_(directories_that_can|words_about_one|what_failed_is)",
    r"test_install.*tarball",
    # Each point of a run takes half a minute: other stories stop a run at some of them.
    r"test_crash.*::test_a_mua_at_work_at_a_step.*\[all",
    r"test_crash.*::test_(histories_that_once_went_wrong|with_durability_none|a_cut_connection_is_status)",
    r"test_crash.*::test_a_run_amid_poison.*\[poisoned\]",
    r"test_pop3\.py::test_(stopped_after_any_step_the_next|a_full_disk_at_any_step)",
    r"test_pop3_untold.*::test_stopped_in_a_proof",
    r"test_pop3_first_run.*::test_.*stopped_after_any_step",
    r"test_refusals.*::test_a_run_that_is_killed.*\[(waiting|no-uids)\]",
    r"test_refusals.*::test_a_second_try_that_is_killed.*\[no-uids\]",
    r"test_refusals.*::test_where_all_are_refused",
    r"test_miscounting.*::test_(without_base_what_may_lie_below|a_window_of_10000)",
    r"test_bad_servers.*::test_bye_after_each_command",
    r"test_main_job.*::test_real_mail_and_changes_on_both_sides_merge\[(starttls|implicit|maildir)",
    r"test_other_servers.*::test_a_file_dated_before_1970",
    r"test_bad_servers.*goes_on_and_on.*\[(?!bytes-UID|untagged OK-LIST)",
    r"test_alone",
    r"test_scram_plus.*::test_cyrus.*\[(imap|pop3)-1-",
]
PATTERN = re.compile("|".join(ALIKE))


def wide_of(nodes):
    """The set of those of NODES, all that there are, that are left out."""
    wide = {node for node in nodes if PATTERN.search(node)}
    rows = collections.defaultdict(list)
    for node in nodes:
        if node not in wide:
            rows[node.partition("[")[0]].append(node)
    for alike in rows.values():
        if len(alike) >= MANY:
            wide.update(set(alike) - set(alike[::EACH]))
    return wide
