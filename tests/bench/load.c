/* The load of the benchmark: any number of conversations with one server, from one thread.

   load turns  PORT CONVERSATIONS BODY SECONDS   as many turns as the server makes
   load visits PORT AT_ONCE SECONDS              newcomers: connect, one turn, BYEBYE
   load hold   PORT CONVERSATIONS                begin, say "ready", and stay silent to the end of
                                                 the standard input; then one turn each once more
   load trouble PORT SILENT DRIPPING VANISHING SECONDS
                                                 bad peers, likewise to the end of the standard
                                                 input; VANISHING is peers a second, SECONDS
                                                 pass between two bytes of a dripping peer

   A turn is a message and its answer, which has to be the same. The message is another one each
   time, so that an answer to an earlier one is a failure. The result is one line of JSON. The
   measurement of "turns" begins after a warm-up. The lines "begin" and "end" enclose it, so that the
   server can be watched meanwhile.

   Compiled with -DTLS, turns and visits are over TLS, each visit with a full handshake. Certificates
   are not looked at: the server is what is measured. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef TLS
#include <fcntl.h>
#include <openssl/ssl.h>
#endif

enum { HEADER = 3, BODY_LIMIT = 255, FRAME_LIMIT = HEADER + BODY_LIMIT, READY = 1024 };

static const uint64_t SECOND = 1000000000u;
static const uint64_t WARM_UP = 200000000u;     /* ns */
static const int DRIPPING_BODY = 5; /* bytes: a frame of eight drops */

struct conversation {
    int socket;
    unsigned turns;
    int received; /* bytes of the present answer */
    uint64_t began; /* when the present turn did, in ns */
    unsigned char answer[FRAME_LIMIT + 1];
#ifdef TLS
    SSL *tls;
#endif
};

static struct sockaddr_in server = {.sin_family = AF_INET};
static unsigned long failures;

static void die(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

/* Latencies, in buckets that are 0.8 to 1.6 percent wide. */

enum { FINE = 128, BUCKETS = 64 * FINE };
static unsigned long histogram[BUCKETS];

static void note(uint64_t ns) {
    int shift = ns < FINE ? 0 : 57 - __builtin_clzll(ns); /* so that 64 to 127 of 128 remain */
    histogram[shift * FINE + (ns >> shift)]++;
}

static double percentile(double fraction) { /* in microseconds */
    unsigned long total = 0, seen = 0;
    for (int bucket = 0; bucket < BUCKETS; bucket++)
        total += histogram[bucket];
    for (int bucket = 0; bucket < BUCKETS; bucket++) {
        seen += histogram[bucket];
        if (total && seen >= fraction * total)
            return (double)((uint64_t)(bucket % FINE) << bucket / FINE) / 1000;
    }
    return 0;
}

/* One conversation. */

/* What is said, in turn: one letter after the other, as often as the body is long. */
enum { LETTERS = 26 };
static unsigned char frames[LETTERS][FRAME_LIMIT];
static int frame_size;

static void prepare(int body) {
    frame_size = HEADER + body;
    for (int letter = 0; letter < LETTERS; letter++) {
        frames[letter][0] = (unsigned char)('0' + body / 100);
        frames[letter][1] = (unsigned char)('0' + body / 10 % 10);
        frames[letter][2] = (unsigned char)('0' + body % 10);
        memset(frames[letter] + HEADER, 'a' + letter, (size_t)body);
    }
}

static int connected(void) {
    int one = 1, found = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (found < 0)
        die("socket");
    if (connect(found, (struct sockaddr *)&server, sizeof server) < 0)
        die("connect");
    setsockopt(found, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return found;
}

/* Close by a reset: no TIME_WAIT (RFC 9293, 3.6.1) keeps the port from the next one. */
static void leave_no_trace(int socket) {
    struct linger at_once = {.l_onoff = 1};
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(socket);
}

/* The four ways to use a connection. receive() is recv(2) with its flags, but for TLS the socket
   itself does not block after the first turn. handshake() is 1 when it is done, 0 when not yet. */

#ifdef TLS

static SSL_CTX *context;

static void prepare_tls(void) {
    context = SSL_CTX_new(TLS_client_method());
    if (!context)
        die("SSL_CTX_new");
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

static void open_it(struct conversation *it) {
    it->socket = connected();
    it->tls = SSL_new(context);
    if (!it->tls || !SSL_set_fd(it->tls, it->socket))
        die("SSL_new");
    SSL_set_connect_state(it->tls);
}

static void stop_blocking(struct conversation *it) {
    fcntl(it->socket, F_SETFL, O_NONBLOCK);
}

static int waits(struct conversation *it, int result) {
    int why = SSL_get_error(it->tls, result);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

static int handshake(struct conversation *it) {
    int result = SSL_do_handshake(it->tls);
    return result == 1 ? 1 : waits(it, result) ? 0 : -1;
}

static ssize_t transmit(struct conversation *it, const void *data, size_t size) {
    return SSL_write(it->tls, data, (int)size);
}

static ssize_t receive(struct conversation *it, void *data, size_t size, int flags) {
    (void)flags;
    int result = SSL_read(it->tls, data, (int)size);
    if (result <= 0 && waits(it, result)) {
        errno = EAGAIN;
        return -1;
    }
    return result < 0 ? 0 : result;
}

static void close_it(struct conversation *it) {
    SSL_free(it->tls);
    leave_no_trace(it->socket);
}

#else

static void prepare_tls(void) {}
static void stop_blocking(struct conversation *it) { (void)it; }
static void open_it(struct conversation *it) { it->socket = connected(); }
static int handshake(struct conversation *it) { return (void)it, 1; }
static void close_it(struct conversation *it) { leave_no_trace(it->socket); }

static ssize_t transmit(struct conversation *it, const void *data, size_t size) {
    return send(it->socket, data, size, MSG_NOSIGNAL);
}

static ssize_t receive(struct conversation *it, void *data, size_t size, int flags) {
    return recv(it->socket, data, size, flags);
}

#endif

static int say(struct conversation *it) {
    it->received = 0;
    it->began = now();
    return transmit(it, frames[it->turns % LETTERS], (size_t)frame_size) == frame_size;
}

/* Whether the answer is whole: 1, not yet: 0, or wrong: -1. */
static int hear(struct conversation *it, int flags) {
    ssize_t got = receive(it, it->answer + it->received, sizeof it->answer - (size_t)it->received, flags);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got <= 0)
        return -1;
    it->received += (int)got;
    if (it->received < frame_size)
        return 0;
    unsigned char *expected = frames[it->turns++ % LETTERS];
    return it->received == frame_size && !memcmp(it->answer, expected, (size_t)frame_size) ? 1 : -1;
}

/* A turn that is waited for. */
static int exchange(struct conversation *it) {
    int heard = 0;
    if (!say(it))
        return 0;
    while (!heard)
        heard = hear(it, 0);
    return heard > 0;
}

static struct conversation *begin(int number, int body) {
    prepare(body);
    struct conversation *all = calloc((size_t)number, sizeof *all);
    if (!all)
        die("calloc");
    for (int i = 0; i < number; i++) {
        open_it(&all[i]);
        if (handshake(&all[i]) < 1 || !exchange(&all[i]))
            die("the first turn");
        stop_blocking(&all[i]);
    }
    return all;
}

static void watch(int poller, int file, void *what) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, file, &event) < 0)
        die("epoll_ctl");
}

