/* Weights files and parameters: what fits is loaded, what does not is listed. */
#include "check.h"

#include <math.h>

#include "core/load.h"

static char path[512];
static char notice[512];

static void keep_notice(void *context, foci_log_level level, const char *line) {
    (void)context;
    (void)level;
    snprintf(notice, sizeof notice, "%s", line);
}

static int set_up(void **state) {
    (void)state;
    snprintf(path, sizeof path, "%s/w.safetensors", temporary_folder());
    foci_set_log(keep_notice, NULL);
    return 0;
}

static void declare(foci_parameters *p, const char *name, int ndim, const int64_t *shape) {
    assert_true(foci_parameters_declare(p, name, FOCI_NORMAL(0, 1), ndim, shape) >= 0);
}

#define SHAPE(...) \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]) { __VA_ARGS__ }

/* emb (5, 3), tied to out; bias (5); pos_embed of a `side` x `side` grid. */
static void make_model(foci_parameters *p, int64_t side, uint64_t seed) {
    foci_parameters_init(p);
    declare(p, "emb.weight", SHAPE(5, 3));
    declare(p, "out.bias", SHAPE(5));
    declare(p, "pos_embed", SHAPE(1, 1 + side * side, 2));
    p->entry[2].columns = side;
    p->entry[2].leading = 1;
    p->entry[2].resizing = FOCI_GRID_CUBIC;
    assert_ok(foci_parameters_alias(p, "out.weight", 0));
    assert_ok(foci_parameters_alias(p, "inv_freq", -1));
    assert_ok(foci_parameters_allocate(p, false));
    foci_parameters_initialise(p, seed);
}

static foci_safetensor_item own_item(const foci_parameters *p, int k, const char *name) {
    const foci_parameter_entry *e = &p->entry[k];
    return (foci_safetensor_item){name, e->ndim, e->shape, p->value + e->offset};
}

static void saves_and_loads(void **state) {
    (void)state;
    foci_parameters a, b;
    make_model(&a, 2, 1);
    make_model(&b, 2, 2);
    assert_memory_not_equal(a.value, b.value, (size_t)a.size * sizeof *a.value);
    foci_text_pair note = {"model", "test"};
    assert_ok(foci_save_weights(&a, path, &note, 1));
    assert_ok(foci_load_weights(&b, path));
    for (int64_t i = 0; i < a.size; i++) assert_true((float)a.value[i] == (float)b.value[i]);
    foci_parameters_free(&a);
    foci_parameters_free(&b);
}

static void takes_second_names_and_prefixes(void **state) {
    (void)state;
    foci_parameters a, b;
    make_model(&a, 2, 1);
    make_model(&b, 2, 2);
    static const foci_real frequencies[2] = {1, 2};
    foci_safetensor_item item[] = {own_item(&a, 0, "module.out.weight"),
                                   own_item(&a, 0, "module.emb.weight"),
                                   own_item(&a, 1, "module.out.bias"),
                                   own_item(&a, 2, "module.pos_embed"),
                                   {"module.inv_freq", SHAPE(2), frequencies}};
    assert_ok(foci_safetensors_write(path, item, 5, NULL, 0));
    assert_ok(foci_load_weights(&b, path));
    for (int64_t i = 0; i < a.size; i++) assert_true((float)a.value[i] == (float)b.value[i]);
    item[1].name = "emb.weight"; /* no longer every name has the prefix */
    assert_ok(foci_safetensors_write(path, item, 5, NULL, 0));
    assert_fails(foci_load_weights(&b, path), FOCI_ERR_CHECKPOINT, "unexpected: module.inv_freq, module.out.bias");
    foci_parameters_free(&a);
    foci_parameters_free(&b);
}

/* w (2, 3), stored (3, 2); square (2, 2), likewise; q (4, 2) of two heads, interleaved under its other name. */
static void make_decoder(foci_parameters *p, uint64_t seed) {
    foci_parameters_init(p);
    declare(p, "w", SHAPE(2, 3));
    declare(p, "square", SHAPE(2, 2));
    declare(p, "q", SHAPE(8, 1));
    p->entry[0].transposed = p->entry[1].transposed = true;
    assert_ok(foci_parameters_alias_interleaved(p, "wq", 2, 2));
    assert_ok(foci_parameters_allocate(p, false));
    foci_parameters_initialise(p, seed);
}

