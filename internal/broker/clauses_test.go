package broker_test

import (
	"testing"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/mqtt"
)

// A clause is a story that shows what the specification says, in the versions
// that say so.
type clause struct {
	name  string
	v     []mqtt.Version
	lines []string
}

var (
	every = []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5}
	both  = []mqtt.Version{mqtt.V311, mqtt.V5}
	v5    = []mqtt.Version{mqtt.V5}
)

func tellAll(t *testing.T, clauses []clause) {
	for _, c := range clauses {
		for _, v := range c.v {
			t.Run(v.String()+" "+c.name, func(t *testing.T) { tell(t, v, broker.Options{}, c.lines) })
		}
	}
}

func TestAcknowledging(t *testing.T) {
	tellAll(t, []clause{
		{"each QoS has its answer, with the identifier of what it answers " +
			"[MQTT3-3.3.4-1] [MQTT5-3.3.4-1] [MQTT3-2.3.1-6] [MQTT5-2.2.1-5] [MQTT5-4.3.2-4] [MQTT5-4.3.3-8] [MQTT5-4.3.3-11]", every, []string{
			"a connect", "a > publish t x", "a silence",
			"a > publish t x q1 #9", "a < puback #9",
			"a > publish t x q2 #10", "a < pubrec #10", "a > pubrel #10", "a < pubcomp #10", "a silence"}},
		{"QoS 1: once acknowledged, the identifier is a new message's, whatever DUP says; DUP is not passed on " +
			"[MQTT3-4.3.2-2] [MQTT5-4.3.2-5] [MQTT3-3.3.1-3] [MQTT5-3.3.1-3]", every, []string{
			"b connect", "b > subscribe #1 t=1", "b < suback #1 01", "a connect",
			"a > publish t x q1 #9", "a < puback #9", "b < publish t x q1 #1",
			"a > publish t y q1 #9 dup", "a < puback #9", "b < publish t y q1 #2"}},
		{"QoS 2: until PUBREL the identifier is the same message's, after PUBCOMP a new one's " +
			"[MQTT3-4.3.3-2] [MQTT5-4.3.3-10] [MQTT5-4.3.3-12]", every, []string{
			"b connect", "b > subscribe #1 t=0", "b < suback #1 00", "a connect",
			"a > publish t x q2 #9", "a < pubrec #9", "b < publish t x",
			"a > publish t x q2 #9 dup", "a < pubrec #9", "b silence",
			"a > pubrel #9", "a < pubcomp #9", "a > publish t y q2 #9", "a < pubrec #9", "b < publish t y"}},
		{"PUBREC in the order of PUBLISH [MQTT3-4.6.0-3]", every, []string{
			"a connect", "a > publish t x q2 #2", "a > publish t y q2 #1", "a > publish t z q2 #3",
			"a < pubrec #2", "a < pubrec #1", "a < pubrec #3"}},
		{"PUBREL in the order of PUBREC [MQTT3-4.6.0-4]", every, []string{
			"b connect", "b > subscribe #1 t=2", "b < suback #1 02", "a connect",
			"a > publish t x q2 #1", "a < pubrec #1", "a > publish t y q2 #2", "a < pubrec #2",
			"b < publish t x q2 #1", "b < publish t y q2 #2",
			"b > pubrec #2", "b > pubrec #1", "b < pubrel #2", "b < pubrel #1"}},
		{"PINGREQ is answered [MQTT3-3.12.4-1] [MQTT5-3.12.4-1]", every, []string{"a connect", "a > ping", "a < pong"}},
	})
}

