/*
 * A device, or a gateway, whose owner is the test: one order comes in on
 * standard input a line, its words parted by tabs, and one line of JSON goes out
 * for each thing that the SDK tells its application. All that is said to Matou
 * is said by Alibaba Cloud's Link SDK for C 4.x; this file only passes it on.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aiot_state_api.h"
#include "aiot_sysdep_api.h"
#include "aiot_mqtt_api.h"
#include "aiot_dm_api.h"
#include "aiot_devinfo_api.h"
#include "aiot_shadow_api.h"
#include "aiot_ntp_api.h"
#include "aiot_logpost_api.h"
#include "aiot_subdev_api.h"
#include "aiot_ota_api.h"

extern aiot_sysdep_portfile_t g_aiot_sysdep_portfile;

static void *mqtt, *dm, *devinfo, *shadow, *ntp, *logpost, *subdev, *ota, *fetch;
static pthread_mutex_t out = PTHREAD_MUTEX_INITIALIZER;
static volatile int alive = 1;

/* say writes one happening; message is JSON of n bytes. */
static void say(const char *heard, const char *message, size_t n)
{
    pthread_mutex_lock(&out);
    printf("{\"From\":\"lamp\",\"Heard\":\"%s\",\"Message\":%.*s}\n", heard, n ? (int)n : 4, n ? message : "null");
    fflush(stdout);
    pthread_mutex_unlock(&out);
}

/* sayf is say with a text of numbers and JSON. */
#define sayf(heard, ...) do { char text_[8192]; int n_ = snprintf(text_, sizeof text_, __VA_ARGS__); say(heard, text_, (size_t)n_); } while (0)

static void on_log(int32_t code, char *message) { fprintf(stderr, "%d %s", code, message); }
static int32_t log_callback(int32_t code, char *message) { on_log(code, message); return 0; }

static void hex(char *to, const uint8_t *from, uint32_t n)
{
    for (uint32_t i = 0; i < n && i < 2000; i++) sprintf(to + 2 * i, "%02x", from[i]);
}

static void on_mqtt(void *handle, const aiot_mqtt_event_t *event, void *userdata)
{
    if (event->type == AIOT_MQTTEVT_CONNECT) say("connect", "null", 4);
    if (event->type == AIOT_MQTTEVT_RECONNECT) say("reconnect", "null", 4);
}

static void on_packet(void *handle, const aiot_mqtt_recv_t *packet, void *userdata)
{
    if (packet->type == AIOT_MQTTRECV_SUB_ACK) sayf("suback", "%d", packet->data.sub_ack.max_qos);
    if (packet->type == AIOT_MQTTRECV_PUB) {
        char bytes[4001] = "";
        hex(bytes, packet->data.pub.payload, packet->data.pub.payload_len);
        sayf("message", "{\"topic\":\"%.*s\",\"hex\":\"%s\"}", (int)packet->data.pub.topic_len, packet->data.pub.topic, bytes);
    }
}

