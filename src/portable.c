/* Linked into the portable executable alone, in place of hypot: glibc 2.35 gave it a new version, whose only difference
 * is that it leaves errno to itself. The first one is in every glibc. */
#if defined __x86_64__
#define FIRST "GLIBC_2.2.5"
#elif defined __aarch64__
#define FIRST "GLIBC_2.17"
#endif

__asm__(".symver first_hypot, hypot@" FIRST);
double first_hypot(double x, double y);

double __wrap_hypot(double x, double y);
double __wrap_hypot(double x, double y) { return first_hypot(x, y); }
