/* What an action works out of texts of an entry: calls the function that it has said (pyruse/api/worked_out.py). */
#include "native.h"

enum { MOST = 4 };           /* fields */

/* Set the fields that the function has given values for. */
static int set_fields(Entry *entry, PyObject *into, PyObject *values) {
    if (values == Py_None || PyTuple_Size(into) == 0)
        return YES;
    if (!PyTuple_Check(values) || PyTuple_Size(values) != PyTuple_Size(into)) {
        PyErr_SetString(PyExc_TypeError, "a value is expected for each field that is set, in a tuple");
        return FAULT;
    }
    for (Py_ssize_t at = 0; at < PyTuple_Size(into); at++) {
        PyObject *value = PyTuple_GetItem(values, at);
        if (value != Py_None && PyObject_SetItem((PyObject *)entry, PyTuple_GetItem(into, at), value) < 0)
            return FAULT;
    }
    return YES;
}

int worked_out(PyObject *said, Entry *entry) {
    PyObject *fields = PyTuple_GetItem(said, 0), *into = PyTuple_GetItem(said, 2), *given[MOST + 1] = {NULL};
    Py_ssize_t count = PyTuple_Size(fields);
    int result = count > MOST ? ASK : YES;
    for (Py_ssize_t at = 0; result == YES && at < count; at++) {
        given[at] = field_text(entry, PyTuple_GetItem(fields, at));
        result = given[at] == NULL ? FAULT : given[at] == Py_None ? ASK : YES;
    }
    if (result == YES && entry->time_us == NULL)
        result = ASK;
    if (result == YES) {
        Py_INCREF(entry->time_us);
        given[count] = entry->time_us;
        PyObject *values = PyObject_CallFunctionObjArgs(PyTuple_GetItem(said, 1), given[0], given[1], given[2], given[3],
                                                        given[4], NULL);
        result = values == NULL ? FAULT : set_fields(entry, into, values);
        Py_XDECREF(values);
    }
    for (int at = 0; at <= MOST; at++)
        Py_XDECREF(given[at]);
    return result;
}