static void files_may_have_transposes(void **state) {
    (void)state;
    foci_parameters a, b;
    foci_safetensors f;
    make_decoder(&a, 1);
    make_decoder(&b, 2);
    assert_ok(foci_save_weights(&a, path, NULL, 0));
    assert_ok(foci_safetensors_open(&f, path));
    const foci_safetensor *w = foci_safetensors_find(&f, "w");
    foci_real stored[6];
    assert_true(w->shape[0] == 3 && w->shape[1] == 2);
    assert_ok(foci_safetensors_reals(&f, w, 0, 6, stored));
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++) assert_true((float)stored[j * 2 + i] == (float)a.value[i * 3 + j]);
    foci_safetensors_close(&f);
    assert_ok(foci_load_weights(&b, path));
    for (int64_t i = 0; i < a.size; i++) assert_true((float)a.value[i] == (float)b.value[i]);
    foci_parameters_free(&a);
    foci_parameters_free(&b);
}

/* The file of others: one matrix tells for all; where none does, the model must. */
static void axes_are_told_by_shapes(void **state) {
    (void)state;
    foci_parameters a, b;
    make_decoder(&a, 1);
    make_decoder(&b, 2);
    foci_safetensor_item item[] = {own_item(&a, 0, "_orig_mod.module.w"), own_item(&a, 1, "_orig_mod.module.square"),
                                   own_item(&a, 2, "_orig_mod.module.q")};
    assert_ok(foci_safetensors_write(path, item, 3, NULL, 0)); /* as they are here, not transposed */
    assert_ok(foci_load_weights(&b, path));
    for (int64_t i = 0; i < a.size; i++) assert_true((float)a.value[i] == (float)b.value[i]);
    for (int i = 0; i < 2; i++) b.entry[i].axes = FOCI_AXES_IN_OUT;
    assert_fails(foci_load_weights(&b, path), FOCI_ERR_CHECKPOINT,
                 "_orig_mod.module.w is (2, 3) in the file and (3, 2) in the model");
    foci_parameters_free(&a);
    foci_parameters_free(&b);
}

static void rows_of_heads_may_be_interleaved(void **state) {
    (void)state;
    foci_parameters a, b;
    make_decoder(&a, 1);
    make_decoder(&b, 2);
    static const int there[8] = {0, 2, 1, 3, 4, 6, 5, 7}; /* halves 0 1 | 2 3 of a head stand as 0 2 1 3 */
    foci_real q[8];
    for (int i = 0; i < 8; i++) q[i] = a.value[a.entry[2].offset + there[i]];
    foci_safetensor_item item[] = {own_item(&a, 0, "w"), own_item(&a, 1, "square"), {"wq", SHAPE(8, 1), q}};
    assert_ok(foci_safetensors_write(path, item, 3, NULL, 0));
    assert_ok(foci_load_weights(&b, path));
    for (int64_t i = 0; i < a.size; i++) assert_true((float)a.value[i] == (float)b.value[i]);
    foci_parameters_free(&a);
    foci_parameters_free(&b);
}

static void refuses_tied_tensors_that_differ(void **state) {
    (void)state;
    foci_parameters a;
    make_model(&a, 2, 1);
    foci_real other[15] = {0};
    foci_safetensor_item item[] = {own_item(&a, 0, "emb.weight"),
                                   own_item(&a, 1, "out.bias"),
                                   own_item(&a, 2, "pos_embed"),
                                   {"out.weight", SHAPE(5, 3), other}};
    assert_ok(foci_safetensors_write(path, item, 4, NULL, 0));
    assert_fails(foci_load_weights(&a, path), FOCI_ERR_CHECKPOINT,
                 "tied here, but different in the file: emb.weight and out.weight");
    foci_parameters_free(&a);
}

