# The house's front door: every thing one does with this project is a target here; `make help` lists them.
# Rule: a target works from a clean clone, from any directory (make -C), and asks nothing.

ROOT  := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
# Where built things go, where the embedded service keeps its data, and where it listens.
BUILD ?= build
STATE ?= .local
PORT  ?= 8080
override BUILD := $(if $(filter /%,$(BUILD)),$(BUILD),$(ROOT)/$(BUILD))
override STATE := $(if $(filter /%,$(STATE)),$(STATE),$(ROOT)/$(STATE))

# Debian's own interpreter, full path: another python3 in PATH has not the Debian modules.
PYTHON := /usr/bin/python3
CC     := gcc
CLANG  := clang
export PYTHONPYCACHEPREFIX := $(BUILD)/pycache

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
# All cores, unless the caller says how many jobs (make -j1).
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += --jobs=$(shell nproc)
endif

include $(ROOT)/.make/build.mk
include $(ROOT)/.make/test.mk
include $(ROOT)/.make/lint.mk
include $(ROOT)/.make/install.mk

##@ Every day
.PHONY: help run build test lint
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} \
	  /^##@ / {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z][a-z0-9-]*:.*## / {printf "  make %-12s %s\n", $$1, $$2}' \
	  $(ROOT)/Makefile $(ROOT)/.make/test.mk $(ROOT)/.make/lint.mk $(ROOT)/.make/install.mk
	@printf '\nVariables: PORT=%s  STATE=%s  BUILD=%s\n' '$(PORT)' '$(STATE)' '$(BUILD)'

run: ## install what is missing, build, start a private database, load the data, serve until Ctrl-C
	@$(ROOT)/.setup/install run
	+@$(MAKE) --no-print-directory -f $(ROOT)/Makefile build
	@exec $(ROOT)/api/run '$(BUILD)/tpbis' '$(STATE)' '$(PORT)'

build: $(BUILD)/tpbis ## build the service: build/tpbis

test: ## every test, on the sanitized build (installs what is missing)
	@$(ROOT)/.setup/install run test
	@mkdir -p $(BUILD)
	+@exec flock $(BUILD)/test.lock $(PYTHON) $(ROOT)/tests/parts.py --out $(BUILD)/test \
	    --make '$(MAKE) --no-print-directory -f $(ROOT)/Makefile BUILD=$(BUILD)' --first build $(LANES)

lint: ## format, static analysis, scripts (installs what is missing)
	@$(ROOT)/.setup/install run lint
	+@$(MAKE) --no-print-directory -f $(ROOT)/Makefile lint-all

##@ Now and then
.PHONY: bench fuzz image proxy-check docs openapi readme clean setup
bench: ## measure against the peers; medians go to build/bench/
	@$(ROOT)/.setup/install run bench
	+@$(MAKE) --no-print-directory -f $(ROOT)/Makefile build
	@mkdir -p $(BUILD)/bench
	@cd $(ROOT) && BUILD='$(BUILD)' $(PYTHON) tests/bench/run.py $(BENCH_FLAGS)

fuzz: ## feed every fuzz target for FUZZ_SECONDS (60) each, from its corpus
	@$(ROOT)/.setup/install run test
	+@$(MAKE) --no-print-directory -f $(ROOT)/Makefile fuzz-all

image: ## build the images without an engine and try them as docker-compose.yml runs them (as root)
	@$(ROOT)/.setup/install run test image
	@cd $(ROOT) && $(PYTHON) tests/deploy/image.py --work $(BUILD)/image

proxy-check: ## testssl against the shipped proxy
	@$(ROOT)/.setup/install test image
	@cd $(ROOT) && $(PYTHON) tests/deploy/tls.py --work $(BUILD)/tls

docs: ## build the reference page (/docs), with Swagger UI where npm is there
	@rm -f $(GEN)/.npm
	+@$(MAKE) --no-print-directory -f $(ROOT)/Makefile $(GEN)/docs_files.c

openapi: $(GEN)/openapi.json ## compile the contract: build/gen/openapi.json

readme: $(BUILD)/tpbis ## write the binary's table of settings into README.md
	@$(BUILD)/tpbis --help-markdown > $(BUILD)/settings.md
	@sed -i -e '/^<!-- settings:/,/^<!-- end of settings/ {/^<!-- settings:/ {p; r $(BUILD)/settings.md' \
	    -e '}; /^<!-- end of settings/p; d}' $(ROOT)/README.md

setup: ## install the Debian packages for running, testing, linting and measuring
	@$(ROOT)/.setup/install run test lint bench

clean: ## remove what was built; the service's data in STATE stays
	rm -rf $(BUILD)
