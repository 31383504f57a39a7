/* What a filter tests, where it has said so (`Condition` in pyruse/api/condition.py). What is plain is done here;
 * anything else is left to the filter's own method. */
#include "native.h"

#include <string.h>

/* A group of a pattern that becomes a field. */
typedef struct {
    Py_ssize_t index;        /* in what `groups()` of a match gives */
    PyObject *name;
    int is_address;
} Group;

/* One of several patterns. */
typedef struct {
    PyObject *search;        /* called with a text; gives a match of `re`, or None. NULL: it is not compiled yet */
    PyObject *begin, *inside;  /* bytes that a text begins with, and has in it, if it is found there at all … */
    int is_caseless;         /* … where a text of ASCII has the second one in letters of any size … */
    int is_all;              /* … and the pattern asks for no more */
    Group *groups;
    Py_ssize_t count;
} Search;

struct Condition {
    PyObject_HEAD
    int (*test)(Condition *, Entry *);
    PyObject *method;        /* the filter's own */
    PyObject *field;
    PyObject *operand;
    PyObject *saved;         /* of patterns: names for unnamed groups */
    Search *searches;        /* of patterns; NULL: none has been looked for yet */
    Py_ssize_t count;
};

/* -- Tests */

static int is_there(Condition *self, Entry *entry) {
    PyObject *value = value_of(entry, self->field);
    if (value == NULL)
        return FAULT;
    Py_DECREF(value);
    return value != Py_None;
}

static int is_one_of(Condition *self, Entry *entry) {
    PyObject *value = value_of(entry, self->field);
    if (value == NULL)
        return FAULT;
    int found = PySet_Contains(self->operand, value);
    Py_DECREF(value);
    if (found < 0 && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();       /* a list, or a table */
        return ASK;
    }
    return found;
}

static int has_in_it(Condition *self, Entry *entry) {
    PyObject *value = value_of(entry, self->field);
    if (value == NULL)
        return FAULT;
    int found = value == Py_None ? NO : PyUnicode_CheckExact(value) ? PyUnicode_Contains(value, self->operand) : ASK;
    Py_DECREF(value);
    return found;
}

static int compared(Condition *self, Entry *entry, int how) {
    PyObject *value = value_of(entry, self->field), *limit = self->operand;
    long long number;
    if (value == NULL)
        return FAULT;
    int result = ASK;
    if (value == Py_None)
        result = NO;
    else if (PyUnicode_CheckExact(limit) ? PyUnicode_CheckExact(value) : PyLong_CheckExact(value))
        result = PyObject_RichCompareBool(value, limit, how);
    else if (PyUnicode_CheckExact(value) && (number = plain_number(value)) >= 0) {
        PyObject *said = PyLong_FromLongLong(number);
        result = said == NULL ? FAULT : PyObject_RichCompareBool(said, limit, how);
        Py_XDECREF(said);
    }
    Py_DECREF(value);
    return result;
}

static int is_at_least(Condition *self, Entry *entry) { return compared(self, entry, Py_GE); }
static int is_at_most(Condition *self, Entry *entry) { return compared(self, entry, Py_LE); }

static int is_told(Condition *self, Entry *entry) {
    PyObject *value = value_of(entry, self->field), *answer;
    if (value == NULL)
        return FAULT;
    int result = PyUnicode_CheckExact(value) ? YES : value == Py_None ? NO : ASK;
    if (result == YES) {
        answer = PyObject_CallFunctionObjArgs(self->operand, value, NULL);
        result = answer == NULL ? FAULT : PyObject_IsTrue(answer);
        Py_XDECREF(answer);
    }
    Py_DECREF(value);
    return result;
}

static int is_nothing(Condition *self, Entry *entry) {
    (void)self, (void)entry;
    return YES;
}

/* Of an action: an event is counted. */
static int is_tallied(Condition *self, Entry *entry) {
    return Py_TYPE(self->operand) == tallying_type ? tallied((Tallying *)self->operand, entry) : ASK;
}

