#!/bin/sh
# Data as people have it: roots and archives of them, no validation folder, other kinds of image, paths beside a config,
# and a check that refuses what training would refuse.
. "$(dirname "$0")/lib.sh"

check "images" make_images
check "text" make_text

reference() {
    runs train vit.yaml --out named --set train.max_steps=4
    contains named/config.yaml "train: $work/images/train$"
}
check "a run" reference

rooted() { # ROOT
    runs train vit.yaml --out rooted --force --set train.max_steps=4 --set data.train= --set data.val= --set data.root=$1
    same_weights named/last.safetensors rooted/last.safetensors
    equal "$(json step loss top1 <named/metrics.jsonl)" "$(json step loss top1 <rooted/metrics.jsonl)"
}
archive() { # with and without a folder around it; of a folder that is called valid
    tar cf pets.tar images
    rooted pets.tar
    rooted pets.tar/images
    mv images/val images/valid
    (cd images && tar cf ../bare.tar train valid)
    mv images/valid images/val
    rooted bare.tar
}
check "a root" rooted images
check "an archive of one" archive
explicit() {
    mkdir -p other
    cp -r images/val other/
    runs data stats vit.yaml --set data.root=images --set data.val=other/val
    contains out '^data.train  images/train: 64 images, 10 classes$'
    contains out '^data.val  other/val: 40 images, 10 classes$'
}
check "a key wins over the root" explicit
check "a root that is named as training images" fails_like 2 '--set data.train=images: data.train: images holds the folders of splits \(train/CLASS\), not of classes: name it as data.root' \
    train vit.yaml --out no --set data.train=images
check "a root that is not there" fails 3 'nowhere: no such folder or .tar' train vit.yaml --out no --set data.train= --set data.root=nowhere

same_files() {
    same='has the images of data.train: name others, or none and data.val_split: 0.1'
    fails 2 "--set data.val=images/train: data.val: images/train $same" train vit.yaml --out no --set data.val=images/train
    ln -s images/train link
    fails 2 "--set data.val=link/: data.val: link $same" train vit.yaml --out no --set data.val=link/
    fails 2 "--set data.val=pets.tar/images/train: data.val: pets.tar/images/train $same" \
        train vit.yaml --out no --set data.train=./pets.tar/images/train --set data.val=pets.tar/images/train
    ln -s train.txt text/again.txt
    fails 2 '--set data.valid=text/again.txt: data.valid: text/again.txt is data.train too: name a text that is not trained on' \
        train lm.yaml --out no --set data.valid=text/again.txt
    [ ! -e no ] || wrong "it made a run folder"
    runs eval named --set data.val=images/train # asked for expressly, and nothing is trained
}
check "validation by what is trained on" same_files

counts() { sed -n "s/^$1: \([0-9]*\) images.*/\1/p" out; }
split_off() { # photographs in a folder for each class, and nothing else
    cp -r images/train photos
    sed -e 's/data: {.*}/data: {kind: image_folder, root: photos, val_split: 0.25}/' vit.yaml >photos.yaml
    runs data check photos.yaml
    equal 64 "$(($(counts data.train) + $(counts data.val)))"
    [ "$(counts data.val)" -gt 5 ] && [ "$(counts data.val)" -lt 30 ]
    contains out '^data.val  photos: [0-9]* images, 10 classes$'
    runs train photos.yaml --out photos-run --set train.max_steps=4
    json top1 images <photos-run/metrics.jsonl | tail -n 1 >last
    runs eval photos-run --checkpoint photos-run/last.safetensors --json
    equal "$(cat last)" "$(json top1 images <out)"
    runs train photos.yaml --out by-train --set train.max_steps=4 --set data.root= --set data.train=photos
    same_weights photos-run/last.safetensors by-train/last.safetensors
    runs data pack images photos photos.pack
    runs train photos.yaml --out by-pack --set train.max_steps=4 --set data.root= --set data.train=photos.pack
    same_weights photos-run/last.safetensors by-pack/last.safetensors
    tar cf photos.tar photos
    runs train photos.yaml --out by-tar --set train.max_steps=4 --set data.root=photos.tar
    same_weights photos-run/last.safetensors by-tar/last.safetensors
    runs data stats photos.yaml --set data.val=images/val # one that is there wins
    contains out '^data.train  photos: 64 images, 10 classes$'
}
check "no validation folder" split_off
check "no validation at all" fails_like 2 '.*: data.val: names no images; data.val_split: 0.1 takes a tenth of the training images' \
    train photos.yaml --out no --set data.val_split=0
