# How C becomes the binary. One rule set, three variants:
#   release  build/release/tpbis (build/tpbis points to it)
#   asan     build/asan/tpbis, addresses and undefined behaviour checked: what the tests run
#   tsan     build/tsan/tpbis, data races checked: for the stress tests

GEN := $(BUILD)/gen

GENERATED := $(GEN)/contract.c $(GEN)/migrations.c $(GEN)/docs_files.c $(GEN)/common_passwords.c
SOURCES   := $(sort $(patsubst $(ROOT)/%,%,$(wildcard $(addprefix $(ROOT)/,\
                 api/*.c api/base/*.c api/handlers/*.c auth/*.c db/*.c))))

WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Werror
CFLAGS_ALL := -std=gnu11 -g -pthread $(WARNINGS) -I. -I$(GEN) \
              -isystem /usr/include/postgresql -DTPBIS_REFERENCE_DIR='"$(ROOT)/db/reference"'
LIBRARIES := -lulfius -lmicrohttpd -lorcania -lyder -ljansson -ljwt -lpq -lpcre2-8 -lunistring -lsodium -loath -lqrencode -lcurl \
             -lssl -lcrypto -lz -lm -lpthread

HARDENING := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
CFLAGS_release := -O2 -fno-omit-frame-pointer $(HARDENING)
LDFLAGS_release := -pie -Wl,-z,relro,-z,now -Wl,--as-needed
CFLAGS_asan := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
# The tests start it a thousand times: nothing to relocate, and one copy of what both sanitizers keep, which each end looks through.
LDFLAGS_asan := -fsanitize=address,undefined -no-pie -static-libasan -static-libubsan
CFLAGS_tsan := -O1 -fno-omit-frame-pointer -fsanitize=thread
LDFLAGS_tsan := -fsanitize=thread

# ---- generated sources -------------------------------------------------------------------------

CONTRACT_INPUTS := $(shell find $(ROOT)/openapi $(ROOT)/db/queries $(ROOT)/db/migrations \
                       $(ROOT)/db/functions -path $(ROOT)/openapi/docs -prune -o \
                       -type f \( -name '*.yaml' -o -name '*.sql' -o -name '*.py' -o -name '*.def' \) -print)
# The compiler leaves a file alone whose content stays the same, so the stamp tells when it ran last.
$(GEN)/.contract: $(CONTRACT_INPUTS)
	@mkdir -p $(GEN)
	@echo '  contract'
	@cd $(ROOT) && $(PYTHON) openapi/compile.py --contract openapi --queries db/queries \
	    --migrations db/migrations --functions db/functions --out $(GEN)
	@touch $@
$(GEN)/contract.c $(GEN)/openapi.json: $(GEN)/.contract
	@:

EMBED_INPUTS := $(wildcard $(addprefix $(ROOT)/db/,embed.py migrations/*.sql functions/*.sql)) \
                $(ROOT)/api/base/problems.def
$(GEN)/migrations.c: $(EMBED_INPUTS)
	@mkdir -p $(GEN)
	@echo '  migrations'
	@cd $(ROOT) && $(PYTHON) db/embed.py --problems api/base/problems.def --out $(GEN)

$(GEN)/common_passwords.c: $(wildcard $(ROOT)/auth/passwords/*.txt) $(ROOT)/auth/passwords/embed.py
	@mkdir -p $(GEN)
	@echo '  passwords'
	@$(PYTHON) $(ROOT)/auth/passwords/embed.py --out $@

# Built again when npm comes or goes; `make docs` tries again in any case.
$(GEN)/.npm: .FORCE
	@mkdir -p $(GEN)
	@{ command -v npm || echo none; } | cmp -s - $@ || { command -v npm || echo none; } > $@
$(GEN)/docs_files.c: $(wildcard $(ROOT)/openapi/docs/*) $(GEN)/.npm
	@echo '  docs'
	@cd $(ROOT) && $(PYTHON) openapi/docs/build.py --npm-directory $(BUILD)/npm --out $@

# Tables without a line of logic: compiled once, as for the release, and linked into every variant.
TABLES := $(patsubst $(GEN)/%.c,$(BUILD)/tables/%.o,$(GENERATED))
$(BUILD)/tables/%.o: $(GEN)/%.c $(ROOT)/.make/build.mk
	@mkdir -p $(@D)
	@echo '  cc tables $*.c'
	@cd $(ROOT) && $(CC) $(CFLAGS_ALL) $(CFLAGS_release) -MMD -MP -c $< -o $@
-include $(TABLES:.o=.d)

# ---- one variant -------------------------------------------------------------------------------

# The list of sources is a prerequisite of the archive, so that a removed file leaves it too.
define variant
OBJECTS_$(1) := $$(patsubst %.c,$(BUILD)/$(1)/%.o,$(SOURCES)) $(TABLES)

$(BUILD)/$(1)/%.o: $(ROOT)/%.c $(ROOT)/.make/build.mk
	@mkdir -p $$(@D)
	@echo '  cc $(1) $$*.c'
	@cd $(ROOT) && $(CC) $(CFLAGS_ALL) $$(CFLAGS_$(1)) -MMD -MP -c $$*.c -o $$@

$(BUILD)/$(1)/sources: .FORCE
	@mkdir -p $$(@D)
	@echo '$$(OBJECTS_$(1))' | cmp -s - $$@ || echo '$$(OBJECTS_$(1))' > $$@

$(BUILD)/$(1)/libtpbis.a: $$(filter-out $(BUILD)/$(1)/api/main.o,$$(OBJECTS_$(1))) $(BUILD)/$(1)/sources
	@rm -f $$@
	@ar rcsT $$@ $$(filter %.o,$$^)

$(BUILD)/$(1)/tpbis: $(BUILD)/$(1)/api/main.o $(BUILD)/$(1)/libtpbis.a
	@echo '  ld $(1) tpbis'
	@$(CC) $$(LDFLAGS_$(1)) -o $$@ $$^ $(LIBRARIES)

-include $$(filter $(BUILD)/$(1)/%,$$(OBJECTS_$(1):.o=.d))
endef
$(foreach name,release asan tsan,$(eval $(call variant,$(name))))

.PHONY: .FORCE build-asan build-tsan
.FORCE:
build-asan: $(BUILD)/asan/tpbis
build-tsan: $(BUILD)/tsan/tpbis

$(BUILD)/tpbis: $(BUILD)/release/tpbis
	@ln -sfn release/tpbis $@
