/* Golden cases of attacks: those beside the checkout pass; changed ones fail, malformed ones are refused with their
 * place. */
#include "check.h"

#include "base/file.h"
#include "kernels/bf16.h"
#include "verify/verify.h"

static void passes(const char *name) {
    const char *path = shared_path(name);
    foci_verify_report r;
    if (!path) skip();
    for (int bf16 = 0; bf16 <= foci_bf16_supported(); bf16++) {
        assert_ok(foci_verify_case(path, bf16, &r));
        assert_true(r.ok && !r.skipped);
        assert_int_equal(r.groups, bf16 ? 2 : 3);
    }
}
static void clipped(void **state) {
    (void)state;
    passes("golden/attack-clipped.json");
}
static void normalised(void **state) {
    (void)state;
    passes("golden/attack-normalised.json");
}

/* A copy of the case CASE.json, with one text replaced. */
static foci_status verify_copy(const char *source, const char *from, const char *to, foci_verify_report *r) {
    char json[400], tensors[400], path[400], *bytes;
    size_t size;
    const char *folder = temporary_folder();
    snprintf(json, sizeof json, "%s/case.json", folder);
    snprintf(tensors, sizeof tensors, "%s/case.safetensors", folder);
    snprintf(path, sizeof path, "%s.safetensors", source);
    assert_ok(foci_read_file(path, 1 << 24, &bytes, &size, FOCI_ERR_IO));
    assert_ok(foci_write_file(tensors, bytes, size));
    free(bytes);
    snprintf(path, sizeof path, "%s.json", source);
    assert_ok(foci_read_file(path, 1 << 24, &bytes, &size, FOCI_ERR_IO));
    char *at = strstr(bytes, from), *changed = malloc(size + strlen(to) + 1);
    if (!at) fail_msg("no %s in the case", from);
    const size_t before = (size_t)(at - bytes);
    memcpy(changed, bytes, before);
    snprintf(changed + before, size + strlen(to) + 1 - before, "%s%.*s", to, (int)(size - before - strlen(from)),
             at + strlen(from));
    assert_ok(foci_write_file(json, changed, strlen(changed)));
    free(bytes);
    free(changed);
    foci_status status = foci_verify_case(json, false, r);
    remove(json);
    remove(tensors);
    remove(folder);
    return status;
}

static foci_status verify_changed(const char *from, const char *to, foci_verify_report *r) {
    char source[400];
    snprintf(source, sizeof source, "%s", shared_path("golden/attack-clipped.json"));
    source[strlen(source) - strlen(".json")] = 0;
    return verify_copy(source, from, to, r);
}

static void a_case_without_attacks(void **state) {
    (void)state;
    foci_verify_report r;
    assert_fails(verify_copy("tests/golden/small-vit", "\"kind\": \"vit\"", "\"kind\": \"attack\"", &r), FOCI_ERR_DATA,
                 "case.attacks is missing");
}

static void changes_are_noticed(void **state) {
    (void)state;
    static const char *const change[][2] = {{"\"eps\": 0.00392156862745098", "\"eps\": 0.004"},
                                            {"\"labels\": \"given\"", "\"labels\": \"predicted\""},
                                            {"\"iterations\": 10", "\"iterations\": 9"},
                                            {"\"step\": 0.000588235294117647", "\"step\": 0.0006"},
                                            {"\"start\": \"start.1\"", "\"start\": \"start.4\""},
                                            {"\"clip\": [\n    0.0,\n    1.0", "\"clip\": [\n    0.1,\n    0.9"},
                                            {"\"loss_before\": 2.52", "\"loss_before\": 2.53"},
                                            {"\"loss_after\": 2.59", "\"loss_after\": 2.58"},
                                            {"\"num_heads\": 3", "\"num_heads\": 6"}};
    if (!shared_path("golden/attack-clipped.json")) skip();
    for (size_t i = 0; i < sizeof change / sizeof *change; i++) {
        foci_verify_report r;
        foci_status status = verify_changed(change[i][0], change[i][1], &r);
        if (!status && r.ok) fail_msg("%s for %s is not noticed", change[i][1], change[i][0]);
    }
}

static void malformed_cases_name_the_place(void **state) {
    (void)state;
    foci_verify_report r;
    if (!shared_path("golden/attack-clipped.json")) skip();
    assert_fails(verify_changed("\"attack\": \"pgd\"", "\"attack\": \"bim\"", &r), FOCI_ERR_DATA,
                 "attacks[1].attack is `bim`, neither fgsm nor pgd");
    assert_fails(verify_changed("\"labels\": \"given\"", "\"labels\": \"mine\"", &r), FOCI_ERR_DATA,
                 "attacks[0].labels is `mine`");
    assert_fails(verify_changed("\"step\": ", "\"momentum\": 1, \"step\": ", &r), FOCI_ERR_DATA,
                 "attacks[1].momentum: foci does not know this field");
    assert_fails(verify_changed("\"iterations\": 10", "\"iterations\": 1e9", &r), FOCI_ERR_DATA,
                 "attacks[1].iterations");
    assert_fails(verify_changed("\"eps\": 0", "\"eps\": -0", &r), FOCI_ERR_DATA, "attacks[0].eps is -0.003");
    assert_fails(verify_changed("\"clip\": [", "\"clip\": 3, \"output\": [", &r), FOCI_ERR_DATA, "");
    assert_fails(verify_changed("\"output\": \"expected.fgsm.1\"", "\"output\": \"expected.logits\"", &r),
                 FOCI_ERR_DATA, "tensor expected.logits is (4, 10)");
    assert_fails(verify_changed("\"start\": \"start.1\"", "\"start\": null", &r), FOCI_ERR_DATA,
                 "tensor start.1: foci does not know what it is for");
    assert_fails(verify_changed("\"depth\": 4", "\"depth\": 5", &r), FOCI_ERR_DATA,
                 "param.blocks.4.norm1.weight is missing");
    assert_fails(verify_changed("\"attacks\": [", "\"attacks\": {}, \"tied\": [", &r), FOCI_ERR_DATA,
                 "case.attacks is not a list");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clipped),
        cmocka_unit_test(normalised),
        cmocka_unit_test(a_case_without_attacks),
        cmocka_unit_test(changes_are_noticed),
        cmocka_unit_test(malformed_cases_name_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