static void tell(const char *what) {
    puts(what);
    fflush(stdout);
}

static int input_has_ended(int milliseconds) {
    struct pollfd input = {.fd = 0, .events = POLLIN};
    char byte;
    return poll(&input, 1, milliseconds) > 0 && read(0, &byte, 1) <= 0;
}

/* The four modes. */

static void turns(int number, int body, double seconds) {
    struct epoll_event ready[READY];
    struct conversation *all = begin(number, body);
    int poller = epoll_create1(EPOLL_CLOEXEC), living = number;
    for (int i = 0; i < number; i++) {
        watch(poller, all[i].socket, &all[i]);
        say(&all[i]);
    }
    uint64_t time = now(), began = time + WARM_UP, end = began + (uint64_t)(seconds * SECOND);
    unsigned long done = 0;
    int measures = 0;
    while (time < end && living) {
        if (!measures && time >= began) {
            measures = 1;
            began = time;
            tell("begin");
        }
        int many = epoll_wait(poller, ready, READY, 0); /* a sleeper would be the server's to wake */
        time = now();
        for (int i = 0; i < many; i++) {
            struct conversation *it = ready[i].data.ptr;
            int heard = hear(it, MSG_DONTWAIT);
            if (heard > 0 && measures) {
                note(now() - it->began);
                done++;
            }
            if (heard < 0 || (heard > 0 && !say(it))) {
                failures++;
                living--;
                close(it->socket);
                it->socket = -1;
            }
        }
    }
    if (!measures) /* no conversation lived so long */
        tell("begin");
    tell("end");
    for (int i = 0; i < number; i++) /* without an answer in all that time */
        failures += all[i].socket >= 0 && all[i].began < began;
    printf("{\"turns\": %lu, \"seconds\": %.6f, \"p50\": %.2f, \"p99\": %.2f, \"failures\": %lu}\n", done,
           (double)(time - began) / (double)SECOND, percentile(0.5), percentile(0.99), failures);
}

/* A visitor has three states: at the handshake (turns is AT_HANDSHAKE), in its turn (0), leaving (1). */
enum { AT_HANDSHAKE = LETTERS };

