#include "run/json.h"

static void put_object(foci_report *r, const json_t *object) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value) foci_report_json_value(r, name, value);
}

static void put_array(foci_report *r, const json_t *array) {
    size_t i;
    json_t *value;
    json_array_foreach((json_t *)(uintptr_t)array, i, value) foci_report_json_value(r, NULL, value);
}

void foci_report_json_value(foci_report *r, const char *name, const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT: put_object(foci_report_part(r, name), value); break;
    case JSON_ARRAY: put_array(foci_report_list(r, name), value); break;
    case JSON_STRING: foci_report_text(r, name, json_string_value(value)); break;
    case JSON_INTEGER: foci_report_whole(r, name, json_integer_value(value)); break;
    case JSON_REAL: foci_report_number(r, name, json_real_value(value)); break;
    case JSON_TRUE:
    case JSON_FALSE: foci_report_flag(r, name, json_is_true(value)); break;
    case JSON_NULL: foci_report_text(r, name, NULL); break;
    }
}
