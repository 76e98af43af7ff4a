/* A browser for somebody who sits here. */
#ifndef MAILSYNC_CLI_BROWSER_H
#define MAILSYNC_CLI_BROWSER_H

enum cli_browser {
	CLI_BROWSER_NONE, /* no display */
	CLI_BROWSER_SSH,  /* whoever is there sits at another machine */
	CLI_BROWSER_HERE
};

enum cli_browser cli_browser_kind(void);
/* Opens URL, which has no quotes in it (base/url.h), with $BROWSER, else xdg-open. Whether that
 * works nobody can tell. */
void cli_browser_open(const char *url);

#endif
