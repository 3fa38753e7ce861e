/* An evaluation in pieces by any number of processes, which are threads here. */
#include "check.h"

#include "task/pieces.h"
#include "together.h"

typedef struct evaluation {
    int64_t count, bad; /* pieces; the one that fails, -1: none does */
    foci_status status[MOST_TOGETHER];
    double sum[MOST_TOGETHER];
    int64_t worked[MOST_TOGETHER]; /* pieces */
} evaluation;

static foci_status work(const evaluation *e, int64_t i, double *sum) {
    *sum = 1 / (double)(i + 3);
    return i == e->bad ? foci_fail(FOCI_ERR_DATA, "piece %lld", (long long)i) : FOCI_OK;
}

static void evaluate(foci_group *g, void *context) {
    evaluation *e = context;
    const int rank = foci_group_rank(g);
    foci_pieces p;
    foci_status s = foci_pieces_open(&p, g, e->count, sizeof(double));
    for (int64_t i = p.first; i < p.end && !s; i++, e->worked[rank]++)
        s = foci_pieces_meet(&p, i, work(e, i, foci_piece(&p, i)));
    s = foci_pieces_gather(&p, s);
    e->status[rank] = s;
    for (int64_t i = 0; i < p.count && !s; i++) e->sum[rank] += *(double *)foci_piece(&p, i);
    foci_pieces_close(&p);
}

static const int64_t counts[] = {0, 1, 2, 5, 17, 130, 1000};
enum { COUNTS = sizeof counts / sizeof *counts, MOST = 9 };

static void the_same_sum_by_any_number(void **state) {
    (void)state;
    for (int k = 0; k < COUNTS; k++) {
        evaluation one = {.count = counts[k], .bad = -1};
        evaluate(NULL, &one);
        for (int size = 1; size <= MOST; size++) {
            evaluation e = {.count = counts[k], .bad = -1};
            int64_t worked = 0;
            work_together(size, evaluate, &e);
            for (int r = 0; r < size; r++) {
                assert_int_equal(FOCI_OK, e.status[r]);
                assert_memory_equal(&one.sum[0], &e.sum[r], sizeof(double));
                worked += e.worked[r];
            }
            assert_int_equal(counts[k], worked);
        }
    }
}

static void one_that_fails_ends_all(void **state) {
    (void)state;
    for (int k = 1; k < COUNTS; k++)
        for (int size = 1; size <= MOST; size++)
            for (int64_t bad = 0; bad < counts[k]; bad += 1 + counts[k] / 7) {
                evaluation e = {.count = counts[k], .bad = bad};
                work_together(size, evaluate, &e);
                for (int r = 0; r < size; r++) assert_int_equal(FOCI_ERR_DATA, e.status[r]);
            }
}

static void nobody_works_on_for_nothing(void **state) {
    (void)state;
    evaluation e = {.count = 4000, .bad = 1000};
    work_together(4, evaluate, &e);
    for (int r = 0; r < 4; r++) assert_true(e.worked[r] < 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_sum_by_any_number),
        cmocka_unit_test(one_that_fails_ends_all),
        cmocka_unit_test(nobody_works_on_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
