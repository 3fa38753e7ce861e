/* A teacher (train.teacher): trained weights whose opinion of every training image is a label to learn from, as in
 * DeiT's distillation by hard labels. It sees the images as the model sees them, augmented and mixed, in evaluation
 * mode. */
#ifndef FOCI_TRAIN_TEACHER_H
#define FOCI_TRAIN_TEACHER_H

#include "core/program.h"
#include "core/safetensors.h"
#include "task/task.h"

typedef struct foci_teacher {
    char checksum[FOCI_CHECKSUM]; /* of its weights; "": there is no teacher */
    char weights[4200];           /* their file */
    foci_config *config;
    const foci_task *task;
    foci_parameters parameters;
    foci_program_set set;
    foci_program *program; /* of `batch` samples; NULL: there is no teacher */
    int64_t batch, classes;
    int32_t *label; /* (batch) */
} foci_teacher;

/* Opens what train.teacher names, if anything, for parts of `batch` samples of the task. */
foci_status foci_teacher_open(foci_teacher *t, const foci_config *config, const foci_task *task,
                              const foci_task_state *data, int64_t batch);
/* What a program is asked for besides; the request holds `feeds` then. */
void foci_teacher_ask(const foci_teacher *t, const foci_config *config, char *feeds, size_t size, foci_request *r);
/* Are its outputs those of the data, by their names? */
foci_status foci_teacher_check(const foci_teacher *t, const foci_task_state *data, const foci_meaning *meaning);
/* Does it take what the program does? */
foci_status foci_teacher_fits(const foci_teacher *t, const foci_config *config, const foci_program *p);
/* Feeds its labels of samples first .. first + batch - 1 to a program that has their images. */
foci_status foci_teacher_feed(const foci_teacher *t, const foci_task_state *data, foci_program *p, int64_t first);
double foci_teacher_flop(const foci_teacher *t);  /* of one part */
double foci_teacher_bytes(const foci_teacher *t); /* of weights and plan */
void foci_teacher_close(foci_teacher *t);

#endif
