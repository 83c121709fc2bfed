/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "records/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { IPV4_BYTES = 4, BUCKETS = 1024 };

struct known {
	struct known *next;
	unsigned char address[LAYOUT_ADDRESS_BYTES];
	char name[];
};

struct address_names {
	struct known *bucket[BUCKETS];
	int count;
	char answer[ADDRESS_NAME_BYTES];
};

static bool is_zero(const unsigned char *bytes, int count)
{
	for (int i = 0; i < count; i++)
		if (bytes[i])
			return false;
	return true;
}

static bool is_ipv4(const unsigned char address[LAYOUT_ADDRESS_BYTES])
{
	return is_zero(address + IPV4_BYTES, LAYOUT_ADDRESS_BYTES - IPV4_BYTES);
}

bool address_is_none(const unsigned char address[LAYOUT_ADDRESS_BYTES])
{
	return is_zero(address, LAYOUT_ADDRESS_BYTES);
}

void address_write(const unsigned char address[LAYOUT_ADDRESS_BYTES], char out[ADDRESS_TEXT_BYTES])
{
	if (!inet_ntop(is_ipv4(address) ? AF_INET : AF_INET6, address, out, ADDRESS_TEXT_BYTES))
		out[0] = '\0';          /* cannot be: there is room for any */
}

bool address_parse(const char *text, unsigned char out[LAYOUT_ADDRESS_BYTES])
{
	unsigned char address[LAYOUT_ADDRESS_BYTES] = { 0 };

	if (inet_pton(AF_INET, text, address) != 1 && inet_pton(AF_INET6, text, address) != 1)
		return false;
	memcpy(out, address, LAYOUT_ADDRESS_BYTES);
	return true;
}

struct address_names *address_names_new(void)
{
	return calloc(1, sizeof(struct address_names));
}

static void forget_all(struct address_names *names)
{
	for (int i = 0; i < BUCKETS; i++) {
		while (names->bucket[i]) {
			struct known *known = names->bucket[i];

			names->bucket[i] = known->next;
			free(known);
		}
	}
	names->count = 0;
}

void address_names_free(struct address_names *names)
{
	forget_all(names);
	free(names);
}

static void ask(const unsigned char address[LAYOUT_ADDRESS_BYTES], char out[ADDRESS_NAME_BYTES])
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	int failed;

	memcpy(&v4.sin_addr, address, sizeof v4.sin_addr);
	memcpy(&v6.sin6_addr, address, sizeof v6.sin6_addr);
	if (is_ipv4(address))
		failed = getnameinfo((struct sockaddr *)&v4, sizeof v4, out, ADDRESS_NAME_BYTES, NULL, 0, NI_NAMEREQD);
	else
		failed = getnameinfo((struct sockaddr *)&v6, sizeof v6, out, ADDRESS_NAME_BYTES, NULL, 0, NI_NAMEREQD);
	if (failed)
		address_write(address, out);
}

static void remember(struct address_names *names, struct known **bucket,
	const unsigned char address[LAYOUT_ADDRESS_BYTES], const char *name)
{
	size_t len = strlen(name);
	struct known *known = malloc(sizeof *known + len + 1);

	if (!known)
		return;                 /* it will be asked for again */
	memcpy(known->address, address, sizeof known->address);
	memcpy(known->name, name, len + 1);
	known->next = *bucket;
	*bucket = known;
	names->count++;
}

const char *address_name(struct address_names *names, const unsigned char address[LAYOUT_ADDRESS_BYTES])
{
	struct known **bucket = &names->bucket[num_hash(address, LAYOUT_ADDRESS_BYTES) % BUCKETS];

	for (const struct known *known = *bucket; known; known = known->next)
		if (!memcmp(known->address, address, LAYOUT_ADDRESS_BYTES))
			return known->name;
	ask(address, names->answer);
	if (names->count >= ADDRESS_NAMES_MAX)
		forget_all(names);
	remember(names, bucket, address, names->answer);
	return names->answer;
}
