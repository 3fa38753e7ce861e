/* The table as CSV. */
#include <math.h>

#include "base/report.h"
#include "table/page.h"

static void csv_number(FILE *f, double x) {
    fputc(',', f);
    foci_csv_number(f, x, 10);
}

/* The next comparison, where it is of this figure; else fields without anything. */
static void csv_difference(const foci_grid *g, FILE *f, int row, int column, int *next) {
    const foci_comparison *x = &g->comparison[*next];
    if (*next == g->comparisons || x->row != row || x->column != column) {
        fputs(",,,,,,", f);
        return;
    }
    fputc(',', f);
    foci_csv_text(f, g->table->row[row].baseline->name);
    fprintf(f, ",%d", x->difference.n);
    csv_number(f, x->difference.mean);
    csv_number(f, x->difference.mean - x->difference.half);
    csv_number(f, x->difference.mean + x->difference.half);
    fprintf(f, ",%s", x->verdict);
    ++*next;
}

/* A line for every figure: all digits, and every seed. */
void foci_grid_csv(const foci_grid *g, FILE *f) {
    const foci_table *t = g->table;
    int next = 0;
    fputs("run,measurement,result,unit,seeds,mean,sd,rank,paper,mark,baseline,pairs,difference,low,high,verdict", f);
    for (int s = 0; s < foci_table_samples(t); s++) {
        if (t->seeds) fprintf(f, ",seed %lld", (long long)t->seed[s]);
        else fputs(",value", f);
    }
    fputc('\n', f);
    for (int row = 0; row < t->rows; row++)
        for (int c = 0; c < g->columns; c++) {
            const foci_cell *cell = foci_grid_cell(g, row, c);
            const foci_table_paper *p = foci_grid_paper(g, row, c);
            foci_csv_text(f, t->row[row].name);
            fputc(',', f);
            foci_csv_text(f, g->column[c].measure->label);
            fprintf(f, ",%s,%s,%d", g->column[c].field->name, g->column[c].field->unit, cell->n);
            csv_number(f, cell->mean);
            csv_number(f, cell->sd);
            fprintf(f, ",%s", cell->best ? "best" : cell->second ? "second" : "");
            csv_number(f, p ? p->value : (double)NAN);
            fprintf(f, ",%s", p ? p->mark : "");
            csv_difference(g, f, row, c, &next);
            for (int s = 0; s < foci_table_samples(t); s++) csv_number(f, foci_grid_value(g, row, c, s));
            fputc('\n', f);
        }
}
