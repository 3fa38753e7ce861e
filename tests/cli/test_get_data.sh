#!/bin/sh
# scripts/get-data.sh without the network: what it makes of good archives, and what it refuses.
. "$(dirname "$0")/lib.sh"
script=$root/scripts/get-data.sh

# CODE REGEX ARGUMENT...: get-data.sh ARGUMENT... exits with CODE and says a line that matches; nothing half-made stays.
gets() {
    expected=$1 message=$2
    shift 2
    code=0
    sh "$script" "$@" >out 2>err || code=$?
    [ "$code" -eq "$expected" ] || wrong "get-data.sh $*: exit code $code, not $expected" "$(cat out err)"
    contains err "^$message\$"
    equal "" "$(ls -d set.* 2>/dev/null)"
}
refuses() { # CODE REGEX ARGUMENT...
    code=$1 message=$2
    shift 2
    gets "$code" "get-data.sh: $message" "$@"
    [ ! -e set ] || wrong "the folder was made"
}
sum() { sha256sum <"$1" | cut -c 1-64; }
tree() { (cd "$1" && find . -type f | sort | tr '\n' ' '); }

# ----------------------------------------------------------------------------------------- images with labels

# FOLDER ENDING: two images with labels in each part, in ADE20K's layout.
pairs() {
    rm -rf set "$1"
    for part in training validation; do
        mkdir -p "$1/images/$part" "$1/annotations/$part"
        for n in 1 2; do
            echo "image $n" >"$1/images/$part/$n.jpg"
            echo "labels $n" >"$1/annotations/$part/$n.png"
        done
    done
}
paired='./annotations/training/1.png ./annotations/training/2.png ./annotations/validation/1.png ./annotations/validation/2.png ./images/training/1.jpg ./images/training/2.jpg ./images/validation/1.jpg ./images/validation/2.jpg ./source.txt '
ade20k() {
    pairs ADEChallengeData2016
    tar -cf a.tar ADEChallengeData2016
    gets 0 'set: ade20k is in place' ade20k set --from a.tar --sha256 "$(sum a.tar)"
    equal "$paired" "$(tree set)"
    rm -rf set
    md5=$(md5sum <a.tar | cut -c 1-32)
    refuses 3 "a.tar: md5 is $md5, not 7328b395[0-9a-f]*; .*" ade20k set --from a.tar
    rm ADEChallengeData2016/annotations/validation/2.png
    tar -cf a.tar ADEChallengeData2016
    refuses 3 'ade20k: validation/2 has an image or labels, but not both' ade20k set --from a.tar --sha256 "$(sum a.tar)"
}
camvid() {
    pairs top
    tar -cf a.tar -C top images annotations
    gets 0 'set: camvid is in place' camvid set --from a.tar --sha256 "$(sum a.tar)"
    equal "$paired" "$(tree set)"
}
camvid_of_fastai() { # a list of the validation images, labels in one folder
    rm -rf set camvid
    mkdir -p camvid/images camvid/labels
    for n in 1 2 3; do echo "image $n" >camvid/images/$n.png; echo "labels $n" >camvid/labels/${n}_P.png; done
    echo 2.png >camvid/valid.txt
    printf 'Animal\r\nVoid\r\n' >camvid/codes.txt
    tar -czf a.tar.gz camvid
    gets 0 'set: camvid is in place' camvid set --from a.tar.gz --sha256 "$(sum a.tar.gz)"
    equal './annotations/training/1.png ./annotations/training/3.png ./annotations/validation/2.png ./classes.txt ./images/training/1.png ./images/training/3.png ./images/validation/2.png ./source.txt ' "$(tree set)"
    equal 'labels 2' "$(cat set/annotations/validation/2.png)"
    equal 'Animal Void' "$(paste -sd ' ' set/classes.txt)"
    rm -rf set camvid/labels/3_P.png
    tar -cf a.tar camvid
    refuses 3 'a.tar: holds no labels of 3.png' camvid set --from a.tar --sha256 "$(sum a.tar)"
    rm camvid/valid.txt
    tar -cf a.tar camvid
    refuses 3 'a.tar: holds neither annotations nor labels, valid.txt and codes.txt' camvid set --from a.tar --sha256 "$(sum a.tar)"
}
check "ade20k" ade20k
check "camvid in ADE20K's layout" camvid
check "camvid as fast.ai packs it" camvid_of_fastai

