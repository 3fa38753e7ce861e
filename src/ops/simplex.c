#include "ops/simplex.h"

#include <math.h>
#include <string.h>

#include "kernels/kernels.h"

static const double ridge = 1e-12, least_gain = 1e-12;

typedef struct problem {
    int64_t n, free_count;
    const double *g;
    double bound, total;        /* y >= bound, sum y = total */
    double *factor;             /* (n, n), the lower triangle: of the free variables */
    double *y, *z, *one;        /* (n); z, one: solutions over the free variables, in their order */
    int64_t *variable;          /* (n): the free ones, in order */
    unsigned char *held, *vain; /* (n); vain: freed once, for nothing but rounding */
} problem;

int64_t foci_simplex_scratch(int64_t n) { return n * n + 3 * n + n + (2 * n + 7) / 8; }

static problem problem_of(int64_t n, const double *g, double beta, double *scratch) {
    problem p = {.n = n, .g = g, .bound = -beta / (double)n, .total = 1 - beta, .factor = scratch};
    p.y = p.factor + n * n, p.z = p.y + n, p.one = p.z + n;
    p.variable = (int64_t *)(p.one + n);
    p.held = (unsigned char *)(p.variable + n), p.vain = p.held + n;
    memset(p.held, 0, (size_t)(2 * n));
    return p;
}

static double dot(int64_t n, const double *a, const double *b) {
    double sum;
    foci_kernel()->double_dot(n, a, b, &sum);
    return sum;
}

/* False where what is to be factored is no positive definite matrix of numbers. */
static bool factorise(problem *p) {
    for (int64_t i = 0; i < p->free_count; i++) {
        double *row = p->factor + i * p->n;
        const double *g = p->g + p->variable[i] * p->n;
        for (int64_t j = 0; j < i; j++) {
            const double *other = p->factor + j * p->n;
            row[j] = (g[p->variable[j]] - dot(j, row, other)) / other[j];
        }
        const double pivot = g[p->variable[i]] + ridge - dot(i, row, row);
        if (!(pivot > 0) || !isfinite(pivot)) return false;
        row[i] = sqrt(pivot);
    }
    return true;
}

static void substitute(const problem *p, double *x) {
    for (int64_t i = 0; i < p->free_count; i++)
        x[i] = (x[i] - dot(i, p->factor + i * p->n, x)) / p->factor[i * p->n + i];
    for (int64_t i = p->free_count - 1; i >= 0; i--) {
        x[i] /= p->factor[i * p->n + i];
        for (int64_t j = 0; j < i; j++) x[j] -= p->factor[i * p->n + j] * x[i];
    }
}

/* z: what minimises over the free variables; *nu: the multiplier of the sum. */
static bool solve(problem *p, double *nu) {
    double sum = 0, ones = 0;
    p->free_count = 0;
    for (int64_t i = 0; i < p->n; i++)
        if (!p->held[i]) p->variable[p->free_count++] = i;
    if (!factorise(p)) return false;
    for (int64_t i = 0; i < p->free_count; i++) {
        const double *row = p->g + p->variable[i] * p->n;
        p->z[i] = 0, p->one[i] = 1;
        for (int64_t j = 0; j < p->n; j++)
            if (p->held[j]) p->z[i] -= row[j] * p->bound;
    }
    substitute(p, p->z), substitute(p, p->one);
    for (int64_t i = 0; i < p->free_count; i++) sum += p->z[i], ones += p->one[i];
    *nu = (sum + (double)(p->n - p->free_count) * p->bound - p->total) / ones;
    for (int64_t i = 0; i < p->free_count; i++) p->z[i] -= *nu * p->one[i];
    return true;
}

/* Every free variable below its bound is held; says whether there were any. (One that is left stays free.) */
static bool hold_all_below(problem *p) {
    bool any = false;
    for (int64_t i = 0; i < p->free_count; i++)
        if (p->z[i] < p->bound) p->held[p->variable[i]] = any = true;
    return any;
}

/* From y towards z until a variable meets its bound, which is held then. False: all the way. */
static bool step(problem *p) {
    int64_t first = -1;
    double length = 1;
    for (int64_t i = 0; i < p->free_count; i++) {
        const double y = p->y[p->variable[i]], down = y - p->z[i];
        if (p->z[i] >= p->bound || (first >= 0 && (y - p->bound) >= length * down)) continue;
        length = (y - p->bound) / down;
        first = i;
    }
    for (int64_t i = 0; i < p->free_count; i++) {
        double *y = p->y + p->variable[i];
        *y += length * (p->z[i] - *y);
    }
    if (first < 0) return false;
    p->y[p->variable[first]] = p->bound;
    p->held[p->variable[first]] = true;
    return true;
}

/* Frees the variable that gains most by it, and returns it; -1: none does. */
static int64_t release(problem *p, double nu) {
    int64_t best = -1;
    double gain = -least_gain;
    for (int64_t i = 0; i < p->n; i++) {
        if (!p->held[i] || p->vain[i]) continue;
        const double slope = dot(p->n, p->g + i * p->n, p->y) + nu;
        if (slope < gain) gain = slope, best = i;
    }
    if (best >= 0) p->held[best] = false;
    return best;
}

/* Did variable i, just freed, move away from its bound? If not, its gain was rounding. */
static bool moves(const problem *p, int64_t i) {
    for (int64_t k = 0; k < p->free_count; k++)
        if (p->variable[k] == i) return p->z[k] > p->bound;
    return false;
}

static void take(problem *p) {
    for (int64_t i = 0; i < p->n; i++) p->y[i] = p->bound;
    for (int64_t i = 0; i < p->free_count; i++) p->y[p->variable[i]] = p->z[i];
}

/* One change of the set: a variable is freed, and others are held until the rest settles. False: nothing gains. */
static bool improve(problem *p, double *nu, int64_t most, int64_t *solved, bool *good) {
    double new;
    const int64_t i = release(p, *nu);
    if (i < 0) return false;
    *good = solve(p, &new), ++*solved;
    if (*good && !moves(p, i)) {
        p->held[i] = p->vain[i] = true;
        return true;
    }
    while (*good && step(p) && *solved < most) *good = solve(p, &new), ++*solved;
    *nu = new;
    return true;
}

int64_t foci_simplex(int64_t n, const double *g, double beta, double *w, double *scratch) {
    const int64_t most = 10 * n + 100;
    int64_t solved = 1;
    problem p = problem_of(n, g, beta, scratch);
    double nu;
    bool good = solve(&p, &nu);
    for (; good && hold_all_below(&p); solved++) good = solve(&p, &nu); /* a good guess of those that are held */
    if (good) take(&p);
    while (good && solved < most && improve(&p, &nu, most, &solved, &good)) continue;
    for (int64_t i = 0; i < n; i++) w[i] = good ? fmax(0, p.y[i] - p.bound) : 1 / (double)n;
    return good && solved < most ? solved : -1;
}
