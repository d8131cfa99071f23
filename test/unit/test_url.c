#include "unit.h"

#include "codec/url.h"

static void check(const char *text, bool tls, const char *host, uint16_t port, const char *target) {
    struct url url = {0};
    assert_int_equal(url_parse(str_from(text), &url, NULL), 0);
    assert_int_equal(url.tls, tls);
    assert_str(url.host, host);
    assert_int_equal(url.port, port);
    assert_str(url.target, target);
    assert_true(str_starts_with(str_from(text), url.origin));
    assert_true(url.origin.len + strlen(target) == strlen(text) || strcmp(target, "/") == 0);
}

static void urls_are_taken_apart(void **state) {
    (void)state;
    check("http://127.0.0.1:8080/", false, "127.0.0.1", 8080, "/");
    check("http://shop.example.com", false, "shop.example.com", 80, "/");
    check("https://shop.example.com/a/b?q=1:2", true, "shop.example.com", 443, "/a/b?q=1:2");
    check("http://[2001:db8::7]/x", false, "2001:db8::7", 80, "/x");
    check("https://[::1]:8443", true, "::1", 8443, "/");
}

static void what_is_not_a_url_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"",
                                      "127.0.0.1:8080",
                                      "ftp://x/",
                                      "http://",
                                      "http://:80/",
                                      "http://x:/",
                                      "http://x:0/",
                                      "http://x:65536/",
                                      "http://x:8o/",
                                      "http://[::1/",
                                      "http://[::1]x/",
                                      "http://u:p@x/",
                                      "http://x/#top",
                                      "http://x?y",
                                      "http://x/a b",
                                      "http://x%00y/",
                                      "http://x/\r\nEvil: 1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct url url = {.port = 7};
        struct err err = {0};
        assert_int_equal(url_parse(str_from(bad[i]), &url, &err), -ERR_PARSE);
        assert_true(err.text[0] != 0);
        assert_int_equal(url.port, 7);
    }
}

UNIT_MAIN(T(urls_are_taken_apart), T(what_is_not_a_url_is_refused))
