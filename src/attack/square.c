/* Square attack (Andriushchenko et al. 2020): random search by queries alone. Each query changes a square window of the
 * image at random, to the border of the ball, and is kept where it lowers the margin; the windows shrink by a schedule.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "attack/engine.h"

static const double FIRST_SHARE = 0.8; /* p_init: of the image's area that the first windows cover */

typedef struct search {
    foci_attack_job *job;
    foci_real *trial;   /* (slots, pixels); job->adv is the best so far */
    foci_real *pattern; /* (slots, side * side): of L2 windows, side = the shorter side, at least 3 */
    foci_rng *random;   /* (slots) */
    double *margin;     /* (slots) label - best other; the image is won below 0 */
    int64_t *which, n;
    int64_t most; /* side of the largest window */
} search;

static double sign_of(foci_rng *r) { return foci_rng_u32(r) & 1 ? 1 : -1; }
/* As in AutoAttack, whose windows never reach the last row and column. */
static int64_t offset(foci_rng *r, int64_t length, int64_t window) {
    return length > window ? foci_rng_below(r, (uint32_t)(length - window)) : 0;
}

/* Side of the window of query t: its share of the area is halved at set queries, or at these shares of the budget. */
static int64_t window_side(const search *s, int64_t t) {
    static const int64_t halvings[] = {10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000};
    const foci_victim *v = s->job->victim;
    const foci_attack_options *o = s->job->options;
    const int64_t at = o->schedule == FOCI_SCHEDULE_RESCALED ? t * 10000 / o->steps : t,
                  least = o->norm == FOCI_LINF ? 1 : 3;
    double p = FIRST_SHARE;
    for (size_t i = 0; i < sizeof halvings / sizeof *halvings; i++)
        if (at > halvings[i]) p /= 2;
    int64_t side = (int64_t)lround(sqrt(p * (double)(v->height * v->width)));
    if (side < least) side = least;
    if (least > 1 && side % 2 == 0) side++;
    return side < s->most ? side : s->most;
}

/* ------------------------------------------------------------------------------------------------- L-inf */

/* Vertical stripes of one pixel's width, +eps or -eps. */
static void start_linf(const search *s, int64_t slot) {
    const foci_victim *v = s->job->victim;
    const foci_real *x = foci_clean_row(s->job, slot);
    foci_real *y = foci_row(s->job, s->trial, slot);
    for (int64_t c = 0; c < v->channels; c++)
        for (int64_t j = 0; j < v->width; j++) {
            const double d = s->job->options->eps * sign_of(&s->random[slot]);
            for (int64_t i = 0; i < v->height; i++) {
                const int64_t at = (c * v->height + i) * v->width + j;
                y[at] = (foci_real)((double)x[at] + d);
            }
        }
}

/* In the window every channel goes to one border of the cube. */
static void change_linf(const search *s, int64_t slot, int64_t side) {
    const foci_victim *v = s->job->victim;
    foci_real *y = foci_row(s->job, s->trial, slot);
    foci_rng *r = &s->random[slot];
    const int64_t top = offset(r, v->height, side), left = offset(r, v->width, side);
    for (int64_t c = 0; c < v->channels; c++) {
        const double d = 2 * s->job->options->eps * sign_of(r);
        for (int64_t i = top; i < top + side; i++)
            for (int64_t j = left; j < left + side; j++) {
                const int64_t at = (c * v->height + i) * v->width + j;
                y[at] = (foci_real)((double)y[at] + d);
            }
    }
}

/* ---------------------------------------------------------------------------------------------------- L2 */

/* Half of a pattern: rows x columns, a pyramid of nested rectangles of height 1 + 1/4 + 1/9 + ..., of norm 1. */
static void pyramid(foci_real *to, int64_t stride, int64_t rows, int64_t columns, double sign) {
    double square = 0;
    const int64_t levels = (rows > columns ? rows : columns) / 2 + 1;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            double sum = 0;
            for (int64_t l = 0; l < levels; l++)
                if (labs(i - rows / 2) <= l && labs(j - columns / 2) <= l) sum += 1 / (double)((l + 1) * (l + 1));
            to[i * stride + j] = (foci_real)sum;
            square += sum * sum;
        }
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            to[i * stride + j] = (foci_real)(sign * (double)to[i * stride + j] / sqrt(square));
}

