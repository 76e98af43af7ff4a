# GNU make. `make help` lists the targets. Everything that is built lies under $(BUILD).
#
#   SANITIZE=1   AddressSanitizer and UBSan, in $(BUILD)/asan
#   STEPS=1      fail points (include/mailsync/base/step.h), in $(BUILD)/steps
#   FUZZ=1       libFuzzer, needs clang, in $(BUILD)/fuzz
#   WERROR=1     warnings are errors
#   V=1          show the commands
#   NO_SETUP=1   install nothing: what is missing is named
#   OAUTH_CLIENTS='google=ID:SECRET microsoft=ID https://auth.example.org/=ID'
#                a packager's OAuth2 clients, for accounts that name none

# Another make knows no MAKE_HOST, and reads there what to use.
-include data/not-gnu$(MAKE_HOST).mk

# A tag of the form v1.2.3 names the version; a tarball of `make dist` has it in a file.
VERSION := $(shell cat VERSION 2>/dev/null || git describe --tags --match 'v[0-9]*' 2>/dev/null | \
	sed 's/^v//' | grep . || echo 0.1.0)
BUILD ?= build
PREFIX ?= /usr/local
TIME ?= 30
COUNT ?= 2000
PKG_CONFIG ?= pkg-config
JOBS ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
CFLAGS ?= -O2 -g
MODULES = libcurl openssl inih sqlite3 zlib jansson

VARIANT := $(if $(STEPS),steps)$(if $(SANITIZE),asan)$(if $(FUZZ),fuzz)
OUT := $(BUILD)$(if $(VARIANT),/$(VARIANT))
ifdef FUZZ
CC = clang
endif
Q := $(if $(V),,@)
# What the tests need is built by as many at once as there are processors, unless `make -j` says
# otherwise.
AT_ONCE = $(MAKE) --no-print-directory $(if $(findstring --jobserver,$(MAKEFLAGS)),,-j$(JOBS))

WARNINGS = -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wswitch-enum -Wvla \
	-Wwrite-strings -Wformat=2 -Wformat-security \
	-Werror=implicit-function-declaration $(if $(WERROR),-Werror)
ifneq ($(SANITIZE)$(FUZZ),)
SANITIZERS = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
endif
ifneq ($(FUZZ),)
SANITIZERS += -fsanitize=fuzzer-no-link
endif
# HARDENING and PKG_* come from config.mk.
ALL_CPPFLAGS = -D_POSIX_C_SOURCE=200809L \
	$(if $(STEPS),-DMAILSYNC_STEPS) \
	$(if $(OAUTH_CLIENTS),-DMAILSYNC_OAUTH_CLIENTS='"$(OAUTH_CLIENTS)"') \
	-Iinclude $(PKG_CFLAGS) $(CPPFLAGS)
ALL_CFLAGS = -std=c11 -pthread $(WARNINGS) $(CFLAGS) \
	$(if $(SANITIZERS),$(SANITIZERS),$(HARDENING_CFLAGS))
# In a build with fail points allocations fail, too (src/base/step_nomem.c).
comma = ,
STEP_LDFLAGS = $(if $(STEPS),$(addprefix -Wl$(comma)--wrap=,malloc calloc realloc strdup))
ALL_LDFLAGS = -pthread $(STEP_LDFLAGS) \
	$(if $(SANITIZERS),$(SANITIZERS),$(HARDENING_LDFLAGS)) $(LDFLAGS)

