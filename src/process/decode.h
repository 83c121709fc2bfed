/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decode.h - fields of fstab(5) and /proc/mounts as the text they stand for. Nothing here can block or allocate. */
#ifndef PROCESS_DECODE_H
#define PROCESS_DECODE_H

/* In place, once from left to right: two backslashes are one; a backslash and 011, 012, 040, 043 or 134 is that character.
 * Any other backslash stays. */
void decode_field(char *text);

#endif
