/* summary_print.h - a run's summary.txt on stdout, in the form that stdout and the options want. */
#ifndef SUMMARY_PRINT_H
#define SUMMARY_PRINT_H

#include "cli/cmd.h"

/* Coloured on a terminal, ASCII when asked for or when the locale is not UTF-8; otherwise the text
 * as it is. */
void summary_print(const struct args *args, struct str text);

#endif
