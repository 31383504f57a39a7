/* Files of one machine, read together in libsystemd's order, as far as that is certain. */
#include "archive.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LONGEST_PAUSE 64     /* batches of entries */
#define MANY 100             /* entries: it was worth to begin */

/* Open the files that are known; `whole` says which are, by their names. NULL: nothing can be read directly. */
Archive *archive_open(const char **paths, const char *whole, int count) {
    Archive *archive = calloc(1, sizeof *archive);
    int is_of_use = 0;
    if (archive != NULL && (archive->files = calloc(count + 1, sizeof *archive->files)) == NULL) {
        free(archive);
        return NULL;
    }
    for (int i = 0; archive != NULL && i < count; i++) {
        archive->count = i + 1;
        if (!archive_map(&archive->files[i], paths[i], whole[i])) {
            is_of_use = 0;   /* any of its entries may come next */
            break;
        }
        is_of_use |= archive->files[i].is_whole;
    }
    if (is_of_use)
        return archive;
    if (archive != NULL)
        archive_close(archive);
    return NULL;
}

void archive_close(Archive *archive) {
    for (int i = 0; i < archive->count; i++)
        archive_unmap(&archive->files[i]);
    free(archive->files);
    archive_forget_unpacker(archive);
    free(archive);
}

/* Whether the files are still those at their paths: libsystemd has opened these meanwhile. */
int archive_is_of(Archive *archive, const char **paths) {
    struct stat found;
    for (int i = 0; i < archive->count; i++)
        if (stat(paths[i], &found) < 0 || found.st_dev != archive->files[i].device ||
            found.st_ino != archive->files[i].inode)
            return 0;
    return 1;
}

/* Somebody seeks: nothing is known of where libsystemd is in each file. From the tail, it goes to the last entry of each:
 * there is nothing to be read directly. */
void archive_leave(Archive *archive, Sought sought, uint64_t since) {
    archive->is_at = archive->pause = archive->pauses = 0;
    archive->is_off = sought == TO_TAIL;
    archive->sought = sought;
    archive->since = since;
    archive->first = NULL;
    for (int i = 0; i < archive->count; i++)
        archive->files[i].state = UNKNOWN;
}

/* -- The order of entries */

static int compared(uint64_t one, uint64_t other) { return one < other ? -1 : one > other; }

static int is_same(const uint8_t *one, const uint8_t *other) { return memcmp(one, other, 16) == 0; }

/* When a boot was seen last, in any file; 0: nobody knows. */
static uint64_t last_of(const Archive *archive, const uint8_t *boot) {
    uint64_t last = 0;
    for (int i = 0; i < archive->count; i++)
        if (is_same(archive->files[i].tail_boot, boot) && archive->files[i].tail_realtime > last)
            last = archive->files[i].tail_realtime;
    return last;
}

/* An entry, as far as its order goes. */
typedef struct {
    const uint8_t *seqnum_id;
    const Stamp *stamp;
    uint64_t last;
} Key;

static Key next_of(const File *file) { return (Key){file->seqnum_id, &file->next, file->next_last}; }

static int by_boot(Key one, Key other) {
    return one.last == 0 || other.last == 0 ? 0 : compared(one.last, other.last);
}

/* Which of two entries comes first, -1 or 1; 0: it is not certain. As in sd-journal.c (`compare_locations`), where of
 * different boots libsystemd goes by the time up to version 253, and since then by which boot is the later one: only
 * what both say is certain. */
static int order(Key one, Key other) {
    if (is_same(one.seqnum_id, other.seqnum_id))
        return compared(one.stamp->seqnum, other.stamp->seqnum);
    if (is_same(one.stamp->boot, other.stamp->boot))
        return compared(one.stamp->monotonic, other.stamp->monotonic);
    int time = compared(one.stamp->realtime, other.stamp->realtime), boot = by_boot(one, other);
    return boot == 0 || boot == time ? time : 0;
}

/* -- Going through a file */

/* Look at the entry at `index`. 0: something is wrong with it, or with the file. */
static int look(const Archive *archive, File *file) {
    Place place;
    if (file->index == file->entries) {
        file->state = DONE;
        return 1;
    }
    if (!archive_entry(file, file->index, &place))
        return 0;
    if (file->state != READY || !is_same(file->next.boot, place.stamp.boot))
        file->next_last = last_of(archive, place.stamp.boot);
    file->next = place.stamp;
    file->offset = place.offset;
    file->state = READY;
    return 1;
}

/* Go on to the next entry: it lies behind the one before, and the last is the one that the header tells. */
static int advance(const Archive *archive, File *file) {
    uint64_t seqnum = file->next.seqnum, offset = file->offset;
    file->index++;
    if (!look(archive, file))
        return 0;
    if (file->state == DONE)
        return seqnum == file->tail_seqnum;
    return file->next.seqnum > seqnum && file->offset > offset;
}

/* Whether an entry of a file comes before another one (-1), or not. -2: nobody can say. */
static int order_at(const Archive *archive, File *file, uint64_t index, Key key) {
    Place place;
    if (!archive_entry(file, index, &place))
        return -2;
    Key found = {file->seqnum_id, &place.stamp, last_of(archive, place.stamp.boot)};
    int answer = order(found, key);
    return answer == 0 && !is_same(file->seqnum_id, key.seqnum_id) ? -2 : answer;
}

/* Whether a file's times rise, as far as can be seen: where a clock was set back, libsystemd may find another place. */
static int is_in_turn(File *file) {
    Place first, last;
    if (!archive_entry(file, 0, &first))
        return 0;
    if (!file->is_whole)
        return first.stamp.realtime <= file->tail_realtime;
    return archive_entry(file, file->entries - 1, &last) && first.stamp.realtime <= last.stamp.realtime;
}

