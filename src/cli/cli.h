/* The program, but for main(). */
#ifndef MAILSYNC_CLI_CLI_H
#define MAILSYNC_CLI_CLI_H

/* Everything from the command line to the exit status. */
int cli_main(int argc, char **argv);

#endif
