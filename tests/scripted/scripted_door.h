/*
 * In a test program that includes this, whoever wants to connect by IMAP reaches the scripted
 * server: the linker finds this function before the library's.
 */
#ifndef TESTS_SCRIPTED_DOOR_H
#define TESTS_SCRIPTED_DOOR_H

#include "scripted.h"

int remote_open_imap(struct remote **remote, const struct remote_params *params, struct err *err)
{
	(void)params;
	if (scripted_behind_door(NULL)->is_down) {
		return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT, "nobody answers");
	}
	*remote = scripted_connect(scripted_behind_door(NULL));
	return 0;
}

#endif
