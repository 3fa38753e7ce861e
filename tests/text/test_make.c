/* The built-in corpus: the same for the same options, WikiText in form, and what it promises a reader holds.
 */
#define _GNU_SOURCE
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "text/text.h"

static char *folder;

static const char *path_of(const char *name) {
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static const foci_grammar_options options = {.train = 300000, .valid = 5000, .test = 6000, .words = 2000, .seed = 3};

/* A whole file, ended by 0; the caller frees it. */
static char *contents(const char *name) {
    FILE *f = fopen(path_of(name), "rb");
    if (!f) fail_msg("%s is not there", path_of(name));
    struct stat st;
    fstat(fileno(f), &st);
    char *text = calloc(1, (size_t)st.st_size + 1);
    assert_int_equal(fread(text, 1, (size_t)st.st_size, f), st.st_size);
    fclose(f);
    return text;
}

static char *train; /* DIR/corpus/train.txt */

static int make_corpus(void **state) {
    (void)state;
    folder = temporary_folder();
    if (foci_make_text(path_of("corpus"), &options)) return 1;
    train = contents("corpus/train.txt");
    return 0;
}

static int remove_corpus(void **state) {
    (void)state;
    char command[512];
    free(train);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* -------------------------------------------------------------------------------------------- files and
 * sizes */

static bool same(const char *a, const char *b) {
    char *left = contents(a), *right = contents(b);
    bool equal = strcmp(left, right) == 0;
    free(left);
    free(right);
    return equal;
}

static void the_same_options_give_the_same_bytes(void **state) {
    (void)state;
    assert_ok(foci_make_text(path_of("again"), &options));
    assert_true(same("corpus/train.txt", "again/train.txt"));
    assert_true(same("corpus/valid.txt", "again/valid.txt"));
    assert_true(same("corpus/test.txt", "again/test.txt"));
}

static void another_seed_gives_another_text(void **state) {
    (void)state;
    foci_grammar_options other = options;
    other.seed++;
    assert_ok(foci_make_text(path_of("other"), &other));
    assert_false(same("corpus/valid.txt", "other/valid.txt"));
}

static void the_splits_are_different_texts(void **state) {
    (void)state;
    char *valid = contents("corpus/valid.txt"), *test = contents("corpus/test.txt");
    assert_memory_not_equal(train, valid, 500);
    assert_memory_not_equal(train, test, 500);
    assert_memory_not_equal(valid, test, 500);
    free(valid);
    free(test);
}

static void a_folder_that_is_there_is_kept(void **state) {
    (void)state;
    assert_ok(foci_make_text(path_of("corpus"), &options));
    foci_grammar_options other = options;
    other.words = 1000;
    assert_fails(foci_make_text(path_of("corpus"), &other), FOCI_ERR_CONFIG,
                 "exists, and was not made with these options");
    char *now = contents("corpus/train.txt");
    assert_string_equal(now, train);
    free(now);
}

static void impossible_options_are_refused(void **state) {
    (void)state;
    foci_grammar_options wrong = options;
    wrong.words = 299;
    assert_fails(foci_make_text(path_of("wrong"), &wrong), FOCI_ERR_CONFIG, "of 299 words: 300 to 50000 are possible");
    wrong.words = 50001;
    assert_fails(foci_make_text(path_of("wrong"), &wrong), FOCI_ERR_CONFIG, "of 50001 words");
    wrong = options;
    wrong.valid = 0;
    assert_fails(foci_make_text(path_of("wrong"), &wrong), FOCI_ERR_CONFIG, "1 to 2147483647 tokens");
    assert_int_not_equal(access(path_of("wrong"), F_OK), 0);
}

/* A split ends with the article in which its number of tokens is reached; articles have fewer than 1,500. */
static void splits_have_about_the_tokens_asked_for(void **state) {
    (void)state;
    static const char *const names[] = {"corpus/train.txt", "corpus/valid.txt", "corpus/test.txt"};
    const int64_t asked[] = {options.train, options.valid, options.test};
    foci_vocabulary *v;
    assert_ok(foci_vocabulary_build(&v, path_of(names[0]), (foci_word_choice){.min_count = 1}));
    for (int i = 0; i < 3; i++) {
        foci_tokens t;
        assert_ok(foci_tokens_read(&t, v, path_of(names[i]))); /* what train lacks is <unk> */
        assert_in_range(t.count, asked[i], asked[i] + 1500);
        foci_tokens_free(&t);
    }
    foci_vocabulary_free(v);
}

/* With <eos>, <unk>, signs and the words of the grammar; 8 for what five parts of speech round off. */
static void the_vocabulary_is_as_large_as_asked(void **state) {
    (void)state;
    static const int64_t words[] = {300, 1000, 2000};
    for (int i = 0; i < 3; i++) {
        char name[64];
        snprintf(name, sizeof name, "words-%d", i);
        foci_grammar_options o = {.train = 600000, .valid = 1, .test = 1, .words = words[i]};
        assert_ok(foci_make_text(path_of(name), &o));
        foci_vocabulary *v;
        strcat(name, "/train.txt");
        assert_ok(foci_vocabulary_build(&v, path_of(name), (foci_word_choice){.min_count = 1}));
        assert_in_range(foci_vocabulary_size(v), words[i] - 8, words[i] + 8);
        foci_vocabulary_free(v);
    }
}

/* A tenth of the words is most of the text, and every second word is rare. */
static void frequencies_fall_as_in_a_language(void **state) {
    (void)state;
    foci_vocabulary *v;
    assert_ok(foci_vocabulary_build(&v, path_of("corpus/train.txt"), (foci_word_choice){.min_count = 1}));
    int32_t size = (int32_t)foci_vocabulary_size(v);
    int64_t all = 0, common = 0, rare = 0;
    for (int32_t id = 0; id < size; id++) {
        all += foci_vocabulary_frequency(v, id);
        if (id < size / 10) common += foci_vocabulary_frequency(v, id);
        if (id >= size / 2) rare += foci_vocabulary_frequency(v, id);
    }
    assert_in_range(100 * common / all, 60, 85);
    assert_in_range(100 * rare / all, 3, 12);
    foci_vocabulary_free(v);
}

/* ------------------------------------------------------------------------------------------------------ form
 */

/* Lines are " \n" or " WORD WORD ... \n"; an article opens with a blank line, " = Name = ", and a blank line.
 */
static void lines_are_those_of_wikitext(void **state) {
    (void)state;
    int titles = 0, headings = 0, paragraphs = 0;
    assert_memory_equal(train, " \n = ", 5);
    bool blank_before = false;
    for (const char *line = train, *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        assert_non_null(end);
        assert_true(line[0] == ' ' && end[-1] == ' ');
        bool blank = end == line + 1;
        if (!blank) {
            assert_true(blank_before);
            assert_memory_equal(end + 1, " \n", 2);
            assert_null(memmem(line, (size_t)(end - line), "  ", 2));
        }
        if (!strncmp(line, " = = ", 5)) {
            headings++;
            assert_memory_equal(end - 5, " = = ", 5);
        } else if (!strncmp(line, " = ", 3)) {
            titles++;
            assert_memory_equal(end - 3, " = ", 3);
        } else if (!blank) {
            paragraphs++;
            assert_memory_equal(end - 3, " . ", 3);
        }
        blank_before = blank;
    }
    assert_true(titles > 300);
    assert_int_equal(paragraphs, titles + headings); /* one below every heading */
}

/* --------------------------------------------------------------------------------------------------
 * agreement */

/* Parts of speech are told by their form: a stem is consonant, vowel, consonant, vowel, consonant. */
typedef enum form {
    OTHER,
    NOUN,
    NOUNS,
    VERBS,
    VERB,
    NAME
} form; /* VERBS: of a singular, "sees"; VERB: of a plural, "see" */

static form form_of(const char *word) {
    static const char *const parts[] = {"bdfghjklmnprstvwzc", "aeiou", "bdfghjklmnprstvwzc", "aeiou", "bdgklmnprtvf"};
    if (strlen(word) < 5 || strcmp(word, "before") == 0) return OTHER;
    if (word[0] >= 'A' && word[0] <= 'Z') return NAME;
    for (int i = 0; i < 5; i++)
        if (!strchr(parts[i], word[i])) return OTHER;
    const char *ending = word + 5;
    return !*ending                ? NOUN
           : !strcmp(ending, "s")  ? NOUNS
           : !strcmp(ending, "es") ? VERBS
           : !strcmp(ending, "e")  ? VERB
                                   : OTHER;
}

enum { LONGEST = 400 };
typedef struct sentence {
    int count;
    char *word[LONGEST];
} sentence;

/* Calls check(sentence) for every sentence of the training text. */
static void each_sentence(void (*check)(const sentence *)) {
    char *text = strdup(train), *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (!strncmp(line, " =", 2)) continue;
        sentence s = {0};
        char *more = NULL;
        for (char *word = strtok_r(line, " ", &more); word; word = strtok_r(NULL, " ", &more)) {
            assert_true(s.count < LONGEST);
            s.word[s.count++] = word;
            if (strcmp(word, ".") == 0) {
                check(&s);
                s.count = 0;
            }
        }
        assert_int_equal(s.count, 0);
    }
    free(text);
}

static bool is(const sentence *s, int i, const char *word) { return i < s->count && !strcmp(s->word[i], word); }

static bool is_one_of(const char *word, const char *const *list) {
    while (*list && strcmp(word, *list)) list++;
    return *list;
}

static int seen; /* cases a check has met, so that none passes by meeting nothing */

static void check_pairs(const sentence *s) {
    static const char *const opening[] = {"(", "[", "if", "both", NULL}, *const closing[] = {")", "]", "then", "and",
                                                                                             NULL};
    int open[4] = {0}, quotes = 0;
    for (int i = 0; i < s->count; i++) {
        for (int k = 0; k < 3; k++) {
            open[k] += is(s, i, opening[k]) - is(s, i, closing[k]);
            assert_true(open[k] >= 0);
        }
        /* `and` also joins predicates and clauses: there may be more */
        if (is(s, i, "both")) open[3]++;
        if (is(s, i, "and") && open[3]) open[3]--;
        quotes += is(s, i, "\"");
    }
    for (int k = 0; k < 4; k++)
        if (open[k]) fail_msg("%s is not closed", opening[k]);
    assert_true(quotes == 0 || quotes == 2);
    seen += quotes / 2;
}

static void what_is_opened_is_closed(void **state) {
    (void)state;
    seen = 0;
    each_sentence(check_pairs);
    assert_true(seen > 500);
}

/* The subject is the noun that opens the sentence; brackets after it, whatever they hold, stand before its
 * verb. */
static void check_subject(const sentence *s) {
    static const char *const singular[] = {"the", "a", "this", "every", NULL}, *const plural[] = {"the", "some",
                                                                                                  "these", "most",
                                                                                                  NULL};
    int i = 1;
    while (i < 3 && i < s->count && form_of(s->word[i]) == OTHER) i++; /* an adjective or <unk> */
    if (i >= s->count || (form_of(s->word[i]) != NOUN && form_of(s->word[i]) != NOUNS)) return;
    bool many = form_of(s->word[i]) == NOUNS;
    if (!is_one_of(s->word[0], many ? plural : singular)) {
        if (is_one_of(s->word[0], singular) || is_one_of(s->word[0], plural)) fail_msg("%s %s", s->word[0], s->word[i]);
        return;
    }
    int verb = i + 1, depth = 0;
    do {
        depth += is(s, verb, "(") + is(s, verb, "[") - is(s, verb, ")") - is(s, verb, "]");
        verb += depth > 0 || is(s, verb, ")") || is(s, verb, "]");
    } while (depth > 0 && verb < s->count);
    assert_true(verb < s->count);
    form f = form_of(s->word[verb]);
    if (f == VERB || is(s, verb, "are")) assert_true(many);
    else if (f == VERBS || is(s, verb, "is")) assert_false(many);
    else return; /* another modifier */
    seen += verb > i + 1;
}

static void verbs_agree_with_their_subject(void **state) {
    (void)state;
    seen = 0;
    each_sentence(check_subject);
    assert_true(seen > 200); /* across brackets */
}

/* "the dog that sees ...": the verb after `that` is the noun's. */
static void check_relative(const sentence *s) {
    for (int i = 1; i + 1 < s->count; i++) {
        form noun = form_of(s->word[i - 1]), verb = form_of(s->word[i + 1]);
        if (!is(s, i, "that") || (verb != VERB && verb != VERBS)) continue;
        assert_true(noun == NOUN || noun == NOUNS);
        assert_int_equal(verb, noun == NOUNS ? VERB : VERBS);
        seen++;
    }
}

static void relative_clauses_agree_with_their_noun(void **state) {
    (void)state;
    seen = 0;
    each_sentence(check_relative);
    assert_true(seen > 500);
}

static void check_reflexive(const sentence *s) {
    static const char *const singular[] = {"itself", "himself", "herself", NULL};
    for (int i = 1; i < s->count; i++) {
        bool one = is_one_of(s->word[i], singular), many = is(s, i, "themselves");
        if (!one && !many) continue;
        assert_int_equal(form_of(s->word[i - 1]), one ? VERBS : VERB);
        seen++;
    }
}

static void reflexives_agree_with_the_verb(void **state) {
    (void)state;
    seen = 0;
    each_sentence(check_reflexive);
    assert_true(seen > 500);
}

/* A noun has one gender wherever it is the subject of a reflexive: "NOUN VERBS himself". */
static char gendered[4096][8];
static int genders_known;

static void check_gender(const sentence *s) {
    static const char *const reflexives[] = {"itself", "himself", "herself", NULL};
    if (s->count < 4 || form_of(s->word[1]) != NOUN || form_of(s->word[2]) != VERBS ||
        !is_one_of(s->word[3], reflexives))
        return;
    for (int i = 0; i < genders_known; i++) {
        if (strcmp(gendered[i] + 1, s->word[1]) != 0) continue;
        assert_int_equal(gendered[i][0], s->word[3][1]); /* t, i, e */
        seen++;
        return;
    }
    assert_true(genders_known < 4096);
    snprintf(gendered[genders_known++], 8, "%c%s", s->word[3][1], s->word[1]);
}

static void a_noun_has_one_gender(void **state) {
    (void)state;
    seen = genders_known = 0;
    each_sentence(check_gender);
    assert_true(seen > 50);
    bool met[256] = {0};
    for (int i = 0; i < genders_known; i++) met[(unsigned char)gendered[i][0]] = true;
    assert_true(met['t'] && met['i'] && met['e']);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_options_give_the_same_bytes),
        cmocka_unit_test(another_seed_gives_another_text),
        cmocka_unit_test(the_splits_are_different_texts),
        cmocka_unit_test(a_folder_that_is_there_is_kept),
        cmocka_unit_test(impossible_options_are_refused),
        cmocka_unit_test(splits_have_about_the_tokens_asked_for),
        cmocka_unit_test(the_vocabulary_is_as_large_as_asked),
        cmocka_unit_test(frequencies_fall_as_in_a_language),
        cmocka_unit_test(lines_are_those_of_wikitext),
        cmocka_unit_test(what_is_opened_is_closed),
        cmocka_unit_test(verbs_agree_with_their_subject),
        cmocka_unit_test(relative_clauses_agree_with_their_noun),
        cmocka_unit_test(reflexives_agree_with_the_verb),
        cmocka_unit_test(a_noun_has_one_gender),
    };
    return cmocka_run_group_tests(tests, make_corpus, remove_corpus);
}
