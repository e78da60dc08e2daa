// The least that can serve server-sent events: answers any GET with an endless stream, and writes each line of standard input to all of them.
// Usage: raw PORT. One thread; it is what the kernel itself costs.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 20000, AT_ONCE = 1024 };

static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n\r\n";
static int streams[MOST]; // descriptors that were answered
static int place[MOST];   // of a descriptor among the streams; -1: not answered yet
static int count;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int listen_at(int port) {
    int on = 1, server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(server, (struct sockaddr *)&address, sizeof address) || listen(server, 4096)) fail("listen");
    return server;
}

static void watch(int epoll, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event)) fail("epoll_ctl");
}

static void leave(int descriptor) {
    if (place[descriptor] >= 0) {
        streams[place[descriptor]] = streams[--count];
        place[streams[count]] = place[descriptor];
    }
    close(descriptor);
}

static void broadcast(const char *line, size_t length) {
    char *event = malloc(length + 8);
    size_t size = (size_t)sprintf(event, "data: %.*s\n\n", (int)length, line);
    for (int i = count - 1; i >= 0; i--)
        if (send(streams[i], event, size, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)size) leave(streams[i]);
    free(event);
}

static void serve(int descriptor) {
    char request[4096];
    if (recv(descriptor, request, sizeof request, MSG_DONTWAIT) <= 0) {
        leave(descriptor);
    } else if (place[descriptor] < 0) {
        send(descriptor, head, sizeof head - 1, MSG_NOSIGNAL);
        streams[place[descriptor] = count++] = descriptor;
    }
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    int server = listen_at(atoi(argv[1])), epoll = epoll_create1(0), on = 1;
    struct epoll_event ready[AT_ONCE];
    char *line = NULL;
    size_t room = 0;
    watch(epoll, server);
    watch(epoll, STDIN_FILENO);
    for (;;) {
        int n = epoll_wait(epoll, ready, AT_ONCE, -1);
        if (n < 0 && errno != EINTR) fail("epoll_wait");
        for (int i = 0; i < n; i++) {
            int descriptor = ready[i].data.fd;
            if (descriptor == server) {
                for (int client; (client = accept4(server, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
                    if (client >= MOST) {
                        close(client);
                        continue;
                    }
                    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                    place[client] = -1;
                    watch(epoll, client);
                }
            } else if (descriptor == STDIN_FILENO) {
                ssize_t length = getline(&line, &room, stdin);
                if (length <= 0) return 0;
                broadcast(line, (size_t)length - 1);
            } else {
                serve(descriptor);
            }
        }
    }
}