static void lists_everything_that_does_not_fit(void **state) {
    (void)state;
    foci_parameters a, many;
    make_model(&a, 2, 1);
    foci_safetensor_item item[] = {
        {"emb.weight", SHAPE(3, 5), a.value}, {"head.bias", SHAPE(2), a.value}, {"zebra", SHAPE(1), a.value}};
    assert_ok(foci_safetensors_write(path, item, 3, NULL, 0));
    foci_real before = a.value[0];
    assert_fails(foci_load_weights(&a, path), FOCI_ERR_CHECKPOINT,
                 "does not fit the model; missing: out.bias, pos_embed; unexpected: head.bias, zebra; "
                 "shapes differ: emb.weight is (3, 5) in the file and (5, 3) in the model");
    assert_true(a.value[0] == before);

    foci_parameters_init(&many);
    char name[32];
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "p%02d", i);
        declare(&many, name, SHAPE(2));
    }
    assert_ok(foci_parameters_allocate(&many, false));
    assert_fails(foci_load_weights(&many, path), FOCI_ERR_CHECKPOINT, "missing: p00, p01");
    assert_non_null(strstr(foci_error_message(), "p19 and 30 more"));
    foci_parameters_free(&a);
    foci_parameters_free(&many);
}

/* Expected: torch.nn.functional.interpolate(mode="bicubic", align_corners=False), worked out by hand for a
 * ramp and from the kernel's weights for 2 -> 3. */
static void resizes_position_tables(void **state) {
    (void)state;
    foci_parameters a, b;
    make_model(&a, 2, 1);
    make_model(&b, 3, 2);
    foci_real *from = a.value + a.entry[2].offset;
    const foci_real table[10] = {9, 8, 0, 1, 4,
                                 1, 0, 1, 4, 1}; /* class token, then columns 0 and 4; second channel 1 */
    memcpy(from, table, sizeof table);
    assert_ok(foci_save_weights(&a, path, NULL, 0));
    notice[0] = 0;
    assert_ok(foci_load_weights(&b, path));
    assert_non_null(strstr(notice, "pos_embed resized from 2x2 to 3x3 patches"));
    const foci_real *to = b.value + b.entry[2].offset;
    assert_close(to[0], 9, 0);
    assert_close(to[1], 8, 0);
    /* Column 0 of 3 lies at -1/6: t = 5/6 from column -1 (clamped: 0, 0, 0, 4), the last weight is that of d
     * = 7/6. */
    double d = 7.0 / 6, outer = ((-0.75 * d + 3.75) * d - 6) * d + 3;
    for (int row = 0; row < 3; row++) {
        const foci_real *r = to + 2 + row * 6;
        assert_close(r[0], 4 * outer, 1e-6);
        assert_close(r[2], 2, 1e-6);
        assert_close(r[4], 4 - 4 * outer, 1e-6);
        for (int c = 0; c < 3; c++) assert_close(r[2 * c + 1], 1, 1e-6);
    }
    foci_parameters_free(&a);
    foci_parameters_free(&b);
}

/* Expected: torch.nn.functional.interpolate(mode="bicubic", antialias=True), from its kernel (a = -0.5, twice as wide,
 * cut off at the border) by hand: a ramp along y and another along x, 4 -> 2. */
static void shrinks_antialiased(void **state) {
    (void)state;
    /* cell 0 has its centre at 1: distances of 0.25, 0.25, 0.75 and 1.25 widths */
    static const double kernel[] = {0.8671875, 0.8671875, 0.2265625, -0.0703125};
    foci_real from[2 * 17] = {5, 6}, to[2 * 5];
    double near = 0, sum = 0;
    for (int k = 0; k < 4; k++) {
        near += k * kernel[k];
        sum += kernel[k];
    }
    near /= sum;
    for (int cell = 0; cell < 16; cell++) {
        from[2 + 2 * cell] = (foci_real)(cell / 4);
        from[3 + 2 * cell] = (foci_real)(cell % 4);
    }
    assert_ok(foci_resize_positions(from, 1, (foci_grid){4, 4}, to, (foci_grid){2, 2}, 2, FOCI_GRID_ANTIALIASED));
    assert_close(to[0], 5, 0);
    assert_close(to[1], 6, 0);
    for (int cell = 0; cell < 4; cell++) {
        assert_close(to[2 + 2 * cell], cell / 2 ? 3 - near : near, 1e-6);
        assert_close(to[3 + 2 * cell], cell % 2 ? 3 - near : near, 1e-6);
    }
}

