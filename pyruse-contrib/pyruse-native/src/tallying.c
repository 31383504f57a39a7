/* An event of a step, counted by fields of the entry: what `tallying` gives (pyruse/engine/tallying.py), where all
 * is plain text. The rows are Python's (`EventOfDay` of pyruse/state/tallies.py), and so is it to make a new one. */
#include "native.h"

enum { COUNT, AMOUNT, FIRST, LAST, TOLD };  /* of a row */

struct Tallying {
    PyObject_HEAD
    PyObject *says;          /* a dict: fields that are set first, plain text all of them … */
    PyObject *fills;         /* … and a tuple of pairs: of others, the name and what gives the text, called with the entry */
    PyObject *fields;        /* a tuple of names */
    PyObject *amount;        /* a name, or None */
    Py_ssize_t longest;      /* characters of a text; of a longer one, Python keeps a part */
    PyObject *add;           /* counts what has no row yet: given the key, the amount and the instant */
    PyObject *days;          /* whose `reported_until` … */
    PyObject *reported;      /* … is this one, for as long as what follows holds; NULL: nothing is known yet */
    PyObject *rows, *changed;
    long long begin, end;    /* the instants of the day at hand */
};

/* Whether the rows at hand are those of an instant. */
static int is_at_hand(Tallying *self, long long time_us) {
    if (self->reported == NULL || time_us < self->begin || time_us >= self->end)
        return NO;
    PyObject *reported = PyObject_GetAttr(self->days, name_reported_until);
    if (reported == NULL)
        return FAULT;
    Py_DECREF(reported);
    return reported == self->reported;  /* else the same text, it may be: Python knows */
}

static int say(Tallying *self, Entry *entry) {
    PyObject *name, *value;
    Py_ssize_t at = 0;
    while (PyDict_Next(self->says, &at, &name, &value))
        if (PyDict_SetItem(entry->known, name, value) < 0)
            return FAULT;
    int result = YES;
    for (at = 0; result == YES && at < PyTuple_Size(self->fills); at++) {
        PyObject *fill = PyTuple_GetItem(self->fills, at);
        PyObject *text = PyObject_CallFunctionObjArgs(PyTuple_GetItem(fill, 1), entry, NULL);
        if (text == NULL || PyObject_SetItem((PyObject *)entry, PyTuple_GetItem(fill, 0), text) < 0)
            result = FAULT;
        Py_XDECREF(text);
    }
    return result;
}

/* The texts of the fields, None for those that the entry does not have; a new reference, and how many it has. */
static PyObject *texts_of(Tallying *self, Entry *entry, Py_ssize_t *there) {
    Py_ssize_t count = PyTuple_Size(self->fields);
    PyObject *texts = PyTuple_New(count);
    for (Py_ssize_t at = 0; texts != NULL && at < count; at++) {
        PyObject *text = text_if_there(entry, PyTuple_GetItem(self->fields, at));
        if (text == NULL)
            Py_CLEAR(texts);
        else {
            *there += text != Py_None;
            PyTuple_SetItem(texts, at, text);
        }
    }
    return texts;
}

/* By what the row of an entry is known: the host, then names, then values. A new reference; NULL: an exception. */
static PyObject *key_of(Tallying *self, Entry *entry) {
    Py_ssize_t there = 0, taken = 0;
    PyObject *host = field_text(entry, name_host), *texts = host == NULL ? NULL : texts_of(self, entry, &there);
    PyObject *key = texts == NULL ? NULL : PyTuple_New(1 + 2 * there);
    if (key == NULL) {
        Py_XDECREF(host);
        Py_XDECREF(texts);
        return NULL;
    }
    if (host == Py_None) {
        Py_INCREF(name_nothing);
        REPLACE(host, name_nothing);
    }
    PyTuple_SetItem(key, 0, host);
    for (Py_ssize_t at = 0; taken < there; at++) {
        PyObject *name = PyTuple_GetItem(self->fields, at), *text = PyTuple_GetItem(texts, at);
        if (text == Py_None)
            continue;
        Py_INCREF(name);
        PyTuple_SetItem(key, 1 + taken, name);
        Py_INCREF(text);
        PyTuple_SetItem(key, 1 + there + taken++, text);
    }
    Py_DECREF(texts);
    return key;
}

/* What an entry adds to the amount. */
static int amount_of(Tallying *self, Entry *entry, long long *amount) {
    *amount = 0;
    if (self->amount == Py_None)
        return YES;
    PyObject *text = text_if_there(entry, self->amount);
    if (text == NULL)
        return FAULT;
    if (text != Py_None)
        *amount = plain_number(text);
    Py_DECREF(text);
    return *amount < 0 ? ASK : YES;
}

/* Have a row hold another number. */
static int put(PyObject *row, Py_ssize_t at, long long number) {
    PyObject *value = PyLong_FromLongLong(number);
    return value == NULL ? -1 : PyList_SetItem(row, at, value);
}

/* Count one more in a row: what `EventOfDay.add_again` does. */
static int add(Tallying *self, PyObject *key, PyObject *row, long long amount, long long time_us) {
    long long numbers[TOLD + 1];
    int overflow = 0;
    for (Py_ssize_t at = COUNT; at <= TOLD; at++) {
        PyObject *number = PyList_GetItem(row, at);
        numbers[at] = number == NULL ? -1 : PyLong_AsLongLongAndOverflow(number, &overflow);
        if (overflow != 0)
            return ASK;
        if (numbers[at] == -1 && PyErr_Occurred())
            return FAULT;
    }
    long long sum;
    if (__builtin_add_overflow(numbers[AMOUNT], amount, &sum))
        return ASK;
    if ((numbers[COUNT] == numbers[TOLD] && PySet_Add(self->changed, key) < 0) ||
        put(row, COUNT, numbers[COUNT] + 1) < 0 || (amount != 0 && put(row, AMOUNT, sum) < 0) ||
        (time_us > numbers[LAST] && put(row, LAST, time_us) < 0) ||
        (time_us < numbers[FIRST] && put(row, FIRST, time_us) < 0))
        return FAULT;
    return YES;
}

