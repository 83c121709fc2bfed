/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "power/nics.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/io.h"
#include "lib/systool.h"
#include "lib/tool.h"
#include "power/bounded.h"

enum { LIMIT_MS = 10000, TABLE_BYTES = 65536 };

static bool is_network_device(const char *device)
{
	static const char *const heads[] = { "/dev/nbd", "/dev/rbd", "/dev/drbd", "/dev/etherd/" };

	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
		if (!strncmp(device, heads[i], strlen(heads[i])))
			return true;
	return false;
}

static bool is_network_kind(const char *kind)
{
	static const char *const kinds[] = { "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "afs", "coda", "ncpfs",
		"lustre", "ocfs2", "gfs2", "glusterfs", "fuse.glusterfs", "fuse.sshfs", "virtiofs" };

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (!strcmp(kind, kinds[i]))
			return true;
	return false;
}

/* Lines "DEVICE PLACE KIND ...": mounts, of which the last one at a place counts. */
static bool root_is_remote(char *table)
{
	bool remote = false;
	char *line, *rest = table;

	while ((line = strsep(&rest, "\n"))) {
		char *device = strsep(&line, " "), *place = strsep(&line, " "), *kind = strsep(&line, " ");

		if (device && place && kind && !strcmp(place, "/"))
			remote = is_network_device(device) || is_network_kind(kind);
	}
	return remote;
}

static bool swap_is_remote(char *table)
{
	char *line, *rest = table;

	while ((line = strsep(&rest, "\n")))
		if (is_network_device(line))
			return true;
	return false;
}

bool nics_carry_root(void)
{
	char table[TABLE_BYTES];

	if (io_read_file("/proc/mounts", table, sizeof table) > 0 && root_is_remote(table))
		return true;
	return io_read_file("/proc/swaps", table, sizeof table) > 0 && swap_is_remote(table);
}

static int take_down(int fd, const char *interface)
{
	struct ifreq io = { .ifr_flags = 0 };
	int err;

	(void)snprintf(io.ifr_name, sizeof io.ifr_name, "%s", interface);
	err = sys_if_get_flags(fd, &io);
	if (err)
		return err;
	if ((io.ifr_flags & IFF_LOOPBACK) || !(io.ifr_flags & IFF_UP))
		return 0;
	io.ifr_flags = (short)(io.ifr_flags & ~IFF_UP);
	return sys_if_set_flags(fd, &io);
}

/* In a child. */
static int take_all_down(const void *arg)
{
	const char *name = arg;
	int err, status = 0, fd = sys_socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct if_nameindex *all = if_nameindex();

	if (fd < 0)                     /* a kernel without IPv4 has interfaces all the same */
		fd = sys_socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || !all) {
		tool_complain(name, "network interfaces", fd < 0 ? fd : -ENOBUFS);
		return 1;
	}
	for (struct if_nameindex *one = all; one->if_index; one++) {
		err = take_down(fd, one->if_name);
		if (err) {
			tool_complain(name, one->if_name, err);
			status = 1;
		}
	}
	if_freenameindex(all);
	sys_close(fd);
	return status;
}

void nics_down(const char *name)
{
	if (nics_carry_root()) {
		fprintf(stderr, "%s: the root file system or swap needs the network: interfaces stay up\n", name);
		return;
	}
	/* What comes after this must not need a page from a disk that has gone with the network. */
	(void)sys_lock_memory(MCL_CURRENT | MCL_FUTURE);
	if (bounded_run(take_all_down, name, LIMIT_MS) == -ETIMEDOUT)
		fprintf(stderr, "%s: taking network interfaces down takes too long, going on\n", name);
}
