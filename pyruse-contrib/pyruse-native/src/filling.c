/* Messages with fields of an entry in them: what Template.render does (pyruse/options/templates.py), where no field has a
 * format, and the entry is of Pyruse's class. */
#include "native.h"

typedef struct {
    PyObject_HEAD
    PyObject *pieces;        /* a tuple: the text before, between and behind the fields */
    PyObject *fields;        /* a tuple of their names, which has one less */
    Py_ssize_t longest;      /* characters */
    PyObject *slowly;        /* for all else */
    PyObject *nothing;       /* the empty text */
} Filling;

PyObject *filled(PyObject *filling, PyObject *entry) {
    Filling *self = (Filling *)filling;
    if ((PyObject *)Py_TYPE(entry) != entry_type)
        return PyObject_CallFunctionObjArgs(self->slowly, entry, NULL);
    Py_ssize_t count = PyTuple_Size(self->fields);
    PyObject *parts = PyList_New(2 * count + 1);
    if (parts == NULL)
        return NULL;
    for (Py_ssize_t at = 0; at <= count; at++) {
        PyObject *piece = PyTuple_GetItem(self->pieces, at), *text;
        Py_INCREF(piece);
        PyList_SetItem(parts, 2 * at, piece);
        if (at == count)
            break;
        text = field_text((Entry *)entry, PyTuple_GetItem(self->fields, at));
        if (text == NULL) {
            Py_DECREF(parts);
            return NULL;
        }
        if (text == Py_None) {
            Py_DECREF(text);
            Py_INCREF(self->nothing);
            text = self->nothing;
        }
        PyList_SetItem(parts, 2 * at + 1, text);
    }
    PyObject *whole = PyUnicode_Join(self->nothing, parts);
    Py_DECREF(parts);
    if (whole != NULL && PyUnicode_GetLength(whole) > self->longest) {
        Py_DECREF(whole);
        return PyObject_CallFunctionObjArgs(self->slowly, entry, NULL);
    }
    return whole;
}

static int are_texts(PyObject *tuple) {
    for (Py_ssize_t at = 0; at < PyTuple_Size(tuple); at++)
        if (!PyUnicode_Check(PyTuple_GetItem(tuple, at)))
            return 0;
    return 1;
}

static PyObject *filling_new(PyTypeObject *type, PyObject *arguments, PyObject *names) {
    static char *known[] = {"pieces", "fields", "longest", "slowly", NULL};
    PyObject *pieces, *fields, *slowly;
    Py_ssize_t longest;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "O!O!nO:Filling", known, &PyTuple_Type, &pieces, &PyTuple_Type,
                                     &fields, &longest, &slowly))
        return NULL;
    if (PyTuple_Size(pieces) != PyTuple_Size(fields) + 1 || !are_texts(pieces) || !are_texts(fields)) {
        PyErr_SetString(PyExc_ValueError, "expected texts, and one piece more than fields");
        return NULL;
    }
    Filling *self = (Filling *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    if (self == NULL)
        return NULL;
    Py_INCREF(pieces);
    self->pieces = pieces;
    Py_INCREF(fields);
    self->fields = fields;
    self->longest = longest;
    Py_INCREF(slowly);
    self->slowly = slowly;
    self->nothing = PyUnicode_FromStringAndSize("", 0);
    if (self->nothing == NULL)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static int filling_traverse(Filling *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->slowly);
    return 0;
}

static int filling_clear(Filling *self) {
    Py_CLEAR(self->slowly);
    return 0;
}

static void filling_dealloc(Filling *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    filling_clear(self);
    Py_CLEAR(self->pieces);
    Py_CLEAR(self->fields);
    Py_CLEAR(self->nothing);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyMethodDef filling_methods[] = {
    {"render", filled, METH_O, "The message with the values of an entry's fields."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot filling_slots[] = {
    {Py_tp_new, filling_new},
    {Py_tp_dealloc, filling_dealloc},
    {Py_tp_traverse, filling_traverse},
    {Py_tp_clear, filling_clear},
    {Py_tp_methods, filling_methods},
    {0, NULL},
};

PyType_Spec filling_spec = {
    .name = "pyruse_native._native.Filling",
    .basicsize = sizeof(Filling),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = filling_slots,
};