func TestDelivering(t *testing.T) {
	tellAll(t, []clause{
		{"QoS 0 has no identifier and no DUP [MQTT3-4.3.1-1] [MQTT5-4.3.1-1] [MQTT3-2.3.1-5] [MQTT5-2.2.1-2] [MQTT5-3.3.1-2]", every, []string{
			"b connect", "b > subscribe #1 t=0", "b < suback #1 00", "a connect",
			"a > publish t x q1 #7", "a < puback #7", "b < publish t x"}},
		{"QoS 1: an identifier that is free, DUP 0, unacknowledged until PUBACK, then again with DUP 1 and its identifier " +
			"[MQTT3-4.3.2-1] [MQTT5-4.3.2-1] [MQTT5-4.3.2-2] [MQTT5-4.3.2-3] [MQTT3-2.3.1-4] [MQTT3-2.3.1-3] [MQTT5-2.2.1-4] " +
			"[MQTT3-3.3.1-1] [MQTT5-3.3.1-1] [MQTT3-4.4.0-1] [MQTT5-4.4.0-1]", every, []string{
			"b keep", "b > subscribe #1 t=1", "b < suback #1 01", "a connect",
			"a > publish t x q1 #7", "a < puback #7", "a > publish t y q1 #7", "a < puback #7",
			"b < publish t x q1 #1", "b < publish t y q1 #2", "b > puback #2", "b silence", "b gone",
			"b back", "b < publish t x q1 #1 dup", "b silence", "b > puback #1", "b silence", "b gone", "b back", "b silence"}},
		{"QoS 2: PUBLISH is unacknowledged until PUBREC, PUBREL until PUBCOMP, and PUBLISH not sent after PUBREL " +
			"[MQTT3-4.3.3-1] [MQTT5-4.3.3-1] [MQTT5-4.3.3-2] [MQTT5-4.3.3-3] [MQTT5-4.3.3-4] [MQTT5-4.3.3-5] [MQTT5-4.3.3-6]", every, []string{
			"b keep", "b > subscribe #1 t=2", "b < suback #1 02", "a connect", "a > publish t x q2 #7", "a < pubrec #7",
			"b < publish t x q2 #1", "b gone", "b back", "b < publish t x q2 #1 dup",
			"b > pubrec #1", "b < pubrel #1", "b gone", "b back", "b < pubrel #1", "b silence",
			"b > pubcomp #1", "b silence", "b gone", "b back", "b silence"}},
		{"what is sent again comes in the order in which it was sent first [MQTT3-4.6.0-1] [MQTT3-4.6.0-6]", every, []string{
			"b keep", "b > subscribe #1 t=2", "b < suback #1 02", "a connect",
			"a > publish t 1 q1 #7", "a < puback #7", "a > publish t 2 q2 #8", "a < pubrec #8",
			"a > publish t 3 q1 #9", "a < puback #9", "a > publish t 4 q2 #10", "a < pubrec #10",
			"b < publish t 1 q1 #1", "b < publish t 2 q2 #2", "b < publish t 3 q1 #3", "b < publish t 4 q2 #4",
			"b > puback #3", "b > pubrec #4", "b < pubrel #4", "b gone",
			"a > publish t 5 q1 #11", "a < puback #11",
			"b back", "b < publish t 1 q1 #1 dup", "b < publish t 2 q2 #2 dup", "b < pubrel #4", "b < publish t 5 q1 #5", "b silence"}},
		{"a refused message is acknowledged, and not sent again [MQTT5-4.4.0-2] [MQTT5-4.3.3-4]", v5, []string{
			"b keep", "b > subscribe #1 t=2", "b < suback #1 02", "a connect",
			"a > publish t x q1 #7", "a < puback #7", "b < publish t x q1 #1", "b > puback #1 97",
			"a > publish t y q2 #8", "a < pubrec #8", "b < publish t y q2 #2", "b > pubrec #2 97", "b silence",
			"b gone", "b back", "b silence"}},
		{"the lower QoS of publication and grant [MQTT3-3.8.4-6] [MQTT5-3.8.4-8]", every, []string{
			"b connect", "b > subscribe #1 t=1", "b < suback #1 01", "a connect",
			"a > publish t 0", "a > publish t 1 q1 #1", "a > publish t 2 q2 #2", "a < puback #1", "a < pubrec #2",
			"b < publish t 0", "b < publish t 1 q1 #1", "b < publish t 2 q1 #2"}},
		{"what matches, and nothing else [MQTT3-3.3.2-3] [MQTT5-3.3.2-3]", every, []string{
			"b connect", "b > subscribe #1 a/+=0 c=0", "b < suback #1 00 00", "a connect",
			"a > publish a x", "a > publish a/b 1", "a > publish a/b/c x", "a > publish c 2", "a > publish C x", "a silence",
			"b < publish a/b 1", "b < publish c 2", "b silence"}},
		{"topics are compared as they are: no normalizing, U+FEFF is a character " +
			"[MQTT3-4.7.3-4] [MQTT5-4.7.3-4] [MQTT3-1.5.3-3] [MQTT5-1.5.4-3]", every, []string{
			"b connect", "b > subscribe #1 \ufefft=0 a//b=0 é=0", "b < suback #1 00 00 00", "a connect",
			"a > publish t x", "a > publish a/b x", "a > publish e\u0301 x", "a > publish É x", "a silence", "b silence",
			"a > publish \ufefft 1", "a > publish a//b 2", "a > publish é 3",
			"b < publish \ufefft 1", "b < publish a//b 2", "b < publish é 3"}},
		{"$ topics are for filters that name them [MQTT3-4.7.2-1] [MQTT5-4.7.2-1]", every, []string{
			"b connect", "b > subscribe #1 #=0 +/x=0", "b < suback #1 00 00", "a connect",
			"a > publish $t/x 1", "a silence", "b silence", "b > subscribe #2 $t/+=0", "b < suback #2 00", "a > publish $t/x 2", "b < publish $t/x 2"}},
		{"overlapping subscriptions: the highest QoS [MQTT3-3.3.5-1] [MQTT5-3.3.4-2]", every, []string{
			"b connect", "b > subscribe #1 t/#=0 t/x=2 +/x=1", "b < suback #1 00 02 01", "a connect",
			"a > publish t/x 1 q2 #1", "a < pubrec #1", "b < publish t/x 1 q2 #1", "b silence"}},
	})
}

