/* The schema that tests of configs share, and how they read and refuse texts. */
#ifndef FOCI_TESTS_CONFIG_SCHEMA_H
#define FOCI_TESTS_CONFIG_SCHEMA_H

#include <math.h>

#include "check.h"
#include "config/config.h"

static const foci_key top_keys[] = {{"name", FOCI_KEY_STRING, "", 0, 0, NULL, "name of the run"}, {0}};
static const foci_key model_keys[] = {{"kind", FOCI_KEY_CHOICE, "vit", 0, 0, "vit lm", "which model"},
                                      {"depth", FOCI_KEY_INT, "12", 1, 1000, NULL, "number of blocks"},
                                      {0}};
static const foci_key vit_keys[] = {
    {"img_size", FOCI_KEY_INTS, "224", 1, 4096, NULL, "height and width in pixels; one number for a square"},
    {"qkv_bias", FOCI_KEY_BOOL, "true", 0, 0, NULL, "biases in the projection"},
    {0}};
static const foci_key lm_keys[] = {{"cutoffs", FOCI_KEY_INTS, "[]", 1, 1e8, NULL, "ends of the clusters"},
                                   {"vocab", FOCI_KEY_INT, NULL, 1, 1e8, NULL, "words of the vocabulary"},
                                   {0}};
static const foci_key attention_keys[] = {
    {"kind", FOCI_KEY_CHOICE, "softmax", 0, 0, "softmax elliptical other", "the variant"}, {0}};
static const foci_key elliptical_keys[] = {
    {"first", FOCI_KEY_INT, "1", 0, 1000, NULL, "first elliptical layer"},
    {"scale", FOCI_KEY_CHOICE, "max", 0, 0, "max mean none", "what the metric is divided by"},
    {0}};
static const foci_key other_keys[] = {{"scale", FOCI_KEY_REAL, "1", 0, 10, NULL, "a factor"}, {0}};
static const foci_key data_keys[] = {
    {"train", FOCI_KEY_STRING, NULL, 0, 0, NULL, "folder or file to train on"},
    {"mean", FOCI_KEY_REALS, "[0.485, 0.456, 0.406]", 0, 1, NULL, "mean of each channel"},
    {0}};
static const foci_key train_keys[] = {
    {"batch_size", FOCI_KEY_INT, "128", 1, 1e6, NULL, "samples of a step"},
    {"lr", FOCI_KEY_REAL, "1e-3", 0, 10, NULL, "learning rate"},
    {"clip", FOCI_KEY_REAL, "0", 0, INFINITY, NULL, "largest norm of the gradient; 0: none"},
    {"momentum", FOCI_KEY_REAL, "0.9", 0, 0, NULL, "of SGD"},
    {"seed", FOCI_KEY_INT, "0", 0, 0, NULL, "of all random numbers"},
    {0}};
static const foci_section sections[] = {
    {"", NULL, top_keys},
    {"model", NULL, model_keys},
    {"model", "vit", vit_keys},
    {"model", "lm", lm_keys},
    {"attention", NULL, attention_keys},
    {"attention", "elliptical", elliptical_keys},
    {"attention", "other", other_keys},
    {"data", NULL, data_keys},
    {"train", NULL, train_keys},
};
static const foci_schema schema = {sections, sizeof sections / sizeof *sections};

/* Every text needs the one required key. */
#define DATA "data: {train: d}\n"

static inline foci_status parse(foci_config **c, const char *text) {
    return foci_config_parse(c, &schema, "a.yaml", text, strlen(text), NULL, 0);
}

static inline foci_config *good(const char *text) {
    foci_config *c = NULL;
    assert_ok(parse(&c, text));
    assert_non_null(c);
    return c;
}

static inline foci_status parse_set(foci_config **c, const char *text, const char *set) {
    return foci_config_parse(c, &schema, "a.yaml", text, strlen(text), &set, 1);
}

/* The whole message, to the letter. */
#define assert_message(call, expected) \
    do { \
        foci_status check_ = (call); \
        assert_string_equal(foci_error_message(), (expected)); \
        assert_int_equal(check_, FOCI_ERR_CONFIG); \
    } while (0)

static inline void refuses(const char *text, const char *expected) {
    foci_config *c = (foci_config *)&schema;
    assert_message(parse(&c, text), expected);
    assert_null(c);
}

static inline void refuses_set(const char *set, const char *expected) {
    foci_config *c = (foci_config *)&schema;
    assert_message(parse_set(&c, DATA, set), expected);
    assert_null(c);
}

#endif