/* The same: a function of its own is called. */
static int is_worked_out(Condition *self, Entry *entry) { return worked_out(self->operand, entry); }

/* -- Patterns */

static void forget(Search *searches, Py_ssize_t count) {
    for (Py_ssize_t i = 0; searches != NULL && i < count; i++) {
        Search *search = &searches[i];
        Py_XDECREF(search->search);
        Py_XDECREF(search->begin);
        Py_XDECREF(search->inside);
        for (Py_ssize_t k = 0; search->groups != NULL && k < search->count; k++)
            Py_XDECREF(search->groups[k].name);
        PyMem_Free(search->groups);
    }
    PyMem_Free(searches);
}

/* The first time: see what a text must have, without compiling anything. */
static int prepare(Condition *self) {
    if (!PyTuple_Check(self->operand)) {
        PyErr_SetString(PyExc_TypeError, "patterns are a tuple");
        return -1;
    }
    Py_ssize_t count = PyTuple_Size(self->operand);
    Search *searches = PyMem_Calloc(count + 1, sizeof *searches);
    int result = searches == NULL ? -1 : 0;
    if (searches == NULL)
        PyErr_NoMemory();
    for (Py_ssize_t i = 0; result == 0 && i < count; i++) {
        int is_anchored;
        PyObject *needs = PyObject_CallFunctionObjArgs(needs_of, PyTuple_GetItem(self->operand, i), NULL);
        if (needs == NULL || !PyArg_ParseTuple(needs, "SSppp", &searches[i].begin, &searches[i].inside, &is_anchored,
                                               &searches[i].is_caseless, &searches[i].is_all)) {
            searches[i] = (Search){0};
            result = -1;
        }
        Py_XINCREF(searches[i].begin);
        Py_XINCREF(searches[i].inside);
        Py_XDECREF(needs);
    }
    if (result < 0 || self->searches != NULL) {  /* meanwhile, others may have done the same */
        forget(searches, count);
        return result;
    }
    self->count = count;
    self->searches = searches;
    return 0;
}

/* Compile a pattern, for the first text that it may be found in. */
static int compile(Condition *self, Search *search) {
    PyObject *function, *groups, *said;
    said = PyObject_CallFunctionObjArgs(search_of, PyTuple_GetItem(self->operand, search - self->searches), self->saved, NULL);
    if (said == NULL || search->search != NULL) {  /* meanwhile, others may have done the same */
        Py_XDECREF(said);
        return said == NULL ? -1 : 0;
    }
    Group *made = NULL;
    Py_ssize_t count = 0, taken = 0;
    if (!PyArg_ParseTuple(said, "OO!", &function, &PyTuple_Type, &groups))
        goto wrong;
    count = PyTuple_Size(groups);
    made = PyMem_Calloc(count + 1, sizeof *made);
    if (made == NULL) {
        PyErr_NoMemory();
        goto wrong;
    }
    for (; taken < count; taken++) {
        PyObject *name;
        if (!PyArg_ParseTuple(PyTuple_GetItem(groups, taken), "nUp", &made[taken].index, &name, &made[taken].is_address))
            goto wrong;
        Py_INCREF(name);
        PyUnicode_InternInPlace(&name);
        made[taken].name = name;
    }
    Py_INCREF(function);
    search->search = function;
    search->groups = made;
    search->count = count;
    Py_DECREF(said);
    return 0;
wrong:
    for (Py_ssize_t i = 0; i < taken; i++)
        Py_XDECREF(made[i].name);
    PyMem_Free(made);
    Py_DECREF(said);
    return -1;
}

/* Whether a text of ASCII has this in it; `small` has small letters alone. */
static int has_caseless(const char *text, Py_ssize_t length, const char *small, Py_ssize_t count) {
    for (Py_ssize_t left = length - count; left >= 0; left--, text++) {
        Py_ssize_t i = 0;
        while (i < count && (text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20 : text[i]) == small[i])
            i++;
        if (i == count)
            return 1;
    }
    return 0;
}