/* The same kernel, not widened: 2 -> 3 as 2 cells at distances of 1/6 and 7/6. */
static void grows_by_the_same_kernel(void **state) {
    (void)state;
    const foci_real from[] = {0, 4, 0, 4};
    foci_real to[9];
    assert_ok(foci_resize_positions(from, 0, (foci_grid){2, 2}, to, (foci_grid){3, 3}, 1, FOCI_GRID_ANTIALIASED));
    const double d = 1.0 / 6, e = 7.0 / 6, near = (1.5 * d - 2.5) * d * d + 1, far = ((-0.5 * e + 2.5) * e - 4) * e + 2;
    for (int row = 0; row < 3; row++) {
        assert_close(to[3 * row], 4 * far / (near + far), 1e-6);
        assert_close(to[3 * row + 1], 2, 1e-6);
        assert_close(to[3 * row + 2], 4 * near / (near + far), 1e-6);
    }
}

/* torch.nn.functional.interpolate(mode="bilinear"), by hand: 2 x 2 -> 2 x 4, columns at 0, 1/4, 3/4 and 1. */
static void blends_two_neighbours(void **state) {
    (void)state;
    const foci_real from[] = {9, 0, 4, 8, 12};
    const foci_real expected[] = {9, 0, 1, 3, 4, 8, 9, 11, 12};
    foci_real to[9];
    assert_ok(foci_resize_positions(from, 1, (foci_grid){2, 2}, to, (foci_grid){2, 4}, 1, FOCI_GRID_BILINEAR));
    for (int i = 0; i < 9; i++) assert_close(to[i], expected[i], 1e-6);
}

/* A classifier's weights for the part of a model that is one. */
static void adopts_names_without_a_scope(void **state) {
    (void)state;
    foci_parameters p;
    char note[1000];
    static const foci_real x[3] = {1, 2, 3};
    foci_parameters_init(&p);
    assert_int_equal(foci_parameters_declare(&p, "body.weight", FOCI_ZEROS, 1, (int64_t[]){3}), 0);
    assert_int_equal(foci_parameters_declare(&p, "top.weight", FOCI_ZEROS, 1, (int64_t[]){3}), 1);
    assert_ok(foci_parameters_alias(&p, "body.head", -1));
    assert_ok(foci_parameters_adopt(&p, "body"));
    assert_ok(foci_parameters_allocate(&p, false));
    const foci_safetensor_item item[] = {{"weight", SHAPE(3), x}, {"head", SHAPE(3), x}, {"zebra", SHAPE(3), x}};
    assert_ok(foci_safetensors_write(path, item, 3, NULL, 0));
    assert_ok(foci_init_weights(&p, path, NULL, NULL, note, sizeof note));
    assert_non_null(strstr(note, "1 of 2 parameters from"));
    assert_non_null(strstr(note, "; new, not in the file: top.weight; not used: zebra"));
    assert_memory_equal(p.value, x, sizeof x);
    foci_parameters_free(&p);
}

static void keeps_a_table_of_the_same_size(void **state) {
    (void)state;
    foci_real from[2 * 17], to[2 * 17];
    for (int i = 0; i < 34; i++) from[i] = (foci_real)(i * i % 13);
    for (foci_grid_resizing how = FOCI_GRID_ANTIALIASED; how <= FOCI_GRID_BILINEAR; how++) {
        assert_ok(foci_resize_positions(from, 1, (foci_grid){4, 4}, to, (foci_grid){4, 4}, 2, how));
        for (int i = 0; i < 34; i++) assert_close(to[i], from[i], 1e-6);
    }
}

static void refuses_other_grids(void **state) {
    (void)state;
    foci_parameters a;
    make_model(&a, 2, 1);
    foci_real table[14] = {0};
    foci_safetensor_item item[] = {
        own_item(&a, 0, "emb.weight"), own_item(&a, 1, "out.bias"), {"pos_embed", SHAPE(1, 7, 2), table}};
    assert_ok(foci_safetensors_write(path, item, 3, NULL, 0));
    assert_fails(foci_load_weights(&a, path), FOCI_ERR_CHECKPOINT,
                 "pos_embed is (1, 7, 2) in the file and (1, 5, 2) in the model");
    foci_parameters_free(&a);
}

