/* Sends the arrays of a generated header, which the compiler includes before
 * this, to a broker and prints what it answers in hex: arrays HOST PORT. */
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int fd;

static int sent(const unsigned char *bytes, size_t n) { return write(fd, bytes, n) == (ssize_t)n; }

/* heard prints whole packets until one of this type has come. */
static int heard(int type, const char *end)
{
    unsigned char head[2], body[128];
    for (;;) {
        if (recv(fd, head, 2, MSG_WAITALL) != 2 || head[1] > sizeof body) return 0;
        if (head[1] > 0 && recv(fd, body, head[1], MSG_WAITALL) != head[1]) return 0;
        if (head[0] >> 4 != type) continue;
        printf("%02x%02x", head[0], head[1]);
        for (int i = 0; i < head[1]; i++) printf("%02x", body[i]);
        printf("%s", end);
        return 1;
    }
}

int main(int argc, char **argv)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *to;
    if (argc != 3 || getaddrinfo(argv[1], argv[2], &hints, &to) != 0) return 2;
    fd = socket(to->ai_family, to->ai_socktype, to->ai_protocol);
    if (connect(fd, to->ai_addr, to->ai_addrlen) != 0) return 1;
    if (!sent(mqtt_connect, sizeof mqtt_connect) || !heard(2, " ")) return 1;
    if (!sent(mqtt_subscribe, sizeof mqtt_subscribe) || !heard(9, " ")) return 1;
    if (!sent(mqtt_publish, sizeof mqtt_publish)) return 1;
    if (!sent(mqtt_pingreq, sizeof mqtt_pingreq) || !heard(13, "\n")) return 1;
    return sent(mqtt_disconnect, sizeof mqtt_disconnect) ? 0 : 1;
}
