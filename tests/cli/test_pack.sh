#!/bin/sh
# foci data pack: what is trained, evaluated, checked and counted from a pack is what it is from the files.
. "$(dirname "$0")/lib.sh"

check "images" make_images

packs() {
    runs data pack images images/train train.pack
    equal "train.pack: 64 images in 10 classes" "$(cat out)"
    [ ! -s err ] || wrong "on standard error:" "$(cat err)"
    runs data pack images images/val val.pack --size 32
    runs data pack images train.pack again.pack
    same train.pack again.pack
    (cd images && tar cf ../images.tar train)
    runs data pack images images.tar/train tar.pack
    same train.pack tar.pack
}
check "a folder, an archive and a pack give the same pack" packs

threads() {
    for n in 1 3; do
        runs data pack images images/train threads-$n.pack --threads $n
        same train.pack threads-$n.pack
    done
}
check "any number of threads gives the same pack" threads

from_pack() { # ARGUMENT...: the command reads packs
    runs "$@" --set data.train=train.pack --set data.val=val.pack
}
trains() {
    runs train vit.yaml --out files
    from_pack train vit.yaml --out packed
    same_weights files/last.safetensors packed/last.safetensors
    equal "$(json step loss top1 <files/metrics.jsonl)" "$(json step loss top1 <packed/metrics.jsonl)"
    for n in 1 3; do
        from_pack train vit.yaml --out packed-$n --threads $n --set data.workers=$n
        same_weights files/last.safetensors packed-$n/last.safetensors
    done
}
check "training from a pack gives the same bits" trains
reduced() { # the reduced images as files are those of the pack
    runs data pack images images/train small.pack --size 20
    [ "$(wc -c <small.pack)" -lt "$(wc -c <train.pack)" ]
    runs train vit.yaml --out small --set data.train=small.pack --set data.val=val.pack
    ! cmp -s small/last.safetensors files/last.safetensors || wrong "reduced images give the same weights"
}
check "training from a pack of smaller images" reduced
evaluates() {
    runs eval files --json
    cp out one
    from_pack eval files --json
    equal "$(json top1 top5 loss images <one)" "$(json top1 top5 loss images <out)"
}
check "evaluation, too" evaluates

counts() {
    from_pack data check vit.yaml
    contains out '^data.train: 64 images in 10 classes read$'
    contains out '^data.val  val.pack: 40 images, 10 classes$'
}
check "data check and data stats read packs" counts

damaged() { # one byte of the first image
    cp train.pack bad.pack
    printf '\001\002\003' | dd of=bad.pack bs=1 seek=200 conv=notrunc 2>dd-log
    exits 3 data check vit.yaml --set data.train=bad.pack
    contains out '^bad.pack/[a-z-]*/[0-9]*.(png|jpg): its 3072 bytes at byte 64 of the pack are damaged \(wrong checksum\)$'
    equal "foci: 1 image cannot be read" "$(cat err)"
    fails_like 3 'bad.pack/.* \(wrong checksum\)' train vit.yaml --out bad --set data.train=bad.pack
}
check "a damaged image is named" damaged
cut() {
    head -c 100000 train.pack >cut.pack
    fails_like 3 'cut.pack: 100000 bytes, but [0-9]* were written; is it cut short\?' train vit.yaml --out bad --set data.train=cut.pack
}
check "a pack cut short is refused" cut

check "a file that is there is kept" fails 6 'train.pack: is there already' data pack images images/train train.pack
check "a folder that is not there" fails 3 'nope: no such folder, .tar or pack of images' data pack images nope x.pack
check "nowhere to write" fails 6 'no/x.pack.tmp: No such file or directory' data pack images images/train no/x.pack
check "a size that is none" fails 2 '--size: `0` is out of bounds: 1 to 16384' data pack images images/train x.pack --size 0
leaves_nothing() {
    cp -r images/train spoilt
    victim=$(find spoilt -type f | sort | tail -n 1)
    echo words >"$victim"
    fails_like 3 "$victim: .*" data pack images spoilt spoilt.pack
    [ ! -e spoilt.pack ] && [ ! -e spoilt.pack.tmp ]
}
check "a damaged file leaves no pack" leaves_nothing
check "options of the other kind" fails 2 '--vocab-limit, --min-count, --vocabulary, --tokens and --bpe are for text' data pack images images/train x.pack --vocab-limit 9
check "neither of the kinds" fails 2 'data pack: `sound` is neither images nor text' data pack sound images/train x.pack