# A layer is a folder of src, a room a folder of a layer.
SOURCES := $(filter-out src/cli/main.c,$(wildcard src/*/*.c src/*/*/*.c))
MAIN := $(wildcard src/cli/main.c)
# Sources that are made from data.
MADE := $(OUT)/made/provider_table.c
OBJECTS := $(SOURCES:%.c=$(OUT)/%.o) $(MADE:.c=.o)
LIBRARY := $(OUT)/libmailsync.a
PROGRAM := $(if $(MAIN),$(OUT)/mailsync)
# A mail server in memory, for tests of what stands above store/remote.h.
SCRIPTED := $(OUT)/libscripted.a
SCRIPTED_OBJECTS := $(patsubst %.c,$(OUT)/%.o,$(wildcard tests/scripted/*.c))
# What `make install` puts below $(PREFIX): FROM:TO:MODE.
SHELLS = bash zsh fish
DOCUMENTS := $(wildcard *.md LICENSE mailsync.conf.example docs/*.md)
# What `make demo` runs stays with the sources.
EXAMPLES := $(filter-out examples/demo%,$(wildcard examples/* examples/fleet/*))
EXAMPLES := $(filter-out examples/fleet,$(EXAMPLES))
INSTALLED = $(PROGRAM):bin/mailsync:755 \
	$(foreach page,$(wildcard docs/*.1),$(page):share/man/man1/$(notdir $(page)):644) \
	$(foreach page,$(wildcard docs/*.5),$(page):share/man/man5/$(notdir $(page)):644) \
	$(foreach file,$(DOCUMENTS),$(file):share/doc/mailsync/$(notdir $(file)):644) \
	$(foreach file,$(EXAMPLES),$(file):share/doc/mailsync/$(file):644) \
	$(foreach unit,$(wildcard data/systemd/*),$(unit):lib/systemd/user/$(notdir $(unit)):644) \
	$(OUT)/completion/bash:share/bash-completion/completions/mailsync:644 \
	$(OUT)/completion/zsh:share/zsh/site-functions/_mailsync:644 \
	$(OUT)/completion/fish:share/fish/vendor_completions.d/mailsync.fish:644
# A C test of any tier is tests/TIER/test_NOUN.c, a program of its own.
UNIT_TESTS := $(patsubst %.c,$(OUT)/%,$(wildcard tests/unit/test_*.c))
CASE_TESTS := $(patsubst %.c,$(OUT)/%,$(wildcard tests/plan/test_*.c tests/wire/test_*.c))
TEST_OBJECTS := $(UNIT_TESTS:=.o) $(CASE_TESTS:=.o)
FUZZERS := $(patsubst %.c,$(OUT)/%,$(wildcard tests/fuzz/fuzz_*.c))
# Tests see each private header by its name, and a room's also as "ROOM/NAME.h".
PRIVATE_INCLUDES := $(patsubst %/,-I%,$(sort $(dir $(wildcard src/*/*.h src/*/*/*.h)) \
	$(dir $(patsubst %/,%,$(dir $(wildcard src/*/*/*.h))))))

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.PHONY: all program tests-c tests-compiled fuzzers completions setup-test setup-bench FORCE \
	check check-all check-unit check-e2e check-asan check-valgrind \
	crash soak liar fuzz newcomer portable package deb lint format \
	demo demo-svg bench bench-svg install uninstall dist clean help

# No build, no set-up.
WITHOUT_BUILD = clean help format lint uninstall dist bench-svg deb package portable
ifneq ($(filter-out $(WITHOUT_BUILD),$(or $(MAKECMDGOALS),all)),)
include $(OUT)/config.mk
endif

all: $(LIBRARY) $(PROGRAM)

# make restarts itself once this is there, so that it is seen complete.
$(OUT)/config.mk: Makefile tests/rig/setup tests/rig/configure
	$(Q)CC='$(CC)' tests/rig/setup $(if $(NO_SETUP),needs,build)
	$(Q)mkdir -p $(@D)
	$(Q)CC='$(CC)' PKG_CONFIG='$(PKG_CONFIG)' tests/rig/configure $(MODULES) >$@.new
	$(Q)mv $@.new $@

# Changes only when the flags do; all objects hang on it.
FLAGS = $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS)
$(OUT)/flags: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)printf '%s\n' '$(subst ','\'',$(FLAGS))' | cmp -s - $@ || \
		printf '%s\n' '$(subst ','\'',$(FLAGS))' >$@

# Where a layer has rooms, "ROOM/NAME.h" is found from its own folder.
$(OUT)/src/%.o: src/%.c $(OUT)/flags
	$(if $(Q),@echo "CC $<")
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) -iquote src/$(word 2,$(subst /, ,$<)) $(ALL_CFLAGS) \
		-MMD -MP -c -o $@ $<

$(OUT)/made/provider_table.c: data/providers.awk data/providers.ini
	$(Q)mkdir -p $(@D)
	$(Q)LC_ALL=C awk -f data/providers.awk data/providers.ini >$@

$(OUT)/made/%.o: $(OUT)/made/%.c $(OUT)/flags
	$(if $(Q),@echo "CC $<")
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Only this file hangs on the version, so that a commit does not compile all anew.
$(OUT)/src/cli/cli.o: ALL_CPPFLAGS += -DMAILSYNC_VERSION='"$(VERSION)"'
$(OUT)/src/cli/cli.o: $(OUT)/version
$(OUT)/version: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' >$@

# Made anew: a member whose source is gone must not stay. q, not r: rooms may have files of one
# name.
$(LIBRARY): $(OBJECTS)
	$(if $(Q),@echo "AR $@")
	$(Q)rm -f $@
	$(Q)$(AR) qcs $@ $(OBJECTS)