# ---------------------------------------------------------------------------------------------------- images

# FOLDER VAL: two classes of two files in FOLDER/train and FOLDER/VAL.
images() {
    rm -rf set "$1"
    for folder in train/cat train/dog "$2/cat" "$2/dog"; do
        mkdir -p "$1/$folder"
        for n in 1 2; do echo "$folder $n" >"$1/$folder/$n.jpg"; done
    done
}
arranged() {
    equal "./source.txt ./train/cat/1.jpg ./train/cat/2.jpg ./train/dog/1.jpg ./train/dog/2.jpg ./val/cat/1.jpg ./val/cat/2.jpg ./val/dog/1.jpg ./val/dog/2.jpg " "$(tree set)"
    equal "$1/dog 2" "$(cat set/val/dog/2.jpg)"
    equal "cifar10 sha256 $(sum "$2")  $2" "$(paste -sd ' ' set/source.txt)"
}
tar_of_val() {
    images cifar10 val
    tar -cf a.tar cifar10
    gets 0 'set: cifar10 is in place' cifar10 set --from a.tar --sha256 "$(sum a.tar)"
    arranged val a.tar
}
tar_of_test() {
    images CIFAR-10-images-master test
    tar -czf a.tar.gz CIFAR-10-images-master
    gets 0 'set: cifar10 is in place' cifar10 set/ --from a.tar.gz --sha256 "$(sum a.tar.gz | tr a-f A-F)"
    arranged test a.tar.gz
}
at_the_top() {
    images top test
    (cd top && tar -cf ../a.tar ./train ./test)
    gets 0 'set: cifar10 is in place' cifar10 set --from a.tar --sha256 "$(sum a.tar)"
    arranged test a.tar
}
there_already() {
    gets 0 'set: cifar10 is there already' cifar10 set --from a.tar
    gets 2 'get-data.sh: set: exists, and does not hold wikitext-2; .*' wikitext-2 set
    arranged test a.tar
}
colon() {
    mv a.tar host:a.tar
    rm -rf set
    gets 0 './set:1: cifar10 is in place' cifar10 set:1 --from host:a.tar --sha256 "$(sum host:a.tar)"
    mv host:a.tar a.tar
    rm -r set:1
}
check "a tar of train and val" tar_of_val
check "a colon in a name" colon
check "a tar.gz of train and test" tar_of_test
check "train and test at the top" at_the_top
check "a folder that is there is not touched" there_already

