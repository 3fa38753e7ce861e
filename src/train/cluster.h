/* How long a step of several processes takes: a model (docs/scale.md), not a measurement.
 *
 *     T = t ceil(S/P)/S + (ceil(S/P) - 1) 16 n / M                          gradients, and their sums in the process
 *       + 4 n (k + 1) (P - 1) / (P b) + 2 m a                               gradients to their owners, weights to all
 *       + 12 n k (P - 1) / (P M) + 28 n / (P M) + 2 log2(P) a               their sums, the update, losses and norms
 *
 * t: a step of one process; S shards, P processes; n parameters; M bandwidth of memory, b of the network, a its
 * latency; k blocks that a process sends, m = P - 1 messages. */
#ifndef FOCI_TRAIN_CLUSTER_H
#define FOCI_TRAIN_CLUSTER_H

#include "base/report.h"

typedef struct foci_cluster {
    double step_s;            /* t */
    int64_t shards;           /* S */
    double parameters;        /* n */
    double memory_bytes_s;    /* M */
    double network_bytes_s;   /* b */
    double latency_s;         /* a */
    double plan_mb, array_mb; /* activations of a pass; an array as large as the parameters */
    int moments, averages;    /* of the optimiser; kept along the way */
} foci_cluster;

/* Seconds of a step by so many processes, and megabytes that each needs. There are as many shards, or more. */
double foci_cluster_step(const foci_cluster *s, int processes);
double foci_cluster_memory(const foci_cluster *s, int processes);

#endif
