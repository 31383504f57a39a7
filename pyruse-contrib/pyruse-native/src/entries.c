/* The next entries of a reader: what JournalReader._all does (pyruse/journal/reader.py), as long as nothing happens.
 * At the end of the journal, and where libsystemd finds damage, Python goes on. */
#include "native.h"

typedef struct {
    PyObject_HEAD
    Reader *reader;
    PyObject *owner;         /* the JournalReader */
    PyTypeObject *type;      /* of the entries */
    Py_ssize_t left;         /* so many more are to be given */
    uint64_t until;          /* the last instant to read */
    long long position;      /* of the owner */
    uint64_t time_us;        /* of the entry that was given last */
    PyObject *rest;          /* an iterator in Python that goes on */
    int is_over;
    /* The caller still knows the last entry while it asks for the next; the one before may be used again. */
    Entry *last, *before;
} Entries;

/* A number that the owner says; `none` stands for None. */
static int asked(PyObject *owner, const char *name, uint64_t none, uint64_t *number) {
    PyObject *value = PyObject_GetAttrString(owner, name);
    if (value == NULL)
        return -1;
    *number = value == Py_None ? none : PyLong_AsUnsignedLongLongMask(value);
    Py_DECREF(value);
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *entries_new(PyTypeObject *type, PyObject *arguments, PyObject *names) {
    static char *known[] = {"reader", "owner", "type", "limit", NULL};
    PyObject *reader, *owner, *entry_type;
    Py_ssize_t limit;
    uint64_t position, time_us, until;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "O!OO!n:Entries", known, reader_type, &reader, &owner,
                                     &PyType_Type, &entry_type, &limit))
        return NULL;
    if (!PyType_IsSubtype((PyTypeObject *)entry_type, entry_core_type)) {
        PyErr_SetString(PyExc_TypeError, "entries are of a class that is derived from EntryCore");
        return NULL;
    }
    if (asked(owner, "position", 0, &position) < 0 || asked(owner, "_last_us", 0, &time_us) < 0 ||
        asked(owner, "_until", UINT64_MAX, &until) < 0)
        return NULL;
    Entries *self = (Entries *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    if (self == NULL)
        return NULL;
    Py_INCREF(reader);
    self->reader = (Reader *)reader;
    Py_INCREF(owner);
    self->owner = owner;
    Py_INCREF(entry_type);
    self->type = (PyTypeObject *)entry_type;
    self->left = limit;
    self->until = until;
    self->position = position;
    self->time_us = time_us;
    return (PyObject *)self;
}

static int entries_traverse(Entries *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->reader);
    Py_VISIT(self->owner);
    Py_VISIT(self->type);
    Py_VISIT(self->rest);
    Py_VISIT(self->last);
    Py_VISIT(self->before);
    return 0;
}

static int entries_clear(Entries *self) {
    Py_CLEAR(self->reader);
    Py_CLEAR(self->owner);
    Py_CLEAR(self->type);
    Py_CLEAR(self->rest);
    Py_CLEAR(self->last);
    Py_CLEAR(self->before);
    return 0;
}

static void entries_dealloc(Entries *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    entries_clear(self);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

/* Say how far the reader has come: who interrupts a slow step looks at it. */
static int tell_position(Entries *self) {
    PyObject *position = PyLong_FromLongLong(self->position);
    int result = position == NULL ? -1 : PyObject_SetAttr(self->owner, name_position, position);
    Py_XDECREF(position);
    return result;
}

/* Leave the rest to Python; gives its first entry. */
static PyObject *hand_over(Entries *self, const char *how, int fault) {
    self->is_over = 1;
    if (tell_position(self) < 0)
        return NULL;
    self->rest = PyObject_CallMethod(self->owner, how, "nKi", self->left, (unsigned long long)self->time_us, fault);
    return self->rest == NULL ? NULL : PyIter_Next(self->rest);
}

static PyObject *entries_next(Entries *self) {
    uint64_t time_us;
    int result;
    if (self->rest != NULL)
        return PyIter_Next(self->rest);
    if (self->is_over)
        return NULL;
    if (self->left == 0 || self->reader->journal == NULL)
        return hand_over(self, "_go_on", 0);
    self->reader->place++;
    Py_BEGIN_ALLOW_THREADS
    result = sd_journal_next(self->reader->journal);
    Py_END_ALLOW_THREADS
    if (result <= 0)
        return hand_over(self, "_go_on", -result);
    self->reader->serial++;
    self->position++;
    result = sd_journal_get_realtime_usec(self->reader->journal, &time_us);
    if (result < 0)
        return hand_over(self, "_go_on", -result);
    if (time_us > self->until)
        return hand_over(self, "_end", 0);
    self->left--;
    self->time_us = time_us;
    PyObject *time = PyLong_FromUnsignedLongLong(time_us);
    if (time == NULL || tell_position(self) < 0) {
        Py_XDECREF(time);
        return NULL;
    }
    Entry *entry = self->before;
    self->before = self->last;
    if (entry != NULL && Py_REFCNT(entry) == 1) {
        if (renew_entry(entry, time) < 0)
            Py_CLEAR(entry);
    } else {
        Py_XDECREF(entry);
        entry = (Entry *)new_entry(self->type, time, self->owner, self->reader);
    }
    Py_DECREF(time);
    self->last = entry;
    Py_XINCREF(entry);
    return (PyObject *)entry;
}

static PyType_Slot entries_slots[] = {
    {Py_tp_new, entries_new},
    {Py_tp_dealloc, entries_dealloc},
    {Py_tp_traverse, entries_traverse},
    {Py_tp_clear, entries_clear},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, entries_next},
    {0, NULL},
};

PyType_Spec entries_spec = {
    .name = "pyruse_native._native.Entries",
    .basicsize = sizeof(Entries),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = entries_slots,
};
