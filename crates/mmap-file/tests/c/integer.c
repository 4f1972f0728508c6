/* The lecture's Example 1, mended: reads an integer out of a mapped file.
 *
 * Mended: (fd = open(...)) < 0, with its own parentheses; nothing is written; the length is looked
 * at first, as an empty file would be SIGBUS. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int fd;
    struct stat found;
    if (argc != 2 || (fd = open(argv[1], O_RDONLY)) < 0 || fstat(fd, &found) < 0) {
        perror("open");
        return 1;
    }
    if (found.st_size < (off_t)sizeof(int)) {
        fprintf(stderr, "too short\n");
        return 1;
    }
    void *region = mmap(NULL, sizeof(int), PROT_READ, MAP_SHARED, fd, 0);
    if (region == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    close(fd);
    printf("%d\n", *(int *)region);
    return 0;
}
