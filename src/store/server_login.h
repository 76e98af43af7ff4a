/* What IMAP and POP3 have in common on the way in: from a server's settings to a connection's. */
#ifndef STORE_SERVER_LOGIN_H
#define STORE_SERVER_LOGIN_H

#include "mailsync/model/server.h"
#include "mailsync/net/conn.h"

/* Fills all of OUT but protocol, log, label and stop; its strings are SERVER's. */
void server_conn_params(const struct server *server, struct conn_params *out);

#endif
