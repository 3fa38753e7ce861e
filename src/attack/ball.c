/* The geometry of perturbations: balls in L-inf and L2 around an image, cut to what is a valid image. */
#include <math.h>

#include "attack/engine.h"

static double clamp(double x, double low, double high) { return x < low ? low : x > high ? high : x; }

void foci_clip_to_valid(const foci_victim *v, foci_real *y) {
    const int64_t area = v->height * v->width;
    for (int64_t c = 0; c < v->channels; c++)
        for (int64_t j = c * area; j < (c + 1) * area; j++)
            y[j] = (foci_real)clamp((double)y[j], v->units.low[c], v->units.high[c]);
}

double foci_ball_norm(foci_norm norm, int64_t n, const foci_real *x, const foci_real *y) {
    double largest = 0, square = 0;
    for (int64_t j = 0; j < n; j++) {
        double d = fabs((double)y[j] - (double)x[j]);
        if (!(d <= largest)) largest = d; /* NaN stays */
        square += d * d;
    }
    return norm == FOCI_LINF ? largest : sqrt(square);
}

void foci_ball_project(const foci_attack_job *job, int64_t slot, foci_real *y) {
    const foci_victim *v = job->victim;
    const foci_real *x = foci_clean_row(job, slot);
    const double eps = job->options->eps;
    if (job->options->norm == FOCI_LINF) {
        for (int64_t j = 0; j < v->pixels; j++)
            y[j] = (foci_real)((double)x[j] + clamp((double)y[j] - (double)x[j], -eps, eps));
    } else {
        const double norm = foci_ball_norm(FOCI_L2, v->pixels, x, y), shrink = norm > eps ? eps / norm : 1;
        for (int64_t j = 0; j < v->pixels && shrink < 1; j++)
            y[j] = (foci_real)((double)x[j] + shrink * ((double)y[j] - (double)x[j]));
    }
    foci_clip_to_valid(v, y);
}

/* Uniform in the cube [-eps, eps]; in L2, a normal vector scaled to a radius whose d-th power is uniform is uniform in
 * the ball. */
void foci_ball_start(const foci_attack_job *job, int64_t slot, foci_rng *random, foci_real *y) {
    const foci_victim *v = job->victim;
    const foci_real *x = foci_clean_row(job, slot);
    const double eps = job->options->eps;
    double square = 0;
    for (int64_t j = 0; j < v->pixels; j++) {
        double d = job->options->norm == FOCI_LINF ? eps * (2 * foci_rng_uniform(random) - 1) : foci_rng_normal(random);
        y[j] = (foci_real)d;
        square += d * d;
    }
    double scale = 1;
    if (job->options->norm == FOCI_L2)
        scale = eps * pow(foci_rng_uniform(random), 1 / (double)v->pixels) / (sqrt(square) + 1e-12);
    for (int64_t j = 0; j < v->pixels; j++) y[j] = (foci_real)((double)x[j] + scale * (double)y[j]);
    foci_clip_to_valid(v, y);
}

void foci_ball_step(const foci_attack_job *job, const foci_real *g, double length, foci_real *y) {
    const int64_t n = job->victim->pixels;
    if (job->options->norm == FOCI_LINF) {
        for (int64_t j = 0; j < n; j++) y[j] = (foci_real)((double)y[j] + length * ((g[j] > 0) - (g[j] < 0)));
        return;
    }
    double square = 0;
    for (int64_t j = 0; j < n; j++) square += (double)g[j] * (double)g[j];
    const double scale = length / (sqrt(square) + 1e-12);
    for (int64_t j = 0; j < n; j++) y[j] = (foci_real)((double)y[j] + scale * (double)g[j]);
}

/* Numbers of the size of an image's are rounded by up to 2e-7; in L2 those of all coordinates add up. */
bool foci_ball_holds(const foci_attack_job *job, int64_t slot, const foci_real *y) {
    const foci_victim *v = job->victim;
    const foci_real *x = foci_clean_row(job, slot);
    const int64_t area = v->height * v->width;
    const double eps = job->options->eps, slack = 1e-6;
    const double room = job->options->norm == FOCI_LINF ? slack : slack * (sqrt((double)v->pixels) * 0.5 + eps);
    if (!(foci_ball_norm(job->options->norm, v->pixels, x, y) <= eps + room)) return false;
    for (int64_t j = 0; j < v->pixels; j++)
        if (!((double)y[j] >= v->units.low[j / area] - slack && (double)y[j] <= v->units.high[j / area] + slack))
            return false;
    return true;
}
