#include "emu/steer.h"

#include "os/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CONTEXT(member) ((int16_t)offsetof(struct bpf_sk_lookup, member))

/* Instructions, in the words of the kernel's documentation of BPF. One a line: */
/* clang-format off */
#define LOAD(to, from, at)                                                                        \
    {.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = (to), .src_reg = (from), .off = (at)}
#define STORE(to, at, value)                                                                      \
    {.code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = (to), .off = (at), .imm = (value)}
#define COPY(to, from) {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (to), .src_reg = (from)}
#define SET(to, value) {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (to), .imm = (value)}
#define ADD(to, value) {.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = (to), .imm = (value)}
#define UNLESS(reg, value, skip)                                                                  \
    {.code = BPF_JMP32 | BPF_JNE | BPF_K, .dst_reg = (reg), .off = (skip), .imm = (value)}
#define IF_NULL(reg, skip) {.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = (reg), .off = (skip)}
#define MAP(to, fd)                                                                               \
    {.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = (to), .src_reg = BPF_PSEUDO_MAP_FD,            \
     .imm = (fd)},                                                                                \
        {.code = 0}
#define CALL(function) {.code = BPF_JMP | BPF_CALL, .imm = (function)}
#define EXIT {.code = BPF_JMP | BPF_EXIT}
/* clang-format on */

static int call(enum bpf_cmd command, union bpf_attr *attr) {
    return (int)syscall(SYS_bpf, command, attr, sizeof *attr);
}

static int refused(const char *what, struct err *err) {
    return err_set_errno(err, ERR_ACCESS, errno, "cannot steer metadata requests: %s", what);
}

/* A table of one socket. */
static int make_table(int fd, int *ret_fd, struct err *err) {
    union bpf_attr attr = {.map_type = BPF_MAP_TYPE_SOCKMAP,
                           .key_size = sizeof(uint32_t),
                           .value_size = sizeof(uint64_t),
                           .max_entries = 1};
    CLEANUP(file_closep) int table = call(BPF_MAP_CREATE, &attr);
    if (table < 0)
        return refused("no table", err);
    uint32_t key = 0;
    uint64_t value = (uint64_t)fd;
    memset(&attr, 0, sizeof attr);
    attr.map_fd = (uint32_t)table;
    attr.key = (uint64_t)(uintptr_t)&key;
    attr.value = (uint64_t)(uintptr_t)&value;
    if (call(BPF_MAP_UPDATE_ELEM, &attr) < 0)
        return refused("the socket is not taken", err);
    *ret_fd = table;
    table = -1;
    return 0;
}

/* "If it is for ip:port, then the socket of the table; else whoever listens." */
static int load_program(int table, uint32_t ip, uint16_t port, int *ret_fd, struct err *err) {
    const struct bpf_insn program[] = {
        COPY(BPF_REG_6, BPF_REG_1),
        LOAD(BPF_REG_2, BPF_REG_1, CONTEXT(family)),
        UNLESS(BPF_REG_2, AF_INET, 18),
        LOAD(BPF_REG_2, BPF_REG_1, CONTEXT(local_port)),
        UNLESS(BPF_REG_2, port, 16),
        LOAD(BPF_REG_2, BPF_REG_1, CONTEXT(local_ip4)),
        UNLESS(BPF_REG_2, (int32_t)htonl(ip), 14),
        STORE(BPF_REG_10, -4, 0),
        COPY(BPF_REG_2, BPF_REG_10),
        ADD(BPF_REG_2, -4),
        MAP(BPF_REG_1, table),
        CALL(BPF_FUNC_map_lookup_elem),
        IF_NULL(BPF_REG_0, 7),
        COPY(BPF_REG_7, BPF_REG_0),
        COPY(BPF_REG_1, BPF_REG_6),
        COPY(BPF_REG_2, BPF_REG_0),
        SET(BPF_REG_3, 0),
        CALL(BPF_FUNC_sk_assign),
        COPY(BPF_REG_1, BPF_REG_7),
        CALL(BPF_FUNC_sk_release),
        SET(BPF_REG_0, SK_PASS),
        EXIT,
    };
    static const char license[] = "Apache-2.0";
    union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_SK_LOOKUP,
                           .expected_attach_type = BPF_SK_LOOKUP,
                           .insn_cnt = ARRAY_LEN(program),
                           .insns = (uint64_t)(uintptr_t)program,
                           .license = (uint64_t)(uintptr_t)license};
    int fd = call(BPF_PROG_LOAD, &attr);
    if (fd < 0)
        return refused("the program is not taken", err);
    *ret_fd = fd;
    return 0;
}

int steer_port(int fd, uint32_t ip, uint16_t port, int *ret_link_fd, struct err *err) {
    must(fd >= 0 && port > 0);
    CLEANUP(file_closep) int table = -1;
    CLEANUP(file_closep) int program = -1;
    TRY(make_table(fd, &table, err));
    TRY(load_program(table, ip, port, &program, err));
    CLEANUP(file_closep) int space = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (space < 0)
        return refused("no network namespace", err);
    union bpf_attr attr = {.link_create = {.prog_fd = (uint32_t)program,
                                           .target_fd = (uint32_t)space,
                                           .attach_type = BPF_SK_LOOKUP}};
    int link = call(BPF_LINK_CREATE, &attr);
    if (link < 0)
        return refused("the namespace does not take it", err);
    *ret_link_fd = link;
    return 0;
}
