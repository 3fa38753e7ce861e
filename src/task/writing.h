/* Texts that a language model writes: prompts in, words drawn one after another, bytes out. Prompts of one length go
 * side by side through the model; each text is what it would be alone. */
#ifndef FOCI_TASK_WRITING_H
#define FOCI_TASK_WRITING_H

#include "bpe/bpe.h"
#include "task/generator.h"
#include "task/sampling.h"
#include "text/text.h"

typedef struct foci_written {
    const char *prompt;
    int64_t number;     /* of several texts of one prompt: each has draws of its own */
    foci_ids ids;       /* of the prompt, then of what was written */
    int64_t asked;      /* ids of the prompt */
    double *logprob;    /* of each word that was written */
    char *text;         /* as it stands in a file: the prompt, and from byte `begin` on what was written */
    size_t size, begin; /* bytes */
    size_t room;
    bool over; /* it came to an end of text, or to a text to stop at, which is cut off */
} foci_written;

typedef struct foci_writing {
    const foci_vocabulary *vocabulary;
    foci_sampling sampling;
    int64_t words, at_once;                             /* to write; texts side by side */
    bool past_end;                                      /* an end of text is a word like others */
    const char *const *stop;                            /* texts to stop at, ended by NULL; NULL: none */
    void (*told)(void *context, const foci_written *t); /* after every word of a text that is alone; NULL: nobody is */
    void *context;
} foci_writing;

/* Reads the prompt. FOCI_ERR_CONFIG where a word of it is not in the vocabulary. Close it after a failure too. */
foci_status foci_written_begin(foci_written *t, const foci_writing *w, const char *prompt, int64_t number);
void foci_written_close(foci_written *t);
/* Bytes of it that no text to stop at may still take back. */
size_t foci_written_sure(const foci_written *t, const foci_writing *w);
/* All of them. `g` says nothing of rows. */
foci_status foci_write_texts(const foci_writing *w, const foci_generator_options *g, foci_parameters *p,
                             foci_written *text, int64_t count);

#endif