func TestRetaining(t *testing.T) {
	tellAll(t, []clause{
		{"the last is kept with its QoS and sent with RETAIN, whatever the one before had " +
			"[MQTT3-3.3.1-5] [MQTT3-3.3.1-6] [MQTT3-3.3.1-7] [MQTT3-3.3.1-8] [MQTT5-3.3.1-5] [MQTT5-3.3.1-9]", every, []string{
			"a connect", "a > publish r 1 q2 #1 retain", "a < pubrec #1", "a > publish r 2 q1 #2 retain", "a < puback #2",
			"b connect", "b > subscribe #1 +=2", "b < suback #1 02", "b < publish r 2 q1 #1 retain", "b silence",
			"a > publish r 3 retain", "a silence", "b < publish r 3",
			"b > subscribe #2 r=2", "b < suback #2 02", "b < publish r 3 retain", "b silence"}},
		{"an empty one is delivered, and removes; it is not kept [MQTT3-3.3.1-10] [MQTT3-3.3.1-11] [MQTT5-3.3.1-6] [MQTT5-3.3.1-7]", every, []string{
			"a connect", "b connect", "b > subscribe #1 r=0", "b < suback #1 00",
			"a > publish r 1 retain", "a > publish r - retain", "a silence", "b < publish r 1", "b < publish r -",
			"b > subscribe #2 r=1", "b < suback #2 01", "b silence"}},
		{"one without RETAIN changes nothing [MQTT3-3.3.1-12] [MQTT5-3.3.1-8]", every, []string{
			"a connect", "a > publish r 1 retain", "a > publish r 2", "a > publish r -", "a > publish s 1", "a silence",
			"b connect", "b > subscribe #1 r=0 s=0", "b < suback #1 00 00", "b < publish r 1 retain", "b silence"}},
		{"who was subscribed gets it without RETAIN [MQTT3-3.3.1-9] [MQTT5-3.3.1-12]", every, []string{
			"a connect", "b connect", "b > subscribe #1 r=0", "b < suback #1 00", "a > publish r 1 retain", "a silence", "b < publish r 1"}},
		{"Retain As Published passes the flag on as it came [MQTT5-3.3.1-13]", v5, []string{
			"a connect", "b connect", "b > subscribe #1 r=0,rap", "b < suback #1 00",
			"a > publish r 1 retain", "a > publish r 2", "a silence", "b < publish r 1 retain", "b < publish r 2"}},
		{"Retain Handling 0: each time; 1: to a new subscription; 2: never [MQTT5-3.3.1-9] [MQTT5-3.3.1-10] [MQTT5-3.3.1-11]", v5, []string{
			"a connect", "a > publish r 1 retain", "a silence", "b connect",
			"b > subscribe #1 r=0,rh2", "b < suback #1 00", "b > subscribe #2 r=0,rh1", "b < suback #2 00", "b silence",
			"b > subscribe #3 +=0,rh1", "b < suback #3 00", "b < publish r 1 retain", "b > subscribe #4 +=0,rh1", "b < suback #4 00", "b silence",
			"b > subscribe #5 r=0", "b < suback #5 00", "b < publish r 1 retain"}},
		{"it is not the session's: it stays when that ends [MQTT3-3.1.2-7]", every, []string{
			"a connect", "a > publish r 1 retain", "a bye", "b connect", "b > subscribe #1 r=0", "b < suback #1 00", "b < publish r 1 retain"}},
	})
}

