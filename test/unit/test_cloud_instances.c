/* The life of instances and what Describe calls say of it. */
#include "cloud_kit.h"

static void an_instance_goes_from_pending_to_running_to_terminated(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    o.pending_ns = (struct cloud_range){5 * SECOND, 5 * SECOND};
    o.stopping_ns = (struct cloud_range){10 * SECOND, 10 * SECOND};
    kit_open(&k, &o);
    struct ec2_request run = kit_run(&k, 1);
    kit_ok(&k, &run);
    const struct ec2_reservation *r = &k.reply->run_instances.reservation;
    assert_int_equal(r->instances.count, 1);
    assert_int_equal(r->instances.items[0].state.code.value, 0);
    const struct cloud_instance *i = kit_instance(&k, 0);
    kit_wait(&k, 4 * SECOND);
    assert_int_equal(i->state, CLOUD_PENDING);
    kit_wait(&k, 1 * SECOND);
    assert_int_equal(i->state, CLOUD_RUNNING);
    assert_string_equal(kit_end(&k, i), "");
    const struct ec2_state_change *change = &k.reply->terminate_instances.changes.items[0];
    assert_int_equal(change->previous.code.value, 16);
    assert_int_equal(change->current.code.value, 32);
    kit_wait(&k, 9 * SECOND);
    assert_int_equal(i->state, CLOUD_SHUTTING_DOWN);
    kit_wait(&k, 1 * SECOND);
    assert_int_equal(i->state, CLOUD_TERMINATED);
    assert_string_equal(i->reason_code, "Client.UserInitiatedShutdown");
    kit_close(&k);
}

static void effects_tell_the_shell_to_start_stop_and_clear_away(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    o.boot_ns = (struct cloud_range){2 * SECOND, 2 * SECOND};
    kit_open(&k, &o);
    struct cloud_effect e;
    struct ec2_request run = kit_run(&k, 1);
    run.run_instances.user_data = STR("#!/bin/sh\necho hello\n");
    kit_ok(&k, &run);
    assert_false(cloud_effect_take(k.c, &e));
    kit_wait(&k, 1);
    assert_true(cloud_effect_take(k.c, &e));
    assert_int_equal(e.kind, CLOUD_INSTANCE_START);
    assert_int_equal(e.instance->boot_delay_ns, 2 * SECOND);
    assert_string_equal((const char *)e.instance->user_data, "#!/bin/sh\necho hello\n");
    assert_string_equal(kit_end(&k, e.instance), "");
    kit_wait(&k, 1);
    assert_true(cloud_effect_take(k.c, &e));
    assert_int_equal(e.kind, CLOUD_INSTANCE_STOP);
    assert_true(cloud_effect_take(k.c, &e));
    assert_int_equal(e.kind, CLOUD_INSTANCE_GONE);
    assert_false(cloud_effect_take(k.c, &e));
    kit_close(&k);
}

static void a_terminated_instance_is_listed_for_an_hour_and_then_forgotten(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request run = kit_run(&k, 2);
    kit_ok(&k, &run);
    kit_wait(&k, 1 * SECOND);
    assert_string_equal(kit_end(&k, kit_instance(&k, 0)), "");
    kit_wait(&k, HOUR - SECOND);
    assert_int_equal(kit_listed(&k, NULL), 2);
    kit_wait(&k, 2 * SECOND);
    assert_int_equal(kit_listed(&k, NULL), 1);
    assert_string_equal(kit_end(&k, kit_instance(&k, 0)), "InvalidInstanceID.NotFound");
    kit_close(&k);
}

