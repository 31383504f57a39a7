/* The graph of steps (pyruse/chains/link.py), and the walk of entries through it (pyruse/chains/travel.py). The nodes are
 * Python's, and may be changed at any time; what the walk asks them for is in C. */
#include "native.h"

/* -- Nodes */

static int node_traverse(Node *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->step);
    Py_VISIT(self->call);
    Py_VISIT(self->passed);
    Py_VISIT(self->failed);
    Py_VISIT(self->faulty);
    Py_VISIT(self->branch);
    Py_VISIT(self->field);
    Py_VISIT(self->ways);
    return 0;
}

static int node_clear(Node *self) {
    Py_CLEAR(self->step);
    Py_CLEAR(self->call);
    Py_CLEAR(self->passed);
    Py_CLEAR(self->failed);
    Py_CLEAR(self->faulty);
    Py_CLEAR(self->branch);
    Py_CLEAR(self->field);
    Py_CLEAR(self->ways);
    return 0;
}

static void node_dealloc(Node *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    node_clear(self);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyMemberDef node_members[] = {
    {"step", T_OBJECT_EX, offsetof(Node, step), 0, NULL},
    {"call", T_OBJECT_EX, offsetof(Node, call), 0, NULL},
    {"passed", T_OBJECT_EX, offsetof(Node, passed), 0, NULL},
    {"failed", T_OBJECT_EX, offsetof(Node, failed), 0, NULL},
    {"faulty", T_OBJECT_EX, offsetof(Node, faulty), 0, NULL},
    {"branch", T_OBJECT_EX, offsetof(Node, branch), 0, NULL},
    {"field", T_OBJECT_EX, offsetof(Node, field), 0, NULL},
    {"ways", T_OBJECT_EX, offsetof(Node, ways), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot node_slots[] = {
    {Py_tp_dealloc, node_dealloc},
    {Py_tp_traverse, node_traverse},
    {Py_tp_clear, node_clear},
    {Py_tp_members, node_members},
    {0, NULL},
};

PyType_Spec node_spec = {
    .name = "pyruse_native._native.NodeCore",
    .basicsize = sizeof(Node),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = node_slots,
};

/* Where a value leads, a new reference; NULL: nobody knows yet, or there is an exception. As `key_of` has it. */
PyObject *way_of(PyObject *ways, PyObject *value) {
    PyObject *way;
    if (PyUnicode_CheckExact(value))
        way = PyDict_GetItemWithError(ways, value);
    else {
        PyObject *key = PyTuple_Pack(2, (PyObject *)Py_TYPE(value), value);
        way = key == NULL ? NULL : PyDict_GetItemWithError(ways, key);
        Py_XINCREF(way);     /* the key may have been the last to know it */
        Py_XDECREF(key);
        return way;
    }
    Py_XINCREF(way);
    return way;
}

/* -- The walk */

static PyObject *lead_new(PyTypeObject *type, PyObject *arguments, PyObject *names) {
    static char *known[] = {"entrance", "on_fault", NULL};
    PyObject *entrance, *on_fault;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "OO:Lead", known, &entrance, &on_fault))
        return NULL;
    Lead *self = (Lead *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    if (self == NULL)
        return NULL;
    Py_INCREF(entrance);
    self->entrance = entrance;
    Py_INCREF(on_fault);
    self->on_fault = on_fault;
    return (PyObject *)self;
}

static int lead_traverse(Lead *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->entrance);
    Py_VISIT(self->on_fault);
    return 0;
}

static int lead_clear(Lead *self) {
    Py_CLEAR(self->entrance);
    Py_CLEAR(self->on_fault);
    return 0;
}

static void lead_dealloc(Lead *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    lead_clear(self);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

/* Go from a node to another one; takes over the reference. */
static void turn_to(Lead *self, PyObject **node, PyObject *next) {
    PyObject *before = *node;
    *node = self->node = next;
    Py_DECREF(before);
}

/* Another node, a new reference; NULL: an exception. */
static PyObject *known_way(PyObject *way) {
    if (way == NULL) {
        PyErr_SetString(PyExc_AttributeError, "a node leads nowhere, not even to None");
        return NULL;
    }
    Py_INCREF(way);
    return way;
}

int is_quick(const Node *node) {
    return node->call != NULL && (Py_TYPE(node->call) == condition_type || Py_TYPE(node->call) == filer_type);
}

/* Ask a step. -1: it has raised. */
static int answer_of(PyObject *call, PyObject *entry) {
    if (Py_TYPE(call) == filer_type) {
        PyObject *given = file_event((Filer *)call, entry);
        Py_XDECREF(given);
        return given == NULL ? -1 : 1;
    }
    int passed = Py_TYPE(call) == condition_type ? is_met((Condition *)call, entry) : ASK;
    if (passed != ASK)
        return passed;
    PyObject *answer = PyObject_CallFunctionObjArgs(call, entry, NULL);
    if (answer == NULL)
        return -1;
    passed = answer == Py_True ? 1 : answer == Py_False || answer == Py_None ? 0 : PyObject_IsTrue(answer);
    Py_DECREF(answer);
    return passed;
}

/* Ask the filters of a branch for a value that is new to it: the last node that it gives is where to go on. */
static int learn(Lead *self, PyObject **node, PyObject *branch, PyObject *value, PyObject *entry) {
    PyObject *next, *nodes = PyObject_CallMethodObjArgs(branch, name_learn, value, entry, NULL);
    int leads_on = 0;
    if (nodes == NULL)
        return -1;
    for (; (next = PyIter_Next(nodes)) != NULL; leads_on = 1)
        turn_to(self, node, next);
    Py_DECREF(nodes);
    if (!leads_on && !PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "a branch leads somewhere");
    return PyErr_Occurred() ? -1 : 0;
}

/* Look up where a branch leads. */
static int look_up(Lead *self, PyObject **node, Node *branch, PyObject *entry) {
    if (branch->field == NULL || branch->ways == NULL || !PyDict_Check(branch->ways)) {
        PyErr_SetString(PyExc_TypeError, "a branch has a field and ways");
        return -1;
    }
    int result = 0;
    Py_INCREF(branch);       /* to read a field, or to learn, may change the graph */
    PyObject *value = value_of((Entry *)entry, branch->field);
    PyObject *way = value == NULL ? NULL : way_of(branch->ways, value);
    if (way != NULL)
        turn_to(self, node, way);
    else if (value == NULL || (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_TypeError)))
        result = -1;
    else {
        PyErr_Clear();       /* a list, or a table, cannot be looked up */
        result = learn(self, node, (PyObject *)branch, value, entry);
    }
    Py_XDECREF(value);
    Py_DECREF(branch);
    return result;
}

/* Lead an entry from node to node, to the end: None. -1: the step at `*node` has raised. */
static int walk(Lead *self, PyObject **node, PyObject *entry) {
    while (*node != Py_None) {
        if (!PyObject_TypeCheck(*node, node_core_type)) {
            PyErr_SetString(PyExc_TypeError, "expected a node");
            return -1;
        }
        Node *at = (Node *)*node;
        if (at->branch != NULL && at->branch != Py_None) {
            if (!PyObject_TypeCheck(at->branch, node_core_type)) {
                PyErr_SetString(PyExc_TypeError, "expected a branch");
                return -1;
            }
            if (look_up(self, node, (Node *)at->branch, entry) < 0)
                return -1;
            continue;
        }
        if (at->call == NULL) {
            PyErr_SetString(PyExc_AttributeError, "call");
            return -1;
        }
        PyObject *call = at->call;
        Py_INCREF(call);
        int passed = answer_of(call, entry);
        Py_DECREF(call);
        PyObject *next = passed < 0 ? NULL : known_way(passed ? at->passed : at->failed);
        if (next == NULL)
            return -1;
        turn_to(self, node, next);
    }
    return 0;
}

/* The exception that is set, taken off; a new reference, with its traceback. */
static PyObject *taken_fault(void) {
    PyObject *type, *fault, *trace;
    PyErr_Fetch(&type, &fault, &trace);
    PyErr_NormalizeException(&type, &fault, &trace);
    if (trace != NULL && fault != NULL)
        PyException_SetTraceback(fault, trace);
    Py_XDECREF(type);
    Py_XDECREF(trace);
    return fault;
}

/* Tell of a step's fault; gives the node where the entry goes on, a new reference, or NULL: an exception. */
static PyObject *after_fault(Lead *self, PyObject *faulty, PyObject *entry) {
    PyObject *fault = taken_fault(), *next = NULL;
    if (fault == NULL)
        return NULL;
    Py_INCREF(faulty);
    if (PyObject_TypeCheck(faulty, node_core_type) && ((Node *)faulty)->ways != NULL) {
        PyObject *node = PyObject_CallMethodObjArgs(faulty, name_fault, entry, NULL);
        Py_DECREF(faulty);
        faulty = node;
    }
    PyObject *told = faulty == NULL ? NULL : PyObject_CallFunctionObjArgs(self->on_fault, faulty, entry, fault, NULL);
    if (told != NULL)
        next = PyObject_GetAttr(faulty, name_faulty);
    Py_XDECREF(told);
    Py_XDECREF(faulty);
    Py_DECREF(fault);
    return next;
}

void forget_way(Entry *entry) {
    Py_CLEAR(entry->lead);
    Py_CLEAR(entry->node);
    Py_CLEAR(entry->fault);
}

int lead_quickly(Lead *self, PyObject *node, Entry *entry) {
    PyObject *outer = self->node;
    int result = YES;
    Py_INCREF(node);
    self->node = node;
    while (result == YES && node != Py_None) {
        Node *at = (Node *)node;
        PyObject *next = NULL;
        if (!PyObject_TypeCheck(node, node_core_type))
            result = NO;
        else if (at->branch != NULL && at->branch != Py_None) {
            Node *branch = (Node *)at->branch;
            if (!PyObject_TypeCheck(at->branch, node_core_type) || branch->field == NULL || branch->ways == NULL ||
                !PyDict_Check(branch->ways))
                result = NO;
            else {
                PyObject *ways = branch->ways, *field = branch->field, *value;
                Py_INCREF(ways);  /* to read a field may change the graph */
                Py_INCREF(field);
                value = value_of(entry, field);
                Py_DECREF(field);
                next = value == NULL ? NULL : way_of(ways, value);
                Py_XDECREF(value);
                Py_DECREF(ways);
                if (next == NULL && PyErr_Occurred() && value != NULL)
                    PyErr_Clear();
                result = next != NULL ? YES : PyErr_Occurred() ? FAULT : NO;
            }
        } else if (!is_quick(at))
            result = NO;
        else {
            PyObject *call = at->call;
            Py_INCREF(call);
            int passed = Py_TYPE(call) == filer_type ? file_quickly((Filer *)call, entry)
                                                     : is_met((Condition *)call, (PyObject *)entry);
            Py_DECREF(call);
            next = passed == YES ? at->passed : passed == NO ? at->failed : NULL;
            Py_XINCREF(next);
            result = next != NULL ? YES : passed == FAULT ? FAULT : NO;
        }
        if (next != NULL)
            turn_to(self, &node, next);
    }
    self->node = outer;
    if (result == FAULT && !PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) {
        entry->fault = taken_fault();
        result = entry->fault == NULL ? FAULT : NO;
    }
    if (result == NO) {
        Py_INCREF(self);
        entry->lead = (PyObject *)self;
        entry->node = node;
    } else
        Py_DECREF(node);
    return result;
}

/* Where an entry is on its way; a new reference. `fault` is what the step there has raised, or NULL. */
static PyObject *place_of(Lead *self, Entry *entry, PyObject **fault) {
    PyObject *node = self->entrance;
    *fault = NULL;
    if (entry->lead == (PyObject *)self) {
        node = entry->node;
        *fault = entry->fault;
        entry->fault = NULL;
    } else if (entry->lead != NULL)
        PyDict_Clear(entry->known);  /* other chains were at work meanwhile: what they have set is not there */
    Py_INCREF(node);
    forget_way(entry);
    return node;
}

static PyObject *lead_lead(Lead *self, PyObject *entry) {
    if (!PyObject_TypeCheck(entry, entry_core_type)) {
        PyErr_SetString(PyExc_TypeError, "expected an entry");
        return NULL;
    }
    PyObject *outer = self->node, *fault, *node = place_of(self, (Entry *)entry, &fault);
    Py_INCREF(entry);
    self->node = node;
    int result;
    if (fault != NULL) {
        Py_INCREF(Py_TYPE(fault));
        PyErr_Restore((PyObject *)Py_TYPE(fault), fault, PyException_GetTraceback(fault));
    }
    while ((result = PyErr_Occurred() ? -1 : walk(self, &node, entry)) < 0) {
        self->node = NULL;   /* no step is at work while its fault is told */
        if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt))
            break;
        PyObject *next = after_fault(self, node, entry);
        if (next == NULL)
            break;
        turn_to(self, &node, next);
    }
    self->node = outer;
    Py_DECREF(node);
    Py_DECREF(entry);
    if (result < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *lead_node(Lead *self, void *unused) {
    (void)unused;
    PyObject *node = self->node == NULL ? Py_None : self->node;
    Py_INCREF(node);
    return node;
}

static PyMethodDef lead_methods[] = {
    {"lead", (PyCFunction)lead_lead, METH_O, "Lead an entry through the chains, from the entrance on."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef lead_getset[] = {
    {"node", (getter)lead_node, NULL, "The node whose step is at work; None: Pyruse itself is.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot lead_slots[] = {
    {Py_tp_new, lead_new},
    {Py_tp_dealloc, lead_dealloc},
    {Py_tp_traverse, lead_traverse},
    {Py_tp_clear, lead_clear},
    {Py_tp_methods, lead_methods},
    {Py_tp_getset, lead_getset},
    {0, NULL},
};

PyType_Spec lead_spec = {
    .name = "pyruse_native._native.Lead",
    .basicsize = sizeof(Lead),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = lead_slots,
};
