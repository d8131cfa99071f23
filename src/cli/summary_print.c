#include "cli/summary_print.h"

#include <unistd.h>

#include "cli/screen.h"
#include "report/summary.h"

#define OUT_BYTES_MAX (8 * MIB)

void summary_print(const struct args *args, struct str text) {
    enum screen_colour colour = SCREEN_COLOUR_AUTO;
    const char *word = args_text(args, "color");
    if (word)
        ignore(!screen_colour_parse(word, &colour)); /* checked by args_parse */
    if (args_flag(args, "no-color"))
        colour = SCREEN_COLOUR_NEVER;
    struct summary_style style = {.colour = screen_wants_colour(colour, STDOUT_FILENO),
                                  .ascii = args_flag(args, "ascii") ||
                                           (isatty(STDOUT_FILENO) && screen_needs_ascii())};
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(OUT_BYTES_MAX);
    summary_add_styled(&out, text, &style);
    cli_print(buf_str(&out));
}
