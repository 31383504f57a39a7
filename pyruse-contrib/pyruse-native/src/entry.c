/* An entry as steps see it: what pyruse/entry/entry.py does, for what is done with each entry. The rest of the class,
 * and every error text, is Python's. */
#include "native.h"

PyObject *as_text, *encodable, *set_many_slowly, *set_slowly, *remove_slowly, *gone;
PyObject *entry_type, *address_text, *needs_of, *search_of;
PyObject *name_position, *name_read, *name_skipped, *name_first, *name_last,
    *name_reached, *name_learn, *name_fault, *name_faulty, *name_groups, *name_begin, *name_end, *name_last_us,
    *name_until, *name_no_later, *name_isupper, *name_nothing, *name_meaning, *name_identifier, *name_host,
    *name_priority, *name_message_id, *name_reported_until;

/* Names of attributes, made once. */
int names_init(void) {
    static const struct {
        PyObject **kept;
        const char *text;
    } names[] = {
        {&name_position, "position"}, {&name_read, "read"},
                {&name_skipped, "skipped"}, {&name_first, "first"}, {&name_last, "last"},
        {&name_reached, "reached"}, {&name_learn, "learn"},   {&name_fault, "fault"},   {&name_faulty, "faulty"},
        {&name_groups, "groups"},   {&name_begin, "begin"},   {&name_end, "end"},
        {&name_last_us, "_last_us"}, {&name_until, "_until"}, {&name_no_later, "no_later"},
        {&name_isupper, "isupper"}, {&name_nothing, ""}, {&name_meaning, "meaning"},
        {&name_identifier, "SYSLOG_IDENTIFIER"}, {&name_host, "_HOSTNAME"}, {&name_priority, "PRIORITY"},
        {&name_message_id, "MESSAGE_ID"},
        {&name_reported_until, "reported_until"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if ((*names[i].kept = PyUnicode_InternFromString(names[i].text)) == NULL)
            return -1;
    return 0;
}

/* `known` is a dict from the beginning on: a class that is derived from ours may forget our __init__. */
static PyObject *entry_new(PyTypeObject *type, PyObject *arguments, PyObject *names) {
    (void)arguments, (void)names;
    Entry *self = (Entry *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    if (self == NULL)
        return NULL;
    self->known = PyDict_New();
    if (self->known == NULL)
        Py_CLEAR(self);
    return (PyObject *)self;
}

PyObject *new_entry(PyTypeObject *type, PyObject *time_us, PyObject *source, Reader *reader) {
    Entry *self = (Entry *)entry_new(type, NULL, NULL);
    if (self == NULL)
        return NULL;
    Py_INCREF(time_us);
    self->time_us = time_us;
    Py_INCREF(source);
    self->source = source;
    Py_INCREF(reader);
    self->reader = reader;
    self->serial = reader->serial;
    return (PyObject *)self;
}

int renew_entry(Entry *self, PyObject *time_us) {
    if (self->lead != NULL)
        forget_way(self);
    if (Py_REFCNT(self->known) == 1)
        PyDict_Clear(self->known);
    else {
        PyObject *known = PyDict_New();
        if (known == NULL)
            return -1;
        REPLACE(self->known, known);
    }
    Py_INCREF(time_us);
    REPLACE(self->time_us, time_us);
    self->serial = self->reader->serial;
    return 0;
}

static int entry_set_up(Entry *self, PyObject *arguments, PyObject *names) {
    static char *known_names[] = {"time_us", "source", "values", NULL};
    PyObject *time_us, *source = Py_None, *values = Py_None, *position;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "O|OO:Entry", known_names, &time_us, &source, &values))
        return -1;
    if (values != Py_None && !PyDict_Check(values)) {
        PyErr_SetString(PyExc_TypeError, "the values of an entry are a dict");
        return -1;
    }
    position = source == Py_None ? PyLong_FromLong(0) : PyObject_GetAttr(source, name_position);
    if (position == NULL)
        return -1;
    PyObject *known = values;
    if (values == Py_None)
        known = PyDict_New();
    else
        Py_INCREF(known);
    if (known == NULL) {
        Py_DECREF(position);
        return -1;
    }
    REPLACE(self->known, known);
    REPLACE(self->position, position);
    Py_INCREF(time_us);
    REPLACE(self->time_us, time_us);
    Py_INCREF(source);
    REPLACE(self->source, source);
    Py_CLEAR(self->reader);
    forget_way(self);
    return 0;
}

static int entry_traverse(Entry *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->known);
    Py_VISIT(self->source);
    Py_VISIT(self->reader);
    Py_VISIT(self->lead);
    Py_VISIT(self->node);
    Py_VISIT(self->fault);
    return 0;
}

