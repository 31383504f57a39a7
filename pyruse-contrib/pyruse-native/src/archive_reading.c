/* A reader's entries, directly from its files as long as all is certain there (archive.h), else by libsystemd. */
#include "native.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KNOWN 4096           /* fields whose bytes need not be looked at again */
#define LONGEST_KNOWN 256    /* bytes */
#define MOST_FAULTS 1000     /* of entries that are damaged */
#define FILE_AT 40           /* bits: archive_file.c takes no larger files */

/* What is known of a field, by where it lies: entries that have the same value share it. */
struct Known {
    uint64_t key;            /* 0: nothing is kept here */
    int number;              /* of the field; -1: nobody asks for it */
    PyObject *value;         /* NULL: it is to be made of the bytes */
};

static void forget_known(Reader *self) {
    for (int i = 0; self->known != NULL && i < KNOWN; i++) {
        self->known[i].key = 0;
        Py_CLEAR(self->known[i].value);
    }
}

void close_archive(Reader *self) {
    forget_known(self);
    PyMem_Free(self->known);
    self->known = NULL;
    if (self->archive != NULL)
        archive_close(self->archive);
    self->archive = NULL;
}

int is_read_directly(const Reader *self) { return self->archive != NULL && self->archive->is_at; }

/* As sd_journal_get_cursor(3) has it. */
static void write_cursor(const Reader *self, char *text, size_t size) {
    const Place *at = &self->archive->at;
    char ids[2][33];
    for (int i = 0; i < 16; i++) {
        snprintf(ids[0] + 2 * i, 3, "%02x", at->file->seqnum_id[i]);
        snprintf(ids[1] + 2 * i, 3, "%02x", at->stamp.boot[i]);
    }
    snprintf(text, size, "s=%s;i=%" PRIx64 ";b=%s;m=%" PRIx64 ";t=%" PRIx64 ";x=%" PRIx64, ids[0], at->stamp.seqnum,
             ids[1], at->stamp.monotonic, at->stamp.realtime, at->stamp.xor_hash);
}

#define CURSOR 192           /* characters */

/* Where it seeks, libsystemd looks into the index of each file, and lets go those in which it is damaged; one entry after
 * the other, it reads them. So it goes to an entry once more, from the beginning on. */
static void go_step_by_step(Reader *self, const char *cursor) {
    Archive *archive = self->archive;
    const char **paths = calloc(archive->count + 1, sizeof *paths);
    sd_journal *journal = NULL;
    size_t threshold;
    uint64_t time_us;
    int is_there = 0;
    for (int i = 0; paths != NULL && i < archive->count; i++)
        paths[i] = archive->files[i].path;
    if (paths != NULL && archive_is_of(archive, paths) && sd_journal_open_files(&journal, paths, 0) >= 0 &&
        sd_journal_get_data_threshold(self->journal, &threshold) >= 0 &&
        sd_journal_set_data_threshold(journal, threshold) >= 0)
        for (int faults = 0, found = 1; !is_there && found != 0 && faults < MOST_FAULTS;) {
            found = sd_journal_next(journal);
            if (found < 0 || (found > 0 && sd_journal_get_realtime_usec(journal, &time_us) < 0))
                faults++;
            else
                is_there = found > 0 && time_us == archive->at.stamp.realtime &&
                           sd_journal_test_cursor(journal, cursor) > 0;
        }
    free(paths);
    if (is_there) {
        sd_journal_close(self->journal);
        self->journal = journal;
    } else if (journal != NULL)
        sd_journal_close(journal);
}

/* Have libsystemd go on, from the entry that was read last. Where that cannot be found any more, it is before the one
 * that follows. */
void leave_archive(Reader *self) {
    char cursor[CURSOR];
    uint64_t before = 0, after = 0;
    if (!is_read_directly(self))
        return;
    write_cursor(self, cursor, sizeof cursor);
    self->archive->is_at = 0;
    Py_BEGIN_ALLOW_THREADS
    sd_journal_get_usage(self->journal, &before);
    int is_there = sd_journal_seek_cursor(self->journal, cursor) >= 0 && sd_journal_next(self->journal) > 0 &&
                   sd_journal_test_cursor(self->journal, cursor) > 0;
    if (!is_there)
        sd_journal_seek_cursor(self->journal, cursor);
    sd_journal_get_usage(self->journal, &after);
    if (!is_there || after < before) {
        self->archive->is_off = 1;
        go_step_by_step(self, cursor);
    }
    Py_END_ALLOW_THREADS
}

/* Somebody seeks. */
void forget_archive(Reader *self, Sought sought, uint64_t since) {
    if (self->archive != NULL)
        archive_leave(self->archive, sought, since);
}

static int take_id(const char *text, uint8_t *id) {
    for (int i = 0; i < 16; i++) {
        unsigned byte;
        if (sscanf(text + 2 * i, "%2x", &byte) != 1)
            return 0;
        id[i] = byte;
    }
    return 1;
}