check "text" make_text
texts() {
    runs data pack text text/train.txt words.pack
    contains out '^words.pack: 2[0-9]* tokens, [0-9]* words$'
    [ ! -s err ] || wrong "on standard error:" "$(cat err)"
    runs data pack text text/valid.txt valid.pack --vocabulary words.pack
    runs data pack text text/test.txt test.pack --vocabulary text/train.txt
    runs data pack text words.pack words-again.pack
    same words.pack words-again.pack
    gzip -c text/train.txt >train.txt.gz
    runs data pack text train.txt.gz gz.pack
    same words.pack gz.pack
}
check "text, gzip and pack give the same pack" texts
from_text_pack() {
    runs "$@" --set data.train=words.pack --set data.valid=valid.pack --set data.test=test.pack
}
trains_text() {
    runs train lm.yaml --out text-files
    from_text_pack train lm.yaml --out text-packed
    same_weights text-files/last.safetensors text-packed/last.safetensors
    equal "$(json step loss nll ppl <text-files/metrics.jsonl)" "$(json step loss nll ppl <text-packed/metrics.jsonl)"
    runs train lm.yaml --out text-mixed --set data.train=words.pack # the others as text
    same_weights text-files/last.safetensors text-mixed/last.safetensors
    equal "$(json step nll ppl <text-files/metrics.jsonl)" "$(json step nll ppl <text-mixed/metrics.jsonl)"
}
check "training on packed text gives the same bits" trains_text
evaluates_text() {
    runs eval text-files --split test --json
    cp out one
    runs eval text-packed --split test --json
    equal "$(json ppl nll tokens <one)" "$(json ppl nll tokens <out)"
}
check "evaluation on packed text, too" evaluates_text
counts_text() {
    runs data stats lm.yaml
    sed 's/ [^ ]*: / /' out >one
    from_text_pack data check lm.yaml
    equal "$(cat one)" "$(sed 's/ [^ ]*: / /' out)"
}
check "data check and data stats read packed text" counts_text
limited() {
    runs data pack text text/train.txt limited.pack --vocab-limit 100
    contains out 'tokens, 100 words$'
    runs train lm.yaml --out limited --set data.vocab_limit=100 --set model.cutoffs=50
    runs train lm.yaml --out limited-packed --set data.train=limited.pack --set data.vocab_limit=100 --set model.cutoffs=50
    same_weights limited/last.safetensors limited-packed/last.safetensors
    exits 3 data stats lm.yaml --set data.train=words.pack --set data.vocab_limit=100
    contains err '^foci: words.pack: packed with [0-9]* words, more than data.vocab_limit: pack it with --vocab-limit 100$'
}
check "a limited vocabulary" limited
damaged_text() {
    cp words.pack bad-words.pack
    printf '\377\377\377' | dd of=bad-words.pack bs=1 seek=2000 conv=notrunc 2>dd-log
    fails 3 'bad-words.pack: byte 64: the ids are damaged (wrong checksum)' train lm.yaml --out bad --set data.train=bad-words.pack
    head -c 30000 words.pack >cut-words.pack
    fails_like 3 'cut-words.pack: 30000 bytes, but [0-9]* were written; is it cut short\?' train lm.yaml --out bad --set data.train=cut-words.pack
    runs data pack text text/valid.txt own.pack
    fails 3 'own.pack: packed with another vocabulary than that of data.train' train lm.yaml --out bad --set data.valid=own.pack
    fails 3 'train.pack: a pack of images, not of words' train lm.yaml --out bad --set data.train=train.pack
    fails 3 'words.pack: a pack of words, not of images' train vit.yaml --out bad --set data.train=words.pack
}
check "packs of text that cannot be used" damaged_text
check "a text that is not there" fails 3 'nope.txt: No such file or directory' data pack text nope.txt x.pack
check "a packed text is kept" fails 6 'words.pack: is there already' data pack text text/train.txt words.pack
check "a size is not for text" fails 2 '--size is for images' data pack text text/train.txt x.pack --size 9
finish
