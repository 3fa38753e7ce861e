/* foci: transformers trained from C.
 *
 * This header is all that a program needs which links libfoci: configs, training, and trained models at work. Those who
 * extend foci by operations, attention variants or models include plugin.h as well.
 *
 *     foci_config *config;
 *     foci_trained *model;
 *     if (foci_config_open(&config, "pets.yaml", NULL, 0)) return fail();          // fail prints foci_error_message()
 *     if (foci_train(config, &(foci_train_options){.out = "runs/pets"})) return fail();
 *     if (foci_trained_open(&model, "runs/pets", NULL)) return fail();
 *     if (foci_trained_read_image(model, "dog.jpg", image)) return fail();
 *     if (foci_trained_logits(model, image, 1, logits)) return fail();
 *
 * Functions that can fail return a status, FOCI_OK (0) where all went well, and leave one line about it in
 * foci_error_message. libfoci never exits, aborts or prints: notices go to a callback. A handle is used by one thread
 * at a time; what is computed is spread over all cores (foci_set_threads, OMP_NUM_THREADS) to the same bits. */
#ifndef FOCI_FOCI_H
#define FOCI_FOCI_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FOCI_VERSION "0.1.0"
const char *foci_version(void); /* of the library that is linked */

/* ------------------------------------------------------------------------------------ statuses, notices, threads */

/* A status is the exit code the command line gives for it. */
typedef enum foci_status {
    FOCI_OK = 0,
    FOCI_ERR_RUNTIME = 1,    /* something failed that fits no other kind */
    FOCI_ERR_CONFIG = 2,     /* usage, or a config that is wrong */
    FOCI_ERR_DATA = 3,       /* a data file that is wrong */
    FOCI_ERR_CHECKPOINT = 4, /* a weights or state file that is wrong or does not fit */
    FOCI_ERR_DIVERGED = 5,   /* loss or gradient is not finite */
    FOCI_ERR_IO = 6,         /* the disk or another device refused */
    FOCI_INTERRUPTED = 75    /* stopped when asked to; the run can be resumed */
} foci_status;

/* The message of the last failure in this thread: one line, with the file and place it is about. */
const char *foci_error_message(void);

/* Where libfoci's notices go; NULL (the default) drops them. `line` has no newline. */
typedef enum foci_log_level { FOCI_LOG_INFO, FOCI_LOG_WARN } foci_log_level;
typedef void foci_log_fn(void *context, foci_log_level level, const char *line);
void foci_set_log(foci_log_fn *fn, void *context);

/* Threads used by all operations; results do not depend on it. 0: OMP_NUM_THREADS, else one per available core. */
void foci_set_threads(int threads);
int foci_threads(void);

/* --------------------------------------------------------------------------------------------- data and configs */

/* Makes a built-in data set in a folder, as `foci data make KIND FOLDER` does: "images" (train/ and val/ of small
 * pictures in ten classes), "text", "listops" or "pathfinder". `set`: settings of the kind, "train=2000". Where the
 * same set is there already, nothing is done. FOCI_ERR_CONFIG: no such kind or setting; FOCI_ERR_IO. */
foci_status foci_make_data(const char *kind, const char *folder, const char *const *set, int sets);

/* A config: of a YAML file, of a run folder, or of text; `set`: keys that win over it, "train.lr=1e-4". Paths in a
 * config are relative to the working folder. FOCI_ERR_CONFIG for anything wrong, with file, line and column. */
typedef struct foci_config foci_config;
foci_status foci_config_open(foci_config **config, const char *file_or_run, const char *const *set, int sets);
foci_status foci_config_from_text(foci_config **config, const char *text, const char *const *set, int sets);
void foci_config_free(foci_config *config);

/* ----------------------------------------------------------------------------------------------------- training */

typedef struct foci_progress {
    int64_t step, steps, epoch, epochs; /* updates made and planned; epochs completed and planned */
    double loss, lr, items_per_s, eta;  /* mean loss since the last report; seconds left */
    double mfu;                         /* FLOP/s of forward and backward passes, as a share of the processor's peak */
    double data_wait;                   /* share of the time that steps waited for their batches, likewise */
    const char *items;                  /* "images", "tokens" */
} foci_progress;

/* Processes that were started together, by mpirun or srun, and train one model: each takes its part of every batch
 * (train.shards), to the same bits however many they are. *group is NULL where this process is alone. FOCI_ERR_CONFIG
 * where it is one of several, and has no plugin for their MPI (`make mpi`), or was started by the launcher of another
 * one. All of them call the same functions with the same arguments. */
typedef struct foci_group foci_group;
foci_status foci_group_join(foci_group **group);
void foci_group_leave(foci_group *group); /* the last word; NULL is fine */
int foci_group_rank(const foci_group *group);
int foci_group_size(const foci_group *group); /* NULL: 1 */

