/* Rows that nobody reads are not computed. Of a classifier's last block only the class token is read (foci_narrow), so
 * its queries' attention, projection, MLP, norms and dropout are needed for that row alone.
 *
 * From the last node to the first: which rows (tokens) of its result do others read? A node whose operation makes rows
 * apart from each other (foci_op.rows) is to make only these, and reads only these of the inputs that they come from.
 * Then, from the first to the last, results become as short as that. Where a node needs some rows of a result that
 * others need more of, it gets a view of them, if it takes one, else a copy: by the operation of a selection that is in
 * the graph already, since core knows none. The random numbers of a row stay its own (foci_row_number). */
#include <stdlib.h>

#include "base/parallel.h"
#include "core/internal.h"

/* Selecting rows must spare more than it costs. */
static bool pays(foci_range rows, int64_t of) { return 2 * (rows.end - rows.first) <= of; }

typedef struct sparing {
    foci_graph *g;
    foci_range *read;       /* per tensor: rows that others read, of a root through views as well */
    bool *parted;           /* per node: of some columns of its output fewer rows are made */
    unsigned *same_rows;    /* per node that makes fewer: the inputs of which it needs the same */
    foci_tensor **selected; /* per root: a copy of some of its rows */
    const foci_op *selects; /* whatever has been recorded */
} sparing;

/* ---------------------------------------------------------------------------------------------- rows of a tensor */

/* The dimension that rows are numbered by: (B, N, C), (B, H, N, D). */
static int row_dim(const foci_tensor *t) { return t->ndim - 2; }
static int64_t rows_of(const foci_tensor *t) { return t->ndim >= 3 ? t->shape[row_dim(t)] : 1; }
static foci_range all_rows(const foci_tensor *t) { return (foci_range){0, rows_of(t)}; }

/* Has every row of a view the number that it has in the root? */
static bool keeps_rows(const foci_tensor *view) {
    const foci_tensor *root = view->base;
    return view->ndim >= 3 && root->ndim >= 3 && view->shape[0] == root->shape[0] && rows_of(view) == rows_of(root) &&
           view->stride[0] == root->stride[0] && view->stride[row_dim(view)] == root->stride[row_dim(root)] &&
           view->offset < root->stride[row_dim(root)];
}

static void make_shorter(foci_tensor *t, int64_t rows) {
    int64_t stride = 1;
    t->shape[row_dim(t)] = rows;
    for (int d = t->ndim - 1; d >= 0; stride *= t->shape[d--]) t->stride[d] = stride;
}

/* ------------------------------------------------------------------------------------------------- who reads what */

static void widen(foci_range *r, foci_range rows) {
    if (r->first == r->end) *r = rows;
    r->first = rows.first < r->first ? rows.first : r->first;
    r->end = rows.end > r->end ? rows.end : r->end;
}

static void note(sparing *s, foci_tensor *t, foci_range rows) {
    if (t->base && !keeps_rows(t)) rows = all_rows(t->base);
    widen(&s->read[t->id], rows);
    if (t->base) widen(&s->read[t->base->id], rows);
}

/* Inputs that are to be as long as the output must be rows themselves, and what stands between them and their root be
 * known. */
static bool fits(const foci_node *n, unsigned same_rows) {
    for (int k = 0; k < n->inputs; k++) {
        const foci_tensor *t = n->input[k];
        if (!(same_rows >> k & 1) || !t) continue;
        if (t->ndim < 3 || rows_of(t) != rows_of(n->output) || (t->base && (t->ndim < 4 || !keeps_rows(t))))
            return false;
    }
    return same_rows;
}

/* The inputs of which a node needs the rows alone that are read of its output; 0: it makes all. */
static unsigned spares(const sparing *s, const foci_node *n) {
    const foci_tensor *t = n->output;
    const foci_range r = s->read[t->id];
    if (!n->op->rows || t->ndim != 3 || foci_is_read_elsewhere(s->g, t)) return 0;
    if (r.first == r.end || !pays(r, rows_of(t))) return 0;
    const unsigned same = n->op->rows(n, (foci_some_rows){r.first, r.end - r.first, rows_of(t)});
    return fits(n, same) ? same : 0;
}

/* Columns that a view of heads shows of its root (B, N, C); none: it is something else. */
static foci_range columns_of(const foci_tensor *view) {
    if (!keeps_rows(view) || view->ndim != 4 || view->base->ndim != 3 || view->stride[3] != 1)
        return (foci_range){0, 0};
    return (foci_range){view->offset, view->offset + (view->shape[1] - 1) * view->stride[1] + view->shape[3]};
}