wrong_sum() {
    images cifar10 val
    tar -cf a.tar cifar10
    refuses 3 "a.tar: sha256 is $(sum a.tar), not 637c5814[0-9a-f]* 871637f9[0-9a-f]*; .*" cifar10 set --from a.tar
    zeros=0000000000000000000000000000000000000000000000000000000000000000
    refuses 3 "a.tar: sha256 is $(sum a.tar), not $zeros; .*" cifar10 set --from a.tar --sha256 $zeros
}
# MESSAGE FILE: refused for what is in it, though its checksum is right.
refuses_archive() { refuses 3 "$2: $1" cifar10 set --from "$2" --sha256 "$(sum "$2")"; }
truncated_gz() {
    images cifar10 val
    tar -czf whole.tar.gz cifar10
    head -c 200 whole.tar.gz >a.tar.gz
    refuses_archive 'not a whole .tar, .tar.gz or .zip archive: .*' a.tar.gz
}
truncated_tar() {
    tar -cf whole.tar cifar10
    head -c 5000 whole.tar >a.tar
    refuses_archive 'not a whole .tar, .tar.gz or .zip archive: .*' a.tar
}
no_archive() {
    echo 'this is text' >a.txt
    refuses_archive 'not a whole .tar, .tar.gz or .zip archive: .*' a.txt
}
climbs() {
    echo evil >evil
    mkdir -p in
    (cd in && tar -cPf ../a.tar ../evil ../cifar10)
    rm evil
    refuses_archive "refused, a member's path leads outside: \.\./evil" a.tar
    [ ! -e evil ] && [ ! -e ../evil ]
}
absolute() {
    tar -cPf a.tar cifar10 "$work/whole.tar"
    refuses_archive "refused, a member's path leads outside: $work/whole.tar" a.tar
}
linked() {
    ln -s /etc cifar10/train/etc
    tar -cf a.tar cifar10
    rm cifar10/train/etc
    refuses_archive 'refused, a member is neither file nor folder: l.*' a.tar
}
hard_linked() {
    ln cifar10/train/cat/1.jpg cifar10/train/cat/3.jpg
    tar -cf a.tar cifar10
    rm cifar10/train/cat/3.jpg
    refuses_archive 'refused, a member is neither file nor folder: h.*' a.tar
}
no_split() {
    tar -cf a.tar -C cifar10 val
    refuses_archive 'holds no folder train, at its top or one folder down' a.tar
    tar -cf a.tar -C cifar10 train
    refuses_archive 'holds no folder val or test beside train' a.tar
}
other_classes() {
    mv cifar10/val/dog cifar10/val/horse
    tar -cf a.tar cifar10
    refuses 3 'cifar10: train and val have different classes' cifar10 set --from a.tar --sha256 "$(sum a.tar)"
    mv cifar10/val/horse cifar10/val/dog
    rm cifar10/val/dog/*
    tar -cf a.tar cifar10
    refuses 3 'cifar10: val/dog is no folder of images' cifar10 set --from a.tar --sha256 "$(sum a.tar)"
}
check "a wrong checksum" wrong_sum
check "a gzip cut short" truncated_gz
check "a tar cut short" truncated_tar
check "a text for an archive" no_archive
check "a member above the folder" climbs
check "a member with an absolute path" absolute
check "a symbolic link" linked
check "a hard link" hard_linked
check "a split that is not there" no_split
check "classes that differ or are empty" other_classes

# ------------------------------------------------------------------------------------------------------ text

words() {
    rm -rf set wikitext-2
    mkdir wikitext-2
    for split in train valid test; do printf ' \n = %s = \n \n the <unk> \n' $split >wikitext-2/wiki.$split.tokens; done
}
text_arranged() {
    equal "./source.txt ./test.txt ./train.txt ./valid.txt " "$(tree set)"
    same set/train.txt wikitext-2/wiki.train.tokens
    same set/valid.txt wikitext-2/wiki.valid.tokens
    same set/test.txt wikitext-2/wiki.test.tokens
}
text_tar() {
    words
    tar -czf a.tar.gz wikitext-2
    gets 0 'set: wikitext-2 is in place' wikitext-2 set --from a.tar.gz --sha256 "$(sum a.tar.gz)"
    text_arranged
}
text_lacks() {
    words
    rm wikitext-2/wiki.valid.tokens
    tar -cf a.tar wikitext-2
    refuses 3 'a.tar: holds no wiki.valid.tokens, or an empty one' wikitext-103 set --from a.tar --sha256 "$(sum a.tar)"
}
check "WikiText in a tar" text_tar
check "WikiText without a split" text_lacks

# -------------------------------------------------------------------------------------------------- sequences

imdb() {
    rm -rf set aclImdb
    for folder in train/pos train/neg train/unsup test/pos test/neg; do
        mkdir -p aclImdb/$folder
        for n in 1 2; do echo "$folder $n" >aclImdb/$folder/${n}_7.txt; done
    done
    echo x >aclImdb/train/urls_pos.txt
}
imdb_laid_out() {
    imdb
    tar -czf a.tar.gz aclImdb
    gets 0 'set: imdb is in place' imdb set --from a.tar.gz --sha256 "$(sum a.tar.gz)"
    equal "./source.txt ./test/neg/1_7.txt ./test/neg/2_7.txt ./test/pos/1_7.txt ./test/pos/2_7.txt ./train/neg/1_7.txt ./train/neg/2_7.txt ./train/pos/1_7.txt ./train/pos/2_7.txt " "$(tree set)"
}
imdb_lacks() {
    imdb
    rm -r aclImdb/test/neg
    tar -cf a.tar aclImdb
    refuses 3 'a.tar: holds no test/neg' imdb set --from a.tar --sha256 "$(sum a.tar)"
    refuses 3 'a.tar: md5 is [0-9a-f]*, not 7c2ac02c03563afcf9b574c7e56c153a; .*' imdb set --from a.tar
}
lra() {
    rm -rf set lra_release
    mkdir -p lra_release/lra_release/listops-1000 lra_release/lra_release/tsv_data lra_release/lra_release/pathfinder64
    at=lra_release/lra_release/pathfinder32/curv_contour_length_14
    mkdir -p $at/imgs/0 $at/metadata lra_release/lra_release/pathfinder32/curv_baseline/imgs/0
    for split in train val test; do printf 'Source\tTarget\n1\t1\n' >lra_release/lra_release/listops-1000/basic_$split.tsv; done
    for split in train eval test; do printf '1.0\tA\tB\tx\ty\n' >lra_release/lra_release/tsv_data/new_aan_pairs.$split.tsv; done
    echo png >$at/imgs/0/sample_0.png
    echo 'imgs/0 sample_0.png 0 1' >$at/metadata/0.npy
    echo png >lra_release/lra_release/pathfinder32/curv_baseline/imgs/0/sample_0.png
}
lra_laid_out() { # a tar.gz, though it is called .gz
    lra
    tar -czf lra_release.gz lra_release
    gets 0 'set: lra is in place' lra set --from lra_release.gz --sha256 "$(sum lra_release.gz)"
    equal "./listops/basic_test.tsv ./listops/basic_train.tsv ./listops/basic_val.tsv ./pathfinder/imgs/0/sample_0.png ./pathfinder/metadata/0.npy ./retrieval/new_aan_pairs.eval.tsv ./retrieval/new_aan_pairs.test.tsv ./retrieval/new_aan_pairs.train.tsv ./source.txt " "$(tree set)"
}
lra_counts() {
    lra
    tar -czf lra_release.gz lra_release
    refuses 3 'lra_release.gz: basic_train.tsv has 2 lines, not the 96001 that are published .*' lra set --from lra_release.gz
    rm lra_release/lra_release/tsv_data/new_aan_pairs.eval.tsv
    tar -czf lra_release.gz lra_release
    refuses 3 'lra_release.gz: holds no new_aan_pairs.eval.tsv, or an empty one' lra set --from lra_release.gz --sha256 "$(sum lra_release.gz)"
    tar -czf lra_release.gz lra_release/lra_release/pathfinder64
    refuses 3 'lra_release.gz: holds nothing like .*' lra set --from lra_release.gz --sha256 "$(sum lra_release.gz)"
}
check "IMDB" imdb_laid_out
check "IMDB without a class" imdb_lacks
check "the Long Range Arena" lra_laid_out
check "the Long Range Arena with other counts, or without a part" lra_counts

# ------------------------------------------------------------------------------------------ texts of bytes

bytes() { # NAME: 2,007 bytes
    rm -rf set "$1"
    seq 1 543 | tr '\n' ' ' | head -c 2007 >"$1"
    tar -cf a.tar "$1"
}
bytes_cut() { # nine tenths, a twentieth, and the rest
    bytes $1
    gets 0 "set: $1 is in place" $1 set --from a.tar --sha256 "$(sum a.tar)"
    equal "./source.txt ./test.txt ./train.txt ./valid.txt " "$(tree set)"
    equal "1800 100 107" "$(for split in train valid test; do wc -c <set/$split.txt; done | tr -d ' ' | paste -sd ' ' -)"
    cat set/train.txt set/valid.txt set/test.txt >whole
    same whole $1
}
bytes_sum() { # MD5 of the text
    bytes $1
    refuses 3 ".*/$1: md5 is $(md5sum <$1 | cut -c 1-32), not $2; .*" $1 set --from a.tar
    mv $1 other
    tar -cf a.tar other
    refuses 3 "a.tar: holds no $1, or an empty one" $1 set --from a.tar --sha256 "$(sum a.tar)"
}
for name in enwik8 text8; do check "$name" bytes_cut $name; done
check "enwik8 with another checksum" bytes_sum enwik8 a1fa5ffddb56f4953e226637dabbb36a
check "text8 with another checksum" bytes_sum text8 3bea1919949baf155f99411df5fada7e

