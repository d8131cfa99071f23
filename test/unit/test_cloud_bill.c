/* Money and Spot prices. */
#include "cloud_kit.h"

#define C5_LARGE 85000 /* micro-dollars per hour, on-demand */

static void an_on_demand_hour_costs_its_list_price(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request r = kit_run(&k, 1);
    kit_ok(&k, &r);
    kit_wait(&k, 0);
    kit_wait(&k, HOUR);
    assert_int_equal(cloud_bill(k.c, kit_instance(&k, 0), k.now_ns), C5_LARGE);
    kit_wait(&k, HOUR / 2);
    assert_int_equal(cloud_bill(k.c, kit_instance(&k, 0), k.now_ns), C5_LARGE * 3 / 2);
    kit_close(&k);
}

/* A14 */
static void a14_only_running_costs_money(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    o.pending_ns = (struct cloud_range){600 * SECOND, 600 * SECOND};
    o.stopping_ns = (struct cloud_range){600 * SECOND, 600 * SECOND};
    kit_open(&k, &o);
    struct ec2_request r = kit_run(&k, 1);
    kit_ok(&k, &r);
    const struct cloud_instance *i = kit_instance(&k, 0);
    kit_wait(&k, 600 * SECOND);
    assert_int_equal(i->state, CLOUD_RUNNING);
    kit_wait(&k, 360 * SECOND);
    assert_int_equal(cloud_bill(k.c, i, k.now_ns), C5_LARGE / 10);
    assert_string_equal(kit_end(&k, i), "");
    kit_wait(&k, 300 * SECOND);
    assert_int_equal(i->state, CLOUD_SHUTTING_DOWN);
    assert_int_equal(cloud_bill(k.c, i, k.now_ns), C5_LARGE / 10);
    kit_wait(&k, HOUR);
    assert_int_equal(cloud_bill(k.c, i, k.now_ns), C5_LARGE / 10);
    kit_close(&k);
}

static void an_instance_ended_while_pending_costs_nothing(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    o.pending_ns = (struct cloud_range){5 * SECOND, 5 * SECOND};
    kit_open(&k, &o);
    struct ec2_request r = kit_run(&k, 1);
    kit_ok(&k, &r);
    assert_string_equal(kit_end(&k, kit_instance(&k, 0)), "");
    kit_wait(&k, HOUR);
    assert_int_equal(kit_instance(&k, 0)->state, CLOUD_TERMINATED);
    assert_int_equal(kit_instance(&k, 0)->running_ns, 0);
    assert_int_equal(cloud_bill(k.c, kit_instance(&k, 0), k.now_ns), 0);
    struct cloud_effect e;
    assert_false(cloud_effect_take(k.c, &e)); /* it never was */
    kit_close(&k);
}

static void every_start_costs_a_minute_at_least(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request r = kit_run(&k, 1);
    kit_ok(&k, &r);
    kit_wait(&k, 2 * SECOND);
    assert_string_equal(kit_end(&k, kit_instance(&k, 0)), "");
    kit_wait(&k, SECOND);
    assert_int_equal(cloud_bill(k.c, kit_instance(&k, 0), k.now_ns), (C5_LARGE + 30) / 60);
    kit_close(&k);
}

static void what_ec2_interrupts_in_its_first_hour_is_free(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    o.spot_ppm_min = o.spot_ppm_max = 400000; /* $0.034 */
    kit_open(&k, &o);
    struct ec2_request r = kit_run_spot(&k, 3);
    kit_ok(&k, &r);
    kit_wait(&k, 0);
    struct str id[3];
    for (size_t n = 0; n < 3; n++)
        id[n] = str_from(kit_instance(&k, n)->id);
    kit_wait(&k, HOUR / 2);
    assert_int_equal(cloud_interrupt(k.c, k.now_ns, id[0], 120 * SECOND, NULL), 0);
    assert_int_equal(cloud_interrupt(k.c, k.now_ns, id[1], 120 * SECOND, NULL), 0);
    assert_string_equal(kit_end(&k, kit_instance(&k, 1)), ""); /* the user was faster: he pays */
    kit_wait(&k, HOUR / 2);
    assert_int_equal(cloud_interrupt(k.c, k.now_ns, id[2], 0, NULL), 0);
    kit_wait(&k, SECOND);
    assert_int_equal(cloud_bill(k.c, kit_instance(&k, 0), k.now_ns), 0);
    assert_int_equal(cloud_bill(k.c, kit_instance(&k, 1), k.now_ns), 17000);
    assert_int_equal(cloud_bill(k.c, kit_instance(&k, 2), k.now_ns), 34000);
    kit_close(&k);
}

