#!/bin/sh
# Shifted images: `foci data corrupt`, and `foci eval` on corrupted images and on folders of other images.
. "$(dirname "$0")/lib.sh"

trained() {
    make_images
    runs train vit.yaml --out run --set train.max_steps=60
    runs train vit.yaml --out other --set train.max_steps=20 --set train.seed=3
}
check "a run to evaluate" trained
val=images/val
first=$(ls $val 2>/dev/null | head -n 1)

lists() {
    runs list corruptions
    equal 19 "$(wc -l <out | tr -d ' ')"
    contains out '^jpeg_compression  *[A-Z]'
}
check "list corruptions" lists

count() { find "$1" -type f | wc -l | tr -d ' '; }
layout() {
    runs data corrupt $val c --corruption fog,pixelate --severity 1-2
    equal 'c: 40 images, each corrupted in 4 ways' "$(cat out)"
    equal "$(printf 'fog/1\nfog/2\npixelate/1\npixelate/2')" "$(cd c && find . -mindepth 2 -maxdepth 2 | cut -c 3- | sort)"
    (cd $val && find . -type f | sed 's/\.[a-z]*$/.png/' | sort) >expected
    for d in fog/1 pixelate/2; do (cd c/$d && find . -type f | sort) | cmp - expected; done
    runs data corrupt $val j --corruption fog --severity 2 --quality 85 --limit 7
    equal 7 "$(count j)"
    equal 7 "$(find j/fog/2 -name '*.JPEG' | wc -l | tr -d ' ')"
}
check "data corrupt writes the layout of ImageNet-C" layout

same_pixels() {
    runs data corrupt $val one --severity 3 --limit 6 --threads 1
    runs data corrupt $val five --severity 3 --limit 6 --threads 5
    equal "$((19 * 6))" "$(count one)"
    diff -r one five
    runs data corrupt $val seed --severity 3 --limit 6 --seed 1 --corruption fog
    ! diff -r one/fog seed/fog >/dev/null || wrong "another seed gives the same fog"
}
check "the same pixels for any number of threads" same_pixels

cut_to_size() {
    runs data corrupt $val small --size 16 --corruption contrast --severity 1 --limit 1
    # width and height in the header of a PNG
    f=$(find small -type f)
    equal '0 0 0 16 0 0 0 16' "$(od -An -tu1 -j16 -N8 "$f" | tr -s ' ' | sed 's/^ //; s/ $//')"
}
check "--size" cut_to_size

sheet() {
    runs data corrupt $val --sheet sheet.png --corruption fog,snow --image 3
    contains out '^sheet.png: [a-z-]*/00'
    equal '137 80 78 71' "$(od -An -tu1 -N4 sheet.png | tr -s ' ' | sed 's/^ //')"
    [ ! -d c2 ]
    runs data corrupt $val --sheet all.png
}
check "--sheet" sheet

wrong_arguments() {
    fails 2 'data corrupt: DIR is missing, and --sheet too' data corrupt $val
    fails 2 'there is no corruption `fgo`; foci list corruptions names them' data corrupt $val x --corruption fgo
    fails 2 'severity `6` is neither one of 1 to 5 nor a range such as 1-3' data corrupt $val x --severity 6
    fails 2 'image 40: there are 40' data corrupt $val --sheet x.png --image 40
    fails 3 'nowhere: no such folder, .tar or pack of images' data corrupt nowhere x
    fails_like 6 'sheet.png/x.png: Not a directory' data corrupt $val sheet.png/x.png --corruption fog
    [ ! -e x ]
}
check "wrong arguments" wrong_arguments

hostile() {
    mkdir -p h/a h/b
    cp $val/$first/00000.* h/a/x.png 2>/dev/null || cp "$(find $val/$first -type f | head -n 1)" h/a/x.png
    cp h/a/x.png h/b/y.png
    head -c 60 h/a/x.png >h/b/broken.png
    fails_like 3 'h/b/broken.png: .*' data corrupt h hx --corruption fog --severity 1
    cp h/a/x.png h/b/broken.png
    cp h/a/x.png h/b/broken.jpg
    fails 3 'b/broken.png: two images would get this name' data corrupt h hx --corruption fog --severity 1
    rm h/b/broken.jpg
    mkdir -p "h/-rf %s\$(x)"
    cp h/a/x.png "h/-rf %s\$(x)/--help.png"
    runs data corrupt h hy --corruption fog --severity 1
    [ -f "hy/fog/1/-rf %s\$(x)/--help.png" ]
    runs data corrupt h hz --corruption all --severity 5 --size 1
}
check "broken and strange files" hostile