func TestSubscribing(t *testing.T) {
	tellAll(t, []clause{
		{"one SUBACK with its identifier, a code for each filter, in their order " +
			"[MQTT3-3.8.4-1] [MQTT3-3.8.4-2] [MQTT3-3.8.4-4] [MQTT3-3.8.4-5] [MQTT3-3.9.3-1] [MQTT3-2.3.1-7] [MQTT5-3.8.4-1] " +
			"[MQTT5-3.8.4-2] [MQTT5-3.8.4-5] [MQTT5-3.8.4-6] [MQTT5-3.8.4-7] [MQTT5-3.9.3-1] [MQTT5-2.2.1-6]", every, []string{
			"a connect", "a > subscribe #300 a=0 b=2 d=1 b=1", "a < suback #300 00 02 01 01", "a silence"}},
		{"the same filter again replaces, and its retained messages come again " +
			"[MQTT3-3.8.4-3] [MQTT5-3.8.4-3] [MQTT5-3.8.4-4]", every, []string{
			"a connect", "a > publish r 1 q1 #1 retain", "a < puback #1",
			"b connect", "b > subscribe #1 r=0", "b < suback #1 00", "b < publish r 1 retain",
			"b > subscribe #2 r=1", "b < suback #2 01", "b < publish r 1 q1 #1 retain",
			"a > publish r 2 q1 #2", "a < puback #2", "b < publish r 2 q1 #2", "b silence"}},
		{"UNSUBSCRIBE ends what is the same, character by character, and is always answered, once " +
			"[MQTT3-3.10.4-1] [MQTT3-3.10.4-2] [MQTT3-3.10.4-4] [MQTT3-3.10.4-5] [MQTT3-3.10.4-6] [MQTT5-3.10.4-1] [MQTT5-3.10.4-2] " +
			"[MQTT5-3.10.4-4] [MQTT5-3.10.4-5] [MQTT5-3.10.4-6] [MQTT5-3.11.3-1] [MQTT5-3.11.3-2] [MQTT5-2.2.1-6]", every, []string{
			"a connect", "a > subscribe #1 a/+=0 b=0", "a < suback #1 00 00",
			"a > unsubscribe #300 a/b A/+ #", "a < unsuback #300 11 11 11", "a > publish a/b 1", "a < publish a/b 1",
			"a > unsubscribe #301 c a/+", "a < unsuback #301 11 00", "a > publish a/b 2", "a silence",
			"a > publish b 3", "a < publish b 3"}},
		{"UNSUBSCRIBE lets what is under way arrive [MQTT3-3.10.4-3] [MQTT5-3.10.4-3]", every, []string{
			"b keep", "b > subscribe #1 t=2", "b < suback #1 02", "a connect",
			"a > publish t x q2 #1", "a < pubrec #1", "b < publish t x q2 #1",
			"b > unsubscribe #2 t", "b < unsuback #2 00", "b gone", "b back", "b < publish t x q2 #1 dup",
			"b > pubrec #1", "b < pubrel #1", "b > pubcomp #1", "b silence"}},
		{"shared: a broken delivery of QoS 2 is completed to the same client [MQTT5-4.8.2-4]", v5, []string{
			"b keep", "b > subscribe #1 $share/g/t=2", "b < suback #1 02", "a connect",
			"a > publish t x q2 #1", "a < pubrec #1", "b < publish t x q2 #1", "b gone",
			"c connect", "c > subscribe #1 $share/g/t=2", "c < suback #1 02", "c silence",
			"b back", "b < publish t x q2 #1 dup", "c silence"}},
		{"shared: not to another when the session of the one ends [MQTT5-4.8.2-5]", v5, []string{
			"b keep", "b > subscribe #1 $share/g/t=2", "b < suback #1 02", "a connect",
			"a > publish t x q2 #1", "a < pubrec #1", "b < publish t x q2 #1", "b gone",
			"c connect", "c > subscribe #1 $share/g/t=2", "c < suback #1 02", "b connect", "b silence", "c silence",
			"a > publish t y q2 #2", "a < pubrec #2", "c < publish t y q2 #1"}},
		{"shared: refused by one, sent to no other [MQTT5-4.8.2-6]", v5, []string{
			"b connect", "b > subscribe #1 $share/g/t=1", "b < suback #1 01", "a connect", "a > publish t x q1 #1", "a < puback #1",
			"b < publish t x q1 #1", "c connect", "c > subscribe #1 $share/g/t=1", "c < suback #1 01",
			"b > puback #1 97", "b silence", "c silence", "b gone", "c silence"}},
		{"shared: no retained messages, whatever Retain Handling says [MQTT5 §4.8.2]", v5, []string{
			"a connect", "a > publish r 1 retain", "a silence", "b connect",
			"b > subscribe #1 $share/g/r=1", "b < suback #1 01", "b > subscribe #2 $share/g/+=1,rh1", "b < suback #2 01", "b silence",
			"b > subscribe #3 r=0", "b < suback #3 00", "b < publish r 1 retain"}},
		{"shared: the QoS granted [MQTT5-4.8.2-3]", v5, []string{
			"b connect", "b > subscribe #1 $share/g/t=1", "b < suback #1 01", "a connect", "a > publish t x q2 #1", "a < pubrec #1",
			"b < publish t x q1 #1"}},
	})
}

