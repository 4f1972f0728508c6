/* C's way to try an access: remember where we are, and jump back out of the handler. The signal
 * mask is saved with it (the 1), or the signal would stay blocked after the first jump. */
#include <setjmp.h>

#include "loops.h"

static sigjmp_buf net;
static void *volatile where;

static void jump_out(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    where = info->si_addr;
    siglongjmp(net, 1);
}

static int try_read(const volatile unsigned char *from, volatile unsigned char *into)
{
    if (sigsetjmp(net, 1) != 0)
        return 0;
    *into = *from;
    return 1;
}

/* `rounds` reads, each of a page that a multiplication picks. */
static double reads(unsigned char *start, size_t pages, size_t page, unsigned rounds, int expected)
{
    struct sigaction ours = { .sa_sigaction = jump_out, .sa_flags = SA_SIGINFO }, before;
    volatile unsigned char byte;
    unsigned as_expected = 0;
    if (sigaction(SIGSEGV, &ours, &before) != 0)
        return -1;
    double begun = now();
    for (unsigned round = 0; round < rounds; round++) {
        size_t at = ((size_t)(round * 0x9e3779b1u) * pages) >> 32;
        as_expected += try_read(start + at * page, &byte) == expected;
    }
    double took = now() - begun;
    int restored = sigaction(SIGSEGV, &before, NULL);
    return restored == 0 && as_expected == rounds ? took : -1;
}

double fails(unsigned char *start, size_t pages, size_t page, unsigned rounds)
{
    return reads(start, pages, page, rounds, 0);
}

double succeeds(unsigned char *start, size_t pages, size_t page, unsigned rounds)
{
    return reads(start, pages, page, rounds, 1);
}
