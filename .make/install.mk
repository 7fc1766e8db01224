# What a machine without the sources needs: binary, reference data, units, manual page. Nothing is started.
#   make install DESTDIR=/tmp/package PREFIX=/usr

PREFIX  ?= /usr
UNITDIR ?= $(PREFIX)/lib/systemd/system
UNITS   := tpbis.socket tpbis.service tpbis@.service tpbis-migrate.service

$(BUILD)/tpbis.8: $(ROOT)/.deploy/tpbis.8 $(BUILD)/tpbis
	@$(BUILD)/tpbis --help-mdoc > $(BUILD)/settings.mdoc
	@sed -e '/^@SETTINGS@$$/ {r $(BUILD)/settings.mdoc' -e 'd}' $(ROOT)/.deploy/tpbis.8 > $@

# One file serves as tpbis.service and as the template of its stand-ins.
$(BUILD)/units/%: $(ROOT)/.deploy/systemd/%
	@mkdir -p $(@D)
	@sed 's|@PREFIX@|$(PREFIX)|g' $< > $@
$(BUILD)/units/tpbis@.service: $(BUILD)/units/tpbis.service
	@cp $< $@

.PHONY: install lint-units lint-man
install: $(BUILD)/tpbis $(BUILD)/tpbis.8 $(UNITS:%=$(BUILD)/units/%) ## install under DESTDIR and PREFIX (/usr): binary, data, units, manual page
	install -D -m 755 $(BUILD)/release/tpbis $(DESTDIR)$(PREFIX)/bin/tpbis
	install -D -m 644 $(BUILD)/tpbis.8 $(DESTDIR)$(PREFIX)/share/man/man8/tpbis.8
	cd $(ROOT)/db/reference && find . -type f -exec install -D -m 644 '{}' '$(DESTDIR)$(PREFIX)/share/tpbis/reference/{}' ';'
	install -D -m 644 -t $(DESTDIR)$(UNITDIR) $(UNITS:%=$(BUILD)/units/%)
	install -D -m 644 $(ROOT)/.deploy/systemd/tpbis.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/tpbis.conf
	test -e $(DESTDIR)/etc/tpbis/tpbis.conf || \
	    install -D -m 644 $(ROOT)/.deploy/systemd/tpbis.conf $(DESTDIR)/etc/tpbis/tpbis.conf
	test -e $(DESTDIR)/etc/systemd/journald.conf.d/tpbis.conf || \
	    install -D -m 644 $(ROOT)/.deploy/systemd/journald-tpbis.conf $(DESTDIR)/etc/systemd/journald.conf.d/tpbis.conf

# An exposure of at most 2.0 of 10, for the service and for the migration.
lint-units: $(UNITS:%=$(BUILD)/units/%) $(BUILD)/tpbis ## systemd's own checks of the units
	@mkdir -p $(BUILD)/units/lint
	@for unit in $(UNITS); do \
	    sed 's|$(PREFIX)/bin/tpbis|$(BUILD)/tpbis|' $(BUILD)/units/$$unit > $(BUILD)/units/lint/$$unit; done
	@cp $(BUILD)/units/lint/tpbis@.service $(BUILD)/units/lint/tpbis@next.service
	@cd $(BUILD)/units/lint && systemd-analyze verify --man=no --recursive-errors=no \
	    ./tpbis.socket ./tpbis.service ./tpbis-migrate.service ./tpbis@next.service
	@cd $(BUILD)/units/lint && for unit in tpbis tpbis-migrate tpbis@next; do \
	    systemd-analyze security --no-pager --offline=true --threshold=20 ./$$unit.service >$$unit.log \
	    || { cat $$unit.log; exit 1; }; tail -n 1 $$unit.log | sed 's/^[^O]*/  /; s/ [^ ]*$$//'; done

lint-man: $(BUILD)/tpbis.8 ## the manual page, by mandoc
	@mandoc -Tlint -Wwarning $<
