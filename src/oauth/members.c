#include "members.h"

#include <string.h>

static struct span behind(struct span text, size_t len)
{
	return (struct span){text.data + len, text.len - len};
}

static struct span without_blanks(struct span text)
{
	while (text.len > 0 && text.data[0] != '\0' && strchr(" \t\r\n", text.data[0])) {
		text = behind(text, 1);
	}
	return text;
}

bool members_begin(struct span text, struct span *rest)
{
	text = without_blanks(text);
	if (text.len == 0 || text.data[0] != '{') {
		return false;
	}
	*rest = behind(text, 1);
	return true;
}

/* Bytes of the string at the beginning of TEXT, quotes included; 0: it does not end. */
static size_t string_len(struct span text)
{
	for (size_t i = 1; i < text.len; i++) {
		if (text.data[i] == '\\') {
			i++;
		} else if (text.data[i] == '"') {
			return i + 1;
		}
	}
	return 0;
}

/* Bytes before the comma or bracket that ends the member; `text.len` + 1: nothing does. */
static size_t member_len(struct span text)
{
	size_t depth = 0, i = 0;

	while (i < text.len) {
		char c = text.data[i];
		size_t len = c == '"' ? string_len(behind(text, i)) : 1;
		if (len == 0) {
			break;
		}
		if (depth == 0 && (c == ',' || c == '}')) {
			return i;
		}
		if (c == '{' || c == '[') {
			depth++;
		} else if (depth > 0 && (c == '}' || c == ']')) {
			depth--;
		}
		i += len;
	}
	return text.len + 1;
}

bool members_next(struct span *rest, struct span *member)
{
	size_t len = member_len(*rest);

	if (len > rest->len) {
		return false;
	}
	*member = (struct span){rest->data, len};
	bool is_last = rest->data[len] == '}';
	/* Behind the last one nothing counts; an empty object has none. */
	*rest = is_last ? SPAN_LIT("") : behind(*rest, len + 1);
	return !is_last || without_blanks(*member).len > 0;
}
