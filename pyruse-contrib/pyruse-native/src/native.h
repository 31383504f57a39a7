/* What the parts of pyruse_native have in common. Python's limited API: one wheel for all versions. It is the one of
 * 3.10, as from 3.11 on its macros take no pointers to our own structures without a cast. */
#ifndef PYRUSE_NATIVE_H
#define PYRUSE_NATIVE_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030a0000
#include <Python.h>
#include <stdint.h>
#include <structmember.h>
#include <systemd/sd-journal.h>

#include "archive.h"

/* Replace a reference; the limited API lacks it. */
#define REPLACE(place, with)                    \
    do {                                        \
        PyObject *replaced = (PyObject *)(place); \
        (place) = (with);                       \
        Py_XDECREF(replaced);                   \
    } while (0)

/* A value of a field that occurs again and again is one object: these are the last ones of a field. */
#define INTERNED 64
#define LONGEST_INTERNED 40

typedef struct {
    PyObject *value;
    size_t length;
    char bytes[LONGEST_INTERNED];
} Interned;

/* A field that somebody has asked for: entries are looked through for these alone. */
typedef struct {
    PyObject *name;
    const char *bytes;       /* the name as the journal has it; of the object above */
    size_t length;
    int next;                /* the next field whose name has the same hash; -1: none */
    enum { TEXT, MESSAGE, INTEGER, CONVERTED } kind;
    uint64_t place;          /* where `value` was read */
    PyObject *value;         /* NULL: it is there, and Python is to make its value */
    Interned *interned;      /* INTERNED of them; NULL until one is needed */
} Field;

#define MOST_FIELDS 256      /* so many are looked for; whoever asks for more asks Python */
#define HASHES 64
#define ALIASES 256

typedef struct {
    PyObject_HEAD
    sd_journal *journal;     /* NULL: it is closed */
    uint64_t serial;         /* of the current entry: an entry that is past can no longer be read */
    uint64_t place;          /* rises with each call that goes elsewhere: what was read before is of there */
    uint64_t walked;         /* the place whose fields are being looked through … */
    enum { WALKING, WHOLE, BROKEN } walk;  /* … and how far that has come */
    int wary;                /* for so many entries to come, fields are asked for one by one */
    char is_bloated;         /* libsystemd holds the memory of a large field */
    PyObject *decoder;       /* of Pyruse: called for what is more than text in UTF-8 */
    PyObject *converters;
    Py_ssize_t longest;      /* bytes of a field that are read */
    Field *fields[MOST_FIELDS];
    int count;
    int by_hash[HASHES];
    struct { PyObject *name; int field; } aliases[ALIASES];
    /* Of archive_reading.c. */
    Archive *archive;        /* NULL: all is read by libsystemd */
    uint64_t given_directly; /* entries */
    char is_direct;          /* files may be read without it */
    char has_matches;        /* it leaves out entries */
    uint64_t item;           /* of the current entry: how far the walk has come there */
    struct Known *known;
    int known_count;         /* of the fields that were asked for when `known` was begun */
} Reader;

typedef struct {
    PyObject_HEAD
    PyObject *time_us;
    PyObject *known;         /* a dict: the fields that were asked for, or set by a step */
    PyObject *source;        /* whom to ask for other fields; NULL: nobody */
    PyObject *position;      /* of the source, when the entry was made; NULL: `reader` says more */
    Reader *reader;          /* where the entry comes from, if it comes from here; else NULL … */
    uint64_t serial;         /* … and which of its entries it is */
    PyObject *lead;          /* who has led it as far as no Python is needed; NULL: it is still to begin … */
    PyObject *node, *fault;  /* … and where it is, and what the step there has raised; NULL: nothing */
} Entry;

/* What the walk asks a node of the chains for, and a branch, which has a field and ways (pyruse/chains/link.py). */
typedef struct {
    PyObject_HEAD
    PyObject *step, *call, *passed, *failed, *faulty, *branch;
    PyObject *field, *ways;  /* NULL: it is no branch */
} Node;

typedef struct Condition Condition;
typedef struct Tallying Tallying;
typedef struct Filer Filer;
enum { NO = 0, YES = 1, FAULT = -1, ASK = 2 };  /* ASK: the filter's own method knows */

/* The walk of entries through the chains (pyruse/chains/travel.py). */
typedef struct {
    PyObject_HEAD
    PyObject *entrance;      /* a node, or None */
    PyObject *on_fault;
    PyObject *node;          /* whose step is at work; NULL: Pyruse itself is. The walk holds the reference */
} Lead;