# ------------------------------------------------------------------------------------------------- sentences

sentences() { # the last line is not ended
    rm -rf set SST2
    mkdir SST2
    for split in train dev test; do printf 'a fine film of %s\t1\na bad one\t0' $split >SST2/$split.tsv; done
}
sentences_kept() {
    sentences
    tar -czf a.tar.gz SST2
    gets 0 'set: sst2 is in place' sst2 set --from a.tar.gz --sha256 "$(sum a.tar.gz)"
    equal "./dev.tsv ./source.txt ./test.tsv ./train.tsv " "$(tree set)"
    for split in train dev test; do same set/$split.tsv SST2/$split.tsv; done
}
sentences_of_glue() { # titles, and a test without labels
    sentences
    for split in train dev; do printf 'sentence\tlabel\nso fine\t1\n' >SST2/$split.tsv; done
    printf 'index\tsentence\n0\tso so\n' >SST2/test.tsv
    tar -cf a.tar SST2
    gets 0 'set: sst2 is in place' sst2 set --from a.tar --sha256 "$(sum a.tar)"
    equal "./dev.tsv ./source.txt ./train.tsv " "$(tree set)"
    equal "$(printf 'so fine\t1')" "$(cat set/train.tsv)"
    rm -r set
    refuses 3 'a.tar: md5 is [0-9a-f]*, not 9f81648d4199384278b86e315dac217c; .*' sst2 set --from a.tar
}
sentences_refused() {
    sentences
    tar -cf a.tar SST2
    refuses 3 'a.tar: train.tsv has 2 lines, not the 6920 that are published .*' sst2 set --from a.tar
    printf 'fine\t1\nfine\t2\n' >SST2/dev.tsv
    tar -cf a.tar SST2
    refuses 3 'a.tar: dev.tsv, line 2: not SENTENCE<TAB>LABEL with a label of 0 or 1' sst2 set --from a.tar --sha256 "$(sum a.tar)"
    sentences
    rm SST2/test.tsv
    tar -cf a.tar SST2
    refuses 3 'a.tar: holds no test.tsv, or an empty one' sst2 set --from a.tar --sha256 "$(sum a.tar)"
}
check "sst2" sentences_kept
check "sst2 of GLUE" sentences_of_glue
check "sst2 with other counts, other labels, or without a part" sentences_refused

