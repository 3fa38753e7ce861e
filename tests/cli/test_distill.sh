#!/bin/sh
# Distillation as in DeiT: a run is the teacher of another.
. "$(dirname "$0")/lib.sh"
make_images >/dev/null
keys="--set train.max_steps=6 --set train.eval_every=3 --set train.log_every=1 --set train.ema_decay=0.9"
runs train vit.yaml --out teacher --set train.max_steps=20 >/dev/null
sed 's/drop_path: 0.1/drop_path: 0.1, distilled: true/' vit.yaml >student.yaml
taught="$keys --set train.teacher=teacher"

trains() { # with any number of threads, resumed, computed again: the same bits
    runs train student.yaml --out whole $taught --threads 1
    json loss <whole/metrics.jsonl | grep -v absent >losses
    [ "$(wc -l <losses)" -ge 6 ] && ! grep -qi 'nan\|inf' losses || wrong "losses:" "$(cat losses)"
    runs train student.yaml --out threads $taught --threads 3
    runs train student.yaml --out cut $taught --set train.max_steps=3
    runs train student.yaml --out cut $taught --resume
    runs train student.yaml --out again $taught --set train.recompute=block
    for f in last ema best; do
        for run in threads cut again; do same whole/$f.safetensors $run/$f.safetensors; done
    done
    contains whole/log.txt 'teacher: teacher/best.safetensors, checksum [0-9a-f]+'
}
check "threads, resuming and recomputing leave the bits as they are" trains
heeded() { # the teacher, its share, and mixed images
    runs train student.yaml --out labels $keys
    runs train student.yaml --out none $taught --set train.distillation_type=none
    same labels/last.safetensors none/last.safetensors
    ! cmp -s whole/last.safetensors labels/last.safetensors
    runs train student.yaml --out more $taught --set train.distillation_alpha=0.9
    ! cmp -s whole/last.safetensors more/last.safetensors
    runs train student.yaml --out mixed $taught --set data.mixup=0.8 --set data.cutmix=1 --set train.micro_batch=4
    runs train student.yaml --out mixed3 $taught --set data.mixup=0.8 --set data.cutmix=1 --set train.micro_batch=4 --threads 3
    same mixed/last.safetensors mixed3/last.safetensors
    runs train student.yaml --dry-run $taught --json
    [ "$(json mflop_teacher <out)" != absent ]
}
check "what is heeded" heeded
used() {
    runs eval whole --json
    runs attack whole --method fgsm --eps 4/255 --limit 20 --json
    runs train student.yaml --out on $keys --init whole/last.safetensors
}
check "evaluated, attacked, started from" used
another() { # teacher in the middle of a run
    runs train student.yaml --out half $taught --set train.max_steps=3
    cp -r teacher kept
    runs train vit.yaml --out teacher --set train.max_steps=8 --force
    fails_like 4 'half/state.safetensors: the run used the teacher with the checksum .*, the config says .*' train student.yaml --out half $taught --resume
    fails_like 4 'half/state.safetensors: the run used the teacher with the checksum .*, the config says none' train student.yaml --out half $keys --resume
    runs train student.yaml --out half $keys --set train.teacher=kept/best.safetensors --resume
    same half/last.safetensors whole/last.safetensors
}
check "another teacher is refused" another
refused() {
    fails_like 2 '.*model vit takes no teacher.*' train vit.yaml --out x $taught
    fails_like 4 'train.teacher nowhere: nowhere: No such file or directory' train student.yaml --out x $keys --set train.teacher=nowhere
    "$foci" data make images other --train 64 --val 40
    mv other/train/"$(ls other/train | head -n 1)" other/train/zebra
    mv other/val/"$(ls other/val | head -n 1)" other/val/zebra
    fails_like 4 '.*teacher.s classes are not those of the data.*' train student.yaml --out x $taught --set data.train=other/train --set data.val=other/val
    fails_like 2 '--set train.teacher.*: it takes images of 32 x 32, the model of 16 x 16' train student.yaml --out x $taught --set model.img_size=16
}
check "what is refused" refused
finish
