/* Filing for the report what is reported again and again (pyruse/engine/filing.py). Where events of a step differ in nothing
 * that they are filed by, they have the place of the one before them, which Python has found; what that place is, is not
 * known here. So whatever is new, or not plain, is Python's: another day, a meaning, an odd field, the first of a commit. */
#include <string.h>
#include "native.h"

#define LONGEST_NAME 100     /* characters of a program's name; a longer one is cut */
#define LONGEST_HOST 255     /* characters; a longer one is no machine's, and is not kept in memory */
#define PLACES 4096          /* a power of two */
#define NEIGHBOURS 4         /* a place is one of so many, by its hash */
#define DAYS 3               /* places are known of so many days … */
#define MOST_AHEAD 15000     /* events of a batch that are filed before the engine is given the entry */

PyTypeObject *filer_type;
static PyTypeObject *counts_type, *filing_core_type;

/* -- How many events are alike (`Alike` in pyruse/state/counted_kinds.py) */

typedef struct {
    PyObject_HEAD
    long long count, first, last;
} Counts;

static void counts_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyMemberDef counts_members[] = {
    {"count", T_LONGLONG, offsetof(Counts, count), 0, NULL},
    {"first", T_LONGLONG, offsetof(Counts, first), 0, NULL},
    {"last", T_LONGLONG, offsetof(Counts, last), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot counts_slots[] = {
    {Py_tp_dealloc, counts_dealloc},
    {Py_tp_members, counts_members},
    {0, NULL},
};

PyType_Spec counts_spec = {
    .name = "pyruse_native._native.CountsCore",
    .basicsize = sizeof(Counts),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = counts_slots,
};

/* -- The places that are known */

/* What decides where an event of an entry is filed: the same texts; of the others, the very same object. Or NULL. */
enum { STEP, DAY, PRIORITY, MESSAGE_ID, PROGRAM, HOST, TEMPLATE, OBJECTS };
#define TEXTS PROGRAM        /* the first of them */

typedef struct {
    PyObject *objects[OBJECTS];
} Key;

typedef struct {
    Key key;
    Counts *alike;
    PyObject *head, *values; /* the number of its head, and the list that takes its events; NULL: this is no place */
} KnownPlace;

typedef struct {
    PyObject_HEAD
    long long begin, end;    /* the events of these instants are filed under the day at hand … */
    PyObject *reported, *days;  /* … as long as `days` says that days are reported until there */
    PyObject *places;        /* of the day at hand: it stands for the day */
    long long ahead;         /* events that were filed so in this batch */
    KnownPlace *known;       /* PLACES of them; NULL until there is one … */
    const PyObject *of_days[DAYS];  /* … and of which days they are: to be compared, and no references */
    int day_count;
} Filing;

static void leave(KnownPlace *place) {
    KnownPlace left = *place;
    *place = (KnownPlace){0};
    for (int i = 0; i < OBJECTS; i++)
        Py_XDECREF(left.key.objects[i]);
    Py_XDECREF(left.alike);
    Py_XDECREF(left.head);
    Py_XDECREF(left.values);
}

static uint64_t hash_of(const Key *key) {
    uint64_t hash = 0;
    for (int i = 0; i < OBJECTS; i++) {
        PyObject *one = key->objects[i];
        hash ^= i >= TEXTS && one != NULL ? (uint64_t)PyObject_Hash(one) : (uintptr_t)one;
        hash *= 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
    }
    return hash;
}

static int is_same(const Key *key, const Key *other) {
    for (int i = 0; i < OBJECTS; i++) {
        PyObject *one = key->objects[i], *two = other->objects[i];
        if (one != two && (i < TEXTS || one == NULL || two == NULL || !PyUnicode_CheckExact(one) ||
                           !PyUnicode_CheckExact(two) || PyUnicode_Compare(one, two) != 0))
            return 0;
    }
    return 1;
}

/* The place of a key or, where it is not known, one that may be given to it. */
static KnownPlace *place_for(Filing *self, const Key *key) {
    uint64_t hash = hash_of(key);
    KnownPlace *near = &self->known[hash & (PLACES - 1) & ~(uint64_t)(NEIGHBOURS - 1)], *free = NULL;
    for (int i = 0; i < NEIGHBOURS; i++)
        if (near[i].values == NULL)
            free = near + i;
        else if (is_same(&near[i].key, key))
            return near + i;
    return free != NULL ? free : near + (hash >> 32) % NEIGHBOURS;
}

static KnownPlace *known_place(Filing *self, const Key *key) {
    KnownPlace *place = self->known == NULL ? NULL : place_for(self, key);
    return place != NULL && place->values != NULL && is_same(&place->key, key) ? place : NULL;
}

/* Forget all places. */
static void forget_places(Filing *self) {
    KnownPlace *known = self->known;
    self->known = NULL;
    self->day_count = 0;
    for (size_t at = 0; known != NULL && at < PLACES; at++)
        leave(&known[at]);
    PyMem_Free(known);
}

/* Make room for a day: with its places, a day stays in memory, and there is no end of days. */
static void make_room(Filing *self, const PyObject *day) {
    for (int i = 0; i < self->day_count; i++)
        if (self->of_days[i] == day)
            return;
    while (self->day_count == DAYS)
        forget_places(self);
    self->of_days[self->day_count++] = day;
}

/* Remember the place that Python has given for an event. -1: an exception. */
static int keep(Filing *self, const Key *key, PyObject *given) {
    if (!PyTuple_CheckExact(given) || PyTuple_Size(given) != 3)
        return 0;            /* it was not filed */
    PyObject *alike = PyTuple_GetItem(given, 0), *values = PyTuple_GetItem(given, 2);
    if (!PyObject_TypeCheck(alike, counts_type) || !PyList_CheckExact(values))
        return 0;
    make_room(self, key->objects[DAY]);
    if (self->known == NULL && (self->known = PyMem_Calloc(PLACES, sizeof *self->known)) == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    KnownPlace *place = place_for(self, key), left = *place;
    *place = (KnownPlace){.key = *key, .alike = (Counts *)alike, .head = PyTuple_GetItem(given, 1), .values = values};
    for (int i = 0; i < OBJECTS; i++)
        Py_XINCREF(place->key.objects[i]);
    Py_INCREF(alike);
    Py_INCREF(place->head);
    Py_INCREF(values);
    leave(&left);
    return 0;
}

static int filing_traverse(Filing *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->reported);
    Py_VISIT(self->days);
    Py_VISIT(self->places);
    for (size_t at = 0; self->known != NULL && at < PLACES; at++) {
        KnownPlace *place = &self->known[at];
        for (int i = 0; i < OBJECTS; i++)
            Py_VISIT(place->key.objects[i]);
        Py_VISIT(place->alike);
        Py_VISIT(place->head);
        Py_VISIT(place->values);
    }
    return 0;
}

static int filing_clear(Filing *self) {
    forget_places(self);
    Py_CLEAR(self->reported);
    Py_CLEAR(self->days);
    Py_CLEAR(self->places);
    return 0;
}

static void filing_dealloc(Filing *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    filing_clear(self);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyMemberDef filing_members[] = {
    {"ahead", T_LONGLONG, offsetof(Filing, ahead), 0, NULL},
    {"_begin", T_LONGLONG, offsetof(Filing, begin), 0, NULL},
    {"_end", T_LONGLONG, offsetof(Filing, end), 0, NULL},
    {"_reported", T_OBJECT_EX, offsetof(Filing, reported), 0, NULL},
    {"_days", T_OBJECT_EX, offsetof(Filing, days), 0, NULL},
    {"_places", T_OBJECT_EX, offsetof(Filing, places), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot filing_slots[] = {
    {Py_tp_dealloc, filing_dealloc},
    {Py_tp_traverse, filing_traverse},
    {Py_tp_clear, filing_clear},
    {Py_tp_members, filing_members},
    {0, NULL},
};

PyType_Spec filing_spec = {
    .name = "pyruse_native._native.FilingCore",
    .basicsize = sizeof(Filing),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = filing_slots,
};

/* -- The events of a step */

struct Filer {
    PyObject_HEAD
    Filing *filing;
    PyObject *call;          /* files in Python; gives the place */
    PyObject *filling;       /* of the message */
    PyObject *masker;
    PyObject *text;          /* the field by whose text the kind is found; NULL: by the message … */
    int is_templated;        /* … or by neither */
    PyObject *quote;         /* gives the line that shows the event, called with entry and message; NULL: there is none */
    PyObject *own;           /* entries of this program are looked at by Python; NULL: there is none */
};

/* An event that may be filed here. */
typedef struct {
    long long time;
    PyObject *time_us, *message, *quote;
    Key key;
} Event;

static void forget(Event *event) {
    Py_CLEAR(event->time_us);
    Py_CLEAR(event->message);
    Py_CLEAR(event->quote);
    for (int i = DAY; i < OBJECTS; i++)
        Py_CLEAR(event->key.objects[i]);
}

/* Whether an instant is of the day at hand, which is still open. -1: an exception. */
static int is_today(Filing *self, long long time) {
    if (time < self->begin || time >= self->end || self->days == NULL || self->places == NULL)
        return 0;
    PyObject *until = PyObject_GetAttr(self->days, name_reported_until);
    Py_XDECREF(until);
    return until == NULL ? -1 : until == self->reported;
}

/* Whether a value is a text, and not longer than this. */
static int is_name(PyObject *value, Py_ssize_t longest) {
    return PyUnicode_CheckExact(value) && PyUnicode_GetLength(value) <= longest;
}

/* Look at what decides where an event is filed. ASK: it is not plain. `forget` the event afterwards, whatever comes of it. */
static int look_at(Filer *self, Entry *entry, Event *event) {
    PyObject **objects = event->key.objects;
    *event = (Event){.key.objects[STEP] = (PyObject *)self};
    if (instant_of(entry, &event->time) == ASK)
        return ASK;
    int result = is_today(self->filing, event->time);
    if (result != YES)
        return result == FAULT ? FAULT : ASK;
    event->time_us = entry->time_us;  /* what follows may call Python */
    Py_INCREF(event->time_us);
    objects[DAY] = self->filing->places;
    Py_INCREF(objects[DAY]);
    PyObject *meaning = PyDict_GetItemWithError(entry->known, name_meaning);
    if (meaning == NULL ? PyErr_Occurred() != NULL : meaning != Py_None)
        return meaning == NULL ? FAULT : ASK;
    if ((event->message = filled(self->filling, (PyObject *)entry)) == NULL ||
        (objects[PROGRAM] = value_of(entry, name_identifier)) == NULL ||
        (objects[HOST] = value_of(entry, name_host)) == NULL ||
        (objects[PRIORITY] = value_of(entry, name_priority)) == NULL)
        return FAULT;
    if (!is_name(event->message, PY_SSIZE_T_MAX) || !is_name(objects[PROGRAM], LONGEST_NAME) ||
        PyUnicode_GetLength(objects[PROGRAM]) == 0 || (objects[HOST] != Py_None && !is_name(objects[HOST], LONGEST_HOST)))
        return ASK;
    if (self->own != NULL && PyUnicode_Compare(objects[PROGRAM], self->own) == 0)
        return ASK;
    Py_ssize_t length;
    if (PyUnicode_AsUTF8AndSize(event->message, &length) == NULL) {
        PyErr_Clear();       /* no encoding takes it */
        return ASK;
    }
    if (self->quote != NULL &&
        (event->quote = PyObject_CallFunctionObjArgs(self->quote, entry, event->message, NULL)) == NULL)
        return FAULT;
    if (self->is_templated)
        return YES;
    PyObject *text = self->text == NULL ? event->message : value_of(entry, self->text);
    if (self->text == NULL)
        Py_INCREF(text);
    else if (text == NULL || (objects[MESSAGE_ID] = value_of(entry, name_message_id)) == NULL)
        result = FAULT;
    if (result == YES)
        result = !PyUnicode_CheckExact(text) ? ASK : (objects[TEMPLATE] = template_of(self->masker, text)) == NULL ? FAULT : YES;
    Py_XDECREF(text);
    return result;
}

/* File an event at a place where others were filed since the last commit. -1: an exception. */
static int file_at(KnownPlace *place, const Event *event) {
    PyObject *values = place->values, *new[] = {place->head, event->time_us, event->message, event->quote};
    Py_ssize_t before = PyList_Size(values);
    for (int i = 0; i < 4 && new[i] != NULL; i++)
        if (PyList_Append(values, new[i]) < 0) {
            PyList_SetSlice(values, before, before + i, NULL);
            return -1;
        }
    Counts *alike = place->alike;
    alike->count++;
    if (event->time > alike->last)
        alike->last = event->time;
    else if (event->time < alike->first)
        alike->first = event->time;
    return 0;
}

int file_quickly(Filer *self, Entry *entry) {
    Event event;
    if ((PyObject *)Py_TYPE(entry) != entry_type || self->filing->ahead >= MOST_AHEAD)
        return ASK;
    int result = look_at(self, entry, &event);
    if (result == YES) {
        KnownPlace *place = known_place(self->filing, &event.key);
        if (place == NULL || place->alike->count == 0)
            result = ASK;
        else if (file_at(place, &event) < 0)
            result = FAULT;
        else
            self->filing->ahead++;
    }
    forget(&event);
    return result;
}

PyObject *file_event(Filer *self, PyObject *entry) {
    Event event;
    if ((PyObject *)Py_TYPE(entry) != entry_type)
        return PyObject_CallFunctionObjArgs(self->call, entry, NULL);
    int result = look_at(self, (Entry *)entry, &event);
    KnownPlace *place = result == YES ? known_place(self->filing, &event.key) : NULL;
    PyObject *given = NULL;
    if (place != NULL && place->alike->count > 0) {
        given = file_at(place, &event) < 0 ? NULL : Py_None;
        Py_XINCREF(given);
    } else if (result != FAULT) {
        given = PyObject_CallFunctionObjArgs(self->call, entry, NULL);
        if (given != NULL && result == YES && event.key.objects[DAY] == self->filing->places &&
            keep(self->filing, &event.key, given) < 0)
            Py_CLEAR(given);
    }
    forget(&event);
    return given;
}

static PyObject *filer_call(Filer *self, PyObject *arguments, PyObject *names) {
    PyObject *entry;
    static char *known[] = {"entry", NULL};
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "O:Filer", known, &entry))
        return NULL;
    return file_event(self, entry);
}

static PyObject *filer_new(PyTypeObject *type, PyObject *arguments, PyObject *names) {
    static char *known[] = {"filing", "call", "filling", "masker", "text", "is_templated", "own", "quote", NULL};
    PyObject *filing, *call, *filling, *masker, *text, *own, *quote;
    int is_templated;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "O!OO!O!OpOO:Filer", known, filing_core_type, &filing, &call,
                                     filling_type, &filling, masker_type, &masker, &text, &is_templated, &own, &quote))
        return NULL;
    if ((own != Py_None && !PyUnicode_Check(own)) || (text != Py_None && !PyUnicode_Check(text))) {
        PyErr_SetString(PyExc_TypeError, "the field and the program are texts, or None");
        return NULL;
    }
    Filer *self = (Filer *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    if (self == NULL)
        return NULL;
    Py_INCREF(filing);
    self->filing = (Filing *)filing;
    Py_INCREF(call);
    self->call = call;
    Py_INCREF(filling);
    self->filling = filling;
    Py_INCREF(masker);
    self->masker = masker;
    self->is_templated = is_templated;
    if (quote != Py_None) {
        Py_INCREF(quote);
        self->quote = quote;
    }
    if (own != Py_None) {
        Py_INCREF(own);
        self->own = own;
    }
    if (text != Py_None && (self->text = PyUnicode_FromObject(text)) == NULL)
        Py_CLEAR(self);
    else if (self->text != NULL)
        PyUnicode_InternInPlace(&self->text);
    return (PyObject *)self;
}

static int filer_traverse(Filer *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->filing);
    Py_VISIT(self->call);
    Py_VISIT(self->filling);
    Py_VISIT(self->masker);
    Py_VISIT(self->quote);
    return 0;
}

static int filer_clear(Filer *self) {
    Py_CLEAR(self->filing);
    Py_CLEAR(self->call);
    Py_CLEAR(self->filling);
    Py_CLEAR(self->masker);
    Py_CLEAR(self->quote);
    return 0;
}

static void filer_dealloc(Filer *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    filer_clear(self);
    Py_CLEAR(self->text);
    Py_CLEAR(self->own);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyType_Slot filer_slots[] = {
    {Py_tp_new, filer_new},
    {Py_tp_dealloc, filer_dealloc},
    {Py_tp_traverse, filer_traverse},
    {Py_tp_clear, filer_clear},
    {Py_tp_call, filer_call},
    {0, NULL},
};

PyType_Spec filer_spec = {
    .name = "pyruse_native._native.Filer",
    .basicsize = sizeof(Filer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = filer_slots,
};

/* Make the types of this file. -1: an exception. */
int filing_init(PyObject *module) {
    counts_type = added(module, &counts_spec);
    filing_core_type = counts_type == NULL ? NULL : added(module, &filing_spec);
    filer_type = filing_core_type == NULL ? NULL : added(module, &filer_spec);
    return filer_type == NULL ? -1 : 0;
}
