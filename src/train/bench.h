/* How fast a config trains here: a step on made-up inputs of the config's shape. */
#ifndef FOCI_TRAIN_BENCH_H
#define FOCI_TRAIN_BENCH_H

#include "config/config.h"
#include "train/profile.h"

typedef struct foci_bench_result {
    double step_ms, forward_ms, backward_ms, update_ms; /* medians */
    double step_min_ms, step_max_ms;
    double items_per_s;          /* images or tokens */
    double bandwidth_gbs;        /* of memory: a = b + s c over arrays beyond the caches, all threads */
    double gflops, peak_gflops;  /* of the step; of fused multiply-adds in registers, measured in the same run */
    bool bf16;                   /* the products, and the peak */
    double mfu;                  /* gflops / peak_gflops */
    double rss_mb, plan_mb;      /* resident; planned activations and workspaces of one pass */
    double allocs_per_step;      /* NAN where they cannot be counted */
    int64_t batch, steps, parameters;
    const char *items;           /* "images", "tokens" */
    foci_profile profile;        /* where asked for; foci_profile_free */
} foci_bench_result;

typedef struct foci_bench_options {
    int64_t steps, batch;            /* batch 0: train.batch_size */
    long long (*allocations)(void); /* made by the process so far, -1: unknown */
    const char *trace;              /* not NULL: profile as many steps again, and write the last of them there */
} foci_bench_options;

/* The data set is not read; model.num_classes or model.vocab stand for it (0: 1,000 classes, 20,000 words). */
foci_status foci_bench(const foci_config *config, const foci_bench_options *options, foci_bench_result *result);

#endif
