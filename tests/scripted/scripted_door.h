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
	(void)err;
	*remote = scripted_connect(scripted_behind_door(NULL));
	return 0;
}

#endif
