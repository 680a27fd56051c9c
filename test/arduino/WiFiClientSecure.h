// TLS over this machine's sockets, by OpenSSL: of an ESP8266 (BearSSL) or an ESP32.
// Like both it knows nobody until it is told whom to trust, and compares the
// name of the server.
#pragma once
#include <ESP8266WiFi.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

class SecureClient : public WiFiClient {
  SSL_CTX *ctx = nullptr;
  SSL *ssl = nullptr;

protected:
  std::string trusted;

public:
  using WiFiClient::connect;
  int connect(const char *host, uint16_t port) override {
    if (!WiFiClient::connect(host, port)) return 0;
    ctx = SSL_CTX_new(TLS_client_method());
    BIO *pem = BIO_new_mem_buf(trusted.data(), trusted.size());
    while (X509 *x = PEM_read_bio_X509(pem, nullptr, nullptr, nullptr)) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), x);
      X509_free(x);
    }
    BIO_free(pem);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
    ssl = SSL_new(ctx);
    SSL_set_tlsext_host_name(ssl, host);
    SSL_set1_host(ssl, host);
    SSL_set_fd(ssl, fd);
    ERR_clear_error();
    if (SSL_connect(ssl) == 1) {
      fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
      return 1;
    }
    stop();
    return 0;
  }
  size_t write(uint8_t b) override { return write(&b, 1); }
  size_t write(const uint8_t *buf, size_t size) override {
    int n = ssl ? SSL_write(ssl, buf, size) : 0;
    return n < 0 ? 0 : n;
  }
  int available() override {
    uint8_t b;
    if (!ssl) return 0;
    SSL_peek(ssl, &b, 1);
    return SSL_pending(ssl);
  }
  int read() override {
    uint8_t b;
    return read(&b, 1) == 1 ? b : -1;
  }
  int read(uint8_t *buf, size_t size) override { return ssl ? SSL_read(ssl, buf, size) : -1; }
  int peek() override {
    uint8_t b;
    return ssl && SSL_peek(ssl, &b, 1) == 1 ? b : -1;
  }
  uint8_t connected() override {
    if (!ssl) return 0;
    if (available()) return 1;
    return WiFiClient::connected() && !(SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN);
  }
  void stop() override {
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    ssl = nullptr;
    ctx = nullptr;
    WiFiClient::stop();
  }
};

#if defined(ESP8266)
namespace BearSSL {
class X509List {
public:
  std::string pem;
  X509List(const char *text) : pem(text) {}
};
class WiFiClientSecure : public SecureClient {
public:
  void setTrustAnchors(const X509List *list) { trusted = list->pem; }
};
}
#else
class WiFiClientSecure : public SecureClient {
public:
  void setCACert(const char *pem) { trusted = pem; }
};
#endif
