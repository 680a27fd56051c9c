package aliyun

// The return codes of a CONNACK that refuses a login [aliyun-device §2.6].
const (
	ReturnIdentifierRejected byte = 2
	ReturnUnavailable        byte = 3
	ReturnBadLogin           byte = 4
	ReturnNotAuthorized      byte = 5
)

// ReturnCode is what the CONNACK of a 3.x device says of the mistake: 2 where
// the client id cannot be read, 5 where the platform has no such way to log
// in, 4 for all that is wrong with names, secrets and signatures.
func (d *Diagnosis) ReturnCode() byte {
	switch d.Code {
	case "aliyun-clientid-no-bars", "aliyun-clientid-one-bar", "aliyun-escaped-commas", "aliyun-unknown-method":
		return ReturnIdentifierRejected
	case "aliyun-url-encoded", "aliyun-full-width":
		if d.Field == "clientId" {
			return ReturnIdentifierRejected
		}
	case "aliyun-id2":
		return ReturnNotAuthorized
	}
	return ReturnBadLogin
}
