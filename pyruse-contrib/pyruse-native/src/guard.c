/* A page of a journal that cannot be read: the kernel sends SIGBUS, which would end the process. As journald itself
 * does it, such a page is replaced by zeros, which libsystemd takes for damage. pyruse/system/bus_errors.py says more;
 * here no Python runs while another program's code, or Python's own, is interrupted. */
#include "native.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static volatile sig_atomic_t pages;
static uintptr_t page_size;
int is_guarded;

/* Whether a line of /proc/self/maps (proc(5)) is of a journal file that is mapped over an address. */
static int is_journal(const char *line, size_t length, uintptr_t address) {
    static const char deleted[] = " (deleted)", kind[] = ".journal";
    uintptr_t ends[2] = {0, 0};
    size_t at = 0;
    for (int i = 0; i < 2; i++, at++)
        for (; at < length && line[at] != '-' && line[at] != ' '; at++)
            ends[i] = ends[i] * 16 + (line[at] <= '9' ? line[at] - '0' : line[at] - 'a' + 10);
    if (address < ends[0] || address >= ends[1])
        return 0;
    if (length > sizeof deleted - 1 && memcmp(line + length - (sizeof deleted - 1), deleted, sizeof deleted - 1) == 0)
        length -= sizeof deleted - 1;
    if (length > 0 && line[length - 1] == '~')
        length--;
    return length > sizeof kind - 1 && memcmp(line + length - (sizeof kind - 1), kind, sizeof kind - 1) == 0;
}

/* Nothing here but what signal-safety(7) allows: no allocation, no stdio. */
static int is_of_a_journal(uintptr_t address) {
    char buffer[8192];
    size_t filled = 0;
    int found = 0, too_long = 0;
    int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    for (;;) {
        ssize_t got = read(file, buffer + filled, sizeof buffer - filled);
        if (got <= 0)
            break;
        filled += got;
        char *line = buffer, *end;
        while (!found && (end = memchr(line, '\n', buffer + filled - line)) != NULL) {
            found = !too_long && is_journal(line, end - line, address);
            too_long = 0;
            line = end + 1;
        }
        if (found)
            break;
        filled -= line - buffer;
        if (filled == sizeof buffer) {  /* a path that is longer than any of a journal */
            too_long = 1;
            filled = 0;
        } else
            memmove(buffer, line, filled);
    }
    close(file);
    return found;
}

static void on_bus_error(int number, siginfo_t *info, void *context) {
    (void)number, (void)context;
    uintptr_t address = (uintptr_t)info->si_addr;
    if (is_of_a_journal(address) &&
        mmap((void *)(address - address % page_size), page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
             0) != MAP_FAILED) {
        pages++;
        return;
    }
    /* It is something else's: back to what the kernel does, as soon as the read is tried again. */
    signal(SIGBUS, SIG_DFL);
}

PyObject *guard(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    page_size = sysconf(_SC_PAGESIZE);
    if (sigaction(SIGBUS, &action, NULL) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    is_guarded = 1;
    Py_RETURN_NONE;
}

PyObject *unreadable_pages(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    return PyLong_FromLong(pages);
}
