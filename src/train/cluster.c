#include "train/cluster.h"

#include <math.h>

#include "train/gradient_sum.h"

double foci_cluster_step(const foci_cluster *s, int processes) {
    const double p = processes, n = s->parameters, others = (p - 1) / p, own = ceil((double)s->shards / p);
    const double blocks = (double)foci_gradient_sum_blocks(s->shards, processes);
    const double gradients = s->step_s * own / (double)s->shards + (own - 1) * 16 * n / s->memory_bytes_s;
    const double moving = 4 * n * (blocks + 1) * others / s->network_bytes_s + 2 * (p - 1) * s->latency_s;
    const double updating = (12 * n * blocks * others + 28 * n / p) / s->memory_bytes_s;
    return gradients + (processes > 1 ? moving + 2 * log2(p) * s->latency_s : 0) + updating;
}

double foci_cluster_memory(const foci_cluster *s, int processes) {
    const double arrays = 2 + s->averages + (double)s->moments / processes;
    return s->plan_mb + s->array_mb * (arrays + foci_gradient_sum_arrays(s->shards, processes));
}
