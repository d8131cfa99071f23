#include "core/pace.h"

#define REQUEST (MICRO_PER_REQUEST * (pace_work)NS_PER_S) /* the area of one request */
#define MICRO_PER_REQUEST UINT64_C(1000000)
#define COUNT_MAX (UINT64_C(1) << 62)
#define NEWTON_STEPS_MAX 12 /* then plain bisection; in practice 2 to 4 are enough */

static uint64_t ceil_div(pace_work area, pace_work by) {
    return (uint64_t)((area + by - 1) / by);
}

/* Area under the stage's rate from its start to t <= duration_ns, rounded down. */
static pace_work stage_work(const struct pace_stage *stage, uint64_t t) {
    pace_work flat = (pace_work)stage->from_micro * t;
    if (stage->from_micro == stage->to_micro || t == 0)
        return flat;
    bool up = stage->to_micro > stage->from_micro;
    uint64_t change =
        up ? stage->to_micro - stage->from_micro : stage->from_micro - stage->to_micro;
    /* change * t * t / (2 * duration), in two parts so that 128 bits are enough */
    pace_work twice = 2 * (pace_work)stage->duration_ns;
    pace_work product = (pace_work)change * t;
    pace_work whole = product / twice * t;
    pace_work rest = product % twice * t;
    return up ? flat + whole + rest / twice : flat - whole - (rest + twice - 1) / twice;
}

static uint64_t stage_rate(const struct pace_stage *stage, uint64_t t) {
    if (stage->from_micro == stage->to_micro)
        return stage->from_micro;
    bool up = stage->to_micro > stage->from_micro;
    uint64_t change =
        up ? stage->to_micro - stage->from_micro : stage->from_micro - stage->to_micro;
    uint64_t part = (uint64_t)((pace_work)change * t / stage->duration_ns);
    return up ? stage->from_micro + part : stage->from_micro - part;
}

/* Newton's proposal for where the area reaches `want`, seen from t. */
static uint64_t stage_propose(const struct pace_stage *stage, uint64_t t, pace_work want,
                              pace_work have) {
    uint64_t rate = stage_rate(stage, t);
    if (rate == 0)
        return stage->duration_ns; /* outside every bracket: bisect instead */
    if (have >= want) {
        pace_work back = (have - want) / rate;
        return back >= t ? 0 : t - (uint64_t)back;
    }
    pace_work ahead = (want - have + rate - 1) / rate;
    return ahead >= stage->duration_ns - t ? stage->duration_ns : t + (uint64_t)ahead;
}

/* First t at which the stage's area is at least `want` <= its whole area; `guess` is a hint. */
static uint64_t stage_reach(const struct pace_stage *stage, pace_work want, uint64_t guess) {
    if (want == 0)
        return 0;
    if (stage->from_micro == stage->to_micro)
        return ceil_div(want, stage->from_micro);
    uint64_t low = 0; /* too early */
    uint64_t high = stage->duration_ns;
    for (unsigned step = 0; high - low > 1; step++) {
        if (guess <= low)
            guess = low + 1;
        if (guess >= high)
            guess = high - 1;
        if (step >= NEWTON_STEPS_MAX)
            guess = low + (high - low) / 2;
        pace_work have = stage_work(stage, guess);
        if (have >= want)
            high = guess;
        else
            low = guess;
        guess = stage_propose(stage, guess, want, have);
    }
    must(stage_work(stage, high) >= want);
    return high;
}

void pace_plan_init(struct pace_plan *plan) {
    *plan = (struct pace_plan){0};
}

