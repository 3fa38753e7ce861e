/* Tables: measurements from their texts, cells from results, and the formats. */
#include <math.h>

#include "check.h"
#include "table/table.h"

/* Rows a, b, c .., one measurement with top1, seeds as many as a row has values; NaN: not there. */
static foci_table *table_of(int rows, int seeds, const double *values, const char *spec, const char *show) {
    foci_table *t = foci_table_new("test.yaml");
    t->title = "A & B";
    t->seeds = seeds > 1 ? seeds : 0;
    for (int s = 0; s < t->seeds; s++) t->seed[s] = s;
    assert_ok(foci_table_add_measure(t, "test", "m_1", spec, &show, 1));
    for (int r = 0; r < rows; r++) {
        foci_table_row *row = foci_table_add_row(t);
        row->name = foci_arena_printf(&t->arena, "%c", 'a' + r);
        row->config = "x.yaml";
    }
    t->result = calloc((size_t)(rows * seeds), sizeof *t->result);
    for (int i = 0; i < rows * seeds; i++)
        t->result[i] = (foci_table_result){.known = isfinite(values[i]), .value = {values[i]}};
    return t;
}

static char *printed(const foci_grid *g, void (*write)(const foci_grid *g, FILE *f)) {
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    write(g, f);
    fclose(f);
    return text;
}

static void mean_and_deviation(void **state) {
    (void)state;
    foci_table *t = table_of(2, 3, (double[]){1, 2, 4, 5, 7, (double)NAN}, "val", "top1");
    foci_grid g;
    assert_ok(foci_grid_make(&g, t));
    assert_int_equal(g.columns, 1);
    assert_string_equal(foci_grid_cell(&g, 0, 0)->text, "2.33 ± 1.53"); /* sqrt((16 + 1 + 25) / 9 / 2) */
    assert_string_equal(foci_grid_cell(&g, 1, 0)->text, "6.00 ± 1.41 (2)");
    assert_int_equal(foci_grid_cell(&g, 1, 0)->n, 2);
    foci_grid_free(&g);
    foci_table_free(t);
}

/* Four rows of three seeds; values of a row are its first and what the seeds add. */
static void best_and_second(void **state) {
    (void)state;
    static const struct {
        const char *show;
        double first[4], add[4][2];
        const char *marks; /* of each row: b, s or . */
    } rows[] = {{"top1", {50, 60, 55, 40}, {{1, 2}, {1, 2}, {1, 2}, {1, 2}}, ".bs."},
                {"loss", {0.5, 0.25, 0.75, 1}, {{0, 0}, {0, 0}, {0, 0}, {0, 0}}, "sb.."},
                {"top1", {60, 60, 55, 50}, {{0, 0}, {0, 0}, {0, 0}, {0, 0}}, "...."}, /* two are best */
                {"top1", {60, 61, 50, 40}, {{9, 0}, {0, 9}, {0, 0}, {0, 0}}, "...."}, /* by chance? */
                {"top1", {90, 61, 60, 40}, {{0, 0}, {9, 0}, {0, 9}, {0, 0}}, "b..."}, /* the second by chance? */
                {"top1", {60, (double)NAN, 50, (double)NAN}, {{0}}, "b..."},          /* there is no third */
                {"parameters", {1, 2, 3, 4}, {{0}}, "...."}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double values[12];
        for (int k = 0; k < 12; k++) values[k] = rows[i].first[k / 3] + (k % 3 ? rows[i].add[k / 3][k % 3 - 1] : 0);
        foci_table *t = table_of(4, 3, values, "val", rows[i].show);
        foci_grid g;
        assert_ok(foci_grid_make(&g, t));
        for (int r = 0; r < 4; r++) {
            const foci_cell *c = foci_grid_cell(&g, r, 0);
            assert_int_equal(c->best ? 'b' : c->second ? 's' : '.', rows[i].marks[r]);
        }
        foci_grid_free(&g);
        foci_table_free(t);
    }
}

/* Each baseline and its rows by themselves. */
static void best_of_a_group(void **state) {
    (void)state;
    foci_table *t = table_of(4, 2, (double[]){50, 51, 60, 61, 90, 91, 80, 81}, "val", "top1");
    foci_grid g;
    t->row[1].baseline = &t->row[0];
    t->row[3].baseline = &t->row[2];
    assert_ok(foci_grid_make(&g, t));
    for (int r = 0; r < 4; r++) assert_int_equal(foci_grid_cell(&g, r, 0)->best, r == 1 || r == 2);
    foci_grid_free(&g);
    foci_table_free(t);
}

