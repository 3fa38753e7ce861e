/* Optimiser updates (docs/mathematics.md 1.9): parameters, gradients and moments are read and written once. */

static void adam(int64_t n, real *restrict theta, const real *restrict grad, real *restrict m, real *restrict v,
                 const foci_adam_step *step) {
    const real beta1 = (real)step->beta1, beta2 = (real)step->beta2;
    const real rest1 = (real)(1 - step->beta1), rest2 = (real)(1 - step->beta2);
    const real scaling = (real)step->grad_scale, eps = (real)step->eps;
    const real coupled = (real)(step->decoupled ? 0 : step->decay);
    const real shrink = (real)(step->decoupled ? 1 - step->lr * step->decay : 1);
    const real rate = (real)(step->lr / step->correction1), root = (real)(1 / sqrt(step->correction2));
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        real g = grad[i] * scaling + coupled * theta[i];
        m[i] = beta1 * m[i] + rest1 * g;
        v[i] = beta2 * v[i] + rest2 * (g * g);
        theta[i] = theta[i] * shrink - rate * m[i] / (sqrt_(v[i]) * root + eps);
    }
}

static void sgd(int64_t n, real *restrict theta, const real *restrict grad, real *restrict momentum,
                const foci_sgd_step *step) {
    const real keep = (real)step->momentum, scaling = (real)step->grad_scale, decay = (real)step->decay;
    const real rate = (real)step->lr;
    if (step->nesterov) {
#pragma omp simd
        for (int64_t i = 0; i < n; i++) {
            const real g = grad[i] * scaling + decay * theta[i];
            momentum[i] = keep * momentum[i] + g;
            theta[i] -= rate * (g + keep * momentum[i]);
        }
        return;
    }
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        momentum[i] = keep * momentum[i] + (grad[i] * scaling + decay * theta[i]);
        theta[i] -= rate * momentum[i];
    }
}
