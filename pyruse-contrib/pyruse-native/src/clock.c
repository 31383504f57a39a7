/* The texts of instants, one after the other: what iso_texts does (pyruse/times.py). Which text stands before and behind
 * the minutes, and from when to when, is said by Python: a quarter of an hour has the same. */
#include "native.h"

#include <string.h>

#define LONGEST 64 /* bytes before and behind the minutes: an hour has 14, an offset up to 16 */

typedef struct {
    PyObject_HEAD
    PyObject *quarter_of;
    long long begin, end; /* of the quarter: microseconds since the epoch */
    long long second;     /* to be added to seconds since the epoch: those of its hour */
    char before[LONGEST], after[LONGEST];
    Py_ssize_t before_length, after_length;
} Clock;

static int kept(char *to, Py_ssize_t *length, PyObject *text) {
    const char *found = PyUnicode_AsUTF8AndSize(text, length);
    if (found == NULL)
        return -1;
    if (*length > LONGEST) {
        PyErr_SetString(PyExc_ValueError, "expected shorter texts");
        return -1;
    }
    memcpy(to, found, *length);
    return 0;
}

/* Takes the quarter of an hour that Python gives. */
static int turn(Clock *self, PyObject *quarter) {
    PyObject *before, *after;
    if (!PyArg_ParseTuple(quarter, "LLLUU:Clock", &self->begin, &self->end, &self->second, &before, &after) ||
        kept(self->before, &self->before_length, before) < 0 || kept(self->after, &self->after_length, after) < 0) {
        self->begin = self->end = 0;
        return -1;
    }
    if (self->begin < 0 || self->second + self->begin / 1000000 < 0 || self->second + (self->end - 1) / 1000000 > 3599)
        self->begin = self->end = 0;
    return 0;
}

static char *digits(char *to, long long number, int count) {
    for (int at = count - 1; at >= 0; at--, number /= 10)
        to[at] = (char)('0' + number % 10);
    return to + count;
}

static PyObject *clock_text(PyObject *object, PyObject *instant) {
    Clock *self = (Clock *)object;
    long long time = PyLong_AsLongLong(instant);
    if (time == -1 && PyErr_Occurred())
        return NULL;
    if (time < self->begin || time >= self->end) {
        PyObject *quarter = PyObject_CallFunctionObjArgs(self->quarter_of, instant, NULL);
        if (quarter == NULL || PyUnicode_Check(quarter))
            return quarter; /* where the clocks change: the text itself */
        int is_faulty = !PyTuple_Check(quarter) || turn(self, quarter) < 0;
        Py_DECREF(quarter);
        if (is_faulty || time < self->begin || time >= self->end) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_ValueError, "expected the quarter of an hour of this instant");
            return NULL;
        }
    }
    long long second = self->second + time / 1000000, rest = time % 1000000;
    char text[2 * LONGEST + 16], *end = text + self->before_length;
    memcpy(text, self->before, self->before_length);
    end = digits(end, second / 60, 2);
    *end++ = ':';
    end = digits(end, second % 60, 2);
    if (rest != 0) {
        *end++ = '.';
        end = digits(end, rest, 6);
    }
    memcpy(end, self->after, self->after_length);
    return PyUnicode_FromStringAndSize(text, end + self->after_length - text);
}

static PyObject *clock_new(PyTypeObject *type, PyObject *arguments, PyObject *names) {
    static char *known[] = {"quarter_of", NULL};
    PyObject *quarter_of;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "O:Clock", known, &quarter_of))
        return NULL;
    Clock *self = (Clock *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    if (self == NULL)
        return NULL;
    Py_INCREF(quarter_of);
    self->quarter_of = quarter_of;
    return (PyObject *)self;
}

static int clock_traverse(Clock *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->quarter_of);
    return 0;
}

static int clock_clear(Clock *self) {
    Py_CLEAR(self->quarter_of);
    return 0;
}

static void clock_dealloc(Clock *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    clock_clear(self);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyMethodDef clock_methods[] = {
    {"text", clock_text, METH_O, "An instant in ISO 8601."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot clock_slots[] = {
    {Py_tp_new, clock_new},
    {Py_tp_dealloc, clock_dealloc},
    {Py_tp_traverse, clock_traverse},
    {Py_tp_clear, clock_clear},
    {Py_tp_methods, clock_methods},
    {0, NULL},
};

PyType_Spec clock_spec = {
    .name = "pyruse_native._native.Clock",
    .basicsize = sizeof(Clock),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = clock_slots,
};
