/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c - runs a fuzzer's function over every file of a folder: the kept corpus as an ordinary test. */
#include "fuzz.h"

#include <dirent.h>
#include <stdlib.h>

static int replay(const char *path)
{
    static uint8_t bytes[1 << 20];
    FILE *f = fopen(path, "rb");

    if (!f)
        return 1;
    size_t n = fread(bytes, 1, sizeof(bytes), f);
    fclose(f);
    /* a copy of exactly this size, so that a sanitizer sees a byte too far */
    uint8_t *copy = malloc(n ? n : 1);
    if (!copy)
        return 1;
    memcpy(copy, bytes, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
    return 0;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    unsigned files = 0;

    if (!folder) {
        fprintf(stderr, "usage: replay FOLDER\n");
        return 2;
    }
    for (struct dirent *e; (e = readdir(folder));) {
        char path[4096];
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", argv[1], e->d_name);
        if (replay(path)) {
            fprintf(stderr, "cannot read %s\n", path);
            return 1;
        }
        files++;
    }
    closedir(folder);
    printf("%u files\n", files);
    return files ? 0 : 1;
}