/* A1 */
static void a1_terminate_says_not_found_of_a_young_instance_that_runs(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    o.visible_ns = (struct cloud_range){3 * SECOND, 3 * SECOND};
    kit_open(&k, &o);
    struct ec2_request run = kit_run(&k, 1);
    kit_ok(&k, &run);
    kit_wait(&k, 1 * SECOND);
    const struct cloud_instance *i = kit_instance(&k, 0);
    assert_string_equal(kit_end(&k, i), "InvalidInstanceID.NotFound");
    assert_int_equal(i->state, CLOUD_RUNNING);
    assert_int_equal(kit_listed(&k, NULL), 0);
    kit_wait(&k, 2 * SECOND);
    assert_int_equal(kit_listed(&k, NULL), 1);
    assert_string_equal(kit_end(&k, i), "");
    kit_close(&k);
}

/* A2 */
static void a2_one_bad_id_keeps_all_of_the_call_running(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request run = kit_run(&k, 2);
    kit_ok(&k, &run);
    kit_wait(&k, 1 * SECOND);
    struct str ids[] = {str_from(kit_instance(&k, 0)->id), STR("i-00000000000000001"),
                        str_from(kit_instance(&k, 1)->id)};
    struct ec2_request end = kit_terminate(ids, 3);
    kit_fault(&k, &end, "InvalidInstanceID.NotFound");
    assert_int_equal(kit_instance(&k, 0)->state, CLOUD_RUNNING);
    assert_int_equal(kit_instance(&k, 1)->state, CLOUD_RUNNING);
    ids[1] = STR("i-zzz");
    kit_fault(&k, &end, "InvalidInstanceID.Malformed");
    ids[1] = ids[2];
    kit_ok(&k, &end);
    kit_ok(&k, &end); /* by nature idempotent */
    kit_close(&k);
}

static void a_protected_instance_keeps_its_zone_and_no_other(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request run = kit_run(&k, 1);
    kit_ok(&k, &run);
    run.run_instances.api_termination_disabled = EC2_TRUE;
    kit_ok(&k, &run);
    run = kit_run(&k, 1);
    run.run_instances.placement.zone = str_from(cloud_zone_name(k.c, 1));
    kit_ok(&k, &run);
    kit_wait(&k, 1 * SECOND);
    struct str ids[3];
    for (size_t n = 0; n < 3; n++)
        ids[n] = str_from(kit_instance(&k, n)->id);
    struct ec2_request end = kit_terminate(ids, 3);
    kit_fault(&k, &end, "OperationNotPermitted");
    kit_wait(&k, 1 * SECOND);
    assert_int_equal(kit_instance(&k, 0)->state, CLOUD_RUNNING);
    assert_int_equal(kit_instance(&k, 1)->state, CLOUD_RUNNING);
    assert_int_equal(kit_instance(&k, 2)->state, CLOUD_TERMINATED);
    kit_close(&k);
}

/* A11 */
static void a11_poweroff_stops_by_default_and_terminates_when_asked(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request run = kit_run(&k, 2);
    kit_ok(&k, &run);
    run.run_instances.shutdown_behavior = STR("terminate");
    kit_ok(&k, &run);
    kit_wait(&k, 1 * SECOND);
    cloud_instance_shutdown(k.c, k.now_ns, str_from(kit_instance(&k, 0)->id));
    cloud_instance_halted(k.c, k.now_ns, str_from(kit_instance(&k, 1)->id));
    cloud_instance_shutdown(k.c, k.now_ns, str_from(kit_instance(&k, 2)->id));
    kit_wait(&k, 1 * SECOND);
    assert_int_equal(kit_instance(&k, 0)->state, CLOUD_STOPPED);
    assert_int_equal(kit_instance(&k, 1)->state, CLOUD_RUNNING); /* halt does not end it */
    assert_true(kit_instance(&k, 1)->halted);
    assert_int_equal(kit_instance(&k, 2)->state, CLOUD_TERMINATED);
    assert_string_equal(kit_instance(&k, 2)->reason_code, "Client.InstanceInitiatedShutdown");
    uint64_t before = cloud_bill(k.c, kit_instance(&k, 1), k.now_ns);
    kit_wait(&k, HOUR);
    assert_true(cloud_bill(k.c, kit_instance(&k, 1), k.now_ns) > before);
    kit_close(&k);
}