/* side x side, of norm 1: a hill above a valley, or, as often, one beside the other. */
static void make_pattern(foci_real *p, int64_t side, foci_rng *r) {
    pyramid(p, side, side / 2, side, sqrt(0.5));
    pyramid(p + side / 2 * side, side, side - side / 2, side, -sqrt(0.5));
    if (foci_rng_u32(r) & 1) return;
    for (int64_t i = 0; i < side; i++)
        for (int64_t j = 0; j < i; j++) {
            const foci_real kept = p[i * side + j];
            p[i * side + j] = p[j * side + i];
            p[j * side + i] = kept;
        }
}

/* trial holds a perturbation: makes it the image x + eps * perturbation / its norm. */
static void finish_l2(const search *s, int64_t slot) {
    const int64_t pixels = s->job->victim->pixels;
    const foci_real *x = foci_clean_row(s->job, slot);
    foci_real *y = foci_row(s->job, s->trial, slot);
    double square = 0;
    for (int64_t j = 0; j < pixels; j++) square += (double)y[j] * (double)y[j];
    const double scale = s->job->options->eps / (sqrt(square) + 1e-12);
    for (int64_t j = 0; j < pixels; j++) y[j] = (foci_real)((double)x[j] + scale * (double)y[j]);
}

/* Patterns side by side all over the image, five of them centred along the shorter side. */
static void start_l2(const search *s, int64_t slot) {
    const foci_victim *v = s->job->victim;
    foci_real *y = foci_row(s->job, s->trial, slot), *p = s->pattern + slot * s->most * s->most;
    const int64_t side = s->most / 5 > 1 ? s->most / 5 : 1, first = s->most > 5 * side ? (s->most - 5 * side) / 2 : 0;
    memset(y, 0, (size_t)v->pixels * sizeof *y);
    for (int64_t top = first; top + side <= v->height; top += side)
        for (int64_t left = first; left + side <= v->width; left += side) {
            if (side > 1) make_pattern(p, side, &s->random[slot]);
            else p[0] = 1;
            for (int64_t c = 0; c < v->channels; c++) {
                const double sign = sign_of(&s->random[slot]);
                for (int64_t i = 0; i < side; i++)
                    for (int64_t j = 0; j < side; j++)
                        y[(c * v->height + top + i) * v->width + left + j] =
                            (foci_real)(sign * (double)p[i * side + j]);
            }
        }
    finish_l2(s, slot);
}

typedef struct window {
    int64_t top, left, side;
} window;
static bool covers(window w, int64_t i, int64_t j) {
    return i >= w.top && i < w.top + w.side && j >= w.left && j < w.left + w.side;
}

/* The squared norms of a perturbation d: of all, of what lies in either window, of each channel in the first. */
static void measure(const foci_victim *v, const foci_real *d, window to, window from, double *all, double *both,
                    double *channel) {
    *all = *both = 0;
    for (int64_t c = 0; c < v->channels; c++) {
        channel[c] = 0;
        for (int64_t i = 0; i < v->height; i++)
            for (int64_t j = 0; j < v->width; j++) {
                const double square =
                    (double)d[(c * v->height + i) * v->width + j] * (double)d[(c * v->height + i) * v->width + j];
                *all += square;
                if (covers(to, i, j)) channel[c] += square;
                if (covers(to, i, j) || covers(from, i, j)) *both += square;
            }
    }
}

/* Takes the perturbation out of one window and gives its energy, and what is left of the budget, to another: a new
 * pattern added to the direction that is there. */
