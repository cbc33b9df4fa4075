/* A client that keeps a server busy, on one thread and one epoll.
 *
 *   load MODE -p PORT|PATH [-c connections] [-s bytes] [-d depth] [-t seconds] [-w warm-up seconds] [-u target] [-b bytes]
 *
 * echo    send messages of -s bytes ending in CR LF, -d of them in flight, and count those that came back
 * sink    send without end, and count messages of -s bytes that the kernel took
 * accept  connect, wait for the server to close, again
 * visit   connect, have one byte echoed, close, again
 * idle    open -c connections, have one byte echoed on each, say OPEN, wait for a line on stdin
 * http    ask for -u target, or POST it -b bytes, -d requests in flight, and count whole responses, which must say 200
 *
 * Says BEGIN when the warm-up is over and END when the time is, and then one line of JSON. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum mode { ECHO, SINK, ACCEPT, VISIT, IDLE, HTTP };
enum part { HEAD, BODY, CHUNK_SIZE, CHUNK, LAST_CHUNK }; /* of a response */
struct connection {
    int fd;
    size_t owed;   /* bytes still to be sent */
    size_t at;     /* where in the messages the next byte to send is */
    size_t heard;  /* bytes of the answer so far */
    int waits;     /* whether we wait to be able to write */
    enum part part;
    size_t kept;     /* bytes of the head, or of the line of a chunk's size, so far */
    long long left;  /* bytes of the body, or of the chunk, still to come */
    char head[1024];
};

static enum mode mode;
static const char *path; /* of a Unix socket, instead of a port */
static int port, count = 64, depth = 1, epoll;
static size_t size = 1024, copies = 1; /* of the message, and how many of it stand one behind the other, to be sent at once */
static double seconds = 1, warm_up = 0.25;
static unsigned long long done;
static char *message, scratch[1 << 20];
static const char *target = "/";
static size_t body;

static void fail(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void say(const char *what) {
    puts(what);
    fflush(stdout);
}

static void watch(struct connection *c, int operation, unsigned events) {
    struct epoll_event e = {.events = events, .data.ptr = c};
    if (epoll_ctl(epoll, operation, c->fd, &e) < 0) fail("epoll_ctl");
}

static void flush(struct connection *c) {
    while (c->owed) {
        size_t part = copies * size - c->at;
        if (part > c->owed) part = c->owed;
        ssize_t n = send(c->fd, message + c->at, part, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) break;
        if (n < 0) fail("send");
        c->owed -= (size_t)n;
        c->at = (c->at + (size_t)n) % (copies * size);
        if (mode == SINK) {
            c->heard += (size_t)n;
            done += c->heard / size;
            c->heard %= size;
            c->owed = size;
            if ((size_t)n < part) break;
        }
    }
    int waits = c->owed > 0;
    if (waits != c->waits) watch(c, EPOLL_CTL_MOD, EPOLLIN | (waits ? EPOLLOUT : 0));
    c->waits = waits;
}

static void open_one(struct connection *c) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct sockaddr *where = path ? (struct sockaddr *)&at : (struct sockaddr *)&to;
    int one = 1;
    if (path) strncpy(at.sun_path, path, sizeof at.sun_path - 1);
    c->fd = socket(where->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0) fail("socket");
    if (connect(c->fd, where, path ? sizeof at : sizeof to) < 0) fail("connect");
    if (!path) setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    c->at = c->heard = 0;
    c->waits = 0;
    c->owed = mode == ACCEPT ? 0 : mode == VISIT || mode == IDLE ? 1 : size * (size_t)depth;
    watch(c, EPOLL_CTL_ADD, EPOLLIN);
    flush(c);
}

/* What a head says of the body behind it. */
static void headed(struct connection *c) {
    if (strncmp(c->head, "HTTP/1.1 200 ", 13)) {
        fprintf(stderr, "load: the server says %.40s\n", c->head);
        exit(1);
    }
    const char *length = strcasestr(c->head, "\r\ncontent-length:");
    c->left = length ? atoll(length + 17) : 0;
    c->part = length ? BODY : strcasestr(c->head, "\r\ntransfer-encoding: chunked") ? CHUNK_SIZE : HEAD;
    if (c->part == HEAD) {
        fputs("load: a response without a length\n", stderr);
        exit(1);
    }
}

