package onenet

// maxClientID is how long a device's name may be, and so a client id.
const maxClientID = 64

// ReturnCode is what the CONNACK says of the mistake: 1 for another version of
// the protocol, 2 for a client id longer than any name, 4 for every other
// login. silent says that there is none: the platform closes on a CONNECT that
// asks for what it does not have [onenet §1.4].
func (d *Diagnosis) ReturnCode() (code byte, silent bool) {
	switch d.Code {
	case "onenet-protocol-level":
		return 1, false
	case "onenet-keep-alive", "onenet-clean-session", "onenet-will":
		return 0, true
	}
	if d.Field == "clientId" && len(d.Received) > maxClientID {
		return 2, false
	}
	return 4, false
}