/* Of a result that is read through views, each of some columns: those of which few rows are read, where they lie at one
 * end, and these rows. */
typedef struct part {
    foci_range few, many, rows;
} part;

static bool find_part(const sparing *s, const foci_node *n, part *p) {
    const foci_graph *g = s->g;
    const foci_tensor *t = n->output;
    *p = (part){{0, 0}};
    if (!n->op->columns || t->ndim != 3 || foci_is_read_elsewhere(g, t)) return false;
    for (int id = t->id; id < g->tensors; id++) {
        const foci_tensor *view = g->tensor[id].tensor;
        const foci_range r = s->read[id];
        if (view->base != t || r.first == r.end) continue;
        const foci_range columns = columns_of(view);
        if (columns.first == columns.end) return false;
        widen(pays(r, rows_of(t)) ? &p->few : &p->many, columns);
        if (pays(r, rows_of(t))) widen(&p->rows, r);
    }
    const foci_range first = p->few.first ? p->many : p->few, second = p->few.first ? p->few : p->many;
    return pays(p->rows, rows_of(t)) && p->few.end && p->many.end && !first.first && first.end == second.first &&
           second.end == foci_last_dim(t);
}

/* Does nobody read the result but through views? */
static bool is_parted(const sparing *s, const foci_node *n) {
    part p;
    if (!find_part(s, n, &p) || !fits(n, FOCI_READS_INPUT(0))) return false;
    for (int i = n->index + 1; i < s->g->nodes; i++)
        for (int k = 0; k < s->g->node[i]->inputs; k++)
            if (s->g->node[i]->input[k] == n->output) return false;
    return true;
}

static void look(sparing *s, const foci_node *n) {
    const foci_selection *selection = n->op->selects ? n->attributes : NULL;
    const foci_range read = s->read[n->output->id];
    const unsigned same = s->same_rows[n->index] = spares(s, n);
    s->parted[n->index] = !same && is_parted(s, n);
    for (int k = 0; k < n->inputs; k++) {
        if (!n->input[k]) continue;
        if (selection) note(s, n->input[k], (foci_range){selection->first, selection->first + selection->count});
        else note(s, n->input[k], same >> k & 1 ? read : all_rows(n->input[k]));
    }
}

/* ------------------------------------------------------------------------------------------------ shorter results */

static bool append(foci_graph *g, foci_node *n) {
    if (!foci_grow(g->node, g->nodes)) return false;
    n->index = g->nodes;
    g->node[g->nodes++] = n;
    return true;
}

static foci_range within(foci_range rows, foci_range of) {
    return (foci_range){rows.first - of.first, rows.end - of.first};
}

/* The rows of a root that are there. */
static foci_range rows_made(const foci_tensor *root) {
    const foci_some_rows *r = root->producer ? &root->producer->rows : NULL;
    return r && r->of ? (foci_range){r->first, r->first + r->count} : all_rows(root);
}

static foci_tensor *copy_of_rows(const sparing *s, const foci_node *reader, foci_tensor *t, foci_range rows) {
    const foci_selection selection = {rows.first, rows.end - rows.first};
    foci_node *n = foci_record(s->g, s->selects, 1, &t, &selection, sizeof selection);
    if (!n) return NULL;
    n->layer = reader->layer;
    n->segment = reader->segment;
    return foci_emit(n, t->dtype, 3, (int64_t[]){t->shape[0], selection.count, t->shape[2]});
}

static foci_tensor *view_of_rows(foci_tensor *t, foci_range rows) {
    int64_t shape[FOCI_MAX_DIMS];
    for (int d = 0; d < t->ndim; d++) shape[d] = t->shape[d];
    shape[row_dim(t)] = rows.end - rows.first;
    return foci_view(t, rows.first * t->stride[row_dim(t)], t->ndim, shape, t->stride);
}

/* These rows of an input. */
static foci_tensor *take_rows(sparing *s, const foci_node *reader, foci_tensor *t, foci_range rows) {
    const foci_tensor *root = foci_root(t);
    const foci_range r = within(rows, rows_made(root));
    if (r.end - r.first == rows_of(t)) return t;
    if (t->base || t->ndim == 4) return view_of_rows(t, r);
    foci_tensor **copy = &s->selected[root->id];
    const foci_selection *has = *copy ? (*copy)->producer->attributes : NULL;
    if (has && has->first == r.first && has->count == r.end - r.first) return *copy;
    return *copy = copy_of_rows(s, reader, t, r);
}