/* What is set is done; a service answers how often it was told to. */
static void on_model(void *handle, const aiot_dm_recv_t *r, void *userdata)
{
    aiot_dm_msg_t answer;
    char bytes[4001] = "";
    memset(&answer, 0, sizeof answer);
    switch (r->type) {
    case AIOT_DMRECV_GENERIC_REPLY:
        sayf("reply", "{\"code\":%u,\"data\":%.*s,\"message\":\"%.*s\"}", r->data.generic_reply.code,
             (int)r->data.generic_reply.data_len, r->data.generic_reply.data, (int)r->data.generic_reply.message_len, r->data.generic_reply.message);
        return;
    case AIOT_DMRECV_PROPERTY_SET:
        say("props", r->data.property_set.params, r->data.property_set.params_len);
        answer.type = AIOT_DMMSG_PROPERTY_SET_REPLY;
        answer.data.property_set_reply.msg_id = r->data.property_set.msg_id;
        answer.data.property_set_reply.code = 200;
        answer.data.property_set_reply.data = "{}";
        break;
    case AIOT_DMRECV_ASYNC_SERVICE_INVOKE:
        say("service", r->data.async_service_invoke.params, r->data.async_service_invoke.params_len);
        answer.type = AIOT_DMMSG_ASYNC_SERVICE_REPLY;
        answer.data.async_service_reply.msg_id = r->data.async_service_invoke.msg_id;
        answer.data.async_service_reply.service_id = r->data.async_service_invoke.service_id;
        answer.data.async_service_reply.code = 200;
        answer.data.async_service_reply.data = "{\"Done\":3}";
        break;
    case AIOT_DMRECV_SYNC_SERVICE_INVOKE:
        say("service", r->data.sync_service_invoke.params, r->data.sync_service_invoke.params_len);
        answer.type = AIOT_DMMSG_SYNC_SERVICE_REPLY;
        answer.data.sync_service_reply.msg_id = r->data.sync_service_invoke.msg_id;
        answer.data.sync_service_reply.rrpc_id = r->data.sync_service_invoke.rrpc_id;
        answer.data.sync_service_reply.service_id = r->data.sync_service_invoke.service_id;
        answer.data.sync_service_reply.code = 200;
        answer.data.sync_service_reply.data = "{\"Done\":2}";
        break;
    case AIOT_DMRECV_RAW_DATA_REPLY:
    case AIOT_DMRECV_RAW_DATA:
        hex(bytes, r->data.raw_data.data, r->data.raw_data.data_len);
        sayf(r->type == AIOT_DMRECV_RAW_DATA ? "raw" : "rawreply", "\"%s\"", bytes);
        return;
    default:
        return;
    }
    aiot_dm_send(handle, &answer);
}

static void on_devinfo(void *handle, const aiot_devinfo_recv_t *r, void *userdata) { sayf("tags", "%u", r->data.generic_reply.code); }

static void on_shadow(void *handle, const aiot_shadow_recv_t *r, void *userdata)
{
    switch (r->type) {
    case AIOT_SHADOWRECV_GENERIC_REPLY:
        say("shadow", r->data.generic_reply.payload, r->data.generic_reply.payload_len);
        break;
    case AIOT_SHADOWRECV_CONTROL:
        say("control", r->data.control.payload, r->data.control.payload_len);
        break;
    case AIOT_SHADOWRECV_GET_REPLY:
        say("shadowis", r->data.get_reply.payload, r->data.get_reply.payload_len);
        break;
    }
}

static void on_time(void *handle, const aiot_ntp_recv_t *r, void *userdata) { sayf("time", "%llu", (unsigned long long)r->data.local_time.timestamp); }

static void on_logging(void *handle, const aiot_logpost_event_t *e, void *userdata) { sayf("logging", "%d", e->data.config_data.on_off); }

static void on_sub(void *handle, const aiot_subdev_recv_t *r, void *userdata)
{
    if (r->type == AIOT_SUBDEVRECV_TOPO_CHANGE_NOTIFY)
        sayf("topochange", "%s", r->data.generic_notify.params);
    else
        sayf("sub", "{\"type\":%d,\"code\":%u,\"data\":%s}", r->type, r->data.generic_reply.code, r->data.generic_reply.data ? r->data.generic_reply.data : "null");
}

static void on_block(void *handle, const aiot_download_recv_t *r, void *userdata)
{
    if (r->data.percent < 0) { sayf("failed", "%d", r->data.percent); return; }
    aiot_download_report_progress(handle, r->data.percent);
    sayf("block", "{\"bytes\":%u,\"percent\":%d}", r->data.len, r->data.percent);
}

