/* svg.h - the few shapes that the report's charts are made of.
 *
 * Every shape carries presentation attributes (colours that hold on white and on black paper) and a
 * class, so that a style sheet may refine it but is not needed.  Coordinates are written with one
 * decimal.  All text is escaped.
 *
 * Pure.   Tests: test/unit/test_report_parts.c
 */
#ifndef SVG_H
#define SVG_H

#include "base/base.h"
#include "base/buf.h"

/* From data to pixels; `size` is negative for a y axis that grows upwards. */
struct svg_scale {
    double from, to; /* data; both > 0 and from < to when logarithmic */
    double at, size; /* pixels */
    bool log;
};

/* Position of a value, kept inside the scale. */
double svg_at(const struct svg_scale *scale, double value);

/* How a shape is drawn. */
struct svg_ink {
    const char *class_name;
    const char *colour; /* "#0072b2" */
    const char *dash;   /* "5 4", or NULL */
    double width;       /* of a line; 0: filled, no line */
    double opacity;     /* 1: solid */
};

enum svg_anchor { SVG_START, SVG_MIDDLE, SVG_END };

/* `id` must be unique in the page; title and description are read aloud by screen readers. */
void svg_begin(struct buf *b, const char *id, double width, double height, const char *title,
               const char *description);
void svg_end(struct buf *b);
void svg_line(struct buf *b, double x1, double y1, double x2, double y2, const struct svg_ink *ink);
void svg_rect(struct buf *b, double x, double y, double width, double height,
              const struct svg_ink *ink);
void svg_text(struct buf *b, double x, double y, enum svg_anchor anchor, const char *class_name,
              const char *text);
/* A rectangle without colour whose title shows when the pointer is on it. */
void svg_hover(struct buf *b, double x, double y, double width, double height, const char *text);

/* A line or an area, point by point. */
struct svg_path {
    struct buf *b;
    bool open; /* the next point continues a line */
    unsigned points;
};
void svg_path_begin(struct svg_path *path, struct buf *b, const struct svg_ink *ink);
void svg_path_point(struct svg_path *path, double x, double y);
void svg_path_break(struct svg_path *path); /* the next point starts anew */
void svg_path_close(struct svg_path *path); /* back to the start of this piece */
void svg_path_end(struct svg_path *path);

/* A round step (1, 2 or 5 times a power of ten) that cuts `span` into at most `count` parts. */
double svg_step(double span, unsigned count);
/* The same for seconds: 1, 2, 5, 10, 15, 30, 60, 120, 300, ... */
double svg_step_time(double span_s, unsigned count);

#endif