static void an_interruption_gives_notice_and_ends_the_instance_two_minutes_later(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    struct cloud_effect e;
    kit_open(&k, &o);
    struct ec2_request run = kit_run_spot(&k, 1);
    kit_ok(&k, &run);
    kit_wait(&k, 1 * SECOND);
    assert_true(cloud_effect_take(k.c, &e));
    const struct cloud_instance *i = kit_instance(&k, 0);
    assert_int_equal(cloud_interrupt(k.c, k.now_ns, str_from(i->id), 120 * SECOND, NULL), 0);
    assert_true(cloud_effect_take(k.c, &e));
    assert_int_equal(e.kind, CLOUD_INSTANCE_NOTICE);
    assert_int_equal(i->reclaim_ns, k.now_ns + 120 * SECOND);
    kit_wait(&k, 119 * SECOND);
    assert_int_equal(i->state, CLOUD_RUNNING);
    kit_wait(&k, 2 * SECOND);
    assert_int_equal(i->state, CLOUD_TERMINATED);
    struct ec2_filters spot =
        LIST(ec2_filters, {STR("state-reason-code"), LIST(ec2_strs, STR("Server.SpotInstance*"))});
    assert_int_equal(kit_listed(&k, &spot), 1);
    kit_close(&k);
}

/* A12 */
static void a12_an_interruption_may_come_without_notice(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    struct cloud_effect e;
    unsigned notices = 0, ended = 0, silent = 0;
    o.interrupt_ppm = 1000000;
    o.interrupt_after_ns = (struct cloud_range){60 * SECOND, 600 * SECOND};
    o.no_notice_ppm = 500000;
    kit_open(&k, &o);
    struct ec2_request run = kit_run_spot(&k, 200);
    kit_ok(&k, &run);
    kit_wait(&k, 59 * SECOND);
    for (size_t n = 0; n < 200; n++)
        assert_int_equal(kit_instance(&k, n)->state, CLOUD_RUNNING);
    kit_wait(&k, 700 * SECOND);
    while (cloud_effect_take(k.c, &e))
        notices += e.kind == CLOUD_INSTANCE_NOTICE;
    for (size_t n = 0; n < 200; n++) {
        ended += kit_instance(&k, n)->interrupted;
        silent += kit_instance(&k, n)->notice_ns == 0;
    }
    assert_int_equal(ended, 200);
    assert_int_equal(notices + silent, 200);
    assert_in_range(silent, 70, 130);
    kit_close(&k);
}

static void on_demand_instances_are_not_interrupted(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    o.interrupt_ppm = 1000000;
    o.interrupt_every_ns = 10 * SECOND;
    kit_open(&k, &o);
    struct ec2_request run = kit_run(&k, 3);
    kit_ok(&k, &run);
    kit_wait(&k, HOUR);
    for (size_t n = 0; n < 3; n++)
        assert_int_equal(kit_instance(&k, n)->state, CLOUD_RUNNING);
    assert_int_equal(cloud_interrupt(k.c, k.now_ns, str_from(kit_instance(&k, 0)->id), 0, NULL),
                     -ERR_REFUSED);
    kit_close(&k);
}

static void a_rate_of_interruptions_ends_one_spot_instance_each_time(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    o.interrupt_every_ns = 60 * SECOND;
    o.interrupt_notice_ns = 0;
    kit_open(&k, &o);
    struct ec2_request run = kit_run_spot(&k, 10);
    kit_ok(&k, &run);
    kit_wait(&k, 241 * SECOND);
    struct cloud_totals t;
    cloud_truth_totals(k.c, k.now_ns, &t);
    assert_int_equal(t.terminated, 4);
    assert_int_equal(t.running, 6);
    kit_close(&k);
}

