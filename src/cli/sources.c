#include "cli/sources.h"

#include "os/file.h"

#include <dirent.h>

#define SOURCES_MAX 64

static void ask(struct session *s, struct sources *all, const char *name,
                struct emu_endpoint *cloud, bool must_answer) {
    struct err err = {0};
    struct source *to = &all->items[all->count];
    *to = (struct source){.cloud = cloud};
    int result = session_aws(s, STR_EMPTY, STR_EMPTY, STR_EMPTY, cloud, &err);
    bool nobody = result == 0 && s->aws.source == AWS_SOURCE_NONE;
    if (nobody && !must_answer)
        return; /* as below: a region alone is no account */
    if (result == 0) {
        to->aws = s->aws;
        snprintf(to->name, sizeof to->name, "%s%.*s", name, cloud ? 0 : (int)s->aws.region.len,
                 cloud ? "" : s->aws.region.ptr);
        result = fleets_find(s->loop, &to->aws, &s->arena, &to->fleets, &err);
    } else if (!must_answer) {
        return; /* no AWS account is set up here: only rehearsals */
    }
    if (result < 0) {
        all->failed++;
        fprintf(stderr, "warning: %s cannot be asked: %s\n", to->name[0] ? to->name : "AWS",
                err.text);
        return;
    }
    all->count++;
}

static void ask_clouds(struct session *s, struct sources *all) {
    char dir_path[500], path[800];
    snprintf(dir_path, sizeof dir_path, "%s/clouds", s->state_dir);
    DIR *dir = opendir(dir_path);
    struct dirent *entry;
    while (dir && (entry = readdir(dir)) && all->count < SOURCES_MAX - 1) {
        snprintf(path, sizeof path, "%s/%s/endpoint.json", dir_path, entry->d_name);
        struct emu_endpoint *cloud = arena_new(&s->arena, sizeof *cloud);
        if (entry->d_name[0] == '.' || emu_endpoint_read(path, cloud, NULL) < 0)
            continue;
        if (!emu_endpoint_lives(cloud))
            continue; /* a cloud that has died, and everything in it */
        char name[96];
        snprintf(name, sizeof name, "rehearsal %s", cloud->id);
        ask(s, all, name, cloud, true);
    }
    if (dir)
        closedir(dir);
}

void sources_find(struct session *s, struct sources *ret_sources) {
    *ret_sources = (struct sources){
        .items = arena_new_array(&s->arena, SOURCES_MAX, sizeof *ret_sources->items)};
    bool chosen = args_text(s->args, "endpoint-url") || args_text(s->args, "profile");
    if (!chosen)
        ask_clouds(s, ret_sources);
    ask(s, ret_sources, "", NULL, chosen);
}
