/* One journal file, as https://systemd.io/JOURNAL_FILE_FORMAT has it. Whatever is not as it should be is left to
 * libsystemd: each number that is read here may be anybody's. */
#include "archive.h"

#include <endian.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DATA = 1, ENTRY = 3, ENTRY_ARRAY = 6 };                       /* objects */
enum { KEYED_HASH = 4, ZSTD = 8, COMPACT = 16 };                     /* incompatible flags of a file */
enum { OFFLINE = 0, ARCHIVED = 2 };                                  /* states of a file */
enum { HEADER = 208, OBJECT = 16, ARRAY_ITEMS = 24, ENTRY_ITEMS = 64 };
enum { DATA_BYTES = 64, DATA_BYTES_COMPACT = 72 };
#define PACKED_BY_ZSTD 4                                             /* a flag of a data object */
#define LARGEST ((uint64_t)1 << 40)                                  /* bytes of a file */
#define LATEST ((uint64_t)1 << 55)                                   /* µs: libsystemd takes no later time */

static uint64_t number(const uint8_t *at) {
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return le64toh(value);
}

static uint32_t half(const uint8_t *at) {
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return le32toh(value);
}

/* An object of a type, that has at least so many bytes. */
static const uint8_t *object(const File *file, uint64_t offset, int type, uint64_t least, uint64_t *size) {
    if (offset % 8 != 0 || offset < HEADER || offset > file->end || file->end - offset < least)
        return NULL;
    const uint8_t *found = file->map + offset;
    *size = number(found + 8);
    return found[0] == type && *size >= least && *size <= file->end - offset ? found : NULL;
}

static int is_known(File *file, const struct stat *found) {
    const uint8_t *header = file->map;
    uint32_t flags = half(header + 12);
    uint64_t begin = number(header + 88), arena = number(header + 96);
    if (memcmp(header, "LPKSHHRH", 8) != 0 || (flags & ~(KEYED_HASH | ZSTD | COMPACT)) != 0 || begin < HEADER ||
        begin % 8 != 0 || begin > file->size || arena > file->size - begin)
        return 0;
    file->end = begin + arena;
    file->is_compact = (flags & COMPACT) != 0;
    file->is_whole = header[16] == ARCHIVED || (file->is_whole && header[16] == OFFLINE);
    file->device = found->st_dev;
    file->inode = found->st_ino;
    memcpy(file->seqnum_id, header + 72, 16);
    memcpy(file->tail_boot, header + 56, 16);
    file->entries = number(header + 152);
    file->tail_seqnum = number(header + 160);
    file->head_seqnum = number(header + 168);
    file->tail_realtime = number(header + 192);
    return file->entries > 0;
}

/* Map a file; `is_whole`: its name says that nothing is added. */
int archive_map(File *file, const char *path, int is_whole) {
    struct stat found;
    *file = (File){.is_whole = is_whole, .path = strdup(path)};
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0 || file->path == NULL) {
        if (descriptor >= 0)
            close(descriptor);
        return 0;
    }
    void *map = MAP_FAILED;
    if (fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode) && found.st_size >= HEADER &&
        (uint64_t)found.st_size < LARGEST && (uint64_t)found.st_size < SIZE_MAX / 2)
        map = mmap(NULL, found.st_size, PROT_READ, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (map == MAP_FAILED)
        return 0;
    file->map = map;
    file->size = found.st_size;
    return is_known(file, &found);
}

void archive_unmap(File *file) {
    if (file->map != NULL)
        munmap((void *)file->map, file->size);
    file->map = NULL;
    free(file->parts);
    file->parts = NULL;
    free(file->path);
    file->path = NULL;
}

static uint64_t width(const File *file) { return file->is_compact ? 4 : 8; }

/* Find where the list of entries lies, up to an entry: it is in parts that are linked. */
static int find_part(File *file, uint64_t index) {
    uint64_t size, first = 0, offset = number(file->map + 176);
    if (file->parts == NULL && (file->parts = malloc(MOST_PARTS * sizeof *file->parts)) == NULL)
        return 0;
    if (file->part_count > 0) {
        const Part *last = &file->parts[file->part_count - 1];
        first = last->first + last->count;
        offset = last->next;
    }
    while (first <= index) {
        const uint8_t *array = object(file, offset, ENTRY_ARRAY, ARRAY_ITEMS, &size);
        if (array == NULL || array[1] != 0 || file->part_count == MOST_PARTS || size == ARRAY_ITEMS ||
            (size - ARRAY_ITEMS) % width(file) != 0)
            return 0;
        uint64_t next = number(array + OBJECT), count = (size - ARRAY_ITEMS) / width(file);
        if (next != 0 && next <= offset)
            return 0;
        file->parts[file->part_count++] = (Part){offset, next, first, count};
        first += count;
        offset = next;
    }
    return 1;
}

/* The entry of a number. */
int archive_entry(File *file, uint64_t index, Place *place) {
    uint64_t size;
    if (index >= file->entries || !find_part(file, index))
        return 0;
    int at = file->part_count - 1;   /* the later, the longer */
    while (file->parts[at].first > index)
        at--;
    const uint8_t *items = file->map + file->parts[at].offset + ARRAY_ITEMS;
    const uint8_t *item = items + (index - file->parts[at].first) * width(file);
    place->offset = file->is_compact ? half(item) : number(item);
    const uint8_t *entry = object(file, place->offset, ENTRY, ENTRY_ITEMS + width(file), &size);
    uint64_t each = file->is_compact ? 4 : 16;
    if (entry == NULL || entry[1] != 0 || (size - ENTRY_ITEMS) % each != 0 || size - ENTRY_ITEMS < each)
        return 0;
    place->file = file;
    place->bytes = entry;
    place->items = (size - ENTRY_ITEMS) / each;
    Stamp *stamp = &place->stamp;
    stamp->seqnum = number(entry + 16);
    stamp->realtime = number(entry + 24);
    stamp->monotonic = number(entry + 32);
    memcpy(stamp->boot, entry + 40, 16);
    stamp->xor_hash = number(entry + 56);
    static const uint8_t none[16];
    return stamp->seqnum > 0 && stamp->realtime > 0 && stamp->realtime < LATEST && stamp->monotonic < LATEST &&
           memcmp(stamp->boot, none, sizeof none) != 0;
}

/* Where a field of an entry lies. */
uint64_t archive_item(const Place *place, uint64_t number_of_item) {
    const uint8_t *items = place->bytes + ENTRY_ITEMS;
    return place->file->is_compact ? half(items + 4 * number_of_item) : number(items + 16 * number_of_item);
}

/* A field: its name, an equals sign and its value, which entries share; `uses`: how many entries have it. */
const uint8_t *archive_data(const File *file, uint64_t offset, uint64_t *length, int *is_packed, uint64_t *uses) {
    uint64_t size, begin = file->is_compact ? DATA_BYTES_COMPACT : DATA_BYTES;
    const uint8_t *data = object(file, offset, DATA, begin + 1, &size);
    if (data == NULL || (data[1] & ~PACKED_BY_ZSTD) != 0)
        return NULL;
    uint64_t next_hash = number(data + 24), next_field = number(data + 32), entry = number(data + 40),
             array = number(data + 48);
    *uses = number(data + 56);
    if ((entry == 0) != (*uses == 0) || (next_hash | next_field | entry | array) % 8 != 0)
        return NULL;         /* as libsystemd has it */
    *is_packed = data[1] != 0;
    *length = size - begin;
    return data + begin;
}
