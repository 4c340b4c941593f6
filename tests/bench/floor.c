/* The same turn in C, over epoll: what the kernel alone costs, and so the floor of the benchmark.

   floor        listens on a free port of 127.0.0.1, says which, and echoes

   It checks what turnchat checks, the header's digits and limit and whose turn it is, and keeps
   the beginning of a frame for each connection. It has no deadlines and no limits. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEADER = 3, BODY_LIMIT = 255, FRAME_LIMIT = HEADER + BODY_LIMIT, READY = 1024 };

struct connection {
    int socket;
    int received;
    unsigned char bytes[FRAME_LIMIT + 1]; /* one more proves the peer out of turn */
};

/* The length that a header announces, or -1. */
static int length_of(const unsigned char *header) {
    int length = 0;
    for (int i = 0; i < HEADER; i++) {
        if (header[i] < '0' || header[i] > '9')
            return -1;
        length = 10 * length + header[i] - '0';
    }
    return length > BODY_LIMIT ? -1 : length;
}

/* Whether the conversation goes on. */
static int serve(struct connection *it) {
    ssize_t got = recv(it->socket, it->bytes + it->received, sizeof it->bytes - (size_t)it->received, 0);
    if (got < 0)
        return errno == EAGAIN;
    if (got == 0)
        return 0;
    it->received += (int)got;
    if (it->received < HEADER)
        return 1;
    int length = length_of(it->bytes);
    if (length < 0 || it->received > HEADER + length)
        return 0;
    if (it->received < HEADER + length)
        return 1;
    if (length == 6 && !memcmp(it->bytes + HEADER, "BYEBYE", 6))
        return 0;
    it->received = 0;
    return send(it->socket, it->bytes, (size_t)(HEADER + length), MSG_NOSIGNAL) == HEADER + length;
}

int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    struct epoll_event ready[READY];
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    struct rlimit files;
    int one = 1, poller = epoll_create1(EPOLL_CLOEXEC);
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (bind(listening, (struct sockaddr *)&address, size) < 0 || listen(listening, 4096) < 0 ||
        getsockname(listening, (struct sockaddr *)&address, &size) < 0 ||
        epoll_ctl(poller, EPOLL_CTL_ADD, listening, &event) < 0) {
        perror("floor");
        return 1;
    }
    printf("listening on port %d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int many = epoll_wait(poller, ready, READY, -1);
        for (int i = 0; i < many; i++) {
            struct connection *it = ready[i].data.ptr;
            if (it) {
                if (!serve(it)) {
                    close(it->socket);
                    free(it);
                }
                continue;
            }
            int accepted = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (accepted < 0)
                continue;
            setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            it = calloc(1, sizeof *it);
            if (!it)
                return 1;
            it->socket = accepted;
            event.data.ptr = it;
            epoll_ctl(poller, EPOLL_CTL_ADD, accepted, &event);
        }
    }
}
