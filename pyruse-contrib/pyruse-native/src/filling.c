/* Messages with fields of an entry in them: what Template.render does (pyruse/options/templates.py), where no field has a
 * format, the entry is of Pyruse's class, and the message is short. */
#include <string.h>
#include "native.h"

#define SHORT 1024           /* bytes */

typedef struct {
    PyObject_HEAD
    PyObject *pieces;        /* a tuple: the text before, between and behind the fields */
    PyObject *fields;        /* a tuple of their names, which has one less */
    PyObject *slowly;        /* for all else */
} Filling;

/* A message that is being put together, in UTF-8. */
typedef struct {
    char bytes[SHORT];
    size_t length;
} Message;

/* Put a text behind what is there. NO: there is no room, or no encoding takes the text. */
static int put(Message *message, PyObject *text) {
    Py_ssize_t length;
    const char *bytes = PyUnicode_AsUTF8AndSize(text, &length);
    if (bytes == NULL) {
        PyErr_Clear();
        return NO;
    }
    if ((size_t)length > SHORT - message->length)
        return NO;
    memcpy(message->bytes + message->length, bytes, (size_t)length);
    message->length += (size_t)length;
    return YES;
}

/* A message that is short, as nearly all are; None: it is not. */
static PyObject *short_message(Filling *self, Entry *entry) {
    Message message;         /* its bytes need no beginning */
    message.length = 0;
    Py_ssize_t count = PyTuple_Size(self->fields);
    int fits = put(&message, PyTuple_GetItem(self->pieces, 0));
    for (Py_ssize_t at = 0; fits && at < count; at++) {
        PyObject *text = field_text(entry, PyTuple_GetItem(self->fields, at));
        if (text == NULL)
            return NULL;
        fits = (text == Py_None || put(&message, text)) && put(&message, PyTuple_GetItem(self->pieces, at + 1));
        Py_DECREF(text);
    }
    if (!fits)
        Py_RETURN_NONE;
    return PyUnicode_FromStringAndSize(message.bytes, (Py_ssize_t)message.length);
}

PyObject *filled(PyObject *filling, PyObject *entry) {
    Filling *self = (Filling *)filling;
    PyObject *message = Py_None;
    if ((PyObject *)Py_TYPE(entry) == entry_type) {
        message = short_message(self, (Entry *)entry);
        if (message != Py_None)
            return message;
    } else
        Py_INCREF(message);
    Py_DECREF(message);
    return PyObject_CallFunctionObjArgs(self->slowly, entry, NULL);
}

static int are_texts(PyObject *tuple) {
    for (Py_ssize_t at = 0; at < PyTuple_Size(tuple); at++)
        if (!PyUnicode_Check(PyTuple_GetItem(tuple, at)))
            return 0;
    return 1;
}

static PyObject *filling_new(PyTypeObject *type, PyObject *arguments, PyObject *names) {
    static char *known[] = {"pieces", "fields", "slowly", NULL};
    PyObject *pieces, *fields, *slowly;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "O!O!O:Filling", known, &PyTuple_Type, &pieces, &PyTuple_Type,
                                     &fields, &slowly))
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
    Py_INCREF(slowly);
    self->slowly = slowly;
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
