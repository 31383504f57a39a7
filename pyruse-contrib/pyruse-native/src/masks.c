/* Texts with their changing parts masked: what pyruse/kinds/masks.py does, where the words are known. What a word
 * becomes, and all that is not ASCII, is Python's. */
#include "levels.h"
#include "native.h"

#define LONGEST LONGEST_LEVELLED
#define LONGEST_QUOTED 200
#define LONGEST_PLAIN 24
#define LONGEST_IN_UTF8 (4 * LONGEST)
#define TEXTS 8192           /* a power of two */
#define NEIGHBOURS 4         /* a text is one of so many, by its hash */

/* A text, as it is levelled, and what comes of it. */
typedef struct {
    uint64_t hash;
    size_t length;
    char *text;
    PyObject *template;      /* NULL: there is no text */
} Known;

typedef struct {
    PyObject_HEAD
    Known *known;            /* TEXTS of them; NULL until there is one */
    PyObject *chunks, *of_chunks;  /* the dicts of Masks */
    PyObject *slowly;        /* its way for a text … */
    PyObject *of_chunk;      /* … for what stands between two spaces … */
    PyObject *finished;      /* … and for all of them together */
} Masker;

static int is_letter(char one) {
    return (one >= 'A' && one <= 'Z') || (one >= 'a' && one <= 'z');
}

static int is_space(char one) {
    return one == ' ' || (one >= '\t' && one <= '\r') || (one >= '\x1c' && one <= '\x1f');
}

/* Zeros that stand alone become one; the new length. */
static Py_ssize_t numbered(char *text, Py_ssize_t length) {
    Py_ssize_t to = 0;
    for (Py_ssize_t at = 0; at < length;) {
        Py_ssize_t end = at;
        while (end < length && text[end] == '0')
            end++;
        if (end - at >= 2 && (at == 0 || !is_letter(text[at - 1])) && (end == length || !is_letter(text[end])))
            text[to++] = '0';
        else
            for (Py_ssize_t one = at; one < end; one++)
                text[to++] = '0';
        at = end;
        if (at < length)
            text[to++] = text[at++];
    }
    return to;
}

/* Whether what is quoted stays: the key of something, words, or one word. `end` is behind the second quote. */
static int stays(const char *text, Py_ssize_t begin, Py_ssize_t end) {
    Py_ssize_t one = begin + 1;
    if (memchr(text + begin, ' ', (size_t)(end - begin)) != NULL)
        return 1;
    while (one < end - 1 && (is_letter(text[one]) || text[one] == '_' || text[one] == '-'))
        one++;
    return one == end - 1 && end - begin - 2 <= LONGEST_PLAIN;
}

/* The end of what makes a quoted text the key of something: a colon that begins no URL. `at` itself: there is none. */
static Py_ssize_t behind_colon(const char *text, Py_ssize_t at, Py_ssize_t length) {
    Py_ssize_t colon = at;
    while (colon < length && colon < at + 2 && is_space(text[colon]))
        colon++;
    if (colon == length || text[colon] != ':')
        return at;
    for (Py_ssize_t one = colon + 1; one + 1 < length && !is_space(text[one]); one++)
        if (text[one] == '/' && text[one + 1] == '/')
            return at;
    return colon + 1;
}

/* Mask what is quoted; the new length, which is not greater. */
static Py_ssize_t unquoted(char *text, Py_ssize_t length) {
    Py_ssize_t to = 0;
    for (Py_ssize_t at = 0; at < length;) {
        const char *second = NULL;
        if (text[at] == '"') {
            Py_ssize_t room = length - at - 1;
            second = memchr(text + at + 1, '"', (size_t)(room > LONGEST_QUOTED ? LONGEST_QUOTED + 1 : room));
        }
        if (second == NULL) {
            text[to++] = text[at++];
            continue;
        }
        Py_ssize_t end = second + 1 - text, whole = behind_colon(text, end, length);
        if (whole > end || stays(text, at, end))
            while (at < whole)
                text[to++] = text[at++];
        else {
            memcpy(text + to, "\"*\"", 3);
            to += 3;
            at = end;
        }
    }
    return to;
}