func TestSessions(t *testing.T) {
	tellAll(t, []clause{
		{"a session is found by its client identifier, and goes on " +
			"[MQTT3-3.1.2-4] [MQTT3-3.1.3-2] [MQTT3-3.2.2-2] [MQTT3-3.2.2-3] [MQTT5-3.1.2-5] [MQTT5-3.1.2-6] [MQTT5-3.1.3-2] [MQTT5-3.2.2-3]", every, []string{
			"b keep", "b > subscribe #1 t=1", "b < suback #1 01", "b bye", "c keep", "b back", "a connect",
			"a > publish t x q1 #1", "a < puback #1", "b < publish t x q1 #1", "c silence"}},
		{"a clean start ends it [MQTT3-3.1.2-6] [MQTT3-3.2.2-1] [MQTT3-3.1.4-3] [MQTT5-3.1.2-4] [MQTT5-3.2.2-2] [MQTT5-3.1.4-4]", every, []string{
			"b keep", "b > subscribe #1 t=1", "b < suback #1 01", "b bye", "a connect", "a > publish t 1 q1 #1", "a < puback #1",
			"b connect", "a > publish t 2 q1 #1", "a < puback #1", "b silence", "b bye", "b keep", "b silence"}},
		{"a clean start in 5.0 may begin one that is kept [MQTT5-3.1.2-4] [MQTT5-3.2.2-2]", v5, []string{
			"b keep", "b > subscribe #1 t=1", "b < suback #1 01", "b bye", "b clean keep", "b bye", "a connect",
			"a > publish t 1 q1 #1", "a < puback #1", "b back", "b silence"}},
		{"messages are added to the sessions of the absent [MQTT3-4.5.0-1] [MQTT5-4.5.0-1] [MQTT5-3.1.2-23]", every, []string{
			"b keep", "b > subscribe #1 t/+=2", "b < suback #1 02", "b bye", "a connect",
			"a > publish t/1 x q1 #1", "a < puback #1", "a > publish t/2 y q2 #2", "a < pubrec #2",
			"b back", "b < publish t/1 x q1 #1", "b < publish t/2 y q2 #2"}},
		{"CONNACK comes first, once, then what waited [MQTT3-3.2.0-1] [MQTT5-3.2.0-1] [MQTT5-3.2.0-2] [MQTT3-3.1.4-4] [MQTT5-3.1.4-5]", every, []string{
			"b keep", "b > subscribe #1 t=1", "b < suback #1 01", "b bye", "a connect", "a > publish t x q1 #1", "a < puback #1",
			"b back", "b < publish t x q1 #1", "b > puback #1", "b silence"}},
		{"a message that was taken is not delivered again on the next connection [MQTT5-4.3.3-10] [MQTT3-4.3.3-2]", every, []string{
			"b connect", "b > subscribe #1 t=0", "b < suback #1 00", "a keep", "a > publish t x q2 #7", "a < pubrec #7", "b < publish t x",
			"a gone", "a back", "a > publish t x q2 #7 dup", "a < pubrec #7", "b silence", "a > pubrel #7", "a < pubcomp #7"}},
	})
}