/* Whether the entries from `index` on are those that libsystemd gives, where it was sent to an instant. */
static int is_since(const Archive *archive, File *file) {
    Place before;
    if (archive->sought != TO_TIME)
        return 1;
    return is_in_turn(file) && (file->state == DONE || file->next.realtime >= archive->since) &&
           (file->index == 0 ||
            (archive_entry(file, file->index - 1, &before) && before.stamp.realtime < archive->since));
}

/* Go to the first entry that does not come before another one, as libsystemd does where it seeks. */
static int seek(const Archive *archive, File *file, Key key) {
    uint64_t low = 0, high = file->entries, probe = 0;
    Place last;
    if (!file->is_whole && order_at(archive, file, 0, key) != 1)
        return 0;
    while (low < high) {     /* the first one, the last one, and what is between */
        int found = order_at(archive, file, probe, key);
        if (found == -2)
            return 0;
        if (found < 0)
            low = probe + 1;
        else
            high = probe;
        probe = low == 1 && high == file->entries ? high - 1 : low + (high - low) / 2;
    }
    file->index = low;
    if (!look(archive, file) || (low == 0 && file->next.seqnum != file->head_seqnum))
        return 0;
    if (low == 0 && archive->sought == TO_HEAD)
        return 1;
    if (low > 0 &&
        (!archive_entry(file, file->entries - 1, &last) || last.stamp.seqnum != file->tail_seqnum))
        return 0;
    return (is_same(file->seqnum_id, key.seqnum_id) || is_in_turn(file)) && is_since(archive, file);
}

/* -- Reading */

/* An entry of a file is what libsystemd is at. The file goes on to the next one. */
static int take(Archive *archive, File *file, const Stamp *stamp) {
    const Stamp *found = &archive->at.stamp;
    return file->is_whole && archive_entry(file, file->index, &archive->at) && found->seqnum == stamp->seqnum &&
           found->realtime == stamp->realtime && found->monotonic == stamp->monotonic &&
           found->xor_hash == stamp->xor_hash && is_same(found->boot, stamp->boot) && advance(archive, file);
}

static int begin(Archive *archive, const uint8_t *seqnum_id, const Stamp *stamp) {
    Key key = {seqnum_id, stamp, last_of(archive, stamp->boot)};
    int is_found = 0;
    for (int i = 0; i < archive->count; i++) {
        File *file = &archive->files[i];
        if (file->state == UNKNOWN && !seek(archive, file, key)) {
            file->state = UNKNOWN;
            archive->is_off |= !file->is_whole;  /* it comes only nearer */
            return 0;
        }
        int found = 1;
        while (file->state == READY && (found = order(next_of(file), key)) < 0)
            if (!file->is_whole || !advance(archive, file)) {
                archive->is_off = 1;
                return 0;
            }
        if (file->state == DONE || found > 0)
            continue;
        if (is_found || !is_same(file->seqnum_id, seqnum_id) || !take(archive, file, stamp))
            return 0;
        is_found = 1;
    }
    return is_found;
}

/* Read directly from an entry on, at which libsystemd is. 0: libsystemd goes on. */
int archive_begin(Archive *archive, const uint8_t *seqnum_id, const Stamp *stamp) {
    archive->first = NULL;
    archive->given = 0;
    archive->is_at = begin(archive, seqnum_id, stamp);
    if (!archive->is_at) {   /* it costs time, too, to find that out */
        archive->pauses = archive->pauses == 0 ? 1 : 2 * archive->pauses;
        if (archive->pauses > LONGEST_PAUSE)
            archive->pauses = LONGEST_PAUSE;
        archive->pause = archive->pauses;
    }
    return archive->is_at;
}

/* Choose the file whose entry is next: it is before those of all others. NULL: that is not certain. */
static File *choose(Archive *archive) {
    File *first = NULL;
    for (int i = 0; i < archive->count; i++) {
        File *file = &archive->files[i];
        if (file->state == READY && (first == NULL || order(next_of(file), next_of(first)) < 0))
            first = file;
    }
    if (first == NULL)
        return NULL;
    memcpy(archive->boot, first->next.boot, sizeof archive->boot);
    archive->seqnum = archive->monotonic = archive->realtime = UINT64_MAX;
    for (int i = 0; i < archive->count; i++) {
        File *file = &archive->files[i];
        if (file == first || file->state != READY)
            continue;
        if (order(next_of(first), next_of(file)) >= 0)
            return NULL;
        uint64_t *bound = &archive->realtime, value = file->next.realtime;
        if (is_same(file->seqnum_id, first->seqnum_id))
            bound = &archive->seqnum, value = file->next.seqnum;
        else if (is_same(file->next.boot, first->next.boot))
            bound = &archive->monotonic, value = file->next.monotonic;
        if (value < *bound)
            *bound = value;
    }
    return first;
}

static int is_still_first(const Archive *archive) {
    const File *file = archive->first;
    return file != NULL && file->state == READY && is_same(file->next.boot, archive->boot) &&
           file->next.seqnum < archive->seqnum && file->next.monotonic < archive->monotonic &&
           file->next.realtime < archive->realtime;
}

/* Go on to the next entry. 0: which one it is, libsystemd has to say. */
int archive_next(Archive *archive) {
    Place place;
    if (!is_still_first(archive))
        archive->first = choose(archive);
    File *file = archive->first;
    if (file == NULL)
        return 0;
    if (!file->is_whole || !archive_entry(file, file->index, &place) || !advance(archive, file)) {
        archive->is_off = 1; /* from here on, entries are added; or something is damaged */
        return 0;
    }
    archive->at = place;
    if (++archive->given == MANY)
        archive->pauses = 0;
    return 1;
}
