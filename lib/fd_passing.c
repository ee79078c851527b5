// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include <sys/socket.h>

#include "fd_passing.h"
#include "test_util.h"

/* A message of one byte, which carries one descriptor. */
struct fd_message {
	char byte;
	char room[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
	struct iovec iov;
	struct msghdr msg;
};

static void message_init(struct fd_message *m)
{
	memset(m, 0, sizeof(*m));
	m->iov.iov_base = &m->byte;
	m->iov.iov_len = 1;
	m->msg.msg_iov = &m->iov;
	m->msg.msg_iovlen = 1;
	m->msg.msg_control = m->room;
	m->msg.msg_controllen = sizeof(m->room);
}

void send_fd(int sock, int fd)
{
	struct cmsghdr *cmsg;
	struct fd_message m;

	message_init(&m);
	cmsg = CMSG_FIRSTHDR(&m.msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	TEST_ERROR_ON(sendmsg(sock, &m.msg, MSG_NOSIGNAL) != 1,
		      "cannot hand a file descriptor over");
}

int receive_fd(int sock)
{
	struct cmsghdr *cmsg;
	struct fd_message m;
	int fd = -1;

	message_init(&m);
	if (recvmsg(sock, &m.msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != 1)
		return -1;
	cmsg = CMSG_FIRSTHDR(&m.msg);
	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}
