#include "node/bootstrap.h"

#include "base/units.h"

#define MINUTE_NS (60 * NS_PER_S)

/* The fixed part, after the variables.  Only what POSIX sh has; forks are few because hundreds of
 * nodes boot at once in a rehearsal.
 *
 * In a rehearsal without namespaces the metadata service stands on the instance's own loopback
 * address: the agent is fetched from that address, so that the head sees who asks. */
static const char bootstrap_body[] =
    "off() {\n"
    "    echo \"dayfly: $1: powering off\"\n"
    "    shutdown -P now || poweroff -f || echo o >/proc/sysrq-trigger\n"
    "    exit 1\n"
    "}\n"
    "umask 077\n"
    "dir=${DAYFLY_INSTANCE_DIR:-/var/lib}/dayfly\n"
    "mkdir -p \"$dir\" || off \"cannot make $dir\"\n"
    "src=\n"
    "case ${AWS_EC2_METADATA_SERVICE_ENDPOINT:-} in\n"
    "http://127.*)\n"
    "    src=${AWS_EC2_METADATA_SERVICE_ENDPOINT#http://}\n"
    "    src=${src%%[:/]*}\n"
    "    ;;\n"
    "esac\n"
    /* openssl(1) takes half the CPU time of sha256sum where the CPU has SHA instructions. */
    "good() {\n"
    "    [ -f \"$1\" ] || return 1\n"
    "    sum=$(openssl dgst -sha256 -r <\"$1\" 2>/dev/null || sha256sum <\"$1\")\n"
    "    [ \"${sum%% *}\" = \"$sha\" ]\n"
    "}\n"
    "get() {\n"
    "    if command -v curl >/dev/null; then\n"
    "        curl -fsSk --pinnedpubkey \"$pin\" ${src:+--interface \"$src\"} \\\n"
    "            --connect-timeout 15 --max-time 120 -o \"$2\" \"$1\"\n"
    "    elif command -v wget >/dev/null; then\n"
    "        wget -q --no-check-certificate --pinnedpubkey=\"$pin\" \\\n"
    "            ${src:+--bind-address=\"$src\"} -T 15 -t 1 -O \"$2\" \"$1\"\n"
    "    else\n"
    "        python3 -c 'import ssl,sys,urllib.request as u\n"
    "c=ssl.create_default_context()\n"
    "c.check_hostname=False\n"
    "c.verify_mode=ssl.CERT_NONE\n"
    "open(sys.argv[2],\"wb\").write(u.urlopen(sys.argv[1],timeout=60,context=c).read())' "
    "\"$1\" \"$2\"\n"
    "    fi\n"
    "}\n"
    "agent=\n"
    "for file in \"${DAYFLY_AGENT_HINT:-}\" /usr/local/bin/dayfly \"$dir/agent\"; do\n"
    "    if [ -x \"$file\" ] && good \"$file\"; then\n"
    "        agent=$file\n"
    "        break\n"
    "    fi\n"
    "done\n"
    "try=0\n"
    "while [ -z \"$agent\" ]; do\n"
    "    for head in $heads; do\n"
    "        get \"https://$head/agent\" \"$dir/agent\" || continue\n"
    "        good \"$dir/agent\" || off \"the agent from $head has a wrong hash\"\n"
    "        chmod 700 \"$dir/agent\"\n"
    "        agent=$dir/agent\n"
    "        break\n"
    "    done\n"
    "    [ -n \"$agent\" ] && break\n"
    "    try=$((try + 1))\n"
    "    [ $try -lt 15 ] || off \"no agent from $heads\"\n"
    "    echo \"dayfly: no agent from $heads (try $try)\"\n"
    "    sleep $try\n"
    "done\n"
    "{\n"
    "    echo \"run=$run\"\n"
    "    echo \"token=$token\"\n"
    "    echo \"pin=$pin\"\n"
    "    for head in $heads; do echo \"head=$head\"; done\n"
    "    echo \"cap_s=$cap\"\n"
    "    echo \"armed_s=${up%.*}\"\n"
    "    echo \"dir=$dir\"\n"
    "} >\"$dir/join\" || off \"cannot write $dir/join\"\n"
    "\"$agent\" node --join \"$dir/join\" && exit\n"
    "off \"the agent has ended ($?)\"\n";

/* Letters that mean nothing to a shell, in or out of quotes. */
static bool bootstrap_is_plain(struct str text) {
    static const char others[] = "._:/+=-[]@";
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && (c == 0 || strchr(others, c) == NULL))
            return false;
    }
    return text.len > 0;
}

static int bootstrap_check(const struct bootstrap *b, struct err *err) {
    must(b->heads_count >= 1 && b->heads_count <= BOOTSTRAP_HEADS_MAX);
    struct str fields[] = {b->run, b->name, b->role, b->pin, b->token, b->agent_sha256};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (!bootstrap_is_plain(fields[i]))
            return err_set(err, ERR_USAGE, "not fit for a script: '%.*s'", STR_ARG(fields[i]));
    for (size_t i = 0; i < b->heads_count; i++)
        if (!bootstrap_is_plain(b->heads[i]))
            return err_set(err, ERR_USAGE, "not fit for a script: '%.*s'", STR_ARG(b->heads[i]));
    if (b->agent_sha256.len != 64)
        return err_set(err, ERR_USAGE, "not a SHA-256: '%.*s'", STR_ARG(b->agent_sha256));
    if (b->cap_ns == 0)
        return err_set(err, ERR_USAGE, "a node needs a cap");
    return 0;
}

int bootstrap_script(const struct bootstrap *b, struct buf *into, struct err *err) {
    TRY(bootstrap_check(b, err));
    uint64_t minutes = (b->cap_ns + MINUTE_NS - 1) / MINUTE_NS;
    CLEANUP(buf_deinit) struct buf script = BUF_INIT(USER_DATA_BYTES_MAX);
    /* Where there is no shutdown(8) a child of ours waits instead. */
    buf_printf(&script,
               "#!/bin/sh\n"
               "shutdown -P +%llu >/dev/null 2>&1 || {\n"
               "    (trap '' HUP; sleep %llu; poweroff -f || echo o >/proc/sysrq-trigger) "
               "</dev/null >/dev/null 2>&1 &\n"
               "}\n"
               "read -r up idle </proc/uptime\n"
               "# dayfly %.*s, role %.*s: this instance lives for %llu minutes at most.\n",
               (unsigned long long)minutes, (unsigned long long)minutes * 60, STR_ARG(b->name),
               STR_ARG(b->role), (unsigned long long)minutes);
    buf_printf(&script, "run='%.*s'\ntoken='%.*s'\npin='%.*s'\nsha='%.*s'\ncap=%llu\nheads='",
               STR_ARG(b->run), STR_ARG(b->token), STR_ARG(b->pin), STR_ARG(b->agent_sha256),
               (unsigned long long)minutes * 60);
    for (size_t i = 0; i < b->heads_count; i++)
        buf_printf(&script, "%s%.*s", i > 0 ? " " : "", STR_ARG(b->heads[i]));
    buf_add_text(&script, "'\n");
    buf_add_text(&script, bootstrap_body);
    if (!buf_ok(&script))
        return err_set(err, ERR_LIMIT, "user-data is longer than %d bytes", USER_DATA_BYTES_MAX);
    buf_add_str(into, buf_str(&script));
    if (!buf_ok(into))
        return err_set(err, ERR_LIMIT, "no room for user-data of %zu bytes", script.len);
    return 0;
}