static void a_start_takes_what_fits(void **state) {
    (void)state;
    foci_parameters a, b;
    char note[1000];
    make_model(&a, 2, 1);
    make_model(&b, 3, 2);
    foci_real other[7] = {0}, bias[8];
    memcpy(bias, b.value + b.entry[1].offset, 5 * sizeof *bias);
    foci_safetensor_item item[] = {own_item(&a, 0, "emb.weight"),
                                   {"out.bias", SHAPE(7), other},
                                   own_item(&a, 2, "pos_embed"),
                                   {"zebra", SHAPE(1), other}};
    assert_ok(foci_safetensors_write(path, item, 4, NULL, 0));
    assert_ok(foci_init_weights(&b, path, "tail out", NULL, note, sizeof note));
    assert_non_null(strstr(note, "2 of 3 parameters from"));
    assert_non_null(strstr(note, "; of another size: pos_embed resized from 2x2 to 3x3 patches; new"));
    assert_non_null(
        strstr(note, "; new, of another shape: out.bias is (7) in the file and (5) in the model; not used: zebra"));
    assert_memory_equal(b.value, a.value, 15 * sizeof *a.value);
    assert_memory_equal(b.value + b.entry[1].offset, bias, 5 * sizeof *bias); /* as initialised */
    assert_fails(foci_init_weights(&b, path, "ou tail", NULL, note, sizeof note), FOCI_ERR_CHECKPOINT,
                 "shapes differ: out.bias is (7)");
    assert_fails(foci_init_weights(&b, path, NULL, NULL, note, sizeof note), FOCI_ERR_CHECKPOINT,
                 "shapes differ: out.bias is (7)");

    assert_ok(foci_safetensors_write(path, item, 1, NULL, 0));
    assert_ok(foci_init_weights(&b, path, NULL, NULL, note, sizeof note));
    assert_non_null(strstr(note, "1 of 3 parameters from"));
    assert_non_null(strstr(note, "; new, not in the file: out.bias, pos_embed"));
    assert_ok(foci_safetensors_write(path, item + 3, 1, NULL, 0));
    assert_fails(foci_init_weights(&b, path, "out", NULL, note, sizeof note), FOCI_ERR_CHECKPOINT,
                 "does not fit the model; missing: emb.weight");
    foci_parameters_free(&a);
    foci_parameters_free(&b);
}

/* Rows go by names, which may come in any order and twice; what is to begin anew does. */
static void rows_by_the_names_of_words(void **state) {
    (void)state;
    foci_parameters p;
    char note[1000];
    static const foci_real there[8] = {1, 1, 2, 2, 3, 3, 4, 4}, before[6] = {7, 7, 8, 8, 9, 9};
    static const foci_text_pair words = {"vocabulary", "b\na\ncc\na\n"};
    const foci_head head = {"emb", "vocabulary", "c\na\ncc\n", "words"};
    foci_parameters_init(&p);
    assert_int_equal(foci_parameters_declare(&p, "emb.weight", FOCI_ZEROS, 2, (int64_t[]){3, 2}), 0);
    assert_ok(foci_parameters_allocate(&p, false));
    memcpy(p.value, before, sizeof before);
    const foci_safetensor_item item = {"emb.weight", SHAPE(4, 2), there};
    assert_ok(foci_safetensors_write(path, &item, 1, &words, 1));
    strcpy(note, "note");
    assert_ok(foci_init_head(&p, path, &head, "emb", before, note, sizeof note));
    assert_memory_equal(p.value, before, sizeof before);
    assert_string_equal("note", note);
    assert_ok(foci_init_head(&p, path, &head, NULL, before, note, sizeof note));
    assert_memory_equal(p.value, ((foci_real[]){7, 7, 2, 2, 3, 3}), sizeof before);
    assert_string_equal("note; of 3 words 2 are known there by name and keep their weights, the others (1) are new",
                        note);
    foci_parameters_free(&p);
}

static void what_is_to_begin_anew(void **state) {
    (void)state;
    foci_parameters a, b;
    char note[1000];
    make_model(&a, 2, 1);
    make_model(&b, 2, 2);
    assert_ok(foci_save_weights(&a, path, NULL, 0));
    foci_real bias[5];
    memcpy(bias, b.value + b.entry[1].offset, sizeof bias);
    assert_ok(foci_init_weights(&b, path, NULL, "out tail", note, sizeof note));
    assert_non_null(strstr(note, "2 of 3 parameters from"));
    assert_non_null(strstr(note, "; new, as asked for: out.bias"));
    assert_memory_equal(b.value + b.entry[1].offset, bias, sizeof bias);
    assert_memory_equal(b.value, a.value, 15 * sizeof *a.value);
    foci_parameters_free(&a);
    foci_parameters_free(&b);
}

