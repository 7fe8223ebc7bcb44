/* Who runs a container, by what /proc says: arguments of parents, cgroups of every driver, mounts, daemons' sockets; and local addresses. */
#include "core/source/origin.h"

#include "core/fd.h"
#include "core/source/local_addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define POD "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define TEXT(s) ((struct text){ .p = (s), .n = sizeof(s) - 1 })

static void test_comm(void **state)
{
	static const struct {
		const char *comm;
		enum origin_parent kind;
	} rows[] = {
		{ "conmon", ORIGIN_CONMON }, { "containerd-shim", ORIGIN_SHIM }, { "lxc-start", ORIGIN_LXC }, { "systemd-nspawn", ORIGIN_NSPAWN },
		{ "dockerd", ORIGIN_DAEMON }, { "incusd", ORIGIN_LXC }, { "bash", ORIGIN_NOBODY }, { "", ORIGIN_NOBODY }, { "conmonx", ORIGIN_NOBODY },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(origin_parent_of(text_of(rows[i].comm)), rows[i].kind);
}

static void test_parents(void **state)
{
	static const struct {
		enum origin_parent kind;
		struct text cmdline;
		const char *runtime, *id, *name, *space; /* runtime NULL: nothing */
	} rows[] = {
		{ ORIGIN_CONMON, TEXT("/usr/bin/conmon\0--api-version\0" "1\0-c\0" ID "\0-u\0" ID "\0-n\0web\0--exit-dir\0/run/libpod/exits\0"), "podman", ID,
			"web", "" },
		{ ORIGIN_CONMON, TEXT("/usr/bin/conmon\0-c\0" ID "\0-n\0web\0-e\0--exec-attach\0"), NULL, NULL, NULL, NULL },
		{ ORIGIN_CONMON, TEXT("conmon\0-c\0short\0-n\0web\0"), NULL, NULL, NULL, NULL },
		{ ORIGIN_CONMON, TEXT("conmon\0-c\0" ID "\0--exit-dir\0/var/run/crio/exits\0-n\0k8s_app_web-1_shop_uid_0\0"), "cri", ID, "app", "shop" },
		{ ORIGIN_SHIM, TEXT("/usr/bin/containerd-shim-runc-v2\0-namespace\0moby\0-id\0" ID "\0-address\0/run/containerd/containerd.sock\0"),
			"docker", ID, "", "moby" },
		{ ORIGIN_SHIM, TEXT("containerd-shim-runc-v2\0-namespace\0k8s.io\0-id\0" POD "\0-address\0/run/c.sock\0"), "cri", POD, "", "k8s.io" },
		{ ORIGIN_SHIM, TEXT("containerd-shim-runc-v2\0-namespace\0test\0-id\0b1\0-address\0/run/c.sock\0"), "containerd", "b1", "", "test" },
		{ ORIGIN_SHIM, TEXT("containerd-shim\0-namespace\0moby\0-workdir\0/var/lib/c/moby/" ID "\0-address\0/run/c.sock\0"), "docker", ID, "", "moby" },
		{ ORIGIN_SHIM, TEXT("containerd-shim-runc-v2\0-v\0"), NULL, NULL, NULL, NULL },
		{ ORIGIN_LXC, TEXT("[lxc monitor] /var/lib/lxc web\0\0\0"), "lxc", "web", "web", "" },
		{ ORIGIN_LXC, TEXT("lxc-start\0-n\0web\0"), NULL, NULL, NULL, NULL },
		{ ORIGIN_NSPAWN, TEXT("systemd-nspawn\0-q\0--machine=web\0-D\0/srv/x\0"), "nspawn", "web", "web", "" },
		{ ORIGIN_NSPAWN, TEXT("systemd-nspawn\0-D\0/srv/web/\0"), "nspawn", "web", "web", "" },
		{ ORIGIN_NOBODY, TEXT("bash\0"), NULL, NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct origin o = { 0 };
		bool found = origin_from_parent(rows[i].kind, rows[i].cmdline, &o);

		if (found != (rows[i].runtime != NULL))
			fail_msg("row %zu: %d", i, found);
		if (!found)
			continue;
		assert_string_equal(o.runtime, rows[i].runtime);
		assert_string_equal(o.id, rows[i].id);
		assert_string_equal(o.name, rows[i].name);
		assert_string_equal(o.space, rows[i].space);
	}
}

static void test_cgroups(void **state)
{
	static const struct {
		const char *bytes, *runtime, *id; /* runtime NULL: nothing */
	} rows[] = {
		{ "12:pids:/docker/" ID "\n0::/\n", "docker", ID },
		{ "0::/system.slice/docker-" ID ".scope\n", "docker", ID },
		{ "0::/x/" ID "\n", "", ID },
		{ "1:cpu:/caller\n0::/libpod_parent/" POD "/libpod-" ID "\n", "podman", ID },
		{ "0::/machine.slice/libpod-" ID ".scope/container\n", "podman", ID },
		{ "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope\n", "podman", ID },
		{ "0::/kubepods/besteffort/pod1234/" ID "\n", "cri", ID },
		{ "0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1.slice/cri-containerd-" ID ".scope\n", "cri", ID },
		{ "0::/kubepods.slice/pod1.slice/crio-" ID ".scope\n", "cri", ID },
		{ "0::/system.slice/nerdctl-" ID ".scope\n", "containerd", ID },
		{ "0::/lxc.payload.web\n", "lxc", "web" },
		{ "0::/lxc/web\n", "lxc", "web" },
		{ "0::/machine.slice/machine-web.scope\n", "nspawn", "web" },
		{ "0::/machine.slice/systemd-nspawn@web.service/payload\n", "nspawn", "web" },
		{ "0::/0123456789abcdef0123456789abcdef\n", NULL, NULL }, /* 32 digits: not a container's */
		{ "0::/user.slice\n", NULL, NULL },
		{ "", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct origin o = { 0 };
		bool found = origin_from_cgroup(text_of(rows[i].bytes), &o);

		if (found != (rows[i].runtime != NULL))
			fail_msg("%s: %d", rows[i].bytes, found);
		if (!found)
			continue;
		assert_string_equal(o.runtime, rows[i].runtime);
		assert_string_equal(o.id, rows[i].id);
	}
}

static void test_mounts(void **state)
{
	static const char docker[] = "20 1 0:20 / /proc rw - proc proc rw\n36 35 8:1 /var/lib/docker/containers/" ID "/hosts /etc/hosts rw - ext4 /dev/sda rw\n";
	static const char podman[] = "36 35 8:1 /run/containers/storage/overlay-containers/" ID "/userdata/hosts /etc/hosts rw - tmpfs tmpfs rw\n";
	static const char other[] = "36 35 8:1 /var/lib/docker/containers/" ID "/hosts /srv/hosts rw - ext4 /dev/sda rw\n";
	struct origin o = { 0 };

	(void)state;
	assert_true(origin_from_mounts(text_of(docker), &o));
	assert_string_equal(o.runtime, "docker");
	assert_string_equal(o.id, ID);
	assert_true(origin_from_mounts(text_of(podman), &o));
	assert_string_equal(o.runtime, "podman");
	assert_false(origin_from_mounts(text_of(other), &o));
}

static void test_endpoints(void **state)
{
	static const struct {
		struct text cmdline;
		const char *kind, *endpoint; /* kind NULL: nothing */
		uint64_t uid;
	} rows[] = {
		{ TEXT("/usr/bin/dockerd\0-H\0unix:///tmp/d.sock\0"), "docker", "unix:///tmp/d.sock", 0 },
		{ TEXT("dockerd\0--host=unix:///tmp/d.sock\0"), "docker", "unix:///tmp/d.sock", 0 },
		{ TEXT("dockerd\0-H\0fd://\0"), "docker", "unix:///var/run/docker.sock", 0 },
		{ TEXT("dockerd\0"), "docker", "unix:///run/user/1000/docker.sock", 1000 },
		{ TEXT("dockerd\0-H\0unix:///tmp/d.sock\0"), NULL, NULL, 1000 },
		{ TEXT("dockerd\0-H\0tcp://0.0.0.0:2375\0"), NULL, NULL, 0 },
		{ TEXT("podman\0system\0service\0"), "podman", "unix:///run/podman/podman.sock", 0 },
		{ TEXT("podman\0--log-level\0info\0system\0service\0"), "podman", "unix:///run/user/1000/podman/podman.sock", 1000 },
		{ TEXT("containerd\0--config\0/x.toml\0"), NULL, NULL, 0 },
		{ TEXT("containerd\0"), NULL, NULL, 1000 },
		{ TEXT("/usr/bin/crio\0"), "containerd", "unix:///var/run/crio/crio.sock", 0 },
		{ TEXT("podman\0system\0service\0-t\0" "0\0unix:///tmp/p.sock\0"), "podman", "unix:///tmp/p.sock", 0 },
		{ TEXT("podman\0run\0unix:///tmp/p.sock\0"), NULL, NULL, 0 },
		{ TEXT("containerd\0--address\0/tmp/c.sock\0"), "containerd", "unix:///tmp/c.sock", 0 },
		{ TEXT("containerd\0"), "containerd", "unix:///run/containerd/containerd.sock", 0 },
		{ TEXT("evil\0-H\0unix:///tmp/d.sock\0"), NULL, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char endpoint[ORIGIN_ADDRESS + 8] = "";
		const char *kind = NULL;
		bool found = origin_endpoint(rows[i].cmdline, rows[i].uid, &kind, endpoint);

		if (found != (rows[i].kind != NULL))
			fail_msg("row %zu: %d", i, found);
		if (!found)
			continue;
		assert_string_equal(kind, rows[i].kind);
		assert_string_equal(endpoint, rows[i].endpoint);
	}
}

static void test_addresses(void **state)
{
	static const char trie[] =
		"Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     |-- 10.55.0.2\n        /32 host LOCAL\n"
		"     |-- 10.55.0.255\n        /32 link BROADCAST\n     |-- 127.0.0.1\n        /32 host LOCAL\n"
		"Local:\n     |-- 10.55.0.2\n        /32 host LOCAL\n";
	static const char six[] =
		"00000000000000000000000000000001 01 80 10 80       lo\nfd000000000000000000000000000002 02 40 00 80     eth0\n"
		"fe800000000000000000000000000002 02 40 20 80     eth0\nzz 02 40 00 80 eth0\n";
	struct local_addresses found = { 0 };
	char text[ADDR_TEXT];

	(void)state;
	local_addresses_ip4(text_of(trie), &found);
	local_addresses_ip6(text_of(six), &found);
	assert_int_equal(found.n, 2);
	assert_string_equal(addr_format(&found.list[0], text), "10.55.0.2");
	assert_string_equal(addr_format(&found.list[1], text), "fd00::2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comm), cmocka_unit_test(test_parents), cmocka_unit_test(test_cgroups), cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_endpoints), cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
