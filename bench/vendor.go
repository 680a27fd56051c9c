//go:build linux

package main

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/matou-iot/matou/aliyun"
	"github.com/matou-iot/matou/onenet"
)

// A vendor is how the devices of one cloud log in, post three properties and
// are answered.
type vendor struct {
	dialect string
	product string
	secret  string // of all devices
	model   string // of the three properties, as the vendor writes it
	up      string // the topic of posts, and below of the answers; {device} stands for the name
	down    string
	login   func(device string) login

	// body is a post. 9 digits of id and count and two of temperature are
	// overwritten for each message.
	body                   string
	id, temperature, count int // where they are in it
}

func (v vendor) of(topic string, device int) string {
	return strings.ReplaceAll(topic, "{device}", deviceName(device))
}

const (
	// postCountBase keeps the counter free of leading zeros, which JSON forbids.
	postCountBase = 100_000_000
	postDigits    = 9
)

// withBody finds in a post what is overwritten.
func (v vendor) withBody(body string) *vendor {
	v.body = body
	v.id = strings.Index(body, "000000000")
	v.temperature = strings.Index(body, "20.00") + 3
	v.count = strings.Index(body, "100000000")
	return &v
}

// stamp makes a post the seq-th of its device.
func (v *vendor) stamp(payload []byte, seq uint32) {
	putDigits(payload[v.id:v.id+postDigits], seq)
	putDigits(payload[v.count:v.count+postDigits], postCountBase+seq)
	putDigits(payload[v.temperature:v.temperature+2], seq%100)
}

func putDigits(b []byte, n uint32) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = '0' + byte(n%10)
		n /= 10
	}
}

var (
	replyID = []byte(`"id":"`)
	replyOK = []byte(`"code":200,`)
)

// numberOf returns the number of the post that an answer is to; false where the
// post was not taken.
func numberOf(answer []byte) (seq uint32, ok bool) {
	at := bytes.Index(answer, replyID)
	if !bytes.Contains(answer, replyOK) || at < 0 || len(answer) < at+len(replyID)+postDigits {
		return 0, false
	}
	at += len(replyID)
	n, err := strconv.ParseUint(string(answer[at:at+postDigits]), 10, 32)
	return uint32(n), err == nil
}

const aliyunProduct = "a1bench0000"

// alibaba is Alibaba Cloud: a password is an HMAC of the login.
var alibaba = vendor{
	dialect: "aliyun",
	product: aliyunProduct,
	secret:  deviceSecret,
	model: `{
  "schema": "https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json",
  "profile": {"productKey": "` + aliyunProduct + `"},
  "properties": [
    {"identifier": "Temperature", "name": "Temperature", "accessMode": "r", "required": true,
     "dataType": {"type": "float", "specs": {"min": "-40", "max": "85", "step": "0.01"}}},
    {"identifier": "Humidity", "name": "Humidity", "accessMode": "r", "required": true,
     "dataType": {"type": "float", "specs": {"min": "0", "max": "100", "step": "0.1"}}},
    {"identifier": "Count", "name": "Count", "accessMode": "r", "required": true,
     "dataType": {"type": "int", "specs": {"min": "0", "max": "2000000000", "step": "1"}}}
  ],
  "events": [],
  "services": []
}`,
	up:   "/sys/" + aliyunProduct + "/{device}/thing/event/property/post",
	down: "/sys/" + aliyunProduct + "/{device}/thing/event/property/post_reply",
	login: func(device string) login {
		l := aliyun.Credentials(aliyun.Triple{ProductKey: aliyunProduct, DeviceName: device, DeviceSecret: deviceSecret}, aliyun.Options{})
		return login{l.ClientID, l.Username, l.Password}
	},
}.withBody(`{"id":"000000000","version":"1.0","sys":{"ack":1},"params":{"Temperature":20.00,"Humidity":55.5,"Count":100000000},"method":"thing.event.property.post"}`)

const onenetProduct = "Bench00000"

// mobile is China Mobile OneNET: a password is a token, signed for as long as
// it is good.
var mobile = vendor{
	dialect: "onenet",
	product: onenetProduct,
	secret:  onenetKey,
	model: `{
  "version": "1.0",
  "properties": [
    {"identifier": "Temperature", "name": "Temperature", "functionType": "u", "accessMode": "r", "functionMode": "property", "desc": "", "required": true,
     "dataType": {"type": "double", "specs": {"min": "-40", "max": "85", "step": "0.01"}}},
    {"identifier": "Humidity", "name": "Humidity", "functionType": "u", "accessMode": "r", "functionMode": "property", "desc": "", "required": true,
     "dataType": {"type": "double", "specs": {"min": "0", "max": "100", "step": "0.1"}}},
    {"identifier": "Count", "name": "Count", "functionType": "u", "accessMode": "r", "functionMode": "property", "desc": "", "required": true,
     "dataType": {"type": "int32", "specs": {"min": "0", "max": "2000000000", "step": "1"}}}
  ],
  "events": [],
  "services": []
}`,
	up:   "$sys/" + onenetProduct + "/{device}/thing/property/post",
	down: "$sys/" + onenetProduct + "/{device}/thing/property/post/reply",
	login: func(device string) login {
		l, err := onenet.Credentials(onenet.Options{ProductID: onenetProduct, DeviceName: device, Key: onenetKey, Expiry: time.Now().Add(24 * time.Hour).Unix()})
		if err != nil {
			panic(err) // nothing in it depends on anybody
		}
		return login{l.ClientID, l.Username, l.Password}
	},
}.withBody(`{"id":"000000000","version":"1.0","params":{"Temperature":{"value":20.00},"Humidity":{"value":55.5},"Count":{"value":100000000}}}`)

// onenetKey is deviceSecret as OneNET writes its keys.
var onenetKey = base64.StdEncoding.EncodeToString([]byte(deviceSecret))
