/* Runs one fuzz target over the files of directories, once each: what `make test-fuzz` links instead of libFuzzer, with
 * the objects that the other tests use. Ends non-zero where there is nothing to run; a fault is the sanitizer's to tell,
 * behind the name of the file on standard error. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

/* The input lies in memory of its own size, so that a byte read behind it is noticed. */
static int run(const char *path)
{
    struct stat found;
    if (stat(path, &found) || !S_ISREG(found.st_mode))
        return 0;
    fprintf(stderr, "%s\n", path);
    size_t size = (size_t)found.st_size;
    uint8_t *data = malloc(size ? size : 1);
    FILE *file = fopen(path, "rb");
    if (!data || !file || fread(data, 1, size, file) != size) {
        perror(path);
        exit(1);
    }
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

int main(int argc, char **argv)
{
    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    int count = 0;
    for (int i = 1; i < argc; i++) {
        DIR *directory = opendir(argv[i]);
        if (!directory) {
            perror(argv[i]);
            return 1;
        }
        for (struct dirent *entry; (entry = readdir(directory));) {
            char path[4096];
            snprintf(path, sizeof(path), "%s/%s", argv[i], entry->d_name);
            count += run(path);
        }
        closedir(directory);
    }
    printf("%d inputs of its corpus passed\n", count);
    return count == 0;
}