static int entry_clear(Entry *self) {
    Py_CLEAR(self->known);
    Py_CLEAR(self->source);
    Py_CLEAR(self->reader);
    forget_way(self);
    return 0;
}

static void entry_dealloc(Entry *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    entry_clear(self);
    Py_CLEAR(self->time_us);
    Py_CLEAR(self->position);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

int instant_of(const Entry *self, long long *time_us) {
    int overflow = 1;
    if (self->time_us != NULL && PyLong_CheckExact(self->time_us))  /* a step may take it away */
        *time_us = PyLong_AsLongLongAndOverflow(self->time_us, &overflow);
    return overflow != 0 ? ASK : YES;
}

/* A field that is not among the known ones, and is from now on; None, if there is none. */
static PyObject *entry_read(Entry *self, PyObject *field) {
    PyObject *value;
    if (self->reader != NULL) {
        if (self->serial != self->reader->serial)
            goto past;
        value = read_field(self->reader, field, self->source);
    } else {
        if (self->source == NULL || self->source == Py_None)
            Py_RETURN_NONE;
        PyObject *position = PyObject_GetAttr(self->source, name_position);
        int same = position == NULL ? -1 : PyObject_RichCompareBool(position, self->position, Py_EQ);
        Py_XDECREF(position);
        if (same < 0)
            return NULL;
        if (!same)
            goto past;
        value = PyObject_CallMethodObjArgs(self->source, name_read, field, NULL);
    }
    if (value != NULL && PyDict_SetItem(self->known, field, value) < 0)
        Py_CLEAR(value);
    return value;
past:
    PyErr_SetObject(PyExc_RuntimeError, gone);
    return NULL;
}

PyObject *value_of(Entry *self, PyObject *field) {
    PyObject *value = PyDict_GetItemWithError(self->known, field);
    if (value != NULL) {
        Py_INCREF(value);
        return value;
    }
    return PyErr_Occurred() ? NULL : entry_read(self, field);
}

/* The arguments of a method, by place or by name. */
static int taken(PyObject *const *arguments, Py_ssize_t count, PyObject *names, int most, const char *const *known,
                 PyObject **values) {
    Py_ssize_t named = names == NULL ? 0 : PyTuple_Size(names);
    if (count > most)
        goto wrong;
    for (Py_ssize_t i = 0; i < count; i++)
        values[i] = arguments[i];
    for (Py_ssize_t i = 0; i < named; i++) {
        int at = 0;
        while (at < most && PyUnicode_CompareWithASCIIString(PyTuple_GetItem(names, i), known[at]) != 0)
            at++;
        if (at == most || at < count)
            goto wrong;
        values[at] = arguments[count + i];
    }
    if (values[0] != NULL)
        return 0;
wrong:
    PyErr_Format(PyExc_TypeError, "expected %s%s%s", known[0], most > 1 ? ", and maybe " : "", most > 1 ? known[1] : "");
    return -1;
}

static PyObject *entry_get(Entry *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
    static const char *const known[] = {"field", "default"};
    PyObject *asked[2] = {NULL, Py_None};
    if (taken(arguments, count, names, 2, known, asked) < 0)
        return NULL;
    PyObject *value = value_of(self, asked[0]);
    if (value != Py_None)
        return value;
    Py_DECREF(value);
    Py_INCREF(asked[1]);
    return asked[1];
}

/* A value as text; takes over the reference, and gives a new one. None: there is no value. */
static PyObject *text_of(PyObject *value) {
    if (value == NULL || value == Py_None || PyUnicode_CheckExact(value))
        return value;
    if (PyLong_CheckExact(value)) {
        PyObject *number = PyObject_Str(value);
        Py_DECREF(value);
        return number;
    }
    PyObject *text = PyObject_CallFunctionObjArgs(as_text, value, NULL);
    Py_DECREF(value);
    PyObject *plain = text == NULL ? NULL : PyObject_CallFunctionObjArgs(encodable, text, NULL);
    Py_XDECREF(text);
    return plain;
}

PyObject *field_text(Entry *self, PyObject *field) {
    return text_of(value_of(self, field));
}

static PyObject *entry_text(Entry *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
    static const char *const known[] = {"field"};
    PyObject *field = NULL;
    if (taken(arguments, count, names, 1, known, &field) < 0)
        return NULL;
    return field_text(self, field);
}

/* Whether a journal may have a field of this name, as `str.isupper` has it. -1: an exception. */
static int is_of_journal(PyObject *name) {
    Py_ssize_t length;
    const char *bytes = PyUnicode_Check(name) ? PyUnicode_AsUTF8AndSize(name, &length) : NULL;
    int is_upper = 0;
    for (Py_ssize_t i = 0; bytes != NULL && i < length; i++) {
        if (bytes[i] >= 'a' && bytes[i] <= 'z')
            return 0;
        if (bytes[i] & 0x80)
            bytes = NULL;
        else
            is_upper |= bytes[i] >= 'A' && bytes[i] <= 'Z';
    }
    if (bytes != NULL)
        return is_upper;
    PyErr_Clear();
    PyObject *answer = PyObject_CallMethodObjArgs(name, name_isupper, NULL);
    is_upper = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    return is_upper;
}

PyObject *text_if_there(Entry *self, PyObject *name) {
    PyObject *value = PyDict_GetItemWithError(self->known, name), *text;
    Py_XINCREF(value);
    if (value == NULL) {
        int asks = PyErr_Occurred() ? -1 : is_of_journal(name);
        if (asks < 0)
            return NULL;
        if (!asks)
            Py_RETURN_NONE;
        value = entry_read(self, name);
    }
    text = text_of(value);
    if (text != NULL && text != Py_None && PyUnicode_Check(text) && PyUnicode_GetLength(text) == 0) {
        Py_INCREF(Py_None);
        REPLACE(text, Py_None);
    }
    return text;
}

long long plain_number(PyObject *text) {
    Py_ssize_t length;
    long long number = 0;
    const char *bytes = PyUnicode_AsUTF8AndSize(text, &length);
    if (bytes == NULL)
        PyErr_Clear();       /* half a character is no digit */
    if (bytes == NULL || length == 0 || length > 15)
        return -1;
    for (Py_ssize_t i = 0; i < length; i++) {
        if (bytes[i] < '0' || bytes[i] > '9')
            return -1;
        number = 10 * number + (bytes[i] - '0');
    }
    return number;
}

static PyObject *entry_texts(Entry *self, PyObject *const *arguments, Py_ssize_t count, PyObject *keywords) {
    static const char *const known[] = {"fields"};
    PyObject *fields = NULL;
    if (taken(arguments, count, keywords, 1, known, &fields) < 0)
        return NULL;
    PyObject *names = PySequence_Tuple(fields), *found = names == NULL ? NULL : PyDict_New();
    for (Py_ssize_t i = 0; found != NULL && i < PyTuple_Size(names); i++) {
        PyObject *name = PyTuple_GetItem(names, i), *text = text_if_there(self, name);
        if (text == NULL || (text != Py_None && PyDict_SetItem(found, name, text) < 0))
            Py_CLEAR(found);
        Py_XDECREF(text);
    }
    Py_XDECREF(names);
    return found;
}

static PyObject *entry_item(Entry *self, PyObject *field) {
    PyObject *value = value_of(self, field);
    if (value == Py_None) {
        Py_DECREF(value);
        PyErr_SetObject(PyExc_KeyError, field);
        return NULL;
    }
    return value;
}

static int entry_contains(Entry *self, PyObject *field) {
    if (!PyUnicode_Check(field))
        return 0;
    PyObject *value = value_of(self, field);
    if (value == NULL)
        return -1;
    Py_DECREF(value);
    return value != Py_None;
}

/* Whether a field is a step's to set, and its value is kept as it is: text that every encoding takes. */
static int is_settable(PyObject *name) {
    Py_ssize_t length;
    const char *bytes = PyUnicode_Check(name) ? PyUnicode_AsUTF8AndSize(name, &length) : NULL;
    return bytes != NULL && bytes[0] != '_';
}

static int is_plain(PyObject *name, PyObject *value) {
    Py_ssize_t length;
    if (!is_settable(name))
        return 0;
    if (value == Py_None)
        return 1;
    return PyUnicode_CheckExact(value) && PyUnicode_AsUTF8AndSize(value, &length) != NULL;
}

static PyObject *entry_set_many(Entry *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names) {
    static const char *const known[] = {"fields"};
    PyObject *fields = NULL, *name, *value;
    Py_ssize_t at = 0;
    if (taken(arguments, count, names, 1, known, &fields) < 0)
        return NULL;
    if (!PyDict_CheckExact(fields))
        return PyObject_CallFunctionObjArgs(set_many_slowly, self, fields, NULL);
    while (PyDict_Next(fields, &at, &name, &value))  /* all of them before the first is set */
        if (!is_plain(name, value)) {
            PyErr_Clear();
            return PyObject_CallFunctionObjArgs(set_many_slowly, self, fields, NULL);
        }
    at = 0;
    while (PyDict_Next(fields, &at, &name, &value))
        if (value != Py_None && PyDict_SetItem(self->known, name, value) < 0)
            return NULL;
    Py_RETURN_NONE;
}

/* Set a field, or take it out: what is not plain is Python's. */
static int entry_assign(Entry *self, PyObject *field, PyObject *value) {
    if (value != NULL && value != Py_None && (PyUnicode_CheckExact(value) ? is_plain(field, value) : is_settable(field) && !PyUnicode_Check(value)))
        return PyDict_SetItem(self->known, field, value);
    PyErr_Clear();
    PyObject *done = value == NULL ? PyObject_CallFunctionObjArgs(remove_slowly, self, field, NULL)
                                   : PyObject_CallFunctionObjArgs(set_slowly, self, field, value, NULL);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static PyMethodDef entry_methods[] = {
    {"get", (PyCFunction)(void (*)(void))entry_get, METH_FASTCALL | METH_KEYWORDS, NULL},
    {"text", (PyCFunction)(void (*)(void))entry_text, METH_FASTCALL | METH_KEYWORDS, NULL},
    {"texts", (PyCFunction)(void (*)(void))entry_texts, METH_FASTCALL | METH_KEYWORDS, NULL},
    {"set_many", (PyCFunction)(void (*)(void))entry_set_many, METH_FASTCALL | METH_KEYWORDS, NULL},
    {"_read", (PyCFunction)entry_read, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

/* The position of its source, as long as the entry is the source's current one. */
static PyObject *entry_position(Entry *self, void *unused) {
    (void)unused;
    if (self->reader == NULL) {
        PyObject *position = self->position == NULL ? Py_None : self->position;
        Py_INCREF(position);
        return position;
    }
    if (self->serial != self->reader->serial)
        return PyLong_FromLong(-1);
    return PyObject_GetAttr(self->source, name_position);
}

static PyGetSetDef entry_getset[] = {
    {"_position", (getter)entry_position, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef entry_members[] = {
    {"time_us", T_OBJECT_EX, offsetof(Entry, time_us), 0, NULL},
    {"_known", T_OBJECT_EX, offsetof(Entry, known), READONLY, NULL},
    {"_source", T_OBJECT, offsetof(Entry, source), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot entry_slots[] = {
    {Py_tp_new, entry_new},
    {Py_tp_init, entry_set_up},
    {Py_tp_dealloc, entry_dealloc},
    {Py_tp_traverse, entry_traverse},
    {Py_tp_clear, entry_clear},
    {Py_tp_methods, entry_methods},
    {Py_tp_members, entry_members},
    {Py_tp_getset, entry_getset},
    {Py_mp_subscript, entry_item},
    {Py_mp_ass_subscript, entry_assign},
    {Py_sq_contains, entry_contains},
    {0, NULL},
};

PyType_Spec entry_spec = {
    .name = "pyruse_native._native.EntryCore",
    .basicsize = sizeof(Entry),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = entry_slots,
};
