#include "unit.h"

#include "base/arena.h"
#include "base/base64.h"
#include "codec/form.h"
#include "codec/xml.h"

static void expect_encoded(const char *raw, const char *wanted) {
    struct buf out = BUF_INIT(1000);
    form_encode(&out, str_from(raw));
    assert_string_equal(buf_text(&out), wanted);
    struct buf back = BUF_INIT(1000);
    assert_true(form_decode(buf_str(&out), true, &back));
    assert_string_equal(buf_text(&back), raw);
    buf_deinit(&out);
    buf_deinit(&back);
}

static void encoding_keeps_only_unreserved_bytes(void **state UNUSED) {
    expect_encoded("AZaz09-_.~", "AZaz09-_.~");
    expect_encoded("a b+c/d=e&f", "a%20b%2Bc%2Fd%3De%26f");
    expect_encoded("\xc3\xa4\x7f", "%C3%A4%7F");
    expect_encoded("", "");
}

static void decoding_takes_plus_as_a_blank_only_when_asked(void **state UNUSED) {
    struct buf out = BUF_INIT(100);
    assert_true(form_decode(STR("a+b%2bc"), true, &out));
    assert_string_equal(buf_text(&out), "a b+c");
    buf_reset(&out);
    assert_true(form_decode(STR("a+b"), false, &out));
    assert_string_equal(buf_text(&out), "a+b");
    buf_deinit(&out);
}

static void a_percent_without_two_digits_is_refused(void **state UNUSED) {
    const char *bad[] = {"%", "a%", "%4", "%4g", "%g4", "abc%2"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf out = BUF_INIT(100);
        assert_false(form_decode(str_from(bad[i]), true, &out));
        buf_deinit(&out);
    }
}

static void pairs_are_cut_at_ampersand_and_first_equals(void **state UNUSED) {
    struct str rest = STR("&a=1&&b&c=x=y&"), name, value;
    assert_true(form_next(&rest, &name, &value));
    assert_true(str_equal(name, STR("a")) && str_equal(value, STR("1")));
    assert_true(form_next(&rest, &name, &value));
    assert_true(str_equal(name, STR("b")) && value.len == 0);
    assert_true(form_next(&rest, &name, &value));
    assert_true(str_equal(name, STR("c")) && str_equal(value, STR("x=y")));
    assert_false(form_next(&rest, &name, &value));
}

static void base64_round_trips_every_length(void **state UNUSED) {
    uint8_t bytes[64];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + 200);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        struct buf text = BUF_INIT(200), back = BUF_INIT(200);
        base64_add(&text, (struct str){(const char *)bytes, size});
        assert_int_equal(text.len, (size + 2) / 3 * 4);
        assert_true(base64_decode(buf_str(&text), &back));
        assert_int_equal(back.len, size);
        if (size > 0)
            assert_memory_equal(back.ptr, bytes, size);
        buf_deinit(&text);
        buf_deinit(&back);
    }
}

