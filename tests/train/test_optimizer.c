/* Optimisers against the formulas written out in double, element by element. */
#include "check.h"

#include <math.h>

#include "base/philox.h"
#include "train/optimizer.h"

#define SHAPE(...) \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]) { __VA_ARGS__ }

static void make(foci_parameters *p) {
    foci_parameters_init(p);
    assert_true(foci_parameters_declare(p, "cls_token", FOCI_NORMAL(0, 1), SHAPE(1, 1, 7)) >= 0);
    assert_true(foci_parameters_declare(p, "fc.weight", FOCI_NORMAL(0, 1), SHAPE(300, 257)) >= 0);
    assert_true(foci_parameters_declare(p, "fc.bias", FOCI_NORMAL(0, 1), SHAPE(300)) >= 0);
    assert_true(foci_parameters_declare(p, "norm.weight", FOCI_NORMAL(0, 1), SHAPE(13)) >= 0);
    p->entry[0].no_decay = true;
    assert_ok(foci_parameters_alias(p, "second.weight", 1));
    assert_ok(foci_parameters_allocate(p, true));
    foci_parameters_initialise(p, 5);
}

/* A gradient that changes from update to update. */
static void fill_gradients(foci_parameters *p, int update) {
    for (int k = 0; k < p->count; k++)
        for (int64_t i = 0; i < p->entry[k].numel; i++) {
            foci_u32x4 u = foci_philox(9, (uint64_t)k, (uint64_t)update, (uint64_t)i);
            p->grad[p->entry[k].offset + i] = (foci_real)(0.1 * foci_normal(u.v[0], u.v[1]));
        }
}

typedef struct reference {
    double *x, *m, *v;
} reference;

static void reference_step(const foci_optimizer_options *a, const foci_parameters *p, reference *r, const bool *decays,
                           double lr, int t) {
    double square = 0;
    for (int64_t i = 0; i < p->size; i++) square += (double)p->grad[i] * (double)p->grad[i];
    double factor = a->clip > 0 ? fmin(1, a->clip / (sqrt(square) + 1e-6)) : 1;
    for (int k = 0; k < p->count; k++)
        for (int64_t j = 0; j < p->entry[k].numel; j++) {
            int64_t i = p->entry[k].offset + j;
            double g = factor * (double)p->grad[i], decay = decays[k] ? a->weight_decay : 0;
            if (a->kind == FOCI_ADAMW) r->x[i] *= 1 - lr * decay;
            else g += decay * r->x[i];
            if (a->kind == FOCI_SGD) {
                r->m[i] = a->momentum * r->m[i] + g;
                r->x[i] -= lr * (a->nesterov ? g + a->momentum * r->m[i] : r->m[i]);
                continue;
            }
            r->m[i] = a->beta1 * r->m[i] + (1 - a->beta1) * g;
            r->v[i] = a->beta2 * r->v[i] + (1 - a->beta2) * g * g;
            r->x[i] -= lr / (1 - pow(a->beta1, t)) * r->m[i] / (sqrt(r->v[i] / (1 - pow(a->beta2, t))) + a->eps);
        }
}

static void compare(const foci_optimizer_options *a, const bool *decays) {
    foci_parameters p;
    make(&p);
    size_t n = (size_t)p.size;
    reference r = {calloc(n, sizeof(double)), calloc(n, sizeof(double)), calloc(n, sizeof(double))};
    for (size_t i = 0; i < n; i++) r.x[i] = (double)p.value[i];
    foci_optimizer o;
    assert_ok(foci_optimizer_init(&o, a, &p));
    for (int t = 1; t <= 6; t++) {
        double lr = 0.01 * t, grad_norm;
        fill_gradients(&p, t);
        reference_step(a, &p, &r, decays, lr, t);
        assert_ok(foci_optimizer_step(&o, &p, lr, &grad_norm));
        assert_true(grad_norm > 27 && grad_norm < 29); /* 0.1 sqrt(77720) */
    }
    for (size_t i = 0; i < n; i++) assert_close(p.value[i], r.x[i], 2e-6 * fmax(1, fabs(r.x[i])));
    foci_optimizer_free(&o);
    foci_parameters_free(&p);
    free(r.x);
    free(r.m);
    free(r.v);
}

static const bool timm[4] = {false, true, false, false}, all[4] = {true, true, true, true};

static void adam(void **state) {
    (void)state;
    compare(&(foci_optimizer_options){.kind = FOCI_ADAM, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8}, timm);
    compare(
        &(foci_optimizer_options){
            .kind = FOCI_ADAM, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-3, .weight_decay = 0.3, .clip = 0.25},
        timm);
}

static void adamw(void **state) {
    (void)state;
    compare(
        &(foci_optimizer_options){.kind = FOCI_ADAMW, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 0.05},
        timm);
    compare(
        &(foci_optimizer_options){
            .kind = FOCI_ADAMW, .beta1 = 0.9, .beta2 = 0.98, .eps = 1e-6, .weight_decay = 2, .clip = 1e9},
        timm);
}

static void sgd(void **state) {
    (void)state;
    compare(&(foci_optimizer_options){.kind = FOCI_SGD}, timm);
    foci_optimizer_options o = {.kind = FOCI_SGD, .momentum = 0.9, .weight_decay = 0.1, .clip = 1};
    compare(&o, timm);
    o.nesterov = true;
    compare(&o, timm);
}

