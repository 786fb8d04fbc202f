# `make run` shows the main job, `make check` tests everything; see README.md.

SHELL := /bin/bash
BUILT := build/root
EMBEDDED := .build-embedded
# A warning is an error here and in CI. Not in a package's build: another release of Debian has other headers.
WERROR ?= -Xswiftc -warnings-as-errors
STRICT := --explicit-target-dependency-import-check error $(WERROR)
# Two builds give the same bytes: this folder's name stays out, and so do hashes of command lines and paths of
# compiled C modules, which have it.  Without debug information, because the compiler describes inlined calls
# sometimes so and sometimes so, and the build id is a hash over it.
REPRODUCIBLE := -debug-info-format none -Xswiftc -file-prefix-map -Xswiftc "$(CURDIR)=/usr/src/qhpsi" \
	-Xcc "-ffile-prefix-map=$(CURDIR)=/usr/src/qhpsi" \
	-Xswiftc -Xfrontend -Xswiftc -disable-incremental-llvm-codegen \
	-Xswiftc -Xfrontend -Xswiftc -no-clang-module-breadcrumbs
# The flags keep every RUNPATH out of what is installed, for set-id programs must not have one.
SWIFT_RELEASE := QHPSI_EMBEDDED=1 swift build -c release --scratch-path $(EMBEDDED) \
	--disable-local-rpath -Xswiftc -no-toolchain-stdlib-rpath $(STRICT) $(REPRODUCIBLE)
# The admin's tool is ordinary Swift with its run-time library inside.  Its parser of arguments is compiled from a copy, so
# that a source package, which has one, gives the same bytes; and with our flags, so its warnings are let through here.
ADMIN := .build-release
SWIFT_ADMIN := QHPSI_VENDORED=1 swift build -c release --scratch-path $(ADMIN) --product qhpsictl --static-swift-stdlib \
	--disable-local-rpath -Xswiftc -no-toolchain-stdlib-rpath --explicit-target-dependency-import-check error \
	$(REPRODUCIBLE) \
	-Xswiftc -use-ld=lld -Xlinker --gc-sections -Xlinker -s \
	-Xlinker -z -Xlinker relro -Xlinker -z -Xlinker now
COMPLETIONS := $(BUILT)/usr/share/bash-completion/completions
BIN := fastforward mailq newaliases qmail-inject tcprules tcprulescheck tcpserver vcfilter
SBIN := qhpsi qhpsi-checkpassword qhpsid qmail-clean qmail-getpw qmail-local qmail-lspawn qmail-newu qmail-qread \
	qmail-qstat qmail-queue qmail-recipients qmail-remote qmail-rspawn qmail-send qmail-smtpd qmail-start \
	qmail-tcpok qmail-tcpto queue-fix sendmail vfilter
LIBEXEC := qhpsi-host qhpsi-plugins qmail-remote-tls qmail-smtpd-tls
# Programs that the tests need and the machine may lack; tools/depends puts them there.
TEST_PATH := $(CURDIR)/build/tools/bin:$(PATH):/usr/sbin:/sbin

.PHONY: run check bench power-cut fuzz format build admin install deb source install-test clean

# The main job on real input, then a server to talk to; with ONCE=1 it ends by itself.
run:
	tools/depends run
	$(MAKE) --no-print-directory install
	PATH="$(TEST_PATH)" tools/demo

# Everything that can be tested: rules of style, unit tests, and the programs as they are installed.
check:
	tools/depends check
	.ci/check --self-test
	$(MAKE) --no-print-directory install
	.ci/check
	swift build --build-tests $(STRICT)
	PATH="$(TEST_PATH)" Tests/run $(TEST_FLAGS)

# Mail on a disk whose power is cut at many points, then the same with syncs and orders left out, which must be seen.
power-cut:
	$(MAKE) --no-print-directory install
	Tests/PowerCut/run $(or $(SYSTEMS),ext4) without orders kept

# Start-up time, instructions and memory, compared with Benchmarks/BASELINE.md.
bench:
	tools/depends check
	$(MAKE) --no-print-directory install
	PATH="$(TEST_PATH)" Benchmarks/run $(PARTS)

# Each reader of outside bytes under libFuzzer, for FUZZ_SECONDS each.
fuzz:
	tools/depends run
	Fuzz/run

# All Debian packages, in build/deb.
deb:
	tools/depends deb
	tools/deb

# The source package, in build/source, which builds without a network.
source: vendor/swift-argument-parser/Package.swift
	tools/depends deb
	tools/source

# The packages in fresh Debian systems: what an admin does and what befalls him, then Debian's own checks.
install-test:
	tools/depends deb
	tools/depends check
	SUITE="$(SUITE)" Tests/Packages/run $(PARTS)

format:
	swift format -i -p -r Sources Tests Fuzz Package.swift

build:
	$(SWIFT_RELEASE)

# Programs, plugins and headers under build/root, in the layout they are installed in.
install: build
	install -d $(BUILT)/usr/bin $(BUILT)/usr/sbin $(BUILT)/usr/lib/qhpsi/plugins $(BUILT)/usr/include
	install -m 755 $(addprefix $(EMBEDDED)/release/,$(BIN)) $(BUILT)/usr/bin/
	install -m 755 $(addprefix $(EMBEDDED)/release/,$(SBIN)) $(BUILT)/usr/sbin/
	install -m 755 $(addprefix $(EMBEDDED)/release/,$(LIBEXEC)) $(BUILT)/usr/lib/qhpsi/
	install -m 644 $(EMBEDDED)/release/libclamd.so $(BUILT)/usr/lib/qhpsi/plugins/clamd.so
	install -m 644 $(EMBEDDED)/release/liblibclamav.so $(BUILT)/usr/lib/qhpsi/plugins/libclamav.so
	install -m 644 Sources/Inspect/CScanPlugin/include/qhpsi_plugin.h $(BUILT)/usr/include/

install: admin

vendor/swift-argument-parser/Package.swift:
	tools/vendor

# qhpsictl, and its completion for bash, which it writes itself.
admin: vendor/swift-argument-parser/Package.swift
	$(SWIFT_ADMIN)
	install -d $(BUILT)/usr/sbin $(COMPLETIONS)
	install -m 755 $(ADMIN)/release/qhpsictl $(BUILT)/usr/sbin/
	$(BUILT)/usr/sbin/qhpsictl --generate-completion-script bash | sed '1{/^#!/d}' >$(COMPLETIONS)/qhpsictl

clean:
	rm -rf .build .build-embedded .build-release .build-fuzz build run
