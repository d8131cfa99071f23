#include "codec/url.h"

#include "base/units.h"

static int url_scheme(struct str *rest, struct url *url, struct err *err) {
    url->tls = str_starts_with(*rest, STR("https://"));
    if (!url->tls && !str_starts_with(*rest, STR("http://")))
        return err_set(err, ERR_PARSE, "a URL begins with http:// or https://: '%.*s'",
                       STR_ARG(*rest));
    *rest = str_skip(*rest, url->tls ? 8 : 7);
    return 0;
}

static int url_port(struct str text, struct url *url, struct err *err) {
    uint64_t port = 0;
    if (units_u64(text, &port, NULL) < 0 || port == 0 || port > 65535)
        return err_set(err, ERR_PARSE, "not a port: '%.*s'", STR_ARG(text));
    url->port = (uint16_t)port;
    return 0;
}

static bool url_host_is_plain(struct str host) {
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!alpha && !(c >= '0' && c <= '9') && c != '-' && c != '.' && c != '_' && c != ':')
            return false;
    }
    return host.len > 0 && host.len <= URL_HOST_BYTES_MAX;
}

/* host, host:port, [v6] or [v6]:port */
static int url_authority(struct str text, struct url *url, struct err *err) {
    url->port = url->tls ? 443 : 80;
    struct str after;
    if (str_starts_with(text, STR("["))) {
        size_t end = str_index_of(text, ']');
        url->host = str_slice(text, 1, end);
        after = str_skip(text, end + 1);
        if (end == text.len || (after.len > 0 && after.ptr[0] != ':'))
            return err_set(err, ERR_PARSE, "not a host: '%.*s'", STR_ARG(text));
    } else {
        size_t colon = str_index_of(text, ':');
        url->host = str_slice(text, 0, colon);
        after = str_skip(text, colon);
    }
    if (after.len > 0)
        TRY(url_port(str_skip(after, 1), url, err));
    if (!url_host_is_plain(url->host))
        return err_set(err, ERR_PARSE, "not a host: '%.*s'", STR_ARG(text));
    return 0;
}

int url_parse(struct str text, struct url *ret_url, struct err *err) {
    struct url url = {0};
    struct str rest = text;
    if (text.len > URL_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "a URL of more than %d bytes", URL_BYTES_MAX);
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f)
            return err_set(err, ERR_PARSE, "a URL with a blank or control character");
    TRY(url_scheme(&rest, &url, err));
    size_t end = MIN(str_index_of(rest, '/'), str_index_of(rest, '?'));
    struct str authority = str_slice(rest, 0, end);
    if (str_contains(authority, STR("@")))
        return err_set(err, ERR_PARSE, "a URL with a user name; send an Authorization header");
    if (str_contains(rest, STR("#")))
        return err_set(err, ERR_PARSE, "a URL with a fragment, which is never sent");
    TRY(url_authority(authority, &url, err));
    url.origin = str_slice(text, 0, text.len - rest.len + end);
    url.target = str_skip(rest, end);
    if (url.target.len == 0)
        url.target = STR("/");
    else if (url.target.ptr[0] == '?')
        return err_set(err, ERR_PARSE, "a URL needs a '/' before its '?'");
    *ret_url = url;
    return 0;
}
