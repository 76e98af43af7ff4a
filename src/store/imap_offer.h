/* What the server told before login: ways to log in. Its capabilities go into struct imap. */
#ifndef STORE_IMAP_OFFER_H
#define STORE_IMAP_OFFER_H

#include <stdbool.h>

#include "mailsync/base/err.h"
#include "mailsync/proto/sasl.h"

struct imap;

struct imap_offer {
	struct sasl_offer sasl;
	bool is_preauth;
	bool has_capability;
	bool has_ir;
};

/* On a connection just opened: reads greeting and capabilities into OFFER (all zero before), and
 * asks for those that libcurl did not. */
int imap_offer_read(struct imap *imap, struct imap_offer *offer, struct err *err);
/* CAPABILITY, into struct imap and OFFER (NULL after the login). */
int imap_ask_capability(struct imap *imap, struct imap_offer *offer, struct err *err);

#endif
