/* Capture files read back by libpcap; disks that are full; pipes whose reader is slow or leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "capture/save.h"
#include "core/err.h"
#include "core/fd.h"

enum { PACKETS = 3000 };

static const struct record_file about = { .link_type = 1, .snaplen = 262144, .interface = "eth0", .filter = "tcp port 80" };
static const struct record_end end = { .time = 1700000000000000000, .received = PACKETS, .dropped = 3 };

static uint32_t size_of(uint64_t n)
{
	return (uint32_t)(n * 37 % 1500);
}

static int64_t time_of(uint64_t n)
{
	return 1700000000000000000 + (int64_t)n * 1000001;
}

static struct spool *full_spool(uint32_t bytes, uint64_t packets)
{
	static uint8_t data[1500];
	struct spool *s = NULL;
	struct err err = { 0 };

	assert_int_equal(spool_new(bytes, &s, &err), 0);
	for (uint64_t n = 1; n <= packets; n++) {
		memset(data, (int)n, sizeof data);
		spool_add(s, time_of(n), data, size_of(n), size_of(n) + 5);
	}
	return s;
}

static int temporary(char path[32])
{
	int fd;

	snprintf(path, 32, "/tmp/test-save-XXXXXX");
	fd = mkostemp(path, O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* Reads the file and checks its packets against numbers from..to. */
static void check_file(const char *path, uint64_t from, uint64_t to)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	pcap_t *p = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why);
	struct pcap_pkthdr *h;
	const u_char *bytes;
	uint64_t n = from;
	int r;

	if (!p)
		fail_msg("%s", why);
	assert_int_equal(pcap_datalink(p), DLT_EN10MB);
	assert_int_equal(pcap_snapshot(p), 262144);
	while ((r = pcap_next_ex(p, &h, &bytes)) == 1) {
		assert_int_equal(h->caplen, size_of(n));
		assert_int_equal(h->len, size_of(n) + 5);
		assert_int_equal((int64_t)h->ts.tv_sec * 1000000000 + h->ts.tv_usec, time_of(n));
		assert_true(h->caplen == 0 || (bytes[0] == (uint8_t)n && bytes[h->caplen - 1] == (uint8_t)n));
		n++;
	}
	assert_int_equal(r, PCAP_ERROR_BREAK); /* the end, and not in the middle of something */
	assert_int_equal(n, to + 1);
	pcap_close(p);
}

static void test_read_back(void **state)
{
	(void)state;
	for (int format = CAPTURE_PCAPNG; format <= CAPTURE_PCAP; format++) {
		struct spool *spool = full_spool(0, PACKETS);
		struct saver *s;
		char path[32];

		s = saver_new(temporary(path), (enum capture_format)format, &about, 1);
		while (saver_step(s, spool, &end))
			;
		assert_int_equal(saver_saved(s), PACKETS);
		assert_false(saver_is_behind(s, spool));
		assert_string_equal(saver_problem(s), "");
		saver_free(s);
		check_file(path, 1, PACKETS);
		unlink(path);
		spool_free(spool);
	}
}

/* Packets that left the spool before they were written are counted, and the file goes on behind them. */
static void test_overwritten(void **state)
{
	struct spool *spool = full_spool(SPOOL_MIN_BYTES, PACKETS);
	struct saver *s;
	char path[32];

	(void)state;
	assert_true(spool_first(spool) > 1);
	s = saver_new(temporary(path), CAPTURE_PCAPNG, &about, 1);
	while (saver_step(s, spool, NULL))
		;
	assert_int_equal(saver_missed(s), spool_first(spool) - 1);
	assert_int_equal(saver_saved(s), spool_count(spool));
	saver_free(s);
	check_file(path, spool_first(spool), PACKETS);
	unlink(path);
	spool_free(spool);
}

