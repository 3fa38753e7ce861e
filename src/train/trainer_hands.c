/* A training by several processes, before the first step: who they are, and whether they would train the same. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "train/alike.h"
#include "train/trainer_work.h"

static foci_status meet(foci_trainer *t) {
    foci_peer mine = {.seconds = 0};
    if (gethostname(mine.machine, sizeof mine.machine - 1) < 0) snprintf(mine.machine, sizeof mine.machine, "?");
    t->peer = calloc((size_t)t->group->size, sizeof *t->peer);
    FOCI_TRY(foci_trainer_all(t, t->peer ? FOCI_OK : foci_out_of_memory()));
    foci_group_share(t->group, &mine, sizeof mine, t->peer);
    t->named = -1;
    return FOCI_OK;
}

foci_status foci_trainer_shake_hands(foci_trainer *t) {
    if (!t->group) return FOCI_OK;
    char teacher[FOCI_CHECKSUM + 16];
    snprintf(teacher, sizeof teacher, "teacher: %s", t->teacher.checksum);
    foci_group_doing(t->group, "before the first step: version, instruction set, config and data of all");
    FOCI_TRY(meet(t));
    return foci_alike(t->group, t->config, t->programs.bf16, foci_meaning_find(&t->meaning, "data"), teacher);
}