extern PyType_Spec reader_spec, entries_spec, entry_spec, node_spec, lead_spec, condition_spec, masker_spec,
    filling_spec, tallying_spec, counts_spec, filing_spec, filer_spec, clock_spec;
extern PyTypeObject *reader_type, *entry_core_type, *node_core_type, *condition_type, *lead_type, *filling_type,
    *masker_type, *filer_type, *tallying_type;

/* A type that is now of the module; NULL: an exception. */
PyTypeObject *added(PyObject *module, PyType_Spec *spec);
int filing_init(PyObject *module);

/* Of Python's side (pyruse/entry/native.py): what is rare, and has to be the same in both. */
extern PyObject *as_text, *encodable, *set_many_slowly, *set_slowly, *remove_slowly, *gone;
extern PyObject *entry_type, *address_text, *needs_of, *search_of;
extern PyObject *name_position, *name_read, *name_skipped, *name_first, *name_last,
    *name_reached, *name_learn, *name_fault, *name_faulty, *name_groups, *name_begin, *name_end, *name_last_us,
    *name_until, *name_no_later, *name_isupper, *name_nothing, *name_meaning, *name_identifier, *name_host,
    *name_priority, *name_message_id, *name_reported_until;

/* reader.c: see there. */
int number_by_bytes(const Reader *reader, const char *name, size_t length);
int take(Reader *reader, Field *field, const char *bytes, size_t length, int is_asked);

/* archive_reading.c: see there. */
void close_archive(Reader *reader);
int is_read_directly(const Reader *reader);
void leave_archive(Reader *reader);
void forget_archive(Reader *reader, Sought sought, uint64_t since);
void enter_archive(Reader *reader);
int next_entry(Reader *reader);
int time_of_entry(Reader *reader, uint64_t *time_us);
PyObject *cursor_directly(Reader *reader);
int field_directly(Reader *reader, uint64_t *item, const char **bytes, size_t *length);
int walk_directly(Reader *reader, int wanted);

extern int is_guarded;       /* guard.c: a page that cannot be read does not end the process */

int names_init(void);
PyObject *guard(PyObject *module, PyObject *unused);
PyObject *unreadable_pages(PyObject *module, PyObject *unused);

/* A field of the reader's current entry, None if it has none. `source.read(name)` gives what is not plain. */
PyObject *read_field(Reader *reader, PyObject *name, PyObject *source);
/* When an entry was written, in microseconds since the epoch. ASK: that is no number, or none that C has. */
int instant_of(const Entry *entry, long long *time_us);
/* A field of an entry as `Entry.get` gives it, a new reference. */
PyObject *value_of(Entry *entry, PyObject *field);
/* The same as `Entry.text` gives it. */
PyObject *field_text(Entry *entry, PyObject *field);
/* The same as `Entry.texts` gives it; None: there is none, or it is empty. */
PyObject *text_if_there(Entry *entry, PyObject *name);
/* The number that a text is in plain digits, up to 15 of them; -1: Python knows. */
long long plain_number(PyObject *text);
/* Where a branch leads by a value, a new reference; NULL: nobody knows yet, or there is an exception. */
PyObject *way_of(PyObject *ways, PyObject *value);
/* A message with the fields of an entry in it, a new reference. */
PyObject *filled(PyObject *filling, PyObject *entry);
/* The text with its changing parts masked, a new reference. */
PyObject *template_of(PyObject *masker, PyObject *text);
/* File an event of an entry, by Python where it is not like one before it; gives what Python gives, or None: a new
 * reference. */
PyObject *file_event(Filer *filer, PyObject *entry);
/* The same, YES, if Python need not be asked for it; else ASK, and nothing is filed. */
int file_quickly(Filer *filer, Entry *entry);
/* Whether a step may be at work without Python. */
int is_quick(const Node *node);
/* Whether an entry passes. */
int is_met(Condition *condition, PyObject *entry);
/* Count an event of an entry. */
int tallied(Tallying *tallying, Entry *entry);
/* Do what an action has said, a tuple of three of which the first and the last are tuples of names. */
int worked_out(PyObject *said, Entry *entry);
/* Lead an entry on as far as no Python is needed: YES, to its end; NO, it has to be led on; FAULT: an exception, and the
 * program is to be interrupted. A step's fault is kept with the entry. */
int lead_quickly(Lead *lead, PyObject *node, Entry *entry);
/* An entry is to begin its way anew. */
void forget_way(Entry *entry);
/* A new entry of a class that is derived from ours, and of the reader's current entry. */
PyObject *new_entry(PyTypeObject *type, PyObject *time_us, PyObject *source, Reader *reader);
/* Make an entry that nobody else knows any more the reader's current one. */
int renew_entry(Entry *entry, PyObject *time_us);

#endif
