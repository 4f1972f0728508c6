/* The program of the slides "Shared Memory example", written anew with its mistakes mended.
 *
 *   shmdemo FILE          prints the text in the segment whose key is ftok(FILE, 'R')
 *   shmdemo FILE TEXT     writes TEXT into it, creating it if it is missing
 *   shmdemo -r FILE       marks it for removal, which the slides never do
 *
 * Against the slides: FILE is an argument, since a relative "shmdemo.c" depends on the folder; an
 * existing segment is opened as it is, whatever its size; a reader attaches read-only; the text
 * always ends with a NUL, and printing stops at the segment's end. Like the slides' program it takes
 * no lock: that is what makes it a foreign peer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#define SHM_SIZE 1024

static void check(int failed, const char *call)
{
    if (failed) {
        perror(call);
        exit(1);
    }
}

int main(int argc, char *argv[])
{
    int removing = argc == 3 && strcmp(argv[1], "-r") == 0;
    int writing = argc == 3 && !removing;
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: shmdemo FILE [TEXT] | shmdemo -r FILE\n");
        return 2;
    }

    key_t key = ftok(removing ? argv[2] : argv[1], 'R');
    check(key == -1, "ftok");

    int id = shmget(key, 0, 0);
    if (id == -1 && writing)
        id = shmget(key, SHM_SIZE, 0600 | IPC_CREAT | IPC_EXCL);
    check(id == -1, "shmget");

    if (removing) {
        check(shmctl(id, IPC_RMID, NULL) == -1, "shmctl");
        return 0;
    }

    char *data = shmat(id, NULL, writing ? 0 : SHM_RDONLY);
    check(data == (char *)-1, "shmat");
    struct shmid_ds state;
    check(shmctl(id, IPC_STAT, &state) == -1, "shmctl");

    if (writing) {
        if (strlen(argv[2]) >= state.shm_segsz) {
            fprintf(stderr, "shmdemo: the text does not fit into %zu bytes\n", state.shm_segsz);
            return 1;
        }
        strcpy(data, argv[2]);
    } else {
        printf("%.*s\n", (int)state.shm_segsz, data);
    }

    check(shmdt(data) == -1, "shmdt");
    return 0;
}