static void shares_of_duds_slow_and_failing_instances_come_out_as_asked(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    o.boot_ns = (struct cloud_range){1 * SECOND, 1 * SECOND};
    o.dud_ppm = 250000;
    o.slow_ppm = 100000;
    o.fail_ppm = 50000;
    kit_open(&k, &o);
    struct ec2_request run = kit_run(&k, 2000);
    kit_ok(&k, &run);
    kit_wait(&k, 1 * SECOND);
    unsigned duds = 0, slow = 0, failed = 0, kinds[CLOUD_DUD_COUNT] = {0};
    for (size_t n = 0; n < 2000; n++) {
        const struct cloud_instance *i = kit_instance(&k, n);
        duds += i->dud != CLOUD_DUD_NONE;
        kinds[i->dud]++;
        slow += i->boot_delay_ns == 10 * SECOND;
        failed += i->state == CLOUD_TERMINATED;
    }
    assert_in_range(duds, 440, 560);
    assert_in_range(slow, 150, 250);
    assert_in_range(failed, 65, 140);
    for (size_t d = 1; d < CLOUD_DUD_COUNT; d++)
        assert_in_range(kinds[d], 90, 160);
    kit_close(&k);
}

static void filters_are_and_across_or_within_with_wildcards(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_tag_specs tags =
        LIST(ec2_tag_specs, {STR("instance"), LIST(ec2_tags, {STR("dayfly:run"), STR("7k2m")},
                                                   {STR("dayfly:role"), STR("client")})});
    struct ec2_request run = kit_run(&k, 2);
    run.run_instances.tag_specs = tags;
    kit_ok(&k, &run);
    run = kit_run_spot(&k, 3);
    kit_ok(&k, &run);
    kit_wait(&k, 1 * SECOND);
    struct ec2_filters f = LIST(ec2_filters, {STR("tag:dayfly:run"), LIST(ec2_strs, STR("7*"))});
    assert_int_equal(kit_listed(&k, &f), 2);
    f = LIST(ec2_filters, {STR("tag-key"), LIST(ec2_strs, STR("dayfly:rol?"))});
    assert_int_equal(kit_listed(&k, &f), 2);
    f = LIST(ec2_filters, {STR("tag:dayfly:run"), LIST(ec2_strs, STR("7K2M"))});
    assert_int_equal(kit_listed(&k, &f), 0); /* case counts */
    f = LIST(ec2_filters, {STR("instance-lifecycle"), LIST(ec2_strs, STR("spot"))},
             {STR("instance-state-name"), LIST(ec2_strs, STR("pending"), STR("running"))});
    assert_int_equal(kit_listed(&k, &f), 3);
    f = LIST(ec2_filters, {STR("instance-lifecycle"), LIST(ec2_strs, STR("spot"))},
             {STR("tag:dayfly:run"), LIST(ec2_strs, STR("7k2m"))});
    assert_int_equal(kit_listed(&k, &f), 0);
    struct ec2_request bad = {.action = EC2_DESCRIBE_INSTANCES};
    bad.describe_instances.filters = LIST(ec2_filters, {STR("colour"), LIST(ec2_strs, STR("x"))});
    kit_fault(&k, &bad, "InvalidParameterValue");
    kit_close(&k);
}