static void change_l2(const search *s, int64_t slot, int64_t side) {
    const foci_victim *v = s->job->victim;
    foci_real *y = foci_row(s->job, s->trial, slot), *p = s->pattern + slot * s->most * s->most;
    const foci_real *x = foci_clean_row(s->job, slot);
    foci_rng *r = &s->random[slot];
    double all, both, channel[FOCI_MAX_CHANNELS];
    const int64_t top = offset(r, v->height, side), left = offset(r, v->width, side);
    const window to = {top, left, side};
    const int64_t top2 = offset(r, v->height, side), left2 = offset(r, v->width, side);
    const window from = {top2, left2, side};
    for (int64_t j = 0; j < v->pixels; j++) y[j] = (foci_real)((double)y[j] - (double)x[j]);
    measure(v, y, to, from, &all, &both, channel);
    make_pattern(p, side, r);
    const double eps = s->job->options->eps;
    const double energy = sqrt(fmax(eps * eps - all, 0) / (double)v->channels + both);
    for (int64_t c = 0; c < v->channels; c++) {
        const double sign = sign_of(r), old = 1 / (1e-12 + sqrt(channel[c]));
        foci_real *d = y + c * v->height * v->width;
        double square = 0;
        for (int64_t i = 0; i < side; i++)
            for (int64_t j = 0; j < side; j++) {
                foci_real *at = d + (top + i) * v->width + left + j;
                *at = (foci_real)(sign * (double)p[i * side + j] + old * (double)*at);
                square += (double)*at * (double)*at;
            }
        const double scale = energy / (1e-12 + sqrt(square));
        for (int64_t i = 0; i < v->height; i++)
            for (int64_t j = 0; j < v->width; j++) {
                if (covers(to, i, j)) d[i * v->width + j] = (foci_real)(scale * (double)d[i * v->width + j]);
                else if (covers(from, i, j)) d[i * v->width + j] = 0;
            }
    }
    finish_l2(s, slot);
}

/* ---------------------------------------------------------------------------------------------- the search */

static void propose(const search *s, int64_t slot, int64_t t) {
    const bool linf = s->job->options->norm == FOCI_LINF;
    foci_real *y = foci_row(s->job, s->trial, slot);
    if (t < 0) {
        (linf ? start_linf : start_l2)(s, slot);
    } else {
        memcpy(y, foci_row(s->job, s->job->adv, slot), (size_t)s->job->victim->pixels * sizeof *y);
        (linf ? change_linf : change_l2)(s, slot, window_side(s, t));
    }
    foci_ball_project(s->job, slot, y);
}

/* Keeps what lowers the margin. */
static void judge(search *s, bool first) {
    const foci_attack_job *job = s->job;
    const int64_t classes = job->victim->classes;
    int64_t left = 0;
    for (int64_t k = 0; k < s->n; k++) {
        const int64_t slot = s->which[k];
        const foci_real *z = job->logits + slot * classes;
        double best = -(double)INFINITY;
        for (int64_t i = 0; i < classes; i++)
            if (i != job->label[slot] && (double)z[i] > best) best = (double)z[i];
        const double margin = (double)z[job->label[slot]] - best;
        const bool won = foci_attack_won(job, slot, z);
        if (first || won || margin < s->margin[slot]) {
            s->margin[slot] = margin;
            memcpy(foci_row(job, job->adv, slot), foci_row(job, s->trial, slot),
                   (size_t)job->victim->pixels * sizeof(foci_real));
        }
        if (!won) s->which[left++] = slot;
    }
    s->n = left;
}

static foci_status run(foci_attack_job *job) {
    const foci_victim *v = job->victim;
    search s = {.job = job, .n = job->n, .most = v->height < v->width ? v->height : v->width};
    if (job->options->norm == FOCI_L2 && s.most < 3)
        return foci_fail(FOCI_ERR_CONFIG, "square: in L2 images need at least 3 x 3 pixels");
    s.trial = foci_attack_alloc(job, foci_real, job->slots * v->pixels);
    s.pattern = foci_attack_alloc(job, foci_real, job->slots * s.most * s.most);
    s.random = foci_attack_alloc(job, foci_rng, job->slots);
    s.margin = foci_attack_alloc(job, double, job->slots);
    s.which = foci_attack_alloc(job, int64_t, job->slots);
    if (!s.trial || !s.pattern || !s.random || !s.margin || !s.which) return foci_attack_out_of_memory();
    for (int64_t k = 0; k < job->n; k++) {
        s.which[k] = job->which[k];
        s.random[s.which[k]] = foci_attack_random(job, "square", s.which[k]);
    }
    for (int64_t t = -1; t < job->options->steps && s.n && !foci_victim_stopped(job->victim); t++) {
        FOCI_PARALLEL_FOR
        for (int64_t k = 0; k < s.n; k++) propose(&s, s.which[k], t);
        foci_victim_logits(job->victim, s.n, s.which, s.trial, job->logits);
        judge(&s, t < 0);
    }
    return FOCI_OK;
}

const foci_attack foci_attack_square = {.name = "square",
                                        .summary = "random search with square windows, queries only (AutoAttack)",
                                        .run = run,
                                        .standing = true,
                                        .reads = "steps restarts schedule",
                                        .steps = 5000};
