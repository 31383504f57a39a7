/* What libsystemd itself takes: every field of every entry of a folder's journal is handed over.
 * cc -O2 -o floor floor.c -lsystemd; ./floor FOLDER */
#include <stdio.h>
#include <systemd/sd-journal.h>

int main(int argc, char **argv) {
    sd_journal *journal;
    const void *data;
    size_t length;
    unsigned long entries = 0, bytes = 0;
    if (argc != 2 || sd_journal_open_directory(&journal, argv[1], 0) < 0)
        return 1;
    sd_journal_set_data_threshold(journal, 0);
    SD_JOURNAL_FOREACH(journal) {
        entries++;
        SD_JOURNAL_FOREACH_DATA(journal, data, length)
            bytes += length;
    }
    printf("%lu entries, %lu bytes\n", entries, bytes);
    sd_journal_close(journal);
    return 0;
}