static void named_parameters_do_not_decay(void **state) {
    (void)state;
    foci_optimizer_options a = {.kind = FOCI_ADAMW, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 1};
    a.no_decay = (const char *const[]){NULL};
    compare(&a, all);
    a.no_decay = (const char *const[]){"fc.bias", "second.weight", NULL};
    compare(&a, (bool[]){true, false, false, true});
    foci_parameters p;
    make(&p);
    foci_optimizer o;
    a.no_decay = (const char *const[]){"fc.bias", "fc.wieght", NULL};
    assert_fails(foci_optimizer_init(&o, &a, &p), FOCI_ERR_CONFIG, "there is no parameter fc.wieght");
    foci_parameters_free(&p);
}

static void rates_by_name(void **state) {
    (void)state;
    foci_optimizer_options plain = {.kind = FOCI_ADAMW, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 0.5},
                           some = plain;
    some.freeze = " norm  cls_token";
    some.lr_scale = "fc=0.5 fc.bias=3 cls_token=7";
    foci_parameters p[3];
    foci_optimizer o[3];
    const foci_optimizer_options *of[3] = {&plain, &some, &plain};
    for (int i = 0; i < 3; i++) {
        make(&p[i]);
        assert_ok(foci_optimizer_init(&o[i], of[i], &p[i]));
    }
    for (int t = 1; t <= 3; t++) {
        double norm, whole;
        for (int i = 0; i < 3; i++) fill_gradients(&p[i], t);
        /* weights at the rate 0.5 * 0.02, biases at 3 * 0.02 */
        assert_ok(foci_optimizer_step(&o[0], &p[0], 0.01, &whole));
        assert_ok(foci_optimizer_step(&o[2], &p[2], 0.06, &whole));
        assert_ok(foci_optimizer_step(&o[1], &p[1], 0.02, &norm));
        assert_true(norm < whole); /* what is frozen has no share in it */
    }
    foci_parameters fresh;
    make(&fresh);
    for (int k = 0; k < 4; k++) {
        /* cls_token, fc.weight, fc.bias, norm.weight */
        const foci_parameters *expected = k == 1 ? &p[0] : k == 2 ? &p[2] : &fresh;
        const foci_parameter_entry *e = &fresh.entry[k];
        for (int64_t i = e->offset; i < e->offset + e->numel; i++)
            assert_close(p[1].value[i], expected->value[i], k == 1 || k == 2 ? 1e-6 : 0);
    }
    foci_optimizer_free(&o[1]);
    some.freeze = "f";
    assert_fails(foci_optimizer_init(&o[1], &some, &fresh), FOCI_ERR_CONFIG,
                 "train.freeze: no parameter is called `f` or begins with `f.`");
    some.freeze = "second"; /* a second name */
    some.lr_scale = "fc.bias";
    assert_fails(foci_optimizer_init(&o[1], &some, &fresh), FOCI_ERR_CONFIG,
                 "train.lr_scale: `fc.bias` needs a factor of 0 or more");
    for (const char *const *wrong = (const char *const[]){"fc=", "fc=-1", "fc=1x", "fc=nan", "=1", "fc=1 x=2", NULL};
         *wrong; wrong++) {
        some.lr_scale = *wrong;
        assert_fails(foci_optimizer_init(&o[1], &some, &fresh), FOCI_ERR_CONFIG, "train.lr_scale: ");
    }
    for (int i = 0; i < 3; i++) foci_parameters_free(&p[i]);
    foci_optimizer_free(&o[0]);
    foci_optimizer_free(&o[2]);
    foci_parameters_free(&fresh);
}

static void stops_before_an_update_that_is_not_finite(void **state) {
    (void)state;
    foci_parameters p;
    foci_optimizer o;
    make(&p);
    assert_ok(foci_optimizer_init(
        &o, &(foci_optimizer_options){.kind = FOCI_ADAM, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8}, &p));
    fill_gradients(&p, 1);
    p.grad[400] = (foci_real)NAN;
    foci_real before = p.value[500];
    double grad_norm;
    assert_fails(foci_optimizer_step(&o, &p, 1, &grad_norm), FOCI_ERR_DIVERGED, "not a number after 0 updates");
    assert_true(isnan(grad_norm));
    assert_true(p.value[500] == before);
    assert_int_equal(o.updates, 0);
    p.grad[400] = (foci_real)INFINITY;
    assert_fails(foci_optimizer_step(&o, &p, 1, &grad_norm), FOCI_ERR_DIVERGED, "infinite");
    foci_optimizer_free(&o);
    foci_parameters_free(&p);
}

static void any_number_of_threads_gives_the_same_bits(void **state) {
    (void)state;
    foci_parameters p[2];
    for (int i = 0; i < 2; i++) {
        foci_optimizer o;
        double grad_norm;
        foci_set_threads(1 + 3 * i);
        make(&p[i]);
        assert_ok(foci_optimizer_init(
            &o, &(foci_optimizer_options){.kind = FOCI_ADAMW, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .clip = 0.5},
            &p[i]));
        for (int t = 1; t <= 3; t++) {
            fill_gradients(&p[i], t);
            assert_ok(foci_optimizer_step(&o, &p[i], 0.1, &grad_norm));
        }
        foci_optimizer_free(&o);
    }
    foci_set_threads(0);
    assert_memory_equal(p[0].value, p[1].value, (size_t)p[0].size * sizeof(foci_real));
    for (int64_t i = 7; i < p[0].entry[1].offset; i++) assert_true(p[0].value[i] == 0); /* padding stays zero */
    foci_parameters_free(&p[0]);
    foci_parameters_free(&p[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adam),
        cmocka_unit_test(adamw),
        cmocka_unit_test(sgd),
        cmocka_unit_test(named_parameters_do_not_decay),
        cmocka_unit_test(rates_by_name),
        cmocka_unit_test(stops_before_an_update_that_is_not_finite),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
