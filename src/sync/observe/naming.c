/* What the server's listing is read by (rules/listing_rules.h), and what is noted of that: the
 * separator and the prefix behind it, a blank for none. */
#include "observe_private.h"

#include <stdio.h>
#include <string.h>

#include "guard/guard.h"
#include "rules/listing_rules.h"

#define KEY "naming"

static int known_load(struct run *run, struct mbname_wire *known, bool *is_known, struct err *err)
{
	char text[sizeof(known->prefix) + 1] = "";
	enum whose whose;
	int code;
	*is_known = false;
	if ((code = whose_rows(run, &whose, err)) < 0 ||
	    (code = state_get(run->session->state, KEY, text, sizeof(text), err)) < 0 ||
	    text[0] == '\0' || whose != WHOSE_OURS) {
		return code;
	}
	*known = (struct mbname_wire){.separator = text[0] == ' ' ? '\0' : text[0]};
	memcpy(known->prefix, text + 1, sizeof(known->prefix));
	*is_known = true;
	return 0;
}

static int tell_unknown(struct err *err)
{
	return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT,
		       "the server does not tell its namespace, so which mailboxes its names mean "
		       "is not known; run again, or set disable_extensions = NAMESPACE if it never "
		       "does");
}

static void tell_kept(struct run *run, const struct mbname_wire *wire)
{
	struct err err;
	if (run->done.was_put_off) {
		return;
	}
	err_set(&err, ERR_TEMPORARY, SCOPE_ACCOUNT,
		"the server does not tell its namespace this time; the prefix \"%s\" that is known "
		"stands",
		wire->prefix);
	run_report_error(run, NULL, 0, &err);
	run->done.was_put_off = true;
}

int observe_naming(struct run *run, struct remote_mailboxes *found, struct err *err)
{
	struct mbname_wire known;
	bool is_known = false;
	int code = known_load(run, &known, &is_known, err);
	if (code < 0) {
		return code;
	}
	const struct naming_facts facts = {
		.told = found->naming,
		.now = &found->wire,
		.known = is_known ? &known : NULL,
		.is_all_below_inbox = remote_is_all_below_inbox(found),
		.may_lose_many = run->options->allow_mass_delete,
	};
	const struct naming_decision decision = naming_decide(&facts);
	if (decision.is_unknown) {
		return tell_unknown(err);
	}
	if (decision.was_kept) {
		tell_kept(run, &decision.wire);
	}
	run->session->wire = decision.wire;
	found->wire = decision.wire;
	run->seen.is_named_otherwise = decision.is_other;
	return 0;
}

int observe_listing_note(struct run *run, struct err *err)
{
	const struct mbname_wire *wire = &run->session->wire;
	char text[sizeof(wire->prefix) + 2];
	char noted[sizeof(text)];
	enum whose whose;
	int code;
	snprintf(text, sizeof(text), "%c%s", wire->separator == '\0' ? ' ' : wire->separator,
		 wire->prefix);
	if ((code = whose_rows(run, &whose, err)) < 0 || whose == WHOSE_OTHERS ||
	    (code = run_uses_note(run, err)) < 0 ||
	    (code = state_get(run->session->state, KEY, noted, sizeof(noted), err)) < 0 ||
	    strcmp(noted, text) == 0) {
		return code;
	}
	return state_set(run->session->state, KEY, text, err);
}