static int may_match(const Search *search, const char *text, Py_ssize_t length, int is_ascii) {
    const char *bytes = PyBytes_AsString(search->begin);
    Py_ssize_t count = PyBytes_Size(search->begin);
    if (count > length || memcmp(text, bytes, count) != 0)
        return 0;
    bytes = PyBytes_AsString(search->inside);
    count = PyBytes_Size(search->inside);
    if (search->is_caseless)
        return !is_ascii || has_caseless(text, length, bytes, count);
    return count == 0 || memmem(text, length, bytes, count) != NULL;
}

/* An address in the one way to write it; a new reference. None: it is none. */
static PyObject *address_of(PyObject *written) {
    Py_ssize_t length = PyUnicode_GetLength(written);
    if (length >= 0 && PyUnicode_FindChar(written, ':', 0, length, 1) == -1) {
        Py_INCREF(written);  /* the pattern takes IPv4 in its one form only */
        return written;
    }
    return PyErr_Occurred() ? NULL : PyObject_CallFunctionObjArgs(address_text, written, NULL);
}

/* Set the fields of a match. NO: a group holds no address, so there is no match. */
static int set_groups(const Search *search, Entry *entry, PyObject *match) {
    enum { MOST = 32 };
    PyObject *values[MOST], *texts;
    Py_ssize_t taken = 0, length;
    int result = YES;
    if (search->count > MOST)
        return ASK;
    texts = PyObject_CallMethodObjArgs(match, name_groups, NULL);
    if (texts == NULL)
        return FAULT;
    for (; taken < search->count && result == YES; taken++) {
        const Group *group = &search->groups[taken];
        PyObject *text = PyTuple_GetItem(texts, group->index);
        if (text == NULL)
            result = FAULT;
        else if (text != Py_None && PyUnicode_AsUTF8AndSize(text, &length) == NULL) {
            PyErr_Clear();   /* half a character */
            result = ASK;
        } else if (text != Py_None && group->is_address) {
            text = address_of(text);
            result = text == NULL ? FAULT : text == Py_None ? NO : YES;
        } else
            Py_INCREF(text);
        values[taken] = result == FAULT || result == ASK ? NULL : text;
    }
    for (Py_ssize_t i = 0; i < taken; i++) {  /* all of them are known before the first is set */
        if (result == YES && values[i] != Py_None && PyDict_SetItem(entry->known, search->groups[i].name, values[i]) < 0)
            result = FAULT;
        Py_XDECREF(values[i]);
    }
    Py_DECREF(texts);
    return result;
}

static int is_found(Condition *self, Entry *entry) {
    if (self->searches == NULL && prepare(self) < 0)
        return FAULT;
    PyObject *text = value_of(entry, self->field);
    if (text == NULL)
        return FAULT;
    int result = text == Py_None ? NO : PyUnicode_CheckExact(text) ? YES : ASK;
    Py_ssize_t length = 0;
    const char *bytes = result == YES ? PyUnicode_AsUTF8AndSize(text, &length) : NULL;
    if (result == YES && bytes == NULL) {
        PyErr_Clear();
        result = ASK;
    }
    if (result == YES) {
        int is_ascii = PyUnicode_GetLength(text) == length;
        result = NO;
        for (Py_ssize_t i = 0; i < self->count && result == NO; i++) {
            Search *search = &self->searches[i];
            if (!may_match(search, bytes, length, is_ascii))
                continue;
            if (search->is_all) {
                result = YES;
                break;
            }
            PyObject *match = search->search == NULL && compile(self, search) < 0 ? NULL
                              : PyObject_CallFunctionObjArgs(search->search, text, NULL);
            result = match == NULL ? FAULT : match == Py_None ? NO : search->count == 0 ? YES : set_groups(search, entry, match);
            Py_XDECREF(match);
        }
    }
    Py_DECREF(text);
    return result;
}

/* -- The type */

