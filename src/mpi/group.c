/* A group of processes over MPI (base/group.h): a plugin of its own for each MPI library, built by its mpicc, so that
 * foci itself needs none. Calls start a collective that moves data, none that adds, and look again and again whether it
 * is done: so that silence has an end. */
#include <mpi.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/group.h"

/* ---------------------------------------------------------------------------------------------- waiting */

static void end_all(foci_group *g, int code) {
    (void)g;
    MPI_Abort(MPI_COMM_WORLD, code);
    _exit(code);
}

static void give_up(foci_group *g) {
    char machine[64] = "?";
    if (gethostname(machine, sizeof machine - 1) < 0) machine[0] = '?';
    fprintf(
        stderr,
        "foci: process %d on %s waited %.0f s for the others (%s); all are ended; a training goes on with --resume\n",
        g->rank, machine, g->seconds, *g->doing ? g->doing : "at the begin");
    end_all(g, FOCI_INTERRUPTED);
}

/* Nothing moves but while one looks. At first at every chance, then every 50 microseconds, which no network is too fast
 * for, then now and then: who waits long waits for one who needs the processor. */
static void wait_for(foci_group *g, MPI_Request *request) {
    const double YIELDING = 2e-3, LOOKING = 0.5, begun = foci_now();
    for (int done = 0;;) {
        MPI_Test(request, &done, MPI_STATUS_IGNORE);
        if (done) return;
        const double waited = foci_now() - begun;
        if (g->seconds > 0 && waited > g->seconds) give_up(g);
        if (waited < YIELDING) sched_yield();
        else nanosleep(&(struct timespec){.tv_nsec = waited < LOOKING ? 50000 : 500000}, NULL);
    }
}

/* ------------------------------------------------------------------------------------------------- bytes */

/* MPI counts by int: large arrays are counted by lines of 64 bytes, as all of them have. */
enum { LINE = 64, MOST = 1 << 30 };
static MPI_Datatype line;

typedef struct unit {
    MPI_Datatype type;
    size_t bytes;
} unit;

static unit unit_of(foci_group *g, const size_t *at) {
    size_t lines = 1;
    for (int r = 0; r <= g->size; r++) lines = lines && at[r] % LINE == 0;
    const unit u = lines ? (unit){line, LINE} : (unit){MPI_BYTE, 1};
    if (at[g->size] / u.bytes <= MOST) return u;
    fprintf(stderr, "foci: %zu bytes are more than MPI moves at once (%s)\n", at[g->size], g->doing);
    end_all(g, FOCI_ERR_RUNTIME);
    return u;
}

static void cut(foci_group *g, const size_t *at, size_t bytes, int *count, int *first) {
    for (int r = 0; r < g->size; r++) {
        first[r] = (int)(at[r] / bytes);
        count[r] = (int)((at[r + 1] - at[r]) / bytes);
    }
}

/* ----------------------------------------------------------------------------------------------- the calls */

static void share(foci_group *g, const void *mine, size_t bytes, void *all) {
    MPI_Request request;
    MPI_Iallgather(mine, (int)bytes, MPI_BYTE, all, (int)bytes, MPI_BYTE, MPI_COMM_WORLD, &request);
    wait_for(g, &request);
}

static void collect(foci_group *g, void *all, const size_t *at) {
    const unit u = unit_of(g, at);
    int count[g->size], first[g->size];
    MPI_Request request;
    cut(g, at, u.bytes, count, first);
    MPI_Iallgatherv(MPI_IN_PLACE, 0, u.type, all, count, first, u.type, MPI_COMM_WORLD, &request);
    wait_for(g, &request);
}

static void exchange(foci_group *g, const void *sent, const size_t *to, void *got, const size_t *from) {
    const unit a = unit_of(g, to), b = unit_of(g, from);
    int sends[g->size], first_sent[g->size], gets[g->size], first_got[g->size];
    MPI_Request request;
    cut(g, to, a.bytes, sends, first_sent);
    cut(g, from, b.bytes, gets, first_got);
    MPI_Ialltoallv(sent, sends, first_sent, a.type, got, gets, first_got, b.type, MPI_COMM_WORLD, &request);
    wait_for(g, &request);
}

static void broadcast(foci_group *g, void *data, size_t bytes) {
    for (size_t done = 0; done < bytes;) {
        const size_t piece = bytes - done < MOST ? bytes - done : MOST;
        MPI_Request request;
        MPI_Ibcast((char *)data + done, (int)piece, MPI_BYTE, 0, MPI_COMM_WORLD, &request);
        wait_for(g, &request);
        done += piece;
    }
}

static void leave(foci_group *g) {
    MPI_Type_free(&line);
    MPI_Finalize();
    free(g);
}

/* Processes of this machine. */
static int count_local(void) {
    MPI_Comm local;
    int n;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &local);
    MPI_Comm_size(local, &n);
    MPI_Comm_free(&local);
    return n;
}

/* What base/join.c looks for. NULL: MPI does not start. */
foci_group *foci_group_plugin(void);

foci_group *foci_group_plugin(void) {
    int level;
    foci_group *g = calloc(1, sizeof *g);
    if (!g || MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level) != MPI_SUCCESS) {
        free(g);
        return NULL;
    }
    *g = (foci_group){.share = share,
                      .collect = collect,
                      .exchange = exchange,
                      .broadcast = broadcast,
                      .leave = leave,
                      .abort = end_all,
                      .seconds = 600};
    MPI_Comm_rank(MPI_COMM_WORLD, &g->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &g->size);
    MPI_Type_contiguous(LINE, MPI_BYTE, &line);
    MPI_Type_commit(&line);
    g->local = count_local();
    return g;
}