static void *download(void *handle)
{
    int32_t got;
    aiot_download_send_request(handle);
    while ((got = aiot_download_recv(handle)) != STATE_DOWNLOAD_FINISHED && alive)
        if (got <= STATE_SUCCESS && got != STATE_DOWNLOAD_RENEWAL_REQUEST_SENT) { sayf("failed", "%d", got); break; }
    if (got == STATE_DOWNLOAD_FINISHED) say("downloaded", "null", 4);
    aiot_download_deinit(&handle);
    return NULL;
}

/* Firmware is fetched by plain HTTP; DOWNLOAD_PORT is where the test serves it. */
static void on_ota(void *handle, const aiot_ota_recv_t *r, void *userdata)
{
    uint16_t port = (uint16_t)atoi(getenv("DOWNLOAD_PORT"));
    uint32_t most = 8 << 10;
    pthread_t thread;
    if (r->type == AIOT_OTARECV_COTA) { sayf("config", "{\"url\":\"%s\",\"size\":%u}", r->task_desc->url, r->task_desc->size_total); return; }
    sayf("firmware", "{\"version\":\"%s\",\"size\":%u,\"url\":\"%s\"}", r->task_desc->version, r->task_desc->size_total, r->task_desc->url);
    fetch = aiot_download_init();
    aiot_download_setopt(fetch, AIOT_DLOPT_NETWORK_PORT, &port);
    aiot_download_setopt(fetch, AIOT_DLOPT_TASK_DESC, r->task_desc);
    aiot_download_setopt(fetch, AIOT_DLOPT_RECV_HANDLER, (void *)on_block);
    aiot_download_setopt(fetch, AIOT_DLOPT_BODY_BUFFER_MAX_LEN, &most);
    if (pthread_create(&thread, NULL, download, fetch) == 0) pthread_detach(thread);
}

static void *receive(void *unused) { while (alive) if (aiot_mqtt_recv(mqtt) < 0) g_aiot_sysdep_portfile.core_sysdep_sleep(20); return NULL; }
static void *process(void *unused) { while (alive) { aiot_mqtt_process(mqtt); g_aiot_sysdep_portfile.core_sysdep_sleep(100); } return NULL; }

static int32_t model(aiot_dm_msg_type_t type, char *a, char *b)
{
    static uint8_t bytes[2048];
    aiot_dm_msg_t m;
    memset(&m, 0, sizeof m);
    m.type = type;
    switch (type) {
    case AIOT_DMMSG_EVENT_POST:
        m.data.event_post.event_id = a;
        m.data.event_post.params = b;
        break;
    case AIOT_DMMSG_RAW_DATA:
        for (m.data.raw_data.data_len = 0; a[2 * m.data.raw_data.data_len]; m.data.raw_data.data_len++)
            sscanf(a + 2 * m.data.raw_data.data_len, "%2hhx", bytes + m.data.raw_data.data_len);
        m.data.raw_data.data = bytes;
        break;
    default: /* all others have their parameters in the same place */
        m.data.property_post.params = a;
    }
    return aiot_dm_send(dm, &m);
}

