# Every test/test_*.c is a program that tests something on this kernel; every test/check-* looks at what was built. Both
# end with a line "= N passed, N failed".
tests  := $(patsubst test/%.c,$(OUT)/test/%,$(wildcard test/test_*.c))
probes := $(patsubst test/%.bpf.c,$(OUT)/test/%.bpf.o,$(wildcard test/*.bpf.c))

$(OUT)/test/%.bpf.o: test/%.bpf.c $(headers) $(wildcard bpf/*.bpf.c test/*.h) Makefile
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c $< -o $@
	$(LLVM_STRIP) -g $@

$(OUT)/test/test_%: test/test_%.c test/harness.c test/http.c $(wildcard test/*.h) $(OUT)/lib/$(native)/libweir_ebpf.so
	@mkdir -p $(@D)
	$(CC) $(LIB_CFLAGS) -Itest $< test/harness.c test/http.c -L$(OUT)/lib/$(native) -lweir_ebpf -lbpf -pthread \
	  -Wl,-rpath,'$$ORIGIN/../lib/$(native)' -o $@

test: programs libraries $(tests) $(probes)
	test/run $(OUT) $(tests) $(wildcard test/check-*)