value() { json "$1" <out; }
on_the_fly() {
    runs eval run --corrupt all --json
    equal 'images clean_error error mean_error mce relative_to corruptions frost seed seconds images_per_s checkpoint set' "$(json <out)"
    equal '40 null null 0' "$(value images) $(value mce) $(value relative_to) $(value seed)"
    cp out first
    runs eval run --corrupt all --json --threads 3
    for key in clean_error mean_error corruptions; do equal "$(json $key <first)" "$(value $key)"; done
    json corruptions <first >corruptions
    equal 'errors error ce' "$(sed 's/^{"gaussian_noise":\({[^}]*}\).*/\1/' corruptions | json)"
    runs eval run --json
    equal "$(json top1 <out | awk '{ print 100 - $1 }')" "$(json clean_error <first | awk '{ print $1 + 0 }')"
    runs eval run --corrupt fog:severity=3 --json
    equal '{"fog":{"errors":[null,null,' "$(value corruptions | cut -c 1-28)"
    equal null "$(value mean_error)"
    equal "$(value corruptions | sed 's/.*"error":\([0-9.]*\).*/\1/')" "$(value error)"
    runs eval run --corrupt fog,jpeg_compression --severity 1-2 --limit 11
    contains out '^top-1 error in % of 11 images, clean [0-9.]+; [0-9]+ images/s$'
    contains out '^jpeg_compression  *[0-9.]+  *[0-9.]+  *[0-9.]+$'
}
check "eval --corrupt" on_the_fly

photographs() { # of frost, where the user has them
    mkdir -p frost tall/x
    cp h/a/x.png tall/x
    runs data corrupt tall wide --size 300 --corruption brightness --severity 1
    for f in frost1.png frost2.png frost3.png frost4.jpg frost5.jpg frost6.jpg; do cp wide/brightness/1/x/x.png frost/$f; done
    runs eval run --corrupt frost --json
    equal generated "$(value frost)"
    cp out generated
    runs eval run --corrupt frost --json --frost frost
    equal frost "$(value frost)"
    runs eval run --corrupt frost,fog --severity 1
    contains out '^frost: generated$'
    runs eval run --corrupt frost --severity 1 --frost frost
    contains out '^frost: frost$'
    runs data corrupt $val iced --corruption frost --severity 3 --limit 5 --frost frost
    equal 'iced: 5 images, each corrupted in 1 way; frost: frost' "$(cat out)"
    runs data corrupt $val grown --corruption frost --severity 3 --limit 5
    equal 'grown: 5 images, each corrupted in 1 way; frost: generated' "$(cat out)"
    ! diff -r iced grown >/dev/null || wrong "the photographs change nothing"
    fails 2 '--frost goes with --corrupt' eval run --frost frost
    rm frost/frost5.jpg
    fails 3 'frost/frost5.jpg: No such file or directory' eval run --corrupt frost --frost frost
    printf x >frost/frost5.jpg
    fails_like 3 'frost/frost5.jpg: .*' data corrupt $val no --corruption frost --frost frost
    [ ! -e no ] || wrong "it wrote something"
}
check "--frost" photographs

relative() {
    runs eval other --corrupt imagenet-c --json
    cp out other.json
    runs eval run --corrupt imagenet-c --json --relative-to other.json
    cp out a
    equal other.json "$(value relative_to)"
    runs eval run --corrupt imagenet-c --json --relative-to other
    equal "$(json mce <a)" "$(value mce)"
    json mce <a | awk '{ exit !($1 > 10 && $1 < 1000) }'
    runs eval other --corrupt imagenet-c --relative-to other.json
    contains out '^mCE relative to other.json: 100.00$'
    printf '{"result": %s}' "$(cat other.json)" >inside.json
    runs eval run --corrupt imagenet-c --json --relative-to inside.json
    equal "$(json mce <a)" "$(value mce)"
    echo '{"corruptions": {"fog": {"errors": [1, 2, -3]}}}' >bad.json
    fails 3 '--relative-to: bad.json: fog: an error of -3 %' eval run --corrupt fog --relative-to bad.json
    echo '[1' >bad.json
    fails_like 3 '--relative-to: bad.json:.*' eval run --corrupt fog --relative-to bad.json
    echo '{}' >bad.json
    fails 3 '--relative-to: bad.json: no corruptions in it; foci eval --corrupt --json writes such a file' eval run --corrupt fog --relative-to bad.json
}
check "errors relative to another model" relative

