package packet

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/matou-iot/matou/mqtt"
)

func TestPropertiesRefused(t *testing.T) {
	testBad(t, []bad{
		{"unknown identifier", mqtt.V5, `30 06 0001"a" 02 04 00`, "MQTT5 §2.2.2.2", mqtt.MalformedPacket},
		{"identifier above all", mqtt.V5, `30 06 0001"a" 02 2B 00`, "MQTT5 §2.2.2.2", mqtt.MalformedPacket},
		{"great identifier", mqtt.V5, `30 08 0001"a" 04 FFFFFF7F`, "MQTT5 §2.2.2.2", mqtt.MalformedPacket},
		{"comes twice", mqtt.V5, `30 08 0001"a" 04 01 00 01 00`, "MQTT5 §3.3.2.3.2", mqtt.ProtocolError},
		{"payload format 2", mqtt.V5, `30 06 0001"a" 02 01 02`, "MQTT5 §3.3.2.3.2", mqtt.ProtocolError},
		{"receive maximum 0", mqtt.V5, `10 11 0004"MQTT" 05 02 003C 03 21 0000 0001"a"`, "MQTT5 §3.1.2.11.3", mqtt.ProtocolError},
		{"maximum packet size 0", mqtt.V5, `10 13 0004"MQTT" 05 02 003C 05 27 00000000 0001"a"`, "MQTT5 §3.1.2.11.4", mqtt.ProtocolError},
		{"request problem information 2", mqtt.V5, `10 10 0004"MQTT" 05 02 003C 02 17 02 0001"a"`, "MQTT5 §3.1.2.11.7", mqtt.ProtocolError},
		{"maximum QoS 2", mqtt.V5, `20 05 00 00 02 24 02`, "MQTT5 §3.2.2.3.4", mqtt.ProtocolError},
		{"will delay outside of the will", mqtt.V5, `10 13 0004"MQTT" 05 02 003C 05 18 00000000 0001"a"`, "MQTT5 §2.2.2.2", mqtt.MalformedPacket},
		{"session expiry inside the will", mqtt.V5, `10 19 0004"MQTT" 05 06 003C 00 0001"a" 05 11 00000000 0001"w" 0000`, "MQTT5 §2.2.2.2", mqtt.MalformedPacket},
		{"value cut off by the property length", mqtt.V5, `30 09 0001"a" 02 02 00000E10`, "MQTT5 §2.1.4", mqtt.MalformedPacket},
		{"property length runs past the end", mqtt.V5, `30 06 0001"a" 09 01 00`, "MQTT5 §2.1.4", mqtt.MalformedPacket},
		{"no property length", mqtt.V5, `30 03 0001"a"`, "MQTT5 §2.1.4", mqtt.MalformedPacket},
		{"property length of more bytes than needed", mqtt.V5, `30 05 0001"a" 8000`, "MQTT5-1.5.5-1", mqtt.MalformedPacket},
		{"property length of five bytes", mqtt.V5, `30 08 0001"a" 8080808000`, "MQTT5 §1.5.5", mqtt.MalformedPacket},
		{"user property without a value [MQTT5-1.5.7-1]", mqtt.V5, `30 08 0001"a" 04 26 0001"k"`, "MQTT5 §2.1.4", mqtt.MalformedPacket},
		{"content type is not UTF-8 [MQTT5-3.3.2-19]", mqtt.V5, `30 08 0001"a" 04 03 0001 FF`, "MQTT5-1.5.4-1", mqtt.MalformedPacket},
	})
}

// Every property in every packet: refused exactly where table 2-4 says so.
func TestPropertyCarriers(t *testing.T) { // [MQTT5 table 2-4]
	table := map[propertyID]string{
		0x01: "PUBLISH WILL", 0x02: "PUBLISH WILL", 0x03: "PUBLISH WILL", 0x08: "PUBLISH WILL", 0x09: "PUBLISH WILL",
		0x0B: "PUBLISH SUBSCRIBE", 0x11: "CONNECT CONNACK DISCONNECT", 0x12: "CONNACK", 0x13: "CONNACK",
		0x15: "CONNECT CONNACK AUTH", 0x16: "CONNECT CONNACK AUTH", 0x17: "CONNECT", 0x18: "WILL", 0x19: "CONNECT",
		0x1A: "CONNACK", 0x1C: "CONNACK DISCONNECT",
		0x1F: "CONNACK PUBACK PUBREC PUBREL PUBCOMP SUBACK UNSUBACK DISCONNECT AUTH",
		0x21: "CONNECT CONNACK", 0x22: "CONNECT CONNACK", 0x23: "PUBLISH", 0x24: "CONNACK", 0x25: "CONNACK",
		0x26: "CONNECT CONNACK PUBLISH WILL PUBACK PUBREC PUBREL PUBCOMP SUBSCRIBE SUBACK UNSUBSCRIBE UNSUBACK DISCONNECT AUTH",
		0x27: "CONNECT CONNACK", 0x28: "CONNACK", 0x29: "CONNACK", 0x2A: "CONNACK",
	}
	for id := range lastProperty + 1 {
		for typ := typeWill; typ <= TypeAuth; typ++ {
			name := typ.String()
			if typ == typeWill {
				name = "WILL"
			}
			want := strings.Contains(" "+table[id]+" ", " "+name+" ")
			if got := propertyForms[id].in.include(typ); got != want {
				t.Errorf("property %#02x in %s: %v", id, name, got)
			}
		}
	}
}

