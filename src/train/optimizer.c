#include "train/optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/parallel.h"
#include "kernels/kernels.h"

enum { TILE = 1 << 15 }; /* elements: parameters, gradients and moments of a tile stay in the second-level cache */

static const char *const names[] = {FOCI_OPTIMIZERS(FOCI_CHOICE_NAME)};
enum { KINDS = sizeof names / sizeof *names };

const char *foci_optimizer_name(foci_optimizer_kind kind) { return names[kind]; }

bool foci_optimizer_find(const char *name, foci_optimizer_kind *kind) {
    int i = 0;
    while (i < KINDS && strcmp(names[i], name) != 0) i++;
    *kind = (foci_optimizer_kind)i;
    return i < KINDS;
}

bool foci_decays(const foci_parameter_entry *e) { return e->ndim > 1 && !e->no_decay; }

static bool decays(const foci_optimizer_options *options, const foci_parameters *p, int entry) {
    if (!options->no_decay) return foci_decays(&p->entry[entry]);
    for (const char *const *name = options->no_decay; *name; name++)
        if (foci_parameters_find(p, *name) == entry) return false;
    return true;
}

static foci_status check_names(const foci_optimizer_options *options, const foci_parameters *p) {
    for (const char *const *name = options->no_decay; name && *name; name++)
        if (foci_parameters_find(p, *name) < 0)
            return foci_fail(FOCI_ERR_CONFIG, "weight decay: there is no parameter %s", *name);
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------- groups of rates */

/* One of "head=10 blocks.0=0.5", or of "patch_embed blocks.0", which stand for a factor of 0. */
typedef struct group {
    const char *prefix;
    size_t length;
    double factor;
} group;

/* Takes the next one off *text; false behind the last. */
static bool next_group(const char **text, bool factors, group *g) {
    *text += strspn(*text, " ");
    if (!**text) return false;
    size_t word = strcspn(*text, " ");
    const char *sign = factors ? memchr(*text, '=', word) : NULL;
    char *end = NULL;
    *g = (group){*text, sign ? (size_t)(sign - *text) : word, sign ? strtod(sign + 1, &end) : factors ? NAN : 0};
    if (sign && (end == sign + 1 || end != *text + word)) g->factor = NAN;
    *text += word;
    return true;
}

static bool within(const foci_parameters *p, int entry, const group *g) {
    if (foci_name_within(p->entry[entry].name, g->prefix, g->length)) return true;
    for (int i = 0; i < p->aliases; i++)
        if (p->alias[i].index == entry && foci_name_within(p->alias[i].name, g->prefix, g->length)) return true;
    return false;
}

/* Every group has a factor and holds a parameter. */
static foci_status check_groups(const char *key, const char *text, bool factors, const foci_parameters *p) {
    for (group g; next_group(&text, factors, &g);) {
        int length = (int)g.length, held = 0;
        if (!(isfinite(g.factor) && g.factor >= 0))
            return foci_fail(FOCI_ERR_CONFIG, "%s: `%.*s` needs a factor of 0 or more, as in head=10", key, length,
                             g.prefix);
        for (int i = 0; i < p->count; i++) held += within(p, i, &g);
        if (!held)
            return foci_fail(FOCI_ERR_CONFIG, "%s: no parameter is called `%.*s` or begins with `%.*s.`", key, length,
                             g.prefix, length, g.prefix);
    }
    return FOCI_OK;
}

/* What the learning rate of a parameter is multiplied with: 0 where it is frozen or a buffer, else the factor of the
 * longest prefix. */
static double rate_of(const foci_optimizer_options *options, const foci_parameters *p, int entry) {
    double factor = 1;
    size_t longest = 0;
    if (p->entry[entry].buffer) return 0;
    if (options->freeze && foci_parameters_within(p, entry, options->freeze)) return 0;
    const char *text = options->lr_scale;
    for (group g; text && next_group(&text, true, &g);)
        if (g.length > longest && within(p, entry, &g)) {
            longest = g.length;
            factor = g.factor;
        }
    return factor;
}

/* Tiles of the stretches of parameters that have the same decay and rate; a parameter's padding belongs to it. What has
 * no rate has no tile: neither an update nor a share in the gradient's norm. Counts only where `tile` is NULL. */
static int64_t make_tiles(foci_optimizer_tile *tile, const foci_optimizer_options *options, const foci_parameters *p) {
    int64_t tiles = 0;
    for (int i = 0, next; i < p->count; i = next) {
        bool decay = decays(options, p, i);
        double rate = rate_of(options, p, i);
        for (next = i + 1; next < p->count && decays(options, p, next) == decay && rate_of(options, p, next) == rate;)
            next++;
        if (rate == 0) continue;
        int64_t start = p->entry[i].offset, end = next < p->count ? p->entry[next].offset : p->size;
        for (int64_t first = start; first < end; first += TILE, tiles++)
            if (tile)
                tile[tiles] = (foci_optimizer_tile){first, first + TILE < end ? first + TILE : end,
                                                    decay ? options->weight_decay : 0, rate};
    }
    return tiles;
}

/* ------------------------------------------------------------------------------------------- whose tiles */

/* The first tile of process r, so that all have about as many elements. */
static int64_t first_tile_of(const foci_optimizer *o, int r) {
    int64_t all = 0, before = 0, i = 0;
    for (int64_t k = 0; k < o->tiles; k++) all += o->tile[k].end - o->tile[k].first;
    while (i < o->tiles && before < foci_group_first(o->options.group, all, r)) {
        before += o->tile[i].end - o->tile[i].first;
        i++;
    }
    return i;
}

static foci_status deal_out(foci_optimizer *o, const foci_parameters *p) {
    const int processes = foci_group_size(o->options.group), rank = foci_group_rank(o->options.group);
    o->end_tile = o->tiles;
    if (!o->options.group) return FOCI_OK;
    const size_t n = (size_t)processes + 1;
    o->own = malloc(n * sizeof *o->own);
    o->bytes = malloc(n * sizeof *o->bytes);
    o->square_bytes = malloc(n * sizeof *o->square_bytes);
    if (!o->own || !o->bytes || !o->square_bytes) return foci_out_of_memory();
    for (int r = 0; r <= processes; r++) {
        const int64_t tile = r < processes ? first_tile_of(o, r) : o->tiles;
        o->own[r] = !r ? 0 : tile < o->tiles ? o->tile[tile].first : p->size;
        o->bytes[r] = (size_t)o->own[r] * sizeof(foci_real);
        o->square_bytes[r] = (size_t)tile * sizeof *o->square;
    }
    o->first_tile = (int64_t)(o->square_bytes[rank] / sizeof *o->square);
    o->end_tile = (int64_t)(o->square_bytes[rank + 1] / sizeof *o->square);
    return FOCI_OK;
}

foci_range foci_optimizer_stretch(const foci_optimizer *o, const foci_parameters *p) {
    const int rank = foci_group_rank(o->options.group);
    return o->own ? (foci_range){o->own[rank], o->own[rank + 1]} : (foci_range){0, p->size};
}

void foci_optimizer_share(const foci_optimizer *o, foci_real *array) {
    foci_group_collect(o->options.group, array, o->bytes);
}

void foci_optimizer_gather(foci_optimizer *o) {
    foci_group_gather(o->options.group, o->m, o->bytes);
    if (o->v) foci_group_gather(o->options.group, o->v, o->bytes);
}

void foci_optimizer_scatter(foci_optimizer *o) {
    foci_group_scatter(o->options.group, o->m, o->bytes);
    if (o->v) foci_group_scatter(o->options.group, o->v, o->bytes);
}

void foci_optimizer_forget(foci_optimizer *o) {
    if (!o->own) return;
    const int rank = o->options.group->rank, processes = o->options.group->size;
    foci_real *const moment[] = {o->m, o->v};
    for (int i = 0; i < 2 && moment[i]; i++) {
        foci_large_forget(moment[i], o->bytes[rank]);
        foci_large_forget(moment[i] + o->own[rank + 1], o->bytes[processes] - o->bytes[rank + 1]);
    }
}

/* ------------------------------------------------------------------------------------- beginning and ending */

static foci_real *moments(int64_t n) { return foci_large_calloc((size_t)n * sizeof(foci_real)); }

foci_status foci_optimizer_init(foci_optimizer *o, const foci_optimizer_options *options, const foci_parameters *p) {
    *o = (foci_optimizer){.options = *options};
    o->options.no_decay = NULL;
    o->options.freeze = o->options.lr_scale = NULL;
    FOCI_TRY(check_names(options, p));
    if (options->freeze) FOCI_TRY(check_groups("train.freeze", options->freeze, false, p));
    if (options->lr_scale) FOCI_TRY(check_groups("train.lr_scale", options->lr_scale, true, p));
    o->tiles = make_tiles(NULL, options, p);
    o->tile = calloc((size_t)o->tiles + 1, sizeof *o->tile);
    o->square = calloc((size_t)o->tiles + 1, sizeof *o->square);
    o->m = moments(p->size);
    o->v = options->kind == FOCI_SGD ? NULL : moments(p->size);
    if (!o->tile || !o->square || !o->m || (!o->v && options->kind != FOCI_SGD)) {
        foci_optimizer_free(o);
        return foci_fail(FOCI_ERR_RUNTIME, "out of memory for the optimiser's moments of %lld parameters",
                         (long long)p->size);
    }
    make_tiles(o->tile, options, p);
    foci_status s = deal_out(o, p);
    if (s) foci_optimizer_free(o);
    else foci_optimizer_forget(o);
    return s;
}

void foci_optimizer_free(foci_optimizer *o) {
    free(o->tile);
    free(o->square);
    free(o->m);
    free(o->v);
    free(o->own);
    free(o->bytes);
    free(o->square_bytes);
    *o = (foci_optimizer){0};
}

/* ------------------------------------------------------------------------------------------------ updating */

static double norm(foci_optimizer *o, const foci_real *grad) {
    const foci_kernels *kernel = foci_kernel();
    FOCI_PARALLEL_FOR
    for (int64_t i = o->first_tile; i < o->end_tile; i++) {
        const foci_optimizer_tile *t = &o->tile[i];
        kernel->sum_squares(t->end - t->first, grad + t->first, &o->square[i]);
    }
    double sum = 0;
    foci_group_collect(o->options.group, o->square, o->square_bytes);
    for (int64_t i = 0; i < o->tiles; i++) sum += o->square[i];
    return sqrt(sum);
}

static void update_tile(const foci_optimizer *o, foci_parameters *p, const foci_optimizer_tile *t, double lr,
                        double grad_scale) {
    const foci_optimizer_options *a = &o->options;
    foci_real *value = p->value + t->first, *m = o->m + t->first;
    const foci_real *grad = p->grad + t->first;
    int64_t n = t->end - t->first;
    if (a->kind == FOCI_SGD) {
        foci_sgd_step step = {
            .lr = lr, .momentum = a->momentum, .decay = t->decay, .grad_scale = grad_scale, .nesterov = a->nesterov};
        foci_kernel()->sgd(n, value, grad, m, &step);
        return;
    }
    foci_adam_step step = {
        .lr = lr,
        .beta1 = a->beta1,
        .beta2 = a->beta2,
        .eps = a->eps,
        .decay = t->decay,
        .decoupled = a->kind == FOCI_ADAMW,
        .correction1 = 1 - pow(a->beta1, (double)o->updates),
        .correction2 = 1 - pow(a->beta2, (double)o->updates),
        .grad_scale = grad_scale,
    };
    foci_kernel()->adam(n, value, grad, m, o->v + t->first, &step);
}

foci_status foci_optimizer_step(foci_optimizer *o, foci_parameters *p, double lr, double *grad_norm) {
    *grad_norm = norm(o, p->grad);
    if (!isfinite(*grad_norm))
        return foci_fail(FOCI_ERR_DIVERGED, "the gradient's norm is %s after %lld updates",
                         isnan(*grad_norm) ? "not a number" : "infinite", (long long)o->updates);
    double clip = o->options.clip, grad_scale = clip > 0 ? fmin(1, clip / (*grad_norm + 1e-6)) : 1;
    o->updates++;
    FOCI_PARALLEL_FOR
    for (int64_t i = o->first_tile; i < o->end_tile; i++)
        update_tile(o, p, &o->tile[i], lr * o->tile[i].rate, grad_scale);
    return FOCI_OK;
}