/* Read directly from the current entry of libsystemd on, if that can be. */
void enter_archive(Reader *self) {
    Archive *archive = self->archive;
    char ids[2][33], *cursor;
    uint8_t seqnum_id[16];
    Stamp stamp;
    if (archive == NULL || archive->is_at || archive->is_off || !self->is_direct || self->has_matches || !is_guarded)
        return;
    if (archive->pause > 0) {
        archive->pause--;
        return;
    }
    if (sd_journal_get_cursor(self->journal, &cursor) < 0)
        return;
    int count = sscanf(cursor, "s=%32[0-9a-f];i=%" SCNx64 ";b=%32[0-9a-f];m=%" SCNx64 ";t=%" SCNx64 ";x=%" SCNx64,
                       ids[0], &stamp.seqnum, ids[1], &stamp.monotonic, &stamp.realtime, &stamp.xor_hash);
    free(cursor);
    if (count == 6 && strlen(ids[0]) == 32 && strlen(ids[1]) == 32 && take_id(ids[0], seqnum_id) &&
        take_id(ids[1], stamp.boot))
        archive_begin(archive, seqnum_id, &stamp);
}

/* Go to the next entry. 1: there is one; 0: there is none (yet); else an error number, negative. */
int next_entry(Reader *self) {
    int result;
    self->place++;
    if (is_read_directly(self)) {
        if (archive_next(self->archive)) {
            self->given_directly++;
            return 1;
        }
        leave_archive(self);
    }
    Py_BEGIN_ALLOW_THREADS
    result = sd_journal_next(self->journal);
    Py_END_ALLOW_THREADS
    return result;
}

/* The instant of the current entry; else an error number, negative. */
int time_of_entry(Reader *self, uint64_t *time_us) {
    if (!is_read_directly(self))
        return sd_journal_get_realtime_usec(self->journal, time_us);
    *time_us = self->archive->at.stamp.realtime;
    return 0;
}

PyObject *cursor_directly(Reader *self) {
    char cursor[CURSOR];
    write_cursor(self, cursor, sizeof cursor);
    return PyUnicode_FromString(cursor);
}

/* -- Fields */

/* The bytes of a field of the current entry. 0: libsystemd is to be asked. */
static int bytes_at(Reader *self, uint64_t offset, const char **bytes, size_t *length, uint64_t *uses) {
    const uint8_t *found;
    uint64_t size;
    int is_packed;
    found = archive_data(self->archive->at.file, offset, &size, &is_packed, uses);
    if (found == NULL || (is_packed && !archive_unpack(self->archive, found, size, &found, &size)))
        return 0;
    *bytes = (const char *)found;
    *length = size;
    return 1;
}

/* As sd_journal_enumerate_data(3): an entry's fields, one after the other. 1: here it is; 0: that is all; -1: libsystemd
 * is to be asked. `item`: 0 at first. */
int field_directly(Reader *self, uint64_t *item, const char **bytes, size_t *length) {
    uint64_t uses;
    size_t threshold;
    const Place *at = &self->archive->at;
    if (*item == at->items)
        return 0;
    if (!bytes_at(self, archive_item(at, (*item)++), bytes, length, &uses) ||
        sd_journal_get_data_threshold(self->journal, &threshold) < 0)
        return -1;
    if (*bytes == (const char *)self->archive->unpacked && threshold > 0 && *length > threshold)
        *length = threshold;
    return 1;
}

/* Keep what was found out of a field that several entries have. */
static void keep(Reader *self, struct Known *known, uint64_t key, int number, size_t length) {
    Field *field = number < 0 ? NULL : self->fields[number];
    PyObject *value = field == NULL || length > LONGEST_KNOWN ? NULL : field->value;
    Py_XINCREF(value);
    REPLACE(known->value, value);
    known->key = key;
    known->number = number;
}

/* See `walk_to`: the same, in the files themselves. */
int walk_directly(Reader *self, int wanted) {
    const Place *at = &self->archive->at;
    uint64_t file = (uint64_t)(at->file - self->archive->files) << FILE_AT;
    if (self->known == NULL && (self->known = PyMem_Calloc(KNOWN, sizeof *self->known)) == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (self->known_count != self->count) {  /* somebody asks for more fields now */
        forget_known(self);
        self->known_count = self->count;
    }
    while (self->walk == WALKING) {
        const char *bytes;
        size_t length;
        uint64_t uses;
        if (self->item == at->items) {
            self->walk = WHOLE;
            break;
        }
        uint64_t offset = archive_item(at, self->item++), key = file | offset;
        struct Known *known = &self->known[(key * 0x9E3779B97F4A7C15u) >> 52];
        if (offset >> FILE_AT != 0) {
            self->walk = BROKEN;
            break;
        }
        if (known->key == key) {
            if (known->number < 0)
                continue;
            Field *field = self->fields[known->number];
            if (field->place == self->place)
                continue;    /* it is a further value */
            if (known->value != NULL) {
                Py_INCREF(known->value);
                REPLACE(field->value, known->value);
                field->place = self->place;
                if (known->number == wanted)
                    break;
                continue;
            }
        }
        if (!bytes_at(self, offset, &bytes, &length, &uses)) {
            self->walk = BROKEN;
            break;
        }
        const char *equals = memchr(bytes, '=', length < 65 ? length : 65);
        if (equals == NULL || equals == bytes)
            continue;
        size_t name = equals - bytes;
        int number = number_by_bytes(self, bytes, name);
        if (number < 0) {
            if (uses > 1)
                keep(self, known, key, number, length);
            continue;
        }
        if (self->fields[number]->place == self->place)
            continue;
        if (take(self, self->fields[number], equals + 1, length - name - 1, number == wanted || uses > 1) < 0)
            return -1;
        if (uses > 1)
            keep(self, known, key, number, length);
        if (number == wanted)
            break;
    }
    return 0;
}