/* Take part of responses; return how many ended in it. */
static size_t answered(struct connection *c, const char *data, size_t n) {
    size_t whole = 0;
    while (n || (c->part == BODY && !c->left)) {
        if (c->part == HEAD || c->part == CHUNK_SIZE) {
            if (c->kept == sizeof c->head - 1) errno = EMSGSIZE, fail("the head of a response");
            c->head[c->kept++] = *data++, n--;
            c->head[c->kept] = 0;
            if (c->head[c->kept - 1] != '\n') continue;
            if (c->part == HEAD) {
                if (c->kept < 4 || strcmp(c->head + c->kept - 4, "\r\n\r\n")) continue;
                headed(c);
            } else {
                long long count = strtoll(c->head, NULL, 16);
                c->left = count + 2; /* the line end behind it */
                c->part = count ? CHUNK : LAST_CHUNK;
            }
            c->kept = 0;
            continue;
        }
        size_t part = (long long)n < c->left ? n : (size_t)c->left;
        data += part, n -= part, c->left -= (long long)part;
        if (c->left) continue;
        if (c->part != CHUNK) whole++;
        c->part = c->part == CHUNK ? CHUNK_SIZE : HEAD;
    }
    return whole;
}

static void ready(struct connection *c, unsigned events) {
    if (events & EPOLLOUT) flush(c);
    if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
    ssize_t n = recv(c->fd, scratch, sizeof scratch, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0 && mode != ACCEPT) fail(n ? "recv" : "the server closed");
    if (mode == ACCEPT || mode == VISIT) {
        close(c->fd);
        done++;
        open_one(c);
        return;
    }
    if (mode == HTTP) {
        size_t whole = answered(c, scratch, (size_t)n);
        done += whole;
        c->owed += whole * size;
        if (whole) flush(c);
        return;
    }
    c->heard += (size_t)n;
    if (mode == IDLE) {
        done++;
        return;
    }
    size_t whole = c->heard / size;
    c->heard %= size;
    done += whole;
    c->owed += whole * size;
    if (whole) flush(c);
}

static void drive_until(double end, unsigned long long enough) {
    struct epoll_event events[512];
    while (now() < end && done < enough) {
        int n = epoll_wait(epoll, events, 512, 10);
        for (int i = 0; i < n; i++) ready(events[i].data.ptr, events[i].events);
    }
}

static void options(int argc, char **argv) {
    static const char *names[] = {"echo", "sink", "accept", "visit", "idle", "http"};
    int o, found = 0;
    for (int i = 0; argc > 1 && i < 6; i++)
        if (!strcmp(argv[1], names[i])) mode = (enum mode)i, found = 1;
    while (found && (o = getopt(argc - 1, argv + 1, "p:c:s:d:t:w:u:b:")) != -1) switch (o) {
        case 'p': port = atoi(optarg), path = strchr(optarg, '/') ? optarg : NULL; break;
        case 'c': count = atoi(optarg); break;
        case 's': size = strtoul(optarg, NULL, 10); break;
        case 'd': depth = atoi(optarg); break;
        case 't': seconds = atof(optarg); break;
        case 'w': warm_up = atof(optarg); break;
        case 'u': target = optarg; break;
        case 'b': body = strtoul(optarg, NULL, 10); break;
        default: found = 0;
        }
    if (!found || !(port || path) || size < 2) {
        fputs("usage: load echo|sink|accept|visit|idle|http -p port|path [-c n] [-s bytes] [-d n] [-t s] [-w s] [-u target] [-b bytes]\n", stderr);
        exit(2);
    }
}

int main(int argc, char **argv) {
    options(argc, argv);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (mode == HTTP) {
        copies = (size_t)depth;
        message = malloc((strlen(target) + 256 + body) * copies);
        int head = sprintf(message, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n", body ? "POST" : "GET", target);
        if (body) head += sprintf(message + head, "Content-Type: application/octet-stream\r\nContent-Length: %zu\r\n", body);
        head += sprintf(message + head, "\r\n");
        memset(message + head, 'x', body);
        size = (size_t)head + body;
        for (size_t i = 1; i < copies; i++) memcpy(message + i * size, message, size);
    } else {
        message = malloc(size);
        memset(message, 'x', size);
        memcpy(message + size - 2, "\r\n", 2);
    }
    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct connection *all = calloc((size_t)count, sizeof *all);
    for (int i = 0; i < count; i++) {
        open_one(&all[i]);
        if (mode == IDLE && i % 100 == 99) drive_until(now() + 10, (unsigned long long)i + 1);
    }
    if (mode == IDLE) {
        drive_until(now() + 30, (unsigned long long)count);
        say("OPEN");
        if (getchar() == EOF) return 1;
        printf("{\"done\": %llu, \"seconds\": 0}\n", done);
        return 0;
    }
    drive_until(now() + warm_up, ~0ULL);
    done = 0;
    say("BEGIN");
    double began = now();
    drive_until(began + seconds, ~0ULL);
    double took = now() - began;
    say("END");
    printf("{\"done\": %llu, \"seconds\": %f}\n", done, took);
    return 0;
}
