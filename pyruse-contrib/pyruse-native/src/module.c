/* The module pyruse_native._native: its types and functions. */
#include "native.h"

PyTypeObject *reader_type, *entry_core_type, *node_core_type, *condition_type, *lead_type, *filling_type, *masker_type,
    *tallying_type;

static PyObject *with_help(PyObject *module, PyObject *arguments, PyObject *names) {
    static char *known[] = {"as_text", "encodable", "set_many", "set_one", "remove", "gone", NULL};
    PyObject *given[6];
    PyObject **kept[] = {&as_text, &encodable, &set_many_slowly, &set_slowly, &remove_slowly, &gone};
    (void)module;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "OOOOOO:with_help", known, &given[0], &given[1], &given[2],
                                     &given[3], &given[4], &given[5]))
        return NULL;
    for (int i = 0; i < 6; i++) {
        Py_INCREF(given[i]);
        REPLACE(*kept[i], given[i]);
    }
    Py_INCREF(entry_core_type);
    return (PyObject *)entry_core_type;
}

/* Entries of a class that is derived from this one may do all in a way of their own. */
static PyObject *entries_are(PyObject *module, PyObject *type) {
    (void)module;
    Py_INCREF(type);
    REPLACE(entry_type, type);
    Py_RETURN_NONE;
}

static PyObject *search_with(PyObject *module, PyObject *arguments, PyObject *names) {
    static char *known[] = {"needs_of", "search_of", "address_text", NULL};
    PyObject *given[3];
    PyObject **kept[] = {&needs_of, &search_of, &address_text};
    (void)module;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "OOO:search_with", known, &given[0], &given[1], &given[2]))
        return NULL;
    for (int i = 0; i < 3; i++) {
        Py_INCREF(given[i]);
        REPLACE(*kept[i], given[i]);
    }
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"with_help", (PyCFunction)(void (*)(void))with_help, METH_VARARGS | METH_KEYWORDS,
     "Take what Python does of an entry; gives EntryCore."},
    {"entries_are", entries_are, METH_O, "Take the class that Pyruse has made of EntryCore."},
    {"search_with", (PyCFunction)(void (*)(void))search_with, METH_VARARGS | METH_KEYWORDS,
     "Take what Python does of patterns."},
    {"guard", guard, METH_NOARGS, "From now on, pages of journals that cannot be read are zeros, in this process."},
    {"unreadable_pages", unreadable_pages, METH_NOARGS, "How many there were so far."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject *added(PyObject *module, PyType_Spec *spec) {
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
    node_core_type = entry_core_type == NULL ? NULL : added(module, &node_spec);
    condition_type = node_core_type == NULL ? NULL : added(module, &condition_spec);
    lead_type = condition_type == NULL ? NULL : added(module, &lead_spec);
    PyTypeObject *entries = lead_type == NULL ? NULL : added(module, &entries_spec);
    masker_type = entries == NULL ? NULL : added(module, &masker_spec);
    filling_type = masker_type == NULL ? NULL : added(module, &filling_spec);
    tallying_type = filling_type == NULL ? NULL : added(module, &tallying_spec);
    PyTypeObject *clock = tallying_type == NULL ? NULL : added(module, &clock_spec);
    Py_XDECREF(entries);
    Py_XDECREF(clock);
    if (clock == NULL || filing_init(module) < 0 || names_init() < 0)
        Py_CLEAR(module);
    return module;
}