/* What comes of a chunk, a new reference. */
static PyObject *masked_chunk(Masker *self, const char *bytes, Py_ssize_t length) {
    PyObject *chunk = PyUnicode_FromStringAndSize(bytes, length);
    if (chunk == NULL)
        return NULL;
    PyObject *masked = PyDict_GetItemWithError(self->chunks, chunk);
    if (masked != NULL)
        Py_INCREF(masked);
    else if (!PyErr_Occurred())
        masked = PyObject_CallFunctionObjArgs(self->of_chunk, chunk, NULL);
    Py_DECREF(chunk);
    return masked;
}

/* A levelled text in ASCII, masked: a new reference; None: it has more to it. */
static PyObject *masked_text(Masker *self, char *text, Py_ssize_t length) {
    char joined[2 * LONGEST];
    Py_ssize_t used = 0;
    if (memchr(text, '"', (size_t)length) != NULL)
        length = unquoted(text, numbered(text, length));
    for (Py_ssize_t at = 0; at <= length;) {
        const char *space = memchr(text + at, ' ', (size_t)(length - at));
        Py_ssize_t end = space == NULL ? length : space - text, size;
        PyObject *masked = masked_chunk(self, text + at, end - at);
        if (masked == NULL)
            return NULL;
        const char *bytes = PyUnicode_AsUTF8AndSize(masked, &size);
        int fits = bytes != NULL && used + size + 1 <= (Py_ssize_t)sizeof joined;
        if (fits) {
            memcpy(joined + used, bytes, (size_t)size);
            used += size;
            if (space != NULL)
                joined[used++] = ' ';
        }
        Py_DECREF(masked);
        if (bytes == NULL)
            return NULL;
        if (!fits)
            Py_RETURN_NONE;
        at = end + 1;
    }
    PyObject *whole = PyUnicode_FromStringAndSize(joined, used);
    if (whole == NULL)
        return NULL;
    PyObject *template = PyDict_GetItemWithError(self->of_chunks, whole);
    if (template != NULL)
        Py_INCREF(template);
    else if (!PyErr_Occurred())
        template = PyObject_CallFunctionObjArgs(self->finished, whole, NULL);
    Py_DECREF(whole);
    return template;
}

/* The bytes of so many characters of a text, at most. */
static size_t begin_of(const char *bytes, size_t length, size_t most) {
    size_t at = 0;
    if (length <= most)
        return length;
    for (size_t characters = 0; at < length; at++)
        if (((unsigned char)bytes[at] & 0xC0) != 0x80 && characters++ == most)
            break;
    return at;
}

static uint64_t hash_of(const char *text, size_t length) {
    uint64_t hash = length, word;
    size_t at = 0;
    for (int rest = 0; !rest; at += 8) {
        rest = length - at < 8;
        word = 0;
        memcpy(&word, text + at, rest ? length - at : 8);
        hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
    }
    return hash;
}

static int is_same(const Known *known, uint64_t hash, const char *text, size_t length) {
    return known->template != NULL && known->hash == hash && known->length == length &&
           memcmp(known->text, text, length) == 0;
}

/* Where a text is known or, if it is not, is to be kept. */
static Known *place_of(Masker *self, uint64_t hash, const char *text, size_t length) {
    Known *near = &self->known[hash & (TEXTS - 1) & ~(uint64_t)(NEIGHBOURS - 1)], *free = NULL;
    for (int i = 0; i < NEIGHBOURS; i++)
        if (near[i].template == NULL)
            free = near + i;
        else if (is_same(near + i, hash, text, length))
            return near + i;
    return free != NULL ? free : near + (hash >> 32) % NEIGHBOURS;
}

/* Remember what comes of a text; takes over the copy of it. */
static void keep(Masker *self, uint64_t hash, char *copy, size_t length, PyObject *template) {
    Known *known = place_of(self, hash, copy, length), left = *known;
    Py_INCREF(template);
    *known = (Known){hash, length, copy, template};
    PyMem_Free(left.text);
    Py_XDECREF(left.template);
}

