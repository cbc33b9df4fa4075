/* What one core can do: the smallest epoll servers, without any Python.
 *
 *   limit echo|sink|close PORT
 *
 * Level-triggered, one read of at most 256 KiB for each event, the answer sent at once. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

struct rest { /* what a peer has not taken yet */
    char *bytes;
    size_t at, length;
};

static struct rest *rests;
static int epoll, limit;
static char buffer[1 << 18];

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void watch(int fd, int operation, unsigned events) {
    struct epoll_event e = {.events = events, .data.fd = fd};
    if (epoll_ctl(epoll, operation, fd, &e) < 0) fail("epoll_ctl");
}

static void forget(int fd) {
    free(rests[fd].bytes);
    rests[fd] = (struct rest){0};
    close(fd);
}

static void answer(int fd, size_t length) {
    ssize_t n = send(fd, buffer, length, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) return forget(fd);
    size_t sent = n < 0 ? 0 : (size_t)n;
    if (sent == length) return;
    rests[fd] = (struct rest){malloc(length - sent), 0, length - sent};
    memcpy(rests[fd].bytes, buffer + sent, length - sent);
    watch(fd, EPOLL_CTL_MOD, EPOLLOUT); /* read no more until that is gone */
}

static void flush(int fd) {
    struct rest *r = &rests[fd];
    ssize_t n = send(fd, r->bytes + r->at, r->length - r->at, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) return forget(fd);
    r->at += (size_t)n;
    if (r->at < r->length) return;
    free(r->bytes);
    *r = (struct rest){0};
    watch(fd, EPOLL_CTL_MOD, EPOLLIN);
}

int main(int argc, char **argv) {
    const char *kind = argc == 3 ? argv[1] : "";
    int echo = !strcmp(kind, "echo"), closes = !strcmp(kind, "close"), one = 1;
    if (!echo && !closes && strcmp(kind, "sink")) return fputs("usage: limit echo|sink|close PORT\n", stderr), 2;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max > 1 << 20 ? 1 << 20 : files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    limit = (int)files.rlim_cur;
    rests = calloc((size_t)limit, sizeof *rests);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[2])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) < 0 || listen(listener, 1024) < 0) fail("listen");
    watch(listener, EPOLL_CTL_ADD, EPOLLIN);
    struct epoll_event events[512];
    for (;;) {
        int n = epoll_wait(epoll, events, 512, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                for (int peer; (peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
                    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    if (closes) close(peer);
                    else watch(peer, EPOLL_CTL_ADD, EPOLLIN);
                }
            } else if (events[i].events & EPOLLOUT) {
                flush(fd);
            } else {
                ssize_t got = recv(fd, buffer, sizeof buffer, 0);
                if (got > 0 && echo) answer(fd, (size_t)got);
                else if (got == 0 || (got < 0 && errno != EAGAIN)) forget(fd);
            }
        }
    }
}
