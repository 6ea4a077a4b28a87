// Puts the line that is standard input under the kernel's multiplexer (n_gsm), as the host of a modem that has just said OK to
// AT+CMUX=0,0,0,127, until it is killed. ldattach(8) would do, but gives GSMIOC_SETCONF the window size that GSMIOC_GETCONF told, which
// kernel 6.1.192 does not take. It has no library: the kernel's headers come without one.

enum { n_gsm0710 = 21, sys_ioctl = 16, sys_pause = 34, sys_exit = 60 };
enum { tiocsetd = 0x5423, gsmioc_setconf = 0x404c4701 };

struct gsm_config { // include/uapi/linux/gsmmux.h
	unsigned adaption, encapsulation, initiator, t1, t2, t3, n2, mru, mtu, k, i, unused[8];
};

static const int ldisc = n_gsm0710;
static const struct gsm_config config = {
	.adaption = 1, .encapsulation = 0 /* basic */, .initiator = 1, .t1 = 10, .t2 = 34 /* 10 ms */, .n2 = 3, .mru = 127, .mtu = 127, .i = 1 /* UIH */
};

static long syscall(long number, long a, long b, const void *c)
{
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return result;
}

void _start(void)
{
	long error = syscall(sys_ioctl, 0, tiocsetd, &ldisc);
	if (error == 0)
		error = syscall(sys_ioctl, 0, gsmioc_setconf, &config);
	if (error == 0)
		syscall(sys_pause, 0, 0, 0);
	syscall(sys_exit, -error, 0, 0);
}
