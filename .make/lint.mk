# What `make lint` looks at. Every check reads the whole tree, so that a clean clone lints alike.

C_FILES      := $(shell cd $(ROOT) && find api auth db openapi tests -type f -name '*.[ch]')
C_UNITS      := $(filter %.c,$(C_FILES))
SHELL_FILES  := $(shell cd $(ROOT) && grep -rlIE '^\#! ?/(usr/bin/env |bin/)(ba)?sh' \
                    .ci .setup .deploy api auth db openapi tests 2>/dev/null)
PYTHON_FILES := $(shell cd $(ROOT) && find api auth db openapi tests -type f -name '*.py')
TIDY_UNITS   := $(filter-out tests/%,$(C_UNITS))

##@ Parts of make lint
.PHONY: lint-all lint-format lint-cppcheck lint-tidy lint-shell lint-python format
lint-all: lint-format lint-cppcheck lint-tidy lint-shell lint-python lint-units lint-man
	@echo 'make lint: clean'

lint-format: ## clang-format finds nothing to change; no hand-written file is too long
	@cd $(ROOT) && clang-format --dry-run -Werror $(C_FILES)
	@cd $(ROOT) && $(PYTHON) tests/unit/file_lengths.py

format: ## let clang-format change the files
	@cd $(ROOT) && clang-format -i $(C_FILES)

lint-cppcheck: $(GENERATED) ## cppcheck
	@cd $(ROOT) && cppcheck --quiet --error-exitcode=1 --std=c11 --language=c -I. -I$(GEN) -j$$(nproc) \
	    --enable=warning,portability,performance --inline-suppr --suppressions-list=.make/cppcheck.txt \
	    --suppress=missingIncludeSystem $(TIDY_UNITS)

lint-tidy: $(TIDY_UNITS:%=$(BUILD)/lint/%.tidy) ## clang-tidy, each file again only when it or a header changed
# The analyzer walks the paths through a function and all that it calls, code not yet seen first, until it has made so many
# states; a second walk takes each function by itself. The default, one walk of 225,000 states, costs twice as much, and
# leaves out functions that it met inside others.
TIDY_WALKS   := max-nodes=20000 mode=shallow
TIDY_HEADERS := $(addprefix $(ROOT)/,$(filter %.h,$(C_FILES))) $(wildcard $(ROOT)/*/*.def $(ROOT)/api/base/*.def)
$(BUILD)/lint/%.tidy: $(ROOT)/% $(ROOT)/.clang-tidy $(ROOT)/.make/lint.mk $(TIDY_HEADERS) | $(GENERATED)
	@mkdir -p $(@D)
	@echo '  tidy $*'
	@cd $(ROOT) && for walk in $(TIDY_WALKS); do \
	    clang-tidy --quiet --warnings-as-errors='*' $* -- -std=gnu11 -I. -I$(GEN) -isystem /usr/include/postgresql \
	        -Xclang -analyzer-config -Xclang $$walk 2>$@.log >$@.out \
	    || { cat $@.out; grep error: $@.log; exit 1; }; done
	@touch $@

lint-shell: ## shellcheck
	@cd $(ROOT) && shellcheck -x $(SHELL_FILES)

lint-python: ## Python compiles, YAML parses
	@cd $(ROOT) && $(PYTHON) -m py_compile $(PYTHON_FILES)
	@cd $(ROOT) && find openapi .deploy docker-compose.yml -name '*.y*ml' -print0 | xargs -0r $(PYTHON) -c \
	    'import sys, yaml; [yaml.safe_load(open(f, encoding="utf-8")) for f in sys.argv[1:]]'
