/* Journal files that are read without libsystemd (docs/decisions: archived files are read directly).
 *
 * libsystemd stays open on the same files, and is what is right: it says where reading begins, and goes on wherever
 * something is not certain. Then it is sent to the entry that was read last, by its cursor. So nothing here has to be
 * able to do all: it has to notice what it does not know. */
#ifndef PYRUSE_ARCHIVE_H
#define PYRUSE_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

/* By what entries are ordered and known again. */
typedef struct {
    uint64_t seqnum, realtime, monotonic, xor_hash;
    uint8_t boot[16];
} Stamp;

/* A part of the list of a file's entries. */
typedef struct {
    uint64_t offset, next, first, count;
} Part;

#define MOST_PARTS 128       /* journald doubles them */

typedef struct {
    char *path;
    const uint8_t *map;
    uint64_t size;           /* bytes that are mapped … */
    uint64_t end;            /* … and up to where the file has objects */
    uint64_t device, inode;
    uint8_t seqnum_id[16];
    uint64_t entries, head_seqnum, tail_seqnum;
    int is_whole;            /* nothing is added any more; of another file, the first entry alone is looked at */
    int is_compact;
    uint8_t tail_boot[16];
    uint64_t tail_realtime;  /* 0: it is not known whose the last entry is */
    Part *parts;             /* those that were needed so far; NULL: none */
    int part_count;
    /* The first entry that is not given yet. */
    enum { UNKNOWN, READY, DONE } state;
    uint64_t index, offset;
    Stamp next;
    uint64_t next_last;      /* when the boot of `next` was seen last, in any file; 0: nobody knows */
} File;

/* An entry, as it lies in a file. */
typedef struct {
    File *file;
    Stamp stamp;
    uint64_t offset, items;
    const uint8_t *bytes;
} Place;

/* Where libsystemd was sent: it looks for that in each file, and goes on from there. */
typedef enum { TO_HEAD, TO_ENTRY, TO_TIME, TO_TAIL } Sought;

typedef struct {
    File *files;
    int count;
    Sought sought;
    uint64_t since;          /* TO_TIME: this instant */
    int is_off;              /* it is left to libsystemd, until somebody seeks */
    int is_at;               /* `at` is the current entry: reading is direct */
    Place at;
    /* The file that is read: its entries of a boot come next as long as they are before these of all others. */
    File *first;             /* NULL: it is to be chosen */
    uint8_t boot[16];
    uint64_t seqnum, monotonic, realtime;
    int pause, pauses;       /* so many times it is not tried to begin; and how long the last pause was */
    uint64_t given;          /* entries, since reading became direct */
    uint8_t *unpacked;       /* ARCHIVE_LONGEST bytes; NULL until it is needed */
    void *unpacker;
} Archive;

#define ARCHIVE_LONGEST (64 << 10)  /* bytes of a field that are unpacked; of a longer one, libsystemd is asked */

/* archive_file.c: what a file says. 0: it is not what is known of journal files, so libsystemd is to read it. */
int archive_map(File *file, const char *path, int is_whole);
void archive_unmap(File *file);
int archive_entry(File *file, uint64_t index, Place *place);
const uint8_t *archive_data(const File *file, uint64_t offset, uint64_t *length, int *is_packed, uint64_t *uses);
uint64_t archive_item(const Place *place, uint64_t number);

/* archive_unpack.c: the bytes of what is packed. 0: libsystemd is to be asked. */
void archive_forget_unpacker(Archive *archive);
int archive_unpack(Archive *archive, const uint8_t *packed, uint64_t length, const uint8_t **bytes, uint64_t *unpacked);

/* archive.c: the files together. */
Archive *archive_open(const char **paths, const char *whole, int count);
void archive_close(Archive *archive);
int archive_is_of(Archive *archive, const char **paths);
void archive_leave(Archive *archive, Sought sought, uint64_t since);
int archive_begin(Archive *archive, const uint8_t *seqnum_id, const Stamp *stamp);
int archive_next(Archive *archive);

#endif