PyObject *template_of(PyObject *masker, PyObject *text) {
    Masker *self = (Masker *)masker;
    char levelled[LONGEST_IN_UTF8];
    Py_ssize_t size = 0;
    const char *bytes = PyUnicode_CheckExact(text) ? PyUnicode_AsUTF8AndSize(text, &size) : NULL;
    if (bytes == NULL) {
        PyErr_Clear();
        return PyObject_CallFunctionObjArgs(self->slowly, text, NULL);
    }
    size_t length = begin_of(bytes, (size_t)size, LONGEST);
    length = level(bytes, length, levelled);
    uint64_t hash = hash_of(levelled, length);
    if (self->known == NULL && (self->known = PyMem_Calloc(TEXTS, sizeof *self->known)) == NULL)
        return PyErr_NoMemory();
    Known *known = place_of(self, hash, levelled, length);
    if (is_same(known, hash, levelled, length)) {
        Py_INCREF(known->template);
        return known->template;
    }
    char *copy = PyMem_Malloc(length + 1);
    if (copy == NULL)
        return PyErr_NoMemory();
    memcpy(copy, levelled, length);
    PyObject *template = Py_None;
    Py_INCREF(template);
    if (size == PyUnicode_GetLength(text))
        REPLACE(template, masked_text(self, levelled, (Py_ssize_t)length));
    if (template == Py_None)
        REPLACE(template, PyObject_CallFunctionObjArgs(self->slowly, text, NULL));
    if (template == NULL)
        PyMem_Free(copy);
    else
        keep(self, hash, copy, length, template);
    return template;
}

static PyObject *masker_new(PyTypeObject *type, PyObject *arguments, PyObject *names) {
    static char *known[] = {"chunks", "of_chunks", "slowly", "of_chunk", "finished", NULL};
    PyObject *given[5];
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "O!O!OOO:Masker", known, &PyDict_Type, &given[0], &PyDict_Type,
                                     &given[1], &given[2], &given[3], &given[4]))
        return NULL;
    Masker *self = (Masker *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    if (self == NULL)
        return NULL;
    PyObject **kept[] = {&self->chunks, &self->of_chunks, &self->slowly, &self->of_chunk, &self->finished};
    for (int i = 0; i < 5; i++) {
        Py_INCREF(given[i]);
        *kept[i] = given[i];
    }
    return (PyObject *)self;
}

static int masker_traverse(Masker *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->chunks);
    Py_VISIT(self->of_chunks);
    Py_VISIT(self->slowly);
    Py_VISIT(self->of_chunk);
    Py_VISIT(self->finished);
    return 0;                /* what comes of texts are texts */
}

static int masker_clear(Masker *self) {
    Py_CLEAR(self->chunks);
    Py_CLEAR(self->of_chunks);
    Py_CLEAR(self->slowly);
    Py_CLEAR(self->of_chunk);
    Py_CLEAR(self->finished);
    return 0;
}

static void forget_texts(Masker *self) {
    Known *known = self->known;
    self->known = NULL;
    for (size_t at = 0; known != NULL && at < TEXTS; at++) {
        PyMem_Free(known[at].text);
        Py_XDECREF(known[at].template);
    }
    PyMem_Free(known);
}

static void masker_dealloc(Masker *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    masker_clear(self);
    forget_texts(self);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF(type);
}

static PyMethodDef masker_methods[] = {
    {"template_of", template_of, METH_O, "The text with its changing parts masked."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot masker_slots[] = {
    {Py_tp_new, masker_new},
    {Py_tp_dealloc, masker_dealloc},
    {Py_tp_traverse, masker_traverse},
    {Py_tp_clear, masker_clear},
    {Py_tp_methods, masker_methods},
    {0, NULL},
};

PyType_Spec masker_spec = {
    .name = "pyruse_native._native.Masker",
    .basicsize = sizeof(Masker),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = masker_slots,
};