check "a share too small" fails_like 2 '--set data.val_split=1e-9: data.val_split: 1e-09 of the 64 images of photos leaves none for validation' \
    train photos.yaml --out no --set data.val_split=1e-9

linked() { # an archive that stores links
    mkdir -p linked/train linked/val
    cp -r images/train images/val linked/
    for file in linked/val/*/00000.*; do ln -s "$(basename "$file")" "${file%/*}/second.${file##*.}"; done
    tar cf linked.tar linked
    runs data check vit.yaml --set data.train= --set data.val= --set data.root=linked.tar
    contains out '^data.val: 50 images in 10 classes read$'
    rm linked/val/*/00000.*
    tar cf linked.tar linked
    fails_like 3 'linked.tar/linked/val: linked/val/[a-z-]*/second.[a-z]* is a link to linked/val/[a-z-]*/00000.[a-z]*, which is no file of the archive; tar --dereference stores what links lead to' \
        train vit.yaml --out no --set data.train= --set data.val= --set data.root=linked.tar
}
check "links in an archive" linked

other_kinds() {
    cp -r images kinds
    class=$(ls kinds/train | head -n 1)
    for kind in webp gif; do echo words >kinds/train/$class/x.$kind; done
    echo words >kinds/val/$class/y.bmp
    runs data check vit.yaml --set data.train=kinds/train --set data.val=kinds/val
    contains out "^data.train: 2 files are left out, of kinds of image that foci does not read \($class/x.(webp|gif), $class/x.(webp|gif)\); as JPEG or PNG they count$"
    contains out "^data.val: 1 file is left out, .* \($class/y.bmp\)"
    runs train vit.yaml --out kinds-run --set data.train=kinds/train --set train.max_steps=1
    equal 1 "$(grep -c 'data.train: 2 files are left out' err)"
}
check "kinds of image that are not read" other_kinds

beside() { # a config and its data in a folder of their own, and a run that is taken elsewhere
    mkdir -p mine/sub
    cp -r images mine/pictures
    sed 's#images/#pictures/#g' vit.yaml >mine/vit.yaml
    printf 'inherit: ../vit.yaml\nname: heir\n' >mine/sub/heir.yaml
    for config in mine/vit.yaml mine/sub/heir.yaml; do
        runs train $config --out beside --force --set train.max_steps=4
        same_weights named/last.safetensors beside/last.safetensors
    done
    contains beside/config.yaml "train: $work/mine/pictures/train$"
    cp -r named relative # as earlier versions wrote it
    sed "s#$work/##" named/config.yaml >relative/config.yaml
    contains relative/config.yaml 'val: images/val$'
    runs eval named --json && cp out by-full-paths
    runs eval relative --json
    same by-full-paths out
    mkdir -p away
    (cd away && runs eval ../beside --json && cp out ../away.json)
    runs eval beside --json
    same out away.json
}
missing_beside() {
    mv mine/pictures mine/moved
    fails_like 3 'mine/vit.yaml:4:[0-9]+: data.(train|val): nothing is at pictures/(train|val), nor at mine/pictures/(train|val), from the folder of the config' \
        train mine/vit.yaml --out no
    fails 3 'pictures/train: no such folder, .tar or pack of images' train mine/vit.yaml --out no --set data.train=pictures/train --set data.val=images/val
}
check "paths beside the config" beside
check "a path that leads nowhere" missing_beside

refused() { # CODE ARGUMENT...: check refuses as train does, by the same words
    code=$1
    shift
    exits "$code" train "$@" --out no
    tail -n 1 err >trained
    exits "$code" data check "$@"
    tail -n 1 err >checked
    same trained checked
}
refuses() {
    cp -r images/val few && rm -r few/"$(ls few | head -n 1)"
    refused 3 vit.yaml --set data.val=few
    refused 2 vit.yaml --set data.val=
    refused 2 vit.yaml --set train.batch_size=65
    refused 2 vit.yaml --set data.val=images/train
    refused 2 vit.yaml --set model.num_classes=9
    refused 2 vit.yaml --set train.micro_batch=3
    refused 2 vit.yaml --set model.num_heads=3
    refused 2 vit.yaml --set model.kind=lm
    refused 2 lm.yaml --set 'model.cutoffs=[2000,10000]'
    refused 2 lm.yaml --set data.valid=
    refused 2 lm.yaml --set data.test= --set train.test_at_end=true
    echo two words >short.txt
    echo >empty.txt
    refused 3 lm.yaml --set data.valid=empty.txt
    refused 3 lm.yaml --set data.train=short.txt
    refused 3 lm.yaml --set data.valid=nope.txt
    runs data check vit.yaml
    runs data check lm.yaml
}
check "check refuses what train refuses" refuses
finish
