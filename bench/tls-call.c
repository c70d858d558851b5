// SPDX-License-Identifier: Apache-2.0
/*
 * A TLS client and server in one thread, over memory. For each line `KIND COUNT` on standard input (0: a GET of 1 KiB, 1: a POST
 * of 160 bytes, 2: an HTTP/2 HEADERS frame): so many times that is written by the one and read by the other; prints the nanoseconds of processor time this took. Needs no headers of OpenSSL, whose ABI these few are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FILETYPE_PEM 1

void *TLS_method(void), *SSL_CTX_new(void *method), *SSL_new(void *context);
int SSL_CTX_use_certificate_file(void *context, const char *file, int type);
int SSL_CTX_use_PrivateKey_file(void *context, const char *file, int type);
int BIO_new_bio_pair(void **one, size_t one_bytes, void **other, size_t other_bytes);
void SSL_set_bio(void *ssl, void *in, void *out), SSL_set_connect_state(void *ssl), SSL_set_accept_state(void *ssl);
int SSL_do_handshake(void *ssl), SSL_write(void *ssl, const void *data, int bytes), SSL_read(void *ssl, void *data, int bytes);

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return time.tv_sec * 1000000000ll + time.tv_nsec;
}

int main(int count, char **arguments)
{
	void *context = SSL_CTX_new(TLS_method()), *client, *server, *one, *other;
	static char get[1024] = "GET /v1/other HTTP/1.1\r\n", answer[1024];
	static char post[160] = "POST /a/path/that/is/of/no/concern/to/anyone/but/has/the/usual/length/of/one HTTP/1.1\r\nHost: example.org\r\n";
	/* :method POST, :scheme https, :authority and :path as they are, content-type. */
	static char headers[] = "\0\0\67\1\4\0\0\0\1\203\207\101\13" "example.org" "\104\24" "/a/path/of/no/harm/x" "\137\20" "application/json";
	const struct {
		const char *data;
		int bytes;
	} kinds[] = { { get, sizeof(get) }, { post, sizeof(post) }, { headers, sizeof(headers) - 1 } };
	unsigned kind;
	long rounds;

	if (count != 3 || SSL_CTX_use_certificate_file(context, arguments[1], FILETYPE_PEM) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, arguments[2], FILETYPE_PEM) != 1)
		return 2;
	client = SSL_new(context);
	server = SSL_new(context);
	BIO_new_bio_pair(&one, 1 << 17, &other, 1 << 17);
	SSL_set_bio(client, one, one);
	SSL_set_bio(server, other, other);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	for (int i = 0; i < 10; i++) {
		SSL_do_handshake(client);
		SSL_do_handshake(server);
	}
	while (scanf("%u %ld", &kind, &rounds) == 2 && kind < sizeof(kinds) / sizeof(*kinds)) {
		const char *data = kinds[kind].data;
		int bytes = kinds[kind].bytes;
		long long start = now();

		for (long i = 0; i < rounds; i++)
			if (SSL_write(client, data, bytes) != bytes || SSL_read(server, answer, bytes) != bytes)
				return 1;
		printf("%lld\n", now() - start);
		fflush(stdout);
	}
	return 0;
}
