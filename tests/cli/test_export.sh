#!/bin/sh
# Decoders in the files of another library: taken in, trained on, and given back.
. "$(dirname "$0")/lib.sh"

${CC:-cc} -o decoder "$root/tests/cli/decoder.c" || exit 1
make_text >/dev/null || exit 1
cat >gpt.yaml <<'YAML'
name: small-gpt
model: {kind: gpt, context: 16, d_model: 16, depth: 2, num_heads: 2}
data: {kind: text, tokens: bytes, train: text/train.txt, valid: text/valid.txt, test: text/test.txt}
train: {batch_size: 4, epochs: 1, max_steps: 3, lr: 1.0e-2, schedule: constant, log_every: 1}
YAML
mkdir theirs
./decoder write theirs 256 # bytes
names=$(tr ',{' '\n\n' <theirs/model.safetensors | grep -ao '"transformer[^"]*"' | tr -d '"')

same_tensors() { # FILE FILE, all names but those that match
    for name in $names; do
        case $name in $3) continue ;; esac
        ./decoder bytes "$1" "$name" >first && ./decoder bytes "$2" "$name" >second
        same first second
    done
}

untouched() { # with a rate of 0 what comes out is what went in
    runs train gpt.yaml --init theirs/model.safetensors --out still --set train.lr=0
    contains err '28 of 28 parameters from theirs/model.safetensors'
    runs export still --out back
    contains out '^back: model.safetensors and config.json, of still/best.safetensors$'
    same_tensors theirs/model.safetensors back/model.safetensors none
    equal '"pt"' "$(head -c 200 back/model.safetensors | grep -ao '"format":"pt"' | cut -d: -f2)"
    tr -d '\n' <back/config.json >told
    equal "gpt2 256 16 2 2 64 16 gelu_new true" \
        "$(json model_type vocab_size n_embd n_layer n_head n_inner n_positions activation_function tie_word_embeddings <told)"
    runs eval still --json
    contains out '"bpb": *[0-9]'
    equal null "$(json eos_token_id <told)"
}
check "files of GPT-2 come back as they went in" untouched

fine_tuned() {
    runs train gpt.yaml --init theirs/model.safetensors --out tuned --set train.freeze='transformer.wpe transformer.h.0.attn'
    runs export tuned --out tuned-back
    for name in transformer.wpe.weight transformer.h.0.attn.c_attn.weight; do
        ./decoder bytes theirs/model.safetensors $name >first && ./decoder bytes tuned-back/model.safetensors $name >second
        same first second
    done
    for name in transformer.wte.weight transformer.h.1.mlp.c_fc.weight; do
        ./decoder bytes theirs/model.safetensors $name >first && ./decoder bytes tuned-back/model.safetensors $name >second
        ! cmp -s first second || wrong "$name was not trained"
    done
    runs train gpt.yaml --init tuned-back/model.safetensors --out again --set train.lr=0
    same_weights tuned/last.safetensors again/last.safetensors
}
check "a fine-tuned one is taken back" fine_tuned

without_biases() { # their GPT-2 has zeros
    runs train gpt.yaml --out bare --set model.bias=false
    runs export bare --out bare-back
    runs train gpt.yaml --init bare-back/model.safetensors --out zeros --set train.lr=0
    runs eval bare --json && json nll <out >first
    runs eval zeros --json && json nll <out >second
    same first second
}
check "biases that a model has not are zeros there" without_biases

llama() {
    set -- --set model.norm=rms --set model.position=rotary --set model.mlp=swiglu --set model.bias=false \
        --set model.num_kv_heads=1 --set model.norm_eps=1e-6
    runs train gpt.yaml --out llama "$@"
    runs export llama --out llama-back
    tr -d '\n' <llama-back/config.json >told
    equal "llama 1 8 256 1e-6 10000.0 false true" \
        "$(json model_type num_key_value_heads head_dim intermediate_size rms_norm_eps rope_theta mlp_bias tie_word_embeddings <told)"
    runs train gpt.yaml --init llama-back/model.safetensors --out llama-again "$@" --set train.lr=0
    same_weights llama/last.safetensors llama-again/last.safetensors
    runs train gpt.yaml --out qwen "$@" --set model.qk_norm=true
    runs export qwen --out qwen-back
    contains qwen-back/config.json '"model_type": "qwen3"'
}
check "Llama's form" llama

refused() {
    mkdir -p other
    cp theirs/model.safetensors other
    for change in 's/1e-05/1e-06/;model.norm_eps: is layer_norm_epsilon of 1e-5 here and 1e-6 in other/config.json' \
        's/gelu_new/relu/;model.mlp: is activation_function of "gelu_new" here and "relu" in other/config.json' \
        's/idx": false/idx": true/;other/config.json: scale_attn_by_inverse_layer_idx: foci has no such model'; do
        sed "${change%%;*}" theirs/config.json >other/config.json
        fails_like 2 ".*${change#*;}" train gpt.yaml --init other/model.safetensors --out no
    done
    echo '{' >other/config.json
    fails_like 3 'other/config.json:[0-9:]+: .*' train gpt.yaml --init other/model.safetensors --out no
    runs train gpt.yaml --out elliptical --set attention.kind=elliptical --set attention.scope=causal
    fails_like 2 '.*attention.kind: elliptical: Hugging Face.s models have the dot product alone' export elliptical --out no
    fails 2 "--out DIR: where are the files to go?" export still
    runs train gpt.yaml --out sines --set model.position=sinusoidal
    fails_like 2 '.*model.position: sinusoidal: Hugging Face.s gpt2 has learned' export sines --out no
    runs train lm.yaml --out lm --set train.max_steps=1
    fails_like 2 '.*model.kind: lm: Hugging Face.s library knows gpt.s forms alone' export lm --out no
    [ ! -e no ] || wrong "something was written"
}
check "what cannot be said there is refused" refused

padded() { # more rows than there are tokens
    mkdir -p long
    ./decoder write long 304
    fails_like 4 '.*shapes differ: transformer.wte.weight is .304, 16. in the file and .256, 16. in the model.*' \
        train gpt.yaml --init long/model.safetensors --out no
    runs train gpt.yaml --init long/model.safetensors --out short --set train.lr=0 --set model.padded_vocab=true
    runs export short --out short-back
    ./decoder bytes long/model.safetensors transformer.wte.weight | cut -c 1-$((256 * 16 * 8)) >first
    ./decoder bytes short-back/model.safetensors transformer.wte.weight >second
    same first second
}
check "rows beyond the vocabulary are left where asked" padded
finish
