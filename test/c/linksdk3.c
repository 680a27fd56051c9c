/*
 * A device, or a gateway with sub-devices, whose owner is the test: one order
 * comes in on standard input a line, its words parted by tabs, and one line of
 * JSON goes out for each thing that the SDK tells its application. All that is
 * said to Matou is said by Alibaba Cloud's Link SDK for C 3.x; this file passes
 * it on, and is the SDK's TCP: it goes to HOST and PORT, whatever the SDK names.
 */
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "infra_types.h"
#include "infra_defs.h"
#include "infra_compat.h"
#include "dev_model_api.h"

/* The SDK's hardware layer, as far as it is a socket. */
uintptr_t HAL_TCP_Establish(const char *host, uint16_t port)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    int fd;
    if (getaddrinfo(getenv("HOST"), getenv("PORT"), &hints, &found) != 0) return (uintptr_t)-1;
    fd = socket(found->ai_family, found->ai_socktype, 0);
    if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) != 0) { close(fd); fd = -1; }
    freeaddrinfo(found);
    return (uintptr_t)fd;
}

int HAL_TCP_Destroy(uintptr_t fd) { return close((int)fd); }

int32_t HAL_TCP_Write(uintptr_t fd, const char *buf, uint32_t len, uint32_t timeout_ms)
{
    uint32_t done = 0;
    while (done < len) {
        ssize_t n = send((int)fd, buf + done, len - done, MSG_NOSIGNAL);
        if (n <= 0) return -1;
        done += (uint32_t)n;
    }
    return (int32_t)done;
}

int32_t HAL_TCP_Read(uintptr_t fd, char *buf, uint32_t len, uint32_t timeout_ms)
{
    uint32_t done = 0;
    while (done < len) {
        struct pollfd p = {.fd = (int)fd, .events = POLLIN};
        ssize_t n;
        if (poll(&p, 1, (int)timeout_ms) <= 0) break;
        n = recv((int)fd, buf + done, len - done, 0);
        if (n <= 0) return done ? (int32_t)done : -1;
        done += (uint32_t)n;
    }
    return (int32_t)done;
}

static pthread_mutex_t out = PTHREAD_MUTEX_INITIALIZER;

/* The SDK prints, too: each happening begins a line of its own. */
static void say(const char *from, const char *heard, const char *message, int n)
{
    pthread_mutex_lock(&out);
    printf("\n{\"From\":\"%s\",\"Heard\":\"%s\",\"Message\":%.*s}\n", from, heard, n > 0 ? n : 4, n > 0 ? message : "null");
    fflush(stdout);
    pthread_mutex_unlock(&out);
}

static const char *who(int devid) { return devid == 0 ? "lamp" : "sub"; }

static void code(int devid, const char *heard, int c) { char text[32]; say(who(devid), heard, text, snprintf(text, sizeof text, "%d", c)); }

static int on_connect(void) { say("lamp", "connect", NULL, 0); return 0; }
static int on_ready(const int devid) { say(who(devid), "ready", NULL, 0); return 0; }
static int on_reply(const int devid, const int id, const int c, const char *reply, const int n) { code(devid, "reply", c); return 0; }
static int on_event(const int devid, const int id, const int c, const char *event, const int en, const char *m, const int n) { code(devid, "event", c); return 0; }
static int on_time(const char *t) { say("lamp", "time", t, (int)strlen(t)); return 0; }
static int on_topo(const int devid, const int id, const int c, const char *list, const int n) { say("lamp", "topo", list, n); return 0; }

static int on_raw(const int devid, const unsigned char *b, const int n)
{
    char text[4100] = "\"";
    int at = 1;
    for (int i = 0; i < n && i < 2000; i++) at += sprintf(text + at, "%02x", b[i]);
    text[at++] = '"';
    say(who(devid), "raw", text, at);
    return 0;
}

/* What is set is reported; the SDK itself says set_reply. */
static int on_set(const int devid, const char *set, const int n)
{
    say(who(devid), "props", set, n);
    IOT_Linkkit_Report(devid, ITM_MSG_POST_PROPERTY, (unsigned char *)set, n);
    return 0;
}

static int on_service(const int devid, const char *service, const int sn, const char *input, const int n, char **output, int *on)
{
    say(who(devid), "service", input, n);
    *output = strdup("{\"Done\":3}");
    *on = (int)strlen(*output);
    return 0;
}

static int on_config(const int type, const char *id, int size, const char *get, const char *sign, const char *method, const char *url)
{
    char text[1024];
    say("lamp", "config", text, snprintf(text, sizeof text, "{\"id\":\"%s\",\"size\":%d,\"url\":\"%s\"}", id, size, url));
    return 0;
}

static int on_firmware(const int type, const char *version)
{
    char text[256];
    say("lamp", "firmware", text, snprintf(text, sizeof text, "\"%s\"", version));
    return 0;
}

static int sub = -1;

static int open_device(int kind, const char *pk, const char *dn, const char *ds)
{
    iotx_linkkit_dev_meta_info_t meta;
    memset(&meta, 0, sizeof meta);
    snprintf(meta.product_key, sizeof meta.product_key, "%s", pk);
    snprintf(meta.device_name, sizeof meta.device_name, "%s", dn);
    snprintf(meta.device_secret, sizeof meta.device_secret, "%s", ds);
    return IOT_Linkkit_Open(kind, &meta);
}

