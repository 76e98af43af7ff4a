/*
 * libcurl compares by itself what it was told of TLS. It knows neither of authorities that were
 * read before (base/trust.h) nor, in all its versions, of the key to a certificate: so each kind of
 * connection has a share of its own, which none of another kind gets to see.
 */
#include "tls_cache_private.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/buf.h"

#define KIND_MAX 65536

struct tls_sessions {
	struct tls_sessions *next;
	char *kind;
	CURLSH *share;
	bool are_any; /* guarded by the cache's mutex */
	struct tls_cache *cache;
	pthread_mutex_t mutexes[CURL_LOCK_DATA_LAST];
};

struct tls_cache {
	pthread_mutex_t mutex; /* guards the list */
	struct tls_sessions *first;
};

int tls_cache_create(struct tls_cache **cache, struct err *err)
{
	struct tls_cache *created = calloc(1, sizeof(*created));

	if (created == NULL) {
		return err_nomem(err);
	}
	pthread_mutex_init(&created->mutex, NULL);
	*cache = created;
	return 0;
}

static void sessions_destroy(struct tls_sessions *sessions)
{
	/* The last one locks. */
	(void)curl_share_cleanup(sessions->share);
	for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++) {
		pthread_mutex_destroy(&sessions->mutexes[i]);
	}
	free(sessions->kind);
	free(sessions);
}

void tls_cache_destroy(struct tls_cache **cache)
{
	if (*cache == NULL) {
		return;
	}
	for (struct tls_sessions *next, *it = (*cache)->first; it != NULL; it = next) {
		next = it->next;
		sessions_destroy(it);
	}
	pthread_mutex_destroy(&(*cache)->mutex);
	free(*cache);
	*cache = NULL;
}

static void lock(CURL *easy, curl_lock_data data, curl_lock_access access, void *context)
{
	struct tls_sessions *sessions = context;

	(void)easy;
	(void)access;
	pthread_mutex_lock(&sessions->mutexes[data]);
}

static void unlock(CURL *easy, curl_lock_data data, void *context)
{
	struct tls_sessions *sessions = context;

	(void)easy;
	pthread_mutex_unlock(&sessions->mutexes[data]);
}

static bool share_prepare(struct tls_sessions *sessions)
{
	CURLSH *share = sessions->share = curl_share_init();

	return share != NULL &&
	       curl_share_setopt(share, CURLSHOPT_USERDATA, sessions) == CURLSHE_OK &&
	       curl_share_setopt(share, CURLSHOPT_LOCKFUNC, lock) == CURLSHE_OK &&
	       curl_share_setopt(share, CURLSHOPT_UNLOCKFUNC, unlock) == CURLSHE_OK &&
	       curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK;
}

/* Owns KIND, whatever comes of it. */
static struct tls_sessions *sessions_create(struct tls_cache *cache, char *kind)
{
	struct tls_sessions *created = calloc(1, sizeof(*created));

	if (created == NULL) {
		free(kind);
		return NULL;
	}
	created->kind = kind;
	created->cache = cache;
	for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++) {
		pthread_mutex_init(&created->mutexes[i], NULL);
	}
	if (!share_prepare(created)) {
		sessions_destroy(created);
		return NULL;
	}
	return created;
}

/* With its length, so that no text can be taken for two. */
static void add_text(struct buf *kind, const char *text)
{
	if (text == NULL) {
		buf_append_cstr(kind, "-,");
	} else {
		buf_printf(kind, "%zu:%s,", strlen(text), text);
	}
}

/* All that TLS goes by; NULL: there is no memory. */
static char *kind_of(const struct conn_params *params, bool uses_bundle)
{
	struct buf kind;
	char *copy = NULL;

	buf_init(&kind, KIND_MAX);
	buf_printf(&kind, "%d,%d,%d,%d,%u,%p,", (int)params->protocol, (int)params->tls,
		   params->tls_min, uses_bundle, params->port, (const void *)params->trust);
	add_text(&kind, params->host);
	add_text(&kind, params->proxy);
	add_text(&kind, params->ca_file);
	add_text(&kind, params->cert_file);
	add_text(&kind, params->key_file);
	add_text(&kind, params->pin_sha256);
	if (kind.failed == 0) {
		copy = span_dup(buf_span(&kind));
	}
	buf_finish_secret(&kind); /* a proxy may have a password */
	return copy;
}

static struct tls_sessions *find(struct tls_cache *cache, const char *kind)
{
	struct tls_sessions *it = cache->first;

	while (it != NULL && strcmp(it->kind, kind) != 0) {
		it = it->next;
	}
	return it;
}

struct tls_sessions *tls_cache_get(struct tls_cache *cache, const struct conn_params *params,
				   bool uses_bundle)
{
	char *kind =
		cache == NULL || params->tls == CONN_TLS_NONE ? NULL : kind_of(params, uses_bundle);

	if (kind == NULL) {
		return NULL;
	}
	pthread_mutex_lock(&cache->mutex);
	struct tls_sessions *sessions = find(cache, kind);
	if (sessions != NULL) {
		free(kind);
	} else if ((sessions = sessions_create(cache, kind)) != NULL) {
		sessions->next = cache->first;
		cache->first = sessions;
	}
	pthread_mutex_unlock(&cache->mutex);
	return sessions;
}

CURLcode tls_sessions_use(struct tls_sessions *sessions, CURL *easy)
{
	CURLcode code = curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 1L);

	return code != CURLE_OK ? code : curl_easy_setopt(easy, CURLOPT_SHARE, sessions->share);
}

void tls_sessions_note(struct tls_sessions *sessions)
{
	pthread_mutex_lock(&sessions->cache->mutex);
	sessions->are_any = true;
	pthread_mutex_unlock(&sessions->cache->mutex);
}

bool tls_sessions_are_any(struct tls_sessions *sessions)
{
	pthread_mutex_lock(&sessions->cache->mutex);
	bool are_any = sessions->are_any;
	pthread_mutex_unlock(&sessions->cache->mutex);
	return are_any;
}
