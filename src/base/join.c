/* Joining a group: which launcher started this process, and the plugin for its MPI. Whoever is one of several and
 * cannot speak with the others is refused: each would do all of the work, in one place. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/group.h"

/* A launcher leaves its mark in the environment. */
typedef struct launcher {
    const char *mark, *count, *rank; /* variables: that it was this one; how many processes; which this is */
    const char *plugin;              /* NULL: they cannot find each other */
    const char *mpi, *what;          /* "Open MPI", "mpirun" */
} launcher;

static const launcher launchers[] = {
    {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "foci-openmpi.so", "Open MPI",
     "mpirun of Open MPI"},
    {"PMIX_RANK", "SLURM_STEP_NUM_TASKS", "PMIX_RANK", "foci-openmpi.so", "Open MPI", "srun --mpi=pmix"},
    {"PMI_RANK", "PMI_SIZE", "PMI_RANK", "foci-mpich.so", "MPICH", "mpiexec of MPICH, or srun --mpi=pmi2"},
    {"SLURM_STEP_NUM_TASKS", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID", NULL, NULL, "srun"},
};
enum { LAUNCHERS = sizeof launchers / sizeof *launchers };

static const launcher *find(int *count) {
    for (int i = 0; i < LAUNCHERS; i++) {
        const char *n = getenv(launchers[i].count);
        if (!getenv(launchers[i].mark)) continue;
        *count = n ? atoi(n) : 1;
        return &launchers[i];
    }
    return NULL;
}

/* Beside the program, or where `make install` puts it. */
static foci_status path_of(const char *plugin, char *path, size_t size) {
    static const char *const places[] = {"", "../lib/foci/"};
    char self[4096];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = 0;
    char *slash = strrchr(self, '/');
    if (slash) slash[1] = 0;
    for (int i = 0; i < 2; i++) {
        if ((size_t)snprintf(path, size, "%s%s%s", slash ? self : "./", places[i], plugin) >= size) break;
        if (foci_path_kind(path)) return FOCI_OK;
    }
    return foci_fail(FOCI_ERR_CONFIG, "there is no %s beside the program or in %slib/foci: `make mpi` builds it",
                     plugin, slash ? self : "");
}

static foci_status load(const launcher *l, foci_group **g) {
    char path[4200];
    FOCI_TRY(path_of(l->plugin, path, sizeof path));
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) return foci_fail(FOCI_ERR_CONFIG, "%s: %s", path, dlerror());
    foci_group *(*plugin)(void);
    *(void **)&plugin = dlsym(library, "foci_group_plugin");
    if (!plugin) return foci_fail(FOCI_ERR_CONFIG, "%s: %s", path, dlerror());
    if (!(*g = plugin())) return foci_fail(FOCI_ERR_RUNTIME, "%s: %s does not start", path, l->mpi);
    return FOCI_OK;
}

int foci_group_started(int *rank) {
    int count = 1;
    const launcher *l = find(&count);
    const char *r = l ? getenv(l->rank) : NULL;
    *rank = r ? atoi(r) : 0;
    return count;
}

foci_status foci_group_join(foci_group **g) {
    int count = 1;
    const launcher *l = find(&count);
    *g = NULL;
    if (!l || count < 2) return FOCI_OK;
    if (!l->plugin)
        return foci_fail(
            FOCI_ERR_CONFIG,
            "one of %d processes of srun, which was not told how they find each other: --mpi=pmix for Open "
            "MPI, --mpi=pmi2 for MPICH",
            count);
    const foci_status s = load(l, g);
    if (s) return foci_context(s, "one of %d processes of %s", count, l->what);
    if ((*g)->size == count) return FOCI_OK;
    const int size = (*g)->size;
    foci_group_leave(*g);
    *g = NULL;
    return foci_fail(FOCI_ERR_CONFIG,
                     "one of %d processes of %s, but %s sees %d: the launcher is another MPI's than %s was built with",
                     count, l->what, l->mpi, size, l->plugin);
}
