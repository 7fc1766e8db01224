# The tests. All run the sanitized build; `make test` installs what they need and runs the parts in turn.

PYTEST := cd $(ROOT) && $(PYTHON) -m pytest -c tests/pytest.ini $(PYTEST_FLAGS)
export ASAN_OPTIONS  ?= abort_on_error=1:detect_leaks=1:strict_string_checks=1
export UBSAN_OPTIONS ?= print_stacktrace=1:halt_on_error=1

UNIT_SOURCES := $(sort $(shell find $(ROOT)/tests/unit -name '*_test.c' -printf 'tests/unit/%P\n' 2>/dev/null))
UNIT_TESTS   := $(UNIT_SOURCES:%.c=$(BUILD)/asan/%)
FUZZ_SOURCES := $(sort $(notdir $(wildcard $(ROOT)/tests/fuzz/*_fuzz.c)))
FUZZ_TARGETS := $(FUZZ_SOURCES:%.c=$(BUILD)/fuzz/%)
FUZZ_SECONDS ?= 60
STRESS_SECONDS ?= 10

##@ Parts of make test
.PHONY: test-unit test-db test-api test-io test-interop test-races test-fuzz fuzz-all
test-unit: $(UNIT_TESTS) $(GEN)/contract.c ## rooms that know no database (cmocka), compilers, layout
	@cd $(ROOT) && $(PYTHON) tests/unit/run.py $(UNIT_TESTS)
	@$(PYTEST) tests/unit

test-db: $(BUILD)/asan/tpbis ## rules, plans and the catalogue, in a throw-away database (pgTAP)
	@cd $(ROOT) && tests/db/run '$(BUILD)/asan/tpbis'

# Files go to as many workers as there are cores; what mostly waits takes twice as many.
WORKERS ?= $(shell nproc)
test-api: $(BUILD)/asan/tpbis ## the binary over HTTP, as its clients see it
	@$(PYTEST) tests/api -n $(WORKERS) --dist loadfile --whole-contract --processes 2 --binary '$(BUILD)/asan/tpbis'

test-io: $(BUILD)/asan/tpbis ## signals, drain, a lost database, smuggled and slow requests
	@$(PYTEST) tests/io -n $$((2 * $(WORKERS))) --dist loadfile -rs --binary '$(BUILD)/asan/tpbis'

test-interop: $(BUILD)/asan/tpbis ## clients of OAuth and JWT that nobody here wrote, from npm
	@$(PYTEST) tests/interop -rs --binary '$(BUILD)/asan/tpbis'

.PHONY: browser
browser: $(BUILD)/asan/tpbis ## the pages for logging in, in Chromium (not part of make test: a browser is large)
	@$(ROOT)/.setup/install test browser
	@$(PYTEST) tests/browser --binary '$(BUILD)/asan/tpbis'

test-races: $(BUILD)/tsan/pool_stress $(BUILD)/tsan/key_store_test ## pool, queries, watch and keys on the build that finds data races
	@cd $(ROOT) && tests/db/stress $(BUILD)/tsan/pool_stress $(STRESS_SECONDS)
	@setarch $$(uname -m) --addr-no-randomize $(BUILD)/tsan/key_store_test

# It brings a contract of its own, so the archive's is not linked.
$(BUILD)/tsan/pool_stress: $(BUILD)/tsan/tests/db/pool_stress.o $(BUILD)/tsan/libtpbis.a
	@$(CC) $(LDFLAGS_tsan) -o $@ $^ $(LIBRARIES)
-include $(BUILD)/tsan/tests/db/pool_stress.d

$(BUILD)/tsan/key_store_test: $(BUILD)/tsan/tests/unit/auth/key_store_test.o $(BUILD)/tsan/libtpbis.a
	@$(CC) $(LDFLAGS_tsan) -o $@ $^ -lcmocka $(LIBRARIES)
-include $(BUILD)/tsan/tests/unit/auth/key_store_test.d

$(UNIT_TESTS): $(BUILD)/asan/%: $(BUILD)/asan/%.o $(BUILD)/asan/libtpbis.a
	@$(CC) $(LDFLAGS_asan) -o $@ $^ -lcmocka $(LIBRARIES)
-include $(UNIT_TESTS:%=%.d)

# The public JSON Schema test suite, compiled with our own compiler.
$(GEN)/schema_suite_data.h: $(ROOT)/tests/unit/api/schema_suite.py $(wildcard $(ROOT)/openapi/compiler/*.py)
	@mkdir -p $(GEN)
	@cd $(ROOT) && $(PYTHON) tests/unit/api/schema_suite.py --out $@
	@touch $@
$(BUILD)/asan/tests/unit/api/schema_suite_test.o: $(GEN)/schema_suite_data.h
.SECONDARY: $(UNIT_TESTS:%=%.o)

# clang's libFuzzer; the product's own objects are compiled again so that they count coverage.
CFLAGS_fuzz := -w -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined
FUZZ_OBJECTS := $(patsubst %.c,$(BUILD)/fuzz/%.o,$(filter-out api/main.c,$(SOURCES))) \
                $(patsubst $(GEN)/%.c,$(BUILD)/fuzz/gen/%.o,$(GENERATED))
$(BUILD)/fuzz/%.o: $(ROOT)/%.c | $(GENERATED)
	@mkdir -p $(@D)
	@cd $(ROOT) && $(CLANG) $(CFLAGS_ALL) $(CFLAGS_fuzz) -MMD -MP -c $*.c -o $@
$(BUILD)/fuzz/gen/%.o: $(GEN)/%.c
	@mkdir -p $(@D)
	@cd $(ROOT) && $(CLANG) $(CFLAGS_ALL) $(CFLAGS_fuzz) -MMD -MP -c $< -o $@
$(BUILD)/fuzz/libtpbis.a: $(FUZZ_OBJECTS)
	@rm -f $@ && ar rcs $@ $^
$(FUZZ_TARGETS): $(BUILD)/fuzz/%: $(BUILD)/fuzz/tests/fuzz/%.o $(BUILD)/fuzz/libtpbis.a
	@$(CLANG) -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIBRARIES)
-include $(FUZZ_OBJECTS:.o=.d)

test-fuzz: $(FUZZ_TARGETS) ## every fuzz target over its corpus, once
	@set -e; for target in $(FUZZ_TARGETS); do name=$$(basename $$target _fuzz); \
	  $$target -runs=0 -verbosity=0 $(ROOT)/tests/fuzz/corpus/$$name >$(BUILD)/fuzz/$$name.log 2>&1 \
	    || { tail -n 60 $(BUILD)/fuzz/$$name.log; exit 1; }; \
	  echo "fuzz: $$name, $$(find $(ROOT)/tests/fuzz/corpus/$$name -type f | wc -l) inputs of its corpus passed"; done

fuzz-all: $(FUZZ_TARGETS)
	@set -e; for target in $(FUZZ_TARGETS); do name=$$(basename $$target _fuzz); \
	  mkdir -p $(BUILD)/fuzz/found/$$name; \
	  echo "fuzz: $$name, $(FUZZ_SECONDS) s"; log=$(BUILD)/fuzz/$$name.log; \
	  (cd $(BUILD)/fuzz && $$target -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048 -timeout=10 \
	    -print_final_stats=1 -verbosity=0 found/$$name $(ROOT)/tests/fuzz/corpus/$$name) >$$log 2>&1 \
	    || { tail -n 60 $$log; exit 1; }; \
	  sed -n 's/^stat::number_of_executed_units: */  inputs tried: /p' $$log; done
