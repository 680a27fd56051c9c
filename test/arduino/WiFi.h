// The same Wi-Fi, as an ESP32 calls it.
#pragma once
#include <ESP8266WiFi.h>
