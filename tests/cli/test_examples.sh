#!/bin/sh
# The library as a program meets it: installed into a prefix, found by pkg-config, one header. The examples are built
# against it and run in an empty folder without arguments; the headers stand alone in C and C++; and libfoci neither ends
# the process nor prints nor starts others.
. "$(dirname "$0")/lib.sh"

build=${BUILD:-build}
case $build in *-san) san=1 flags=-fsanitize=address,undefined ;; *) san='' flags='' ;; esac
PKG_CONFIG_PATH=$work/prefix/lib/pkgconfig
export PKG_CONFIG_PATH
cc=${CC:-cc}
case $cc in *clang*) cxx=clang++ ;; *) cxx=c++ ;; esac
have_cxx() { command -v $cxx >/dev/null; }

installs() {
    make -C "$root" BUILD="$build" SAN=$san CC="$cc" install PREFIX="$work/prefix" >log 2>&1
    equal "$(sed -n 's/.*FOCI_VERSION "\(.*\)"/\1/p' "$root/include/foci/foci.h")" "$(pkg-config --modversion foci)"
}
headers_stand_alone() {
    for header in "$work"/prefix/include/foci/*.h; do
        echo "#include <foci/$(basename "$header")>" >one.c
        $cc -std=gnu11 -Wall -Wextra -Werror $(pkg-config --cflags foci) -fsyntax-only one.c
    done
    echo '#include <foci/foci.h>' >face.c
    cp face.c face.cc
    $cc -std=c11 -Wall -Wextra -pedantic -Werror $(pkg-config --cflags foci) -fsyntax-only face.c
    if have_cxx; then $cxx -std=c++11 -Wall -Wextra -pedantic -Werror $(pkg-config --cflags foci) -fsyntax-only face.cc; fi
}
no_other_macros() { # than those that begin with FOCI_
    echo '#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>' >before.c
    { cat before.c; echo '#include <foci/foci.h>'; } >after.c
    $cc -dM -E before.c | sort >without
    $cc $(pkg-config --cflags foci) -dM -E after.c | sort >with
    equal "" "$(comm -13 without with | grep -v '^#define FOCI_')"
}
runs_example() { # COMPILER FILE
    rm -rf there && mkdir there
    equal "$(($(wc -l <"$root/examples/$2") <= 60))" 1
    (cd there && $1 -Wall -Wextra -Werror $flags "$root/examples/$2" -o example $(pkg-config --cflags --libs foci) &&
        ./example >out 2>err)
    contains there/out '^step 120 of 120: loss '
    contains there/out 'star-odd/00000.jpg is taken for [a-z]+-(odd|pair)$'
    equal "" "$(cat there/err)"
}
in_c() { runs_example "$cc -std=c11 -pedantic" train_and_classify.c; }
without_data() { # the run of the example, where its pictures are not
    run=$(dirname "$(find there -name best.safetensors)")
    rm -rf away && mkdir away
    cp -r "$run" away/run
    cp "$(find there -name 00000.jpg -path '*val*' | head -n 1)" away/one.jpg
    cat >away/use.c <<'C'
#include <foci/foci.h>
#include <stdio.h>
int main(void) {
    static float image[3 * 224 * 224], logits[1000];
    foci_trained *m;
    if (foci_trained_open(&m, "run", NULL) || foci_trained_read_image(m, "one.jpg", image) ||
        foci_trained_logits(m, image, 1, logits))
        return printf("%s\n", foci_error_message()), 1;
    printf("%lld %s\n", (long long)foci_trained_about(m).classes, foci_trained_class(m, 0));
    foci_trained_close(m);
    return 0;
}
C
    (cd away && $cc $flags use.c -o use $(pkg-config --cflags --libs foci) && ./use >out)
    equal "10 $(head -n 1 away/run/classes.txt)" "$(cat away/out)"
}
with_text() { # the numbers of a text spell it; the likeliest word is what is generated
    make_text >/dev/null
    "$foci" data bpe train text/train.txt --vocab 280 --out bpe >/dev/null 2>&1
    cat >gpt.yaml <<'YAML'
name: gpt
model: {kind: gpt, context: 16, d_model: 16, depth: 1, num_heads: 1}
data: {kind: text, tokens: bpe, bpe: bpe, train: text/train.txt, valid: text/valid.txt}
train: {batch_size: 8, epochs: 1, max_steps: 3}
YAML
    "$foci" train gpt.yaml --out read >/dev/null 2>&1
    cat >read.c <<'C'
#include <foci/foci.h>
#include <stdio.h>
#include <string.h>
static char first[64];
static bool take(void *context, const char *word, double logprob) {
    (void)context, (void)logprob;
    return strcpy(first, word), false;
}
int main(void) {
    static float logprob[1000];
    char bytes[FOCI_WORD_BYTES];
    const char *text = "the cat, \xc3\xa9";
    int32_t words[64];
    int64_t count, few, best = 0;
    foci_trained *m;
    const foci_generate_options greedy = {text, 1, 0, 0, 0, 0};
    if (foci_trained_open(&m, "read", NULL) || foci_trained_words(m, text, words, 64, &count) ||
        foci_trained_words(m, text, words, 1, &few) || foci_trained_logprob(m, words, count, logprob) ||
        foci_trained_generate(m, &greedy, take, NULL))
        return printf("%s\n", foci_error_message()), 1;
    for (int64_t i = 1; i < count; i++) fwrite(bytes, 1, foci_trained_spell(m, words[i], bytes), stdout);
    for (int64_t k = 0; k < foci_trained_about(m).classes; k++)
        if (logprob[k] > logprob[best]) best = k;
    printf(" %d %d %d\n", few == count, strcmp(first, foci_trained_class(m, best)) == 0,
           foci_trained_spell(m, -1, bytes) + foci_trained_spell(m, 1 << 20, bytes) == 0);
    foci_trained_close(m);
    return 0;
}
C
    $cc $flags read.c -o use $(pkg-config --cflags --libs foci) && ./use >out
    equal "the cat, é 1 1 1" "$(cat out)"
}
in_cxx() { if ! have_cxx; then echo "skipped: no C++ compiler"; else runs_example "$cxx -std=c++11 -pedantic" train_and_classify.cpp; fi; }
keeps_to_itself() { # no call that ends, prints, or forks; no allocator of its own; every name its own
    nm -g "$root/$build/libfoci.a" 2>/dev/null >names
    equal "" "$(sed -n 's/^ *U //p' names | grep -xE '(exit|_exit|abort|puts|printf|vprintf|putchar|system|fork|exec[vl]p?e?)' | sort -u)"
    equal "" "$(sed -n 's/^[0-9a-f]* [TDBRC] //p' names | grep -vE '^(foci_|[.]gomp_|__(asan|odr|ubsan))' | sort -u)"
}

check "make install, and pkg-config finds it" installs
check "headers stand alone" headers_stand_alone
check "foci.h defines no macros but FOCI_" no_other_macros
check "libfoci neither exits, prints nor starts a process" keeps_to_itself
check "the example in C" in_c
check "a run without its data, by a program" without_data
check "texts and words, by a program" with_text
check "the example in C++" in_cxx
finish
