#pragma once
#include <stdint.h>

class IPAddress {
public:
  IPAddress(uint8_t = 0, uint8_t = 0, uint8_t = 0, uint8_t = 0) {}
};
