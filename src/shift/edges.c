#include "shift/edges.h"

#include <stdlib.h>

#include "shift/picture.h"

typedef struct slope {
    int dx, dy, size; /* Sobel; size = |dx| + |dy| */
} slope;

static int grey(const foci_picture *p, int x, int y) {
    x = foci_border_index(x, p->width, FOCI_NEAREST);
    y = foci_border_index(y, p->height, FOCI_NEAREST);
    return (int)(*foci_picture_pixel(p, x, y) * 255 + 0.5f);
}

static slope slope_at(const foci_picture *p, int x, int y) {
    int dx = 0, dy = 0;
    for (int k = -1; k <= 1; k++) {
        const int weight = k ? 1 : 2;
        dx += weight * (grey(p, x + 1, y + k) - grey(p, x - 1, y + k));
        dy += weight * (grey(p, x + k, y + 1) - grey(p, x + k, y - 1));
    }
    return (slope){dx, dy, abs(dx) + abs(dy)};
}

static int size_at(const slope *s, int width, int height, int x, int y) {
    return x < 0 || y < 0 || x >= width || y >= height ? 0 : s[(int64_t)y * width + x].size;
}

/* Is it the steepest along its own direction, which is one of four? Of two equals along a row or column the first is;
 * along a diagonal neither. */
static bool is_ridge(const slope *s, int width, int height, int x, int y) {
    const slope *here = s + (int64_t)y * width + x;
    const double across = abs(here->dx), down = abs(here->dy);
    int step_x = 1, step_y = 1;
    if (down < 0.41421356237309503 * across) step_y = 0;
    else if (down > 2.414213562373095 * across) step_x = 0;
    else if ((here->dx < 0) != (here->dy < 0)) step_x = -1;
    const int before = size_at(s, width, height, x - step_x, y - step_y),
              after = size_at(s, width, height, x + step_x, y + step_y);
    return here->size > before && (step_x && step_y ? here->size > after : here->size >= after);
}

/* edge[i]: 1 on a ridge above `high`; WEAK on one above `low`. The strong ones go to the stack; returns how many. */
enum { WEAK = 2 };
static int64_t find_ridges(const slope *s, int width, int height, int low, int high, unsigned char *edge,
                           int32_t *stack) {
    int64_t strong = 0;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const int64_t i = (int64_t)y * width + x;
            const bool ridge = s[i].size > low && is_ridge(s, width, height, x, y);
            edge[i] = !ridge ? 0 : s[i].size > high ? 1 : WEAK;
            if (edge[i] == 1) stack[strong++] = (int32_t)i;
        }
    return strong;
}

/* Weak ones that are joined to strong ones, the `left` on the stack, are edges too. */
static void follow(int width, int height, unsigned char *edge, int32_t *stack, int64_t left) {
    while (left) {
        const int x = stack[--left] % width, y = stack[left] / width;
        for (int k = 0; k < 9; k++) {
            const int nx = x + k % 3 - 1, ny = y + k / 3 - 1;
            const int64_t i = (int64_t)ny * width + nx;
            if (nx < 0 || ny < 0 || nx >= width || ny >= height || edge[i] != WEAK) continue;
            edge[i] = 1;
            stack[left++] = (int32_t)i;
        }
    }
    for (int64_t i = 0; i < (int64_t)width * height; i++) edge[i] = edge[i] == 1;
}

foci_status foci_find_edges(const foci_picture *p, int low, int high, unsigned char *edge) {
    const int64_t n = foci_picture_count(p);
    slope *s = malloc((size_t)n * sizeof *s);
    int32_t *stack = malloc((size_t)n * sizeof *stack);
    if (s && stack) {
        for (int64_t i = 0; i < n; i++) s[i] = slope_at(p, (int)(i % p->width), (int)(i / p->width));
        follow(p->width, p->height, edge, stack, find_ridges(s, p->width, p->height, low, high, edge, stack));
    }
    const bool done = s && stack;
    free(s);
    free(stack);
    return done ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory for the edges of an image");
}