# le BYTES NUMBER: little-endian.
le() {
    n=$2
    for _ in $(seq "$1"); do printf "\\$(printf %03o $((n % 256)))"; n=$((n / 256)); done
}
# FILE...: a zip of them, uncompressed, on stdout; a name of `..` stands for ../evil.
zip_of() {
    : >central
    offset=0 entries=0
    for member; do
        case $member in ..) name=../evil member=whole.tar ;; *) name=$member ;; esac
        size=$(($(wc -c <"$member")))
        { le 2 10; le 2 0; le 2 0; le 2 0; le 2 33; gzip -nc "$member" | tail -c 8 | head -c 4; le 4 $size; le 4 $size; le 2 ${#name}; le 2 0; } >fields
        { printf 'PK\001\002'; le 2 10; cat fields; le 2 0; le 2 0; le 2 0; le 4 0; le 4 $offset; printf %s "$name"; } >>central
        { printf 'PK\003\004'; cat fields; printf %s "$name"; cat "$member"; } >local
        cat local
        offset=$((offset + $(wc -c <local))) entries=$((entries + 1))
    done
    cat central
    printf 'PK\005\006'; le 2 0; le 2 0; le 2 $entries; le 2 $entries; le 4 $(($(wc -c <central))); le 4 $offset; le 2 0
}
text_zip() {
    words
    zip_of wikitext-2/wiki.*.tokens >a.zip
    gets 0 'set: wikitext-2 is in place' wikitext-2 set --from a.zip --sha256 "$(sum a.zip)"
    text_arranged
}
damaged_zip() {
    words
    zip_of wikitext-2/wiki.*.tokens >whole.zip
    head -c 300 whole.zip >a.zip
    refuses 3 'a.zip: not a whole .tar, .tar.gz or .zip archive: .*' wikitext-2 set --from a.zip --sha256 "$(sum a.zip)"
    sed 's/<unk>/<xnk>/' whole.zip >a.zip
    refuses 3 'a.zip: not a whole .tar, .tar.gz or .zip archive: .*' wikitext-2 set --from a.zip --sha256 "$(sum a.zip)"
}
climbing_zip() {
    words
    zip_of wikitext-2/wiki.*.tokens .. >a.zip
    refuses 3 "a.zip: refused, a member's path leads outside: \.\./evil" wikitext-2 set --from a.zip --sha256 "$(sum a.zip)"
    [ ! -e evil ] && [ ! -e ../evil ]
}
if command -v unzip || command -v python3; then
    check "WikiText in a zip" text_zip
    check "a damaged zip" damaged_zip
    check "a zip that climbs" climbing_zip
else
    echo "skipped: neither unzip nor python3 is here to unpack a zip"
fi >tools
grep -v '^/' tools

# -------------------------------------------------------------------------------------------------- imagenet

# A tar of two classes of two images; two validation images of class 2, one of class 1; and a devkit whose meta.mat names
# the classes in another order than the tar.
imagenet() {
    rm -rf set kit archives
    mkdir -p kit/data kit/val archives
    for class in n00000001 n00000002; do
        for n in 1 2; do echo $class >kit/${class}_$n.JPEG; done
        tar -cf kit/$class.tar -C kit ${class}_1.JPEG ${class}_2.JPEG
    done
    tar -cf archives/ILSVRC2012_img_train.tar -C kit n00000001.tar n00000002.tar
    for n in 1 2 3; do echo "image $n" >kit/val/ILSVRC2012_val_0000000$n.JPEG; done
    tar -cf archives/ILSVRC2012_img_val.tar -C kit/val .
    printf '1\n1\n2\n' >kit/data/ILSVRC2012_validation_ground_truth.txt
    meta n00000002 n00000001
}
# WNID...: a meta.mat as MATLAB writes it: header and tag, a zlib stream of strings in UTF-16; and the devkit around it.
meta() {
    { head -c 136 /dev/zero; printf 'x\234'
      { printf 'synsets'; for wnid; do printf '\016\0\0\0\022\0\0\0'; printf %s "$wnid" | sed 's/./&%/g' | tr % '\000'; done
        printf 'h\0igh level: n99999999'; } | gzip -nc | tail -c +11; } >kit/data/meta.mat
    tar -czf archives/ILSVRC2012_devkit_t12.tar.gz -C kit data
}
sums() { echo "$(sum archives/ILSVRC2012_img_train.tar),$(sum archives/ILSVRC2012_img_val.tar),$(sum archives/ILSVRC2012_devkit_t12.tar.gz)"; }
imagenet_laid_out() {
    imagenet
    gets 0 'set: imagenet is in place' imagenet set --from archives --sha256 "$(sums)"
    equal "./source.txt ./train/n00000001/n00000001_1.JPEG ./train/n00000001/n00000001_2.JPEG ./train/n00000002/n00000002_1.JPEG ./train/n00000002/n00000002_2.JPEG ./val/n00000001/ILSVRC2012_val_00000003.JPEG ./val/n00000002/ILSVRC2012_val_00000001.JPEG ./val/n00000002/ILSVRC2012_val_00000002.JPEG " "$(tree set)"
    equal "image 3" "$(cat set/val/n00000001/*)"
}
imagenet_refuses() { refuses 3 "$1" imagenet set --from archives --sha256 "$(sums)"; }
imagenet_sums() {
    imagenet
    refuses 3 'archives/ILSVRC2012_img_train.tar: md5 is .*, not 1d675b47d978889d74fa0da5fadfb00e; .*' imagenet set --from archives
}
other_wnids() {
    imagenet
    meta n00000002 n00000003
    imagenet_refuses 'archives/ILSVRC2012_devkit_t12.tar.gz: the classes in its meta.mat are not those of archives/ILSVRC2012_img_train.tar'
}
no_class() {
    imagenet
    printf '1\n1\n3\n' >kit/data/ILSVRC2012_validation_ground_truth.txt
    meta n00000002 n00000001
    imagenet_refuses 'archives/ILSVRC2012_devkit_t12.tar.gz: a number in its ground truth is no class'
}
images_missing() {
    imagenet
    printf '1\n1\n2\n2\n' >kit/data/ILSVRC2012_validation_ground_truth.txt
    meta n00000002 n00000001
    imagenet_refuses 'archives/ILSVRC2012_img_val.tar: holds no ILSVRC2012_val_00000004.JPEG'
    printf '2\n1\n' >kit/data/ILSVRC2012_validation_ground_truth.txt
    meta n00000002 n00000001
    imagenet_refuses 'archives/ILSVRC2012_img_val.tar: ILSVRC2012_val_00000003.JPEG has no class in the ground truth of .*'
}
hostile_class() {
    imagenet
    tar -cPf kit/n00000001.tar "$work/kit/n00000001_1.JPEG"
    tar -cf archives/ILSVRC2012_img_train.tar -C kit n00000001.tar n00000002.tar
    imagenet_refuses ".*/n00000001.tar: refused, a member's path leads outside: $work/kit/n00000001_1.JPEG"
    tar -cf archives/ILSVRC2012_img_train.tar -C kit n00000001.tar data
    imagenet_refuses 'archives/ILSVRC2012_img_train.tar: data/ is not the archive of a class'
}
check "imagenet" imagenet_laid_out
check "imagenet's published checksums" imagenet_sums
check "a devkit of other classes" other_wnids
check "a ground truth of no class" no_class
check "images without label, labels without image" images_missing
check "a hostile archive of a class" hostile_class
check "imagenet is not fetched" refuses 2 'imagenet cannot be fetched .*' imagenet set
check "imagenet without its archives" refuses 3 'kit/ILSVRC2012_img_train.tar: no such file' imagenet set --from kit

# -------------------------------------------------------------------------------------------------- fetching

# A curl that gives out served.zip for the second address it is asked for and notes what it was asked.
fetching() {
    words
    tar -czf served wikitext-2
    mkdir -p bin
    cat >bin/curl <<'EOF'
#!/bin/sh
while [ $# -gt 2 ]; do shift; done
echo "$2" >>asked
[ "$(wc -l <asked)" -eq 2 ] && cp served "$1"
EOF
    chmod +x bin/curl
    PATH=$work/bin:$PATH
    gets 0 'set: wikitext-2 is in place' wikitext-2 set --sha256 "$(sum served)"
    text_arranged
    equal 'https://wikitext.smerity.com/wikitext-2-v1.zip https://s3.amazonaws.com/research.metamind.io/wikitext/wikitext-2-v1.zip' "$(paste -sd ' ' asked)"
    contains set/source.txt '^from https://s3.amazonaws.com/research.metamind.io/wikitext/wikitext-2-v1.zip$'
}
fetching_fails() {
    words
    PATH=$work/bin:$PATH
    refuses 1 'wikitext-2: cannot be fetched; .*' wikitext-2 set
    rm asked
    echo asked >asked
    refuses 3 '.*/archive: sha256 is .*, not 92675f1d63015c1c8b51f1656a52d5bdbc33aafa60cc47a218a66e7ee817488c; .*' wikitext-2 set
}
# Only these tools are here.
with_tools() {
    rm -rf few
    mkdir few
    for tool in "$@"; do ln -s "$(command -v "$tool")" few/; done
}
no_curl() {
    words
    with_tools dirname mktemp rmdir sed mkdir rm
    sh=$(command -v sh) code=0
    PATH=$work/few "$sh" "$script" wikitext-2 set 2>err || code=$?
    equal 1 "$code"
    contains err '^get-data.sh: fetching needs curl or wget, and neither is here .*'
}
no_unzip() {
    words
    zip_of wikitext-2/wiki.train.tokens >a.zip
    zip_sum=$(sum a.zip)
    with_tools dirname mktemp rmdir sed mkdir rm tr grep sha256sum od
    sh=$(command -v sh) code=0
    PATH=$work/few "$sh" "$script" wikitext-2 set --from a.zip --sha256 "$zip_sum" 2>err || code=$?
    equal 1 "$code"
    contains err '^get-data.sh: unpacking a.zip needs unzip or python3, and neither is here .*'
    [ -z "$(ls -d set* 2>/dev/null)" ]
}
fetching_files() { # sst2: three of them
    sentences
    mkdir -p three
    cat >three/curl <<'EOF'
#!/bin/sh
while [ $# -gt 2 ]; do shift; done
cp "SST2/${2##*/}" "$1"
EOF
    chmod +x three/curl
    PATH=$work/three:$PATH
    refuses 3 'https://raw.githubusercontent.com/.*/SST2: train.tsv has 2 lines, not the 6920 that are published .*' sst2 set
    rm SST2/dev.tsv
    refuses 1 'sst2: cannot be fetched; .*' sst2 set
    refuses 2 '--sha256: of what --from names; sst2 is fetched in three files' sst2 set --sha256 "$(sum a.tar)"
}
check "the second address is asked when the first fails" fetching
check "a set of several files" fetching_files
check "no address answers, or with something else" fetching_fails
check "neither curl nor wget" no_curl
check "neither unzip nor python3" no_unzip

# ----------------------------------------------------------------------------------------------------- usage

helps() {
    sh "$script" --help >out 2>err
    contains out '^usage: scripts/get-data.sh NAME DIR '
    [ ! -s err ]
}
rm -rf set
check "--help" helps
check "no arguments" gets 2 'usage: .*'
check "an unknown name" refuses 2 'there is no data set cifar: .*' cifar set
check "an unknown option" refuses 2 'unknown option --form .*' cifar10 set --form a.tar
check "an option without its value" refuses 2 '--from wants a value .*' cifar10 set --from
check "an argument too many" refuses 2 'more is one argument too many .*' cifar10 set more
check "a checksum that is none" refuses 2 '--sha256: 1 of 64 hexadecimal digits for cifar10' cifar10 set --sha256 abc
check "one checksum for three files" refuses 2 '--sha256: 3 of 64 hexadecimal digits for imagenet' imagenet set --from . --sha256 \
    0000000000000000000000000000000000000000000000000000000000000000
check "an archive that is not there" refuses 3 'nope.tar: no such file' cifar10 set --from nope.tar
a_file_there() {
    echo >file
    gets 2 'get-data.sh: file: exists, and does not hold cifar10; .*' cifar10 file --from a.tar
}
check "a file where the folder should be" a_file_there
finish
