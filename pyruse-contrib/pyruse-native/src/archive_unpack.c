/* Unpacking fields with libzstd, where libsystemd brings it: it is no more that has to be there to build or to run. */
#include "archive.h"

#include <dlfcn.h>
#include <stdlib.h>

/* zstd.h, stable since 1.3. */
typedef unsigned long long (*Size)(const void *, size_t);
typedef void *(*Make)(void);
typedef size_t (*Free)(void *);
typedef size_t (*Unpack)(void *, void *, size_t, const void *, size_t);

static struct {
    int is_sought;
    Size size;
    Make make;
    Free free;
    Unpack unpack;
} zstd;

static int is_there(void) {
    if (!zstd.is_sought) {
        zstd.is_sought = 1;
        void *library = dlopen("libzstd.so.1", RTLD_NOW | RTLD_LOCAL);  /* it is kept: libsystemd keeps it, too */
        if (library != NULL) {
            *(void **)&zstd.size = dlsym(library, "ZSTD_getFrameContentSize");
            *(void **)&zstd.make = dlsym(library, "ZSTD_createDCtx");
            *(void **)&zstd.free = dlsym(library, "ZSTD_freeDCtx");
            *(void **)&zstd.unpack = dlsym(library, "ZSTD_decompressDCtx");
        }
    }
    return zstd.size != NULL && zstd.make != NULL && zstd.free != NULL && zstd.unpack != NULL;
}

void archive_forget_unpacker(Archive *archive) {
    free(archive->unpacked);
    if (archive->unpacker != NULL)
        zstd.free(archive->unpacker);
}

int archive_unpack(Archive *archive, const uint8_t *packed, uint64_t length, const uint8_t **bytes,
                   uint64_t *unpacked) {
    if (!is_there())
        return 0;
    if (archive->unpacked == NULL)
        archive->unpacked = malloc(ARCHIVE_LONGEST);
    if (archive->unpacker == NULL)
        archive->unpacker = zstd.make();
    unsigned long long size = zstd.size(packed, length);  /* the two largest numbers: it is not known, or no frame */
    if (archive->unpacked == NULL || archive->unpacker == NULL || size == 0 || size > ARCHIVE_LONGEST)
        return 0;
    if (zstd.unpack(archive->unpacker, archive->unpacked, ARCHIVE_LONGEST, packed, length) != size)
        return 0;
    *bytes = archive->unpacked;
    *unpacked = size;
    return 1;
}
