"""A Wi-Fi that is always there."""

STA_IF = 0


class WLAN:
    def __init__(self, interface):
        assert interface == STA_IF
        self.joined = False

    def active(self, on):
        assert on is True

    def connect(self, ssid, password):
        assert isinstance(ssid, str) and isinstance(password, str)
        self.joined = True

    def isconnected(self):
        return self.joined
