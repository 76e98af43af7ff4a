/* Names that say which message of which mailbox a file is. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mailsync/base/clock.h"
#include "mailsync/base/digest.h"
#include "mailsync/store/maildir.h"

#define HOST_MAX 64
#define KEY_LEN  (MAILDIR_KEY_SIZE - 1)

/* The host's name with all that could end a part of a file name as \ooo, as Maildir has it. */
static void host_name(char out[HOST_MAX + 1])
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";
	char host[256] = "";
	size_t len = 0;

	(void)gethostname(host, sizeof(host) - 1);
	for (const char *at = host; *at; at++) {
		size_t need = strchr(plain, *at) ? 1 : 4;
		if (len + need > HOST_MAX) {
			break;
		}
		if (need == 1) {
			out[len++] = *at;
		} else {
			snprintf(out + len, 5, "\\%03o", (unsigned)(unsigned char)*at);
			len += 4;
		}
	}
	out[len] = '\0';
	if (len == 0) {
		memcpy(out, "localhost", sizeof("localhost"));
	}
}

int maildir_folder_key(const char *account, const char *mailbox, char key[MAILDIR_KEY_SIZE],
		       struct err *err)
{
	char hex[2 * DIGEST_MAX_SIZE + 1];
	uint8_t result[DIGEST_MAX_SIZE];
	struct digest *digest = NULL;

	int code = digest_create(&digest, DIGEST_SHA256, err);
	if (code == 0) {
		code = digest_update(digest, (struct span){account, strlen(account) + 1}, err);
	}
	if (code == 0) {
		code = digest_update(digest, span_of(mailbox), err);
	}
	if (code == 0) {
		code = digest_result(digest, result, err);
	}
	if (code == 0) {
		hex_encode(result, DIGEST_MAX_SIZE, hex);
		memcpy(key, hex, KEY_LEN);
		key[KEY_LEN] = '\0';
	}
	digest_destroy(&digest);
	return code;
}

static int unique_checked(int len, struct err *err)
{
	return len > 0 && len <= MAILDIR_UNIQUE_MAX
		     ? 0
		     : err_set(err, ERR_INTERNAL, SCOPE_MESSAGE, "a file name became too long");
}

int maildir_unique_make(char out[MAILDIR_UNIQUE_MAX + 1], const char *key, uint32_t uidvalidity,
			uint32_t uid, struct err *err)
{
	char host[HOST_MAX + 1];

	host_name(host);
	int len = snprintf(out, MAILDIR_UNIQUE_MAX + 1, "%" PRId64 ".%s_%" PRIu32 "_%" PRIu32 ".%s",
			   clock_real_s(), key, uidvalidity, uid, host);
	return unique_checked(len, err);
}

int maildir_unique_make_foreign(char out[MAILDIR_UNIQUE_MAX + 1], int64_t seconds,
				const uint8_t content[CONTENT_DIGEST_SIZE], struct err *err)
{
	char hex[2 * CONTENT_DIGEST_SIZE + 1];
	char host[HOST_MAX + 1];

	host_name(host);
	hex_encode(content, CONTENT_DIGEST_SIZE, hex);
	int len = snprintf(out, MAILDIR_UNIQUE_MAX + 1, "%" PRId64 ".%.24s.%s",
			   seconds > 0 ? seconds : 0, hex, host);
	return unique_checked(len, err);
}

void maildir_unique_later(char *unique)
{
	for (char *at = strchr(unique, '.'); at > unique; at--) {
		if (at[-1] < '9') {
			at[-1]++;
			return;
		}
		at[-1] = '0';
	}
}

int maildir_unique_make_pop3(char out[MAILDIR_UNIQUE_MAX + 1], const char *key,
			     const char *digest_hex, struct err *err)
{
	char host[HOST_MAX + 1];

	host_name(host);
	int len = snprintf(out, MAILDIR_UNIQUE_MAX + 1, "%" PRId64 ".%s_p_%s.%s", clock_real_s(),
			   key, digest_hex, host);
	return unique_checked(len, err);
}

static bool is_hex(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) {
			return false;
		}
	}
	return text.len > 0;
}

/* Takes what stands before the next END off TEXT. */
static bool part_take(struct span *text, char end, struct span *part)
{
	const char *stop = text->len > 0 ? memchr(text->data, end, text->len) : NULL;

	if (!stop) {
		return false;
	}
	part->data = text->data;
	part->len = (size_t)(stop - text->data);
	text->data += part->len + 1;
	text->len -= part->len + 1;
	return true;
}

bool maildir_unique_parse(struct span unique, struct maildir_unique *parsed)
{
	struct maildir_unique result = {.is_pop3 = false};
	struct span seconds, key, first, second;
	uint64_t time;

	if (!part_take(&unique, '.', &seconds) || !span_to_u64(seconds, &time) ||
	    !part_take(&unique, '_', &key) || key.len != KEY_LEN || !is_hex(key) ||
	    !part_take(&unique, '_', &first) || !part_take(&unique, '.', &second) ||
	    unique.len == 0) {
		return false;
	}
	memcpy(result.key, key.data, KEY_LEN);
	if (span_equal_cstr(first, "p")) {
		if (!is_hex(second) || second.len >= sizeof(result.pop3_digest)) {
			return false;
		}
		result.is_pop3 = true;
		memcpy(result.pop3_digest, second.data, second.len);
	} else if (!span_to_u32(first, &result.uidvalidity) || !span_to_u32(second, &result.uid) ||
		   result.uidvalidity == 0 || result.uid == 0) {
		return false;
	}
	*parsed = result;
	return true;
}

uint32_t maildir_mbsync_uid(const char *file)
{
	const char *field = strstr(file, ",U=");
	uint32_t uid;

	if (!field) {
		return 0;
	}
	field += 3;
	return span_to_u32((struct span){field, strspn(field, "0123456789")}, &uid) ? uid : 0;
}
