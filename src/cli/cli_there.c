#include "cli_there.h"

#include <stdio.h>
#include <strings.h>

#include "cli_complain.h"

int cli_there_read(struct cli_there *there, const struct cli_options *options, struct err *err)
{
	struct conf_errors errors;
	int code = cli_place_find(&there->place, options->config, err);

	if (code < 0) {
		return code;
	}
	code = conf_load_sections(&there->conf, there->place.path, &errors, err);
	for (size_t i = 0; code < 0 && i < errors.count; i++) {
		cli_complain(options, ERR_CONFIG, errors.items[i].text);
		there->is_said = true;
	}
	conf_errors_finish(&errors);
	return code;
}

void cli_there_finish(struct cli_there *there)
{
	cli_place_finish(&there->place);
	conf_destroy(&there->conf);
}

bool cli_there_has(const struct cli_there *there, const char *name)
{
	for (size_t i = 0; i < there->conf->count; i++) {
		if (strcasecmp(there->conf->accounts[i].name, name) == 0) {
			return true;
		}
	}
	return false;
}

const struct conf_account *cli_there_twin(const struct cli_there *there, const char *host,
					  const char *user)
{
	for (size_t i = 0; host && user && i < there->conf->count; i++) {
		const struct conf_account *other = &there->conf->accounts[i];
		if (other->host && other->user && strcasecmp(other->host, host) == 0 &&
		    strcasecmp(other->user, user) == 0) {
			return other;
		}
	}
	return NULL;
}

int cli_there_refuse(const struct cli_there *there, const struct conf_account *twin,
		     struct err *err)
{
	return err_set(err, ERR_CONFIG, SCOPE_RUN,
		       "account %s in %s is for %s at %s already; nothing was written", twin->name,
		       there->place.path, twin->user, twin->host);
}

void cli_there_say(const struct conf_account *twin)
{
	fprintf(stderr, "mailsync: account %s is for %s at %s already\n", twin->name, twin->user,
		twin->host);
}