/* A sub-device waits for its answers, which another thread has to fetch. */
static void *yield(void *unused) { for (;;) IOT_Linkkit_Yield(50); return NULL; }

#define TEXT(s) (unsigned char *)(s), (int)strlen(s)

static int order(char **w, int n)
{
    unsigned char bytes[2048];
    int len = 0;
    int dev = 0;
    if (!strncmp(w[0], "sub-", 4)) { dev = sub; w[0] += 4; }
    if (!strcmp(w[0], "property")) return IOT_Linkkit_Report(dev, ITM_MSG_POST_PROPERTY, TEXT(w[1]));
    if (!strcmp(w[0], "event")) return IOT_Linkkit_TriggerEvent(dev, w[1], (int)strlen(w[1]), w[2], (int)strlen(w[2]));
    if (!strcmp(w[0], "tag")) return IOT_Linkkit_Report(dev, ITM_MSG_DEVICEINFO_UPDATE, TEXT(w[1]));
    if (!strcmp(w[0], "untag")) return IOT_Linkkit_Report(dev, ITM_MSG_DEVICEINFO_DELETE, TEXT(w[1]));
    if (!strcmp(w[0], "time")) return IOT_Linkkit_Query(dev, ITM_MSG_QUERY_TIMESTAMP, NULL, 0);
    if (!strcmp(w[0], "topo?")) return IOT_Linkkit_Query(dev, ITM_MSG_QUERY_TOPOLIST, NULL, 0);
    if (!strcmp(w[0], "config?")) return IOT_Linkkit_Query(dev, ITM_MSG_REQUEST_COTA, NULL, 0);
    if (!strcmp(w[0], "raw")) {
        for (; w[1][2 * len] && len < (int)sizeof bytes; len++) sscanf(w[1] + 2 * len, "%2hhx", bytes + len);
        return IOT_Linkkit_Report(dev, ITM_MSG_POST_RAW_DATA, bytes, len);
    }
    if (!strcmp(w[0], "open") && n > 3) {
        sub = open_device(IOTX_LINKKIT_DEV_TYPE_SLAVE, w[1], w[2], w[3]);
        return sub < 0 ? sub : IOT_Linkkit_Connect(sub);
    }
    if (!strcmp(w[0], "login")) return IOT_Linkkit_Report(sub, ITM_MSG_LOGIN, NULL, 0);
    if (!strcmp(w[0], "logout")) return IOT_Linkkit_Report(sub, ITM_MSG_LOGOUT, NULL, 0);
    return -1;
}

int main(void)
{
    static char line[16384];
    pthread_t thread;
    int region = IOTX_CLOUD_REGION_CUSTOM, no = 0, yes = 1;

    IOT_SetLogLevel(IOT_LOG_NONE);
    IOT_RegisterCallback(ITE_CONNECT_SUCC, on_connect);
    IOT_RegisterCallback(ITE_INITIALIZE_COMPLETED, on_ready);
    IOT_RegisterCallback(ITE_REPORT_REPLY, on_reply);
    IOT_RegisterCallback(ITE_TRIGGER_EVENT_REPLY, on_event);
    IOT_RegisterCallback(ITE_PROPERTY_SET, on_set);
    IOT_RegisterCallback(ITE_SERVICE_REQUEST, on_service);
    IOT_RegisterCallback(ITE_TIMESTAMP_REPLY, on_time);
    IOT_RegisterCallback(ITE_TOPOLIST_REPLY, on_topo);
    IOT_RegisterCallback(ITE_RAWDATA_ARRIVED, on_raw);
    IOT_RegisterCallback(ITE_COTA, on_config);
    IOT_RegisterCallback(ITE_FOTA, on_firmware);
    IOT_Ioctl(IOTX_IOCTL_SET_DOMAIN, &region);
    IOT_Ioctl(IOTX_IOCTL_SET_MQTT_DOMAIN, getenv("HOST"));
    IOT_Ioctl(IOTX_IOCTL_SET_DYNAMIC_REGISTER, &no);
    IOT_Ioctl(IOTX_IOCTL_RECV_EVENT_REPLY, &yes);
    IOT_Ioctl(IOTX_IOCTL_RECV_PROP_REPLY, &yes);

    if (open_device(IOTX_LINKKIT_DEV_TYPE_MASTER, getenv("PRODUCT_KEY"), getenv("DEVICE_NAME"), getenv("DEVICE_SECRET")) < 0 || IOT_Linkkit_Connect(0) < 0) {
        say("lamp", "error", "\"connect\"", 9);
        return 1;
    }
    pthread_create(&thread, NULL, yield, NULL);
    while (fgets(line, sizeof line, stdin)) {
        char *words[8] = {0}, *at = line, *word;
        int n = 0, res;
        line[strcspn(line, "\n")] = 0;
        while (n < 8 && (word = strsep(&at, "\t"))) words[n++] = word;
        if (n && (res = order(words, n)) < 0) {
            char text[64];
            say("lamp", "error", text, snprintf(text, sizeof text, "\"%.20s: -0x%04X\"", words[0], (unsigned)-res));
        }
    }
    return 0; /* the connection goes with the process */
}
