/* Journal files that are open: libsystemd's calls, as systemd.journal.Reader has them, and one walk through the
 * fields of an entry, which goes no further than to the field that is asked for. */
#include "native.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LARGE (64 << 10)     /* bytes of a field that are worth being careful */
#define BLOATED (4 << 20)    /* as pyruse/journal/open_journal.py has it */
#define WARY 1000            /* entries */

/* -- Faults: the same exceptions as of systemd.journal */

static PyObject *failed(int error, const char *invalid) {
    if (error == -EINVAL && invalid != NULL)
        PyErr_SetString(PyExc_ValueError, invalid);
    else if (error == -ENOMEM)
        PyErr_NoMemory();
    else {
        errno = -error;
        PyErr_SetFromErrno(PyExc_OSError);
    }
    return NULL;
}

static PyObject *none_or_fault(int result, const char *invalid) {
    if (result < 0)
        return failed(result, invalid);
    Py_RETURN_NONE;
}

static int is_closed(Reader *self) {
    if (self->journal != NULL)
        return 0;
    failed(-EINVAL, NULL);   /* as libsystemd answers when there is no journal */
    return 1;
}

/* A text without a zero in it, as C needs it. */
static const char *plain(PyObject *text) {
    Py_ssize_t length;
    const char *bytes = PyUnicode_AsUTF8AndSize(text, &length);
    if (bytes != NULL && strlen(bytes) != (size_t)length) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    return bytes;
}

/* -- Opening and closing */

static PyObject *reader_new(PyTypeObject *type, PyObject *arguments, PyObject *names) {
    static char *known[] = {"files", "whole", NULL};
    PyObject *files, *whole = NULL;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "O!|O!:Reader", known, &PyList_Type, &files, &PyList_Type,
                                     &whole))
        return NULL;
    Py_ssize_t count = PyList_Size(files);
    PyObject **held = calloc(count + 1, sizeof *held);
    const char **paths = calloc(count + 1, sizeof *paths);
    char *are_whole = calloc(count + 1, 1);
    Reader *self = NULL;
    if (held == NULL || paths == NULL || are_whole == NULL) {
        PyErr_NoMemory();
        goto end;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (!PyUnicode_FSConverter(PyList_GetItem(files, i), &held[i]))
            goto end;
        paths[i] = PyBytes_AsString(held[i]);
        are_whole[i] = whole != NULL && i < PyList_Size(whole) && PyList_GetItem(whole, i) == Py_True;
    }
    self = (Reader *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    if (self == NULL)
        goto end;
    int result;
    Py_BEGIN_ALLOW_THREADS
    self->archive = whole == NULL ? NULL : archive_open(paths, are_whole, count);
    result = sd_journal_open_files(&self->journal, paths, 0);
    if (self->archive != NULL && !archive_is_of(self->archive, paths)) {
        archive_close(self->archive);
        self->archive = NULL;
    }
    Py_END_ALLOW_THREADS
    if (result < 0) {
        failed(result, "Invalid flags or path");
        Py_CLEAR(self);
    } else {
        self->serial = self->place = 1;
        self->is_direct = 1;
        for (int i = 0; i < HASHES; i++)
            self->by_hash[i] = -1;
    }
end:
    for (Py_ssize_t i = 0; held != NULL && i < count; i++)
        Py_XDECREF(held[i]);
    free(held);
    free(paths);
    free(are_whole);
    return (PyObject *)self;
}

static void forget_fields(Reader *self) {
    for (int i = 0; i < ALIASES; i++)
        Py_CLEAR(self->aliases[i].name);
    for (int i = 0; i < self->count; i++) {
        Field *field = self->fields[i];
        for (int k = 0; field->interned != NULL && k < INTERNED; k++)
            Py_XDECREF(field->interned[k].value);
        PyMem_Free(field->interned);
        Py_XDECREF(field->value);
        Py_XDECREF(field->name);
        PyMem_Free(field);
    }
    self->count = 0;
    for (int i = 0; i < HASHES; i++)
        self->by_hash[i] = -1;
}

static PyObject *reader_close(Reader *self, PyObject *unused) {
    (void)unused;
    sd_journal *journal = self->journal;
    self->journal = NULL;
    self->place++;
    close_archive(self);
    forget_fields(self);
    if (journal != NULL) {
        Py_BEGIN_ALLOW_THREADS
        sd_journal_close(journal);
        Py_END_ALLOW_THREADS
    }
    Py_RETURN_NONE;
}

