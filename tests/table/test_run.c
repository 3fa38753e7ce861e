/* The work of a table by a runner that starts nothing: which commands come, in which order, and what is made of how
 * they end. */
#include <unistd.h>

#include "check.h"
#include "base/error.h"
#include "table/table.h"

enum { MOST = 8 };

/* Each command ends when it is looked at, as `ending` says, having printed `answer`. */
typedef struct theatre {
    char said[MOST][512]; /* the words */
    int threads[MOST], started, stopped, running, most_at_once;
    const char *answer;
    foci_table_ending ending;
    volatile sig_atomic_t *stop_after; /* set once the first has started; or NULL */
    bool refuses;
} theatre;

static void write_text(const char *path, const char *text) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static foci_status start(void *context, const foci_table_command *c, int *handle) {
    theatre *t = context;
    if (t->refuses) return foci_fail(FOCI_ERR_RUNTIME, "no more processes");
    char *said = t->said[t->started];
    for (int i = 0; c->word[i]; i++) {
        const size_t used = strlen(said);
        snprintf(said + used, sizeof t->said[0] - used, "%s%s", i ? " " : "", c->word[i]);
    }
    write_text(c->out, t->answer);
    write_text(c->log, "some line\nfoci: the disk is full\n");
    t->threads[t->started] = c->threads;
    *handle = t->started++;
    if (++t->running > t->most_at_once) t->most_at_once = t->running;
    if (t->stop_after) *t->stop_after = 1;
    return FOCI_OK;
}

static foci_status look(void *context, int handle, bool *ended, foci_table_ending *how) {
    theatre *t = context;
    (void)handle;
    *ended = true;
    *how = t->ending;
    t->running--;
    return FOCI_OK;
}

static void stop(void *context, int handle) {
    (void)handle;
    ((theatre *)context)->stopped++;
}

static const char config[] =
    "name: tiny\nmodel: {kind: vit, img_size: 8, patch_size: 4, embed_dim: 4, depth: 1, num_heads: 1}\n"
    "data: {kind: image_folder, train: t, val: v}\n";

/* A table of one row a seed, measured on the validation images. */
static foci_table *table_of(const char *folder, int rows) {
    static char path[512];
    snprintf(path, sizeof path, "%s/c.yaml", folder);
    write_text(path, config);
    foci_table *t = foci_table_new("test.yaml");
    assert_ok(foci_table_add_measure(t, "test", "val", "val", NULL, 0));
    for (int i = 0; i < rows; i++) {
        foci_table_row *row = foci_table_add_row(t);
        row->name = foci_arena_printf(&t->arena, "row %d", i);
        row->config = path;
        row->set[row->sets++] = foci_arena_printf(&t->arena, "train.seed=%d", i);
    }
    return t;
}

static foci_status run(foci_table *t, const char *folder, theatre *stage, const volatile sig_atomic_t *stopped) {
    static const volatile sig_atomic_t never;
    const foci_table_runner runner = {start, look, stop, stage};
    return foci_table_run(t, &(foci_table_options){.out = folder,
                                                   .program = "foci of a test",
                                                   .jobs = 2,
                                                   .threads = 4,
                                                   .runner = &runner,
                                                   .stop = stopped ? stopped : &never});
}

static void commands_in_order(void **state) {
    (void)state;
    const char *folder = temporary_folder();
    foci_table *t = table_of(folder, 2);
    theatre stage = {.answer = "a line that is no JSON\n{\"top1\": 50, \"top5\": 90}\n"};
    assert_ok(run(t, folder, &stage, NULL));
    assert_int_equal(stage.started, 4);
    assert_int_equal(stage.most_at_once, 2);
    assert_int_equal(stage.stopped, 0);
    for (int i = 0; i < 4; i++) assert_int_equal(stage.threads[i], 2); /* 4 for 2 at once */
    assert_memory_equal(stage.said[0], "train ", 6);
    assert_non_null(strstr(stage.said[0], "train.seed=0"));
    int trained = 0;
    for (int i = 0; i < 4; i++) trained += strncmp(stage.said[i], "train ", 6) == 0;
    assert_int_equal(trained, 2);
    for (int row = 0; row < 2; row++) {
        assert_true(foci_table_at(t, row, 0, 0)->known);
        assert_close(foci_table_at(t, row, 0, 0)->value[0], 50, 0);
    }
    foci_table_free(t);

    t = table_of(folder, 2); /* all is there: nothing is started again */
    theatre idle = {.answer = ""};
    assert_ok(run(t, folder, &idle, NULL));
    assert_int_equal(idle.started, 0);
    foci_table_free(t);
}

static void failures(void **state) {
    (void)state;
    static const struct {
        foci_table_ending ending;
        foci_status status;
        const char *message;
    } cases[] = {{{6, NULL}, FOCI_ERR_IO, "train: row 0: the disk is full"},
                 {{FOCI_INTERRUPTED, NULL}, FOCI_ERR_RUNTIME, "train: row 0: the disk is full"},
                 {{0, "Killed"}, FOCI_ERR_RUNTIME, "train: row 0: Killed"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *folder = temporary_folder();
        foci_table *t = table_of(folder, 1);
        theatre stage = {.answer = "", .ending = cases[i].ending};
        assert_fails(run(t, folder, &stage, NULL), cases[i].status, cases[i].message);
        assert_int_equal(stage.started, 1); /* what waits for it is not begun */
        assert_true(foci_table_at(t, 0, 0, 0)->failed);
        foci_table_free(t);
    }
    const char *folder = temporary_folder();
    foci_table *t = table_of(folder, 1);
    theatre stage = {.refuses = true};
    assert_fails(run(t, folder, &stage, NULL), FOCI_ERR_RUNTIME, "train: row 0: no more processes");
    foci_table_free(t);
}

static void stopping(void **state) {
    (void)state;
    volatile sig_atomic_t stopped = 0;
    const char *folder = temporary_folder();
    foci_table *t = table_of(folder, 2);
    theatre stage = {.answer = "", .stop_after = &stopped};
    assert_fails(run(t, folder, &stage, &stopped), FOCI_INTERRUPTED, "the same command goes on from there");
    assert_int_equal(stage.started, 1); /* no other is begun, and that one was asked to end */
    assert_int_equal(stage.stopped, 1);
    assert_int_equal(stage.running, 0);
    foci_table_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_in_order),
        cmocka_unit_test(failures),
        cmocka_unit_test(stopping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
