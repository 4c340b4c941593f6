/* A server in C with poll(): one thread serves many clients and the person who answers them. */
/* zoo: server turnchat */
/* fails: nothing */

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

enum { MOST = 255, CLIENTS = 200, KEYBOARD = 0 };
enum state { TALKING, WAITING, LEAVING };

static struct client {
    int fd, size;
    enum state state;
    unsigned long since; /* the order of those that wait */
    unsigned char data[4096];
    char unsent[300];
    int left; /* bytes of it */
} clients[CLIENTS];
static int count;
static unsigned long messages;

/* Show a message: text as it is, and each byte of anything else as its number. */
static void show(const unsigned char *body, int size) {
    printf("client> ");
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

/* Return the bytes of a whole message, 0 if some are missing, -1 if it is none. */
static int whole(const struct client *c) {
    int length = 0;
    for (int i = 0; i < 3 && i < c->size; i++) {
        if (!isdigit(c->data[i])) return -1;
        length = 10 * length + c->data[i] - '0';
    }
    if (length > MOST) return -1;
    return c->size >= 3 && c->size >= 3 + length ? 3 + length : 0;
}

/* Return 0 if the client is to be forgotten. */
static int hear(struct client *c) {
    ssize_t got = read(c->fd, c->data + c->size, sizeof c->data - c->size);
    if (got <= 0) return 0;
    if (c->state == LEAVING) return 1;
    if (c->state == WAITING) return 0; /* it spoke out of turn */
    c->size += got;
    int end = whole(c);
    if (end <= 0) return end == 0;
    show(c->data + 3, end - 3);
    int is_bye = end == 9 && !memcmp(c->data + 3, "BYEBYE", 6);
    int is_too_much = c->size > end;
    c->size = 0;
    if (is_bye) {
        c->state = LEAVING;
        return !shutdown(c->fd, SHUT_WR);
    }
    c->state = WAITING;
    c->since = ++messages;
    return !is_too_much;
}

static struct client *oldest(void) {
    struct client *found = NULL;
    for (int i = 0; i < count; i++)
        if (clients[i].state == WAITING && (!found || clients[i].since < found->since))
            found = &clients[i];
    return found;
}

/* Send what the kernel takes now; the rest, when poll() calls the client writable. */
static void send_rest(struct client *c) {
    ssize_t sent = send(c->fd, c->unsent, c->left, MSG_DONTWAIT);
    if (sent < 0) sent = errno == EAGAIN ? 0 : c->left; /* read() tells of its end */
    c->left -= sent;
    memmove(c->unsent, c->unsent + sent, c->left);
    if (!c->left && c->state == LEAVING) shutdown(c->fd, SHUT_WR);
}

static void answer(struct client *c) {
    char line[5000];
    ssize_t size = read(KEYBOARD, line, sizeof line - 1); /* of a terminal: one line */
    if (size <= 0) exit(0);
    line[size] = 0;
    line[strcspn(line, "\n")] = 0;
    if (strlen(line) > MOST) {
        printf("not sent: 255 bytes is the most\n");
        return;
    }
    c->left = snprintf(c->unsent, sizeof c->unsent, "%03zu%s", strlen(line), line);
    c->state = strcmp(line, "BYEBYE") ? TALKING : LEAVING;
    send_rest(c);
}

int main(int argc, char **argv) {
    int yes = 1, listening = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[argc - 1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setlocale(LC_ALL, "C.UTF-8");
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listening, (struct sockaddr *)&address, sizeof address) || listen(listening, 128)) {
        perror("cannot listen");
        return 1;
    }
    printf("listening on port %s\n", argv[argc - 1]);
    for (;;) {
        struct pollfd files[CLIENTS + 2];
        struct client *next = oldest();
        for (int i = 0; i < count; i++)
            files[i] = (struct pollfd){clients[i].fd, POLLIN | (clients[i].left ? POLLOUT : 0), 0};
        files[count] = (struct pollfd){count < CLIENTS ? listening : -1, POLLIN, 0};
        files[count + 1] = (struct pollfd){next ? KEYBOARD : -1, POLLIN, 0};
        if (poll(files, count + 2, -1) < 0) return 1;
        int can_accept = files[count].revents, has_line = files[count + 1].revents;
        for (int i = count - 1; i >= 0; i--) {
            if (files[i].revents & POLLOUT) send_rest(&clients[i]);
            if (files[i].revents & ~POLLOUT && !hear(&clients[i])) {
                printf("a client is gone\n");
                close(clients[i].fd);
                clients[i] = clients[--count];
            }
        }
        if (has_line && oldest()) answer(oldest());
        if (can_accept && (clients[count].fd = accept(listening, NULL, NULL)) >= 0) {
            clients[count].size = clients[count].left = 0;
            clients[count++].state = TALKING;
        }
    }
}
