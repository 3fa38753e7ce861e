/* How fast a config trains here: a step on made-up inputs of the config's shape, or on its data. */
#ifndef FOCI_TRAIN_BENCH_H
#define FOCI_TRAIN_BENCH_H

#include "config/config.h"
#include "base/group.h"
#include "train/profile.h"

typedef struct foci_times { /* ms, over the steps */
    double median, min, max;
} foci_times;

typedef struct foci_bench_result {
    foci_times step, forward, backward, update; /* the update clears the gradients, too */
    foci_times exchange, share;   /* of a batch in shards: gradients to their owners, summed up; weights to all */
    double exchange_mb, share_mb; /* that come from other processes then */
    int processes;
    foci_times data; /* that a step waits for its batch; zeros without data */
    bool reads_data;
    double items_per_s; /* images or tokens */
    double gflop_per_item;
    double gflop;               /* of a step: the products its mathematics needs, nothing that is computed twice */
    double gflops, peak_gflops; /* gflop a second; of fused multiply-adds in registers, measured in the same run */
    bool bf16;                  /* the products, and the peak */
    double mfu;                 /* gflops / peak_gflops */
    /* of memory: a = b + s c over arrays beyond the caches, all threads, in the same run */
    double bandwidth_gbs;
    /* of the operations whose roof is memory: time in a step, least traffic over time */
    double memory_bound_ms, memory_bound_gbs;
    double rss_mb;            /* resident */
    double plan_mb, state_mb; /* planned: activations and workspaces of a pass; parameters, gradients and moments */
    double allocs_per_step;   /* NAN where they cannot be counted */
    int64_t batch, steps, parameters;
    const char *items;    /* "images", "tokens" */
    foci_profile profile; /* foci_profile_free */
} foci_bench_result;

typedef struct foci_bench_options {
    int64_t steps;
    bool data;                      /* batches are read as in training; else they are made up, and model.num_classes or
                                       model.vocab stand for the data (0: 1,000 classes, 20,000 words) */
    foci_group *group;              /* of processes that make the step together; NULL: one alone */
    long long (*allocations)(void); /* made by the process so far, -1: unknown */
    const char *trace;              /* not NULL: the last step is written there as Chrome trace events */
} foci_bench_options;

foci_status foci_bench(const foci_config *config, const foci_bench_options *options, foci_bench_result *result);

#endif