/* Have Python count what has no row yet. */
static int add_new(Tallying *self, PyObject *key, long long amount, long long time_us) {
    for (Py_ssize_t at = 0; at < PyTuple_Size(key); at++)
        if (PyUnicode_GetLength(PyTuple_GetItem(key, at)) > self->longest)
            return ASK;
    PyObject *done = PyObject_CallFunction(self->add, "O,L,L", key, amount, time_us);
    if (done == NULL)
        return FAULT;
    Py_DECREF(done);
    return YES;
}

int tallied(Tallying *self, Entry *entry) {
    long long time_us;
    if (instant_of(entry, &time_us) == ASK)
        return ASK;
    int result = is_at_hand(self, time_us);
    if (result != YES)
        return result == NO ? ASK : FAULT;
    if (say(self, entry) == FAULT)
        return FAULT;
    long long amount;
    result = amount_of(self, entry, &amount);
    if (result != YES)
        return result;
    PyObject *key = key_of(self, entry);
    if (key == NULL)
        return FAULT;
    PyObject *row = PyDict_GetItemWithError(self->rows, key);
    if (row == NULL)
        result = PyErr_Occurred() ? FAULT : add_new(self, key, amount, time_us);
    else {
        Py_INCREF(row);
        result = PyList_CheckExact(row) ? add(self, key, row, amount, time_us) : ASK;
        Py_DECREF(row);
    }
    Py_DECREF(key);
    return result;
}

/* -- The type */

static PyObject *tallying_go_on(Tallying *self, PyObject *arguments) {
    PyObject *rows, *changed, *reported;
    long long begin, end;
    if (!PyArg_ParseTuple(arguments, "O!O!LLO:go_on", &PyDict_Type, &rows, &PySet_Type, &changed, &begin, &end, &reported))
        return NULL;
    PyObject *given[] = {rows, changed, reported}, **kept[] = {&self->rows, &self->changed, &self->reported};
    for (int i = 0; i < 3; i++) {
        Py_INCREF(given[i]);
        REPLACE(*kept[i], given[i]);
    }
    self->begin = begin;
    self->end = end;
    Py_RETURN_NONE;
}

static PyObject *tallying_new(PyTypeObject *type, PyObject *arguments, PyObject *names) {
    static char *known[] = {"says", "fills", "fields", "amount", "longest", "add", "days", NULL};
    PyObject *says, *fills, *fields, *amount, *add, *days;
    Py_ssize_t longest;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "O!O!O!OnOO:Tallying", known, &PyDict_Type, &says, &PyTuple_Type,
                                     &fills, &PyTuple_Type, &fields, &amount, &longest, &add, &days))
        return NULL;
    for (Py_ssize_t at = 0; at < PyTuple_Size(fills); at++) {
        PyObject *fill = PyTuple_GetItem(fills, at);
        if (!PyTuple_Check(fill) || PyTuple_Size(fill) != 2) {
            PyErr_SetString(PyExc_TypeError, "expected pairs of a name and what gives a text");
            return NULL;
        }
    }
    Tallying *self = (Tallying *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    if (self == NULL)
        return NULL;
    PyObject *given[] = {says, fills, fields, amount, add, days};
    PyObject **kept[] = {&self->says, &self->fills, &self->fields, &self->amount, &self->add, &self->days};
    for (int i = 0; i < 6; i++) {
        Py_INCREF(given[i]);
        *kept[i] = given[i];
    }
    self->longest = longest;
    return (PyObject *)self;
}

static int tallying_traverse(Tallying *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->says);
    Py_VISIT(self->fills);
    Py_VISIT(self->fields);
    Py_VISIT(self->amount);
    Py_VISIT(self->add);
    Py_VISIT(self->days);
    Py_VISIT(self->reported);
    Py_VISIT(self->rows);
    Py_VISIT(self->changed);
    return 0;
}

static int tallying_clear(Tallying *self) {
    Py_CLEAR(self->fills);
    Py_CLEAR(self->add);
    Py_CLEAR(self->reported);
    Py_CLEAR(self->rows);
    Py_CLEAR(self->changed);
    Py_CLEAR(self->days);
    return 0;
}

static void tallying_dealloc(Tallying *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    tallying_clear(self);
    Py_CLEAR(self->says);
    Py_CLEAR(self->fields);
    Py_CLEAR(self->amount);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyMethodDef tallying_methods[] = {
    {"go_on", (PyCFunction)tallying_go_on, METH_VARARGS, "Go on with the rows of a day."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot tallying_slots[] = {
    {Py_tp_new, tallying_new},
    {Py_tp_dealloc, tallying_dealloc},
    {Py_tp_traverse, tallying_traverse},
    {Py_tp_clear, tallying_clear},
    {Py_tp_methods, tallying_methods},
    {0, NULL},
};

PyType_Spec tallying_spec = {
    .name = "pyruse_native._native.Tallying",
    .basicsize = sizeof(Tallying),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = tallying_slots,
};