static void arrive(struct conversation *it, int poller) {
    open_it(it);
    stop_blocking(it);
    watch(poller, it->socket, it);
    it->turns = AT_HANDSHAKE;
}

/* Do what can be done. Return 1 when it has left, -1 after a failure. */
static int advance(struct conversation *it) {
    static const unsigned char leave[] = "006BYEBYE";
    if (it->turns == AT_HANDSHAKE) {
        int done = handshake(it);
        if (done < 1)
            return done;
        it->turns = 0;
        return say(it) ? 0 : -1;
    }
    if (it->turns == 0) {
        int heard = hear(it, MSG_DONTWAIT);
        if (heard > 0)
            return transmit(it, leave, sizeof leave - 1) == sizeof leave - 1 ? 0 : -1;
        return heard;
    }
    ssize_t got = receive(it, it->answer, sizeof it->answer, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return 0; /* session tickets of TLS, say */
    return got == 0 ? 1 : -1;
}

static void visits(int at_once, double seconds) {
    prepare(16);
    struct epoll_event ready[READY];
    struct conversation *all = calloc((size_t)at_once, sizeof *all);
    int poller = epoll_create1(EPOLL_CLOEXEC);
    unsigned long done = 0;
    for (int i = 0; i < at_once; i++) {
        arrive(&all[i], poller);
        failures += advance(&all[i]) < 0;
    }
    uint64_t time = now(), began = time, end = began + (uint64_t)(seconds * SECOND);
    tell("begin");
    while (time < end) {
        int many = epoll_wait(poller, ready, READY, 0);
        time = now();
        for (int i = 0; i < many; i++) {
            struct conversation *it = ready[i].data.ptr;
            int result = advance(it);
            if (!result)
                continue;
            failures += result < 0;
            done += result > 0;
            close_it(it);
            arrive(it, poller);
            failures += advance(it) < 0;
        }
    }
    tell("end");
    printf("{\"visits\": %lu, \"seconds\": %.6f, \"failures\": %lu}\n", done,
           (double)(time - began) / (double)SECOND, failures);
}

static void hold(int number) {
    struct conversation *all = begin(number, 16);
    tell("ready");
    while (!input_has_ended(-1))
        ;
    for (int i = 0; i < number; i++)
        failures += !exchange(&all[i]);
    printf("{\"held\": %d, \"failures\": %lu}\n", number, failures);
}

static void trouble(int silent, int dripping, int vanishing, double seconds) {
    uint64_t drip = (uint64_t)(seconds * SECOND);
    struct conversation *all = begin(dripping, DRIPPING_BODY);
    unsigned char unread[FRAME_LIMIT];
    for (int i = 0; i < dripping; i++)
        all[i].received = 0; /* here: bytes of the present frame that have left */
    for (int i = 0; i < silent; i++) {
        connected();
        if (i % 100 == 99) /* no more than the backlog takes */
            usleep(10000);
    }
    tell("ready");
    uint64_t began = now(), dripped = 0, vanished = 0;
    while (!input_has_ended(10)) {
        uint64_t passed = now() - began;
        for (; dripped < passed * (uint64_t)dripping / drip; dripped++) {
            struct conversation *it = &all[dripped % (uint64_t)dripping];
            if (it->received == frame_size) { /* the frame is through, and its answer on its way */
                failures += recv(it->socket, unread, sizeof unread, 0) != frame_size;
                it->received = 0;
            }
            failures += send(it->socket, frames[0] + it->received++, 1, MSG_NOSIGNAL) != 1;
        }
        for (; vanished < passed * (uint64_t)vanishing / SECOND; vanished++) {
            int visitor = connected();
            if (vanished % 2) /* every other one by a reset */
                leave_no_trace(visitor);
            else
                close(visitor);
        }
    }
    printf("{\"dripped\": %lu, \"vanished\": %lu, \"failures\": %lu}\n", (unsigned long)dripped,
           (unsigned long)vanished, failures);
}

int main(int argc, char **argv) {
    struct rlimit files;
    if (argc < 3)
        return fprintf(stderr, "usage: load MODE PORT FIGURE...\n"), 2;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    prepare_tls();
    server.sin_port = htons((uint16_t)atoi(argv[2]));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!strcmp(argv[1], "turns") && argc == 6)
        turns(atoi(argv[3]), atoi(argv[4]), atof(argv[5]));
    else if (!strcmp(argv[1], "visits") && argc == 5)
        visits(atoi(argv[3]), atof(argv[4]));
    else if (!strcmp(argv[1], "hold") && argc == 4)
        hold(atoi(argv[3]));
    else if (!strcmp(argv[1], "trouble") && argc == 7)
        trouble(atoi(argv[3]), atoi(argv[4]), atoi(argv[5]), atof(argv[6]));
    else
        return fprintf(stderr, "load: %s is no mode, or the figures do not fit it\n", argv[1]), 2;
    return 0;
}
