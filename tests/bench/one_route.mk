# The service with the compiled contract of one_route.py in place of its own: same flags, same objects.
# Read after the Makefile, by one_route.py.
ONE_ROUTE := $(BUILD)/bench/one-route

$(ONE_ROUTE)/contract.o: $(ONE_ROUTE)/contract.c
	@cd $(ROOT) && $(CC) $(CFLAGS_ALL) $(CFLAGS_release) -c $< -o $@

# The archive's contract.o stays out: every name it would give is given already.
$(ONE_ROUTE)/tpbis: $(BUILD)/release/api/main.o $(ONE_ROUTE)/contract.o $(BUILD)/release/libtpbis.a
	@$(CC) $(LDFLAGS_release) -o $@ $^ $(LIBRARIES)
