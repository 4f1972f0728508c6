/* The least that catches a fault, mends the page and goes on. MORE_FLAGS may be given besides: with
 * SA_NODEFER the kernel has no mask to change, which is about 80 ns less. */
#include <unistd.h>

#include "loops.h"

#ifndef MORE_FLAGS
#define MORE_FLAGS 0
#endif

static size_t page_size;

static void mend(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    void *page = (void *)((uintptr_t)info->si_addr & ~(page_size - 1));
    if (mprotect(page, page_size, PROT_READ | PROT_WRITE) != 0)
        _exit(1); /* or the same fault would come for ever */
}

static struct sigaction before;

static int install(size_t page)
{
    struct sigaction ours = { .sa_sigaction = mend, .sa_flags = SA_SIGINFO | MORE_FLAGS };
    page_size = page;
    return sigaction(SIGSEGV, &ours, &before);
}

double walk(unsigned char *start, size_t pages, size_t page, unsigned rounds)
{
    if (install(page) != 0)
        return -1;
    double took = walk_pages(start, pages, page, rounds);
    return sigaction(SIGSEGV, &before, NULL) == 0 ? took : -1;
}

double again(unsigned char *start, size_t pages, size_t page, unsigned rounds)
{
    (void)pages;
    if (install(page) != 0)
        return -1;
    double took = one_page(start, page, rounds);
    return sigaction(SIGSEGV, &before, NULL) == 0 ? took : -1;
}
