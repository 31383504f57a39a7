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
    int is_begun;            /* an entry was given, from which on files may be read directly */
    /* The caller still knows the last entry while it asks for the next; the one before may be used again. */
    Entry *last, *before;
    /* Entries that go nowhere are counted in the engine's hour (pyruse/engine/hour.py), and not given. */
    Lead *lead;              /* NULL: all are given */
    PyObject *hour;
    uint64_t no_later;       /* entries after this instant are given: others have to be handled first */
    uint64_t skipped;        /* those that are not told to the hour yet … */
    uint64_t first, final, reached;  /* … the earliest and the latest instant of them, and that of the last one */
    uint64_t begin, end;     /* of the hour */
} Entries;

/* A number that the owner says; `none` stands for None. */
static int asked(PyObject *owner, PyObject *name, uint64_t none, uint64_t *number) {
    PyObject *value = PyObject_GetAttr(owner, name);
    if (value == NULL)
        return -1;
    *number = value == Py_None ? none : PyLong_AsUnsignedLongLongMask(value);
    Py_DECREF(value);
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *entries_new(PyTypeObject *type, PyObject *arguments, PyObject *names) {
    static char *known[] = {"reader", "owner", "type", "limit", "lead", "hour", NULL};
    PyObject *reader, *owner, *entry_type, *lead = NULL, *hour = NULL;
    Py_ssize_t limit;
    uint64_t position, time_us, until;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "O!OO!n|O!O:Entries", known, reader_type, &reader, &owner,
                                     &PyType_Type, &entry_type, &limit, lead_type, &lead, &hour))
        return NULL;
    if (!PyType_IsSubtype((PyTypeObject *)entry_type, entry_core_type)) {
        PyErr_SetString(PyExc_TypeError, "entries are of a class that is derived from EntryCore");
        return NULL;
    }
    if (asked(owner, name_position, 0, &position) < 0 || asked(owner, name_last_us, 0, &time_us) < 0 ||
        asked(owner, name_until, UINT64_MAX, &until) < 0)
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
    if (lead != NULL && hour != NULL) {
        Py_INCREF(lead);
        self->lead = (Lead *)lead;
        Py_INCREF(hour);
        self->hour = hour;
    }
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
    Py_VISIT(self->lead);
    Py_VISIT(self->hour);
    return 0;
}

static int entries_clear(Entries *self) {
    Py_CLEAR(self->reader);
    Py_CLEAR(self->owner);
    Py_CLEAR(self->type);
    Py_CLEAR(self->rest);
    Py_CLEAR(self->last);
    Py_CLEAR(self->before);
    Py_CLEAR(self->lead);
    Py_CLEAR(self->hour);
    return 0;
}

