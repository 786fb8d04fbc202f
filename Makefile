# `make run` shows the main job, `make check` tests everything; see README.md.

SHELL := /bin/bash
BUILT := build/root
EMBEDDED := .build-embedded
# The flags keep every RUNPATH out of what is installed: set-id programs must not have one.
SWIFT_RELEASE := QHPSI_EMBEDDED=1 swift build -c release --scratch-path $(EMBEDDED) \
	--disable-local-rpath -Xswiftc -no-toolchain-stdlib-rpath \
	--explicit-target-dependency-import-check error
SBIN := qmail-queue qmail-smtpd queue-fix qhpsi

.PHONY: build install

build:
	$(SWIFT_RELEASE)

# Programs, plugins and headers under build/root, in the layout they are installed in.
install: build
	install -d $(BUILT)/usr/sbin $(BUILT)/usr/lib/qhpsi/plugins $(BUILT)/usr/include
	install -m 755 $(addprefix $(EMBEDDED)/release/,$(SBIN)) $(BUILT)/usr/sbin/
	install -m 755 $(EMBEDDED)/release/qhpsi-host $(BUILT)/usr/lib/qhpsi/
	install -m 644 $(EMBEDDED)/release/libclamd.so $(BUILT)/usr/lib/qhpsi/plugins/clamd.so
	install -m 644 $(EMBEDDED)/release/liblibclamav.so $(BUILT)/usr/lib/qhpsi/plugins/libclamav.so
	install -m 644 Sources/Inspect/CScanPlugin/include/qhpsi_plugin.h $(BUILT)/usr/include/