/* A limit on the file's size acts as a full disk does: a short write, then none. Every limit leaves whole records. */
static void test_file_limit(void **state)
{
	struct rlimit before;

	(void)state;
	getrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, SIG_IGN);
	for (rlim_t limit = 400; limit < 200000; limit = limit * 3 / 2 + 1) {
		for (int format = CAPTURE_PCAPNG; format <= CAPTURE_PCAP; format++) {
			struct rlimit now = { limit, before.rlim_max };
			struct spool *spool = full_spool(0, PACKETS);
			struct saver *s;
			char path[32];

			s = saver_new(temporary(path), (enum capture_format)format, &about, 1);
			setrlimit(RLIMIT_FSIZE, &now);
			while (saver_step(s, spool, &end))
				;
			setrlimit(RLIMIT_FSIZE, &before);
			assert_true(saver_has_ended(s));
			assert_non_null(strstr(saver_problem(s), "stopped writing after "));
			check_file(path, 1, saver_saved(s));
			saver_free(s);
			unlink(path);
			spool_free(spool);
		}
	}
}

static void test_full_device(void **state)
{
	struct spool *spool = full_spool(0, 10);
	struct saver *s = saver_new(open("/dev/full", O_WRONLY | O_CLOEXEC), CAPTURE_PCAPNG, &about, 1);

	(void)state;
	while (saver_step(s, spool, &end))
		;
	assert_string_equal(saver_problem(s), "disk full: stopped writing after 0 packets");
	saver_free(s);
	spool_free(spool);
}

/* Nobody reads: the step returns at once and says that it waits. Then all comes out. */
static void test_slow_pipe(void **state)
{
	struct spool *spool = full_spool(0, PACKETS);
	char path[32], buf[65536];
	struct saver *s;
	int ends[2], file = temporary(path);

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	s = saver_new(ends[1], CAPTURE_PCAPNG, &about, 1);
	while (saver_step(s, spool, NULL))
		;
	assert_true(saver_waits(s));
	assert_true(saver_is_behind(s, spool));
	assert_int_equal(saver_fd(s), ends[1]);
	for (int i = 0; i < 100000 && saver_is_behind(s, spool); i++) {
		ssize_t n = read(ends[0], buf, 1 + (size_t)i * 7 % sizeof buf);

		assert_int_equal(write(file, buf, (size_t)n), n);
		saver_step(s, spool, NULL);
	}
	assert_int_equal(saver_saved(s), PACKETS);
	saver_free(s); /* closes its end */
	for (ssize_t n; (n = read(ends[0], buf, sizeof buf)) > 0;)
		assert_int_equal(write(file, buf, (size_t)n), n);
	close(ends[0]);
	close(file);
	check_file(path, 1, PACKETS);
	unlink(path);
	spool_free(spool);
}

static void test_reader_leaves(void **state)
{
	struct spool *spool = full_spool(0, PACKETS);
	struct saver *s;
	int ends[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	s = saver_new(ends[1], CAPTURE_PCAP, &about, 1);
	saver_step(s, spool, NULL);
	close(ends[0]);
	while (saver_step(s, spool, NULL))
		;
	assert_true(saver_has_ended(s));
	assert_non_null(strstr(saver_problem(s), "the reader has left: stopped writing after "));
	assert_false(saver_is_behind(s, spool));
	saver_free(s);
	spool_free(spool);
}

/* CAPTURE_OP_CLEAR in the middle: numbers start again, the file goes on. */
static void test_restart(void **state)
{
	struct spool *spool = full_spool(0, 100);
	struct saver *s;
	char path[32];

	(void)state;
	s = saver_new(temporary(path), CAPTURE_PCAP, &about, 1);
	while (saver_step(s, spool, NULL))
		;
	saver_restart(s, spool);
	spool_clear(spool);
	spool_add(spool, time_of(101), "e", 0, size_of(101) + 5);
	while (saver_step(s, spool, NULL))
		;
	assert_int_equal(saver_saved(s), 101);
	assert_int_equal(saver_missed(s), 0);
	saver_free(s);
	unlink(path);
	spool_free(spool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_back),
		cmocka_unit_test(test_overwritten),
		cmocka_unit_test(test_file_limit),
		cmocka_unit_test(test_full_device),
		cmocka_unit_test(test_slow_pipe),
		cmocka_unit_test(test_reader_leaves),
		cmocka_unit_test(test_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