static void entries_dealloc(Entries *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    entries_clear(self);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

/* -- Entries that go nowhere */

/* Say how far the reader has come: who interrupts a slow step looks at it. */
static int tell_position(Entries *self) {
    PyObject *position = PyLong_FromLongLong(self->position);
    int result = position == NULL ? -1 : PyObject_SetAttr(self->owner, name_position, position);
    Py_XDECREF(position);
    return result;
}

/* The entry that the reader is at, in an object that nobody else knows. */
static Entry *current(Entries *self, uint64_t time_us) {
    PyObject *time = PyLong_FromUnsignedLongLong(time_us);
    if (time == NULL)
        return NULL;
    Entry *entry = self->before;
    self->before = NULL;
    if (entry != NULL && Py_REFCNT(entry) == 1) {
        if (renew_entry(entry, time) < 0)
            Py_CLEAR(entry);
    } else {
        Py_XDECREF(entry);
        entry = (Entry *)new_entry(self->type, time, self->owner, self->reader);
    }
    Py_DECREF(time);
    return entry;
}

/* The last look-up that is known: where steps begin to be asked. A new reference; NULL: an exception. What goes wrong
 * here goes wrong once more where the engine leads the entry, and is told there. */
static PyObject *looked_up(Entries *self) {
    PyObject *node = self->lead->entrance;
    Py_INCREF(node);
    while (node != Py_None && PyObject_TypeCheck(node, node_core_type)) {
        Node *branch = (Node *)((Node *)node)->branch;
        if (branch == NULL || !PyObject_TypeCheck((PyObject *)branch, node_core_type) || branch->field == NULL ||
            branch->ways == NULL || !PyDict_Check(branch->ways))
            break;
        PyObject *ways = branch->ways, *field = branch->field;
        Py_INCREF(ways);     /* to read a field may change the graph */
        Py_INCREF(field);
        PyObject *value = read_field(self->reader, field, self->owner);
        Py_DECREF(field);
        PyObject *way = value == NULL ? NULL : way_of(ways, value);
        Py_XDECREF(value);
        Py_DECREF(ways);
        if (way == NULL) {
            if (PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) {
                Py_DECREF(node);
                return NULL;
            }
            PyErr_Clear();
            break;
        }
        Py_DECREF(node);
        node = way;
    }
    return node;
}

/* Whether a C step is to be asked at a node, or a look-up that may be known. */
static int begins_quickly(PyObject *node) {
    if (!PyObject_TypeCheck(node, node_core_type))
        return 0;
    Node *at = (Node *)node;
    return (at->branch == NULL || at->branch == Py_None) && is_quick(at);
}

/* Whether no step in Python would do anything with the current entry; else, `*entry` is the entry, if it was made. -1: the
 * program is to be interrupted. */
static int goes_nowhere(Entries *self, uint64_t time_us, Entry **entry) {
    int result = 0;
    PyObject *node = looked_up(self);
    if (node == NULL)
        return -1;
    if (node == Py_None)
        result = 1;
    else if (begins_quickly(node)) {
        *entry = tell_position(self) < 0 ? NULL : current(self, time_us);
        result = *entry == NULL ? -1 : lead_quickly(self->lead, node, *entry);
        if (result == 1) {   /* its object is for the next one */
            self->before = *entry;
            *entry = NULL;
        } else if (result < 0)
            Py_CLEAR(*entry);
    }
    Py_DECREF(node);
    return result;
}

static int count_on(PyObject *hour, PyObject *name, uint64_t value, int (*holds)(uint64_t, uint64_t)) {
    uint64_t before;
    PyObject *old = PyObject_GetAttr(hour, name);
    if (old == NULL)
        return -1;
    before = PyLong_AsUnsignedLongLongMask(old);
    Py_DECREF(old);
    if (PyErr_Occurred())
        return -1;
    if (holds(before, value))
        return 0;
    PyObject *new = PyLong_FromUnsignedLongLong(value);
    int result = new == NULL ? -1 : PyObject_SetAttr(hour, name, new);
    Py_XDECREF(new);
    return result;
}

static int is_at_most(uint64_t before, uint64_t value) { return before <= value; }
static int is_at_least(uint64_t before, uint64_t value) { return before >= value; }
static int never(uint64_t before, uint64_t value) { (void)before, (void)value; return 0; }

/* Tell the hour what was skipped: before anybody else looks at it. */
static int tell_skipped(Entries *self) {
    uint64_t before;
    if (self->skipped == 0)
        return 0;
    if (asked(self->hour, name_skipped, 0, &before) < 0 ||
        count_on(self->hour, name_skipped, before + self->skipped, never) < 0 ||
        count_on(self->hour, name_first, self->first, is_at_most) < 0 ||
        count_on(self->hour, name_last, self->final, is_at_least) < 0 ||
        count_on(self->hour, name_reached, self->reached, never) < 0)
        return -1;
    self->skipped = 0;
    return 0;
}

/* Look anew at what the engine may have changed. */
static int ask_hour(Entries *self) {
    if (self->hour == NULL)
        return 0;
    return asked(self->owner, name_no_later, UINT64_MAX, &self->no_later) < 0 ||
           asked(self->hour, name_begin, 0, &self->begin) < 0 || asked(self->hour, name_end, 0, &self->end) < 0 ? -1 : 0;
}

/* Skip the current entry, if it may be; else, `*entry` is the entry, if it was made. -1: an exception. */
static int skip(Entries *self, uint64_t time_us, Entry **entry) {
    if (time_us > self->no_later || time_us < self->begin || time_us >= self->end)
        return 0;
    int skips = goes_nowhere(self, time_us, entry);
    if (skips <= 0)
        return skips;
    if (self->skipped++ == 0)
        self->first = self->final = time_us;
    else if (time_us < self->first)
        self->first = time_us;
    else if (time_us > self->final)
        self->final = time_us;
    self->reached = time_us;
    return 1;
}

/* -- The next entry */

/* Leave the rest to Python; gives its first entry. */
static PyObject *hand_over(Entries *self, const char *how, int fault) {
    self->is_over = 1;
    if (tell_position(self) < 0 || tell_skipped(self) < 0)
        return NULL;
    self->rest = PyObject_CallMethod(self->owner, how, "nKi", self->left, (unsigned long long)self->time_us, fault);
    return self->rest == NULL ? NULL : PyIter_Next(self->rest);
}

/* Give the current entry, which may be made already. */
static PyObject *given(Entries *self, Entry *entry) {
    if (entry == NULL && (entry = current(self, self->time_us)) == NULL)
        return NULL;
    if (tell_position(self) < 0 || tell_skipped(self) < 0) {
        Py_DECREF(entry);
        return NULL;
    }
    REPLACE(self->before, self->last);
    self->last = entry;
    Py_INCREF(entry);
    return (PyObject *)entry;
}

/* Keep the exception that is set; what was skipped before it is told. */
static PyObject *broken_off(Entries *self) {
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    if (tell_position(self) < 0 || tell_skipped(self) < 0)
        PyErr_Clear();
    PyErr_Restore(type, value, trace);
    return NULL;
}

static PyObject *entries_next(Entries *self) {
    uint64_t time_us;
    int result;
    if (self->rest != NULL)
        return PyIter_Next(self->rest);
    if (ask_hour(self) < 0)
        return NULL;
    while (!self->is_over) {
        Entry *entry = NULL;
        if (self->left == 0 || self->reader->journal == NULL)
            return hand_over(self, "_go_on", 0);
        result = next_entry(self->reader);
        if (result <= 0)
            return hand_over(self, "_go_on", -result);
        self->reader->serial++;
        self->position++;
        result = time_of_entry(self->reader, &time_us);
        if (result < 0)
            return hand_over(self, "_go_on", -result);
        if (!self->is_begun) {
            self->is_begun = 1;
            enter_archive(self->reader);
        }
        if (time_us > self->until)
            return hand_over(self, "_end", 0);
        result = self->hour == NULL ? 0 : skip(self, time_us, &entry);
        if (result < 0)
            return broken_off(self);
        self->left--;
        self->time_us = time_us;
        if (result == 0)
            return given(self, entry);
        if (PyErr_CheckSignals() < 0)
            return broken_off(self);
    }
    return NULL;
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