$(OUT)/mailsync: $(OUT)/src/cli/main.o $(LIBRARY)
	$(if $(Q),@echo "LD $@")
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(SCRIPTED_OBJECTS): $(OUT)/tests/%.o: tests/%.c $(OUT)/flags
	$(if $(Q),@echo "CC $<")
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(PRIVATE_INCLUDES) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(SCRIPTED): $(SCRIPTED_OBJECTS)
	$(if $(Q),@echo "AR $@")
	$(Q)rm -f $@
	$(Q)$(AR) qcs $@ $(SCRIPTED_OBJECTS)

$(TEST_OBJECTS): $(OUT)/tests/%.o: tests/%.c $(OUT)/flags | setup-test
	$(if $(Q),@echo "CC $<")
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(PRIVATE_INCLUDES) -Itests/scripted $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(UNIT_TESTS) $(CASE_TESTS): %: %.o $(SCRIPTED) $(LIBRARY)
	$(if $(Q),@echo "LD $@")
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(SCRIPTED) $(LIBRARY) -lcmocka $(PKG_LIBS)

$(FUZZERS): $(OUT)/tests/%: tests/%.c $(LIBRARY) $(OUT)/flags
	$(if $(Q),@echo "LD $@")
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(PRIVATE_INCLUDES) $(ALL_CFLAGS) -fsanitize=fuzzer -MMD -MP -o $@ $< \
		$(LIBRARY) $(PKG_LIBS)

-include $(OBJECTS:.o=.d) $(SCRIPTED_OBJECTS:.o=.d) $(OUT)/src/cli/main.d
-include $(TEST_OBJECTS:.o=.d) $(FUZZERS:=.d)

program: $(LIBRARY) $(PROGRAM)
tests-c: $(UNIT_TESTS) $(CASE_TESTS)
tests-compiled: $(TEST_OBJECTS) $(SCRIPTED)
fuzzers: $(FUZZERS)

setup-test:
	$(Q)$(if $(NO_SETUP),,CC='$(CC)' tests/rig/setup test)

setup-bench:
	$(Q)$(if $(NO_SETUP),,CC='$(CC)' tests/rig/setup bench)

check: setup-test
	$(Q)$(AT_ONCE) program tests-c
	$(Q)$(AT_ONCE) STEPS=1 program
	$(Q)tests/run --out $(OUT) unit plan wire e2e liar

check-all: check
	$(Q)$(if $(NO_SETUP),,tests/rig/setup neighbours bench fleet)
	$(Q)tests/run --out $(OUT) wide muas neighbours migration fleet
	$(Q)$(MAKE) --no-print-directory liar
	$(Q)$(MAKE) --no-print-directory newcomer
	$(Q)$(MAKE) --no-print-directory package
	$(Q)$(MAKE) --no-print-directory portable

check-unit: setup-test
	$(Q)$(AT_ONCE) tests-c
	$(Q)tests/run --out $(OUT) unit

check-e2e: setup-test
	$(Q)$(AT_ONCE) program
	$(Q)$(AT_ONCE) STEPS=1 program
	$(Q)tests/run --out $(OUT) e2e

check-asan: setup-test
	$(Q)$(AT_ONCE) SANITIZE=1 program tests-c
	$(Q)tests/run --out $(BUILD)/asan unit e2e

check-valgrind:
	$(Q)tests/rig/setup valgrind
	$(Q)$(AT_ONCE) program tests-c
	$(Q)$(AT_ONCE) STEPS=1 program
	$(Q)tests/memcheck $(OUT) $(TIERS)

lint:
	$(Q)tests/rig/setup test
	$(Q)tests/lint/run

