#!/bin/sh
# foci data pack: what is trained, evaluated, checked and counted from a pack is what it is from the files.
. "$(dirname "$0")/lib.sh"

check "images" make_images

packs() {
    runs data pack images/train train.pack
    equal "train.pack: 64 images in 10 classes" "$(cat out)"
    [ ! -s err ] || wrong "on standard error:" "$(cat err)"
    runs data pack images/val val.pack --size 32
    runs data pack train.pack again.pack
    same train.pack again.pack
    (cd images && tar cf ../images.tar train)
    runs data pack images.tar/train tar.pack
    same train.pack tar.pack
}
check "a folder, an archive and a pack give the same pack" packs

from_pack() { # ARGUMENT...: the command reads packs
    runs "$@" --set data.train=train.pack --set data.val=val.pack
}
trains() {
    runs train vit.yaml --out files
    from_pack train vit.yaml --out packed
    same files/last.safetensors packed/last.safetensors
    equal "$(json step loss top1 <files/metrics.jsonl)" "$(json step loss top1 <packed/metrics.jsonl)"
    for n in 1 3; do
        from_pack train vit.yaml --out packed-$n --threads $n --set data.workers=$n
        same files/last.safetensors packed-$n/last.safetensors
    done
}
check "training from a pack gives the same bits" trains
reduced() { # the reduced images as files are those of the pack
    runs data pack images/train small.pack --size 20
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

check "a file that is there is kept" fails 6 'train.pack: is there already' data pack images/train train.pack
check "a folder that is not there" fails 3 'nope: no such folder, .tar or pack of images' data pack nope x.pack
check "nowhere to write" fails 6 'no/x.pack.tmp: No such file or directory' data pack images/train no/x.pack
check "a size that is none" fails 2 '--size: `0` is not a whole number from 1 to 16384' data pack images/train x.pack --size 0
leaves_nothing() {
    cp -r images/train spoilt
    victim=$(find spoilt -type f | sort | tail -n 1)
    echo words >"$victim"
    fails_like 3 "$victim: .*" data pack spoilt spoilt.pack
    [ ! -e spoilt.pack ] && [ ! -e spoilt.pack.tmp ]
}
check "a damaged file leaves no pack" leaves_nothing
finish
