/* Decoders as Hugging Face's library keeps them: a folder with model.safetensors and config.json. The names and axes of
 * foci's own weights of model.kind gpt are those already (models/gpt.c); what is to be said of them is here.
 *
 * GPT2LMHeadModel has LayerNorm, a table of positions and biases everywhere (zeros where the model has none);
 * LlamaForCausalLM RMS norms, rotary positions and a gate; Qwen3ForCausalLM norms of queries and keys besides. */
#ifndef FOCI_TASK_HUGGING_FACE_H
#define FOCI_TASK_HUGGING_FACE_H

#include "config/config.h"
#include "core/parameters.h"

/* Writes both files into the folder, which is made; `end_of_text`: the token that begins and ends documents, -1: none.
 * FOCI_ERR_CONFIG, with the key, where that library has no such model: other attention, sinusoids, a mixture of both
 * forms. */
foci_status foci_hugging_face_write(const foci_config *config, const foci_parameters *p, int64_t vocab,
                                    int32_t end_of_text, const char *folder);

/* Weights that a training starts from, a file with a config.json beside it: does that say the same of the model?
 * FOCI_ERR_CONFIG, with the key and both values, where it does not, or says what foci cannot do (scaled rotary
 * positions, a sliding window). Where there is no such file, or one of another model, nothing is asked. */
foci_status foci_hugging_face_check(const foci_config *config, int64_t vocab, const char *weights);

#endif
