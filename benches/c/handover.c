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

/* How both sides wait: the very same machine code. The length of a loop decides how two that wait for
 * each other fall into step, and that decides more than any copy does. */
typedef void waiting(const uint32_t *, uint32_t);
static waiting *await;

void wait_by(waiting *how)
{
    await = how;
}

static void put(unsigned char *at, const unsigned char *message, uint32_t number)
{
    memcpy(at + PAYLOAD, message, BYTES);
    __atomic_store_n((uint32_t *)(at + SEQUENCE), number, __ATOMIC_RELEASE);
}

static void take(const unsigned char *at, unsigned char *message, uint32_t number)
{
    await((const uint32_t *)(at + SEQUENCE), number);
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