int is_met(Condition *self, PyObject *entry) {
    return (PyObject *)Py_TYPE(entry) == entry_type ? self->test(self, (Entry *)entry) : ASK;
}

static PyObject *condition_call(Condition *self, PyObject *arguments, PyObject *names) {
    PyObject *entry;
    if (names != NULL && PyDict_Size(names) > 0)
        return PyObject_Call(self->method, arguments, names);
    if (!PyArg_ParseTuple(arguments, "O", &entry))
        return NULL;
    int result = is_met(self, entry);
    return result == FAULT ? NULL : result == ASK ? PyObject_CallFunctionObjArgs(self->method, entry, NULL)
                                                  : PyBool_FromLong(result);
}

static const struct {
    const char *name;
    int (*test)(Condition *, Entry *);
} tests[] = {
    {"exists", is_there}, {"values", is_one_of}, {"contains", has_in_it}, {"at_least", is_at_least},
    {"at_most", is_at_most}, {"told", is_told}, {"patterns", is_found}, {"nothing", is_nothing},
    {"tallied", is_tallied}, {"worked_out", is_worked_out},
};

/* Whether it is what an action works out. */
static int is_said(PyObject *operand) {
    return PyTuple_Check(operand) && PyTuple_Size(operand) == 3 && PyTuple_Check(PyTuple_GetItem(operand, 0)) &&
           PyTuple_Check(PyTuple_GetItem(operand, 2));
}

static PyObject *condition_new(PyTypeObject *type, PyObject *arguments, PyObject *names) {
    static char *known[] = {"method", "kind", "field", "operand", "saved", NULL};
    const char *kind;
    PyObject *method, *field, *operand = Py_None, *saved = Py_None;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "OsO|OO:Condition", known, &method, &kind, &field, &operand, &saved))
        return NULL;
    size_t at = 0;
    if (strcmp(kind, "worked_out") == 0 && !is_said(operand)) {
        PyErr_SetString(PyExc_TypeError, "expected the fields, a function and the fields that are set");
        return NULL;
    }
    while (at < sizeof tests / sizeof *tests && strcmp(tests[at].name, kind) != 0)
        at++;
    if (at == sizeof tests / sizeof *tests)
        return PyErr_Format(PyExc_ValueError, "no condition is called %s", kind);
    field = PyUnicode_FromObject(field);  /* an option is of a class of its own: a plain text is looked up faster */
    if (field == NULL)
        return NULL;
    PyUnicode_InternInPlace(&field);
    Condition *self = (Condition *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    if (self == NULL) {
        Py_DECREF(field);
        return NULL;
    }
    self->test = tests[at].test;
    self->field = field;
    Py_INCREF(method);
    self->method = method;
    Py_INCREF(operand);
    self->operand = operand;
    Py_INCREF(saved);
    self->saved = saved;
    return (PyObject *)self;
}

static int condition_traverse(Condition *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->method);
    Py_VISIT(self->operand);
    Py_VISIT(self->saved);
    for (Py_ssize_t i = 0; self->searches != NULL && i < self->count; i++)
        Py_VISIT(self->searches[i].search);
    return 0;
}

static int condition_clear(Condition *self) {
    Search *searches = self->searches;
    self->searches = NULL;
    forget(searches, self->count);
    Py_CLEAR(self->method);
    Py_CLEAR(self->operand);
    Py_CLEAR(self->saved);
    return 0;
}

static void condition_dealloc(Condition *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    condition_clear(self);
    Py_CLEAR(self->field);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyType_Slot condition_slots[] = {
    {Py_tp_new, condition_new},
    {Py_tp_dealloc, condition_dealloc},
    {Py_tp_traverse, condition_traverse},
    {Py_tp_clear, condition_clear},
    {Py_tp_call, condition_call},
    {0, NULL},
};

PyType_Spec condition_spec = {
    .name = "pyruse_native._native.Condition",
    .basicsize = sizeof(Condition),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = condition_slots,
};
