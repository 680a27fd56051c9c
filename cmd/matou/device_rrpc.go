package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"
)

type deviceRRPCCmd struct {
	Device deviceRef `arg:"" help:"PRODUCT/DEVICE."`
	bytesFlags
	Topic   string `help:"Ask on this custom topic of the device; it has to log in with ext=1." placeholder:"TOPIC"`
	Timeout span   `help:"How long to wait, 1s to 8s; left out, 5s." placeholder:"TIME"`
	apiFlags
}

func (*deviceRRPCCmd) Help() string {
	return `Asks the device on /sys/PRODUCT/DEVICE/rrpc/request/… and prints its answer. The
exit code is 0 only where it answered; otherwise the code says why not: TIMEOUT,
OFFLINE, HALFCONN (its connection broke a moment ago) or UNKNOWN.

Examples:
  matou device rrpc a1NightLamp/lamp01 ping
  matou device rrpc a1NightLamp/lamp01 --hex '01 0f' --timeout 8s
  matou device rrpc a1NightLamp/lamp01 ping --topic /a1NightLamp/lamp01/user/get --json`
}

// rrpcAnswer is what became of a question.
type rrpcAnswer struct {
	ID     string `json:"id"`
	Code   string `json:"code"`
	Topic  string `json:"topic"`
	Text   string `json:"text"`
	Base64 string `json:"base64"`
	TookMS int64  `json:"tookMs"`
}

func (a *rrpcAnswer) print(w io.Writer) {
	answer := visible(a.Text)
	if raw, _ := base64.StdEncoding.DecodeString(a.Base64); answer == "" && len(raw) > 0 {
		answer = "hex " + hex.EncodeToString(raw)
	}
	fields(w, "code", a.Code, "answer", answer, "took", strconv.FormatInt(a.TookMS, 10)+"ms", "id", a.ID)
}

func (c *deviceRRPCCmd) Run(g *globals) error {
	payload, err := c.bytesFlags.wire()
	if err != nil {
		return err
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	in := struct {
		bytesIn
		Topic   string `json:"topic,omitempty"`
		Timeout string `json:"timeout,omitempty"`
	}{payload, c.Topic, ""}
	if c.Timeout != 0 {
		in.Timeout = time.Duration(c.Timeout).String()
	}
	var raw json.RawMessage
	if err := r.patiently(10*time.Second, "POST", c.Device.at("rrpc"), nil, in, &raw); err != nil {
		return err
	}
	var a rrpcAnswer
	if err := r.read(raw, &a); err != nil {
		return err
	}
	if err := g.emit(raw, a.print); err != nil {
		return err
	}
	if a.Code != "SUCCESS" {
		return exitCode(exitFailed)
	}
	return nil
}

type productBroadcastCmd struct {
	Product segment `arg:"" help:"Key of the product."`
	bytesFlags
	Topic string `help:"Tell those who subscribed to /broadcast/PRODUCT/PATH; left out, all devices that are online." placeholder:"PATH"`
	apiFlags
}

func (*productBroadcastCmd) Help() string {
	return `At most 64 KB, once a second; to all that are online, devices of strict products
once a minute. Nothing is kept for devices that are away.

Examples:
  matou product broadcast a1NightLamp "good morning"
  matou product broadcast a1NightLamp --topic news --file news.bin --json`
}

// castResult is what became of a broadcast.
type castResult struct {
	Topic   string `json:"topic"`
	Reached int    `json:"reached"`
	Missed  int    `json:"missed"`
}

func (c *castResult) print(w io.Writer) {
	fmt.Fprintf(w, "%s reached on %s\n", count(c.Reached, "device", "devices"), visible(c.Topic))
	if c.Missed > 0 {
		fmt.Fprintf(w, "%s online and not reached\n", count(c.Missed, "device", "devices"))
	}
}

func (c *productBroadcastCmd) Run(g *globals) error {
	payload, err := c.bytesFlags.wire()
	if err != nil {
		return err
	}
	r, err := c.open(g)
	if err != nil {
		return err
	}
	in := struct {
		bytesIn
		Topic string `json:"topic,omitempty"`
	}{payload, c.Topic}
	return printOne[castResult](g, r, "POST", at("products", string(c.Product), "broadcast"), nil, in)
}