# What was corrupted on the fly and what was written out and read again is the same, where neither is cut: PNG loses nothing.
from_folders() {
    runs eval run --corrupt fog,pixelate:severity=1-2 --json --set data.crop_pct=1
    cp out fly
    runs eval run --corrupt-dir c --json --corrupt fog,pixelate:severity=1-2
    equal "$(json corruptions <fly)" "$(value corruptions)"
    equal null "$(value clean_error)"
    runs eval run --corrupt-dir c --severity 1-2 --json
    equal "$(json corruptions <fly)" "$(value corruptions)"
    fails_like 3 'c/fog/3: no such folder.*' eval run --corrupt-dir c
    mkdir -p empty
    fails 3 'empty: no corruption there (gaussian_noise/1/CLASS/IMAGE, ...)' eval run --corrupt-dir empty
    mkdir -p stranger/fog/1/nobody
    cp h/a/x.png stranger/fog/1/nobody
    fails_like 3 'stranger/fog/1: the folder nobody is none of the model.s [0-9]+ classes .*' eval run --corrupt-dir stranger --corrupt fog:severity=1
}
check "eval --corrupt-dir" from_folders

some_classes() {
    mkdir -p some
    for k in $(ls $val | head -n 2); do cp -r $val/$k some/; done
    runs eval run --val-dir $val --json
    numbers() { json top1 top5 images <out | awk '{ print $1 + 0, $2 + 0, $3 }'; }
    whole=$(numbers)
    runs eval run --json
    equal "$(numbers)" "$whole"
    runs eval run --val-dir some --json
    equal 'val_dir top1 top5 images classes' "$(json <out)"
    equal "2 100.0 $(find some -type f | wc -l | tr -d ' ')" "$(value classes) $(value top5) $(value images)"
    ls $val >classes.txt
    runs eval run --val-dir some --classes classes.txt --set data.val=gone --json
    equal 2 "$(value classes)"
    head -n 2 classes.txt >few.txt
    fails_like 3 'few.txt: names 2 classes, but the model has [0-9]+' eval run --val-dir some --classes few.txt --set model.num_classes="$(wc -l <classes.txt | tr -d ' ')"
    : >none.txt
    fails 3 'none.txt: names no class' eval run --val-dir some --classes none.txt
    printf 'a\0b\n' >zero.txt
    fails 3 'zero.txt: not a text' eval run --val-dir some --classes zero.txt
    fails_like 3 'h: the folder .* is none of .*' eval run --val-dir h
}
check "eval --val-dir counts the classes that are there" some_classes

outliers() {
    mkdir -p foreign
    for k in $(ls $val | head -n 2); do
        mkdir -p foreign/$k
        cp h/a/x.png foreign/$k/1.png
        cp h/a/x.png foreign/$k/2.png
    done
    runs eval run --ood-dir foreign --json
    equal 'ood_dir aupr auroc images in_images classes' "$(json <out)"
    equal "4 $(find some -type f | wc -l | tr -d ' ') 2" "$(value images) $(value in_images) $(value classes)"
    a=$(value aupr)
    runs eval run --ood-dir foreign --val-dir some --json
    equal "$a" "$(value aupr)"
    # the same images on both sides: chance
    runs eval run --ood-dir some --val-dir some --json
    equal '50.0 50.0' "$(value aupr) $(value auroc)"
    runs eval run --ood-dir foreign
    contains out '^foreign: AUPR [0-9.]+ %, AUROC [0-9.]+ %: 4 foreign images against [0-9]+ of the same 2 classes'
}
check "eval --ood-dir" outliers

eval_errors() {
    fails 2 '--severity, --relative-to and --seed go with --corrupt' eval run --severity 2
    fails 2 '--limit and --classes go with --corrupt, --corrupt-dir, --val-dir or --ood-dir' eval run --limit 3
    fails 2 '--corrupt-dir and --val-dir do not go together' eval run --corrupt-dir c --val-dir some
    fails 2 '--ood-dir and corruptions do not go together' eval run --ood-dir c --corrupt fog
    make_text
    runs train lm.yaml --out lm --set train.max_steps=2
    fails_like 2 '.*model.kind: lm on text has no images' eval lm --corrupt fog
}
check "what does not go together" eval_errors
finish