int pace_plan_add(struct pace_plan *plan, struct pace_stage stage, struct err *err) {
    if (plan->stage_count == PACE_STAGES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d stages", PACE_STAGES_MAX);
    if (stage.from_micro > PACE_RATE_MICRO_MAX || stage.to_micro > PACE_RATE_MICRO_MAX)
        return err_set(err, ERR_LIMIT, "a rate above 100000000/s");
    if (stage.duration_ns > PACE_DURATION_NS_MAX - plan->duration_ns)
        return err_set(err, ERR_LIMIT, "stages longer than a week");
    uint32_t i = plan->stage_count;
    pace_work before = i ? plan->work_after[i - 1] : 0;
    pace_work after = before;
    if (stage.duration_ns > 0)
        after += stage_work(&stage, stage.duration_ns);
    if (after / REQUEST >= COUNT_MAX)
        return err_set(err, ERR_LIMIT, "more requests than can be counted");
    plan->stages[i] = stage;
    plan->work_after[i] = after;
    plan->ns_before[i] = plan->duration_ns;
    plan->duration_ns += stage.duration_ns;
    plan->stage_count++;
    plan->count = ceil_div(after, REQUEST);
    return 0;
}

static uint64_t plan_last_micro(const struct pace_plan *plan) {
    return plan->stage_count ? plan->stages[plan->stage_count - 1].to_micro : 0;
}

int pace_plan_ramp(struct pace_plan *plan, uint64_t to_micro, uint64_t duration_ns,
                   struct err *err) {
    return pace_plan_add(plan, (struct pace_stage){duration_ns, plan_last_micro(plan), to_micro},
                         err);
}

int pace_plan_hold(struct pace_plan *plan, uint64_t duration_ns, struct err *err) {
    return pace_plan_ramp(plan, plan_last_micro(plan), duration_ns, err);
}

/* Instant of request k, which lies in `stage` or later; both hints are brought up to date. */
static uint64_t plan_due(const struct pace_plan *plan, uint64_t k, uint32_t *stage,
                         uint64_t guess_ns) {
    must(k < plan->count);
    pace_work area = k * REQUEST;
    while (area >= plan->work_after[*stage])
        (*stage)++;
    must(*stage < plan->stage_count);
    uint64_t before_ns = plan->ns_before[*stage];
    pace_work want = area - (*stage ? plan->work_after[*stage - 1] : 0);
    uint64_t guess = guess_ns > before_ns ? guess_ns - before_ns : 1;
    return before_ns + stage_reach(&plan->stages[*stage], want, guess);
}

uint64_t pace_plan_due_ns(const struct pace_plan *plan, uint64_t k) {
    uint32_t stage = 0;
    return plan_due(plan, k, &stage, plan->duration_ns / 2);
}

uint64_t pace_plan_due_count(const struct pace_plan *plan, uint64_t at_ns) {
    if (plan->stage_count == 0 || at_ns >= plan->duration_ns)
        return plan->count;
    uint32_t i = plan->stage_count - 1;
    while (plan->ns_before[i] > at_ns)
        i--;
    pace_work area = i ? plan->work_after[i - 1] : 0;
    area += stage_work(&plan->stages[i], at_ns - plan->ns_before[i]);
    return MIN((uint64_t)(area / REQUEST) + 1, ceil_div(plan->work_after[i], REQUEST));
}

/* How many of 0..count-1 belong to shard `index`. */
static uint64_t shard_part(uint64_t count, uint64_t index, uint64_t shards) {
    return count > index ? (count - index - 1) / shards + 1 : 0;
}

uint64_t pace_plan_shard_count(const struct pace_plan *plan, uint32_t index, uint32_t shards) {
    must(shards > 0);
    must(index < shards);
    return shard_part(plan->count, index, shards);
}

uint64_t pace_plan_rate_micro(const struct pace_plan *plan, uint64_t at_ns) {
    if (at_ns >= plan->duration_ns)
        return 0;
    uint32_t i = plan->stage_count - 1;
    while (plan->ns_before[i] > at_ns)
        i--;
    return stage_rate(&plan->stages[i], at_ns - plan->ns_before[i]);
}

static void pace_aim(struct pace *p) {
    if (p->next >= p->plan->count) {
        p->due_ns = UINT64_MAX;
        return;
    }
    uint64_t guess_ns = p->due_ns - p->start_ns;
    uint64_t due_ns = p->start_ns + plan_due(p->plan, p->next, &p->stage, guess_ns);
    must(due_ns >= p->due_ns);
    p->due_ns = due_ns;
}

void pace_init(struct pace *p, const struct pace_plan *plan, uint64_t start_ns, uint32_t index,
               uint32_t shards) {
    must(shards > 0);
    must(index < shards);
    *p = (struct pace){
        .plan = plan, .start_ns = start_ns, .shards = shards, .next = index, .due_ns = start_ns};
    pace_aim(p);
}

bool pace_take(struct pace *p, uint64_t now_ns, uint64_t *ret_number, uint64_t *ret_due_ns) {
    if (p->due_ns > now_ns || p->due_ns == UINT64_MAX)
        return false;
    *ret_number = p->next;
    *ret_due_ns = p->due_ns;
    p->next += p->shards;
    p->taken++;
    pace_aim(p);
    return true;
}

uint64_t pace_backlog(const struct pace *p, uint64_t now_ns) {
    if (now_ns < p->start_ns)
        return 0;
    uint64_t due = pace_plan_due_count(p->plan, now_ns - p->start_ns);
    uint64_t index = p->next - p->taken * p->shards;
    return shard_part(due, index, p->shards) - p->taken;
}
