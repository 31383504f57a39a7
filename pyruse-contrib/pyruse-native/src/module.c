/* The module pyruse_native._native: its types and functions. */
#include "native.h"

PyTypeObject *reader_type, *entry_core_type;

static PyObject *with_help(PyObject *module, PyObject *arguments, PyObject *names) {
    static char *known[] = {"as_text", "encodable", "set_many", "gone", NULL};
    PyObject *given[4];
    PyObject **kept[] = {&as_text, &encodable, &set_many_slowly, &gone};
    (void)module;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "OOOO:with_help", known, &given[0], &given[1], &given[2],
                                     &given[3]))
        return NULL;
    for (int i = 0; i < 4; i++) {
        Py_INCREF(given[i]);
        REPLACE(*kept[i], given[i]);
    }
    Py_INCREF(entry_core_type);
    return (PyObject *)entry_core_type;
}

static PyMethodDef functions[] = {
    {"with_help", (PyCFunction)(void (*)(void))with_help, METH_VARARGS | METH_KEYWORDS,
     "Take what Python does of an entry; gives EntryCore."},
    {"guard", guard, METH_NOARGS, "From now on, pages of journals that cannot be read are zeros, in this process."},
    {"unreadable_pages", unreadable_pages, METH_NOARGS, "How many there were so far."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject *added(PyObject *module, PyType_Spec *spec) {
    PyObject *type = PyType_FromSpec(spec);
    if (type != NULL && PyModule_AddType(module, (PyTypeObject *)type) < 0)
        Py_CLEAR(type);
    return (PyTypeObject *)type;
}

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "pyruse_native._native", .m_size = -1, .m_methods = functions,
};

PyMODINIT_FUNC PyInit__native(void) {
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL)
        return NULL;
    reader_type = added(module, &reader_spec);
    entry_core_type = reader_type == NULL ? NULL : added(module, &entry_spec);
    PyTypeObject *entries = entry_core_type == NULL ? NULL : added(module, &entries_spec);
    Py_XDECREF(entries);
    if (entries == NULL || names_init() < 0)
        Py_CLEAR(module);
    return module;
}
