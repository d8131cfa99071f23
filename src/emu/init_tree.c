#include "emu/init.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/units.h"

#define TREE_MAX 16384 /* processes of one instance looked at in one pass; passes repeat */

struct tree {
    pid_t pids[TREE_MAX];
    unsigned count;
};

static void tree_add(struct tree *tree, struct str word) {
    uint64_t pid = 0;
    if (units_u64(word, &pid, NULL) == 0 && tree->count < TREE_MAX)
        tree->pids[tree->count++] = (pid_t)pid;
}

/* The kernel lists children by the thread that made them. */
static void add_children_of_thread(struct tree *tree, pid_t pid, const char *thread) {
    char path[96];
    char text[8192];
    snprintf(path, sizeof path, "/proc/%d/task/%.20s/children", (int)pid, thread);
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    size_t got;
    size_t kept = 0;
    while ((got = fread(text + kept, 1, sizeof text - kept, file)) > 0) {
        struct str rest = {text, kept + got};
        while (str_index_of(rest, ' ') < rest.len) {
            struct str word;
            ignore(str_split(&rest, ' ', &word)); /* there is a blank */
            tree_add(tree, word);
        }
        memmove(text, rest.ptr, rest.len);
        kept = rest.len;
    }
    if (kept > 0)
        tree_add(tree, (struct str){text, kept});
    fclose(file);
}

static void add_children(struct tree *tree, pid_t pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    if (!threads)
        return;
    const struct dirent *entry;
    while ((entry = readdir(threads)))
        if (entry->d_name[0] != '.')
            add_children_of_thread(tree, pid, entry->d_name);
    closedir(threads);
}

unsigned init_tree_signal(bool namespaced, int signal_number) {
    if (namespaced) /* PID 1: reaches all but itself */
        return kill(-1, signal_number) == 0 ? 1 : 0;
    struct tree *tree = mem_new(sizeof *tree);
    tree->pids[tree->count++] = getpid();
    for (unsigned i = 0; i < tree->count; i++)
        add_children(tree, tree->pids[i]);
    unsigned found = tree->count - 1;
    for (unsigned i = 1; i < tree->count; i++)
        kill(tree->pids[i], signal_number);
    mem_free(tree);
    return found;
}
