#!/bin/sh
# make portable: one executable that needs the C library and the kernel. The build refuses any other; in a root folder that
# has nothing else it trains to the same bits as the foci of the build.
. "$(dirname "$0")/lib.sh"
cc=${CC:-gcc}
build=${BUILD:-build}
case $build in /*) portable=$build/portable/foci ;; *) portable=$root/$build/portable/foci ;; esac
skip() {
    echo "skipped: $1"
    check "nothing" true
    finish
}
[ -z "$sanitized" ] || skip "the sanitizers are libraries"
case $cc in *clang*) skip "it is built by gcc" ;; esac
for library in turbojpeg z yaml jansson xxhash gomp; do
    [ -f "$($cc -print-file-name=lib$library.a)" ] || skip "there is no lib$library.a"
done

make_portable() { make -C "$root" BUILD="$build" CC="$cc" portable "$@" >out 2>err; }
builds() {
    make_portable || wrong "$(cat out err)"
    contains out '/portable/foci needs Linux and glibc 2\.[0-9]+ or newer: [^ ]+(, [^ ]+)*$'
}
check "make portable says what it needs" builds
[ -x "$portable" ] || finish
refuses_newer() {
    ! make_portable GLIBC=2.1 || wrong "it was built"
    contains err '/portable/foci: needs glibc 2\.[0-9]+, which is newer than 2\.1$'
}
check "make portable refuses a newer glibc" refuses_newer

refused() { # MESSAGE OPTION...: of a program linked with these
    message=$1
    shift
    $cc -o program program.c "$@"
    ! sh "$root/scripts/check-portable.sh" 99.0 program >said 2>&1 || wrong "it was accepted" "$(cat said)"
    equal "program: $message" "$(cat said)"
}
echo 'int other(void); int main(void) { return other(); }' >program.c
echo 'int other(void); int other(void) { return 0; }' >other.c
$cc -shared -fPIC -o libother.so other.c
check "another library is refused" refused "needs the library libother.so" -L. -lother
check "a folder of this machine is refused" refused "looks for libraries in /here" other.c -Wl,-rpath,/here
check "a static program is refused: it cannot load OpenBLAS" refused "loads no C library" other.c -static

if chroot / true 2>/dev/null; then enter=chroot
elif unshare -r chroot / true 2>/dev/null; then enter='unshare -r chroot'
else
    echo "skipped: what happens in a bare folder, which only root or user namespaces can enter"
    finish
fi
mkdir bare
for file in $(ldd "$portable" | grep -o '/[^ ]*'); do
    mkdir -p "bare${file%/*}"
    cp -L "$file" "bare$file"
done
folder=$(dirname "$(find bare -name 'libc.so.*')")
make_images >/dev/null 2>&1
make_text >/dev/null 2>&1
gzip text/train.txt
sed -i 's/train.txt/train.txt.gz/' lm.yaml
cp -r "$portable" images text ./*.yaml bare

# There foci is called by its name; here is that of the build.
built=$foci
printf '#!/bin/sh\nexec env FOCI_CACHE=/cache %s %s /foci "$@"\n' "$enter" "$work/bare" >in-bare
chmod +x in-bare
foci=$work/in-bare

says_the_same() {
    for words in --help "train --help" "help man" "help config" "list attention"; do
        runs $words
        "$built" $words >expected
        same expected out
    done
    runs --version
}
trains() { # NAME
    set -- "$1" --threads 2 --set train.max_steps=12 --set train.eval_every=6
    config=$1.yaml name=$1
    shift
    "$built" train "$config" --out "run-$name" "$@"
    runs train "$config" --out "run-$name" "$@"
    for weights in last best; do same "run-$name/$weights.safetensors" "bare/run-$name/$weights.safetensors"; done
    "$built" eval "run-$name" --json >expected
    runs eval "run-$name" --json
    same expected out
}
sweeps() { # each command of it is foci, started once more
    exits 6 sweep vit.yaml --vary train.lr=1e-3 --out sweep
    contains err '/dev/null: No such file or directory$'
}
loads() { # which library it was can be told only once it is loaded
    $cc -shared -fPIC -o "$folder/libopenblas.so.0" other.c
    export FOCI_GEMM=openblas
    fails 1 'FOCI_GEMM=openblas: what is called OpenBLAS here is another library' eval run-vit
}
check "in a bare folder: help, manual, lists" says_the_same
check "in a bare folder: images, trained and scored to the same bits" trains vit
check "in a bare folder: a compressed text, trained and scored to the same bits" trains lm
check "in a bare folder: what needs another program says so" fails 1 \
    'gnuplot is not here; install the package gnuplot-nox (or gnuplot)' plot run-vit
check "in a bare folder: what needs /dev and /proc says so" sweeps
check "in a bare folder: it loads a library" loads

foci=$portable
blas() { # the OpenMP that OpenBLAS finds is the one that is at work
    export FOCI_GEMM=openblas
    "$built" train vit.yaml --out blas --threads 2 --set train.max_steps=6
    LD_DEBUG=bindings LD_DEBUG_OUTPUT=bindings runs train vit.yaml --out blas-portable --threads 2 --set train.max_steps=6
    same blas/last.safetensors blas-portable/last.safetensors
    cat bindings.* >bound
    contains bound "libopenblas.* to $portable .*omp_in_parallel'"
}
if FOCI_GEMM=openblas "$built" --version >/dev/null 2>&1; then check "with OpenBLAS, to the same bits" blas; else echo "skipped: OpenBLAS is not here"; fi
finish
