// The Arduino core on a computer, as far as generated sketches use it.
#pragma once

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <string>

typedef bool boolean;
typedef uint8_t byte;

#define F(text) (text)
#define PROGMEM
#define PGM_P const char *
#define pgm_read_byte_near(p) (*(p))
#define strlen_P strlen

inline unsigned long millis() {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000ul + t.tv_nsec / 1000000;
}
inline void delay(unsigned long ms) { usleep(ms * 1000); }
inline void yield() {}
inline void configTime(int, int, const char *, const char * = nullptr) {} // this machine knows the time

class String {
  std::string s;

public:
  String(const char *text = "") : s(text) {}
  String(char c) : s(1, c) {}
  String(int n) : s(std::to_string(n)) {}
  String(long n) : s(std::to_string(n)) {}
  String(double x, unsigned char decimals = 2) {
    char b[64];
    snprintf(b, sizeof b, "%.*f", decimals, x);
    s = b;
  }
  unsigned int length() const { return s.size(); }
  const char *c_str() const { return s.c_str(); }
  void reserve(unsigned int n) { s.reserve(n); }
  char operator[](unsigned int i) const { return s.at(i); }
  String &operator+=(const String &o) { s += o.s; return *this; }
  String &operator+=(const char *o) { s += o; return *this; }
  String &operator+=(char c) { s += c; return *this; }
  int indexOf(const String &o, unsigned int from = 0) const { return found(s.find(o.s, from)); }
  int indexOf(char c, unsigned int from = 0) const { return found(s.find(c, from)); }
  String substring(unsigned int from, unsigned int to) const {
    if (from > s.size() || to < from) return "";
    return s.substr(from, to - from).c_str();
  }
  long toInt() const { return atol(s.c_str()); }
  float toFloat() const { return atof(s.c_str()); }

private:
  static int found(size_t at) { return at == std::string::npos ? -1 : (int)at; }
};
inline String operator+(String a, const String &b) { return a += b; }

class Print {
public:
  virtual size_t write(uint8_t) = 0;
  virtual size_t write(const uint8_t *b, size_t n) {
    size_t i = 0;
    while (i < n && write(b[i])) i++;
    return i;
  }
  virtual ~Print() {}
};

class Stream : public Print {
public:
  virtual int available() = 0;
  virtual int read() = 0;
  virtual int peek() = 0;
  virtual void flush() = 0;
};

class Console {
public:
  void begin(unsigned long) { setvbuf(stdout, nullptr, _IOLBF, 0); }
  void println(const String &s) { puts(s.c_str()); }
};
extern Console Serial;

void setup();
void loop();
