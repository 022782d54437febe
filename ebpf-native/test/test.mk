# The broker that Weir bundles, for the adaptor's tests.
export MOSQUITTO ?= $(abspath ../bundles/io.weir.broker/target/mosquitto/native/$(native)/mosquitto)

# Every test/test_*.c is a program that tests something on this kernel; every test/check-* looks at what was built. Both
# end with a line "= N passed, N failed".
tests  := $(patsubst test/%.c,$(OUT)/test/%,$(wildcard test/test_*.c))
probes := $(patsubst test/%.bpf.c,$(OUT)/test/%.bpf.o,$(wildcard test/*.bpf.c))

$(OUT)/test/%.bpf.o: test/%.bpf.c $(headers) $(wildcard bpf/*.bpf.c test/*.h) Makefile
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c $< -o $@
	$(LLVM_STRIP) -g $@

$(OUT)/test/test_%: test/test_%.c test/harness.c test/http.c $(wildcard test/*.h) $(patsubst lib/%.c,$(OUT)/obj/$(native)/%.o,$(sources))
	@mkdir -p $(@D)
	$(CC) $(LIB_CFLAGS) -Itest $< $(filter test/harness.c test/http.c %.o,$^) -lbpf -pthread -o $@

test: programs libraries $(tests) $(probes)
	test/run $(OUT) $(tests) $(wildcard test/check-*)
