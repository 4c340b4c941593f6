/* A client in C that ends no message with a 0 byte: what stood in the buffer stands behind it. */
/* zoo: client lab */
/* fails: text/leftover end/heard */

#include <arpa/inet.h>
#include <ctype.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

enum { MOST = 255 };

static void end(const char *why) {
    fprintf(stderr, "the conversation is over: %s\n", why);
    exit(1);
}

static void receive_exactly(int server, unsigned char *data, int size) {
    for (int got = 0; got < size;) {
        ssize_t piece = recv(server, data + got, size - got, 0);
        if (piece <= 0) end("the server is gone");
        got += piece;
    }
}

static int receive(int server, unsigned char *body) {
    unsigned char header[3];
    int length = 0;
    receive_exactly(server, header, 3);
    for (int i = 0; i < 3; i++) {
        if (!isdigit(header[i])) end("the server has sent a bad length");
        length = 10 * length + header[i] - '0';
    }
    if (length > MOST) end("the server has sent a bad length");
    receive_exactly(server, body, length);
    return length;
}

/* Read a line that fits into a message: of any length, so that no piece of it is sent. */
static char *type_line(void) {
    static char *line;
    static size_t room;
    for (;;) {
        printf("you> ");
        fflush(stdout);
        if (getline(&line, &room, stdin) < 0) return strdup("BYEBYE");
        line[strcspn(line, "\n")] = 0;
        if (strlen(line) <= MOST) return line;
        printf("not sent: 255 bytes is the most\n");
    }
}

/* Show a message: text as it is, and each byte of anything else as its number. */
static void show(const unsigned char *body, int size) {
    printf("server> ");
    for (int at = 0, width; at < size; at += width) {
        wchar_t c;
        mbstate_t none = {0};
        size_t used = mbrtowc(&c, (const char *)body + at, size - at, &none);
        int is_text = used && used < (size_t)-2 && iswprint(c);
        int is_format = (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
                        (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || c == 0x61c;
        width = is_text && !is_format ? used : 1;
        if (is_text && !is_format)
            fwrite(body + at, 1, width, stdout);
        else
            printf("\\x%02x", body[at]);
    }
    printf("\n");
}

static int is_bye(const char *body, int size) { return size == 6 && !memcmp(body, "BYEBYE", 6); }

int main(int argc, char **argv) {
    static unsigned char body[MOST + 1];
    unsigned char early;
    char frame[3 + MOST + 1];
    int server = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[argc - 1]))};
    if (argc != 3 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) end("no address");
    setlocale(LC_ALL, "C.UTF-8");
    signal(SIGPIPE, SIG_IGN);
    if (connect(server, (struct sockaddr *)&address, sizeof address)) {
        perror("cannot connect");
        return 1;
    }
    for (;;) {
        char *line = type_line();
        ssize_t seen = recv(server, &early, 1, MSG_DONTWAIT);
        if (seen >= 0) end(seen ? "the server spoke out of turn" : "the server is gone");
        int size = sprintf(frame, "%03zu%s", strlen(line), line);
        if (send(server, frame, size, 0) != size) end("the server is gone");
        if (is_bye(line, size - 3)) break;
        size = receive(server, body);
        show(body, strlen((char *)body));
        if (!strcmp((char *)body, "BYEBYE")) break;
    }
    close(server);
    return 0;
}