func TestUserPropertiesAreBounded(t *testing.T) {
	for count, refused := range map[int]bool{maxUserProperties: false, maxUserProperties + 1: true} {
		p := &Publish{Topic: []byte("a"), Payload: []byte{}, Properties: &Properties{UserProperties: make([]UserProperty, count)}}
		b, err := p.Append(nil, mqtt.V5)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeAll(b, mqtt.V5)
		if refused {
			wantError(t, err, "MQTT5 §3.3.2.3.7", mqtt.QuotaExceeded)
		} else if err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("%d user properties: %v", count, err)
		}
	}
}

func TestSubscriptionIDsAreBounded(t *testing.T) {
	ids := make([]uint32, maxSubscriptionIDs+1)
	for i := range ids {
		ids[i] = uint32(i + 1)
	}
	b, err := (&Publish{Topic: []byte("a"), Properties: &Properties{SubscriptionIDs: ids}}).Append(nil, mqtt.V5)
	if err != nil {
		t.Fatal(err)
	}
	_, err = decodeAll(b, mqtt.V5)
	wantError(t, err, "MQTT5 §3.3.2.3.8", mqtt.QuotaExceeded)
}

func TestSubscribeSaysOneSubscriptionID(t *testing.T) { // [MQTT5 §3.8.2.1.2]
	p := &Subscribe{ID: 1, Subscriptions: []Subscription{{Filter: "a"}}, Properties: &Properties{SubscriptionIDs: []uint32{3, 4}}}
	out, err := p.Append(nil, mqtt.V5)
	if got := fmt.Sprintf("%x", out); err != nil || got != "8209000102"+"0b03"+"00016100" {
		t.Errorf("%s, %v", got, err)
	}
}

func TestAuthDataNeverWithoutMethod(t *testing.T) { // [MQTT5 §3.1.2.11.10]
	out, err := (&Auth{Properties: &Properties{AuthData: []byte{9}}}).Append(nil, mqtt.V5)
	if err != nil || string(out) != string(wire(t, `F0 09 00 07 15 0000 16 0001 09`)) {
		t.Errorf("%x, %v", out, err)
	}
	if _, err := decodeAll(out, mqtt.V5); err != nil {
		t.Error(err)
	}
}

// The clone of a packet with everything in it shares nothing with it.
func TestCloneSharesNothing(t *testing.T) {
	for _, p := range []Packet{&Connect{}, &Connack{}, &Publish{}, &Puback{}, &Pubrec{}, &Pubrel{}, &Pubcomp{}, &Subscribe{},
		&Suback{}, &Unsubscribe{}, &Unsuback{}, &Pingreq{}, &Pingresp{}, &Disconnect{}, &Auth{}} {
		fill(reflect.ValueOf(p).Elem())
		c := Clone(p)
		if !reflect.DeepEqual(c, p) {
			t.Errorf("clone of %+v is %+v", p, c)
		}
		disjoint(t, reflect.TypeOf(p).String(), reflect.ValueOf(p).Elem(), reflect.ValueOf(c).Elem())
	}
	if Clone(nil) != nil {
		t.Error("the clone of nothing is something")
	}
}

// fill gives every field a value, every pointer a target and every slice an
// element.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 4))
		fill(v.Index(0))
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.String:
		v.SetString("s")
	case reflect.Bool:
		v.SetBool(true)
	default:
		v.SetUint(1)
	}
}

func disjoint(t *testing.T, path string, a, b reflect.Value) {
	t.Helper()
	switch a.Kind() {
	case reflect.Pointer, reflect.Slice:
		if a.Pointer() == b.Pointer() {
			t.Errorf("%s is shared", path)
		}
		if a.Kind() == reflect.Pointer {
			disjoint(t, path, a.Elem(), b.Elem())
		}
	case reflect.Struct:
		for i := range a.NumField() {
			disjoint(t, path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))
		}
	}
}
