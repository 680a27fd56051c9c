/* Sends the arrays of a generated header, which the compiler includes before
 * this, to a broker and prints what it answers in hex: arrays HOST PORT. With
 * OVER_TLS it trusts the authority in CAFILE: arrays HOST PORT CAFILE. */
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int fd;

#ifdef OVER_TLS
#include <openssl/ssl.h>

static SSL *tls;

/* secured checks the broker's certificate, its name included. */
static int secured(const char *host, const char *authority)
{
    SSL_CTX *trust = SSL_CTX_new(TLS_client_method());
    if (!trust || SSL_CTX_load_verify_locations(trust, authority, NULL) != 1) return 0;
    SSL_CTX_set_verify(trust, SSL_VERIFY_PEER, NULL);
    tls = SSL_new(trust);
    return tls && SSL_set1_host(tls, host) == 1 && SSL_set_fd(tls, fd) == 1 && SSL_connect(tls) == 1;
}

static int sent(const unsigned char *bytes, size_t n) { return SSL_write(tls, bytes, (int)n) == (int)n; }

static int got(void *bytes, size_t n)
{
    for (size_t have = 0; have < n;) {
        int more = SSL_read(tls, (char *)bytes + have, (int)(n - have));
        if (more <= 0) return 0;
        have += (size_t)more;
    }
    return 1;
}
#else
static int sent(const unsigned char *bytes, size_t n) { return write(fd, bytes, n) == (ssize_t)n; }

static int got(void *bytes, size_t n) { return recv(fd, bytes, n, MSG_WAITALL) == (ssize_t)n; }
#endif

/* heard prints whole packets until one of this type has come. */
static int heard(int type, const char *end)
{
    unsigned char first, more, body[4096];
    for (;;) {
        size_t n = 0;
        int shift = 0;
        if (!got(&first, 1)) return 0;
        do {
            if (!got(&more, 1)) return 0;
            n |= (size_t)(more & 0x7f) << shift;
            shift += 7;
        } while (more & 0x80);
        if (n > sizeof body || (n > 0 && !got(body, n))) return 0;
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
    if (argc < 3 || getaddrinfo(argv[1], argv[2], &hints, &to) != 0) return 2;
    fd = socket(to->ai_family, to->ai_socktype, to->ai_protocol);
    if (connect(fd, to->ai_addr, to->ai_addrlen) != 0) return 1;
#ifdef OVER_TLS
    if (argc != 4 || !secured(argv[1], argv[3])) return 3;
#endif
    if (!sent(mqtt_connect, sizeof mqtt_connect) || !heard(2, " ")) return 1;
    if (!sent(mqtt_subscribe, sizeof mqtt_subscribe) || !heard(9, " ")) return 1;
    if (!sent(mqtt_publish, sizeof mqtt_publish)) return 1;
    if (!sent(mqtt_pingreq, sizeof mqtt_pingreq) || !heard(13, "\n")) return 1;
    return sent(mqtt_disconnect, sizeof mqtt_disconnect) ? 0 : 1;
}
