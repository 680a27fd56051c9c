// A Wi-Fi that is always there, and sockets that are this machine's.
#pragma once
#include <Client.h>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { WIFI_STA = 1 };
enum { WL_CONNECTED = 3, WL_DISCONNECTED = 6 };

class WiFiStation {
  bool joined = false;

public:
  void mode(int m) { if (m != WIFI_STA) abort(); }
  void begin(const char *ssid, const char *password) { joined = ssid && password; }
  int status() { return joined ? WL_CONNECTED : WL_DISCONNECTED; }
};
extern WiFiStation WiFi;

class WiFiClient : public Client {
protected:
  int fd = -1;

public:
  int connect(IPAddress, uint16_t) override { return 0; }
  int connect(const char *host, uint16_t port) override {
    stop();
    struct addrinfo hints = {}, *found = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(host, String((int)port).c_str(), &hints, &found) != 0) return 0;
    fd = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
    int bad = ::connect(fd, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    if (bad) stop();
    return !bad;
  }
  size_t write(uint8_t b) override { return write(&b, 1); }
  size_t write(const uint8_t *buf, size_t size) override {
    if (fd < 0) return 0;
    ssize_t n = ::send(fd, buf, size, MSG_NOSIGNAL);
    return n < 0 ? 0 : n;
  }
  int available() override {
    int n = 0;
    return fd < 0 || ioctl(fd, FIONREAD, &n) < 0 ? 0 : n;
  }
  int read() override {
    uint8_t b;
    return read(&b, 1) == 1 ? b : -1;
  }
  int read(uint8_t *buf, size_t size) override { return fd < 0 ? -1 : ::recv(fd, buf, size, MSG_DONTWAIT); }
  int peek() override {
    uint8_t b;
    return fd >= 0 && ::recv(fd, &b, 1, MSG_PEEK | MSG_DONTWAIT) == 1 ? b : -1;
  }
  void flush() override {}
  void stop() override {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
  uint8_t connected() override {
    if (fd < 0) return 0;
    uint8_t b;
    ssize_t n = ::recv(fd, &b, 1, MSG_PEEK | MSG_DONTWAIT);
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
  }
  operator bool() override { return fd >= 0; }
};
