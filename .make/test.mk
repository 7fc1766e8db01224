# The tests. All run the sanitized build; `make test` installs what they need and runs the parts in turn.

PYTEST := cd $(ROOT) && $(PYTHON) -m pytest -c tests/pytest.ini $(PYTEST_FLAGS)
export ASAN_OPTIONS  ?= abort_on_error=1:detect_leaks=1:strict_string_checks=1
export UBSAN_OPTIONS ?= print_stacktrace=1:halt_on_error=1

UNIT_SOURCES := $(sort $(shell find $(ROOT)/tests/unit -name '*_test.c' -printf 'tests/unit/%P\n' 2>/dev/null))
UNIT_TESTS   := $(UNIT_SOURCES:%.c=$(BUILD)/asan/%)
FUZZ_SOURCES := $(sort $(notdir $(wildcard $(ROOT)/tests/fuzz/*_fuzz.c)))
FUZZ_TARGETS := $(FUZZ_SOURCES:%.c=$(BUILD)/fuzz/%)
REPLAYS      := $(FUZZ_SOURCES:%.c=$(BUILD)/asan/tests/fuzz/%)
FUZZ_SECONDS ?= 60
STRESS_SECONDS ?= 10

# Parts that run one after another, in lanes that run side by side (tests/parts.py).
LANES := api,interop previous,unit,db,races,fuzz,io

##@ Parts of make test
.PHONY: test-unit test-db test-api test-io test-interop test-races test-fuzz test-build test-previous fuzz-all
test-unit: $(UNIT_TESTS) $(GEN)/contract.c ## rooms that know no database (cmocka), compilers, layout
	@cd $(ROOT) && $(PYTHON) tests/unit/run.py $(UNIT_TESTS)
	@$(PYTEST) tests/unit -rs

# What all parts need, built before they run side by side.
test-build: $(BUILD)/asan/tpbis $(UNIT_TESTS) $(REPLAYS)

test-previous: ## build the version before, from which tests/io/test_upgrade.py upgrades
	@cd $(ROOT) && $(PYTHON) tests/harness/previous.py

# Files go to as many workers as there are cores; what mostly waits takes twice as many.
WORKERS ?= $(shell nproc)
test-db: $(BUILD)/asan/tpbis ## rules, plans and the catalogue, in a throw-away database (pgTAP)
	@$(PYTEST) tests/db -n $(WORKERS) --dist loadfile -rs --binary '$(BUILD)/asan/tpbis'

test-api: $(BUILD)/asan/tpbis ## the binary over HTTP, as its clients see it
	@$(PYTEST) tests/api -n $(WORKERS) --dist loadfile -rs --whole-contract --processes 2 --binary '$(BUILD)/asan/tpbis'

test-io: $(BUILD)/asan/tpbis ## signals, drain, a lost database, smuggled and slow requests
	@$(PYTEST) tests/io -n $$((2 * $(WORKERS))) --dist loadfile -rs --binary '$(BUILD)/asan/tpbis'

test-interop: $(BUILD)/asan/tpbis ## clients of OAuth and JWT that nobody here wrote, from npm
	@$(PYTEST) tests/interop -rs --binary '$(BUILD)/asan/tpbis'

.PHONY: browser
browser: $(BUILD)/asan/tpbis ## the pages for logging in, in Chromium (not part of make test: a browser is large)
	@$(ROOT)/.setup/install test browser
	@$(PYTEST) tests/browser --binary '$(BUILD)/asan/tpbis'

.PHONY: spreadsheet
spreadsheet: $(BUILD)/asan/tpbis ## every table in LibreOffice Calc with Indonesian settings (not part of make test: an office is large)
	@$(ROOT)/.setup/install test spreadsheet
	@$(PYTEST) tests/spreadsheet -s --binary '$(BUILD)/asan/tpbis'

test-races: $(BUILD)/tsan/pool_stress $(BUILD)/tsan/key_store_test ## pool, queries, watch and keys on the build that finds data races
	@cd $(ROOT) && tests/db/stress $(BUILD)/tsan/pool_stress $(STRESS_SECONDS)
	@setarch $$(uname -m) --addr-no-randomize $(BUILD)/tsan/key_store_test

# Only what these programs link is built with that sanitizer: the linker says what that is, when it links them with the
# archive of the tests. pool_stress brings a contract of its own.
TSAN_PROGRAMS := tests/db/pool_stress tests/unit/auth/key_store_test
$(BUILD)/tsan/members.mk: $(TSAN_PROGRAMS:%=$(BUILD)/asan/%.o) $(BUILD)/asan/libtpbis.a
	@mkdir -p $(@D)
	@for program in $(TSAN_PROGRAMS); do \
	    echo "$(BUILD)/tsan/$$(basename $$program):" $$($(CC) $(LDFLAGS_asan) -Wl,-t,-t -o /dev/null \
	        $(BUILD)/asan/$$program.o $(BUILD)/asan/libtpbis.a -lcmocka $(LIBRARIES) \
	        | sed -n 's|^$(BUILD)/asan/\(.*\.o\)$$|$(BUILD)/tsan/\1|p; /^$(subst /,\/,$(BUILD))\/tables\//p'); \
	done > $@
ifneq ($(filter test-races,$(MAKECMDGOALS)),)
include $(BUILD)/tsan/members.mk
endif
$(BUILD)/tsan/pool_stress $(BUILD)/tsan/key_store_test:
	@$(CC) $(LDFLAGS_tsan) -o $@ $^ -lcmocka $(LIBRARIES)
-include $(TSAN_PROGRAMS:%=$(BUILD)/tsan/%.d)

$(UNIT_TESTS): $(BUILD)/asan/%: $(BUILD)/asan/%.o $(BUILD)/asan/libtpbis.a
	@$(CC) $(LDFLAGS_asan) -o $@ $^ -lcmocka $(LIBRARIES)
-include $(UNIT_TESTS:%=%.d)

# The public JSON Schema test suite, compiled with our own compiler.
$(GEN)/schema_suite_data.h: $(ROOT)/tests/unit/api/schema_suite.py $(wildcard $(ROOT)/openapi/compiler/*.py)
	@mkdir -p $(GEN)
	@cd $(ROOT) && $(PYTHON) tests/unit/api/schema_suite.py --out $@
	@touch $@
$(BUILD)/asan/tests/unit/api/schema_suite_test.o: $(GEN)/schema_suite_data.h
.SECONDARY: $(UNIT_TESTS:%=%.o) $(REPLAYS:%=%.o)

# clang's libFuzzer; the product's own objects are compiled again so that they count coverage.
CFLAGS_fuzz := -w -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined
FUZZ_OBJECTS := $(patsubst %.c,$(BUILD)/fuzz/%.o,$(filter-out api/main.c,$(SOURCES))) \
                $(TABLES)
$(BUILD)/fuzz/%.o: $(ROOT)/%.c | $(GENERATED)
	@mkdir -p $(@D)
	@cd $(ROOT) && $(CLANG) $(CFLAGS_ALL) $(CFLAGS_fuzz) -MMD -MP -c $*.c -o $@
$(BUILD)/fuzz/libtpbis.a: $(FUZZ_OBJECTS)
	@rm -f $@ && ar rcs $@ $^
$(FUZZ_TARGETS): $(BUILD)/fuzz/%: $(BUILD)/fuzz/tests/fuzz/%.o $(BUILD)/fuzz/libtpbis.a
	@$(CLANG) -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIBRARIES)
-include $(filter $(BUILD)/fuzz/%,$(FUZZ_OBJECTS:.o=.d))

# The corpora are replayed on the build of the other tests; `make fuzz` builds with libFuzzer and looks for new inputs.
$(REPLAYS): %: %.o $(BUILD)/asan/tests/fuzz/replay.o $(BUILD)/asan/libtpbis.a
	@$(CC) $(LDFLAGS_asan) -o $@ $^ $(LIBRARIES)
$(REPLAYS:%=%.o): CFLAGS_asan += -w
-include $(REPLAYS:%=%.d)

test-fuzz: $(REPLAYS) ## every fuzz target over its corpus, once
	@set -e; for target in $(REPLAYS); do name=$$(basename $$target _fuzz); \
	  said=$$($$target $(ROOT)/tests/fuzz/corpus/$$name 2>$$target.log) || { tail -n 60 $$target.log; exit 1; }; \
	  echo "fuzz: $$name, $$said"; done

fuzz-all: $(FUZZ_TARGETS)
	@set -e; for target in $(FUZZ_TARGETS); do name=$$(basename $$target _fuzz); \
	  mkdir -p $(BUILD)/fuzz/found/$$name; \
	  echo "fuzz: $$name, $(FUZZ_SECONDS) s"; log=$(BUILD)/fuzz/$$name.log; \
	  (cd $(BUILD)/fuzz && $$target -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048 -timeout=10 \
	    -print_final_stats=1 -verbosity=0 found/$$name $(ROOT)/tests/fuzz/corpus/$$name) >$$log 2>&1 \
	    || { tail -n 60 $$log; exit 1; }; \
	  sed -n 's/^stat::number_of_executed_units: */  inputs tried: /p' $$log; done