static void pages_cover_every_instance_once(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    for (int n = 0; n < 4; n++) {
        struct ec2_request run = kit_run(&k, 3);
        kit_ok(&k, &run);
    }
    struct ec2_request r = {.action = EC2_DESCRIBE_INSTANCES};
    r.describe_instances.max_results = 5;
    bool seen[12] = {false};
    int pages = 0;
    do {
        kit_ok(&k, &r);
        const struct ec2_describe_instances_out *out = &k.reply->describe_instances;
        for (size_t n = 0; n < out->reservations.count; n++)
            for (size_t m = 0; m < out->reservations.items[n].instances.count; m++) {
                struct str id = out->reservations.items[n].instances.items[m].id;
                uint32_t index = cloud_instance_find(k.c, id)->index;
                assert_false(seen[index]);
                seen[index] = true;
            }
        r.describe_instances.next_token = out->next_token;
        pages++;
    } while (r.describe_instances.next_token.len && pages < 10);
    assert_int_equal(pages, 3);
    for (int n = 0; n < 12; n++)
        assert_true(seen[n]);
    r.describe_instances.next_token = STR("5-00000000");
    kit_fault(&k, &r, "InvalidPaginationToken");
    r.describe_instances.next_token = STR_EMPTY;
    r.describe_instances.max_results = 4;
    kit_fault(&k, &r, "InvalidParameterValue");
    r.describe_instances.max_results = 5;
    r.describe_instances.ids = LIST(ec2_strs, str_from(kit_instance(&k, 0)->id));
    kit_fault(&k, &r, "InvalidParameterCombination");
    kit_close(&k);
}

static void a_lagging_replica_shows_the_past(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    o.stale_ppm = 500000;
    o.stale_lag_ns_max = 10 * SECOND;
    kit_open(&k, &o);
    kit_wait(&k, 60 * SECOND);
    struct ec2_request run = kit_run(&k, 1);
    kit_ok(&k, &run);
    kit_wait(&k, 1 * SECOND);
    unsigned missing = 0, there = 0;
    for (int n = 0; n < 200; n++)
        kit_listed(&k, NULL) ? there++ : missing++;
    assert_true(there > 50);
    assert_true(missing > 50);
    kit_wait(&k, 10 * SECOND);
    for (int n = 0; n < 50; n++)
        assert_int_equal(kit_listed(&k, NULL), 1);
    kit_close(&k);
}

static void status_checks_tell_a_dud_from_a_healthy_instance(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    o.boot_ns = (struct cloud_range){1 * SECOND, 1 * SECOND};
    o.dud_ppm = 500000;
    kit_open(&k, &o);
    struct ec2_request run = kit_run(&k, 40);
    kit_ok(&k, &run);
    kit_wait(&k, 60 * SECOND);
    struct ec2_request r = {.action = EC2_DESCRIBE_INSTANCE_STATUS};
    kit_ok(&k, &r);
    const struct ec2_instance_statuses *s = &k.reply->describe_instance_status.statuses;
    assert_int_equal(s->count, 40);
    for (size_t n = 0; n < s->count; n++) {
        const struct cloud_instance *i = cloud_instance_find(k.c, s->items[n].instance_id);
        bool dead = i->dud == CLOUD_DUD_NEVER_BOOTS || i->dud == CLOUD_DUD_NO_NETWORK;
        assert_true(str_equal(s->items[n].instance.status, dead ? STR("impaired") : STR("ok")));
        assert_true(str_equal(s->items[n].system.status, STR("ok")));
    }
    kit_close(&k);
}

static void the_console_keeps_its_last_64_kib(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request run = kit_run(&k, 1);
    kit_ok(&k, &run);
    kit_wait(&k, 1 * SECOND);
    struct str id = str_from(kit_instance(&k, 0)->id);
    char line[1000];
    memset(line, 'a', sizeof line);
    for (int n = 0; n < 100; n++)
        cloud_instance_console(k.c, k.now_ns, id, (struct str){line, sizeof line});
    cloud_instance_console(k.c, k.now_ns, id, STR("the end\n"));
    struct ec2_request r = {.action = EC2_GET_CONSOLE_OUTPUT};
    r.get_console_output.instance_id = id;
    kit_ok(&k, &r);
    assert_int_equal(k.reply->get_console_output.output.len, 64 * 1024);
    assert_true(str_ends_with(k.reply->get_console_output.output, STR("athe end\n")));
    kit_close(&k);
}

