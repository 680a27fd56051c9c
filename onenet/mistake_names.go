package onenet

import "strings"

// existence finds products and devices that are not there [onenet §10 row 3].
func existence(a *attempt) *Diagnosis {
	k := a.known
	if k.KnowsProduct != nil && !k.KnowsProduct(a.pid) {
		return a.say("onenet-unknown-product", "username", a.user, "the id of a product", a.pid)
	}
	if k.KnowsDevice != nil && !k.KnowsDevice(a.pid, a.dev) {
		return a.say("onenet-unknown-device", "clientId", a.id, "the name of a device", a.pid, a.dev)
	}
	return nil
}

// names compares client id, user name and res with each other and with who it
// most likely is [onenet §10 rows 2, 3].
func names(a *attempt) *Diagnosis {
	if a.rp == a.dev && a.rd == a.pid && a.pid != a.dev && a.resOK {
		return a.say("onenet-names-swapped", "res", a.token.Res, DeviceRes(a.pid, a.dev))
	}
	switch {
	case a.user == a.pid:
	case a.user == a.dev && a.id == a.pid:
		return a.say("onenet-names-swapped", "username", a.user, a.pid)
	case strings.EqualFold(a.user, a.pid):
		return a.say("onenet-product-case", "username", a.user, a.pid, a.user, a.pid)
	default:
		return a.say("onenet-username", "username", a.user, a.pid, a.user, a.pid)
	}
	if a.rp != a.pid {
		if strings.EqualFold(a.rp, a.pid) {
			return a.say("onenet-product-case", "res", a.rp, a.pid, a.rp, a.pid)
		}
		return a.say("onenet-res-product", "res", a.token.Res, DeviceRes(a.pid, a.dev), a.rp, a.pid)
	}
	if d := clientID(a); d != nil {
		return d
	}
	if a.rd != "" && a.rd != a.dev {
		if strings.EqualFold(a.rd, a.dev) {
			return a.say("onenet-device-name-case", "res", a.rd, a.dev, a.rd, a.dev)
		}
		return a.say("onenet-res-device", "res", a.token.Res, DeviceRes(a.pid, a.dev), a.rd, a.dev)
	}
	return nil
}

// clientID says why the client id is not the device's name.
func clientID(a *attempt) *Diagnosis {
	id := a.id
	switch {
	case id == a.dev && id != "":
		return nil
	case strings.EqualFold(id, a.dev):
		return a.say("onenet-device-name-case", "clientId", id, a.dev, id, a.dev)
	case a.dev != "" && strings.Contains(id, a.dev) && (strings.Contains(id, a.pid) || strings.ContainsFunc(id, isJoint)):
		return a.say("onenet-client-id-joined", "clientId", id, a.dev, id, a.dev)
	case id != "" && strings.Trim(id, "0123456789") == "":
		return a.say("onenet-client-id-number", "clientId", id, a.dev, id, a.dev)
	}
	return a.say("onenet-client-id", "clientId", id, a.dev, id, a.dev)
}
