/* No name of a server makes a path outside the root, and every path made is read back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/model/mbname.h"

static void check_path(enum mbname_layout layout, const char *name)
{
	struct buf path;
	struct buf again;
	struct err err;
	buf_init(&path, MBNAME_MAX * 4);
	buf_init(&again, MBNAME_MAX);
	if (mbname_to_path(layout, "INBOX", name, &path, &err) == 0) {
		if (path.data[0] == '/' || strstr(path.data, "..") == path.data ||
		    strstr(path.data, "/.") != NULL || strstr(path.data, "//") != NULL) {
			abort();
		}
		if (mbname_from_path(layout, "INBOX", buf_span(&path), &again, &err) != 0 ||
		    strcmp(again.data, name) != 0) {
			abort();
		}
	}
	buf_finish(&again);
	buf_finish(&path);
}

static void check_wire(const struct mbname_wire *wire, struct span text)
{
	struct buf name;
	struct buf sent;
	struct buf again;
	struct err err;
	buf_init(&name, MBNAME_MAX);
	buf_init(&sent, MBNAME_MAX * 4);
	buf_init(&again, MBNAME_MAX);
	if (mbname_from_wire(wire, text, &name, &err) == 0) {
		check_path(LAYOUT_FS, name.data);
		check_path(LAYOUT_MAILDIRPP, name.data);
		if (mbname_to_wire(wire, name.data, &sent, &err) == 0 &&
		    (mbname_from_wire(wire, buf_span(&sent), &again, &err) != 0 ||
		     !span_equal(buf_span(&again), buf_span(&name)))) {
			abort();
		}
	}
	buf_finish(&again);
	buf_finish(&sent);
	buf_finish(&name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mbname_wire wires[] = {
		{.separator = '/'},
		{.separator = '.'},
		{.separator = '.', .prefix = "INBOX."},
		{.separator = '\0'},
		{.separator = '/', .is_utf8 = true},
	};
	struct span text = {(const char *)data, size};
	for (size_t i = 0; i < sizeof(wires) / sizeof(wires[0]); i++) {
		check_wire(&wires[i], text);
	}
	return 0;
}
