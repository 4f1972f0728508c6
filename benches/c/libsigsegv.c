/* The same with GNU libsigsegv: its handler, its table of areas. */
#include <sigsegv.h>

#include "loops.h"

static sigsegv_dispatcher areas;
static struct sigaction before;
static void *ticket;

static int mend(void *address, void *page_size)
{
    uintptr_t page = (uintptr_t)address & ~(*(size_t *)page_size - 1);
    return mprotect((void *)page, *(size_t *)page_size, PROT_READ | PROT_WRITE) == 0;
}

static int dispatch(void *address, int serious)
{
    (void)serious;
    return sigsegv_dispatch(&areas, address);
}

static int install(unsigned char *start, size_t len, size_t *page)
{
    if (sigaction(SIGSEGV, NULL, &before) != 0)
        return -1;
    sigsegv_init(&areas);
    ticket = sigsegv_register(&areas, start, len, mend, page);
    return sigsegv_install_handler(dispatch);
}

static int leave(void)
{
    sigsegv_deinstall_handler();
    sigsegv_unregister(&areas, ticket);
    return sigaction(SIGSEGV, &before, NULL);
}

double walk(unsigned char *start, size_t pages, size_t page, unsigned rounds)
{
    if (install(start, pages * page, &page) != 0)
        return -1;
    double took = walk_pages(start, pages, page, rounds);
    return leave() == 0 ? took : -1;
}

double again(unsigned char *start, size_t pages, size_t page, unsigned rounds)
{
    if (install(start, pages * page, &page) != 0)
        return -1;
    double took = one_page(start, page, rounds);
    return leave() == 0 ? took : -1;
}
