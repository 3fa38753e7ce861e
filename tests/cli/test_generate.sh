#!/bin/sh
# Several texts side by side, texts to stop at, words that were seen; of decoders of today.
. "$(dirname "$0")/lib.sh"

make_text >/dev/null || exit 1
cat >gpt.yaml <<'YAML'
name: small-gpt
model: {kind: gpt, context: 48, d_model: 32, depth: 2, num_heads: 4, num_kv_heads: 2, norm: rms, position: rotary, mlp: swiglu, bias: false}
attention: {kind: elliptical, scope: causal}
data: {kind: text, tokens: bytes, train: text/train.txt, valid: text/valid.txt}
train: {batch_size: 8, epochs: 1, max_steps: 150, lr: 5.0e-3, schedule: warmup_cosine, warmup_steps: 10, schedule_steps: 150}
YAML
"$foci" train gpt.yaml --out run >/dev/null 2>&1 || exit 1
"$foci" train lm.yaml --out lm >/dev/null 2>&1 || exit 1

alone() { # PROMPT...: each by itself, then all together in whatever batches
    model=$1
    shift
    for batch in 1 2 16; do
        all=
        for prompt; do all="$all --prompt $prompt"; done
        runs generate $model $all --samples 3 --batch $batch --tokens 30 --seed 4
        mv out together.$batch
    done
    same together.1 together.2
    same together.1 together.16
    equal "$((3 * $# - 1))" "$(grep -c '^---$' together.16)"
    runs generate $model --prompt "$1" --tokens 30 --seed 4
    head -n "$(wc -l <out)" together.16 >first
    same first out
}
check "texts side by side are what they are alone" alone run the a cat dog
check "words side by side are what they are alone" alone lm the a

from_a_file() {
    printf 'the\na b\n\nthe\n' >prompts
    runs generate run --prompts prompts --tokens 12 --seed 2 --json
    mv out file
    tr -d '\n' <file >told
    equal 4 "$(grep -o '"prompt"' told | wc -l | tr -d ' ')"
    runs generate run --prompts - --tokens 12 --seed 2 --json <prompts
    same file out
    runs generate run --prompt the --prompt "a b" --prompt "" --prompt the --tokens 12 --seed 2 --json
    same file out
    : >empty
    fails 3 "empty: has no line" generate run --prompts empty
    fails_like 3 'nowhere: .*' generate run --prompts nowhere
}
check "prompts of a file" from_a_file

stops() { # at the first of them, which is cut off
    runs generate run --prompt the --tokens 60 --seed 1
    head -n 1 out | cut -c 1-40 >line
    stop=$(cut -c 12-14 line)
    runs generate run --prompt the --tokens 60 --seed 1 --stop "$stop" --stop "$(cut -c 20-21 line)"
    whole=$(cat line)
    begin=$(printf %s "$whole" | cut -c 4-)
    cut=${begin%%"$stop"*}
    equal "the$cut" "$(cat out)"
    fails 2 "--stop: an empty text would end everything" generate run --stop ""
}
check "texts to stop at" stops

penalised() { # the likeliest words go round in circles; less so where what was seen is less likely
    runs generate lm --prompt the --tokens 40 --temperature 0 --json
    tr -d '\n' <out >told
    before=$(json words <told | tr ',' '\n' | sort -u | wc -l)
    runs generate lm --prompt the --tokens 40 --temperature 0 --repetition-penalty 3 --json
    tr -d '\n' <out >told
    after=$(json words <told | tr ',' '\n' | sort -u | wc -l)
    [ "$after" -gt "$before" ] || wrong "$after different words, $before before"
    equal 3 "$(json repetition_penalty <told | cut -c 1)"
    fails 2 '--repetition-penalty: `0.5` is out of bounds: 1 to 1000' generate lm --repetition-penalty 0.5
}
check "words that were seen are less likely" penalised

kept() { # within the window and beyond it, batches too
    runs generate run --prompt the --prompt "a b" --samples 2 --tokens 70 --seed 9
    mv out kept
    runs generate run --prompt the --prompt "a b" --samples 2 --tokens 70 --seed 9 --recompute --threads 1
    same kept out
}
check "what is kept changes nothing" kept
finish