static int reader_traverse(Reader *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->decoder);
    Py_VISIT(self->converters);
    return 0;
}

static int reader_clear(Reader *self) {
    Py_CLEAR(self->decoder);
    Py_CLEAR(self->converters);
    return 0;
}

static void reader_dealloc(Reader *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (self->journal != NULL)
        sd_journal_close(self->journal);
    close_archive(self);
    forget_fields(self);
    reader_clear(self);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

/* -- libsystemd's calls, one by one */

static PyObject *moved(Reader *self, int forward) {
    int result;
    if (is_closed(self))
        return NULL;
    leave_archive(self);
    if (!forward)
        forget_archive(self, TO_ENTRY, 0);  /* to turn round is to seek */
    self->place++;
    Py_BEGIN_ALLOW_THREADS
    result = forward ? sd_journal_next(self->journal) : sd_journal_previous(self->journal);
    Py_END_ALLOW_THREADS
    self->serial += forward && result > 0;
    return result < 0 ? failed(result, NULL) : PyBool_FromLong(result);
}

static PyObject *reader_next(Reader *self, PyObject *unused) {
    (void)unused;
    return moved(self, 1);
}

static PyObject *reader_previous(Reader *self, PyObject *unused) {
    (void)unused;
    return moved(self, 0);
}

static PyObject *value_after(const char *data, size_t length) {
    const char *equals = memchr(data, '=', length);
    if (equals == NULL) {
        PyErr_SetString(PyExc_OSError, "the journal has a field without a name");
        return NULL;
    }
    return PyBytes_FromStringAndSize(equals + 1, data + length - equals - 1);
}

/* As sd-journal.c has it. */
static int is_stored(const char *name) {
    return name[0] != '\0' && strncmp(name, "__", 2) != 0 &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(name);
}

/* As sd_journal_get_data(3). */
static int find_data(Reader *self, const char *name, const void **data, size_t *length) {
    uint64_t item = 0;
    size_t name_length = strlen(name);
    const char *bytes;
    int result = 1;
    if (is_read_directly(self)) {
        if (!is_stored(name))
            return -EINVAL;
        while ((result = field_directly(self, &item, &bytes, length)) > 0)
            if (*length > name_length && memcmp(bytes, name, name_length) == 0 && bytes[name_length] == '=') {
                *data = bytes;
                return 0;
            }
        if (result == 0)
            return -ENOENT;
        leave_archive(self);
    }
    return sd_journal_get_data(self->journal, name, data, length);
}

static PyObject *reader_get(Reader *self, PyObject *name) {
    const void *data;
    size_t length;
    const char *field = plain(name);
    if (field == NULL || is_closed(self))
        return NULL;
    int result = find_data(self, field, &data, &length);
    if (result == -ENOENT) {
        PyErr_SetObject(PyExc_KeyError, name);
        return NULL;
    }
    if (result < 0)
        return failed(result, "field name is not valid");
    return value_after(data, length);
}

static int add_value(PyObject *all, PyObject *name, PyObject *value) {
    PyObject *before = PyDict_GetItemWithError(all, name);
    if (before == NULL)
        return PyErr_Occurred() ? -1 : PyDict_SetItem(all, name, value);
    if (PyList_CheckExact(before))
        return PyList_Append(before, value);
    PyObject *both = Py_BuildValue("[OO]", before, value);
    int result = both == NULL ? -1 : PyDict_SetItem(all, name, both);
    Py_XDECREF(both);
    return result;
}

static void add_data(PyObject **all, const char *data, size_t length) {
    const char *equals = memchr(data, '=', length);
    PyObject *value = value_after(data, length);
    PyObject *name = value == NULL ? NULL : PyUnicode_DecodeUTF8(data, equals - data, NULL);
    if (name == NULL || add_value(*all, name, value) < 0)
        Py_CLEAR(*all);
    Py_XDECREF(name);
    Py_XDECREF(value);
}

static PyObject *reader_get_all(Reader *self, PyObject *unused) {
    (void)unused;
    const void *data;
    const char *bytes;
    size_t length;
    uint64_t item = 0;
    int result = 1;
    if (is_closed(self))
        return NULL;
    PyObject *all = PyDict_New();
    if (is_read_directly(self)) {
        while (all != NULL && (result = field_directly(self, &item, &bytes, &length)) > 0)
            add_data(&all, bytes, length);
        if (all == NULL || result == 0)
            return all;
        leave_archive(self);
        Py_DECREF(all);
        all = PyDict_New();
    }
    self->walked = 0;        /* libsystemd has one place in an entry: a walk begins anew */
    sd_journal_restart_data(self->journal);
    while (all != NULL && sd_journal_enumerate_available_data(self->journal, &data, &length) > 0)
        add_data(&all, data, length);
    return all;
}

static PyObject *reader_get_realtime(Reader *self, PyObject *unused) {
    (void)unused;
    uint64_t time_us;
    int result = is_closed(self) ? 1 : time_of_entry(self, &time_us);
    return result > 0 ? NULL : result < 0 ? failed(result, NULL) : PyLong_FromUnsignedLongLong(time_us);
}

static int monotonic_of_entry(Reader *self, uint64_t *time_us, sd_id128_t *boot) {
    if (!is_read_directly(self))
        return sd_journal_get_monotonic_usec(self->journal, time_us, boot);
    *time_us = self->archive->at.stamp.monotonic;
    memcpy(boot->bytes, self->archive->at.stamp.boot, sizeof boot->bytes);
    return 0;
}

static PyObject *reader_get_monotonic(Reader *self, PyObject *unused) {
    (void)unused;
    uint64_t time_us;
    sd_id128_t boot;
    int result = is_closed(self) ? 1 : monotonic_of_entry(self, &time_us, &boot);
    if (result != 0)
        return result > 0 ? NULL : failed(result, NULL);
    return Py_BuildValue("Ky#", (unsigned long long)time_us, (const char *)boot.bytes, (Py_ssize_t)sizeof boot.bytes);
}

static PyObject *reader_get_cursor(Reader *self, PyObject *unused) {
    (void)unused;
    char *cursor;
    if (is_read_directly(self))
        return cursor_directly(self);
    int result = is_closed(self) ? 1 : sd_journal_get_cursor(self->journal, &cursor);
    if (result != 0)
        return result > 0 ? NULL : failed(result, NULL);
    PyObject *text = PyUnicode_DecodeUTF8(cursor, strlen(cursor), NULL);
    free(cursor);
    return text;
}

static PyObject *reader_get_usage(Reader *self, PyObject *unused) {
    (void)unused;
    uint64_t bytes;
    int result = is_closed(self) ? 1 : sd_journal_get_usage(self->journal, &bytes);
    return result > 0 ? NULL : result < 0 ? failed(result, NULL) : PyLong_FromUnsignedLongLong(bytes);
}

/* Whatever seeks: it leaves the entry. */
#define SEEK(call, to, time, invalid)                \
    int result;                                      \
    if (is_closed(self))                             \
        return NULL;                                 \
    leave_archive(self);     /* the call may fail */ \
    self->place++;                                   \
    Py_BEGIN_ALLOW_THREADS                           \
    result = call;                                   \
    Py_END_ALLOW_THREADS                             \
    if (result >= 0)                                 \
        forget_archive(self, to, time);              \
    return none_or_fault(result, invalid)

static PyObject *reader_seek_head(Reader *self, PyObject *unused) {
    (void)unused;
    SEEK(sd_journal_seek_head(self->journal), TO_HEAD, 0, NULL);
}

static PyObject *reader_seek_tail(Reader *self, PyObject *unused) {
    (void)unused;
    SEEK(sd_journal_seek_tail(self->journal), TO_TAIL, 0, NULL);
}

static PyObject *reader_seek_realtime(Reader *self, PyObject *time) {
    unsigned long long time_us = PyLong_AsUnsignedLongLongMask(time);
    if (PyErr_Occurred())
        return NULL;
    SEEK(sd_journal_seek_realtime_usec(self->journal, time_us), TO_TIME, time_us, NULL);
}

static PyObject *reader_seek_monotonic(Reader *self, PyObject *time) {
    sd_id128_t boot;
    unsigned long long time_us = PyLong_AsUnsignedLongLongMask(time);
    if (PyErr_Occurred())
        return NULL;
    int found = sd_id128_get_boot(&boot);
    if (found < 0)
        return failed(found, NULL);
    SEEK(sd_journal_seek_monotonic_usec(self->journal, boot, time_us), TO_TAIL, 0, NULL);
}

static PyObject *reader_seek_cursor(Reader *self, PyObject *text) {
    const char *cursor = plain(text);
    if (cursor == NULL)
        return NULL;
    SEEK(sd_journal_seek_cursor(self->journal, cursor), TO_ENTRY, 0, "Invalid cursor");
}

static PyObject *reader_test_cursor(Reader *self, PyObject *text) {
    const char *cursor = plain(text);
    if (cursor == NULL || is_closed(self))
        return NULL;
    leave_archive(self);
    int result = sd_journal_test_cursor(self->journal, cursor);
    return result < 0 ? failed(result, NULL) : PyBool_FromLong(result);
}

static PyObject *reader_add_match(Reader *self, PyObject *text) {
    Py_ssize_t length;
    const char *match = PyUnicode_AsUTF8AndSize(text, &length);
    if (match == NULL || is_closed(self))
        return NULL;
    leave_archive(self);
    self->has_matches = 1;
    self->place++;
    return none_or_fault(sd_journal_add_match(self->journal, match, length), "Invalid match");
}

static PyObject *reader_add_conjunction(Reader *self, PyObject *unused) {
    (void)unused;
    return is_closed(self) ? NULL : none_or_fault(sd_journal_add_conjunction(self->journal), NULL);
}

static PyObject *reader_add_disjunction(Reader *self, PyObject *unused) {
    (void)unused;
    return is_closed(self) ? NULL : none_or_fault(sd_journal_add_disjunction(self->journal), NULL);
}

static PyObject *reader_flush_matches(Reader *self, PyObject *unused) {
    (void)unused;
    if (is_closed(self))
        return NULL;
    leave_archive(self);
    if (self->archive != NULL)   /* libsystemd seeks anew, wherever it was */
        forget_archive(self, self->archive->sought == TO_HEAD ? TO_ENTRY : self->archive->sought, self->archive->since);
    self->has_matches = 0;
    self->place++;
    sd_journal_flush_matches(self->journal);
    Py_RETURN_NONE;
}

static PyObject *reader_query_unique(Reader *self, PyObject *name) {
    const void *data;
    size_t length;
    const char *field = plain(name);
    if (field == NULL || is_closed(self))
        return NULL;
    int result;
    Py_BEGIN_ALLOW_THREADS
    result = sd_journal_query_unique(self->journal, field);
    Py_END_ALLOW_THREADS
    if (result < 0)
        return failed(result, "Invalid field name");
    PyObject *values = PySet_New(NULL);
    sd_journal_restart_unique(self->journal);
    while (values != NULL && sd_journal_enumerate_available_unique(self->journal, &data, &length) > 0) {
        PyObject *value = value_after(data, length);
        if (value == NULL || PySet_Add(values, value) < 0)
            Py_CLEAR(values);
        Py_XDECREF(value);
    }
    return values;
}

static PyObject *get_threshold(Reader *self, void *unused) {
    (void)unused;
    size_t bytes;
    int result = is_closed(self) ? 1 : sd_journal_get_data_threshold(self->journal, &bytes);
    return result > 0 ? NULL : result < 0 ? failed(result, NULL) : PyLong_FromSize_t(bytes);
}

static int set_threshold(Reader *self, PyObject *value, void *unused) {
    (void)unused;
    size_t bytes = value == NULL ? 0 : PyLong_AsSize_t(value);
    if (PyErr_Occurred() || is_closed(self))
        return -1;
    int result = sd_journal_set_data_threshold(self->journal, bytes);
    return result < 0 ? (failed(result, NULL), -1) : 0;
}

static PyObject *get_is_bloated(Reader *self, void *unused) {
    (void)unused;
    return PyBool_FromLong(self->is_bloated);
}

/* -- The walk through an entry */

static PyObject *reader_decode_with(Reader *self, PyObject *arguments) {
    PyObject *decoder, *converters;
    Py_ssize_t longest;
    if (!PyArg_ParseTuple(arguments, "OOn:decode_with", &decoder, &converters, &longest))
        return NULL;
    forget_fields(self);     /* their values were made by another decoder */
    self->walked = 0;
    Py_INCREF(decoder);
    REPLACE(self->decoder, decoder);
    Py_INCREF(converters);
    REPLACE(self->converters, converters);
    self->longest = longest;
    Py_RETURN_NONE;
}

static unsigned hash_of(const char *name, size_t length) {
    return (length * 5 + (unsigned char)name[0] * 3 + (unsigned char)name[length - 1] * 7) % HASHES;
}

static int is_name(const char *name, size_t length) {
    if (length == 0 || length > 64 || (name[0] >= '0' && name[0] <= '9') || strncmp(name, "__", 2) == 0)
        return 0;
    for (size_t i = 0; i < length; i++)
        if (!((name[i] >= 'A' && name[i] <= 'Z') || (name[i] >= '0' && name[i] <= '9') || name[i] == '_'))
            return 0;
    return 1;
}

/* Take in a name that was never asked for. Gives its number, -1: no field to look for, -2: an exception. */
static int learn(Reader *self, PyObject *asked) {
    Py_ssize_t length;
    const char *bytes = PyUnicode_AsUTF8AndSize(asked, &length);
    if (bytes == NULL) {
        PyErr_Clear();
        return -1;
    }
    if (!is_name(bytes, length))
        return -1;
    unsigned hash = hash_of(bytes, length);
    for (int i = self->by_hash[hash]; i >= 0; i = self->fields[i]->next)
        if (self->fields[i]->length == (size_t)length && memcmp(self->fields[i]->bytes, bytes, length) == 0)
            return i;
    if (self->count == MOST_FIELDS || self->converters == NULL)
        return -1;
    PyObject *name = PyUnicode_DecodeUTF8(bytes, length, NULL);
    Field *field = PyMem_Malloc(sizeof *field);
    if (name == NULL || field == NULL) {
        Py_XDECREF(name);
        PyMem_Free(field);
        PyErr_NoMemory();
        return -2;
    }
    PyObject *converter = PyObject_GetItem(self->converters, name);
    int is_integer = converter == (PyObject *)&PyLong_Type, converted = converter != NULL;
    Py_XDECREF(converter);
    PyErr_Clear();
    *field = (Field){.name = name, .bytes = PyUnicode_AsUTF8AndSize(name, NULL), .length = length,
                     .kind = strcmp(bytes, "MESSAGE") == 0 ? MESSAGE : is_integer ? INTEGER : converted ? CONVERTED : TEXT,
                     .next = self->by_hash[hash]};
    self->by_hash[hash] = self->count;
    self->fields[self->count] = field;
    self->walked = 0;        /* the walk may be past it */
    return self->count++;
}

static int number_of(Reader *self, PyObject *name) {
    /* The name is an option of a step as a rule: the same object each time. */
    unsigned slot = ((uintptr_t)name >> 4) % ALIASES;
    if (self->aliases[slot].name == name)
        return self->aliases[slot].field;
    int number = learn(self, name);
    if (number >= 0) {
        Py_INCREF(name);
        REPLACE(self->aliases[slot].name, name);
        self->aliases[slot].field = number;
    }
    return number;
}

int number_by_bytes(const Reader *self, const char *name, size_t length) {
    for (int i = self->by_hash[hash_of(name, length)]; i >= 0; i = self->fields[i]->next)
        if (self->fields[i]->length == length && memcmp(self->fields[i]->bytes, name, length) == 0)
            return i;
    return -1;
}

static Interned *kept_at(Field *field, const char *value, size_t length) {
    uint64_t first = 0, last = 0;
    if (field->interned == NULL) {
        field->interned = PyMem_Calloc(INTERNED, sizeof(Interned));
        if (field->interned == NULL)
            return NULL;
    }
    size_t part = length < 8 ? length : 8;
    memcpy(&first, value, part);
    memcpy(&last, value + length - part, part);
    uint64_t hash = (first * 0x9E3779B97F4A7C15u) ^ ((last + length) * 0xC2B2AE3D27D4EB4Fu);
    return &field->interned[(hash ^ hash >> 32) >> 24 & (INTERNED - 1)];
}

/* A number that is nothing but digits; -1: it is something else. */
static long long number_in(const char *bytes, size_t length) {
    long long number = 0;
    if (length == 0 || length > 18)
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] < '0' || bytes[i] > '9')
            return -1;
        number = number * 10 + (bytes[i] - '0');
    }
    return number;
}

