/* Runs a fuzz target over files and directories of inputs: the corpus as a test.  Fails when there
 * is no input at all, so that a lost corpus is noticed. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>

#define INPUT_BYTES_MAX (4 * MIB)

static unsigned replay_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return 0;
    CLEANUP(mem_freep) uint8_t *bytes = mem_new(INPUT_BYTES_MAX);
    size_t size = fread(bytes, 1, INPUT_BYTES_MAX, file);
    bool read_all = !ferror(file);
    ignore(fclose(file)); /* it was only read */
    if (!read_all)
        return 0; /* a directory */
    /* an allocation of the exact size, so that reading past the end is found */
    CLEANUP(mem_freep) uint8_t *exact = mem_new(size);
    memcpy(exact, bytes, size);
    LLVMFuzzerTestOneInput(exact, size);
    return 1;
}

static unsigned replay_path(const char *path) {
    DIR *dir = opendir(path);
    if (!dir)
        return replay_file(path);
    unsigned count = 0;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        char name[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        count += replay_file(name);
    }
    closedir(dir);
    return count;
}

int main(int argc, char **argv) {
    unsigned count = 0;
    for (int i = 1; i < argc; i++)
        count += replay_path(argv[i]);
    printf("%u inputs\n", count);
    return count > 0 ? 0 : 1;
}
