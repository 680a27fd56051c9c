// The board: setup once, loop for ever.
#include <ESP8266WiFi.h>

Console Serial;
WiFiStation WiFi;

int main() {
  setup();
  for (;;) {
    loop();
    usleep(1000);
  }
}