/* The value of bytes; a new reference. Of what is more than text, Python's decoder says it. */
static PyObject *made(Reader *self, Field *field, const char *bytes, size_t length) {
    if (field->kind == TEXT ||
        (field->kind == MESSAGE && memchr(bytes, '\x1b', length) == NULL && memchr(bytes, '\r', length) == NULL)) {
        PyObject *text = PyUnicode_DecodeUTF8(bytes, length, NULL);
        if (text != NULL || !PyErr_ExceptionMatches(PyExc_UnicodeDecodeError))
            return text;
        PyErr_Clear();
    }
    long long number = field->kind == INTEGER ? number_in(bytes, length) : -1;
    if (number >= 0)
        return PyLong_FromLongLong(number);
    PyObject *raw = PyBytes_FromStringAndSize(bytes, length);
    PyObject *value = raw == NULL ? NULL : PyObject_CallFunctionObjArgs(self->decoder, field->name, raw, NULL);
    Py_XDECREF(raw);
    return value;
}

/* Remember the value of a field of the current entry. -1: an exception. */
int take(Reader *self, Field *field, const char *bytes, size_t length, int is_asked) {
    PyObject *value = NULL;
    Interned *kept = NULL;
    if (length > (size_t)self->longest || length > LARGE)
        ;                    /* it may have to be cut, and that is told: Python does it */
    else if (length > LONGEST_INTERNED || field->kind == MESSAGE) {
        if (is_asked || field->kind != CONVERTED)  /* else it may be a time, and new in each entry */
            value = made(self, field, bytes, length);
    } else {
        kept = kept_at(field, bytes, length);
        if (kept == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        if (kept->value != NULL && kept->length == length && memcmp(kept->bytes, bytes, length) == 0) {
            value = kept->value;
            Py_INCREF(value);
        } else if (is_asked || field->kind != CONVERTED) {
            value = made(self, field, bytes, length);
            if (value != NULL) {
                Py_INCREF(value);
                REPLACE(kept->value, value);
                memcpy(kept->bytes, bytes, length);
                kept->length = length;
            }
        }
    }
    if (value == NULL && PyErr_Occurred())
        return -1;
    REPLACE(field->value, value);
    field->place = self->place;
    return 0;
}

/* Go on to a field, or through the whole entry. -1: an exception. */
static int walk_to(Reader *self, int wanted) {
    const void *data;
    size_t length;
    if (self->walked != self->place) {
        for (int i = 0; i < self->count; i++)  /* a second walk through the same entry finds all anew */
            if (self->fields[i]->place == self->place)
                self->fields[i]->place = 0;
        self->walked = self->place;
        self->walk = WALKING;
        self->item = 0;
        if (!is_read_directly(self)) {
            self->walk = self->wary > 0 ? BROKEN : WALKING;
            self->wary -= self->wary > 0;
            sd_journal_restart_data(self->journal);
        }
    }
    if (is_read_directly(self))
        return walk_directly(self, wanted);
    while (self->walk == WALKING) {
        int result = sd_journal_enumerate_available_data(self->journal, &data, &length);
        if (result <= 0) {
            self->walk = result == 0 ? WHOLE : BROKEN;
            break;
        }
        const char *equals = memchr(data, '=', length < 65 ? length : 65);
        if (equals == NULL || equals == data)
            continue;
        size_t name_length = equals - (const char *)data;
        int number = number_by_bytes(self, data, name_length);
        if (length > LARGE) {
            /* To unpack it costs more than to look for each field by itself; and such a field seldom comes alone. */
            self->is_bloated |= length > BLOATED;
            self->wary = WARY;
        }
        if (number < 0 || self->fields[number]->place == self->place)
            continue;        /* nobody asks for it, or it is a further value */
        if (take(self, self->fields[number], equals + 1, length - name_length - 1, number == wanted) < 0)
            return -1;
        if (number == wanted)
            break;
    }
    return 0;
}

/* Whether no journal has a field of this name: libsystemd knows capital letters, digits and underscores. */
static int is_of_steps(PyObject *name) {
    Py_UCS4 first = PyUnicode_Check(name) && PyUnicode_GetLength(name) > 0 ? PyUnicode_ReadChar(name, 0) : 0;
    return first >= 'a' && first <= 'z';
}

PyObject *read_field(Reader *self, PyObject *name, PyObject *source) {
    int number = number_of(self, name);
    if (number == -2)
        return NULL;
    if (number == -1 && is_of_steps(name))
        Py_RETURN_NONE;
    if (number >= 0 && self->journal != NULL) {
        Field *field = self->fields[number];
        if ((self->walked != self->place || field->place != self->place) && walk_to(self, number) < 0)
            return NULL;
        if (field->place == self->place) {
            if (field->value != NULL) {
                Py_INCREF(field->value);
                return field->value;
            }
        } else if (self->walk == WHOLE)
            Py_RETURN_NONE;
    }
    return PyObject_CallMethodObjArgs(source, name_read, name, NULL);
}

static PyMethodDef reader_methods[] = {
    {"_next", (PyCFunction)reader_next, METH_NOARGS, NULL},
    {"_previous", (PyCFunction)reader_previous, METH_NOARGS, NULL},
    {"_get", (PyCFunction)reader_get, METH_O, NULL},
    {"_get_all", (PyCFunction)reader_get_all, METH_NOARGS, NULL},
    {"_get_realtime", (PyCFunction)reader_get_realtime, METH_NOARGS, NULL},
    {"_get_monotonic", (PyCFunction)reader_get_monotonic, METH_NOARGS, NULL},
    {"_get_cursor", (PyCFunction)reader_get_cursor, METH_NOARGS, NULL},
    {"get_usage", (PyCFunction)reader_get_usage, METH_NOARGS, NULL},
    {"seek_head", (PyCFunction)reader_seek_head, METH_NOARGS, NULL},
    {"seek_tail", (PyCFunction)reader_seek_tail, METH_NOARGS, NULL},
    {"seek_realtime", (PyCFunction)reader_seek_realtime, METH_O, NULL},
    {"seek_monotonic", (PyCFunction)reader_seek_monotonic, METH_O, NULL},
    {"seek_cursor", (PyCFunction)reader_seek_cursor, METH_O, NULL},
    {"test_cursor", (PyCFunction)reader_test_cursor, METH_O, NULL},
    {"add_match", (PyCFunction)reader_add_match, METH_O, NULL},
    {"add_conjunction", (PyCFunction)reader_add_conjunction, METH_NOARGS, NULL},
    {"add_disjunction", (PyCFunction)reader_add_disjunction, METH_NOARGS, NULL},
    {"flush_matches", (PyCFunction)reader_flush_matches, METH_NOARGS, NULL},
    {"query_unique", (PyCFunction)reader_query_unique, METH_O, NULL},
    {"decode_with", (PyCFunction)reader_decode_with, METH_VARARGS, NULL},
    {"close", (PyCFunction)reader_close, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyObject *get_is_direct(Reader *self, void *unused) {
    (void)unused;
    return PyBool_FromLong(self->is_direct);
}

static int set_is_direct(Reader *self, PyObject *value, void *unused) {
    (void)unused;
    int is_direct = value == NULL ? -1 : PyObject_IsTrue(value);
    if (is_direct < 0)
        return -1;
    if (!is_direct && self->journal != NULL)
        leave_archive(self);
    self->is_direct = is_direct;
    return 0;
}

static PyObject *get_given_directly(Reader *self, void *unused) {
    (void)unused;
    return PyLong_FromUnsignedLongLong(self->given_directly);
}

static PyGetSetDef reader_getset[] = {
    {"data_threshold", (getter)get_threshold, (setter)set_threshold, NULL, NULL},
    {"is_bloated", (getter)get_is_bloated, NULL, NULL, NULL},
    {"is_direct", (getter)get_is_direct, (setter)set_is_direct, NULL, NULL},
    {"given_directly", (getter)get_given_directly, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot reader_slots[] = {
    {Py_tp_new, reader_new},
    {Py_tp_dealloc, reader_dealloc},
    {Py_tp_traverse, reader_traverse},
    {Py_tp_clear, reader_clear},
    {Py_tp_methods, reader_methods},
    {Py_tp_getset, reader_getset},
    {0, NULL},
};

PyType_Spec reader_spec = {
    .name = "pyruse_native._native.Reader",
    .basicsize = sizeof(Reader),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = reader_slots,
};
