/* The lecture's Example 2, mended: shared memory using mmap.
 *
 *   note FILE write            each line of standard input becomes the note
 *   note FILE read [TIMES]     prints the note every 10 ms
 *
 * Mended: a mode for O_CREAT; the reader neither creates nor writes; the file has a whole page, so
 * that what is stored reaches the disk; lines are bounded; every call is checked; input ends. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ROOM = 256 };

static void check(int ok, const char *call)
{
    if (!ok) {
        perror(call);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: note FILE read|write\n");
        return 2;
    }
    int writes = strcmp(argv[2], "write") == 0;
    long page = sysconf(_SC_PAGESIZE);
    int fd = open(argv[1], writes ? O_RDWR | O_CREAT : O_RDONLY, 0600);
    check(fd >= 0, "open");
    /* Never shorter than it is: ftruncate would cut. */
    if (writes && lseek(fd, 0, SEEK_END) < page)
        check(ftruncate(fd, page) == 0, "ftruncate");
    char *memory = mmap(NULL, page, writes ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
    check(memory != MAP_FAILED, "mmap");
    close(fd);
    if (writes) {
        char line[ROOM];
        while (fgets(line, sizeof line, stdin)) {
            line[strcspn(line, "\n")] = '\0';
            strcpy(memory, line);
        }
    } else {
        for (int left = argc > 3 ? atoi(argv[3]) : -1; left != 0; left--) {
            printf("%.*s\n", ROOM, memory);
            fflush(stdout);
            usleep(10000);
        }
    }
    return munmap(memory, page) == 0 ? 0 : 1;
}
