/* A peer in C: says the lines of its standard input, a message each, and prints what it hears.
   peer client|server PORT [PIECE]      PIECE: bytes a send, so that a frame comes in many segments */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int peer, piece = 258;

static void fail(const char *why) { fprintf(stderr, "peer: %s\n", why); exit(1); }

static void receive(char *data, size_t size) {
    while (size) {
        ssize_t got = read(peer, data, size);
        if (got <= 0) fail("hung up");
        data += got, size -= got;
    }
}

static int hear(void) {                                    /* returns 1 for BYEBYE */
    char header[4] = "", body[1000];
    receive(header, 3);
    if (strspn(header, "0123456789") != 3 || atoi(header) > 255) fail("not a length");
    size_t size = atoi(header);
    receive(body, size);
    printf("%.*s\n", (int)size, body);
    fflush(stdout);
    return size == 6 && !memcmp(body, "BYEBYE", 6);
}

static int say(void) {                                     /* returns 1 for BYEBYE */
    char line[1000] = "BYEBYE", frame[1010];
    if (fgets(line, 257, stdin)) line[strcspn(line, "\n")] = 0;
    int size = sprintf(frame, "%03zu%s", strlen(line), line);
    for (int sent = 0; sent < size; sent += piece)
        if (write(peer, frame + sent, size - sent < piece ? size - sent : piece) < 0) fail("hung up");
    return !strcmp(line, "BYEBYE");
}

int main(int argc, char **argv) {
    if (argc < 3) fail("usage: peer client|server PORT [PIECE]");
    int serves = !strcmp(argv[1], "server"), one = 1;
    if (argc > 3) piece = atoi(argv[3]);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
    socklen_t size = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    peer = socket(AF_INET, SOCK_STREAM, 0);
    if (serves) {
        int listening = peer;
        if (bind(listening, (void *)&at, size) || listen(listening, 1)) fail("cannot listen");
        getsockname(listening, (void *)&at, &size);
        printf("listening on port %d\n", ntohs(at.sin_port));
        fflush(stdout);
        peer = accept(listening, NULL, NULL);
    } else if (connect(peer, (void *)&at, size)) fail("cannot connect");
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!serves && say()) return 0;
    while (!hear() && !say()) ;
    return 0;
}
