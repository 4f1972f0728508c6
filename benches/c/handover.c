/* 64 bytes from process to process and back: the payload first, then a sequence number that says it
 * is there. The same protocol as in handover/ours.rs, step by step, on the same memory. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

enum { SEQUENCE = 0, PAYLOAD = 8, BYTES = 64, BACK = 128 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

/* Never gives way: on a busy machine the two would have their turns one after the other, and every
 * message would take a time slice.
 *
 * No two looks are the same time apart: wait_for in src/floor/bounce.rs, whose copy this is, says why. */
static void await(const unsigned char *at, uint32_t number)
{
    const uint32_t *sequence = (const uint32_t *)(at + SEQUENCE);
    unsigned looks = 0;
    double since = 0;
    uint32_t gap = (number * 0x9e3779b1u) | 1;
    while (__atomic_load_n(sequence, __ATOMIC_ACQUIRE) != number) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ volatile("isb");
#endif
        gap ^= gap << 13;
        gap ^= gap >> 17;
        gap ^= gap << 5;
        for (unsigned more = gap % 8; more > 0; more--)
            __asm__ volatile("");
        /* Whoever is silent for a minute is dead or stuck: then what came is not what was awaited. */
        if (++looks % (1u << 24) == 0) {
            if (since == 0)
                since = now();
            else if (now() - since > 60)
                return;
        }
    }
}

static void put(unsigned char *at, const unsigned char *message, uint32_t number)
{
    memcpy(at + PAYLOAD, message, BYTES);
    __atomic_store_n((uint32_t *)(at + SEQUENCE), number, __ATOMIC_RELEASE);
}

static void take(const unsigned char *at, unsigned char *message, uint32_t number)
{
    await(at, number);
    memcpy(message, at + PAYLOAD, BYTES);
}

double ask(unsigned char *start, size_t pages, size_t page, unsigned rounds)
{
    unsigned char message[BYTES] = { 0 };
    uint32_t came;
    (void)pages, (void)page;
    double before = now();
    for (uint32_t number = 1; number <= rounds; number++) {
        memcpy(message, &number, sizeof number);
        put(start, message, number);
        take(start + BACK, message, number);
        memcpy(&came, message, sizeof came);
        if (came != number)
            return -1;
    }
    return now() - before;
}

double answer(unsigned char *start, size_t pages, size_t page, unsigned rounds)
{
    unsigned char message[BYTES];
    (void)pages, (void)page;
    double before = now();
    for (uint32_t number = 1; number <= rounds; number++) {
        take(start, message, number);
        put(start + BACK, message, number);
    }
    return now() - before;
}