static void base64_matches_the_rfc_vectors(void **state UNUSED) {
    const char *pairs[][2] = {{"f", "Zg=="},        {"fo", "Zm8="},        {"foo", "Zm9v"},
                              {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct buf text = BUF_INIT(20);
        base64_add(&text, str_from(pairs[i][0]));
        assert_string_equal(buf_text(&text), pairs[i][1]);
        buf_deinit(&text);
    }
    struct buf out = BUF_INIT(100);
    assert_true(base64_decode(STR("Zm9v\nYmE"), &out)); /* a line break, no padding */
    assert_string_equal(buf_text(&out), "fooba");
    buf_deinit(&out);
}

static void what_is_not_base64_is_refused_and_leaves_the_buffer(void **state UNUSED) {
    const char *bad[] = {"Z", "Zm9v=Zg", "Zm9$", "Zm9vYmFyZ"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf out = BUF_INIT(100);
        buf_add_text(&out, "kept");
        assert_false(base64_decode(str_from(bad[i]), &out));
        assert_string_equal(buf_text(&out), "kept");
        buf_deinit(&out);
    }
}

/* --- xml --- */

static void xml_gives_a_tree_of_names_and_texts(void **state UNUSED) {
    struct arena arena = {0};
    struct xml_node *root;
    assert_int_equal(xml_parse(STR("<?xml version='1.0'?><a x='1'>\n <n:b>1 &lt; 2&#33;</n:b>\n "
                                   "<c/><b>two</b></a>"),
                               &arena, &root, NULL),
                     0);
    assert_true(str_equal(root->name, STR("a")));
    assert_true(str_equal(xml_child_text(root, "b"), STR("1 < 2!")));
    assert_true(xml_child(root, "c") && xml_child(root, "c")->text.len == 0);
    assert_true(str_equal(xml_child(root, "c")->next->text, STR("two")));
    assert_null(xml_child(root, "d"));
    assert_null(xml_child_text(NULL, "d").ptr);
    arena_deinit(&arena);
}

static int parse_code(const char *text) {
    struct arena arena = {0};
    struct xml_node *root = NULL;
    struct err err = {0};
    int result = xml_parse(str_from(text), &arena, &root, &err);
    assert_true(result == 0 ? root != NULL : err.text[0] != '\0');
    arena_deinit(&arena);
    return result;
}

static void broken_xml_and_document_types_are_refused(void **state UNUSED) {
    assert_int_equal(parse_code(""), -ERR_PROTOCOL);
    assert_int_equal(parse_code("<a><b></a>"), -ERR_PROTOCOL);
    assert_int_equal(parse_code("<a><b>"), -ERR_PROTOCOL);
    assert_int_equal(parse_code("<a/><b/>"), -ERR_PROTOCOL);
    assert_int_equal(parse_code("{\"a\":1}"), -ERR_PROTOCOL);
    assert_int_equal(parse_code("<!DOCTYPE a><a/>"), -ERR_PROTOCOL);
    assert_int_equal(parse_code("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), -ERR_PROTOCOL);
    assert_int_equal(parse_code("<a>&b;</a>"), -ERR_PROTOCOL);
    assert_int_equal(parse_code("<a>\xff</a>"), -ERR_PROTOCOL);
}

static void xml_deeper_than_the_limit_is_refused(void **state UNUSED) {
    struct buf text = BUF_INIT(10000);
    for (size_t i = 0; i < XML_DEPTH_MAX; i++)
        buf_add_text(&text, "<a>");
    for (size_t i = 0; i < XML_DEPTH_MAX; i++)
        buf_add_text(&text, "</a>");
    assert_int_equal(parse_code(buf_text(&text)), 0);
    buf_reset(&text);
    for (size_t i = 0; i <= XML_DEPTH_MAX; i++)
        buf_add_text(&text, "<a>");
    assert_int_equal(parse_code(buf_text(&text)), -ERR_LIMIT);
    buf_deinit(&text);
}

static void any_bytes_survive_as_xml_text_or_become_the_replacement(void **state UNUSED) {
    struct buf out = BUF_INIT(1000);
    xml_add_text(&out,
                 STR("<a href=\"x\">&'\r\n\t\x01\xff\xc3\xa4\xed\xa0\x80\xf0\x9f\x98\x80\xc3"));
    assert_string_equal(
        buf_text(&out),
        "&lt;a href=&quot;x&quot;&gt;&amp;'&#13;\n\t\xef\xbf\xbd\xef\xbf\xbd\xc3\xa4"
        "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xf0\x9f\x98\x80\xef\xbf\xbd");
    buf_reset(&out);
    xml_add_element(&out, "k", STR("a\r\nb"));
    struct arena arena = {0};
    struct xml_node *root;
    assert_int_equal(xml_parse(buf_str(&out), &arena, &root, NULL), 0);
    assert_true(str_equal(root->text, STR("a\r\nb")));
    arena_deinit(&arena);
    buf_deinit(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoding_keeps_only_unreserved_bytes),
        cmocka_unit_test(decoding_takes_plus_as_a_blank_only_when_asked),
        cmocka_unit_test(a_percent_without_two_digits_is_refused),
        cmocka_unit_test(pairs_are_cut_at_ampersand_and_first_equals),
        cmocka_unit_test(base64_round_trips_every_length),
        cmocka_unit_test(base64_matches_the_rfc_vectors),
        cmocka_unit_test(what_is_not_base64_is_refused_and_leaves_the_buffer),
        cmocka_unit_test(xml_gives_a_tree_of_names_and_texts),
        cmocka_unit_test(broken_xml_and_document_types_are_refused),
        cmocka_unit_test(xml_deeper_than_the_limit_is_refused),
        cmocka_unit_test(any_bytes_survive_as_xml_text_or_become_the_replacement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
