/* Claims and facts of a table's file. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "table/file.h"

static foci_status read_margin(const foci_file *r, const yaml_node_t *n, const char *text, double *margin) {
    char *end;
    *margin = strtod(text, &end);
    if (*text && !*end && *margin >= 0 && *margin <= 1000) return FOCI_OK;
    return foci_file_fail(r, n, "`%s` is no margin: percent, from 0 on", text);
}

static foci_status read_in(foci_file *r, yaml_node_t *n, foci_table_claim *c) {
    FOCI_TRY(foci_file_list(r, n, "in"));
    for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
        const char *text;
        if (c->count == FOCI_TABLE_MEASURES) return foci_file_fail(r, n, "more than %d results", FOCI_TABLE_MEASURES);
        FOCI_TRY(foci_file_text(r, foci_file_node(r, *i), "a result", &text));
        FOCI_TRY(foci_file_result(r, foci_file_node(r, *i), text, &c->in[c->count++]));
    }
    return FOCI_OK;
}

static foci_status read_claim(foci_file *r, yaml_node_t *n) {
    FOCI_TRY(foci_file_mapping(r, n, "a claim"));
    if (r->t->claims == FOCI_TABLE_CLAIMS) return foci_file_fail(r, n, "more than %d claims", FOCI_TABLE_CLAIMS);
    foci_table_claim *c = &r->t->claim[r->t->claims++];
    *c = (foci_table_claim){.margin = (double)NAN};
    for (yaml_node_pair_t *at = NULL; foci_file_next_entry(n, &at);) {
        foci_file_entry p;
        const char *margin;
        FOCI_TRY(foci_file_read_entry(r, n, at, &p));
        if (strcmp(p.key, "claim") == 0) FOCI_TRY(foci_file_text(r, p.value, "claim", &c->text));
        else if (strcmp(p.key, "run") == 0) FOCI_TRY(foci_file_row(r, p.value, r->t->rows, &c->row));
        else if (strcmp(p.key, "than") == 0) FOCI_TRY(foci_file_row(r, p.value, r->t->rows, &c->than));
        else if (strcmp(p.key, "in") == 0) FOCI_TRY(read_in(r, p.value, c));
        else if (strcmp(p.key, "untestable") == 0) FOCI_TRY(foci_file_text(r, p.value, "untestable", &c->reason));
        else if (strcmp(p.key, "margin") == 0) {
            FOCI_TRY(foci_file_text(r, p.value, "margin", &margin));
            FOCI_TRY(read_margin(r, p.value, margin, &c->margin));
        } else
            return foci_file_fail(
                r, p.at, "unknown `%s`: a claim has claim, run, than, in and margin, or claim and untestable", p.key);
    }
    if (!c->text || !c->row != !c->count || !c->row == !c->reason)
        return foci_file_fail(r, n, "a claim needs claim, run and in, or claim and untestable");
    if (c->row && !c->than) c->than = c->row->baseline;
    if (c->row && !c->than) return foci_file_fail(r, n, "`%s` has no baseline; `than` names another run", c->row->name);
    for (int i = 0; i < c->count; i++)
        if (!r->t->measure[c->in[i].measure].field[c->in[i].field]->better)
            return foci_file_fail(r, n, "neither more nor less of a result is better");
    return FOCI_OK;
}

foci_status foci_file_claims(foci_file *r, yaml_node_t *n) {
    FOCI_TRY(foci_file_list(r, n, "claims"));
    for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++)
        FOCI_TRY(read_claim(r, foci_file_node(r, *i)));
    return FOCI_OK;
}

foci_status foci_file_facts(foci_file *r, yaml_node_t *n) {
    FOCI_TRY(foci_file_list(r, n, "facts"));
    for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top; i++) {
        if (r->t->facts == FOCI_TABLE_FACTS) return foci_file_fail(r, n, "more than %d facts", FOCI_TABLE_FACTS);
        FOCI_TRY(foci_file_text(r, foci_file_node(r, *i), "a fact", &r->t->fact[r->t->facts++]));
    }
    return FOCI_OK;
}