/* Differences 1, 2, 6: mean 3, sd sqrt(7), t(2) = 4.30265, so 3 +- 6.572; and 1, 1.5, 2: 1.5 +- 1.242. */
static void differences(void **state) {
    (void)state;
    const double none = (double)NAN;
    foci_table *t = table_of(5, 3, (double[]){10, 10, 10, 11, 12, 16, 11, 11.5, 12, 9, none, none, none, none, none},
                             "val", "top1");
    for (int r = 1; r < 5; r++) t->row[r].baseline = &t->row[0];
    foci_grid g;
    assert_ok(foci_grid_make(&g, t));
    static const struct {
        int n;
        double mean, half;
        const char *word;
    } rows[] = {{3, 3, 6.5724, "no difference seen"}, {3, 1.5, 1.24207, "better"}, {1, -1, 0, "one seed, no interval"}};
    for (int r = 0; r < 5; r++) assert_int_equal(foci_grid_cell(&g, r, 0)->best, false);
    assert_int_equal(g.comparisons, 3); /* not the baseline itself, nor what is not there */
    for (int r = 0; r < 3; r++) {
        const foci_comparison *x = &g.comparison[r];
        assert_int_equal(x->row, r + 1);
        assert_int_equal(x->difference.n, rows[r].n);
        assert_close(x->difference.mean, rows[r].mean, 1e-12);
        if (x->difference.n > 1) assert_close(x->difference.half, rows[r].half, 1e-4);
        assert_string_equal(x->verdict, rows[r].word);
    }
    static void (*const write[])(const foci_grid *g, FILE *f) = {foci_grid_markdown, foci_grid_latex, foci_grid_html,
                                                                 foci_grid_csv};
    for (size_t i = 0; i < 4; i++) {
        char *text = printed(&g, write[i]);
        assert_non_null(strstr(text, "no difference seen"));
        assert_non_null(strstr(text, i == 3 ? ",3,1.5,0.257" : "+1.50 (+15.0 "));
        if (i < 3) assert_non_null(strstr(text, "+0.26 to +2.74"));
        if (i < 3) assert_non_null(strstr(text, "Student's t"));
        assert_null(strstr(text, "nan"));
        free(text);
    }
    foci_grid_free(&g);
    foci_table_free(t);
}

static void formats(void **state) {
    (void)state;
    foci_table *t = table_of(3, 2, (double[]){50, 50, 60, 60, 55, 55}, "val", "top1");
    t->row[0].name = "x_1 | <b>";
    t->row[0].paper[t->row[0].papers++] = (foci_table_paper){"m_1", "top1", 72.5, "recalled"};
    foci_grid g;
    assert_ok(foci_grid_make(&g, t));
    static const struct {
        void (*write)(const foci_grid *g, FILE *f);
        const char *has[5];
    } rows[] = {
        {foci_grid_markdown,
         {"**60.00 ± 0.00**", "<u>55.00 ± 0.00</u>", "x\\_1 \\| \\<b\\>", "| 72.50 recalled |", "**A & B**"}},
        {foci_grid_latex,
         {"\\textbf{60.00 $\\pm$ 0.00}", "\\underline{55.00 $\\pm$ 0.00}", "x\\_1 | <b>", "& 72.50 recalled ",
          "A \\& B"}},
        {foci_grid_csv,
         {"\"b\",\"m_1\",top1,%,2,60,0,best,,,,,,,,,60,60", "\"c\",\"m_1\",top1,%,2,55,0,second,", ",72.5,recalled,"}},
        {foci_grid_html,
         {"<b>60.00 ± 0.00</b>", "<u>55.00 ± 0.00</u>", "x_1 | &lt;b&gt;", ">72.50 <small>recalled<", "A &amp; B"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = printed(&g, rows[i].write);
        for (int k = 0; k < 5 && rows[i].has[k]; k++)
            if (!strstr(text, rows[i].has[k])) fail_msg("no \"%s\" in:\n%s", rows[i].has[k], text);
        assert_null(strstr(text, "nan"));
        assert_null(strstr(text, "http"));
        free(text);
    }
    char *text = NULL;
    size_t size;
    for (int colour = 0; colour < 2; colour++) {
        FILE *f = open_memstream(&text, &size);
        foci_grid_text(&g, f, colour);
        fclose(f);
        assert_non_null(strstr(text, colour ? "\033[1m60.00 ± 0.00\033[0m" : "60.00 ± 0.00*"));
        assert_non_null(strstr(text, colour ? "\033[4m55.00 ± 0.00\033[0m" : "55.00 ± 0.00'"));
        free(text);
    }
    foci_grid_free(&g);
    foci_table_free(t);
}

static void command_of(const char *spec, const char *command) {
    foci_table *t = foci_table_new("test.yaml");
    char got[512] = "";
    assert_ok(foci_table_add_measure(t, "test", "m", spec, NULL, 0));
    for (int i = 0; i < t->measure[0].count; i++) {
        if (i) strcat(got, " ");
        strcat(got, t->measure[0].words[i]);
    }
    assert_string_equal(got, command);
    foci_table_free(t);
}

static void measurements(void **state) {
    (void)state;
    command_of("val", "eval --split val");
    command_of("test:walk=sliding", "eval --split test --walk sliding");
    command_of("pgd:eps=1/255,limit=1000,attention.reduce=median",
               "attack --method pgd --eps 1/255 --limit 1000 --set attention.reduce=median");
    command_of("word-swap:rate=0.015,walk=sliding,min=2",
               "eval --split test --walk sliding --contaminate word-swap:rate=0.015,min=2");
    command_of("corrupt:relative-to=softmax,limit=10", "eval --corrupt imagenet-c --relative-to softmax --limit 10");
    command_of("bench:steps=3", "bench --steps 3");
    static const struct {
        const char *spec, *message;
    } rows[] = {{"nothing", "there is no measurement `nothing`"},
                {"pgd", "needs eps"},
                {"pgd:steps=3", "needs eps"},
                {"val:eps=1", "has no option `eps`"},
                {"val:walk", "is not OPTION=VALUE"},
                {"", "there is no measurement ``"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        foci_table *t = foci_table_new("test.yaml");
        assert_fails(foci_table_add_measure(t, "there", "m", rows[i].spec, NULL, 0), FOCI_ERR_CONFIG, rows[i].message);
        foci_table_free(t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mean_and_deviation), cmocka_unit_test(best_and_second), cmocka_unit_test(best_of_a_group),
        cmocka_unit_test(differences),        cmocka_unit_test(formats),         cmocka_unit_test(measurements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