/* What is left 0 or NULL is not used, but for `out`, which must be given. */
typedef struct foci_train_options {
    const char *out;                   /* run folder; made where it is missing */
    const char *command;               /* for env.json */
    const char *init;                  /* weights to start from: a safetensors file */
    bool resume, force;                /* go on with the run in the folder, to the same bits; replace it */
    bool accept_changed_data;          /* go on with it although its data changed */
    bool extend;                       /* with resume: to another length (epochs, max_steps, schedule_steps) */
    foci_group *group;                 /* that this process is one of: process 0 writes the folder */
    const volatile sig_atomic_t *stop; /* not 0: finish the step or leave the evaluation, save, return
                                          FOCI_INTERRUPTED */
    volatile sig_atomic_t *save;       /* not 0: finish the step, save, go on; it is set to 0 again */
    void (*progress)(void *context, const foci_progress *p);        /* after each update */
    void (*evaluating)(void *context, int64_t done, int64_t count); /* images, or windows of text */
    void *context;
} foci_train_options;

/* Trains the model of the config on its data. The folder gets weights, metrics and the config (docs/formats.md). */
foci_status foci_train(const foci_config *config, const foci_train_options *options);

/* ----------------------------------------------------------------------------------------------- trained models */

/* The model of a run folder with its best weights (else its last), or with those of a file. The weights
 * carry the names of their classes or words; the data of the run need not be there. Of weights that carry none, the
 * validation data, or the training text, have the names. */
typedef struct foci_trained foci_trained;
foci_status foci_trained_open(foci_trained **model, const char *run, const char *weights);
void foci_trained_close(foci_trained *model); /* NULL is fine */

typedef struct foci_trained_info {
    const char *model, *task; /* "vit", "images" */
    int64_t parameters;
    int64_t classes;                 /* K: labels, or words */
    int64_t channels, height, width; /* of an image; 0: text */
    int64_t context;                 /* tokens that a language model sees at once; 0: images */
} foci_trained_info;
foci_trained_info foci_trained_about(const foci_trained *model); /* strings live as long as the model */

/* The name of class (or word) k; NULL: there is none. */
const char *foci_trained_class(const foci_trained *model, int64_t k);

/* Scores a split of the data, "val" (text also "test"): names as in metrics.jsonl, "top1" (percent), "ppl", "loss",
 * ...; *count: how many of the `room` were filled. */
typedef struct foci_figure {
    char name[32];
    double value;
} foci_figure;
foci_status foci_trained_evaluate(foci_trained *model, const char *split, foci_figure *figures, int room, int *count);

/* ------- images */

/* A JPEG or PNG file as the model's input: resized, cropped and normalised as in evaluation, (channels, height, width).
 * FOCI_ERR_DATA where it is no image. */
foci_status foci_trained_read_image(const foci_trained *model, const char *path, float *image);
/* images (n, channels, height, width) -> logits (n, K); a class's probability is the softmax over its row. */
foci_status foci_trained_logits(foci_trained *model, const float *images, int64_t n, float *logits);

/* ------- text */

/* The numbers of the words of a text, with what a text begins with before them: the first `room` of *count. Words are
 * what the text was cut into, perhaps characters or bytes: a character is
 * called by itself, or "<U+0020>" where nothing would be seen, a byte by its value, "97", a subword by a character for
 * each of its bytes, as GPT-2's vocabulary has it. FOCI_ERR_CONFIG where one is not known. */
foci_status foci_trained_words(const foci_trained *model, const char *text, int32_t *words, int64_t room,
                               int64_t *count);
/* What word k is in a text: its bytes, not ended; how many. 0: there is no such word. */
enum { FOCI_WORD_BYTES = 1024 };
size_t foci_trained_spell(const foci_trained *model, int64_t k, char text[FOCI_WORD_BYTES]);
/* Log-probabilities (K) of each word to come next after `count` words, by their numbers, at least one. Behind the end
 * of a line stands the word "<eos>". */
foci_status foci_trained_logprob(foci_trained *model, const int32_t *words, int64_t count, float *logprob);

typedef struct foci_generate_options {
    const char *prompt; /* words with blanks between, or a text of characters, bytes, subwords; NULL: it begins */
    int64_t words;      /* to make */
    double temperature; /* log-probabilities are divided by it; 0: always the likeliest word */
    int64_t top_k;      /* only so many likeliest words; 0: all */
    double top_p;       /* only the likeliest words that together reach this probability; 0: all */
    uint64_t seed;
} foci_generate_options;
/* Draws one word after another and hands each to `word`, which ends it by false; "<unk>" is never drawn.
 * FOCI_ERR_CONFIG where a word of the prompt is not known. */
foci_status foci_trained_generate(foci_trained *model, const foci_generate_options *options,
                                  bool (*word)(void *context, const char *word, double logprob), void *context);

#ifdef __cplusplus
}
#endif

#endif
