#include "report/svg.h"

#include <math.h>

#include "report/markup.h"

double svg_at(const struct svg_scale *scale, double value) {
    double share = 0;
    if (scale->log) {
        must(scale->from > 0 && scale->to > scale->from);
        double held = fmin(fmax(value, scale->from), scale->to);
        share = log(held / scale->from) / log(scale->to / scale->from);
    } else if (scale->to > scale->from) {
        share = (value - scale->from) / (scale->to - scale->from);
        share = fmin(fmax(share, 0), 1);
    }
    return scale->at + share * scale->size;
}

/* "12.3", "12", never "-0". */
static void add_number(struct buf *b, double value) {
    double tenths = round(value * 10);
    must(isfinite(tenths));
    if (fmod(tenths, 10) == 0)
        buf_printf(b, "%.0f", tenths == 0 ? 0.0 : tenths / 10);
    else
        buf_printf(b, "%.1f", tenths / 10);
}

static void add_attribute(struct buf *b, const char *name, double value) {
    buf_printf(b, " %s=\"", name);
    add_number(b, value);
    buf_add_byte(b, '"');
}

static void add_ink(struct buf *b, const struct svg_ink *ink) {
    must(ink->colour != NULL);
    if (ink->class_name)
        buf_printf(b, " class=\"%s\"", ink->class_name);
    if (ink->width > 0) {
        buf_printf(b, " fill=\"none\" stroke=\"%s\"", ink->colour);
        add_attribute(b, "stroke-width", ink->width);
        if (ink->dash)
            buf_printf(b, " stroke-dasharray=\"%s\"", ink->dash);
    } else {
        buf_printf(b, " fill=\"%s\"", ink->colour);
    }
    if (ink->opacity < 1)
        buf_printf(b, " opacity=\"%.2f\"", ink->opacity);
}

void svg_begin(struct buf *b, const char *id, double width, double height, const char *title,
               const char *description) {
    buf_printf(b,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" "
               "aria-labelledby=\"%s-t %s-d\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
               "height=\"%.0f\" font-family=\"system-ui,sans-serif\" font-size=\"11\">"
               "<title id=\"%s-t\">",
               id, id, width, height, width, height, id);
    markup_add_text(b, title);
    buf_printf(b, "</title><desc id=\"%s-d\">", id);
    markup_add_text(b, description);
    buf_add_text(b, "</desc>\n");
}

void svg_end(struct buf *b) {
    buf_add_text(b, "</svg>\n");
}

void svg_line(struct buf *b, double x1, double y1, double x2, double y2,
              const struct svg_ink *ink) {
    must(ink->width > 0);
    buf_add_text(b, "<path");
    add_ink(b, ink);
    buf_add_text(b, " d=\"M");
    add_number(b, x1);
    buf_add_byte(b, ' ');
    add_number(b, y1);
    buf_add_byte(b, 'L');
    add_number(b, x2);
    buf_add_byte(b, ' ');
    add_number(b, y2);
    buf_add_text(b, "\"/>\n");
}

static void add_box(struct buf *b, double x, double y, double width, double height) {
    add_attribute(b, "x", x);
    add_attribute(b, "y", y);
    add_attribute(b, "width", fmax(width, 0));
    add_attribute(b, "height", fmax(height, 0));
}

void svg_rect(struct buf *b, double x, double y, double width, double height,
              const struct svg_ink *ink) {
    buf_add_text(b, "<rect");
    add_ink(b, ink);
    add_box(b, x, y, width, height);
    buf_add_text(b, "/>\n");
}

void svg_text(struct buf *b, double x, double y, enum svg_anchor anchor, const char *class_name,
              const char *text) {
    static const char *const anchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
    must(anchor < ARRAY_LEN(anchors));
    buf_printf(b, "<text class=\"%s\" fill=\"#6b7280\"%s", class_name, anchors[anchor]);
    add_attribute(b, "x", x);
    add_attribute(b, "y", y);
    buf_add_byte(b, '>');
    markup_add_text(b, text);
    buf_add_text(b, "</text>\n");
}

void svg_hover(struct buf *b, double x, double y, double width, double height, const char *text) {
    buf_add_text(b, "<rect class=\"hv\" fill=\"#888\" fill-opacity=\"0\"");
    add_box(b, x, y, width, height);
    buf_add_text(b, "><title>");
    markup_add_text(b, text);
    buf_add_text(b, "</title></rect>\n");
}

void svg_path_begin(struct svg_path *path, struct buf *b, const struct svg_ink *ink) {
    *path = (struct svg_path){.b = b};
    buf_add_text(b, "<path stroke-linejoin=\"round\"");
    add_ink(b, ink);
    buf_add_text(b, " d=\"");
}

void svg_path_point(struct svg_path *path, double x, double y) {
    buf_add_byte(path->b, path->open ? 'L' : 'M');
    add_number(path->b, x);
    buf_add_byte(path->b, ' ');
    add_number(path->b, y);
    path->open = true;
    path->points++;
}

void svg_path_break(struct svg_path *path) {
    path->open = false;
}

void svg_path_close(struct svg_path *path) {
    if (path->open)
        buf_add_byte(path->b, 'Z');
    path->open = false;
}

void svg_path_end(struct svg_path *path) {
    if (path->points == 0) /* an empty path is an error in SVG 1.1 */
        buf_add_text(path->b, "M0 0");
    buf_add_text(path->b, "\"/>\n");
}

double svg_step(double span, unsigned count) {
    must(count > 0);
    if (!(span > 0))
        return 1;
    double raw = span / count;
    double power = pow(10, floor(log10(raw)));
    double lead = raw / power;
    double step = lead <= 1.0001 ? 1 : lead <= 2.0001 ? 2 : lead <= 5.0001 ? 5 : 10;
    return step * power;
}

double svg_step_time(double span_s, unsigned count) {
    static const double steps[] = {1,   2,   5,    10,   15,   30,    60,    120,   300,
                                   600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (span_s / steps[i] <= count)
            return steps[i];
    return 86400.0 * ceil(span_s / 86400.0 / count);
}
