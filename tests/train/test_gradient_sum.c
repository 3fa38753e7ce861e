/* The exact sum: the tree of gradient_sum.h against its definition, for every number of shards and of processes, which
 * are threads here and run the real exchange. */
#include "check.h"

#include "base/philox.h"
#include "together.h"
#include "train/gradient_sum.h"

enum { SIZE = 1 << 7, MOST_SHARDS = 40 };

static foci_real gradient[MOST_SHARDS][SIZE];

/* Numbers whose sum depends on the order of additions. */
static void fill(void) {
    for (int s = 0; s < MOST_SHARDS; s++)
        for (int i = 0; i < SIZE; i++) {
            const foci_u32x4 u = foci_philox(4, (uint64_t)s, 0, (uint64_t)i);
            gradient[s][i] = (foci_real)(foci_normal(u.v[0], u.v[1]) * (u.v[2] % 2 ? 1 : 1e4));
        }
}

/* T(first, end), as it is defined. */
static foci_real tree(int first, int end, int i) {
    int half = 1;
    if (end - first == 1) return gradient[first][i];
    while (2 * half < end - first) half *= 2;
    return tree(first, first + half, i) + tree(first + half, end, i);
}

static int64_t differing(int shards, const foci_real *sum, int64_t first, int64_t end) {
    int64_t n = 0;
    for (int64_t i = first; i < end; i++) n += sum[i] != tree(0, shards, (int)i);
    return n;
}

typedef struct run {
    int shards;
    int64_t own[MOST_TOGETHER + 1];
    int64_t wrong[MOST_TOGETHER];
} run;

static void sum_up(foci_group *g, void *context) {
    run *r = context;
    const int rank = foci_group_rank(g);
    const int64_t first = foci_group_first(g, r->shards, rank), end = foci_group_first(g, r->shards, rank + 1);
    foci_gradient_sum s;
    foci_real grad[SIZE];
    foci_set_threads(1);
    r->wrong[rank] = foci_gradient_sum_open(&s, SIZE, r->shards, g, r->own) != FOCI_OK;
    for (int step = 0; step < 2 && !r->wrong[rank]; step++) { /* the second finds what the first left */
        memset(grad, 0, sizeof grad);
        for (int64_t shard = first; shard < end; shard++) {
            for (int i = 0; i < SIZE; i++) grad[i] += gradient[shard][i]; /* as backward does */
            foci_gradient_sum_take(&s, shard, grad);
        }
        foci_gradient_sum_finish(&s, grad);
        r->wrong[rank] += differing(r->shards, grad, g ? r->own[rank] : 0, g ? r->own[rank + 1] : SIZE);
    }
    foci_gradient_sum_close(&s);
}

static void one_process_adds_as_the_tree_does(void **state) {
    (void)state;
    for (int shards = 2; shards <= MOST_SHARDS; shards++) {
        run r = {.shards = shards};
        sum_up(NULL, &r);
        if (r.wrong[0]) fail_msg("%d shards: %lld sums differ", shards, (long long)r.wrong[0]);
    }
}

static void any_number_of_processes_does(void **state) {
    (void)state;
    for (int shards = 2; shards <= MOST_SHARDS; shards++)
        for (int processes = 2; processes <= shards; processes++) {
            run r = {.shards = shards};
            for (int p = 1; p <= processes; p++) /* stretches of no one length, some of none */
                r.own[p] = p == processes ? SIZE : (p * (p + 3) * SIZE / (processes * (processes + 3))) / 8 * 8;
            work_together(processes, sum_up, &r);
            for (int p = 0; p < processes; p++)
                if (r.wrong[p])
                    fail_msg("%d shards, process %d of %d: %lld sums differ", shards, p, processes,
                             (long long)r.wrong[p]);
        }
}

static void it_needs_few_arrays(void **state) {
    (void)state;
    assert_true(foci_gradient_sum_arrays(1, 1) == 0);
    assert_true(foci_gradient_sum_arrays(64, 1) == 6);
    assert_true(foci_gradient_sum_arrays(64, 2) == 5 + 1);
    assert_true(foci_gradient_sum_arrays(64, 64) == 1);
    for (int shards = 1; shards <= 1024; shards += 31)
        for (int processes = 1; processes <= shards; processes += 7)
            assert_true(foci_gradient_sum_arrays(shards, processes) < FOCI_MOST_BLOCKS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_process_adds_as_the_tree_does),
        cmocka_unit_test(any_number_of_processes_does),
        cmocka_unit_test(it_needs_few_arrays),
    };
    fill();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