format:
	$(Q)tests/rig/setup test
	$(Q)clang-format -i $(wildcard src/*/*.[ch] src/*/*/*.[ch] include/mailsync/*/*.h tests/*/*.[ch])

demo: setup-test program
	$(Q)MAILSYNC='$(abspath $(PROGRAM))' examples/demo

demo-svg: setup-test program
	$(Q)MAILSYNC='$(abspath $(PROGRAM))' tests/pictures/session docs/demo.svg

bench: setup-bench program
	$(Q)MAILSYNC='$(abspath $(PROGRAM))' tests/bench/run

# Of the figures that tests/bench/run --json wrote last.
bench-svg:
	$(Q)tests/pictures/chart docs/bench.json docs/bench.svg

fuzz: setup-test
	$(Q)$(AT_ONCE) FUZZ=1 fuzzers
	$(Q)tests/fuzz/run $(BUILD)/fuzz/tests/fuzz $(TIME)

crash: setup-test
	$(Q)$(MAKE) --no-print-directory STEPS=1 program
	$(Q)MAILSYNC='$(abspath $(BUILD))/steps/mailsync' tests/crash/run
	$(Q)MAILSYNC='$(abspath $(BUILD))/steps/mailsync' tests/crash/tokens

soak: setup-test
	$(Q)$(MAKE) --no-print-directory STEPS=1 program
	$(Q)MAILSYNC='$(abspath $(BUILD))/steps/mailsync' TIME='$(TIME)' tests/crash/soak

liar: setup-test program
	$(Q)MAILSYNC='$(abspath $(PROGRAM))' tests/liar/run --count '$(COUNT)' \
		$(if $(SEED),--seed '$(SEED)') --figures

# A Debian package of what is committed.
deb:
	$(Q)$(if $(NO_SETUP),,tests/rig/setup package)
	$(Q)rm -f $(BUILD)/deb/*.deb
	$(Q)data/debian/package '$(VERSION)' $(BUILD)/deb

# It is built, checked, installed, run and removed, on a clean Debian. Root.
package: deb
	$(Q)tests/package/run --deb $(BUILD)/deb/mailsync_*.deb --root $(BUILD)/newcomer/root

newcomer: program
	$(Q)$(if $(NO_SETUP),,tests/rig/setup newcomer)
	$(Q)tests/newcomer/run --program $(PROGRAM) --root $(BUILD)/newcomer/root

# Other machines, as far as this one can be them: MODES=... for some.
portable:
	$(Q)$(if $(NO_SETUP),,tests/rig/setup portable)
	$(Q)tests/portable/run --out $(BUILD)/portable $(MODES)

completions: $(SHELLS:%=$(OUT)/completion/%)
$(OUT)/completion/%: $(PROGRAM)
	$(Q)mkdir -p $(@D)
	$(Q)$(PROGRAM) --print-completion=$* >$@

install: program completions
	$(Q)set -e; for one in $(INSTALLED); do \
		from=$${one%%:*}; to=$${one#*:}; mode=$${to##*:}; to='$(DESTDIR)$(PREFIX)'/$${to%:*}; \
		install -d "$${to%/*}"; install -m "$$mode" "$$from" "$$to"; echo "$$to"; done

uninstall:
	$(Q)for one in $(INSTALLED); do \
		to=$${one#*:}; rm -f '$(DESTDIR)$(PREFIX)'/"$${to%:*}"; done
	$(Q)cd '$(DESTDIR)$(PREFIX)/share/doc' 2>/dev/null && \
		rmdir mailsync/examples/fleet mailsync/examples mailsync 2>/dev/null || :

# A tarball of what is committed, that builds and tests by itself.
dist:
	$(Q)mkdir -p $(BUILD)
	$(Q)echo '$(VERSION)' >$(BUILD)/VERSION
	git archive --prefix='mailsync-$(VERSION)/' --add-file=$(BUILD)/VERSION HEAD | \
		gzip -9n >$(BUILD)/mailsync-$(VERSION).tar.gz

clean:
	rm -rf '$(BUILD)'

help:
	@echo 'all         build $(BUILD)/mailsync (the default)'
	@echo 'check       unit, plan, wire and e2e tests, and some histories of liar'
	@echo 'check-all   the same, the stories left out there, real mail programs (mu, notmuch, neomutt,'
	@echo '            mutt) at work, fleets on Slurm and GNU parallel, liar, newcomer, package and'
	@echo '            portable'
	@echo 'check-unit  unit tests only'
	@echo 'check-e2e   tests against real servers only'
	@echo 'check-asan  unit and e2e tests under AddressSanitizer and UBSan'
	@echo 'check-valgrind  the C tests and some stories under valgrind; TIERS=... for some'
	@echo 'lint        layering, banned functions, sizes, format'
	@echo 'format      let clang-format rewrite the sources'
	@echo 'demo        watch a sync happen against a private Dovecot'
	@echo 'demo-svg    the same as a picture, docs/demo.svg'
	@echo 'bench       compare with other programs'
	@echo 'bench-svg   a chart of its last figures, docs/bench.svg'
	@echo 'fuzz        fuzz each parser for TIME=$(TIME) seconds'
	@echo 'crash       stop after every step, run again, compare'
	@echo 'soak        random changes, crashes and runs for TIME=$(TIME) seconds'
	@echo 'liar        COUNT=$(COUNT) histories with a server that lies and a disk that fails,'
	@echo '            from SEED='
	@echo 'deb         a Debian package of what is committed, in $(BUILD)/deb'
	@echo 'package     that, checked by lintian, installed, run and removed; needs root'
	@echo 'newcomer    from init to synced mail by what the program says, on a clean Debian; root'
	@echo 'portable    C tests on 32 bits (root), with musl, and where high bytes come first'
	@echo 'install     into DESTDIR= PREFIX=$(PREFIX); uninstall takes it away'
	@echo 'dist        $(BUILD)/mailsync-VERSION.tar.gz, which builds by itself'
	@echo 'clean       remove $(BUILD)'
	@echo 'help        this list'