static int32_t order(char **w, int n)
{
    aiot_devinfo_msg_t tags;
    aiot_shadow_msg_t s;
    aiot_logpost_msg_t line;
    aiot_subdev_dev_t sub;
    memset(&tags, 0, sizeof tags), memset(&s, 0, sizeof s), memset(&line, 0, sizeof line), memset(&sub, 0, sizeof sub);
    if (n > 3) sub.product_key = w[1], sub.device_name = w[2], sub.device_secret = w[3];
    if (n > 4) sub.product_secret = w[4];
    if (!strcmp(w[0], "property")) return model(AIOT_DMMSG_PROPERTY_POST, w[1], NULL);
    if (!strcmp(w[0], "event")) return model(AIOT_DMMSG_EVENT_POST, w[1], w[2]);
    if (!strcmp(w[0], "batch")) return model(AIOT_DMMSG_PROPERTY_BATCH_POST, w[1], NULL);
    if (!strcmp(w[0], "desired")) return model(AIOT_DMMSG_GET_DESIRED, w[1], NULL);
    if (!strcmp(w[0], "undesire")) return model(AIOT_DMMSG_DELETE_DESIRED, w[1], NULL);
    if (!strcmp(w[0], "raw")) return model(AIOT_DMMSG_RAW_DATA, w[1], NULL);
    if (!strcmp(w[0], "tag") || !strcmp(w[0], "untag")) {
        tags.type = w[0][0] == 't' ? AIOT_DEVINFO_MSG_UPDATE : AIOT_DEVINFO_MSG_DELETE;
        tags.product_key = getenv("PRODUCT_KEY"), tags.device_name = getenv("DEVICE_NAME");
        tags.data.update.params = w[1];
        return aiot_devinfo_send(devinfo, &tags);
    }
    if (!strcmp(w[0], "shadow")) {
        s.type = AIOT_SHADOWMSG_UPDATE;
        s.data.update.reported = w[1];
        s.data.update.version = atoll(w[2]);
        return aiot_shadow_send(shadow, &s);
    }
    if (!strcmp(w[0], "shadow?")) { s.type = AIOT_SHADOWMSG_GET; return aiot_shadow_send(shadow, &s); }
    if (!strcmp(w[0], "shadow-clean")) { s.type = AIOT_SHADOWMSG_CLEAN_DESIRED; s.data.clean_desired.version = atoll(w[1]); return aiot_shadow_send(shadow, &s); }
    if (!strcmp(w[0], "shadow-delete")) {
        s.type = AIOT_SHADOWMSG_DELETE_REPORTED;
        s.data.delete_reporte.reported = w[1];
        s.data.delete_reporte.version = atoll(w[2]);
        return aiot_shadow_send(shadow, &s);
    }
    if (!strcmp(w[0], "time")) return aiot_ntp_send_request(ntp);
    if (!strcmp(w[0], "log")) { line.loglevel = AIOT_LOGPOST_LEVEL_ERR; line.module_name = "test"; line.content = w[1]; line.code = -1; return aiot_logpost_send(logpost, &line); }
    if (!strcmp(w[0], "version")) return aiot_ota_report_version(ota, w[1]);
    if (!strcmp(w[0], "firmware?")) return aiot_ota_query_firmware(ota);
    if (!strcmp(w[0], "topo-add")) return aiot_subdev_send_topo_add(subdev, &sub, 1);
    if (!strcmp(w[0], "topo-delete")) return aiot_subdev_send_topo_delete(subdev, &sub, 1);
    if (!strcmp(w[0], "topo?")) return aiot_subdev_send_topo_get(subdev);
    if (!strcmp(w[0], "login")) return aiot_subdev_send_batch_login(subdev, &sub, 1);
    if (!strcmp(w[0], "logout")) return aiot_subdev_send_batch_logout(subdev, &sub, 1);
    if (!strcmp(w[0], "register")) return aiot_subdev_send_sub_register(subdev, &sub, 1);
    if (!strcmp(w[0], "sub")) return aiot_mqtt_sub(mqtt, w[1], NULL, 1, NULL);
    if (!strcmp(w[0], "pub")) return aiot_mqtt_pub(mqtt, w[1], (uint8_t *)w[2], (uint32_t)strlen(w[2]), 1);
    return -1;
}

