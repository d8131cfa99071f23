#include "emu/power.h"

#include "base/str.h"
#include "base/units.h"

#define DAY_MINUTES (24 * 60)

static const char *const ACT_WORDS[] = {
    [POWER_OFF] = "off",       [POWER_HALT] = "halt", [POWER_REBOOT] = "reboot",
    [POWER_CANCEL] = "cancel", [POWER_WARN] = "warn",
};

/* "now", "+5", "5" (old habit for +5) or "22:30". */
static int parse_time(struct str text, unsigned minute_of_day, uint64_t *ret, struct err *err) {
    if (str_equal(text, STR("now"))) {
        *ret = 0;
        return 0;
    }
    struct str rest = text;
    if (str_starts_with(rest, STR("+")))
        rest = str_skip(rest, 1);
    struct str hours;
    struct str minutes = rest;
    if (str_contains(rest, STR(":"))) {
        ignore(str_split(&minutes, ':', &hours)); /* it has one */
        uint64_t h = 0;
        uint64_t m = 0;
        if (units_u64(hours, &h, NULL) < 0 || units_u64(minutes, &m, NULL) < 0 || h > 23 || m > 59)
            return err_set(err, ERR_USAGE, "not a time: '%.*s'", STR_ARG(text));
        uint64_t at = h * 60 + m;
        *ret = (at + DAY_MINUTES - minute_of_day) % DAY_MINUTES;
        return 0;
    }
    uint64_t wait = 0;
    if (units_u64(rest, &wait, NULL) < 0 || wait > POWER_MINUTES_MAX)
        return err_set(err, ERR_USAGE, "not a time: '%.*s'", STR_ARG(text));
    *ret = wait;
    return 0;
}

/* One option of any of the four tools; false when there is no such option. */
static bool take_option(const char *word, bool is_shutdown, struct power_wish *wish) {
    static const struct {
        const char *word;
        enum power_act act;
        bool in_shutdown, in_others;
    } OPTIONS[] = {
        {"-P", POWER_OFF, true, false},         {"--poweroff", POWER_OFF, true, true},
        {"-p", POWER_OFF, false, true},         {"-H", POWER_HALT, true, false},
        {"--halt", POWER_HALT, true, true},     {"-r", POWER_REBOOT, true, false},
        {"--reboot", POWER_REBOOT, true, true}, {"-c", POWER_CANCEL, true, false},
        {"-k", POWER_WARN, true, false},
    };
    static const char *const PLAIN[] = {"-f", "--force",   "-n",        "--no-sync",
                                        "-d", "--no-wtmp", "--no-wall", "-ff"};
    for (size_t i = 0; i < ARRAY_LEN(OPTIONS); i++) {
        if (strcmp(word, OPTIONS[i].word) != 0)
            continue;
        if (is_shutdown ? !OPTIONS[i].in_shutdown : !OPTIONS[i].in_others)
            return false;
        wish->act = OPTIONS[i].act;
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(PLAIN); i++)
        if (strcmp(word, PLAIN[i]) == 0)
            return true;
    return is_shutdown && strcmp(word, "-h") == 0; /* power off, unless --halt */
}

int power_parse(const char *const *words, unsigned count, unsigned minute_of_day,
                struct power_wish *ret, struct err *err) {
    must(minute_of_day < DAY_MINUTES);
    if (count == 0)
        return err_set(err, ERR_USAGE, "no command");
    struct power_wish wish = {POWER_OFF, 0};
    bool is_shutdown = strcmp(words[0], "shutdown") == 0;
    if (strcmp(words[0], "halt") == 0)
        wish.act = POWER_HALT;
    else if (strcmp(words[0], "reboot") == 0)
        wish.act = POWER_REBOOT;
    else if (!is_shutdown && strcmp(words[0], "poweroff") != 0)
        return err_set(err, ERR_USAGE, "unknown command '%s'", words[0]);
    bool timed = false;
    for (unsigned i = 1; i < count; i++) {
        if (words[i][0] == '-' && words[i][1] != '\0') {
            if (!take_option(words[i], is_shutdown, &wish))
                return err_set(err, ERR_USAGE, "%s: unknown option '%s'", words[0], words[i]);
        } else if (!is_shutdown) {
            return err_set(err, ERR_USAGE, "%s: takes no time", words[0]);
        } else if (!timed) {
            TRY(parse_time(str_from(words[i]), minute_of_day, &wish.minutes, err));
            timed = true; /* what follows is the message to those logged in */
        }
    }
    if (is_shutdown && !timed)
        wish.minutes = 1;
    if (wish.act == POWER_CANCEL)
        wish.minutes = 0;
    *ret = wish;
    return 0;
}

void power_format(const struct power_wish *wish, char *into, size_t size) {
    must(wish->act < ARRAY_LEN(ACT_WORDS));
    snprintf(into, size, "%s %llu", ACT_WORDS[wish->act], (unsigned long long)wish->minutes);
}

int power_read(const char *text, struct power_wish *ret, struct err *err) {
    struct str rest = str_from(text);
    struct str word;
    if (!str_split(&rest, ' ', &word))
        return err_set(err, ERR_PARSE, "empty power message");
    for (size_t i = 0; i < ARRAY_LEN(ACT_WORDS); i++) {
        if (!str_equal(word, str_from(ACT_WORDS[i])))
            continue;
        uint64_t minutes = 0;
        if (units_u64(rest, &minutes, NULL) < 0 || minutes > POWER_MINUTES_MAX)
            break;
        *ret = (struct power_wish){(enum power_act)i, minutes};
        return 0;
    }
    return err_set(err, ERR_PARSE, "not a power message: '%s'", text);
}
