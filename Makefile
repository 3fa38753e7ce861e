# foci. `make` builds, `make check` tests, `make demo` does the main job, `make help` lists the rest: `make portable`
# builds one file that runs where nothing can be installed, `make dist` an archive of the sources, both in the build
# folder; `make mpi` builds plugins for training by several processes; `make check-arm64` tests on an emulated ARM;
# `make format` lays out the C, `make lines` counts it.
#
#   CC=clang        another compiler
#   SAN=1           address and undefined-behaviour sanitizers, in a build folder of their own
#   ARM64=1         for 64-bit ARM, by Debian's cross compiler, in a build folder of its own
#   BUILD=dir       where everything goes (default: build)
#   T=seconds        of `make fuzz`, for each reader of files (clang; default 60)
#   PREFIX=dir      where `make install` puts things (default: /usr/local)
#   DEPS="dir..."   where dependencies are that no package brought: folders with include/ and lib/ (docs/clusters.md)
#   GLIBC=x.y       the newest glibc that `make portable` may need (default: 2.34)

.SUFFIXES:
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += --no-builtin-rules
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif
endif

ifeq ($(origin CC),default)
CC := gcc
endif
SAN ?=
FUZZ ?=
ifdef FUZZ
CC := clang
endif
ARM64 ?=
BUILD ?= build$(if $(FUZZ),-fuzz,$(if $(SAN),-san,$(if $(ARM64),-arm64)))
# A folder holds the libraries; qemu's user mode runs the programs.
ifdef ARM64
SYSROOT := $(abspath $(BUILD))/sysroot
CC := aarch64-linux-gnu-gcc --sysroot=$(SYSROOT)
EMULATOR := qemu-aarch64 -L $(SYSROOT)
endif
PREFIX ?= /usr/local
GLIBC ?= 2.34
VERSION := $(shell sed -n 's/.*FOCI_VERSION "\(.*\)"/\1/p' include/foci/foci.h)

# What lies there comes before the system's own: headers by the environment, which scripts/deps.sh and what the tests
# compile share, libraries by -L (LIBRARY_PATH, for those two, comes behind the system), shared ones at run time too.
ifdef DEPS
PREFIXES := $(abspath $(DEPS))
PREFIXES_LIB := $(wildcard $(PREFIXES:=/lib) $(PREFIXES:=/lib64))
before = $(subst $() $(),:,$(strip $(1) $(filter-out $(1),$(subst :, ,$(2)))))
export DEPS
export C_INCLUDE_PATH := $(call before,$(PREFIXES:=/include),$(C_INCLUDE_PATH))
export LIBRARY_PATH := $(call before,$(PREFIXES_LIB),$(LIBRARY_PATH))
export LD_RUN_PATH := $(call before,$(PREFIXES_LIB),$(LD_RUN_PATH))
endif

# OpenBLAS is loaded when it is needed: the OpenMP build first, wherever the distribution keeps it. (Debian's serial build
# is not safe to call from several threads; the pthread one brings a pool of its own.)
OPENBLAS := /usr/lib/$(shell $(CC) -print-multiarch 2>/dev/null)/openblas-openmp/libopenblas.so.0

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wpointer-arith -Wno-missing-field-initializers
# Cutting a message or a path short is deliberate where snprintf is told the size.
WARN += $(if $(findstring clang,$(CC)),,-Wno-format-truncation)
, := ,
CHECKED := -fno-omit-frame-pointer -fno-sanitize-recover=all $(if $(findstring clang,$(CC)),-Wno-pass-failed)
OPT := $(if $(FUZZ),-O1 $(CHECKED) -fsanitize=fuzzer-no-link$(,)address$(,)undefined,$(if $(SAN),-O1 $(CHECKED) -fsanitize=address$(,)undefined,-O3))
# No -ffast-math: only what changes no value that is a number (errno and traps are never looked at).
# The vector kernels alone make one instruction of a product and a sum: all else computes alike on every processor.
FP := -fno-math-errno -fno-trapping-math -ffp-contract=off
CFLAGS ?= -g
ALL_CFLAGS := -std=gnu11 $(WARN) $(OPT) $(FP) -fopenmp -Iinclude -Isrc $(CFLAGS)
DEPS_LIBS := $(PREFIXES_LIB:%=-L%) -lturbojpeg -lz -lyaml -ljansson -lxxhash
LIBS := $(DEPS_LIBS) -lpthread -ldl -lm