int main(void)
{
    uint16_t port = (uint16_t)atoi(getenv("PORT"));
    uint8_t yes = 1;
    int8_t zone = 0;
    int32_t res;
    pthread_t threads[2];
    static char line[16384];

    aiot_sysdep_set_portfile(&g_aiot_sysdep_portfile);
    aiot_state_set_logcb(log_callback);
    mqtt = aiot_mqtt_init();
    aiot_mqtt_setopt(mqtt, AIOT_MQTTOPT_HOST, getenv("HOST"));
    aiot_mqtt_setopt(mqtt, AIOT_MQTTOPT_PORT, &port);
    aiot_mqtt_setopt(mqtt, AIOT_MQTTOPT_PRODUCT_KEY, getenv("PRODUCT_KEY"));
    aiot_mqtt_setopt(mqtt, AIOT_MQTTOPT_DEVICE_NAME, getenv("DEVICE_NAME"));
    aiot_mqtt_setopt(mqtt, AIOT_MQTTOPT_DEVICE_SECRET, getenv("DEVICE_SECRET"));
    aiot_mqtt_setopt(mqtt, AIOT_MQTTOPT_EVENT_HANDLER, (void *)on_mqtt);
    aiot_mqtt_setopt(mqtt, AIOT_MQTTOPT_RECV_HANDLER, (void *)on_packet);

    dm = aiot_dm_init();
    aiot_dm_setopt(dm, AIOT_DMOPT_MQTT_HANDLE, mqtt);
    aiot_dm_setopt(dm, AIOT_DMOPT_RECV_HANDLER, (void *)on_model);
    aiot_dm_setopt(dm, AIOT_DMOPT_POST_REPLY, &yes);
    devinfo = aiot_devinfo_init();
    aiot_devinfo_setopt(devinfo, AIOT_DEVINFOOPT_MQTT_HANDLE, mqtt);
    aiot_devinfo_setopt(devinfo, AIOT_DEVINFOOPT_RECV_HANDLER, (void *)on_devinfo);
    shadow = aiot_shadow_init();
    aiot_shadow_setopt(shadow, AIOT_SHADOWOPT_MQTT_HANDLE, mqtt);
    aiot_shadow_setopt(shadow, AIOT_SHADOWOPT_RECV_HANDLER, (void *)on_shadow);
    ntp = aiot_ntp_init();
    aiot_ntp_setopt(ntp, AIOT_NTPOPT_MQTT_HANDLE, mqtt);
    aiot_ntp_setopt(ntp, AIOT_NTPOPT_TIME_ZONE, &zone);
    aiot_ntp_setopt(ntp, AIOT_NTPOPT_RECV_HANDLER, (void *)on_time);
    logpost = aiot_logpost_init();
    aiot_logpost_setopt(logpost, AIOT_LOGPOSTOPT_MQTT_HANDLE, mqtt);
    aiot_logpost_setopt(logpost, AIOT_LOGPOSTOPT_EVENT_HANDLER, (void *)on_logging);
    ota = aiot_ota_init();
    aiot_ota_setopt(ota, AIOT_OTAOPT_MQTT_HANDLE, mqtt);
    aiot_ota_setopt(ota, AIOT_OTAOPT_RECV_HANDLER, (void *)on_ota);
    if (getenv("GATEWAY")) {
        subdev = aiot_subdev_init();
        aiot_subdev_setopt(subdev, AIOT_SUBDEVOPT_MQTT_HANDLE, mqtt);
        aiot_subdev_setopt(subdev, AIOT_SUBDEVOPT_RECV_HANDLER, (void *)on_sub);
    }

    if ((res = aiot_mqtt_connect(mqtt)) < STATE_SUCCESS) {
        sayf("error", "\"connect: -0x%04X\"", (unsigned)-res);
        return 1;
    }
    pthread_create(&threads[0], NULL, receive, NULL);
    pthread_create(&threads[1], NULL, process, NULL);
    while (fgets(line, sizeof line, stdin)) {
        char *words[8] = {0}, *at = line, *word;
        int n = 0;
        line[strcspn(line, "\n")] = 0;
        while (n < 8 && (word = strsep(&at, "\t"))) words[n++] = word;
        if (n && (res = order(words, n)) < STATE_SUCCESS) sayf("error", "\"%s: -0x%04X\"", words[0], (unsigned)-res);
    }
    alive = 0;
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    aiot_mqtt_disconnect(mqtt);
    return 0;
}