static void averages(void **state) {
    (void)state;
    foci_parameters p[3];
    char name[3][600], out[600];
    const char *file[3];
    for (int i = 0; i < 3; i++) {
        make_model(&p[i], 2, 1 + (uint64_t)i);
        snprintf(name[i], sizeof *name, "%s.%d", path, i);
        file[i] = name[i];
        assert_ok(foci_save_weights(&p[i], name[i], NULL, 0));
    }
    snprintf(out, sizeof out, "%s.mean", path);
    assert_ok(foci_average_weights(file, 3, out));
    foci_parameters mean;
    make_model(&mean, 2, 9);
    assert_ok(foci_load_weights(&mean, out));
    for (int64_t i = 0; i < mean.size; i++)
        assert_close(mean.value[i], ((double)p[0].value[i] + (double)p[1].value[i] + (double)p[2].value[i]) / 3, 1e-7);
    const foci_text_pair drawn = {"drawn", "elsewhere out.bias"}; /* has no mean */
    assert_ok(foci_save_weights(&p[0], name[0], &drawn, 1));
    assert_ok(foci_average_weights(file, 3, out));
    assert_ok(foci_load_weights(&mean, out));
    const int64_t bias = p[0].entry[1].offset;
    assert_memory_equal(mean.value + bias, p[0].value + bias, 5 * sizeof *mean.value);
    assert_close(mean.value[0], ((double)p[0].value[0] + (double)p[1].value[0] + (double)p[2].value[0]) / 3, 1e-7);
    assert_ok(foci_average_weights(file, 1, out));
    assert_ok(foci_load_weights(&mean, out));
    assert_memory_equal(mean.value, p[0].value, (size_t)mean.size * sizeof *mean.value);

    foci_safetensor_item item[] = {own_item(&p[0], 0, "emb.weight"), own_item(&p[0], 1, "out.bias"),
                                   own_item(&p[0], 2, "pos_embed"), own_item(&p[0], 1, "more")};
    assert_ok(foci_safetensors_write(name[1], item, 2, NULL, 0));
    assert_fails(foci_average_weights(file, 3, out), FOCI_ERR_CHECKPOINT, "tensor pos_embed of ");
    assert_ok(foci_safetensors_write(name[1], item, 4, NULL, 0));
    assert_fails(foci_average_weights(file, 3, out), FOCI_ERR_CHECKPOINT, "tensor more is not in ");
    item[1] = (foci_safetensor_item){"out.bias", SHAPE(1, 5), p[0].value};
    assert_ok(foci_safetensors_write(name[1], item, 3, NULL, 0));
    assert_fails(foci_average_weights(file, 3, out), FOCI_ERR_CHECKPOINT, "tensor out.bias is (1, 5), but (5) in ");
    for (int i = 0; i < 3; i++) foci_parameters_free(&p[i]);
    foci_parameters_free(&mean);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saves_and_loads),
        cmocka_unit_test(takes_second_names_and_prefixes),
        cmocka_unit_test(files_may_have_transposes),
        cmocka_unit_test(axes_are_told_by_shapes),
        cmocka_unit_test(rows_of_heads_may_be_interleaved),
        cmocka_unit_test(refuses_tied_tensors_that_differ),
        cmocka_unit_test(lists_everything_that_does_not_fit),
        cmocka_unit_test(resizes_position_tables),
        cmocka_unit_test(shrinks_antialiased),
        cmocka_unit_test(blends_two_neighbours),
        cmocka_unit_test(adopts_names_without_a_scope),
        cmocka_unit_test(grows_by_the_same_kernel),
        cmocka_unit_test(keeps_a_table_of_the_same_size),
        cmocka_unit_test(refuses_other_grids),
        cmocka_unit_test(a_start_takes_what_fits),
        cmocka_unit_test(rows_by_the_names_of_words),
        cmocka_unit_test(what_is_to_begin_anew),
        cmocka_unit_test(averages),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
