#include "upload.h"

enum upload_outcome upload_outcome(const struct upload_answer *answer, uint32_t uidvalidity)
{
	if (answer->is_taken) {
		bool is_told = answer->tells_uids && answer->uidvalidity == uidvalidity &&
			       answer->uids == answer->sent;
		return is_told ? UPLOAD_LANDED : UPLOAD_UNKNOWN;
	}
	if (answer->is_busy) {
		return UPLOAD_PUT_OFF;
	}
	return answer->sent > 1 ? UPLOAD_SPLIT : UPLOAD_REFUSED;
}

bool upload_is_alias(const struct row *seen)
{
	return seen->unique[0] != '\0';
}
