/* The list of measures: every descriptor is whole, what is asked for becomes options and words, and wrong
 * things are refused. */
#include <math.h>

#include "attack/attack.h"
#include "check.h"
#include "measure/measure.h"
#include "measure/score.h"
#include "measure/shifted.h"
#include "task/metrics.h"

/* Its row, or NULL. */
static const foci_key *row_of(const foci_measure *m, const char *name) {
    for (const foci_option_rows *rows = m->options; rows->keys; rows++)
        for (const foci_key *key = rows->keys; key->name; key++)
            if (strcmp(key->name, name) == 0) return key;
    for (const foci_key *key = m->inner; key && key->name; key++)
        if (strcmp(key->name, name) == 0) return key;
    return NULL;
}

static void rows_are_bound(const foci_measure *m) {
    for (const foci_option_rows *rows = m->options; rows->keys; rows++)
        if (rows->at + foci_keys_bytes(rows->keys) > m->size + 16) fail_msg("%s: a row beyond its struct", m->name);
    const char *const named[] = {m->needs, m->reads, m->within};
    for (int i = 0; i < 3; i++)
        if (named[i] && !row_of(m, named[i])) fail_msg("%s has no option %s", m->name, named[i]);
}

static void every_measure_is_whole(void **state) {
    (void)state;
    for (const foci_measure *const *at = foci_measures; *at; at++) {
        const foci_measure *m = *at;
        assert_ptr_equal(foci_measure_find(m->name), m);
        assert_non_null(m->summary);
        assert_non_null(m->run);
        assert_non_null(m->metrics[0]);
        rows_are_bound(m);
        for (int i = 0; i < FOCI_MEASURE_METRICS && m->metrics[i]; i++)
            if (!foci_metric_find(m->metrics[i])) fail_msg("%s reports %s, which is no metric", m->name, m->metrics[i]);
    }
}

static void every_attack_is_a_measure(void **state) {
    (void)state;
    for (const foci_attack *const *a = foci_attacks; *a; a++)
        if (!foci_measure_find((*a)->name)) fail_msg("%s is no measure", (*a)->name);
    for (const foci_attack *const *a = foci_attacks; *a; a++) { /* what one reads is there */
        char words[256];
        snprintf(words, sizeof words, "%s", (*a)->reads ? (*a)->reads : "");
        for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
            if (!row_of(foci_measure_find((*a)->name), word))
                fail_msg("%s reads %s, which is no option", (*a)->name, word);
    }
}

static void words_of(const char *spec, const char *expected) {
    foci_arena arena = {NULL};
    foci_asked asked;
    const char *word[FOCI_ASKED_WORDS];
    char got[512] = "";
    assert_ok(foci_measure_ask(&asked, "here", spec, &arena));
    const int n = foci_measure_words(&asked, word, &arena);
    for (int i = 0; i < n; i++) {
        if (i) strcat(got, " ");
        strcat(got, word[i]);
    }
    assert_string_equal(got, expected);
    foci_arena_free(&arena);
}

/* Results of tables are named by these words: they stay. */
static void words(void **state) {
    (void)state;
    words_of("val", "eval --split val");
    words_of("val:checkpoint=x.safetensors", "eval --split val --checkpoint x.safetensors");
    words_of("pgd:eps=1/255,attention.reduce=median,step-size=0.1",
             "attack --method pgd --eps 1/255 --set attention.reduce=median --step-size 0.1");
    words_of("pgd:eps=0.1,step_size=0.1", "attack --method pgd --eps 0.1 --step-size 0.1");
    words_of("apgd_ce:eps=0.1", "attack --method apgd_ce --eps 0.1");
    words_of("corrupt:relative-to=a,limit=3", "eval --corrupt imagenet-c --relative-to a --limit 3");
    words_of("outliers:ood-dir=x", "eval --ood-dir x");
    words_of("word-swap:rate=0.1,attention.first=2,stop_words=swap",
             "eval --split test --set attention.first=2 --contaminate word-swap:rate=0.1,stop_words=swap");
    words_of("bench:data=true,steps=3", "bench --data --steps 3");
    words_of("bench:data=false", "bench");
}

static void options(void **state) {
    (void)state;
    foci_arena arena = {NULL};
    foci_asked asked;
    assert_ok(foci_measure_ask(&asked, "here", "test:walk=sliding,checkpoint=x", &arena));
    assert_string_equal(((const foci_score_options *)asked.options)->split, "test");
    assert_int_equal(((const foci_score_options *)asked.options)->walk, FOCI_WALK_SLIDING);
    assert_string_equal(asked.checkpoint, "x");
    assert_true(isnan(asked.option[0].number));
    assert_ok(foci_measure_ask(&asked, "here", "corrupt:limit=7,severity=1-3,model.img_size=48", &arena));
    assert_true(asked.option[0].number == 7 && isnan(asked.option[1].number) && asked.option[2].number == 48);
    assert_string_equal(((const foci_shift_options *)asked.options)->corrupt, "imagenet-c");
    assert_int_equal(((const foci_shift_options *)asked.options)->limit, 7);
    assert_ok(foci_measure_ask(&asked, "here", "pgd:limit=2,eps=1/4", &arena));
    assert_true(asked.option[1].number == 0.25);
    assert_string_equal(asked.option[1].value, "1/4");
    assert_ok(foci_measure_ask(&asked, "here", "word-swap:rate=0.5", &arena));
    assert_true(asked.option[0].number == 0.5);
    foci_arena_free(&arena);
}

static void wrong(void **state) {
    (void)state;
    static const struct {
        const char *spec, *message;
    } rows[] = {{"nothing", "here: there is no measurement `nothing`: val, test, fgsm"},
                {"pgd:steps=3", "here: measurement pgd needs eps, as in `pgd:eps=...`"},
                {"val:eps=1", "here: measurement val has no option `eps`, only split, walk, "},
                {"bench:checkpoint=x", "measurement bench has no option `checkpoint`"},
                {"word-swap:rate=0.1,contaminate=x", "measurement word-swap has no option `contaminate`"},
                {"val:walk", "`walk` in `val:walk` is not OPTION=VALUE"},
                {"val:walk=backwards", "here: val: walk: `backwards`"},
                {"pgd:eps=wide", "here: pgd: eps: `wide`"},
                {"pgd:eps=0.1,restarts=0", "here: pgd: restarts: `0`"},
                {"word-swap:rate=2", "here: word-swap: rate: `2`"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        foci_arena arena = {NULL};
        foci_asked asked;
        assert_fails(foci_measure_ask(&asked, "here", rows[i].spec, &arena), FOCI_ERR_CONFIG, rows[i].message);
        foci_arena_free(&arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_measure_is_whole),
        cmocka_unit_test(every_attack_is_a_measure),
        cmocka_unit_test(words),
        cmocka_unit_test(options),
        cmocka_unit_test(wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
