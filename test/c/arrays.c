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
    unsigned char first, more, body[4096];
    for (;;) {
        size_t n = 0;
        int shift = 0;
        if (recv(fd, &first, 1, MSG_WAITALL) != 1) return 0;
        do {
            if (recv(fd, &more, 1, MSG_WAITALL) != 1) return 0;
            n |= (size_t)(more & 0x7f) << shift;
            shift += 7;
        } while (more & 0x80);
        if (n > sizeof body || (n > 0 && recv(fd, body, n, MSG_WAITALL) != (ssize_t)n)) return 0;
        if (first >> 4 != type) continue;
        printf("%02x%02x", first, (unsigned)n);
        for (size_t i = 0; i < n; i++) printf("%02x", body[i]);
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