/* The results of a node, and all views of them. */
static void shorten(const sparing *s, foci_node *n) {
    foci_tensor *t = n->output;
    const foci_range r = s->read[t->id];
    n->rows = (foci_some_rows){r.first, r.end - r.first, rows_of(t)};
    for (int i = 0; i < n->saves; i++)
        n->saved[i]->shape[0] = (n->saved[i]->shape[0] * n->rows.count + n->rows.of - 1) / n->rows.of;
    for (int id = 0; id < s->g->tensors; id++) {
        foci_tensor *view = s->g->tensor[id].tensor;
        if (view->base != t || !keeps_rows(view)) continue;
        view->shape[row_dim(view)] = n->rows.count;
        view->stride[0] = view->stride[0] / n->rows.of * n->rows.count;
    }
    make_shorter(t, n->rows.count);
}

/* A selection counts from the first row that is there. */
static bool select_within(const sparing *s, foci_node *n) {
    const foci_tensor *root = foci_root(n->input[0]);
    foci_selection *own = foci_graph_alloc(s->g, sizeof *own);
    if (!own) return false;
    *own = *(const foci_selection *)n->attributes;
    own->first -= rows_made(root).first;
    n->attributes = own;
    return true;
}

static foci_tensor *columns_alone(foci_node *n, foci_tensor *x, foci_range columns) {
    foci_tensor *t = n->op->columns(n, x, columns.first, columns.end - columns.first);
    if (!t) return NULL;
    t->name = t->producer->layer = n->layer;
    t->producer->segment = n->segment;
    t->producer->number = n->number;
    return t;
}

/* A view of heads becomes one of these columns, of which `first` is the first. */
static void show(foci_tensor *view, foci_tensor *columns, int64_t first) {
    view->base = columns;
    view->producer = columns->producer;
    view->offset -= first;
    view->shape[2] = columns->shape[1];
    view->stride[2] = columns->stride[1];
    view->stride[0] = columns->stride[0];
}

/* In place of one node two: one for the columns of which few rows are read, one for the others. */
static bool rebuild_parted(sparing *s, foci_node *n) {
    part p;
    find_part(s, n, &p);
    foci_tensor *x = take_rows(s, n, n->input[0], p.rows);
    foci_tensor *few = x ? columns_alone(n, x, p.few) : NULL,
                *many = few ? columns_alone(n, n->input[0], p.many) : NULL;
    if (!many) return false;
    few->producer->rows = (foci_some_rows){p.rows.first, p.rows.end - p.rows.first, rows_of(n->output)};
    for (int id = 0; id < s->g->tensors; id++) {
        foci_tensor *view = s->g->tensor[id].tensor;
        if (view->base != n->output) continue;
        const bool of_few = view->offset >= p.few.first && view->offset < p.few.end;
        show(view, of_few ? few : many, of_few ? p.few.first : p.many.first);
    }
    return true;
}

static bool rebuild(sparing *s, foci_node *n) {
    const unsigned same = s->same_rows[n->index];
    if (s->parted[n->index]) return rebuild_parted(s, n);
    if (n->op->selects && !select_within(s, n)) return false;
    for (int k = 0; k < n->inputs; k++)
        if (n->input[k] && same >> k & 1 && !(n->input[k] = take_rows(s, n, n->input[k], s->read[n->output->id])))
            return false;
    if (same) shorten(s, n);
    return append(s->g, n);
}

/* The nodes anew, with those that copy rows between them. */
static bool rebuild_all(sparing *s) {
    foci_graph *g = s->g;
    foci_node **node = g->node;
    const int nodes = g->nodes;
    bool ok = true;
    g->node = NULL;
    g->nodes = 0;
    for (int i = 0; i < nodes && ok; i++) ok = rebuild(s, node[i]);
    free(node);
    return ok;
}

bool foci_graph_spare_rows(foci_graph *g) {
    const size_t tensors = (size_t)g->tensors, nodes = (size_t)g->nodes;
    sparing s = {.g = g};
    for (int i = 0; i < g->nodes && !s.selects; i++) s.selects = g->node[i]->op->selects ? g->node[i]->op : NULL;
    if (!s.selects) return true;
    s.read = calloc(tensors, sizeof *s.read);
    s.parted = calloc(nodes, sizeof *s.parted);
    s.same_rows = calloc(nodes, sizeof *s.same_rows);
    s.selected = calloc(tensors, sizeof(foci_tensor *));
    bool ok = s.read && s.parted && s.same_rows && s.selected, any = false;
    for (int i = g->nodes - 1; i >= 0 && ok; i--) {
        look(&s, g->node[i]);
        any |= s.same_rows[i] || s.parted[i];
    }
    if (ok && any) ok = rebuild_all(&s);
    free(s.read);
    free(s.parted);
    free(s.same_rows);
    free(s.selected);
    return ok;
}
