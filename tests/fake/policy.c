/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sepol/cil/cil.h>
#include <sepol/policydb.h>

#include <cmocka.h>

static const char source[] =
	"(class process (transition dyntransition)) (class file (read write entrypoint)) (classorder (process file))\n"
	"(sid kernel) (sid security) (sid unlabeled) (sidorder (kernel security unlabeled))\n"
	"(sensitivity s0) (sensitivityorder (s0)) (category c0) (category c1) (categoryorder (c0 c1))\n"
	"(sensitivitycategory s0 (c0 c1))\n"
	"(user system_u) (role system_r) (role object_r) (type kernel_t) (type init_t) (type file_t)\n"
	"(roletype system_r kernel_t) (roletype system_r init_t) (roletype object_r file_t)\n"
	"(userrole system_u system_r) (userrole system_u object_r)\n"
	"(userlevel system_u (s0)) (userrange system_u ((s0) (s0 (c0 c1))))\n"
	"(boolean may_write true) (booleanif may_write (true (allow init_t file_t (file (write)))))\n"
	"(typeattribute domain) (typeattributeset domain (kernel_t init_t)) (allow domain file_t (file (read)))\n"
	"(typetransition kernel_t file_t process init_t) (allow kernel_t init_t (process (transition)))\n"
	"(constrain (file (write)) (eq u1 u2))\n"
	"(sidcontext kernel (system_u system_r kernel_t ((s0) (s0))))\n"
	"(sidcontext security (system_u object_r file_t ((s0) (s0))))\n"
	"(sidcontext unlabeled (system_u object_r file_t ((s0) (s0))))\n"
	"(fsuse xattr ext4 (system_u object_r file_t ((s0) (s0))))\n"
	"(genfscon proc / (system_u object_r file_t ((s0) (s0))))\n"
	"(portcon tcp 80 (system_u object_r file_t ((s0) (s0))))\n";

unsigned char *fake_policy(bool has_mls, int version, size_t *size_bytes)
{
	sepol_policydb_t *policy = NULL;
	cil_db_t *db = NULL;
	void *image = NULL;

	cil_set_log_level(CIL_ERR);
	cil_db_init(&db);
	cil_set_mls(db, has_mls);
	cil_set_policy_version(db, version);
	assert_int_equal(cil_add_file(db, "test", source, sizeof source - 1), 0);
	assert_int_equal(cil_compile(db), 0);
	assert_int_equal(cil_build_policydb(db, &policy), 0);
	assert_int_equal(sepol_policydb_to_image(NULL, policy, &image, size_bytes), 0);
	sepol_policydb_free(policy);
	cil_db_destroy(&db);
	return image;
}
