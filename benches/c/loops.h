/* The loops around a fault: the same for every handler, and the same as in mend.rs. Each returns
 * seconds, or less than 0 if a call failed. Its handler is installed for as long as it runs; then
 * the one before is back. */
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>

static inline double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

/* A fault for each page in turn. Closing them again is not timed. */
static inline double walk_pages(volatile unsigned char *start, size_t pages, size_t page,
                                unsigned rounds)
{
    double total = 0;
    for (unsigned round = 0; round < rounds; round++) {
        if (mprotect((void *)start, pages * page, PROT_READ) != 0)
            return -1;
        double before = now();
        for (size_t at = 0; at < pages * page; at += page)
            start[at] = 1;
        total += now() - before;
    }
    return total;
}

/* The first page again and again; closing it is timed. */
static inline double one_page(volatile unsigned char *start, size_t page, unsigned rounds)
{
    double before = now();
    for (unsigned round = 0; round < rounds; round++) {
        if (mprotect((void *)start, page, PROT_READ) != 0)
            return -1;
        start[0] = 1;
    }
    return now() - before;
}