static void a_shell_that_cannot_start_one_ends_it_with_an_internal_error(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request run = kit_run(&k, 1);
    kit_ok(&k, &run);
    kit_wait(&k, 1 * SECOND);
    const struct cloud_instance *i = kit_instance(&k, 0);
    cloud_instance_failed(k.c, k.now_ns, str_from(i->id), STR("no address left"));
    kit_wait(&k, 1 * SECOND);
    assert_int_equal(i->state, CLOUD_TERMINATED);
    assert_string_equal(i->reason_code, "Server.InternalError");
    kit_close(&k);
}

static void stop_is_for_on_demand_instances(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request run = kit_run(&k, 1);
    kit_ok(&k, &run);
    run = kit_run_spot(&k, 1);
    kit_ok(&k, &run);
    kit_wait(&k, 1 * SECOND);
    struct ec2_request r = {.action = EC2_STOP_INSTANCES};
    r.stop_instances.ids = LIST(ec2_strs, str_from(kit_instance(&k, 1)->id));
    kit_fault(&k, &r, "UnsupportedOperation");
    r.stop_instances.ids = LIST(ec2_strs, str_from(kit_instance(&k, 0)->id));
    kit_ok(&k, &r);
    kit_wait(&k, 1 * SECOND);
    assert_int_equal(kit_instance(&k, 0)->state, CLOUD_STOPPED);
    kit_close(&k);
}

static void addresses_are_unique_and_come_back_only_after_all_others(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    o.subnet_prefix = 27; /* 27 addresses a zone */
    kit_open(&k, &o);
    struct ec2_request run = kit_run(&k, 27);
    kit_ok(&k, &run);
    kit_wait(&k, 1 * SECOND);
    struct ec2_request one = kit_run(&k, 1);
    kit_fault(&k, &one, "InsufficientFreeAddressesInSubnet");
    uint32_t freed = kit_instance(&k, 7)->private_ip;
    assert_string_equal(kit_end(&k, kit_instance(&k, 7)), "");
    kit_wait(&k, 1 * SECOND);
    assert_null(cloud_instance_by_ip(k.c, freed));
    kit_ok(&k, &one);
    assert_int_equal(kit_instance(&k, 27)->private_ip, freed);
    assert_ptr_equal(cloud_instance_by_ip(k.c, freed), kit_instance(&k, 27));
    kit_close(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_instance_goes_from_pending_to_running_to_terminated),
        cmocka_unit_test(effects_tell_the_shell_to_start_stop_and_clear_away),
        cmocka_unit_test(a_terminated_instance_is_listed_for_an_hour_and_then_forgotten),
        cmocka_unit_test(a1_terminate_says_not_found_of_a_young_instance_that_runs),
        cmocka_unit_test(a2_one_bad_id_keeps_all_of_the_call_running),
        cmocka_unit_test(a_protected_instance_keeps_its_zone_and_no_other),
        cmocka_unit_test(a11_poweroff_stops_by_default_and_terminates_when_asked),
        cmocka_unit_test(an_interruption_gives_notice_and_ends_the_instance_two_minutes_later),
        cmocka_unit_test(a12_an_interruption_may_come_without_notice),
        cmocka_unit_test(on_demand_instances_are_not_interrupted),
        cmocka_unit_test(a_rate_of_interruptions_ends_one_spot_instance_each_time),
        cmocka_unit_test(shares_of_duds_slow_and_failing_instances_come_out_as_asked),
        cmocka_unit_test(filters_are_and_across_or_within_with_wildcards),
        cmocka_unit_test(pages_cover_every_instance_once),
        cmocka_unit_test(a_lagging_replica_shows_the_past),
        cmocka_unit_test(status_checks_tell_a_dud_from_a_healthy_instance),
        cmocka_unit_test(the_console_keeps_its_last_64_kib),
        cmocka_unit_test(a_shell_that_cannot_start_one_ends_it_with_an_internal_error),
        cmocka_unit_test(stop_is_for_on_demand_instances),
        cmocka_unit_test(addresses_are_unique_and_come_back_only_after_all_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
