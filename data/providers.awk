# data/providers.ini as a C table (include/mailsync/conf/provider.h): an array of pairs a section,
# and a row a section that points to it. POSIX awk. A line that is none is an error, with its number.

function fail(what) {
	printf "%s:%d: %s\n", FILENAME, FNR, what | "cat 1>&2"
	failed = 1
	exit 1
}

# Sign by sign: awks disagree on backslashes in a replacement.
function quoted(text,    i, sign, done) {
	for (i = 1; i <= length(text); i++) {
		sign = substr(text, i, 1)
		done = done (sign == "\\" || sign == "\"" ? "\\" : "") sign
	}
	return "\"" done "\""
}

function trimmed(text) {
	sub(/^[ \t]+/, "", text)
	sub(/[ \t\r]+$/, "", text)
	return text
}

BEGIN {
	count = 0
	print "/* Made from data/providers.ini. */"
	print "#include \"mailsync/conf/provider.h\""
}

/^[ \t\r]*$/ || /^[;#]/ {
	next
}

/^\[/ {
	name = $0
	if (!sub(/^\[provider[ \t]+/, "", name) || !sub(/\][ \t\r]*$/, "", name) || name !~ /^[A-Za-z0-9._-]+$/) {
		fail("a section is [provider NAME]")
	}
	if (name in known) {
		fail("provider " name " is there already")
	}
	if (count > 0) {
		print "};"
	}
	known[name] = 1
	names[count] = name
	sizes[count] = 0
	printf "\nstatic const struct provider_pair pairs_%d[] = {\n", count++
	next
}

{
	at = index($0, "=")
	if (at < 2 || count == 0) {
		fail("not a 'key = value' of a section")
	}
	key = trimmed(substr($0, 1, at - 1))
	value = trimmed(substr($0, at + 1))
	if (key !~ /^[a-z0-9_]+$/ || value == "") {
		fail("not a 'key = value' of a section")
	}
	if ((count, key) in given) {
		fail("key " key " is given twice")
	}
	given[count, key] = 1
	printf "\t{%s, %s},\n", quoted(key), quoted(value)
	sizes[count - 1]++
}

END {
	if (failed) {
		exit 1
	}
	print "};\n\nstatic const struct provider rows[] = {"
	for (i = 0; i < count; i++) {
		printf "\t{%s, pairs_%d, %d},\n", quoted(names[i]), i, sizes[i]
	}
	printf "};\n\nconst struct providers provider_table = {rows, %d};\n", count
}
