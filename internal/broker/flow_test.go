package broker_test

import (
	"testing"

	"github.com/matou-iot/matou/internal/broker"
)

// TestFlows, all over TCP [MQTT3-7.1.1-1] [MQTT5-4.2.0-1].
func TestFlows(t *testing.T) {
	// One connection each: > is what the client sends, < what has to come.
	const (
		connect31  = "> 1012 0006'MQIsdp' 03 02 003c 0004'dev1'"
		connect311 = "> 1010 0004'MQTT' 04 02 003c 0004'dev1'"
		connect5   = "> 1011 0004'MQTT' 05 02 003c 00 0004'dev1'"
		connack    = "< 2002 0000"
		connack5   = "< 200e 00 00 0b 21 0400 22 0010 27 00100000"
	)
	for _, tt := range []struct {
		name  string
		steps []string
	}{
		{"3.1: connect, ping, disconnect", []string{connect31, connack, "> c000", "< d000", "> e000", "end"}},
		{"3.1.1: connect, ping, disconnect", []string{connect311, connack, "> c000", "< d000", "> e000", "end"}},
		{"5.0: connect, ping, disconnect", []string{connect5, connack5, "> c000", "< d000", "> e000", "end"}},
		{"5.0: disconnect with a reason", []string{connect5, connack5, "> e001 04", "end"}},
		{"CONNECT in pieces", []string{"> 10", "> 1000", "> 04'MQT", "> 'T' 04 02 003c 0004'dev1'", connack}},
		{"3.1: subscribe, publish to oneself at QoS 0", []string{connect31, connack,
			"> 8208 0001 0003'a/b' 00", "< 9003 0001 00", "> 3007 0003'a/b' 'hi'", "< 3007 0003'a/b' 'hi'"}},
		{"3.1.1: QoS 1 there and back [MQTT3 §4.3.2]", []string{connect311, connack,
			"> 8208 0001 0003'a/b' 01", "< 9003 0001 01", "> 3209 0003'a/b' 0007 'hi'", "< 3209 0003'a/b' 0001 'hi' 4002 0007", "> 4002 0001", "> c000", "< d000"}},
		{"3.1.1: QoS 2 there and back [MQTT3 §4.3.3]", []string{connect311, connack,
			"> 8208 0001 0003'a/b' 02", "< 9003 0001 02",
			"> 3409 0003'a/b' 0007 'hi'", "< 3409 0003'a/b' 0001 'hi' 5002 0007",
			"> 6202 0007", "< 7002 0007", "> 5002 0001", "< 6202 0001", "> 7002 0001", "> c000", "< d000"}},
		{"5.0: QoS 1 there and back", []string{connect5, connack5,
			"> 8209 0001 00 0003'a/b' 01", "< 9004 0001 00 01", "> 320a 0003'a/b' 0007 00 'hi'", "< 320a 0003'a/b' 0001 00 'hi' 4002 0007"}},
		{"QoS 2 sent twice is delivered once [MQTT3-4.3.3-2]", []string{connect311, connack,
			"> 8208 0001 0003'a/b' 00", "< 9003 0001 00",
			"> 3409 0003'a/b' 0007 'hi'", "< 3007 0003'a/b' 'hi' 5002 0007", "> 3c09 0003'a/b' 0007 'hi'", "< 5002 0007",
			"> 6202 0007", "< 7002 0007", "> 3409 0003'a/b' 0007 'hi'", "< 3007 0003'a/b' 'hi' 5002 0007"}},
		{"PUBREL of the unknown is answered", []string{connect311, connack, "> 6202 0009", "< 7002 0009"}},
		{"5.0: PUBREL of the unknown is answered with a reason [MQTT5 §3.7.2.1]", []string{connect5, connack5, "> 6202 0009", "< 7003 0009 92"}},
		{"the granted QoS is the most that is delivered [MQTT3 §3.8.4]", []string{connect311, connack,
			"> 8208 0001 0003'a/b' 00", "< 9003 0001 00", "> 3209 0003'a/b' 0007 'hi'", "< 3007 0003'a/b' 'hi' 4002 0007"}},
		{"overlapping subscriptions: once, with the highest QoS [MQTT3-3.3.5-1]", []string{connect311, connack,
			"> 820e 0001 0003'a/b' 00 0003'a/#' 01", "< 9004 0001 00 01", "> 3209 0003'a/b' 0007 'hi'", "< 3209 0003'a/b' 0001 'hi' 4002 0007"}},
		{"5.0: overlapping subscriptions: all identifiers [MQTT5-3.3.4-3] [MQTT5-3.3.4-4]", []string{connect5, connack5,
			"> 820b 0001 02 0b05 0003'a/b' 00", "< 9004 0001 00 00", "> 820b 0002 02 0b06 0003'a/#' 00", "< 9004 0002 00 00",
			"> 3008 0003'a/b' 00 'hi'", "< 300c 0003'a/b' 04 0b05 0b06 'hi'"}},
		{"5.0: No Local [MQTT5-3.8.3-3]", []string{connect5, connack5,
			"> 8209 0001 00 0003'a/b' 04", "< 9004 0001 00 00", "> 3008 0003'a/b' 00 'hi'", "> c000", "< d000"}},
		{"wildcards leave $ alone [MQTT3-4.7.2-1]", []string{connect311, connack,
			"> 820a 0001 0001'#' 00 0001'+' 00", "< 9004 0001 00 00", "> 3006 0002'$s' 'hi'", "> c000", "< d000"}},
		{"$sys is matched by name", []string{connect311, connack,
			"> 820b 0001 0006'$sys/#' 00", "< 9003 0001 00", "> 300a 0006'$sys/p' 'hi'", "< 300a 0006'$sys/p' 'hi'"}},
		{"unsubscribe [MQTT3 §3.10]", []string{connect311, connack,
			"> 8208 0001 0003'a/b' 00", "< 9003 0001 00", "> a207 0002 0003'a/b'", "< b002 0002", "> 3007 0003'a/b' 'hi'", "> c000", "< d000"}},
		{"5.0: unsubscribe the known and the unknown [MQTT5 §3.11.3]", []string{connect5, connack5,
			"> 8209 0001 00 0003'a/b' 00", "< 9004 0001 00 00", "> a20d 0002 00 0003'a/b' 0003'x/y'", "< b005 0002 00 00 11"}},
		{"a bad filter fails alone", []string{connect311, connack,
			"> 820e 0001 0003'a#b' 00 0003'a/b' 00", "< 9004 0001 80 00"}},
		{"retained: kept, sent on subscribing, removed by an empty one [MQTT3 §3.3.1.3]", []string{connect311, connack,
			"> 3107 0003'r/1' 'on'", "> 8208 0001 0003'r/+' 00", "< 9003 0001 00 3107 0003'r/1' 'on'",
			"> 3105 0003'r/1'", "< 3005 0003'r/1'", "> 8208 0002 0003'r/1' 00", "< 9003 0002 00", "> c000", "< d000"}},
		{"5.0: Retain Handling 1 sends only to the new, Retain As Published keeps the flag [MQTT5 §3.8.3.1]", []string{connect5, connack5,
			"> 3108 0003'r/2' 00 'on'", "> 8209 0001 00 0003'r/2' 18", "< 9004 0001 00 00 3108 0003'r/2' 00 'on'",
			"> 8209 0002 00 0003'r/2' 18", "< 9004 0002 00 00", "> 3108 0003'r/2' 00 'of'", "< 3108 0003'r/2' 00 'of'", "> 3105 0003'r/2'"}},
		{"5.0: a topic alias stands for its topic [MQTT5 §3.3.2.3.4]", []string{connect5, connack5,
			"> 8209 0001 00 0003'a/b' 00", "< 9004 0001 00 00",
			"> 300b 0003'a/b' 03 230001 'hi'", "< 3008 0003'a/b' 00 'hi'", "> 3008 0000 03 230001 'ho'", "< 3008 0003'a/b' 00 'ho'"}},
		{"5.0: user properties are passed on [MQTT5-3.3.2-17]", []string{connect5, connack5,
			"> 8209 0001 00 0003'a/b' 00", "< 9004 0001 00 00",
			"> 300f 0003'a/b' 07 26 0001'k' 0001'v' 'hi'", "< 300f 0003'a/b' 07 26 0001'k' 0001'v' 'hi'"}},
		{"5.0: shared subscriptions [MQTT5 §4.8.2]", []string{connect5, connack5,
			"> 8212 0001 00 000c'$share/g/a/b' 00", "< 9004 0001 00 00", "> 3008 0003'a/b' 00 'hi'", "< 3008 0003'a/b' 00 'hi'"}},
		{"5.0: an assigned client identifier", []string{"> 100d 0004'MQTT' 05 02 003c 00 0000", "< 202b 00 00 28 12 001a"}},
		{"3.1.1: an empty client identifier needs a clean session [MQTT3-3.1.3-8]", []string{"> 100c 0004'MQTT' 04 00 003c 0000", "< 2002 0002", "end"}},
		{"3.1.1: an empty client identifier with a clean session [MQTT3-3.1.3-6]", []string{"> 100c 0004'MQTT' 04 02 003c 0000", connack}},
		{"an unknown protocol level [MQTT3-3.1.2-2]", []string{"> 1010 0004'MQTT' 06 02 003c 0004'dev1'", "< 2002 0001", "end"}},
		{"the first packet is no CONNECT [MQTT3-3.1.0-1] [MQTT5-3.1.0-1]", []string{"> c000", "end"}},
		{"a second CONNECT [MQTT3-3.1.0-2] [MQTT3-4.8.0-1]", []string{connect311, connack, connect311, "end"}},
		{"5.0: a second CONNECT is told [MQTT5-3.1.0-2] [MQTT5-4.13.1-1]", []string{connect5, connack5, connect5, "< e001 82", "end"}},
		{"5.0: a malformed packet is told [MQTT5-4.13.1-1] [MQTT5-3.14.4-1] [MQTT5-3.14.4-2]", []string{connect5, connack5, "> 3606 0003'a/b' 00", "< e001 81", "end"}},
		{"3.1.1: a malformed packet just ends it [MQTT3-4.8.0-1]", []string{connect311, connack, "> 3605 0003'a/b'", "end"}},
		{"a malformed packet does not undo those before it", []string{connect311, connack, "> 3209 0003'a/b' 0007 'hi' 3605 0003'a/b'", "< 4002 0007", "end"}},
		{"5.0: a length beyond the limit is not waited for [MQTT5-3.2.2-15]", []string{connect5, connack5, "> 30 ffffff7f 0003'a/b'", "< e001 95", "end"}},
		{"a length of five bytes", []string{connect311, connack, "> 30 ffffffff7f", "end"}},
		{"5.0: enhanced authentication is not there [MQTT5 §4.12]", []string{"> 1017 0004'MQTT' 05 02 003c 06 15 0003'KEY' 0004'dev1'", "< 2003 00 8c 00", "end"}},
		{"5.0: AUTH out of nowhere", []string{connect5, connack5, "> f000", "< e001 82", "end"}},
		{"5.0: an alias that was never set", []string{connect5, connack5, "> 3008 0000 03 230001 'ho'", "< e001 82", "end"}},
		{"5.0: an alias beyond the maximum [MQTT5-3.3.2-9]", []string{connect5, connack5, "> 300b 0003'a/b' 03 230011 'ho'", "< e001 94", "end"}},
		{"5.0: No Local on a shared subscription [MQTT5-3.8.3-4]", []string{connect5, connack5, "> 8212 0001 00 000c'$share/g/a/b' 04", "< e001 82", "end"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := serve(t, broker.Options{}).dial()
			for _, step := range tt.steps {
				switch step[0] {
				case '>':
					p.send(step[1:])
				case '<':
					p.want(step[1:])
				default:
					p.wantEnd()
				}
			}
		})
	}
}
