#include "mailsync/base/auth.h"

#include <assert.h>
#include <stddef.h>

#define ROW(id, word, name, step, marks) [AUTH_##id] = {name, word, AUTH_##id, marks},
#define FORM(id, of, name, step, marks)  [AUTH_##id] = {name, NULL, AUTH_##of, marks},

static const struct auth_row rows[AUTH_COUNT] = {[AUTH_NONE] = {"", "auto", AUTH_NONE, 0},
						 AUTH_TABLE(ROW, FORM)};

_Static_assert(AUTH_COUNT <= 32, "a set of mechanisms is an unsigned");

const struct auth_row *auth_row(enum auth mech)
{
	assert(mech < AUTH_COUNT);
	return &rows[mech];
}
