/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "power/disks.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/io.h"
#include "lib/systool.h"
#include "power/bounded.h"

#define BLOCK_DIR "/sys/block"
#define SCSI_DIR "/sys/class/scsi_disk"

enum { DISKS_MAX = 256, NAME_MAX_BYTES = 64 };

/* ATA commands, and the sectors (2^28) up to which the short ones reach. */
enum { ATA_STANDBY_OLD = 0x94, ATA_STANDBY = 0xe0, ATA_FLUSH = 0xe7, ATA_FLUSH_EXT = 0xea, ATA_IDENTIFY = 0xec };
static const uint64_t short_sectors = (uint64_t)1 << 28;

struct disk {
	char name[NAME_MAX_BYTES];
	bool standby;
	pid_t pid;
};

/* The first line of a file below /sys, without the blanks at its end. False: there is none. */
static bool attribute(char *text, size_t size_bytes, const char *dir, const char *name, const char *file)
{
	char path[PATH_MAX];
	size_t len;

	if (snprintf(path, sizeof path, "%s/%s/%s", dir, name, file) >= (int)sizeof path)
		return false;
	if (io_read_file(path, text, size_bytes) < 0)
		return false;
	len = strcspn(text, "\n");
	while (len && text[len - 1] == ' ')
		len--;
	text[len] = '\0';
	return true;
}

/* The SCSI address, "0:0:0:0": the last part of where the link `device` leads. */
static bool scsi_address(const char *name, char *text, size_t size_bytes)
{
	char path[PATH_MAX], target[PATH_MAX], *slash;
	ssize_t len;

	if (snprintf(path, sizeof path, "%s/%s/device", BLOCK_DIR, name) >= (int)sizeof path)
		return false;
	len = sys_readlink(path, target, sizeof target - 1);
	if (len <= 0)
		return false;
	target[len] = '\0';
	slash = strrchr(target, '/');
	return snprintf(text, size_bytes, "%s", slash ? slash + 1 : target) < (int)size_bytes;
}

/* From Linux 6.7 on there are three switches; the old name is then the sum of all and says too little. */
static bool kernel_stops_it(const char *address)
{
	char text[16];

	if (attribute(text, sizeof text, SCSI_DIR, address, "manage_shutdown"))
		return text[0] != '0';
	return attribute(text, sizeof text, SCSI_DIR, address, "manage_start_stop") && text[0] != '0';
}

bool disks_is_ours(const char *name)
{
	char removable[16], address[NAME_MAX_BYTES], vendor[64];
	bool is_fixed;

	if (!attribute(removable, sizeof removable, BLOCK_DIR, name, "removable"))
		return false;
	is_fixed = !strcmp(removable, "0");
	if (!strncmp(name, "hd", 2))
		return is_fixed;
	if (strncmp(name, "sd", 2) || !scsi_address(name, address, sizeof address) || kernel_stops_it(address))
		return false;
	if (!attribute(vendor, sizeof vendor, BLOCK_DIR, name, "device/vendor"))
		return false;
	return !strcmp(vendor, "ATA") == is_fixed;
}

static bool is_large(const char *name)
{
	char text[32];
	int64_t sectors;

	return attribute(text, sizeof text, BLOCK_DIR, name, "size") && !num_parse(text, 0, INT64_MAX, &sectors) &&
		(uint64_t)sectors >= short_sectors;
}

static bool command(int fd, unsigned char code)
{
	unsigned char block[4] = { code };

	return !sys_disk_command(fd, block);
}

/* Word 83 of what a disk tells of itself: bits 15 and 14 are 01 when the word means something, bit 13 is the command. */
static bool has_flush_ext(int fd)
{
	unsigned char block[4 + 512] = { ATA_IDENTIFY, 0, 0, 1 };

	return !sys_disk_command(fd, block) && (block[4 + 2 * 83 + 1] & 0xe0) == 0x60;
}

static void flush(int fd, const char *name)
{
	if (is_large(name) && has_flush_ext(fd) && command(fd, ATA_FLUSH_EXT))
		return;
	if (!command(fd, ATA_FLUSH))
		(void)sys_disk_flush(fd);       /* the last resort; nobody could do more about its failure */
}

/* In a child. */
static int settle(const void *arg)
{
	const struct disk *disk = arg;
	char path[NAME_MAX_BYTES + 8];
	int fd;

	if (!disks_is_ours(disk->name))
		return 0;
	(void)snprintf(path, sizeof path, "/dev/%s", disk->name);
	fd = sys_open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);
	if (fd < 0)
		return 1;
	flush(fd, disk->name);
	if (disk->standby && !command(fd, ATA_STANDBY))
		(void)!command(fd, ATA_STANDBY_OLD);
	sys_close(fd);
	return 0;
}

/* linux_dirent64, which no header of libc declares. */
struct entry {
	uint64_t inode, offset;
	uint16_t len_bytes;
	uint8_t type;
	char name[];
};

static int add(struct disk *disks, int count, const char *name, bool standby)
{
	struct disk *disk = &disks[count];

	if (count == DISKS_MAX || (strncmp(name, "sd", 2) && strncmp(name, "hd", 2)))
		return count;
	if (snprintf(disk->name, sizeof disk->name, "%s", name) >= (int)sizeof disk->name)
		return count;
	disk->standby = standby;
	return bounded_start(settle, disk, &disk->pid) ? count : count + 1;
}

static int start_all(struct disk *disks, bool standby)
{
	union {
		char bytes[8192];
		uint64_t align;
	} buf;
	int count = 0, fd = sys_open(BLOCK_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	ssize_t got;

	if (fd < 0)
		return 0;
	while ((got = sys_getdents(fd, buf.bytes, sizeof buf)) > 0) {
		for (ssize_t at = 0; at < got;) {
			const struct entry *entry = (const void *)(buf.bytes + at);

			count = add(disks, count, entry->name, standby);
			at += entry->len_bytes;
		}
	}
	sys_close(fd);
	return count;
}

int disks_settle(const char *name, bool standby)
{
	struct mono deadline = mono_after_ms(mono_now(), DISKS_LIMIT_MS);
	struct disk disks[DISKS_MAX];
	int late = 0, count = start_all(disks, standby);

	for (int i = 0; i < count; i++) {
		if (bounded_wait(disks[i].pid, deadline) != -ETIMEDOUT)
			continue;
		fprintf(stderr, "%s: /dev/%s: does not answer, going on without it\n", name, disks[i].name);
		late++;
	}
	return late;
}
