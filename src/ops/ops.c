#include "ops/ops.h"

#define FOCI_OP(name) extern const foci_op foci_op_##name;
#include "ops/list.h"
#undef FOCI_OP

const foci_op *const foci_ops[] = {
#define FOCI_OP(name) &foci_op_##name,
#include "ops/list.h"
#undef FOCI_OP
    NULL,
};