static void a_spot_bill_follows_the_price_in_force(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request r = kit_run_spot(&k, 1);
    kit_ok(&k, &r);
    kit_wait(&k, 0);
    kit_wait(&k, 48 * HOUR);
    struct ec2_request h = {.action = EC2_DESCRIBE_SPOT_PRICE_HISTORY};
    h.describe_spot_price_history.instance_types = LIST(ec2_strs, STR("c5.large"));
    h.describe_spot_price_history.zone = str_from(cloud_zone_name(k.c, 0));
    int64_t start = cloud_unix_ms(k.c, k.now_ns - 48 * HOUR);
    h.describe_spot_price_history.start_unix_ms = start;
    kit_ok(&k, &h);
    const struct ec2_spot_prices *p = &k.reply->describe_spot_price_history.prices;
    assert_in_range(p->count, 5, 12);
    assert_true(p->items[p->count - 1].since_unix_ms <= start); /* the last one before the start */
    int64_t until = cloud_unix_ms(k.c, k.now_ns);
    double dollars = 0;
    for (size_t n = 0; n < p->count; n++) {
        assert_true(p->items[n].since_unix_ms < until); /* newest first */
        assert_true(p->items[n].price_usd_micro < C5_LARGE);
        int64_t since = p->items[n].since_unix_ms > start ? p->items[n].since_unix_ms : start;
        dollars += (double)p->items[n].price_usd_micro * (double)(until - since) / 3.6e6;
        until = since;
    }
    double bill = (double)cloud_bill(k.c, kit_instance(&k, 0), k.now_ns);
    assert_true(bill > dollars - 2 && bill < dollars + 2);
    kit_close(&k);
}

static void price_pages_hold_every_change_once(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request h = {.action = EC2_DESCRIBE_SPOT_PRICE_HISTORY};
    h.describe_spot_price_history.instance_types = LIST(ec2_strs, STR("c5.large"), STR("m5.large"));
    kit_ok(&k, &h);
    size_t all = k.reply->describe_spot_price_history.prices.count;
    assert_in_range(all, 1000, 1000);
    assert_true(k.reply->describe_spot_price_history.next_token.len > 0);
    size_t total = 0;
    int64_t last = INT64_MAX;
    h.describe_spot_price_history.max_results = 300;
    for (int page = 0; page < 20; page++) {
        kit_ok(&k, &h);
        const struct ec2_describe_spot_price_history_out *out =
            &k.reply->describe_spot_price_history;
        for (size_t n = 0; n < out->prices.count; n++) {
            assert_true(out->prices.items[n].since_unix_ms <= last);
            last = out->prices.items[n].since_unix_ms;
        }
        total += out->prices.count;
        if (out->next_token.len == 0)
            break;
        h.describe_spot_price_history.next_token = out->next_token;
    }
    assert_in_range(total, 1500, 2200); /* six pools, up to four changes a day, 90 days */
    h.describe_spot_price_history.next_token = STR_EMPTY;
    h.describe_spot_price_history.products = LIST(ec2_strs, STR("Windows"));
    kit_ok(&k, &h);
    assert_int_equal(k.reply->describe_spot_price_history.prices.count, 0);
    kit_close(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_on_demand_hour_costs_its_list_price),
        cmocka_unit_test(a14_only_running_costs_money),
        cmocka_unit_test(an_instance_ended_while_pending_costs_nothing),
        cmocka_unit_test(every_start_costs_a_minute_at_least),
        cmocka_unit_test(what_ec2_interrupts_in_its_first_hour_is_free),
        cmocka_unit_test(a_spot_bill_follows_the_price_in_force),
        cmocka_unit_test(price_pages_hold_every_change_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