# What is linked into everything; `mpi` is a plugin.
ROOMS := $(filter-out cli mpi,$(shell sed -n 's/^\([a-z]\+\).*/\1/p' src/rooms))
SOURCES := $(foreach r,$(ROOMS),$(wildcard src/$(r)/*.c))
# The vector kernels: one body, compiled once per instruction set.
VECTOR := src/kernels/vector.c
PLAIN := $(filter-out $(VECTOR),$(SOURCES))
MACHINE := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
ISAS_x86_64 := avx2 avx512
ISAS_aarch64 := neon
ISAS := generic $(ISAS_$(MACHINE))
# gcc 12 crashes there over a loop that looks for the largest of floats in double; over a call it does not.
ALL_CFLAGS += $(if $(filter aarch64,$(MACHINE)),$(foreach f,fmax fmaxf fmin fminf,-fno-builtin-$(f)))
# Every aarch64 has NEON, so plain C has to do without by request; clang warns that it vectorises no loop.
FLAGS_generic := $(if $(filter neon,$(ISAS)),-march=armv8-a+nosimd $(if $(findstring clang,$(CC)),-Wno-pass-failed))
# Left to itself gcc loads what it multiplies so far ahead that there are too few registers.
FLAGS_neon := -ffp-contract=fast $(if $(findstring clang,$(CC)),,-fno-schedule-insns)
FLAGS_avx2 := -ffp-contract=fast -mavx2 -mfma
FLAGS_avx512 := -ffp-contract=fast -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mprefer-vector-width=512

OBJECTS := $(PLAIN:src/%.c=$(BUILD)/obj/%.o) $(foreach i,$(ISAS),$(BUILD)/obj/kernels/vector-$(i).o)
DOUBLE := $(OBJECTS:$(BUILD)/obj/%=$(BUILD)/double/%)
CLI := $(patsubst src/%.c,$(BUILD)/obj/%.o,$(wildcard src/cli/*.c))
# For what has a main of its own.
CLI_ROOM := $(CLI:%/main.o=%/main-renamed.o)

TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard $(foreach r,$(ROOMS) cli,tests/$(r)/test_*.c)))
# Those that need the oracle: the whole library computing in double.
DOUBLE_TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard $(foreach r,$(ROOMS),tests/$(r)/double_*.c)))
FUZZ_TESTS := $(patsubst tests/fuzz/fuzz_%.c,$(BUILD)/tests/fuzz/test_%,$(wildcard tests/fuzz/fuzz_*.c))

# A plugin for every MPI that is here, by its own compiler: Debian's names, else what `mpicc` says it is.
MPICC_openmpi := $(firstword $(shell command -v mpicc.openmpi || { mpicc -showme:version >/dev/null && command -v mpicc; } 2>/dev/null))
MPICC_mpich := $(firstword $(shell command -v mpicc.mpich || { mpicc -compile_info >/dev/null && command -v mpicc; } 2>/dev/null))
PLUGINS := $(if $(ARM64),,$(foreach m,openmpi mpich,$(if $(MPICC_$(m)),$(BUILD)/foci-$(m).so)))

.PHONY: all mpi check check-arm64 demo install portable dist clean help deps tests fuzz fuzzers format format-check lines FORCE
all: $(BUILD)/foci $(BUILD)/libfoci.a

# Nothing compiles before the packages are there and the layers are right.
$(BUILD)/deps.stamp: scripts/deps.sh
	@mkdir -p $(@D)
	@CC='$(CC)' sh scripts/deps.sh $(if $(ARM64),--arm64=$(SYSROOT)) $(if $(filter clang%,$(CC)),clang)
	@touch $@
$(BUILD)/layers.stamp: scripts/check-layers.sh src/rooms $(wildcard src/*/*.[ch]) $(wildcard include/foci/*.h)
	@mkdir -p $(@D)
	@sh scripts/check-layers.sh
	@touch $@

# After a fresh installation the paths of the packages above are stale: start over, with a new make for each goal in turn.
ifeq ($(wildcard $(BUILD)/deps.stamp),)
.NOTPARALLEL:
all mpi check demo install portable tests: $(BUILD)/deps.stamp
	@$(MAKE) --no-print-directory $@
else
check: tests
	@BUILD=$(BUILD) EMULATOR='$(EMULATOR)' sh tests/run.sh
tests: $(BUILD)/foci $(PLUGINS) $(TESTS) $(DOUBLE_TESTS) $(FUZZ_TESTS)
demo: $(BUILD)/foci
	@FOCI=$(BUILD)/foci sh scripts/demo.sh
install: $(BUILD)/foci $(BUILD)/libfoci.a
	install -d $(addprefix $(DESTDIR)$(PREFIX)/,bin lib/pkgconfig include/foci share/man/man1 share/bash-completion/completions)
	install -m 755 $(BUILD)/foci $(DESTDIR)$(PREFIX)/bin/foci
	$(foreach p,$(wildcard $(BUILD)/foci-*.so),install -D -m 755 -t $(DESTDIR)$(PREFIX)/lib/foci $(p);)
	install -m 644 $(BUILD)/libfoci.a $(DESTDIR)$(PREFIX)/lib/libfoci.a
	install -m 644 include/foci/*.h $(DESTDIR)$(PREFIX)/include/foci
	$(BUILD)/foci help man > $(DESTDIR)$(PREFIX)/share/man/man1/foci.1
	$(BUILD)/foci help completion > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/foci
	printf '%s\n' 'prefix=$(PREFIX)' 'Name: foci' 'Description: transformers trained from C' 'Version: $(VERSION)' \
	    'Cflags: -I$${prefix}/include' 'Libs: -L$${prefix}/lib -lfoci -fopenmp $(LIBS)' \
	    > $(DESTDIR)$(PREFIX)/lib/pkgconfig/foci.pc
portable: $(BUILD)/portable/foci $(PLUGINS:$(BUILD)/%=$(BUILD)/portable/%)
	@sh scripts/check-portable.sh $(GLIBC) $<
mpi: $(BUILD)/foci $(PLUGINS)
	@$(if $(PLUGINS),:,echo 'no MPI is installed: `sh scripts/deps.sh --mpi` installs Open MPI' >&2; exit 1)
endif
check-arm64:
	@$(MAKE) --no-print-directory ARM64=1 check
deps:
	CC='$(CC)' sh scripts/deps.sh
# What is committed, and the same bytes whoever makes it.
DIST := $(BUILD)/foci-$(VERSION).tar
dist:
	@mkdir -p $(BUILD)
	@git -c tar.umask=0022 archive --prefix=foci-$(VERSION)/ -o $(DIST) HEAD
	@gzip -9nf $(DIST)
	@echo "$(DIST).gz: commit $$(git rev-parse --short HEAD)"
format:
	find src include tests $(wildcard examples) -name '*.[ch]' | xargs clang-format -i
format-check:
	@sh scripts/check-format.sh
lines:
	@sh scripts/lines.sh
clean:
	rm -rf build build-san build-fuzz build-arm64
help:
	@sed -n '1,/^$$/s/^# \?//p' Makefile

$(BUILD)/foci: $(CLI) $(BUILD)/libfoci.a
	@echo '  LD $(@:$(BUILD)/%=%)'; $(CC) $(ALL_CFLAGS) -o $@ $^ $(LIBS)
$(BUILD)/libfoci.a: $(OBJECTS)
	@echo '  AR $(@:$(BUILD)/%=%)'; rm -f $@; ar qcs $@ $^
# A folder to carry away: foci, static but for glibc, and beside it what it loads at run time. All of the OpenMP library is
# in it, and visible: what is loaded uses this one in place of a second, and so knows that foci's threads are at work.
PORTABLE_LIBS := -Wl,-Bstatic $(DEPS_LIBS) -Wl,--whole-archive -lgomp -Wl,--no-whole-archive -Wl,-Bdynamic -lpthread -ldl -lm
PORTABLE_LINK := -static-libgcc -Wl,--wrap=hypot -Wl,--export-dynamic-symbol='omp_*' -Wl,--export-dynamic-symbol='GOMP_*'
$(BUILD)/portable/foci: $(CLI) $(BUILD)/obj/portable.o $(BUILD)/libfoci.a
	@mkdir -p $(@D); echo '  LD $(@:$(BUILD)/%=%)'; env -u LD_RUN_PATH $(CC) $(PORTABLE_LINK) -o $@ $^ $(PORTABLE_LIBS)
$(BUILD)/foci-%.so: src/mpi/group.c src/base/group.h Makefile
	@echo '  MPICC $(@:$(BUILD)/%=%)'; $(MPICC_$*) $(filter-out -fopenmp,$(ALL_CFLAGS)) -fPIC -shared -o $@ $<
$(BUILD)/portable/foci-%.so: $(BUILD)/foci-%.so
	@mkdir -p $(@D); cp $< $@
$(BUILD)/libfoci-double.a: $(DOUBLE)
	@echo '  AR $(@:$(BUILD)/%=%)'; rm -f $@; ar qcs $@ $^

COMPILE = @mkdir -p $(@D); echo '  CC $(@:$(BUILD)/%=%)'; $(CC) $(ALL_CFLAGS) -MMD -MP
READY := $(BUILD)/deps.stamp $(BUILD)/layers.stamp
$(BUILD)/obj/%.o: src/%.c Makefile | $(READY)
	$(COMPILE) -c -o $@ $<
$(BUILD)/double/%.o: src/%.c Makefile | $(READY)
	$(COMPILE) -DFOCI_DOUBLE -c -o $@ $<
define isa_rules
$(BUILD)/obj/kernels/vector-$(1).o: $(VECTOR) Makefile | $(READY)
	$$(COMPILE) $(FLAGS_$(1)) -DFOCI_VECTOR_ISA=$(1) -c -o $$@ $$<
$(BUILD)/double/kernels/vector-$(1).o: $(VECTOR) Makefile | $(READY)
	$$(COMPILE) $(FLAGS_$(1)) -DFOCI_VECTOR_ISA=$(1) -DFOCI_DOUBLE -c -o $$@ $$<
endef
$(foreach i,$(ISAS),$(eval $(call isa_rules,$(i))))
$(BUILD)/obj/kernels/openblas.o $(BUILD)/double/kernels/openblas.o: ALL_CFLAGS += -DFOCI_OPENBLAS='"$(OPENBLAS)"'
# Chosen at run time, as those are.
$(BUILD)/obj/kernels/vector_bf16.o: ALL_CFLAGS += $(if $(filter avx512,$(ISAS)),$(FLAGS_avx512) -mavx512bf16)
$(BUILD)/obj/kernels/vector_amx.o: ALL_CFLAGS += $(if $(filter avx512,$(ISAS)),$(FLAGS_avx512) -mavx512bf16 -mamx-tile -mamx-bf16)

# Which commit the command is built from, "" where none is known; the file changes only with it.
COMMIT := $(if $(wildcard .git),$(shell git describe --always --dirty --abbrev=10 --exclude '*' 2>/dev/null))
$(BUILD)/commit: FORCE
	@mkdir -p $(@D); echo '$(COMMIT)' | cmp -s - $@ || echo '$(COMMIT)' >$@
$(BUILD)/obj/cli/main.o $(BUILD)/obj/cli/main-renamed.o: ALL_CFLAGS += -DFOCI_COMMIT='"$(COMMIT:%= (%))"'
$(BUILD)/obj/cli/main.o: $(BUILD)/commit

$(TESTS): $(BUILD)/tests/%: tests/%.c $(BUILD)/libfoci.a Makefile
	$(COMPILE) -Itests -o $@ $< $(BUILD)/libfoci.a $(LIBS) -lcmocka
$(DOUBLE_TESTS): $(BUILD)/tests/%: tests/%.c $(BUILD)/libfoci-double.a Makefile
	$(COMPILE) -DFOCI_DOUBLE -Itests -o $@ $< $(BUILD)/libfoci-double.a $(LIBS) -lcmocka

# Fuzzing (tests/fuzz): each fuzz_NAME.c is one reader. The tests replay its corpus; `make fuzz` looks for more.
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
$(BUILD)/obj/cli/main-renamed.o: src/cli/main.c Makefile | $(READY)
	$(COMPILE) -Dmain=foci_main -c -o $@ $<
$(FUZZ_TESTS): $(BUILD)/tests/fuzz/test_%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c $(CLI_ROOM) $(BUILD)/libfoci.a Makefile
	$(COMPILE) -Itests/fuzz -DFUZZ_NAME='"$*"' -o $@ $(filter %.c %.o %.a,$^) $(LIBS)
$(FUZZERS:%=$(BUILD)/fuzz/%): $(BUILD)/fuzz/%: tests/fuzz/fuzz_%.c $(CLI_ROOM) $(BUILD)/libfoci.a Makefile
	$(COMPILE) -fsanitize=fuzzer -Itests/fuzz -o $@ $(filter %.c %.o %.a,$^) $(LIBS)
fuzzers: $(FUZZERS:%=$(BUILD)/fuzz/%)
fuzz:
	@$(MAKE) --no-print-directory FUZZ=1 fuzzers
	@sh tests/fuzz/run.sh $(T)

-include $(shell find $(BUILD) -type f -name '*.d' 2>/dev/null)
